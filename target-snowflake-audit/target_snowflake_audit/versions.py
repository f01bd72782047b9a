"""Versions of a stream: what BATCHES knows of those activated, and which one may be activated now.

The NOTE of an `activate_version` batch is `version N`, so that a later run knows how far the table is.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from target_snowflake_audit.checking.plan import APPEND_ONLY
from target_snowflake_audit.errors import SchemaError, TargetError, VersionError
from target_snowflake_audit.sql.quoting import TableName, literal, words

if TYPE_CHECKING:
    from target_snowflake_audit.checking.plan import StreamPlan
    from target_snowflake_audit.session import Session

logger = logging.getLogger(__name__)

_MARK = "version "


class ActiveVersionError(TargetError):
    """The version is active already: rows that did not come again under it are still part of it."""


def may_activate(plan: StreamPlan, version: int, newest: int | None) -> bool:
    """Whether rows may be deleted at all; `newest` is the newest version that the run has had records of.

    Raises:
        VersionError: records of a newer version have come.
        SchemaError: rows cannot be told apart.
    """
    if plan.append and plan.method == APPEND_ONLY:
        logger.warning("Stream %s: version %s deletes nothing, for it is append-only", plan.stream, version)
        return False
    if plan.append:
        message = (
            f"stream {plan.stream}: ACTIVATE_VERSION cannot tell which rows are gone: the stream has no key; "
            "with `load_method` append-only all rows stay"
        )
        raise SchemaError(message)
    if newest is not None and version < newest:
        raise VersionError(refusal(plan.stream, version, newest, "its records have in this run"))
    return True


def tell_unknown_keys(stream: str, version: int) -> None:
    """Warn of a version that cannot be activated: rows whose keys were not read would be deleted."""
    logger.warning(
        "Stream %s: version %s is not activated, since the keys that came under it are not all known; no "
        "STATE leaves from here on, so that the tap sends the stream again",
        stream,
        version,
    )


def note(version: int) -> str:
    """Text of NOTE that tells which version a batch activated."""
    return f"{_MARK}{version}"


def newest(batches: TableName, table: str, stream: str) -> str:
    """SELECT of the newest version of a stream that was activated on a table; null when there is none."""
    number = f"TRY_TO_DECIMAL(REPLACE(\"NOTE\", {literal(_MARK)}, ''), 38, 0)"
    chosen = f'"TARGET_TABLE" = {literal(table)} AND "STREAM" = {literal(stream)}'
    return words(
        f"SELECT MAX({number}) FROM", batches.sql, "WHERE", chosen, "AND \"OPERATION\" = 'activate_version'"
    )


def check(session: Session, batches: TableName, table: str, stream: str, version: int) -> None:
    """Compare a version with the newest one activated; asked under the fence.

    Raises:
        VersionError: it is older.
        ActiveVersionError: it is the same.
    """
    found = session.execute(newest(batches, table, stream), "look up version").rows[0][0]
    if found is not None and int(found) == version:
        message = f"version {version} of stream {stream} is active already"
        raise ActiveVersionError(message)
    if found is not None and int(found) > version:
        raise VersionError(refusal(stream, version, int(found), f"{table} has had activated"))


def refusal(stream: str, version: int, newer: int, who: str) -> str:
    """Words of a refusal."""
    return (
        f"stream {stream}: ACTIVATE_VERSION {version} is older than version {newer}, which {who}; nothing "
        "was deleted. The tap went back to an old state: let it read the stream anew under a new version"
    )
