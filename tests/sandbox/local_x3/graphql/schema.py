"""The Xtrem schema, built from the nodes and executed by graphql-core."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from graphql import (
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLString,
)

from local_x3.graphql.conditions import compile_filter, compile_order
from local_x3.graphql.nodes import Collection, NodeView, Property, Shape, first_leaf, items, pascal, stored
from local_x3.graphql.paging import MAX_NESTED_PAGE, MAX_PAGE, Arguments, Connection, paginate
from local_x3.graphql.values import STAMP_COLUMNS, shower
from local_x3.model import STAMP, Document, Entry, Row, Value
from local_x3.ordering import sort_key

if TYPE_CHECKING:
    from local_x3.declarations import Column, Dimensions
    from local_x3.store import Selector, Store

Resolver = Callable[..., Any]
Info = GraphQLResolveInfo[Any]


def _identity(value: object) -> object:
    return value


def _scalar(name: str, description: str) -> GraphQLScalarType:
    """Make a scalar that passes every value on, also one that does not fit: faults are shown, not hidden."""
    return GraphQLScalarType(name, coerce_output_value=_identity, description=description)


class _Menu(GraphQLEnumType):
    """An enum that shows an unknown menu number as it is stored."""

    def coerce_output_value(self, output_value: Any) -> Any:  # noqa: ANN401 - signature of graphql-core
        return output_value


class _Edge:
    """An item of a connection with its place."""

    __slots__ = ("connection", "index")

    def __init__(self, connection: Connection[Any], index: int) -> None:
        self.connection = connection
        self.index = index


def build_schema(nodes: list[NodeView]) -> GraphQLSchema:
    """Return the schema: one root field a package, one field in it a node."""
    builder = _Builder()
    packages: dict[str, dict[str, GraphQLField]] = {}
    for view in nodes:
        packages.setdefault(view.node.package, {})[view.node.name] = builder.node(view)
    roots = {
        name: GraphQLField(GraphQLNonNull(GraphQLObjectType(pascal(name), fields)), resolve=lambda *_: ())
        for name, fields in packages.items()
    }
    return GraphQLSchema(GraphQLObjectType("RootQuery", roots))


class _Builder:
    def __init__(self) -> None:
        self.scalars: dict[str, GraphQLOutputType] = {
            "String": GraphQLString,
            "Boolean": GraphQLBoolean,
            "Int": GraphQLInt,
            "Integer": _scalar("Integer", "Whole number"),
            "Decimal": _scalar("Decimal", "Exact decimal number, as text"),
            "Date": _scalar("Date", "YYYY-MM-DD"),
            "Datetime": _scalar("Datetime", "ISO 8601, UTC"),
            "Id": _scalar("Id", "Natural key"),
        }
        self.enums: dict[str, GraphQLEnumType] = {}
        self.page_info = GraphQLObjectType(
            "PageInfo",
            {
                "hasNextPage": _field(GraphQLBoolean, lambda c, _: c.has_next),
                "hasPreviousPage": _field(GraphQLBoolean, lambda c, _: c.has_previous),
                "startCursor": _field(GraphQLString, lambda c, _: c.cursor(0)),
                "endCursor": _field(GraphQLString, lambda c, _: c.cursor(-1)),
            },
        )
        self.dimension: GraphQLObjectType | None = None

    def node(self, view: NodeView) -> GraphQLField:
        shape = view.shape
        type_ = self.shape_type(shape)
        operations = GraphQLObjectType(
            f"{shape.name}_Operations",
            {
                "query": GraphQLField(
                    self.connection(shape.name, type_), QUERY_ARGUMENTS, resolve=_query_resolver(view)
                ),
                "read": GraphQLField(
                    type_,
                    {"_id": GraphQLArgument(GraphQLNonNull(GraphQLString))},
                    resolve=_read_resolver(view),
                ),
            },
        )
        return GraphQLField(operations, resolve=lambda *_: (), description=f"{shape.name} ({shape.title})")

    def connection(self, name: str, type_: GraphQLObjectType) -> GraphQLObjectType:
        edge = GraphQLObjectType(
            f"{name}_Edge",
            {
                "cursor": _field(GraphQLString, lambda edge, _: edge.connection.cursor(edge.index)),
                "node": _field(type_, lambda edge, _: edge.connection.items[edge.index]),
            },
        )
        return GraphQLObjectType(
            f"{name}_Connection",
            {
                "totalCount": _field(GraphQLInt, lambda c, _: c.total),
                "edges": _field(GraphQLList(edge), lambda c, _: [_Edge(c, n) for n in range(len(c.items))]),
                "pageInfo": _field(self.page_info, lambda c, _: c),
            },
        )

    def shape_type(self, shape: Shape) -> GraphQLObjectType:
        fields = {
            "_id": _field(self.scalars["Id"], lambda document, _: shape.identifier(document.row)),
            "_etag": _field(GraphQLString, lambda document, _: document.row.get(STAMP)),
        }
        for name, column in STAMP_COLUMNS.items():
            fields[name] = self.leaf([column])
        for name, item in shape.properties.items():
            fields[name] = self.property(shape.name, name, item)
        if shape.dimensions is not None:
            fields[shape.dimensions.path] = self.dimensions(shape.dimensions)
        for name, collection in shape.collections.items():
            fields[name] = self.collection(collection)
        return GraphQLObjectType(shape.name, fields, description=f"{shape.name} ({shape.title})")

    def property(self, owner: str, name: str, item: Property) -> GraphQLField:
        if not item.members:
            return self.leaf(item.columns)
        # the type of a reference is not shared between nodes: only what this node shows of it is known
        type_name = f"{owner}_{pascal(name)}"
        fields = {inner: self.property(type_name, inner, member) for inner, member in item.members.items()}
        columns = first_leaf(item).columns
        if "_id" not in fields:
            fields["_id"] = _field(self.scalars["Id"], lambda document, _: stored(document.row, columns))
        names = ", ".join(column.name for column in columns)

        def resolve(document: Document, _: Info) -> Document | None:
            """An empty code is no reference: null [I]."""
            return document if stored(document.row, columns) not in {None, ""} else None

        return GraphQLField(
            GraphQLObjectType(type_name, fields), resolve=resolve, description=f"{columns[0].text} ({names})"
        )

    def leaf(self, columns: list[Column]) -> GraphQLField:
        column = columns[0]
        names = ", ".join(item.name for item in columns)
        description = f"{column.text} ({names})"
        return GraphQLField(self.type_of(column), resolve=_leaf_resolver(columns), description=description)

    def type_of(self, column: Column) -> GraphQLOutputType:
        if column.menu_name:
            name = f"{column.menu_name}Enum"
            if name not in self.enums:
                self.enums[name] = _Menu(name, {item: number for number, item in enumerate(column.menu, 1)})
            return self.enums[name]
        return self.scalars["Integer" if column.graphql_type == "Int" else column.graphql_type]

    def collection(self, collection: Collection) -> GraphQLField:
        shape = collection.shape
        connection = self.connection(shape.name, self.shape_type(shape))
        type_ = GraphQLObjectType(
            f"{shape.name}_Collection",
            {"query": GraphQLField(connection, QUERY_ARGUMENTS, resolve=_nested_resolver(shape))},
        )
        return GraphQLField(
            type_, resolve=lambda document, _: items(document, collection), description=shape.title
        )

    def dimensions(self, dimensions: Dimensions) -> GraphQLField:
        """A denormalized collection: one item a numbered pair [D]; pairs without a type are left out [I]."""
        if self.dimension is None:
            self.dimension = self.dimension_type()
        type_ = self.dimension
        pairs = dimensions.pairs()

        def resolve(document: Document, _: Info) -> list[dict[str, Value]]:
            row = document.row
            return [
                {"index": index, "type": row[kind], "value": row.get(value, "")}
                for index, kind, value in pairs
                if row.get(kind)
            ]

        return GraphQLField(
            type_, resolve=resolve, description=f"Dimensions ({dimensions.type}, {dimensions.value})"
        )

    def dimension_type(self) -> GraphQLObjectType:
        def reference(name: str, column: str) -> GraphQLField:
            fields = {part: _field(GraphQLString, lambda item, _: item[column]) for part in ("code", "_id")}
            type_ = GraphQLObjectType(f"DenormalizedDimension_{name}", fields)
            return _field(type_, lambda item, _: item if item[column] else None)

        item = GraphQLObjectType(
            "DenormalizedDimension",
            {
                "denormalizedIndex": _field(GraphQLInt, lambda item, _: item["index"]),
                "dimensionType": reference("DimensionType", "type"),
                "dimension": reference("Dimension", "value"),
            },
        )
        connection = self.connection("DenormalizedDimension", item)
        query = GraphQLField(connection, QUERY_ARGUMENTS, resolve=_dimension_resolver)
        return GraphQLObjectType("DenormalizedDimension_Collection", {"query": query})


QUERY_ARGUMENTS = {
    "first": GraphQLArgument(GraphQLInt),
    "after": GraphQLArgument(GraphQLString),
    "last": GraphQLArgument(GraphQLInt),
    "before": GraphQLArgument(GraphQLString),
    "filter": GraphQLArgument(GraphQLString),
    "orderBy": GraphQLArgument(GraphQLString),
}


def _field(type_: GraphQLOutputType, resolve: Resolver) -> GraphQLField:
    return GraphQLField(type_, resolve=resolve)


def _leaf_resolver(columns: list[Column]) -> Resolver:
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


def _query_resolver(view: NodeView) -> Resolver:
    shape, selector = view.shape, view.selector

    def resolve(_source: object, _info: Info, **arguments: Any) -> Connection[Document]:  # noqa: ANN401 - by the schema
        filter_text, order_text = arguments.pop("filter", None), arguments.pop("orderBy", None)
        condition = compile_filter(filter_text, shape)
        order = compile_order(order_text, shape)
        selection = selector.select(filter_text or "", condition.columns, condition.matches, order)
        page = paginate(
            selection.keys, selection.found, Arguments(**arguments), order, MAX_PAGE, lambda _: []
        )
        documents = [store.document(entry) for store, entry in page.items]
        return Connection(documents, page.start, page.total, _sort_values(tuple(c for c, _ in order)))

    return resolve


def _sort_values(columns: tuple[str, ...]) -> Callable[[Document], list[Value]]:
    def values(document: Document) -> list[Value]:
        row = document.row
        return [row.get(column, "") for column in columns]

    return values


def _read_resolver(view: NodeView) -> Resolver:
    selector: Selector = view.selector

    def resolve(_source: object, _info: Info, _id: str) -> Document | None:
        for store in selector.stores:
            entry = store.by_key.get(tuple(_id.split("|"))) or _search(store, _id)
            if entry is not None:
                return store.document(entry)
        return None

    return resolve


def _search(store: Store, identifier: str) -> Entry | None:
    """Find a record whose key holds numbers, or a text with `|`."""
    found = (entry for entry in store.by_key.values() if "|".join(map(str, entry.key)) == identifier)
    return next(found, None)


def _nested_resolver(shape: Shape) -> Resolver:
    def resolve(lines: list[Document], _info: Info, **arguments: Any) -> Connection[Document]:  # noqa: ANN401 - by the schema
        condition = compile_filter(arguments.pop("filter", None), shape)
        order = compile_order(arguments.pop("orderBy", None), shape)
        columns = [column for column, _ in order]
        values = _sort_values(tuple(columns))
        pairs = sorted(
            ((sort_key(values(line), order), line) for line in lines if condition.matches(line.row)),
            key=lambda pair: pair[0],
        )
        keys, found = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        return paginate(keys, found, Arguments(**arguments), order, MAX_NESTED_PAGE, values)

    return resolve


def _dimension_resolver(found: list[Row], _info: Info, **arguments: Any) -> Connection[Row]:  # noqa: ANN401 - by the schema
    for name in ("filter", "orderBy"):
        if arguments.pop(name, None):
            msg = f"{name} is not supported on a denormalized collection"
            raise ValueError(msg)
    order = (("index", False),)
    keys = [sort_key([row["index"]], order) for row in found]
    return paginate(keys, found, Arguments(**arguments), order, MAX_NESTED_PAGE, lambda row: [row["index"]])
