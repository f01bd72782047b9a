"""Documents of an entity that no rule of the dataset knows: keys and lines counted up, the rest plausible."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from local_x3.data.world import World, stamped
from local_x3.model import Document, Key, Row, Value

if TYPE_CHECKING:
    from local_x3.declarations import Column, Level, Source


@dataclass(frozen=True)
class Generic:
    """Makes numbered documents of any declared source."""

    world: World
    source: Source
    count: int

    def key(self, index: int) -> Key:
        """Return a key that is unique in its last part."""
        columns = [self.source.level.columns[name] for name in self.source.key]
        return tuple(_key_part(column, index, last=column is columns[-1]) for column in columns)

    def stamps(self, index: int) -> tuple[str, str]:
        """Return when a document was made and last changed."""
        return self.world.times(self.source.name, index, self.count)

    def document(self, index: int) -> Document:
        """Return a document with up to four lines on each level."""
        return Document(self.header(index), self._lines(self.source.level, index))

    def header(self, index: int) -> Row:
        """Return a document's own row."""
        row: Row = dict(zip(self.source.key, self.key(index), strict=True))
        return stamped({**row, **self.source.preset}, self.stamps(index))

    def _lines(self, level: Level, index: int) -> dict[str, list[Document]]:
        found: dict[str, list[Document]] = {}
        for name, child in level.children.items():
            found[name] = [
                Document(
                    {key: _key_part(child.columns[key], n, last=key == child.key[0]) for key in child.key},
                    self._lines(child, index + n),
                )
                for n in range(1 + index % 4)
            ]
        return found


def _key_part(column: Column, index: int, *, last: bool) -> Value:
    if column.type != "text":
        return index + 1 if last else 1
    return f"{column.name[:3]}{index + 1:06d}" if last else f"{column.name[:3]}{index % 5 + 1}"
