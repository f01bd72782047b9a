"""Documents that a list shows as a whole: rows with the key and the change time of each."""

from __future__ import annotations

import typing as t

from msgspec import UNSET

from tap_sagex3.documents import DocumentPage
from tap_sagex3.errors import NotReadableError
from tap_sagex3.reading import PageGuard

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_sagex3.declarations import RestSource
    from tap_sagex3.reading import StampReader
    from tap_sagex3.rest.walk import ListWalk
    from tap_sagex3.web.body import Received
    from tap_sagex3.wire_rows import Values


class DocumentWalk:
    """A list of documents, page by page; `fetch` may run in any thread."""

    def __init__(
        self,
        walk: ListWalk,
        source: RestSource,
        place: tuple[int, str | None],
        stamps: tuple[str | None, StampReader],
    ) -> None:
        """Read what a walk gives.

        Args:
            walk: the list.
            source: its names.
            place: number of the source in its entity, and kind of its documents.
            stamps: column with the change stamp, if there is one, and what reads it.
        """
        self._walk = walk
        self._rest = source
        self._index, self._kind = place
        self._field, self._stamp = stamps
        self._guard = PageGuard(self._rest.class_name)

    @property
    def ended(self) -> bool:
        """Whether there is no further page."""
        return not self._walk.url

    def fetch(self) -> Received:
        """The answer with the next page, not decoded yet."""
        return self._walk.fetch()

    def take(self, received: Received) -> DocumentPage | None:
        """The next page, from the answer that `fetch` gave; None when it has no rows.

        Raises:
            NotReadableError: the list does not show the key.
            IncompleteAnswerError: the page came a second time, or is none.
        """
        page = self._walk.take(received)
        *parts, stamped = page.rows.columns((*self._rest.key, self._field or ""))
        keys = keys_of(self._rest, parts)
        values = [None if value is UNSET else value for value in stamped]
        self._guard.check(keys, values)
        stamps = self._stamp.read_all(values) if self._field else [None] * len(keys)
        return DocumentPage(self._index, self._kind, page.rows, keys, stamps, page.received) if keys else None

    def pages(self) -> Iterator[DocumentPage]:
        """All pages that have rows, one after the other."""
        while not self.ended:
            page = self.take(self.fetch())
            if page is not None:
                yield page


def keys_of(source: RestSource, columns: Sequence[Values]) -> list[tuple[t.Any, ...]]:
    """The keys of some rows of the list, from their columns.

    Raises:
        NotReadableError: one of the columns is not there.
    """
    for name, column in zip(source.key, columns, strict=True):
        if None in column or UNSET in column:
            msg = (
                f"REST {source.representation}.$query has no column {name!r}, which is part of the key: "
                "add it to the representation, or set key in stream_options."
            )
            raise NotReadableError(msg)
    return list(zip(*columns, strict=True))
