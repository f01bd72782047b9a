"""Scalars of the schema. Their values are passed on as they are, also one that does not fit: faults show."""

from __future__ import annotations

from graphql import GraphQLError, GraphQLInt, GraphQLScalarType

from local_x3.graphql.words import in_words


def _identity(value: object) -> object:
    return value


def _identifier(value: object) -> str:
    if not isinstance(value, str):
        msg = f"Id cannot represent a value that is no text: {in_words(value)}"
        raise GraphQLError(msg)
    return value


INT = GraphQLScalarType(
    "AnyInt",
    coerce_output_value=_identity,
    coerce_input_value=GraphQLInt.coerce_input_value,
    coerce_input_literal=GraphQLInt.coerce_input_literal,
    description=GraphQLInt.description,
)
INT.name = "Int"  # a type of this name cannot be made, and the one there is hides what a test has put there
ID = GraphQLScalarType(
    "Id", coerce_output_value=_identity, coerce_input_value=_identifier, description="Natural key, as text"
)
DECIMAL, DATE, DATETIME = (
    GraphQLScalarType(name, coerce_output_value=_identity, description=description)
    for name, description in (
        ("Decimal", "Exact decimal number, as text"),
        ("Date", "YYYY-MM-DD"),
        ("Datetime", "ISO 8601, UTC"),
    )
)
