"""Versions of a stream: what BATCHES knows of those activated, and which one may be activated now.

The NOTE of an `activate_version` batch is `version N`, so that a later run knows how far the table is.
"""

from __future__ import annotations

import logging
import re
from decimal import Decimal
from typing import TYPE_CHECKING

from target_snowflake_audit.checking.plan import APPEND_ONLY
from target_snowflake_audit.deletions import VersionKeys
from target_snowflake_audit.errors import SchemaError, TargetError, VersionError
from target_snowflake_audit.sql.quoting import TableName, literal, words

if TYPE_CHECKING:
    from target_snowflake_audit.checking.plan import StreamPlan
    from target_snowflake_audit.session import Session

logger = logging.getLogger(__name__)

_MARK = "version "
_DIGITS = 38
_WHOLE = re.compile(rf"-?[0-9]{{1,{_DIGITS}}}")


class ActiveVersionError(TargetError):
    """The version is active already: rows that did not come again under it are still part of it."""


class StreamVersions:
    """Versions of a stream in this run, and the keys that came under the newest of them.

    A record without a version counts for the newest one that has begun or was announced when it came. No
    version that begins after it is activated, for its row would be taken for gone.
    """

    def __init__(self, stream: str) -> None:
        """No record has come yet."""
        self._stream = stream
        self._keys: VersionKeys | None = None
        self._unversioned = False

    @property
    def newest(self) -> int | None:
        """The newest version that has begun or was announced."""
        return None if self._keys is None else self._keys.version

    def of(self, version: object) -> int | None:
        """Version that a record counts for, from what it says itself.

        Raises:
            VersionError: that is no number.
        """
        return self.newest if version is None else as_number(self._stream, version)

    def keys_of(self, version: int) -> VersionKeys | None:
        """Where the keys of records of a version go; None when a newer version has begun."""
        if self._keys is not None and version < self._keys.version:
            return None
        return self.begin(version)

    def begin(self, version: int) -> VersionKeys:
        """Give the keys of a version, which is the newest from now on."""
        if self._keys is None or self._keys.version != version:
            self.forget()
            self._keys = VersionKeys(version)
            self._keys.complete = not self._unversioned
        return self._keys

    def saw(self, version: object, counted: int | None) -> None:
        """Take note of what a record said, and which version it counts for."""
        if version is None:
            self._unversioned = True
        elif self._keys is not None and self._keys.version == counted:
            self._keys.told = True

    def are_unknown(self, keys: VersionKeys) -> bool:
        """Whether it cannot be told which rows a version has: no record of the stream speaks of it."""
        return not keys.complete or (not keys.told and self._unversioned)

    def forget(self) -> None:
        """Forget the keys."""
        if self._keys is not None:
            self._keys.close()
            self._keys = None


def as_number(stream: str, version: object) -> int:
    """Give a version as the whole number that it is; some taps write it as text.

    Raises:
        VersionError: it is none: nobody could tell which of two versions is the newer one.
    """
    if isinstance(version, int) and not isinstance(version, bool):
        return version
    if isinstance(version, str) and _WHOLE.fullmatch(version):
        return int(version)
    if isinstance(version, Decimal) and version.is_finite() and version.adjusted() < _DIGITS:
        number = int(version)
        if number == version:
            return number
    message = (
        f"stream {stream}: version {str(version)[:_SHOWN]!r} is no whole number, so it cannot be told "
        "whether it is older or newer than another; nothing was deleted. Mend it in the tap"
    )
    raise VersionError(message)


_SHOWN = 50


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
        "Stream %s: version %s is not activated, since the keys that came under it are not all known "
        "(records had an unreadable key, or came without a version before it began); no STATE leaves "
        "from here on, so that the tap sends the stream again",
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
