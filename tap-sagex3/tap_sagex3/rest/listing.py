"""Documents that a list shows as a whole: rows with the key and the change time of each."""

from __future__ import annotations

import typing as t

from msgspec import UNSET

from tap_sagex3.documents import DocumentPage
from tap_sagex3.errors import NotReadableError
from tap_sagex3.levels import NO_LIMIT
from tap_sagex3.reading import PageGuard
from tap_sagex3.wire_rows import Shape

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_sagex3.declarations import Field, RestSource
    from tap_sagex3.reading import StampReader
    from tap_sagex3.rest.walk import ListWalk
    from tap_sagex3.web.body import Received
    from tap_sagex3.wire_rows import Values

_KINDS = {"enum": "integer", "boolean": "integer"}
"""Types of fields that come as whole numbers: menus."""


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
        if not keys:
            return None
        return DocumentPage(self._index, self._kind, page.rows, keys, stamps, page.received, self._field)

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
            refuse_key(source, name)
    return list(zip(*columns, strict=True))


def refuse_key(source: RestSource, name: str) -> t.NoReturn:
    """Say that the list has no column of a name, which is part of the key."""
    msg = (
        f"REST {source.of('$query')} has no column {name}, which is part of the key: correct key in "
        f"{source.setting}, or add the column to the representation."
    )
    raise NotReadableError(msg)


def shape_of(placed: Sequence[tuple[Field, str]]) -> Shape:
    """What values of columns are like, by all fields that are taken from each: texts and menus, mostly."""
    kinds: dict[str, set[str]] = {}
    limits: dict[str, int] = {}
    for field, column in placed:
        kinds.setdefault(column, set()).add(_KINDS.get(field.type, field.type))
        limits[column] = max(limits.get(column, 0), field.length or NO_LIMIT)
    return Shape(
        texts={column: limits[column] for column, found in kinds.items() if found == {"text"}},
        integers={column for column, found in kinds.items() if found == {"integer"}},
    )
