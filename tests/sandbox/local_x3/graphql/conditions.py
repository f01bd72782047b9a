"""`filter` of a node: checked against its shape and compiled."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from local_x3.errors import FilterError
from local_x3.graphql.alarm import PartTimeUpError, at_most
from local_x3.graphql.nodes import (
    Collection,
    Property,
    Shape,
    first_leaf,
    items,
    key_columns,
    key_of,
    stored,
)
from local_x3.graphql.object_text import parse_object_text
from local_x3.graphql.patterns import LONGEST, compiled
from local_x3.graphql.values import SYSTEM_COLUMNS, USER_COLUMNS, comparable, identifier_column, literal
from local_x3.graphql.words import in_words
from local_x3.model import Document, Row

if TYPE_CHECKING:
    from local_x3.declarations import Column
    from local_x3.graphql.references import Target

Children = Mapping[str, list[Document]]
Predicate = Callable[[Row, Children], bool]
REGEX_SECONDS = 0.25  # a value: X3's own limit is unknown, a pattern that explodes must not hang the server
QUANTIFIERS = frozenset({"_atLeast", "_atMost", "_every", "_none"})


@dataclass(frozen=True, slots=True)
class Condition:
    """A compiled filter: the columns it reads, whether it reads collections, the references it follows."""

    matches: Predicate
    columns: frozenset[str] = frozenset()
    whole: bool = False
    targets: tuple[Target, ...] = ()


@dataclass(frozen=True, slots=True)
class Operand:
    """What a filter compares: how to read it, its column type, and the columns it reads."""

    read: Callable[[Row], object]
    column: Column
    columns: frozenset[str] = field(default_factory=frozenset)


EVERYTHING = Condition(lambda _row, _children: True)


def compile_filter(text: str | None, shape: Shape) -> Condition:
    """Compile a filter text; an empty one matches everything.

    Raises:
        FilterError: syntax, unknown property or operator, or a literal of another type.
    """
    if not text:
        return EVERYTHING
    return _of_shape(shape, parse_object_text(text, "filter"), "filter", top=True)


def _of_shape(shape: Shape, parsed: object, where: str, *, top: bool = False) -> Condition:
    if isinstance(parsed, list) and top:  # a top-level array means AND [D], deeper ones are unknown [?]
        return _every([_of_shape(shape, part, where) for part in parsed])
    if not isinstance(parsed, dict):
        msg = f"{where}: expected an object, found {in_words(parsed)}"
        raise FilterError(msg)
    return _every([_member(shape, name, value, where) for name, value in parsed.items()])


def _member(shape: Shape, name: str, value: object, where: str) -> Condition:
    if name in {"_and", "_or"}:
        parts = [_of_shape(shape, part, where) for part in _array(value, f"{where}: {name}")]
        return _every(parts) if name == "_and" else _some(parts, where)
    if name == "_not":
        return _negated(_of_shape(shape, value, where))
    if name == "_id":
        operand = Operand(shape.identifier, identifier_column(), frozenset(shape.key))
        return _comparison(operand, value, f"{where}: _id")
    if name in SYSTEM_COLUMNS:
        return _comparison(_operand([SYSTEM_COLUMNS[name]]), value, f"{where}: {name}")
    if name in shape.collections:
        return _quantified(shape.collections[name], value, f"{where}: {name}")
    found = shape.properties.get(name)
    if found is None:
        msg = f"{where}: property {name} does not exist on {shape.name}"
        raise FilterError(msg)
    return _property(found, value, f"{where}: {name}")


def _property(item: Property, value: object, where: str) -> Condition:
    """A leaf, or a reference given by its members (`{code: 'X'}`) or directly (`'X'`) [D].

    An empty object is a condition that everything meets: Sage's PHP sample sends `{purchaseSite:{}}` [D].
    """
    if item.stream:
        msg = f"{where}: a text stream cannot be compared"  # not known to be possible [?]
        raise FilterError(msg)
    if item.members and isinstance(value, dict) and not _operators(value):
        return _every([_reference_member(item, name, inner, where) for name, inner in value.items()])
    return _comparison(_reference_operand(item), value, where)


def _reference_operand(item: Property) -> Operand:
    """A reference as a whole: by its code, or by `_id` where that has several parts."""
    if not item.key:
        return _operand(first_leaf(item).columns)
    names = [column.name for column in item.key]
    return Operand(
        lambda row: "|".join(str(row.get(name, "")) for name in names), identifier_column(), frozenset(names)
    )


def _reference_member(item: Property, name: str, value: object, where: str) -> Condition:
    if name == "_id":
        return _comparison(_reference_operand(item), value, f"{where}._id")
    member = item.members.get(name)
    if member is not None:
        return _property(member, value, f"{where}.{name}")
    if item.target is None:
        msg = f"{where}: property {name} does not exist"
        raise FilterError(msg)
    return _through(item.target, item, _member(item.target.shape, name, value, where))


def _through(target: Target, item: Property, inner: Condition) -> Condition:
    """A condition on the record that a reference leads to; an empty or dangling reference meets none [I]."""

    def matches(row: Row, _: Children) -> bool:
        key = key_of(item, row)
        record = None if key is None else target.find(key)
        return record is not None and inner.matches(record.row, record.children)

    names = frozenset(column.name for column in key_columns(item))
    return Condition(matches, names, whole=False, targets=(target, *inner.targets))


def _quantified(collection: Collection, value: object, where: str) -> Condition:
    """`{lines: {_atLeast: 1, product: 'X'}}`: one quantifier and the condition it counts [D]."""
    if not isinstance(value, dict):
        msg = f"{where}: a collection needs an object with a quantifier"
        raise FilterError(msg)
    names = QUANTIFIERS.intersection(value)
    if len(names) != 1:  # several together, or none: not documented [?]
        msg = f"{where}: a collection needs exactly one of {', '.join(sorted(QUANTIFIERS))}"
        raise FilterError(msg)
    (name,) = names
    holds = _quantifier(name, value[name], where)
    rest = {member: inner for member, inner in value.items() if member != name}
    inner = _of_shape(collection.shape, rest, where)

    def matches(_: Row, children: Children) -> bool:
        lines = items(children, collection)
        count = sum(inner.matches(line.row, line.children) for line in lines)
        return holds(count, len(lines))

    return Condition(matches, frozenset(), whole=True, targets=inner.targets)


def _quantifier(name: str, value: object, where: str) -> Callable[[int, int], bool]:
    if name in {"_every", "_none"}:
        if value is not True:  # only `true` is documented [?]
            msg = f"{where}: {name} needs true"
            raise FilterError(msg)
        # every item of an empty collection meets the condition, as in logic [I]
        return (lambda count, total: count == total) if name == "_every" else (lambda count, _: count == 0)
    if not isinstance(value, Decimal) or value < 0 or value != value.to_integral_value():
        msg = f"{where}: {name} needs a whole number"
        raise FilterError(msg)
    number = int(value)
    return (lambda count, _: count >= number) if name == "_atLeast" else (lambda count, _: count <= number)


def _operators(value: dict[str, object]) -> bool:
    return bool(value) and all(name in OPERATORS for name in value)


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
    if operand.column.name in USER_COLUMNS and set(value) == {"_id"}:
        return _comparison(operand, value["_id"], f"{where}._id")
    return _every([_operation(operand, name, inner, where) for name, inner in value.items()])


def _operation(operand: Operand, name: str, value: object, where: str) -> Condition:
    if name in COMPARISONS:
        return _compare(operand, name, value, where)
    if name in {"_in", "_nin"}:
        return _in(operand, name, value, where)
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
        return Condition(lambda row, _: action(read(row), wanted), operand.columns)
    if wanted is None:
        msg = f"{where}: {name} null"
        raise FilterError(msg)

    def matches(row: Row, _: Children) -> bool:
        found = read(row)
        return (
            found is not None and isinstance(found, str) == isinstance(wanted, str) and action(found, wanted)
        )

    return Condition(matches, operand.columns)


def _array(value: object, where: str) -> list[object]:
    if not isinstance(value, list):
        msg = f"{where} needs an array"
        raise FilterError(msg)
    return value


def _in(operand: Operand, name: str, value: object, where: str) -> Condition:
    choices = frozenset(literal(operand.column, item, where) for item in _array(value, f"{where}: {name}"))
    wanted, read = name == "_in", operand.read
    return Condition(lambda row, _: (read(row) in choices) is wanted, operand.columns)


def _regex(operand: Operand, value: object, where: str) -> Condition:
    """`_regex` on a text; flags are not documented, so `_options` is an unknown operator [?]."""
    if not isinstance(value, str) or operand.column.type != "text":
        msg = f"{where}: _regex needs a text and a text property"
        raise FilterError(msg)
    if len(value) > LONGEST:
        msg = f"{where}: the regular expression is longer than {LONGEST} characters"
        raise FilterError(msg)
    try:
        with at_most(REGEX_SECONDS, PartTimeUpError):
            pattern = compiled(value)
    except PartTimeUpError:
        pattern = None
    if pattern is None:
        msg = f"{where}: not a regular expression: {value}"
        raise FilterError(msg)
    read = operand.read

    def matches(row: Row, _: Children) -> bool:
        try:
            with at_most(REGEX_SECONDS, PartTimeUpError):
                return pattern.search(str(read(row))) is not None
        except PartTimeUpError:
            msg = f"{where}: the regular expression takes too long: {value}"
            raise FilterError(msg) from None

    return Condition(matches, operand.columns)


def _joined(matches: Predicate, parts: list[Condition]) -> Condition:
    return Condition(
        matches,
        frozenset().union(*(part.columns for part in parts)),
        whole=any(part.whole for part in parts),
        targets=tuple(target for part in parts for target in part.targets),
    )


def _every(parts: list[Condition]) -> Condition:
    if len(parts) == 1:
        return parts[0]
    tests = [part.matches for part in parts]
    return _joined(lambda row, children: all(test(row, children) for test in tests), parts)


def _some(parts: list[Condition], where: str) -> Condition:
    if not parts:  # no condition at all: nothing or everything? [?]
        msg = f"{where}: _or needs at least one condition"
        raise FilterError(msg)
    tests = [part.matches for part in parts]
    return _joined(lambda row, children: any(test(row, children) for test in tests), parts)


def _negated(part: Condition) -> Condition:
    test = part.matches
    return _joined(lambda row, children: not test(row, children), [part])


COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "_eq": operator.eq, "_ne": operator.ne, "_gt": operator.gt, "_gte": operator.ge, "_lt": operator.lt,
    "_lte": operator.le,
}  # fmt: skip
OPERATORS = frozenset({*COMPARISONS, "_in", "_nin", "_regex", "_not"})
