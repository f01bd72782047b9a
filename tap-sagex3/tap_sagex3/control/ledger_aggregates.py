"""Ledger totals that GraphQL computes, where the site has a node of ledger lines.

Two queries: lines and amounts by group and sign; entries by group and entry type, since entry numbers are
unique within their type only.
"""

from __future__ import annotations

import typing as t

from tap_sagex3.control.ledger import GROUP, SIGN, Totals
from tap_sagex3.declarations import GraphqlSource
from tap_sagex3.errors import ApiError
from tap_sagex3.graphql.client import connection_of, next_cursor, nodes_of
from tap_sagex3.graphql.query import Selection
from tap_sagex3.reading import ItemGuard
from tap_sagex3.values import MisfitError, converter
from tap_sagex3.wire import walk

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_sagex3.declarations import Field, StreamDeclaration
    from tap_sagex3.graphql.client import GraphqlClient
    from tap_sagex3.values import Converter

PACKAGE, NODE, REFERENCE = "x3FinanceData", "journalEntryLine", "journalEntry"
"""Node of ledger lines and its reference to the entry; not public, inferred from Sage's naming style."""
GROUPS_AT_ONCE = 500

Node = dict[str, t.Any]
Groups = dict[tuple[t.Any, ...], Totals]


def aggregated(client: GraphqlClient, narrow: StreamDeclaration, options: Mapping[str, t.Any]) -> Groups:
    """Totals by group.

    Raises:
        NotReadableError: the site has no such node, or not with these properties.
        ApiError: a total is not a number.
    """
    node = GraphqlSource(options.get("package") or PACKAGE, options.get("node") or NODE, ())
    fields = {field.name: field for field in narrow.fields}
    paths = {name: t.cast("str", fields[name].graphql_path(None)) for name in (*GROUP, SIGN)}
    found: Groups = {}
    amount = fields["amountInLedgerCurrency"].graphql_path(None)
    values = f"{amount}{{sum}} internalNumber{{distinctCount}}"
    for group, value in _pages(client, node, [*paths.values()], values):
        totals = found.setdefault(_key(fields, paths, group), Totals())
        totals.lines += _number(value, ("internalNumber", "distinctCount"))
        convert = converter(fields["amountInLedgerCurrency"], "graphql")
        totals.add(group.get(paths[SIGN]), _converted(convert, walk(value, (t.cast("str", amount), "sum"))))
    entry_type = f"{REFERENCE}.entryType"
    values = f"{REFERENCE}{{id{{distinctCount}}}}"
    for group, value in _pages(client, node, [*(paths[name] for name in GROUP), entry_type], values):
        totals = found.setdefault(_key(fields, paths, group), Totals())
        totals.documents += _number(value, (REFERENCE, "id", "distinctCount"))
    return found


def _pages(
    client: GraphqlClient, node: GraphqlSource, paths: list[str], values: str
) -> Iterator[tuple[Node, Node]]:
    """Groups and their values, of all pages."""
    selection = Selection()
    for path in paths:
        selection.add(path)
    inner = (
        f"edges{{node{{group{{{selection.text()}}} values{{{values}}}}}}} pageInfo{{hasNextPage endCursor}}"
    )
    head = "query($first:Int,$after:String)"
    query = f"{head}{{{node.package}{{{node.node}{{queryAggregate(first:$first,after:$after){{{inner}}}}}}}}}"
    seen: set[str] = set()
    guard = ItemGuard(f"The list of groups of {node.node}")
    cursor: str | None = None
    while True:
        found, _ = client.run(query, {"first": GROUPS_AT_ONCE, "after": cursor}, node)
        connection = connection_of(found, "queryAggregate")
        edges = nodes_of(connection)
        guard.check(str(edge["group"]) for edge in edges)
        for edge in edges:
            yield edge["group"], edge["values"]
        cursor = next_cursor(connection, seen)
        if cursor is None:
            return


def _key(fields: Mapping[str, Field], paths: Mapping[str, str], group: Node) -> tuple[t.Any, ...]:
    """The group as the stream of ledger lines would carry its columns."""
    key = []
    for name in GROUP:
        value = walk(group, tuple(paths[name].split(".")))
        empty = "" if fields[name].type == "text" else None
        key.append(empty if value is None else _converted(converter(fields[name], "graphql"), value))
    return tuple(key)


def _number(value: Node, path: tuple[str, ...]) -> int:
    found = walk(value, path)
    if not isinstance(found, int):
        msg = f"GraphQL counts {found!r} in {'.'.join(path)} of the ledger, expected a number."
        raise ApiError(msg)
    return found


def _converted(convert: Converter, value: t.Any) -> t.Any:  # noqa: ANN401 - JSON
    try:
        return convert(value)
    except (MisfitError, TypeError) as error:
        msg = f"GraphQL gave {value!r} in totals of the ledger: {error}."
        raise ApiError(msg) from error
