"""`filter` and `orderBy` of a node: checked against its shape and compiled."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from local_x3.declarations import Column
from local_x3.errors import FilterError
from local_x3.graphql.nodes import Property, Shape, first_leaf, stored
from local_x3.graphql.object_text import parse_object_text
from local_x3.graphql.values import STAMP_COLUMNS, comparable, literal
from local_x3.model import Row

if TYPE_CHECKING:
    from local_x3.ordering import Order

Predicate = Callable[[Row], bool]
ID = Column("_id", "text", ("_id",), "String", "Identifier", "")


@dataclass(frozen=True, slots=True)
class Condition:
    """A compiled filter and the columns it reads."""

    matches: Predicate
    columns: frozenset[str]


@dataclass(frozen=True, slots=True)
class Operand:
    """What a filter compares: how to read it, its column type, and the columns it reads."""

    read: Callable[[Row], object]
    column: Column
    columns: frozenset[str]


EVERYTHING = Condition(lambda _: True, frozenset())


def compile_filter(text: str | None, shape: Shape) -> Condition:
    """Compile a filter text; an empty one matches everything.

    Raises:
        FilterError: syntax, unknown property or operator, or a literal of another type.
    """
    if not text:
        return EVERYTHING
    return _Filter(shape).value(parse_object_text(text, "filter"), "filter")


class _Filter:
    def __init__(self, shape: Shape) -> None:
        self.shape = shape

    def value(self, parsed: object, where: str) -> Condition:
        if isinstance(parsed, list):  # a top-level array means AND [D]
            return _every([self.value(part, where) for part in parsed])
        if not isinstance(parsed, dict):
            msg = f"{where}: expected an object, found {parsed!r}"
            raise FilterError(msg)
        return _every([self.member(name, value, where) for name, value in parsed.items()])

    def member(self, name: str, value: object, where: str) -> Condition:
        if name in {"_and", "_or"}:
            if not isinstance(value, list):
                msg = f"{where}: {name} needs an array"
                raise FilterError(msg)
            parts = [self.value(part, where) for part in value]
            return _every(parts) if name == "_and" else _some(parts)
        if name == "_not":
            return _negated(self.value(value, where))
        if name == "_id":
            shape = self.shape
            read = shape.identifier
            return _comparison(Operand(read, ID, frozenset(shape.key)), value, f"{where}: _id")
        if name in STAMP_COLUMNS:
            return _comparison(_operand([STAMP_COLUMNS[name]]), value, f"{where}: {name}")
        found = self.shape.properties.get(name)
        if found is None:
            msg = f"{where}: property {name} does not exist on {self.shape.name}"
            raise FilterError(msg)
        return _property(found, value, f"{where}: {name}")


def _property(item: Property, value: object, where: str) -> Condition:
    """A leaf, or a reference given by its members (`{code: 'X'}`) or directly (`'X'`) [D]."""
    if item.members and isinstance(value, dict) and not _operators(value):
        parts = []
        for name, inner in value.items():
            member = first_leaf(item) if name == "_id" else item.members.get(name)
            if member is None:
                msg = f"{where}: property {name} does not exist"
                raise FilterError(msg)
            parts.append(_property(member, inner, f"{where}.{name}"))
        return _every(parts)
    return _comparison(_operand(first_leaf(item).columns), value, where)


def _operators(value: dict[str, object]) -> bool:
    return bool(value) and all(
        name in COMPARISONS or name in {"_in", "_nin", "_regex", "_not"} for name in value
    )


def _operand(columns: list[Column]) -> Operand:
    convert = comparable(columns[0])
    names = frozenset(column.name for column in columns)

    def read(row: Row) -> object:
        value = stored(row, columns)
        return None if value is None else convert(value)

    return Operand(read, columns[0], names)


def _comparison(operand: Operand, value: object, where: str) -> Condition:
    if not isinstance(value, dict):
        return _compare(operand, "_eq", value, where)
    if not value:
        msg = f"{where}: empty condition"
        raise FilterError(msg)
    return _every([_operation(operand, name, inner, where) for name, inner in value.items()])


def _operation(operand: Operand, name: str, value: object, where: str) -> Condition:
    if name in COMPARISONS:
        return _compare(operand, name, value, where)
    if name in {"_in", "_nin"}:
        return _member(operand, name, value, where)
    if name == "_regex":
        return _regex(operand, value, where)
    if name == "_not":
        return _negated(_comparison(operand, value, where))
    msg = f"{where}: unknown operator {name}"
    raise FilterError(msg)


def _compare(operand: Operand, name: str, value: object, where: str) -> Condition:
    wanted = literal(operand.column, value, where)
    action, read = COMPARISONS[name], operand.read
    if name in {"_eq", "_ne"}:
        return Condition(lambda row: action(read(row), wanted), operand.columns)
    if wanted is None:
        msg = f"{where}: {name} null"
        raise FilterError(msg)

    def matches(row: Row) -> bool:
        found = read(row)
        return (
            found is not None and isinstance(found, str) == isinstance(wanted, str) and action(found, wanted)
        )

    return Condition(matches, operand.columns)


def _member(operand: Operand, name: str, value: object, where: str) -> Condition:
    if not isinstance(value, list):
        msg = f"{where}: {name} needs an array"
        raise FilterError(msg)
    choices = frozenset(literal(operand.column, item, where) for item in value)
    wanted, read = name == "_in", operand.read
    return Condition(lambda row: (read(row) in choices) is wanted, operand.columns)


def _regex(operand: Operand, value: object, where: str) -> Condition:
    if not isinstance(value, str) or operand.column.type != "text":
        msg = f"{where}: _regex needs a text and a text property"
        raise FilterError(msg)
    try:
        pattern = re.compile(value)
    except (re.error, RecursionError, OverflowError):
        msg = f"{where}: not a regular expression: {value}"
        raise FilterError(msg) from None
    read = operand.read
    return Condition(lambda row: pattern.search(str(read(row))) is not None, operand.columns)


def _columns(parts: list[Condition]) -> frozenset[str]:
    return frozenset().union(*(part.columns for part in parts))


def _every(parts: list[Condition]) -> Condition:
    if len(parts) == 1:
        return parts[0]
    tests = [part.matches for part in parts]
    return Condition(lambda row: all(test(row) for test in tests), _columns(parts))


def _some(parts: list[Condition]) -> Condition:
    tests = [part.matches for part in parts]
    return Condition(lambda row: any(test(row) for test in tests), _columns(parts))


def _negated(part: Condition) -> Condition:
    test = part.matches
    return Condition(lambda row: not test(row), part.columns)


COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "_eq": operator.eq, "_ne": operator.ne, "_gt": operator.gt, "_gte": operator.ge, "_lt": operator.lt,
    "_lte": operator.le,
}  # fmt: skip


def compile_order(text: str | None, shape: Shape) -> Order:
    """Compile `{a:1,b:-1}`; the natural key is added, so that the order is total.

    Raises:
        FilterError: syntax, unknown property, or a direction that is not 1 or -1.
    """
    order: list[tuple[str, bool]] = []
    if text:
        parsed = parse_object_text(text, "orderBy")
        for part in parsed if isinstance(parsed, list) else [parsed]:
            if not isinstance(part, dict):
                msg = f"orderBy: expected an object, found {part!r}"
                raise FilterError(msg)
            for name, value in part.items():
                order.extend(_order_member(shape, name, value))
    named = {column for column, _ in order}
    order.extend((column, False) for column in shape.key if column not in named)
    return tuple(order)


def _order_member(shape: Shape, name: str, value: object) -> list[tuple[str, bool]]:
    if name == "_id":
        return [(column, _descending(value, name)) for column in shape.key]
    if name in STAMP_COLUMNS:
        return [(STAMP_COLUMNS[name].name, _descending(value, name))]
    found = shape.properties.get(name)
    if found is None:
        msg = f"orderBy: property {name} does not exist on {shape.name}"
        raise FilterError(msg)
    return _order_property(found, value, name)


def _order_property(item: Property, value: object, where: str) -> list[tuple[str, bool]]:
    if not isinstance(value, dict):
        return [(first_leaf(item).columns[0].name, _descending(value, where))]
    order: list[tuple[str, bool]] = []
    for name, inner in value.items():
        member = first_leaf(item) if name == "_id" else item.members.get(name)
        if member is None:
            msg = f"orderBy: property {where}.{name} does not exist"
            raise FilterError(msg)
        order.extend(_order_property(member, inner, f"{where}.{name}"))
    return order


def _descending(value: object, where: str) -> bool:
    if not isinstance(value, Decimal) or abs(value) != 1:
        msg = f"orderBy: {where} must be 1 or -1"
        raise FilterError(msg)
    return value == Decimal(-1)
