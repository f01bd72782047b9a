"""What an error of Snowflake means for a retry, as data.

Snowflake publishes no list of retryable codes; this one comes from the sources of its drivers and from public
threads. Every server-side error arrives as the same Python class, so number and SQLSTATE decide.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ErrorClass:
    """How to treat one kind of failure.

    `attempts` is the most attempts for this class (the setting may allow fewer); `base` and `cap` bound the
    wait in seconds. `data` failures are searched for their rows.
    """

    name: str
    attempts: int = 1
    base: float = 1.0
    cap: float = 60.0
    data: bool = False

    @property
    def retryable(self) -> bool:
        """Whether another attempt can help."""
        return self.attempts > 1


NETWORK = ErrorClass("network", attempts=20)
STAGE = ErrorClass("stage", attempts=20)
INTERNAL = ErrorClass("internal", attempts=3)
CONTENTION = ErrorClass("contention", attempts=20, base=4.0)
ABORTED = ErrorClass("aborted", attempts=5)
CANCELLED = ErrorClass("cancelled", attempts=2)
WAREHOUSE = ErrorClass("warehouse", attempts=3)
SESSION = ErrorClass("session", attempts=20, base=0.2)
CLOCK = ErrorClass("clock", attempts=3)
AUTHENTICATION = ErrorClass("authentication")
AUTHORISATION = ErrorClass("authorisation")
COMPILATION = ErrorClass("compilation")
DATA = ErrorClass("data", data=True)
DUPLICATES = ErrorClass("duplicates")
UNKNOWN = ErrorClass("unknown")

_NUMBERS: dict[int, ErrorClass] = {
    # Kinds of the connector's core (5.x), given where no answer came: I/O, broken answer, timeout; cancelled.
    **dict.fromkeys((4, 6, 14), NETWORK),
    5: CANCELLED,
    **dict.fromkeys(
        (250001, 250002, 250003, 250005, 250011, 251011, 251012, 290400, 290500, 290503), NETWORK
    ),
    **dict.fromkeys(range(253000, 253100), STAGE),
    603: INTERNAL,
    625: CONTENTION,
    **dict.fromkeys((604, 630), CANCELLED),
    608: WAREHOUSE,
    606: AUTHORISATION,
    **dict.fromkeys((390111, 390112, 390114, 390195, 390318), SESSION),
    **dict.fromkeys((394302, 394303), CLOCK),
    **dict.fromkeys((3001, 2003, 2043, 3041), AUTHORISATION),
    **dict.fromkeys((904, 1003, 2108), COMPILATION),
    **dict.fromkeys(
        (100035, 100037, 100038, 100040, 100046, 100069, 100071, 100072, 100078, 100082, 100132), DATA
    ),
    100090: DUPLICATES,
}
_STATES: dict[str, ErrorClass] = {
    **dict.fromkeys(("08001", "08002", "08003", "08006", "08506", "58030", "HYT00"), NETWORK),
    "XX000": INTERNAL,
    "42501": AUTHORISATION,
    "42S02": AUTHORISATION,
    "02000": AUTHORISATION,
}

_LOGIN_NUMBERS = range(390_000, 396_000)
"""Login, session and token errors; those that another attempt can help are listed above."""

LOGIN_TOKEN_NUMBERS = frozenset({390318})
"""Numbers that in a session mean that a new login helps, and at a login that its token has expired."""

_DATA_EXCEPTION = "22"
"""SQLSTATE class `data exception`: new numbers of it come with new releases."""
_FIRST_OF_EXECUTION = 100_000
"""Lower numbers of that class are about the statement, not about a row (1065: types of arguments)."""

OBJECT_EXISTS = frozenset({2002})
COLUMN_EXISTS = frozenset({1430})


def classify(errno: int | None, sqlstate: str | None, *, operational: bool = False) -> ErrorClass:
    """Give the class of a failure from Snowflake's number and SQLSTATE.

    Args:
        errno: Snowflake's number, or the connector's own (25xxxx); may be missing.
        sqlstate: five characters; may be missing.
        operational: the connector raised OperationalError or InterfaceError: a lost network or a timeout.
    """
    if errno is not None and errno in _NUMBERS:
        return _NUMBERS[errno]
    if errno is not None and errno in _LOGIN_NUMBERS:
        return AUTHENTICATION
    if sqlstate in _STATES:
        return _STATES[sqlstate]
    if sqlstate and sqlstate.startswith(_DATA_EXCEPTION):
        return COMPILATION if errno is not None and errno < _FIRST_OF_EXECUTION else DATA
    return NETWORK if operational else UNKNOWN
