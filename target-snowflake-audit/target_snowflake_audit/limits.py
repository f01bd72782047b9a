"""Breakers: when a stream has too many dead letters, and none at all where none are tolerated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk.exceptions import MissingKeyPropertiesError

from target_snowflake_audit.checking.problems import MISSING, NULL_KEY
from target_snowflake_audit.errors import DeadLetterLimitError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from target_snowflake_audit.counts import Counts

_FEWEST_RECORDS = 100


class MissingKeyError(DeadLetterLimitError, MissingKeyPropertiesError):
    """A record without its key where nothing is tolerated: the SDK's error for it, and ours."""


def check(
    settings: Mapping[str, Any], before: Counts, batch: Counts, reasons: Collection[str], *, stream: str
) -> None:
    """Judge a stream's dead letters, the batch that is about to be committed included.

    Records that are only too late are no bad data, so the share leaves them out. `reasons` are the reason
    codes of the batch's letters.

    Raises:
        DeadLetterLimitError: with the numbers and the setting that allows more.
    """
    dead, received = before.dead + batch.dead, before.received + batch.received
    if not batch.dead:
        return
    if settings.get("error_tolerance", "data") == "none":
        message = f"stream {stream}: {_letters(dead)}, and `error_tolerance` is none"
        found = DeadLetterLimitError if not {MISSING, NULL_KEY} & set(reasons) else MissingKeyError
        raise found(message)
    most = int(settings.get("max_dead_letters", 10_000))
    percent = float(settings.get("max_dead_letter_percent", 5))
    if dead > most:
        message = f"stream {stream}: {_letters(dead)}, more than `max_dead_letters` ({most})"
        raise DeadLetterLimitError(message)
    bad = dead - before.stale - batch.stale
    if batch.dead > batch.stale and received >= _FEWEST_RECORDS and bad * 100 > percent * received:
        message = (
            f"stream {stream}: {_letters(bad)} of {received} records, more than "
            f"`max_dead_letter_percent` ({percent:g} %)"
        )
        raise DeadLetterLimitError(message)


def _letters(count: int) -> str:
    return f"{count} dead letter{'' if count == 1 else 's'}"
