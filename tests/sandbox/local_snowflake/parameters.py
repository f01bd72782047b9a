"""Session parameters: which there are, and what the stand-in can do about each.

Rules restored (parameters page): a parameter keeps its type; one that nobody knows is refused; one that would
change what statements mean and that cannot be honoured here is refused unless it keeps its default.
"""

from __future__ import annotations

from typing import Any

from .errors import SnowflakeError, unsupported
from .time_formats import OUTPUT_FORMATS

# Parameters that the code reads, with Snowflake's defaults.
DEFAULTS: dict[str, Any] = {
    "ABORT_DETACHED_QUERY": False,
    "AUTOCOMMIT": True,
    "BINARY_OUTPUT_FORMAT": "HEX",
    "CLIENT_SESSION_KEEP_ALIVE": False,
    "CLIENT_VALIDATE_DEFAULT_PARAMETERS": False,
    "ERROR_ON_NONDETERMINISTIC_MERGE": True,
    "LOCK_TIMEOUT": 43200,
    "QUERY_TAG": "",
    "QUOTED_IDENTIFIERS_IGNORE_CASE": False,
    "ROWS_PER_RESULTSET": 0,
    "STATEMENT_QUEUED_TIMEOUT_IN_SECONDS": 0,
    "STATEMENT_TIMEOUT_IN_SECONDS": 172800,
    "TIMESTAMP_TYPE_MAPPING": "TIMESTAMP_NTZ",
    "TIMEZONE": "America/Los_Angeles",
    **OUTPUT_FORMATS,
}
# What DuckDB and the macros of conversion depend on.
FOLLOWED = {"TIMEZONE", *OUTPUT_FORMATS}
# Parameters that are taken only at the value under which the stand-in works.
FIXED: dict[str, str] = {
    "AUTOCOMMIT_API_SUPPORTED": "TRUE",
    "BINARY_INPUT_FORMAT": "HEX",
    "BINARY_OUTPUT_FORMAT": "HEX",
    "DATE_INPUT_FORMAT": "AUTO",
    "JSON_INDENT": "2",
    "ERROR_ON_NONDETERMINISTIC_MERGE": "TRUE",
    "ERROR_ON_NONDETERMINISTIC_UPDATE": "FALSE",
    "MULTI_STATEMENT_COUNT": "1",
    "STRICT_JSON_OUTPUT": "FALSE",
    "TIMESTAMP_INPUT_FORMAT": "AUTO",
    "TIMESTAMP_TYPE_MAPPING": "TIMESTAMP_NTZ",
    "TIME_INPUT_FORMAT": "AUTO",
    "TRANSACTION_ABORT_ON_ERROR": "FALSE",
    "TRANSACTION_DEFAULT_ISOLATION_LEVEL": "READ COMMITTED",
    "UNSUPPORTED_DDL_ACTION": "IGNORE",
    "WEEK_OF_YEAR_POLICY": "0",
    "WEEK_START": "0",
}
# How results look in a client or how the service works inside; nothing here depends on them.
_HARMLESS = {"USE_CACHED_RESULT"}
_HARMLESS_PREFIXES = ("CLIENT_", "ENABLE_", "PYTHON_", "GEOGRAPHY_", "GEOMETRY_", "SNOWPARK_")
_LIMITS = {"QUERY_TAG": 2000}  # characters


def known(name: str) -> bool:
    """Whether there is such a parameter of a session."""
    return name in DEFAULTS.keys() | FIXED.keys() | _HARMLESS or name.startswith(_HARMLESS_PREFIXES)


def check(name: str, value: object) -> str:
    """The name of a parameter in upper case, when its value can be set.

    Raises:
        SnowflakeError: 1008 for an unknown one or a wrong value, 0A000 for one that cannot be honoured.
    """
    name = name.upper()
    if name in FIXED:
        if str(value).upper() != FIXED[name]:
            message = f"the parameter {name} at {value}"
            raise unsupported(message)
    elif not known(name):
        raise invalid(name, "PARAMETER")
    if len(str(value)) > _LIMITS.get(name, 1_000_000):
        raise invalid(str(value)[:40] + "...", name)
    return name


def typed(name: str, value: object) -> object:
    """A value, sent as text or JSON, in the type of the parameter.

    Raises:
        SnowflakeError: 1008 when it does not have that type.
    """
    default = DEFAULTS.get(name)
    if isinstance(default, bool):
        word = str(value).lower()
        if word not in {"true", "false"}:
            raise invalid(str(value), name)
        return word == "true"
    if isinstance(default, int):
        try:
            number = int(str(value))
        except ValueError:
            raise invalid(str(value), name) from None
        if number < 0:
            raise invalid(str(value), name)
        return number
    return value


def invalid(value: str, name: str) -> SnowflakeError:
    """A wrong value, or an unknown parameter."""
    return SnowflakeError(
        1008, "22023", f"SQL compilation error:\ninvalid value [{value}] for parameter '{name}'"
    )
