"""Resolvers of operations, collections and references."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from graphql import GraphQLResolveInfo

from local_x3.errors import FilterError
from local_x3.graphql.aggregates import tally_of
from local_x3.graphql.conditions import compile_filter
from local_x3.graphql.grouping import (
    Group,
    group_order,
    grouped_columns,
    grouped_values,
    groups,
    read_values,
)
from local_x3.graphql.nodes import INDEX, Shape, key_of, stored
from local_x3.graphql.orders import compile_order
from local_x3.graphql.paging import MAX_NESTED_PAGE, MAX_PAGE, Arguments, Connection, paginate, scope_of
from local_x3.graphql.references import Referred
from local_x3.graphql.values import shower
from local_x3.ordering import Order, sort_key

if TYPE_CHECKING:
    from local_x3.declarations import Column
    from local_x3.graphql.nodes import NodeView, Property
    from local_x3.graphql.references import Target
    from local_x3.model import Document, Row, Value

Resolver = Callable[..., Any]
Info = GraphQLResolveInfo[Any]
Rows = Callable[[Any, str | None], Iterator["Row"]]


def leaf(columns: list[Column]) -> Resolver:
    """Show the value of the first column that the row has."""
    show = shower(columns[0])
    if len(columns) == 1:
        name = columns[0].name

        def resolve(document: Document, _: Info) -> object:
            value = document.row.get(name)
            return None if value is None else show(value)

        return resolve

    def resolve_any(document: Document, _: Info) -> object:
        value = stored(document.row, columns)
        return None if value is None else show(value)

    return resolve_any


def reference(item: Property) -> Resolver:
    """Lead to the record, or stay on the row when only its code is known. An empty code is null [I]."""
    target: Target | None = item.target

    def resolve(document: Document, _: Info) -> Document | Referred | None:
        key = key_of(item, document.row)
        if key is None:
            return None
        return document if target is None else Referred(target, key)

    return resolve


def stream(columns: list[Column]) -> Resolver:
    """Show a text stream: `{value}` [C]."""

    def resolve(document: Document, _: Info) -> dict[str, Value] | None:
        value = stored(document.row, columns)
        return None if value is None else {"value": value}

    return resolve


def query(view: NodeView) -> Resolver:
    """List records."""
    shape, selector = view.shape, view.selector

    def resolve(_source: object, _info: Info, **arguments: Any) -> Connection[Document]:  # noqa: ANN401 - by the schema
        filter_text, order_text = arguments.pop("filter", None), arguments.pop("orderBy", None)
        condition = compile_filter(filter_text, shape)
        order = compile_order(order_text, shape)
        selection = selector.select(filter_text or "", condition, order)
        scope = scope_of(shape, filter_text, order)
        page = paginate(
            selection.keys, selection.found, Arguments(**arguments), order, MAX_PAGE, lambda _: [], scope
        )
        return Connection(selector.documents(page.items), page.start, page.total, _sort_values(order), scope)

    return resolve


def _sort_values(order: Order) -> Callable[[Document], list[Value]]:
    columns = [column for column, _ in order]

    def values(document: Document) -> list[Value]:
        row = document.row
        return [row.get(column, "") for column in columns]

    return values


def read(view: NodeView) -> Resolver:
    """Find one record by its `_id`."""
    return lambda _source, _info, _id: view.selector.identified(_id)


def lines(shape: Shape) -> Resolver:
    """List items of a collection."""

    def resolve(found: list[Document], _info: Info, **arguments: Any) -> Connection[Document]:  # noqa: ANN401 - by the schema
        filter_text = arguments.pop("filter", None)
        condition = compile_filter(filter_text, shape)
        order = compile_order(arguments.pop("orderBy", None), shape)
        values = _sort_values(order)
        pairs = sorted(
            (
                (sort_key(values(line), order), line)
                for line in found
                if condition.matches(line.row, line.children)
            ),
            key=lambda pair: pair[0],
        )
        keys, kept = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        scope = scope_of(shape, filter_text, order)
        return paginate(keys, kept, Arguments(**arguments), order, MAX_NESTED_PAGE, values, scope)

    return resolve


def denormalized(found: list[Document], _info: Info, **arguments: Any) -> Connection[Document]:  # noqa: ANN401 - by the schema
    """List the items of a denormalized collection."""
    for name in ("filter", "orderBy"):
        if arguments.pop(name, None):
            msg = f"{name} is not supported on a denormalized collection"
            raise FilterError(msg)
    order = ((INDEX, False),)
    keys = [sort_key([item.row[INDEX]], order) for item in found]
    return paginate(
        keys, found, Arguments(**arguments), order, MAX_NESTED_PAGE, lambda item: [item.row[INDEX]], INDEX
    )


def node_rows(view: NodeView) -> Rows:
    """Return what finds the rows of a node that a filter text matches."""
    shape, selector = view.shape, view.selector
    order = tuple((column, False) for column in shape.key)

    def rows(_: object, text: str | None) -> Iterator[Row]:
        return selector.rows(text or "", compile_filter(text, shape), order)

    return rows


def line_rows(shape: Shape) -> Rows:
    """Return what finds the rows of a collection that a filter text matches."""

    def rows(found: list[Document], text: str | None) -> Iterator[Row]:
        condition = compile_filter(text, shape)
        return (line.row for line in found if condition.matches(line.row, line.children))

    return rows


def read_aggregate(rows: Rows, shape: Shape) -> Resolver:
    """Aggregate all rows that a filter matches."""
    return lambda source, info, **arguments: tally_of(
        rows(source, arguments.get("filter")), read_values(info, shape)
    )


def query_aggregate(rows: Rows, shape: Shape, cap: int) -> Resolver:
    """Aggregate rows by the properties that the query selects in `group`."""

    def resolve(source: object, info: Info, **arguments: Any) -> Connection[Group]:  # noqa: ANN401 - by the schema
        filter_text, order_text = arguments.pop("filter", None), arguments.pop("orderBy", None)
        columns = grouped_columns(info, shape)
        order = group_order(order_text, shape, columns)
        keys, found = groups(rows(source, filter_text), columns, order, grouped_values(info, shape))
        names = [name for name, _ in order]
        return paginate(
            keys, found, Arguments(**arguments), order, cap,
            lambda group: [group.row.get(name, "") for name in names],
            scope_of(shape, filter_text, order),
        )  # fmt: skip

    return resolve
