"""What the readers of both APIs have in common."""

from __future__ import annotations

import heapq
import logging
import typing as t
from dataclasses import dataclass, field
from itertools import chain

from tap_sagex3.errors import INCOMPLETE, IncompleteAnswerError
from tap_sagex3.values import MisfitError, stamp_converter

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from tap_sagex3.documents import Document, Found
    from tap_sagex3.ranges import KeyRange

logger = logging.getLogger("tap-sagex3")


@dataclass(frozen=True, slots=True)
class ChangeKey:
    """How a source tells when a document changed.

    `field` is the member by which documents are filtered and sorted, None when they are read in full.
    `whole_days` says that it only holds the day. `fields` are all members that may hold a stamp, best first.
    """

    field: str | None
    whole_days: bool
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Span:
    """Change times to read: from `since` (included) to `until` (excluded); None leaves an end open."""

    since: datetime | None = None
    until: datetime | None = None


@dataclass(slots=True)
class ReadStats:
    """What a reader has read so far: pages, and how many documents there are where the API tells.

    `lists` is how many lists make up the source, none when nothing of it is left to be read. `counts` has the
    number of documents of each one that was begun.
    """

    pages: int = 0
    lists: int = 1
    counts: list[int] = field(default_factory=list)

    @property
    def total(self) -> int | None:
        """Number of documents; None as long as that of one of the lists is not known."""
        return sum(self.counts) if len(self.counts) >= self.lists else None


class SourceReader(t.Protocol):
    """Reads the documents of one source through one API."""

    stats: ReadStats

    def prepare(self) -> ChangeKey:
        """Find out how changes are told; the first request of a source.

        Raises:
            NotReadableError: this site does not give the source; says what to configure.
        """

    def documents(self, span: Span, page_size: int) -> Iterator[Document]:
        """Documents whose own stamp lies in the span, by change time and key. Needs a change key."""

    def by_key(self, after: Sequence[t.Any] | None, page_size: int) -> Iterator[Found]:
        """All documents in the order of their key, those behind the key `after` when one is given.

        Those that came together and need nothing else are left together.
        """

    def first_key(self) -> tuple[t.Any, ...] | None:
        """Key of the first document; None when there is none."""

    def has(self, key: tuple[t.Any, ...]) -> bool:
        """Whether there is a document with this key."""

    def in_ranges(self, ranges: list[KeyRange], page_size: int) -> Iterator[tuple[KeyRange, Found | None]]:
        """Documents of all ranges that are not done, each with its range; None is the end of a range.

        A range that turns out to be long may be divided: those that it is divided into are added to `ranges`.
        Within a range documents come in the order of their key.
        """

    def changed_below(self, span: Span, page_size: int) -> Iterator[Document] | None:
        """Documents of which a line, or the joined record, changed within the span, whatever their own stamp.

        Asks for the first of them at once. None when this site does not tell.
        """


class StampReader:
    """Reads the change stamp by which documents are found."""

    def __init__(self, place: str) -> None:
        """`place` names the list in a warning."""
        self._place = place
        self._convert = stamp_converter()
        self._warned = False

    def read_all(self, values: Sequence[t.Any]) -> list[str | None]:
        """Some stamps; each as `read` would give it."""
        try:
            return list(map(self._convert, values))
        except (MisfitError, TypeError):
            return [self.read(value) for value in values]

    def read(self, value: t.Any) -> str | None:  # noqa: ANN401 - whatever the site sends
        """The stamp in canonical form; None, with a warning the first time, when it is not one."""
        try:
            return t.cast("str | None", self._convert(value))
        except (MisfitError, TypeError):
            if not self._warned:
                self._warned = True
                logger.warning(
                    "%s: change stamp %.40r is not a time; its document is sent again.", self._place, value
                )
            return None


class PageGuard:
    """Notices that a page of a list came twice: the page that should have come instead is missing."""

    def __init__(self, place: str) -> None:
        """`place` names the list in an error."""
        self._place = place
        self._before: tuple[Sequence[t.Any], Sequence[t.Any]] = ((), ())
        self._keys: frozenset[t.Any] = frozenset()

    def check(self, keys: Sequence[t.Any], stamps: Sequence[t.Any] | None = None) -> None:
        """Look at the next page: the keys of its rows, and their change stamps if they have some.

        A document that changed while the list was read may come again, with another stamp.

        Raises:
            IncompleteAnswerError: the page before had one of its rows.
        """
        rows = (keys, stamps or keys)
        try:
            frozenset(stamps or ())  # each of them a single value
            again = () if self._keys.isdisjoint(keys) else _pairs(self._before) & _pairs(rows)
            self._keys = frozenset(keys)
        except TypeError as error:
            msg = f"{self._place} gave a key or change stamp that is not a single value: {INCOMPLETE}"
            raise IncompleteAnswerError(msg) from error
        if again:
            key, _ = min(again, key=str)
            shown = "~".join(map(str, key if isinstance(key, tuple) else (key,)))
            msg = f"{self._place} gave {shown:.120} on two pages: another page may be missing. Run again."
            raise IncompleteAnswerError(msg)
        self._before = rows


def _pairs(rows: tuple[Sequence[t.Any], Sequence[t.Any]]) -> set[tuple[t.Any, t.Any]]:
    """Key and change stamp of each row."""
    return set(zip(*rows, strict=True))


class ItemGuard:
    """Notices that an item of a collection came twice: the one that should have come instead is missing."""

    def __init__(self, place: str) -> None:
        """`place` names the collection in an error."""
        self._place = place
        self._seen: set[t.Any] = set()

    def check(self, identifiers: Iterable[t.Any]) -> None:
        """Look at the identifiers of a further page.

        Raises:
            IncompleteAnswerError: one of them was there before.
        """
        for identifier in identifiers:
            if identifier in self._seen:
                msg = f"{self._place} gave {identifier} twice: another row may be missing. Run again."
                raise IncompleteAnswerError(msg)
            self._seen.add(identifier)


_Item = t.TypeVar("_Item")


def primed(documents: Iterator[_Item]) -> Iterator[_Item]:
    """The same documents, the first of which is read now: an error comes before anything else happens."""
    first = next(documents, None)
    return iter(()) if first is None else chain((first,), documents)


def in_one_piece(
    found: Iterator[Found], ranges: Sequence[KeyRange]
) -> Iterator[tuple[KeyRange, Found | None]]:
    """What is found of a source that is not divided, as `SourceReader.in_ranges` gives it."""
    for item in found:
        yield ranges[0], item
    yield ranges[0], None


def merge(streams: Sequence[Iterator[Document]], *, sort: bool) -> Iterator[Document]:
    """Documents of several sources as one sequence, by change time when all of them are sorted by it."""
    if len(streams) == 1:
        yield from streams[0]
    elif sort:
        yield from heapq.merge(*streams, key=lambda document: (document.stamp or "")[:-1])
    else:
        for stream in streams:
            yield from stream
