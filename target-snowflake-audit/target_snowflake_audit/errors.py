"""Errors that a person can act on: one line, naming the setting, stream or file, and what was expected."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from target_snowflake_audit.retry_classes import ErrorClass

CONNECT = "connect"
"""Step of a login, whose message tells where it failed."""


class TargetError(Exception):
    """The run cannot go on; the message says why and what to do."""

    @property
    def kept(self) -> str:
        """The message as RUNS keeps it: without keys, since what may have to be erased is not in RUNS."""
        return str(self)


class SettingError(TargetError):
    """A setting is missing or wrong."""

    def __init__(self, setting: str, problem: str) -> None:
        """Name the setting and the problem."""
        super().__init__(f"setting `{setting}`: {problem}")
        self.setting = setting


class ConfigFileError(TargetError):
    """A configuration file cannot be used."""

    def __init__(self, file: str, problem: str) -> None:
        """Name the file and the problem."""
        super().__init__(f"--config {file}: {problem}")


class SchemaError(TargetError):
    """A stream's SCHEMA, its names or its types cannot be loaded into the table as it is."""


class StatementError(TargetError):
    """A login or a statement failed; carries what a retry decision and an audit row need."""

    def __init__(self, step: str, message: str, error_class: ErrorClass, **codes: int | str | None) -> None:
        """Keep the codes: `errno`, `sqlstate` and `query_id`, each may be None."""
        self.step = step
        self.error_class = error_class
        number = codes.get("errno")
        self.errno = number if isinstance(number, int) else None
        self.sqlstate = str(codes.get("sqlstate") or "") or None
        self.query_id = str(codes.get("query_id") or "") or None
        self.reason = message
        where = "" if step == CONNECT else f"Snowflake refused step `{step}` ({error_class.name}): "
        super().__init__(f"{where}{message}")


class DeadLetterLimitError(TargetError):
    """Too many dead letters, or one where none are tolerated."""

    def __init__(self, message: str, key: str = "") -> None:
        """Keep the key in the message apart."""
        super().__init__(message)
        self._key = key

    @property
    def kept(self) -> str:
        """Without the key."""
        return str(self).replace(self._key, "...") if self._key else str(self)


class BatchFileError(TargetError):
    """A file of a BATCH message cannot be loaded."""

    def __init__(self, stream: str, where: str, problem: str) -> None:
        """Name the stream, the file ('' = the message itself) and the problem."""
        file = f", file {where}" if where else ""
        super().__init__(
            f"stream {stream}, BATCH message{file}: {problem}; no STATE after it leaves, and the next run "
            "starts from the last one"
        )


class CutInputError(TargetError):
    """The input ended where a stream may not have ended."""


class VersionError(TargetError):
    """A version is older than one that was activated or received before."""


class DeletionLimitError(TargetError):
    """A deletion would take more of the table than `max_deleted_percent` allows."""


class IntegrityError(TargetError):
    """A check before COMMIT failed: the batch was rolled back."""


class InterruptedRunError(TargetError):
    """SIGTERM or SIGINT ended the run before its input ended."""

    at_once = False
    """It was the second one: nothing is waited for."""


class CompletenessError(TargetError):
    """Fewer records arrived than the tap says it has sent."""


class OutputError(TargetError):
    """Standard output cannot be written: no STATE can leave any more."""

    def __init__(self, error: OSError) -> None:
        """Say why."""
        super().__init__(
            f"STATE cannot be written to standard output: {error.strerror or type(error).__name__}; what is "
            "committed stays, and the next run starts from the last STATE that was read"
        )


class UnexpectedError(TargetError):
    """An error that is not our own, in words."""


class ResourceError(UnexpectedError):
    """The machine has no room, no memory, or refuses a file: what was gathered cannot be loaded either."""


class StreamsFailedError(TargetError):
    """Several streams failed; the others were loaded."""

    def __init__(self, errors: list[TargetError]) -> None:
        """Keep the failures, in the order in which they came."""
        self.errors = errors
        super().__init__(f"{len(errors)} streams failed: " + "; ".join(map(str, errors)))

    @property
    def kept(self) -> str:
        """Without keys."""
        return f"{len(self.errors)} streams failed: " + "; ".join(error.kept for error in self.errors)
