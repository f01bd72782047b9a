"""Classes that list lines, such as `PORDERQ`: an object of a site's own on a table of lines. At first: none.

X3 stamps lines on their own, so a site can make a class that shows which of them changed. Its list shows the
key of the line, which begins with that of the document, all columns of the line, and its stamps. There is no
record of a line by itself [I]. A list is made anew after each change of a document: for small sites.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from local_x3.data.filler import NO_DATE_TABLES
from local_x3.model import STAMP, STAMP_DATE, Document, Key, Row, pick
from local_x3.store import Selector, Store, walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from local_x3.declarations import Level, Source


@dataclass(frozen=True, slots=True)
class Lines:
    """All lines of one table as a table of documents, which have no collections."""

    key_columns: tuple[str, ...]
    rows: list[Row]

    def table(self, _source: Source) -> Lines:
        """Return itself: there is one table."""
        return self

    @property
    def count(self) -> int:
        """How many lines there are."""
        return len(self.rows)

    def key(self, index: int) -> Key:
        """Return the key of a line."""
        return pick(self.rows[index], self.key_columns)

    def stamp(self, index: int) -> str:
        """Return the change stamp of a line."""
        return str(self.rows[index].get(STAMP, ""))

    def day(self, index: int) -> str:
        """Return the day of a line's change."""
        return str(self.rows[index].get(STAMP_DATE, ""))

    def document(self, index: int) -> Document:
        """Make a document of a line."""
        return Document(dict(self.rows[index]))

    def header(self, index: int) -> Row:
        """Return the columns of a line."""
        return dict(self.rows[index])


@dataclass(slots=True)
class Listed:
    """A class as it was made for one state of the documents."""

    version: int
    store: Store
    selector: Selector


class LineLists:
    """The classes of lines of one site."""

    def __init__(self, stores: Iterable[Store]) -> None:
        """Take the documents; the first source that has a table gives its lines."""
        self._places: dict[str, tuple[Store, tuple[Level, ...]]] = {}
        for store in stores:
            for levels in _below((store.source.level,)):
                self._places.setdefault(levels[-1].table, (store, levels))
        self._made: dict[str, Listed] = {}

    @property
    def tables(self) -> frozenset[str]:
        """The tables of lines."""
        return frozenset(self._places)

    def stamps(self, table: str) -> tuple[str, ...]:
        """Return the change stamps of a table of lines."""
        return (STAMP,) if table in NO_DATE_TABLES else (STAMP, STAMP_DATE)

    def find(self, name: str, classes: Mapping[str, str]) -> Listed | None:
        """Return a class of lines by name; None when the site has none of that name."""
        if name not in classes:
            return None
        parent, levels = self._places[classes[name]]
        made = self._made.get(name)
        table = levels[-1].table
        if made is None or made.version != parent.version or made.store.source.level.table != table:
            store = _store(name, parent, levels)
            made = self._made[name] = Listed(parent.version, store, Selector([store]))
        return made


def _below(levels: tuple[Level, ...]) -> Iterator[tuple[Level, ...]]:
    """Yield the levels from the outermost one down to each table of lines."""
    for child in levels[-1].children.values():
        yield (*levels, child)
        yield from _below((*levels, child))


def _store(name: str, parent: Store, levels: tuple[Level, ...]) -> Store:
    key = tuple(dict.fromkeys(column for level in levels for column in level.key))
    above = {column: level.columns[column] for level in levels[:-1] for column in level.key}
    flat = replace(levels[-1], columns={**above, **levels[-1].columns}, key=key, children={}, makers=None)
    source = replace(
        parent.source, entity=name, kind="", rest_class=name, representation=name,
        details=False, key=key, join=None, join_table="", level=flat, streams=(),
    )  # fmt: skip
    rows = [
        {column: value for item in chain for column, value in item.row.items() if column in flat.columns}
        | chain[-1].row
        for _, document in parent.documents()
        for here, chain in walk(document, levels[0])
        if here is levels[-1]
    ]
    return Store(source, Lines(key, rows))
