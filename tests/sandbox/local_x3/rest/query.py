"""`$query`: filtered, sorted, keyset-paged lists."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from local_x3.errors import RestError
from local_x3.ordering import Order, SortKey, sort_key
from local_x3.rest.facets import envelope, query_columns, where_types
from local_x3.rest.keys import parse_key, write_key
from local_x3.rest.where import compile_where

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from local_x3.model import Entry
    from local_x3.store import Selection, Selector, Store

DEFAULT_COUNT = 20  # [D]
MAX_COUNT = 1000  # the real cap is not published [?]
PARAMETERS = frozenset({"representation", "count", "where", "orderBy", "key"})
NO_CONDITION: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Page:
    """A slice of a selection."""

    start: int
    stop: int


def run_query(
    store: Store, selector: Selector, parameters: Mapping[str, str], stamps: tuple[str, ...], base: str
) -> dict[str, object]:
    """Answer one `$query` request.

    Args:
        store: the class asked for.
        selector: the same store, with its remembered selections.
        parameters: decoded query parameters.
        stamps: the change stamps that the class exposes.
        base: URL of the endpoint, for absolute links.
    """
    unknown = sorted(set(parameters) - PARAMETERS)
    if unknown:  # what X3 does with others is unknown; ignoring them would hide a lost filter [?]
        raise RestError(400, f"Unknown parameter {unknown[0]}; known: {', '.join(sorted(PARAMETERS))}")
    source = store.source
    columns = query_columns(source, stamps)
    kinds = where_types(source, columns)
    order = parse_order(parameters.get("orderBy", ""), kinds) or tuple(
        (column, False) for column in source.key
    )
    text = parameters.get("where", "")
    where = compile_where(text, kinds) if text else None
    selection = selector.select(
        text, where.columns if where else NO_CONDITION, where.matches if where else None, order
    )
    count = page_size(parameters.get("count"))
    page = cut(selection, parameters.get("key"), count, order, kinds)
    found = selection.found[page.start : page.stop]
    body: dict[str, object] = {
        "$itemsPerPage": count,
        "$resources": [_resource(owner, entry, columns, base) for owner, entry in found],
    }
    links = _links(parameters, base, store, count)
    # A full page has a $next even when nothing follows it: whether X3 looks ahead is unknown [?].
    if len(found) == count:
        last = _sort_values(*found[-1], order)
        links["$next"] = _link(parameters, base, store, count, f"gt.{write_key(last)}")
    body["$links"] = links
    return body


def parse_order(text: str, kinds: Mapping[str, str]) -> Order:
    """Read `A desc, B asc`; only properties of the query facet [D]."""
    order: list[tuple[str, bool]] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        match = re.fullmatch(r"([A-Za-z_][A-Za-z0-9_]*)(?:\s+(asc|desc))?", part)
        if match is None:
            raise RestError(400, f"orderBy is not a list of properties: {text}")
        if match.group(1) not in kinds:
            raise RestError(500, f"Property {match.group(1)} does not exist in the query facet")
        order.append((match.group(1), match.group(2) == "desc"))
    return tuple(order)


def page_size(text: str | None) -> int:
    """Return the page size: the default, or what is asked for up to the cap [D]."""
    if text is None:
        return DEFAULT_COUNT
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise RestError(400, f"count is not a positive number: {text}")
    return min(int(text), MAX_COUNT)


def cut(selection: Selection, key: str | None, count: int, order: Order, kinds: Mapping[str, str]) -> Page:
    """Find the page that `key=OP.VALUES` asks for.

    The values are those of the sort properties and nothing else: rows that share all of them with the last
    row of a page are not on the next one. Whether X3 adds the record's key itself is unknown [?].
    """
    size = len(selection.keys)
    if key is None:
        return Page(0, count)
    match = re.fullmatch(r"(gt|ge|lt|le)(?:\.(.*))?", key, flags=re.DOTALL)
    if match is None:
        raise RestError(400, f"key is not gt.V, ge.V, lt.V or le.V: {key}")
    name, text = match.groups()
    forward = name in {"gt", "ge"}
    if text is None:
        return Page(0, count) if forward else Page(max(size - count, 0), size)
    columns = [column for column, _ in order]
    wanted = sort_key(parse_key(text, columns, kinds), order)
    position = _position(selection.keys, wanted, after=name in {"gt", "le"})
    return Page(position, position + count) if forward else Page(max(position - count, 0), position)


def _position(keys: Sequence[SortKey], wanted: SortKey, *, after: bool) -> int:
    return bisect_right(keys, wanted) if after else bisect_left(keys, wanted)


def _sort_values(store: Store, entry: Entry, order: Order) -> list[str | int]:
    row = store.row(entry, [column for column, _ in order])
    return [
        value if isinstance(value := row.get(column, ""), (str, int)) else str(value) for column, _ in order
    ]


def _resource(store: Store, entry: Entry, columns: tuple[str, ...], base: str) -> dict[str, object]:
    row = store.header(entry)
    resource = envelope(row, store.source, entry.key, base)
    for column in columns:
        if column in row:
            resource[column] = row[column]
    return resource


def _links(parameters: Mapping[str, str], base: str, store: Store, count: int) -> dict[str, object]:
    return {
        "$first": _link(parameters, base, store, count, "gt"),
        "$last": _link(parameters, base, store, count, "lt"),
    }


def _link(parameters: Mapping[str, str], base: str, store: Store, count: int, key: str) -> dict[str, str]:
    """Return an absolute link with the request's own filter and order [D]."""
    kept = {name: parameters[name] for name in ("where", "orderBy") if name in parameters}
    tail = "".join(f"&{name}={quote(value, safe='')}" for name, value in {**kept, "key": key}.items())
    head = f"{base}/{store.source.rest_class}?representation={store.source.representation}.$query"
    return {"$url": f"{head}{tail}&count={count}", "$type": "application/json", "$method": "GET"}
