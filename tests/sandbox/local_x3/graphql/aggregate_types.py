"""The types of `readAggregate` and `queryAggregate`: `edges{node{group{...} values{...}}}` [D]."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLList,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLString,
)

from local_x3.graphql import resolvers
from local_x3.graphql.aggregates import functions_of
from local_x3.graphql.nodes import Property, Shape, first_leaf, pascal
from local_x3.graphql.paging import edges
from local_x3.graphql.scalars import INT
from local_x3.graphql.values import STAMP_COLUMNS
from local_x3.model import Document

if TYPE_CHECKING:
    from local_x3.declarations import Column
    from local_x3.graphql.resolvers import Rows
    from local_x3.graphql.schema import SchemaBuilder

PAGING = {
    "first": GraphQLArgument(INT),
    "after": GraphQLArgument(GraphQLString),
    "last": GraphQLArgument(INT),
    "before": GraphQLArgument(GraphQLString),
}
FILTER = {"filter": GraphQLArgument(GraphQLString)}
QUERY = {**PAGING, **FILTER, "orderBy": GraphQLArgument(GraphQLString)}


class AggregateTypes:
    """Makes the aggregate types of shapes."""

    def __init__(self, builder: SchemaBuilder) -> None:
        """Use the leaf types of `builder`."""
        self.builder = builder
        self._of_leaf: dict[str, GraphQLObjectType] = {}
        self._of_shape: dict[str, tuple[GraphQLObjectType, GraphQLObjectType]] = {}

    def operations(self, shape: Shape, rows: Rows, cap: int) -> dict[str, GraphQLField]:
        """Return the two aggregate operations of a node or a collection."""
        if shape.name not in self._of_shape:
            self._of_shape[shape.name] = self._types(shape)
        values, connection = self._of_shape[shape.name]
        return {
            "readAggregate": GraphQLField(values, FILTER, resolve=resolvers.read_aggregate(rows, shape)),
            "queryAggregate": GraphQLField(
                connection, QUERY, resolve=resolvers.query_aggregate(rows, shape, cap)
            ),
        }

    def _types(self, shape: Shape) -> tuple[GraphQLObjectType, GraphQLObjectType]:
        """Return the types of aggregate values and of a list of groups."""
        values = self.values(f"{shape.name}_Aggregate", _properties(shape))
        group = self.group(f"{shape.name}_Group", _properties(shape))
        item = GraphQLObjectType(
            f"{shape.name}_AggregateNode",
            {
                "group": GraphQLField(group, resolve=lambda found, _: Document(found.row)),
                "values": GraphQLField(values, resolve=lambda found, _: found.tally),
            },
        )
        edge = GraphQLObjectType(
            f"{shape.name}_AggregateEdge",
            {
                "cursor": GraphQLField(GraphQLString, resolve=lambda e, _: e.connection.cursor(e.index)),
                "node": GraphQLField(item, resolve=lambda e, _: e.connection.items[e.index]),
            },
        )
        connection = GraphQLObjectType(
            f"{shape.name}_AggregateConnection",
            {
                "edges": GraphQLField(GraphQLList(edge), resolve=lambda found, _: edges(found)),
                "pageInfo": GraphQLField(self.builder.page_info, resolve=_itself),
            },
        )
        return values, connection

    def values(self, name: str, properties: dict[str, Property]) -> GraphQLObjectType:
        """Return the type of aggregate values: one member a property."""
        fields: dict[str, GraphQLField] = {}
        for inner, item in properties.items():
            if item.stream:
                continue
            if item.members:
                type_ = self.values(f"{name}_{pascal(inner)}", item.members)
                fields[inner] = GraphQLField(type_, resolve=_itself)
            else:
                fields[inner] = GraphQLField(
                    self.leaf_values(item.columns[0]), resolve=_with_columns(item.columns)
                )
        return GraphQLObjectType(name, fields)

    def leaf_values(self, column: Column) -> GraphQLObjectType:
        """Return the type of the aggregates of a property, shared by all properties of its type."""
        offered = functions_of(column)
        type_ = self.builder.type_of(column)
        name = "Other" if len(offered) == 1 else column.graphql_type
        if name not in self._of_leaf:
            results: dict[str, GraphQLOutputType] = {
                "min": type_, "max": type_, "sum": self.builder.scalars["Decimal"],
                "avg": self.builder.scalars["Decimal"], "distinctCount": INT,
            }  # fmt: skip
            self._of_leaf[name] = GraphQLObjectType(
                f"{name}_AggregateValues",
                {
                    function: GraphQLField(results[function], resolve=_result(function))
                    for function in offered
                },
            )
        return self._of_leaf[name]

    def group(self, name: str, properties: dict[str, Property]) -> GraphQLObjectType:
        """Return the type of group values."""
        fields: dict[str, GraphQLField] = {}
        for inner, item in properties.items():
            if item.stream:
                continue
            if not item.members:
                fields[inner] = self.builder.leaf(item.columns)
                continue
            type_ = self.group(f"{name}_{pascal(inner)}", item.members)
            if not item.key:
                type_.fields.setdefault("_id", self.builder.identifier_leaf(first_leaf(item).columns))
            fields[inner] = GraphQLField(
                type_, resolve=resolvers.reference(Property(item.columns, item.members, key=item.key))
            )
        return GraphQLObjectType(name, fields)


def _properties(shape: Shape) -> dict[str, Property]:
    stamps = {name: Property([column]) for name, column in STAMP_COLUMNS.items()}
    return {**shape.properties, **stamps}


def _itself(found: object, _: object) -> object:
    return found


def _with_columns(columns: list[Column]) -> resolvers.Resolver:
    return lambda tally, _: (tally, columns[0].name)


def _result(function: str) -> resolvers.Resolver:
    return lambda found, _: found[0].result(found[1], function)
