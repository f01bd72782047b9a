"""The records that the tap must emit, computed from the native rows by rules of its own.

The sandbox's second opinion: shares no code with the tap, nor with what the two APIs show.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from local_x3.model import STAMP, STAMP_DATE, Document, Row, Value, is_empty_date

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from local_x3.control.state import Records
    from local_x3.declarations import Dimensions, StreamField, StreamView

Record = dict[str, object]


def dimension_property(code: str) -> str:
    """Return the property of a dimension type: CCT -> dimensionCct."""
    return f"dimension{code[:1].upper()}{code[1:].lower()}"


def expected_records(
    stores: Sequence[Records], stream: str, stamps: dict[str, tuple[str, ...]] | None
) -> Iterator[Record]:
    """Yield the records of a stream as of now, document by document in key order.

    Args:
        stores: all stores.
        stream: name of the stream.
        stamps: for REST, the stamps that each class exposes; None for GraphQL, which has `_updateStamp`.
    """
    types = [
        str(entry.key[0])
        for store in stores
        if store.source.level.table == "GDIE"
        for entry in store.by_key.values()
    ]
    for store in stores:
        for view in store.source.streams:
            if view.name == stream:
                exposed = stamps[store.source.rest_class] if stamps is not None else (STAMP,)
                for entry in store.by_key.values():
                    yield from _records(store.document(entry), view, exposed, types)


def _records(
    document: Document, view: StreamView, exposed: tuple[str, ...], types: list[str]
) -> Iterator[Record]:
    for chain in _chains(document, view.collections):
        record: Record = {
            field.name: _value(field, chain[field.level].row) for field in view.fields if not field.dimensions
        }
        for field in view.fields:
            if field.dimensions:
                record.update(_dimensions(field.name, field.dimensions, chain[field.level].row, types))
        record["updatedDate"] = _updated(chain, exposed, flattened=view.flattened)
        yield record


def _chains(document: Document, collections: Sequence[str]) -> Iterator[list[Document]]:
    if not collections:
        yield [document]
        return
    for child in document.children.get(collections[0], []):
        for rest in _chains(child, collections[1:]):
            yield [document, *rest]


def _value(field: StreamField, row: Row) -> object:
    if field.constant is not None:
        return field.constant
    if field.column is None:
        return None
    value = row.get(field.column.name)
    if value is None:
        return None
    return _convert(field, value)


def _convert(field: StreamField, value: Value) -> object:
    column = field.column
    if column is None:
        return value
    if column.type in {"date", "datetime"}:
        return None if is_empty_date(value) else value
    if column.type == "boolean":
        return {0: None, 1: False, 2: True}.get(value, value) if isinstance(value, int) else value
    if column.type == "enum":
        return _menu_name(column.menu, value)
    if column.type == "integer" and isinstance(value, Decimal) and value == int(value):
        return int(value)
    return value


def _menu_name(menu: tuple[str, ...], value: Value) -> object:
    if value == 0:
        return None
    return menu[value - 1] if isinstance(value, int) and 1 <= value <= len(menu) else value


def _dimensions(name: str, dimensions: Dimensions, row: Row, types: Iterable[str]) -> Record:
    found = [
        {"index": index, "type": row[kind], "value": row[value]}
        for index, kind, value in dimensions.pairs()
        if row.get(kind) and row.get(value)
    ]
    record: Record = {name: found}
    for code in types:
        record[dimension_property(code)] = next(
            (item["value"] for item in found if item["type"] == code), None
        )
    return record


def _updated(chain: list[Document], exposed: tuple[str, ...], *, flattened: bool) -> str | None:
    """A document's stamp as its class exposes it; a line's own; on flattened rows the latest of all."""
    outer = _stamp(chain[0].row, exposed)
    if len(chain) == 1:
        return outer
    below = [_stamp(document.row, (STAMP, STAMP_DATE)) for document in chain[1:]]
    found = [stamp for stamp in ([outer, *below] if flattened else below[-1:]) if stamp]
    return max(found) if found else None


def _stamp(row: Row, exposed: tuple[str, ...]) -> str | None:
    for column in exposed:
        value = row.get(column)
        if value is not None and not is_empty_date(value):
            return str(value) if column == STAMP else f"{value}T00:00:00Z"
        if value is not None:
            return None
    return None
