"""The Xtrem schema, built from the nodes and executed by graphql-core."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphql import (
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    GraphQLString,
)

from local_x3.graphql import resolvers
from local_x3.graphql.aggregate_types import QUERY, AggregateTypes
from local_x3.graphql.nodes import (
    INDEX,
    Collection,
    Denormalized,
    Property,
    Shape,
    described,
    first_leaf,
    items,
    key_columns,
    pascal,
    stored,
)
from local_x3.graphql.paging import MAX_NESTED_PAGE, MAX_PAGE, edges
from local_x3.graphql.references import title
from local_x3.graphql.scalars import DATE, DATETIME, DECIMAL, ID, INT
from local_x3.graphql.values import STAMP_COLUMNS, USERS
from local_x3.model import STAMP, Document, Value

if TYPE_CHECKING:
    from local_x3.declarations import Column, Dimensions
    from local_x3.graphql.nodes import NodeView
    from local_x3.graphql.resolvers import Info, Resolver


class _Menu(GraphQLEnumType):
    """An enum that shows an unknown menu number as it is stored."""

    def coerce_output_value(self, output_value: Any) -> Any:  # noqa: ANN401 - signature of graphql-core
        return output_value


def build_schema(nodes: list[NodeView]) -> GraphQLSchema:
    """Return the schema: one root field a package, one field in it a node."""
    builder = SchemaBuilder()
    packages: dict[str, dict[str, GraphQLField]] = {}
    for view in nodes:
        packages.setdefault(view.package, {})[view.name] = builder.node(view)
    roots = {
        name: GraphQLField(GraphQLNonNull(GraphQLObjectType(pascal(name), fields)), resolve=lambda *_: ())
        for name, fields in packages.items()
    }
    return GraphQLSchema(GraphQLObjectType("RootQuery", roots))


class SchemaBuilder:
    """Makes the types, each once."""

    def __init__(self) -> None:
        """Begin with the types that all nodes share."""
        self.scalars: dict[str, GraphQLOutputType] = {
            "String": GraphQLString,
            "Boolean": GraphQLBoolean,
            "Int": INT,
            "Decimal": DECIMAL,
            "Date": DATE,
            "Datetime": DATETIME,
        }
        self.id = ID
        self.enums: dict[str, GraphQLEnumType] = {}
        self.types: dict[str, GraphQLObjectType] = {}
        self.connections: dict[str, GraphQLObjectType] = {}
        self.aggregates = AggregateTypes(self)
        self.page_info = GraphQLObjectType(
            "PageInfo",
            {
                "hasNextPage": _field(GraphQLBoolean, lambda c, _: c.has_next),
                "hasPreviousPage": _field(GraphQLBoolean, lambda c, _: c.has_previous),
                "startCursor": _field(GraphQLString, lambda c, _: c.cursor(0)),
                "endCursor": _field(GraphQLString, lambda c, _: c.cursor(-1)),
            },
        )
        self.stream = GraphQLObjectType(
            "_OutputTextStream", {"value": _field(GraphQLString, lambda found, _: found["value"])}
        )
        self.user = GraphQLObjectType(
            "SysUser", {"_id": _field(self.id, lambda code, _: code)}, description="User of X3"
        )
        self.dimension: GraphQLObjectType | None = None

    def node(self, view: NodeView) -> GraphQLField:
        """Return a node with its operations."""
        shape = view.shape
        type_ = self.shape_type(shape)
        operations = GraphQLObjectType(
            f"{shape.name}_Operations",
            {
                "query": GraphQLField(
                    self.connection(shape.name, type_), QUERY, resolve=resolvers.query(view)
                ),
                "read": GraphQLField(
                    type_,
                    {"_id": GraphQLArgument(GraphQLNonNull(self.id))},  # `$id: Id!` in Sage's PHP sample [D]
                    resolve=resolvers.read(view),
                ),
                **self.aggregates.operations(shape, resolvers.node_rows(view), MAX_PAGE),
            },
        )
        return GraphQLField(operations, resolve=lambda *_: (), description=described(shape.name))

    def connection(self, name: str, type_: GraphQLObjectType) -> GraphQLObjectType:
        """Return the type of a list; a node of lines shares it with the collection."""
        if name not in self.connections:
            self.connections[name] = self._connection(name, type_)
        return self.connections[name]

    def _connection(self, name: str, type_: GraphQLObjectType) -> GraphQLObjectType:
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
                "totalCount": _field(INT, lambda c, _: c.total),
                "edges": _field(GraphQLList(edge), lambda c, _: edges(c)),
                "pageInfo": _field(self.page_info, lambda c, _: c),
            },
        )

    def shape_type(self, shape: Shape) -> GraphQLObjectType:
        """Return the type of a node or of the items of a collection."""
        if shape.name not in self.types:
            self.types[shape.name] = GraphQLObjectType(
                shape.name, lambda: self.fields(shape), description=described(shape.name)
            )
        return self.types[shape.name]

    def fields(self, shape: Shape) -> dict[str, GraphQLField]:
        """Return the system members [D], the properties and the collections of a shape."""
        fields = {
            "_id": _field(self.id, lambda document, _: shape.identifier(document.row)),
            "_etag": _field(GraphQLString, lambda document, _: document.row.get(STAMP)),
        }
        if shape.own_key:  # only what is sorted within a document is known to have one [?]
            fields["_sortValue"] = _field(
                INT, lambda document, _: _number(document.row.get(shape.own_key[0]))
            )
        for name, column in STAMP_COLUMNS.items():
            fields[name] = self.leaf([column])
        for name, column in USERS.items():
            fields[name] = self.user_reference(column)
        for name, item in shape.properties.items():
            fields[name] = self.property(shape.name, name, item)
        if shape.dimensions is not None:
            fields[shape.dimensions.path] = self.dimensions(shape.dimensions)
        for name, numbered in shape.denormalized.items():
            fields[name] = self.denormalized(numbered)
        for name, collection in shape.collections.items():
            fields[name] = self.collection(collection)
        return fields

    def user_reference(self, column: Column) -> GraphQLField:
        """Return a reference to a user: only its `_id` is known [I]."""
        return GraphQLField(
            self.user,
            resolve=lambda document, _: document.row.get(column.name) or None,
            description=f"{column.text} ({column.name})",
        )

    def property(self, owner: str, name: str, item: Property) -> GraphQLField:
        """Return a leaf, a text stream or a reference."""
        columns = first_leaf(item).columns
        description = _described(key_columns(item))
        if item.stream:
            return GraphQLField(self.stream, resolve=resolvers.stream(columns), description=description)
        if not item.members:
            return self.leaf(columns)
        type_ = (
            self.reference_type(owner, name, item)
            if item.target is None
            else self.shape_type(item.target.shape)
        )
        return GraphQLField(type_, resolve=resolvers.reference(item), description=description)

    def reference_type(self, owner: str, name: str, item: Property) -> GraphQLObjectType:
        """Return the type of a reference to a node that is not served: only what is known of it here."""
        type_name = f"{owner}_{pascal(name)}"
        fields = {inner: self.property(type_name, inner, member) for inner, member in item.members.items()}
        columns = first_leaf(item).columns
        fields.setdefault("_id", self.identifier_leaf(columns))
        member = item.text_member
        if member and member not in fields:
            fields[member] = _field(
                GraphQLString, lambda document, _: title(name, stored(document.row, columns))
            )
        return GraphQLObjectType(type_name, fields)

    def identifier_leaf(self, columns: list[Column]) -> GraphQLField:
        """Return the `_id` of a reference."""
        return _field(self.id, lambda document, _: stored(document.row, columns))

    def leaf(self, columns: list[Column]) -> GraphQLField:
        """Return a property with a value."""
        return GraphQLField(
            self.type_of(columns[0]), resolve=resolvers.leaf(columns), description=_described(columns)
        )

    def type_of(self, column: Column) -> GraphQLOutputType:
        """Return the type of a value."""
        if column.menu_name:
            name = f"{column.menu_name}Enum"
            if name not in self.enums:
                self.enums[name] = _Menu(name, {item: number for number, item in enumerate(column.menu, 1)})
            return self.enums[name]
        return self.scalars[column.graphql_type]

    def collection(self, collection: Collection) -> GraphQLField:
        """Return a collection of items."""
        shape = collection.shape
        connection = self.connection(shape.name, self.shape_type(shape))
        type_ = GraphQLObjectType(
            f"{shape.name}_Collection",
            {
                "query": GraphQLField(connection, QUERY, resolve=resolvers.lines(shape)),
                **self.aggregates.operations(shape, resolvers.line_rows(shape), MAX_NESTED_PAGE),
            },
        )
        return GraphQLField(
            type_,
            resolve=lambda document, _: items(document.children, collection),
            description=described(shape.name),
        )

    def denormalized(self, numbered: Denormalized) -> GraphQLField:
        """Return a denormalized collection: one item a number [D]."""
        shape = numbered.shape
        fields = {INDEX: _field(INT, lambda document, _: document.row[INDEX])}
        fields.update(
            (name, self.property(shape.name, name, item)) for name, item in shape.properties.items()
        )
        type_ = GraphQLObjectType(shape.name, fields, description=described(shape.name))
        return GraphQLField(
            self.denormalized_collection(shape.name, type_),
            resolve=lambda document, _: numbered.items(document.row),
            description=described(shape.name),
        )

    def denormalized_collection(self, name: str, item: GraphQLObjectType) -> GraphQLObjectType:
        """Return the type of a collection that can be listed, and nothing else."""
        connection = self.connection(name, item)
        query = GraphQLField(connection, QUERY, resolve=resolvers.denormalized)
        return GraphQLObjectType(f"{name}_Collection", {"query": query})

    def dimensions(self, dimensions: Dimensions) -> GraphQLField:
        """A denormalized collection: one item a numbered pair [D]; pairs without a type are left out [I]."""
        if self.dimension is None:
            self.dimension = self.dimension_type(dimensions)
        type_ = self.dimension
        pairs = dimensions.pairs()

        def resolve(document: Document, _: Info) -> list[Document]:
            row = document.row
            return [
                Document({INDEX: index, "type": row[kind], "value": row.get(value, "")})
                for index, kind, value in pairs
                if row.get(kind)
            ]

        return GraphQLField(type_, resolve=resolve, description=described("DenormalizedDimension"))

    def dimension_type(self, dimensions: Dimensions) -> GraphQLObjectType:
        """Return the type of the collection, the same for every owner."""

        def reference(name: str, column: str, x3: str) -> GraphQLField:
            fields = {
                part: _field(GraphQLString, lambda item, _: item.row[column]) for part in ("code", "_id")
            }
            type_ = GraphQLObjectType(f"DenormalizedDimension_{name}", fields)
            return GraphQLField(
                type_,
                resolve=lambda item, _: item if item.row[column] else None,
                description=f"{described(name).rpartition(' ')[0]} ({x3})",
            )

        item = GraphQLObjectType(
            "DenormalizedDimension",
            {
                INDEX: _field(INT, lambda item, _: item.row[INDEX]),
                "dimensionType": reference("DimensionType", "type", dimensions.type),
                "dimension": reference("Dimension", "value", dimensions.value),
            },
        )
        return self.denormalized_collection("DenormalizedDimension", item)


def _field(type_: GraphQLOutputType, resolve: Resolver) -> GraphQLField:
    return GraphQLField(type_, resolve=resolve)


def _described(columns: list[Column]) -> str:
    """Say what a property is and which X3 columns it shows, as Xtrem does: `Code (BPCNUM)` [C]."""
    return f"{columns[0].text} ({', '.join(column.name for column in columns)})"


def _number(value: Value | None) -> int | None:
    return value if isinstance(value, int) else None
