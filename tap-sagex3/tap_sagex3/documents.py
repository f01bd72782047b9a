"""Documents as the readers give them: a header with its lines and analytical lines, from one fetch. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tap_sagex3.wire import Node
    from tap_sagex3.wire_rows import WireRows

Row = dict[str, t.Any]
Misfit = tuple[str, t.Any, str]
"""Field, value as received, what was expected."""

KEY_SEPARATOR = "\x1f"

JOINED = "_joined"
"""Member under which a document holds the second GraphQL node of the same key."""


@dataclass(slots=True)
class Document:
    """One document as received. Nobody changes one; making a frozen one costs a microsecond more.

    `parts` is its key, `key` the same as one text. `stamp` is the canonical change time by which it was
    found, if any. `level` is the level whose change it was found by: 0 for the document itself (or its joined
    record), 1 for its lines, 2 for lines of lines.
    """

    source: int
    key: str
    parts: tuple[t.Any, ...]
    stamp: str | None
    node: Node
    extracted: str
    level: int = 0


@dataclass(slots=True)
class DocumentPage:
    """Documents without lines that came in one answer, not taken apart: whole pages are faster.

    `keys` are their keys and `stamps` their canonical change times, in the order of the rows; `stamped_by` is
    the member from which these were read, if it is only one.
    """

    source: int
    kind: str | None
    rows: WireRows
    keys: Sequence[tuple[t.Any, ...]]
    stamps: Sequence[str | None]
    extracted: str
    stamped_by: str | None = None

    def key(self, place: int) -> str:
        """Key of a document as one text."""
        return key_text(self.kind, self.keys[place])

    def documents(self) -> Iterator[Document]:
        """The documents one by one."""
        found = zip(self.rows.nodes(), self.keys, self.stamps, strict=True)
        for place, (node, parts, stamp) in enumerate(found):
            yield Document(self.source, self.key(place), parts, stamp, node, self.extracted)


Found = Document | DocumentPage
"""What a reader gives: a document, or several that came together."""


def one_by_one(found: Iterable[Found]) -> Iterator[Document]:
    """Documents, whether they came together or not."""
    for item in found:
        if isinstance(item, DocumentPage):
            yield from item.documents()
        else:
            yield item


def key_text(kind: str | None, parts: Iterable[t.Any]) -> str:
    """A document's key as one text, the same through both APIs."""
    return KEY_SEPARATOR.join((kind or "", *map(str, parts)))
