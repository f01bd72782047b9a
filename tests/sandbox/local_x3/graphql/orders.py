"""`orderBy` of a node: checked against its shape and compiled."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from local_x3.errors import FilterError
from local_x3.graphql.nodes import Property, Shape, first_leaf
from local_x3.graphql.object_text import parse_object_text
from local_x3.graphql.values import SYSTEM_COLUMNS
from local_x3.graphql.words import in_words

if TYPE_CHECKING:
    from local_x3.ordering import Order

Parts = list[tuple[str, bool]]


def compile_order(text: str | None, shape: Shape) -> Order:
    """Compile `{a:1,b:-1}`; the natural key is added, so that the order is total.

    Raises:
        FilterError: syntax, unknown property, or a direction that is not 1 or -1.
    """
    order = order_parts(text, shape)
    named = {column for column, _ in order}
    order.extend((column, False) for column in shape.key if column not in named)
    return tuple(order)


def order_parts(text: str | None, shape: Shape) -> Parts:
    """Return (column, descending) of what `text` names.

    Raises:
        FilterError: as `compile_order`.
    """
    if not text:
        return []
    parsed = parse_object_text(text, "orderBy")
    order: Parts = []
    for part in parsed if isinstance(parsed, list) else [parsed]:
        if not isinstance(part, dict):
            msg = f"orderBy: expected an object, found {in_words(part)}"
            raise FilterError(msg)
        for name, value in part.items():
            order.extend(_member(shape, name, value))
    return order


def _member(shape: Shape, name: str, value: object) -> Parts:
    if name == "_id":
        return [(column, _descending(value, name)) for column in shape.key]
    if name in SYSTEM_COLUMNS:
        return [(SYSTEM_COLUMNS[name].name, _descending(value, name))]
    found = shape.properties.get(name)
    if found is None:
        msg = f"orderBy: property {name} does not exist on {shape.name}"
        raise FilterError(msg)
    return _property(found, value, name)


def _property(item: Property, value: object, where: str) -> Parts:
    if item.stream:
        msg = f"orderBy: {where} is a text stream"
        raise FilterError(msg)
    if not isinstance(value, dict):
        return _whole(item, value, where)
    if not value:  # nothing to sort by: a mistake [?]
        msg = f"orderBy: {where} names no property"
        raise FilterError(msg)
    order: Parts = []
    for name, inner in value.items():
        if name == "_id":
            order.extend(_whole(item, inner, f"{where}._id"))
            continue
        member = item.members.get(name)
        if member is None:  # also a property of the record behind the reference: not restored
            msg = f"orderBy: property {where}.{name} does not exist"
            raise FilterError(msg)
        order.extend(_property(member, inner, f"{where}.{name}"))
    return order


def _whole(item: Property, value: object, where: str) -> Parts:
    """A leaf, or a reference by its code or by the parts of its key."""
    columns = item.key or first_leaf(item).columns[:1]
    return [(column.name, _descending(value, where)) for column in columns]


def _descending(value: object, where: str) -> bool:
    if not isinstance(value, Decimal) or abs(value) != 1:
        msg = f"orderBy: {where} must be 1 or -1"
        raise FilterError(msg)
    return value == Decimal(-1)
