"""A hand-written dataset: raw REST answers, read as native rows."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from local_x3.model import CREATED, STAMP, STAMP_DATE, UUID, Document, Key, Row, pick

if TYPE_CHECKING:
    from pathlib import Path

    from local_x3.declarations import Level, Source

DECODER = msgspec.json.Decoder(float_hook=Decimal)


class FixtureData:
    """Documents of `FOLDER/<entity>[/<kind>]/rest_query.json` or `rest_details.jsonl`; others stay empty."""

    def __init__(self, folder: Path) -> None:
        """Read from `folder`, which must exist."""
        if not folder.is_dir():
            msg = f"fixture folder {folder} not found"
            raise FileNotFoundError(msg)
        self._folder = folder

    def table(self, source: Source) -> FixtureTable:
        """Return the documents of a source."""
        return FixtureTable(source, self._resources(source))

    def _resources(self, source: Source) -> list[dict[str, Any]]:
        folder = self._folder / source.entity
        if source.kind and (folder / source.kind).is_dir():
            folder /= source.kind
        if source.details:
            path = folder / "rest_details.jsonl"
            lines = path.read_bytes().splitlines() if path.exists() else []
            return [DECODER.decode(line) for line in lines if line.strip()]
        path = folder / "rest_query.json"
        return list(DECODER.decode(path.read_bytes())["$resources"]) if path.exists() else []


@dataclass(frozen=True, slots=True)
class FixtureTable:
    """The documents of one source as the raw answers say."""

    source: Source
    resources: list[dict[str, Any]]

    @property
    def count(self) -> int:
        """How many documents there are."""
        return len(self.resources)

    def key(self, index: int) -> Key:
        """Return the key of a document."""
        return pick({name: _native(self.resources[index][name]) for name in self.source.key}, self.source.key)

    def stamp(self, index: int) -> str:
        """Return the change stamp of a document; empty where the answer has none."""
        return str(_native(self.resources[index].get(STAMP, "")))

    def day(self, index: int) -> str:
        """Return the day of the change; some answers have nothing else."""
        return str(_native(self.resources[index].get(STAMP_DATE, self.stamp(index)[:10])))

    def document(self, index: int) -> Document:
        """Make a document."""
        document = _document(self.resources[index], self.source.level)
        document.row.setdefault(STAMP, "")
        _number_lines(document, self.source.level)
        return document

    def header(self, index: int) -> Row:
        """Make a document's own row."""
        return self.document(index).row


def _document(resource: dict[str, Any], level: Level) -> Document:
    kept = {*level.columns, STAMP, STAMP_DATE, CREATED}
    if level.dimensions is not None:
        kept.update(name for _, kind, value in level.dimensions.pairs() for name in (kind, value))
    row: Row = {name: _native(value) for name, value in resource.items() if name in kept}
    row[UUID] = str(resource.get("$uuid", ""))
    children = {
        name: [_document(item, child) for item in resource.get(name, [])]
        for name, child in level.children.items()
    }
    return Document(row, children)


def _native(value: Any) -> Any:  # noqa: ANN401 - any JSON scalar
    """X3 stores no null: REST shows an empty date as null in places, here it is kept as an empty text."""
    return "" if value is None else value


def _number_lines(document: Document, level: Level, above: tuple[str, ...] = ()) -> None:
    """Give lines the key columns of what they belong to."""
    keys = (*above, *level.key)
    for name, child in level.children.items():
        for line in document.children.get(name, []):
            for column in keys:
                line.row.setdefault(column, document.row[column])
            _number_lines(line, child, keys)
