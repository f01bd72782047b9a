"""Which rows the source no longer has: keys received under a version, documents and their end."""

from __future__ import annotations

import tempfile
from bisect import bisect_right
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from isal import isal_zlib

from target_snowflake_audit.checking.letters import KEY
from target_snowflake_audit.errors import DeletionLimitError
from target_snowflake_audit.staging.fields import NULL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from target_snowflake_audit.checking.plan import StreamPlan
    from target_snowflake_audit.checking.rows import Row

    NameOf = Callable[[Sequence[Any]], tuple[str, ...] | None]

_NESTED = frozenset({dict, list})


class VersionKeys:
    """Every key received under one version of a stream, kept in an unnamed file.

    Rows that are unchanged keep their old batch id, so only the received keys themselves can tell what the
    version holds.
    """

    def __init__(self, version: int) -> None:
        """Start with no key."""
        self.version = version
        self.complete = True
        self.told = False
        """Some record has said that it is of this version."""
        self.count = 0
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as this object

    def add(self, keys: list[tuple[str, list[str]]], *, complete: bool) -> None:
        """Add digests and fields of keys; not `complete` = the key of some record could not be read."""
        self.complete = self.complete and complete
        self.count += len(keys)
        if keys:
            body = isal_zlib.compress(msgspec.json.encode(keys))
            self._file.seek(0, 2)
            self._file.write(len(body).to_bytes(4, "big") + body)

    def lines(self, plan: StreamPlan) -> Iterator[list[str]]:
        """Give staged lines of the keys, in chunks, for the plan as it is now."""
        self._file.seek(0)
        while size := self._file.read(4):
            keys = msgspec.json.decode(isal_zlib.decompress(self._file.read(int.from_bytes(size, "big"))))
            yield [_key_line(plan, digest, fields) for digest, fields in keys]

    def close(self) -> None:
        """Forget the keys, whatever of them a full disk does not take."""
        with suppress(OSError):
            self._file.close()


def _key_line(plan: StreamPlan, digest: str, key: list[str]) -> str:
    fields = [NULL] * len(plan.columns)
    for position, field in zip(plan.key, key, strict=True):
        fields[position] = field
    return f"0,{KEY},{digest},,,,,{','.join(fields)}\n"


@dataclass(frozen=True)
class _Named:
    """What a record says of its document."""

    version: int | None
    values: list[Any]
    document: tuple[Any, ...]


def _same(values: list[Any], others: list[Any]) -> bool:
    """Whether values are plain, of one type (`true` equals 1 in Python) and equal; others may nest deeply."""
    kinds = list(map(type, values))
    return kinds == list(map(type, others)) and _NESTED.isdisjoint(kinds) and values == others


