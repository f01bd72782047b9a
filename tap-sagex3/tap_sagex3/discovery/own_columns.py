"""Columns of a site's own (X, Y, Z) that no declared field covers, as fields for settings. Pure."""

from __future__ import annotations

import re
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tap_sagex3.declarations import StreamDeclaration
    from tap_sagex3.discovery.types import Members

Snippet = dict[str, t.Any]
_OWN = re.compile(r"[XYZ][A-Z0-9_]*")
_REFERENCE = "_REF"
_REST_TYPES = {
    "application/x-string": "text",
    "application/x-integer": "integer",
    "application/x-decimal": "decimal",
    "application/x-date": "date",
    "application/x-datetime": "datetime",
}
_GRAPHQL_TYPES = {
    "String": "text",
    "Int": "integer",
    "Decimal": "decimal",
    "Boolean": "boolean",
    "Date": "date",
    "Datetime": "datetime",
}


def of_rest(stream: StreamDeclaration, kind: str | None, shown: Mapping[str, t.Any]) -> list[Snippet]:
    """Fields for the own columns among the properties that REST shows of the stream's rows."""
    covered = _covered(stream, kind)
    return [
        {"name": column, "type": _REST_TYPES.get(_type_of(described), "text"), "x3": column}
        for column, described in sorted(shown.items())
        if _OWN.fullmatch(column) and column not in covered and not column.endswith(_REFERENCE)
    ]


def of_graphql(stream: StreamDeclaration, kind: str | None, members: Members) -> list[Snippet]:
    """Fields for the own columns among the properties of the stream's rows."""
    covered = _covered(stream, kind)
    return [
        {
            "name": member.name,
            "type": _GRAPHQL_TYPES.get(member.type_name, "text"),
            "x3": member.column,
            "graphql": member.name,
        }
        for member in members.values()
        if member.column and _OWN.fullmatch(member.column) and member.column not in covered
    ]


def without_doubles(snippets: Iterable[Snippet]) -> list[Snippet]:
    """Each column once, as several sources of a stream may show it."""
    return list({snippet["x3"]: snippet for snippet in snippets}.values())


def _covered(stream: StreamDeclaration, kind: str | None) -> set[str | None]:
    keys = {field.x3_column(kind) for field in stream.fields}
    return keys | {column.rstrip("0123456789") for column in keys if column}


def _type_of(described: object) -> str:
    return str(described.get("$type")) if isinstance(described, dict) else ""
