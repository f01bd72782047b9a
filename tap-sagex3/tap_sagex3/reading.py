"""What the readers of both APIs have in common."""

from __future__ import annotations

import heapq
import logging
import typing as t
from dataclasses import dataclass

from tap_sagex3.errors import IncompleteAnswerError
from tap_sagex3.values import MisfitError, stamp_converter

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from tap_sagex3.documents import Document

logger = logging.getLogger("tap-sagex3")

KEY_SEPARATOR = "\x1f"


@dataclass(frozen=True, slots=True)
class ChangeKey:
    """How a source tells when a document changed.

    `field` is the member by which documents are filtered and sorted, None when they are read in full.
    `whole_days` says that it only holds the day. `fields` are all members that may hold a stamp, best first.
    """

    field: str | None
    whole_days: bool
    fields: tuple[str, ...]


class SourceReader(t.Protocol):
    """Reads the documents of one source through one API."""

    def prepare(self) -> ChangeKey:
        """Find out how changes are told; the first request of a source.

        Raises:
            NotReadableError: this site does not give the source; says what to configure.
        """

    def documents(self, since: datetime | None, page_size: int) -> Iterator[Document]:
        """Documents changed at or after `since`, by change time and key; all by key without change key."""


class StampReader:
    """Reads the change stamp by which documents are found."""

    def __init__(self, place: str) -> None:
        """`place` names the list in a warning."""
        self._place = place
        self._convert = stamp_converter()
        self._warned = False

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
        self._before: frozenset[tuple[t.Any, ...]] = frozenset()

    def check(self, rows: Iterable[tuple[t.Any, ...]]) -> None:
        """Look at the keys and stamps of the next page.

        A document that changed while the list was read may come again, with another stamp.

        Raises:
            IncompleteAnswerError: the page before had one of its rows.
        """
        page = frozenset(rows)
        again = self._before & page
        if again:
            key = "~".join(str(part) for part in min(again, key=str))
            msg = f"{self._place} gave {key} on two pages: another page may be missing. Run again."
            raise IncompleteAnswerError(msg)
        self._before = page


def key_text(kind: str | None, parts: Iterable[t.Any]) -> str:
    """A document's key as one text, the same through both APIs."""
    return KEY_SEPARATOR.join((kind or "", *map(str, parts)))


def merge(streams: Sequence[Iterator[Document]], *, sort: bool) -> Iterator[Document]:
    """Documents of several sources as one sequence, by change time when all of them are sorted by it."""
    if len(streams) == 1:
        yield from streams[0]
    elif sort:
        yield from heapq.merge(*streams, key=lambda document: (document.stamp or "")[:-1])
    else:
        for stream in streams:
            yield from stream