class Documents:
    """Knows whether a record starts a document, and whether that document is in the batch already.

    A batch never ends inside a document. A document that comes again needs a batch of its own: its second
    set of lines must replace the first.
    """

    def __init__(self, scope: tuple[str, ...], name_of: NameOf) -> None:
        """`scope` are the properties that name a document.

        `name_of` gives the fields that are staged of their values, None where these name no document. SQL
        tells documents apart by them: `1` and `1.0` may be one.
        """
        self._scope = scope
        self._name_of = name_of
        self._latest: _Named | None = None
        self._current: tuple[Any, ...] | None = None
        self._seen: set[tuple[Any, ...]] = set()
        self.inside = False
        """Whether the last record went on with the document of the record before it."""

    @property
    def scope(self) -> tuple[str, ...]:
        """The properties that name a document."""
        return self._scope

    def starts(self, record: dict[str, Any] | Row, version: int | None = None) -> tuple[bool, bool]:
        """Tell whether the record starts another document, and whether that one was in the batch before.

        One whose document cannot be told goes on with the one before it: what comes after it may do so too.
        """
        named = self._named(record, version)
        again = named.document in self._seen
        self._take(named)
        return not self.inside, again and not self.inside

    def take(
        self, rows: Sequence[Row], version: int | None, may_end: Callable[[int], bool]
    ) -> tuple[int, list[int]]:
        """Take the records that the batch takes before it must end; what `starts` tells is left to the rest.

        Args:
            rows: records that came one after another, in the batch that has the record before them.
            version: of all of them.
            may_end: whether the batch ends before the record at a place if that starts a document.

        Returns:
            Their number, and the places of those that start a document.
        """
        begins: list[int] = []
        for at, row in enumerate(rows):
            named = self._named(row, version)
            if named.document != self._current:
                if named.document in self._seen or may_end(at):
                    return at, begins
                begins.append(at)
            self._take(named)
        return len(rows), begins

    def named_by(self, name_of: NameOf) -> None:
        """Another SCHEMA may have other types: the document at hand gets the name that it has there."""
        self._name_of = name_of
        latest, self._latest = self._latest, None
        name = name_of(latest.values) if latest is not None else None
        if latest is not None and name is not None:
            self._current = (latest.version, *name)

    def _named(self, record: dict[str, Any] | Row, version: int | None) -> _Named:
        """Values of a record's scope and its document: the current one where it cannot be told."""
        values = [record.get(name) for name in self._scope]
        latest = self._latest
        if latest is not None and version == latest.version and _same(values, latest.values):
            return latest
        name = self._name_of(values)
        if name is not None:
            return _Named(version, values, (version, *name))
        return _Named(version, values, (version,) if self._current is None else self._current)

    def _take(self, named: _Named) -> None:
        self.inside = named.document == self._current
        self._latest, self._current = named, named.document
        self._seen.add(named.document)

    def next_batch(self) -> None:
        """A new batch starts with the current document."""
        self._seen = set() if self._current is None else {self._current}


@dataclass(frozen=True)
class TornDocument:
    """Records of a document that are loaded although more of it may come, under another SCHEMA.

    They are carried into the next batch, so that it knows which rows came. `raw` are their texts as received,
    `seqs` their numbers.
    """

    raw: Sequence[bytes]
    seqs: Sequence[int]
    version: int | None


def known_line(line: str) -> str:
    """A staged line of a record that is loaded already: what is left of it is that its key was received."""
    number, _, rest = line.split(",", 2)
    return f"{number},{KEY},{rest}"


MOST_DOUBTFUL = 500
"""Ranges of arrival numbers that a statement can hold with ease; with more, nothing is taken for gone."""


def doubtful(starts: Sequence[int], lost: Sequence[int], *, cut: bool) -> list[tuple[int, int | None]]:
    """Give ranges of arrival numbers of documents that may not be whole: none of their rows is gone.

    Documents come contiguously, so a record whose document cannot be told belongs to the one that it came in,
    to the one after that, or is one of its own.

    Args:
        starts: numbers of the records that begin a document, ascending.
        lost: numbers of records whose document cannot be told.
        cut: the last document may have been cut.

    Returns:
        First and last number, the last None where the range has no end.
    """
    found: list[tuple[int, int | None]] = []
    for number in lost:
        at = bisect_right(starts, number) - 1
        first = starts[max(at, 0)] if starts else 0
        found.append((first, starts[at + 2] - 1 if at + 2 < len(starts) else None))
    if cut:
        found.append((starts[-1] if starts else 0, None))
    return found


def check_share(removed: int, live: int, percent: float, *, stream: str, what: str) -> None:
    """Refuse a deletion that takes too much of a table.

    Raises:
        DeletionLimitError: more than `percent` of the live rows would go.
    """
    if removed and removed * 100 > live * percent:
        message = (
            f"stream {stream}: {what} would delete {removed} of {live} live rows, more than "
            f"`max_deleted_percent` ({percent:g} %); nothing was deleted. If the source really lost them, "
            "raise the setting for one run"
        )
        raise DeletionLimitError(message)
