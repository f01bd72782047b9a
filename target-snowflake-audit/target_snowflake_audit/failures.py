"""Which failures end the run at once, and which only their stream: the other streams are still loaded."""

from __future__ import annotations

import logging

from target_snowflake_audit.errors import (
    CutInputError,
    DeadLetterLimitError,
    DeletionLimitError,
    IntegrityError,
    SchemaError,
    StreamsFailedError,
    TargetError,
    VersionError,
)
from target_snowflake_audit.retry_classes import (
    AUTHORISATION,
    CANCELLED,
    COMPILATION,
    CONTENTION,
    DATA,
    DUPLICATES,
    UNKNOWN,
)
from target_snowflake_audit.session import StatementError

logger = logging.getLogger(__name__)

_OF_A_STREAM = (
    CutInputError,
    DeadLetterLimitError,
    DeletionLimitError,
    IntegrityError,
    SchemaError,
    VersionError,
)
_OF_A_TABLE = (AUTHORISATION, CANCELLED, COMPILATION, CONTENTION, DATA, DUPLICATES, UNKNOWN)
"""Classes of errors that say something about one table; the others would meet every stream."""


def ends_the_run(error: BaseException) -> bool:
    """Whether no other stream can be loaded either, or nobody wants it."""
    if isinstance(error, StatementError):
        return error.step == "connect" or error.error_class not in _OF_A_TABLE
    return not isinstance(error, _OF_A_STREAM)


class FailedStreams:
    """Streams that failed in this run, in the order in which they did."""

    def __init__(self) -> None:
        """None yet."""
        self._errors: dict[str, TargetError] = {}

    def __contains__(self, stream: str) -> bool:
        """Whether a stream failed."""
        return stream in self._errors

    def add(self, stream: str, error: TargetError) -> None:
        """Note a failure; only the first one of a stream counts."""
        if stream not in self._errors:
            logger.error("%s; the other streams are loaded, the run will fail", error)
            self._errors[stream] = error

    def raise_if_any(self) -> None:
        """Raise the failure at the end of the input.

        Raises:
            TargetError: the failure itself when there is one, else all of them in one message.
        """
        if len(self._errors) == 1:
            raise next(iter(self._errors.values()))
        if self._errors:
            raise StreamsFailedError(list(self._errors.values()))
