"""Dimensions of a wire object: an array of them, and a column for each dimension type. Pure."""

from __future__ import annotations

import typing as t

from tap_sagex3.dimensions import numbered_columns
from tap_sagex3.wire import Node, children, walk

if t.TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from tap_sagex3.declarations import Field
    from tap_sagex3.numbered import Filler, Misfits


def dimension_filler(
    field: Field, api: str, selected: Collection[str], dimensions: Mapping[str, str]
) -> Filler:
    """A function that fills the array of dimensions and the column of each known dimension type.

    `selected` are the columns to fill; `dimensions` gives the column of each type.
    """
    pairs = _graphql_pairs(field) if api == "graphql" else _rest_pairs(field)
    columns = {code: column for code, column in dimensions.items() if column in selected}
    name = field.name if field.name in selected else None

    def fill(node: Node, row: Node, _: Misfits) -> None:
        found = pairs(node)
        if name:
            row[name] = [{"index": index, "type": code, "value": value} for index, code, value in found]
        for _, code, value in reversed(found):
            column = columns.get(code)
            if column is not None:
                row[column] = value

    return fill


def _rest_pairs(field: Field) -> Callable[[Node], list[tuple[int, t.Any, t.Any]]]:
    numbered = numbered_columns(field.dimensions) if field.dimensions else []

    def pairs(node: Node) -> list[tuple[int, t.Any, t.Any]]:
        found = []
        for index, type_column, value_column in numbered:
            value = node.get(value_column)
            if value:
                found.append((index, node.get(type_column) or "", value))
        return found

    return pairs


def _graphql_pairs(field: Field) -> Callable[[Node], list[tuple[int, t.Any, t.Any]]]:
    collection = t.cast("str", field.graphql)

    def pairs(node: Node) -> list[tuple[int, t.Any, t.Any]]:
        found = []
        for item in children(node, collection, "graphql"):
            value = walk(item, ("dimension", "code"))
            if value:
                found.append((item["denormalizedIndex"], walk(item, ("dimensionType", "code")) or "", value))
        return sorted(found, key=lambda pair: pair[0])

    return pairs
