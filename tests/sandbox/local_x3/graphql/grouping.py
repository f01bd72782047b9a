"""`queryAggregate`: which properties a query groups by, and the groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLIncludeDirective,
    GraphQLSkipDirective,
    SelectionSetNode,
    get_directive_values,
)

from local_x3.errors import FilterError
from local_x3.graphql.aggregates import Tally, Wanted
from local_x3.graphql.nodes import Property, Shape, first_leaf, stored
from local_x3.graphql.orders import order_parts
from local_x3.graphql.values import SYSTEM_COLUMNS, shower
from local_x3.ordering import Order, SortKey, sort_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from graphql import GraphQLResolveInfo

    from local_x3.declarations import Column
    from local_x3.model import Row, Value

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """What rows that share their group values add up to; `row` holds those values."""

    row: Row
    tally: Tally


def grouped_columns(info: GraphQLResolveInfo[Any], shape: Shape) -> list[list[Column]]:
    """Return the columns of each property that the query selects under `group`.

    Raises:
        FilterError: it selects none.
    """
    found: dict[str, list[Column]] = {}
    for node in info.field_nodes:
        for selection in _below(node.selection_set, ("edges", "node", "group"), info):
            for path in _leaves(selection, info):
                columns = _columns(shape, path)
                found[columns[0].name] = columns
    if not found:  # one group of all rows, or an error? [?]
        msg = "queryAggregate: select at least one property in group"
        raise FilterError(msg)
    return list(found.values())


def group_order(text: str | None, shape: Shape, columns: list[list[Column]]) -> Order:
    """Compile `orderBy` of groups: only what is grouped by; the other group values follow, ascending [I].

    Raises:
        FilterError: as for a query, or a property that is not in `group`.
    """
    names = [found[0].name for found in columns]
    parts = order_parts(text, shape)
    for name, _ in parts:
        if name not in names:
            msg = f"orderBy: queryAggregate sorts by properties in group only, not by {name}"
            raise FilterError(msg)
    given = {name for name, _ in parts}
    return (*parts, *((name, False) for name in names if name not in given))


def grouped_values(info: GraphQLResolveInfo[Any], shape: Shape) -> Wanted:
    """Return the aggregate values that the query selects of each group."""
    return _wanted(info, shape, ("edges", "node", "values"))


def read_values(info: GraphQLResolveInfo[Any], shape: Shape) -> Wanted:
    """Return the aggregate values that the query selects of all rows."""
    return _wanted(info, shape, ())


def _wanted(info: GraphQLResolveInfo[Any], shape: Shape, place: Path) -> Wanted:
    found: Wanted = {}
    for node in info.field_nodes:
        for selection in _below(node.selection_set, place, info):
            for path in _leaves(selection, info):
                columns = _columns(shape, path[:-1])
                found[columns[0].name, path[-1]] = columns
    return found


def groups(
    rows: Iterable[Row], columns: list[list[Column]], order: Order, wanted: Wanted
) -> tuple[list[SortKey], list[Group]]:
    """Return the groups in order, with their sort keys. Values that show alike are one group."""
    shows = [shower(found[0]) for found in columns]
    found: dict[tuple[object, ...], Group] = {}
    for row in rows:
        values = [stored(row, names) for names in columns]
        shown = tuple(
            None if value is None else show(value) for show, value in zip(shows, values, strict=True)
        )
        group = found.get(shown)
        if group is None:
            group = found[shown] = Group(_group_row(columns, values), Tally(wanted))
        group.tally.add(row)
    names = [name for name, _ in order]
    pairs = sorted(
        ((sort_key([group.row.get(name, "") for name in names], order), group) for group in found.values()),
        key=lambda pair: pair[0],
    )
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def _group_row(columns: list[list[Column]], values: list[Value | None]) -> Row:
    return {names[0].name: value for names, value in zip(columns, values, strict=True) if value is not None}


def _columns(shape: Shape, path: Path) -> list[Column]:
    first, *inner = path
    if first in SYSTEM_COLUMNS:
        return [SYSTEM_COLUMNS[first]]
    item: Property = shape.properties[first]
    for name in inner:
        item = first_leaf(item) if name == "_id" else item.members[name]
    return item.columns


def _fields(selections: SelectionSetNode | None, info: GraphQLResolveInfo[Any]) -> Iterator[FieldNode]:
    """Yield the fields of a selection, those of its fragments too, without what a directive leaves out."""
    for selection in selections.selections if selections else ():
        if not _included(selection, info):
            continue
        if isinstance(selection, FieldNode):
            yield selection
        elif isinstance(selection, FragmentSpreadNode):
            yield from _fields(info.fragments[selection.name.value].selection_set, info)
        else:
            yield from _fields(selection.selection_set, info)  # type: ignore[attr-defined]


def _included(selection: Any, info: GraphQLResolveInfo[Any]) -> bool:  # noqa: ANN401 - any selection node
    skip = get_directive_values(GraphQLSkipDirective, selection, info.variable_values)
    include = get_directive_values(GraphQLIncludeDirective, selection, info.variable_values)
    return not (skip and skip["if"]) and not (include and not include["if"])


def _below(
    selections: SelectionSetNode | None, path: Path, info: GraphQLResolveInfo[Any]
) -> Iterator[SelectionSetNode]:
    if not path:
        if selections is not None:
            yield selections
        return
    for node in _fields(selections, info):
        if node.name.value == path[0] and node.selection_set is not None:
            yield from _below(node.selection_set, path[1:], info)


def _leaves(selections: SelectionSetNode, info: GraphQLResolveInfo[Any], above: Path = ()) -> Iterator[Path]:
    for node in _fields(selections, info):
        name = node.name.value
        if name.startswith("__"):
            continue
        if node.selection_set is None:
            yield (*above, name)
        else:
            yield from _leaves(node.selection_set, info, (*above, name))
