"""`$query` and `$lookup`: filtered, sorted, keyset-paged lists."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from local_x3.errors import RestError
from local_x3.ordering import Order, SortKey, sort_key
from local_x3.rest.facets import Place, envelope, where_types
from local_x3.rest.keys import parse_key, write_key
from local_x3.rest.parameters import LEGACY_LIST, LIST, check_known, page_size, positive
from local_x3.rest.quirks import check_quirks
from local_x3.rest.where import Part, Predicate, Scope, Where, compile_where

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from local_x3.model import Entry
    from local_x3.rest.site import Site
    from local_x3.store import Selection, Selector, Store

KEPT = ("where", "orderBy", "filter")
ORDER_PART = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?:\s+(asc|desc))?", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class View:
    """What a list request sees of a class."""

    store: Store
    selector: Selector  # the same store, with its remembered selections
    columns: tuple[str, ...]
    here: Place
    link: str  # absolute URL of the list up to the facet
    site: Site
    scope: Scope
    legacy: bool  # /sdata/, which also pages with startIndex


@dataclass(frozen=True, slots=True)
class Page:
    """A slice of a selection: the records from `start` up to and without `stop`."""

    start: int
    stop: int


def run_query(view: View, parameters: Mapping[str, str]) -> dict[str, object]:
    """Answer one list request.

    Raises:
        RestError: a parameter is wrong.
    """
    check_known(parameters, LEGACY_LIST if view.legacy else LIST)
    kinds = view.scope.kinds
    order = parse_order(parameters.get("orderBy", ""), kinds) or tuple(
        (column, False) for column in view.store.source.key
    )
    conditions = [*_predefined(view, parameters.get("filter")), *_condition(view, parameters.get("where"))]
    selection = _select(view.selector, conditions, order)
    count = page_size(parameters.get("count"))
    page = _page(selection, parameters, count, order, kinds)
    found = selection.found[page.start : page.stop]
    body: dict[str, object] = {
        "$itemsPerPage": count,
        "$resources": [_resource(owner, entry, view.columns, view.here) for owner, entry in found],
    }
    links = _links(view, parameters, found, page, order)
    if "$next" in links or not view.site.bare_last_page:
        body["$links"] = links
    return body


def _condition(view: View, text: str | None) -> list[Where]:
    """Compile `where`, when there is one; an empty text is no condition [?]."""
    if text is None:
        return []
    where = compile_where(text, view.scope)
    check_quirks(text, view.site.quirks, view.store.light_columns)
    return [where]


def _predefined(view: View, code: str | None) -> list[Where]:
    """Compile the predefined filter of a code; it may use every column of the class [I]."""
    if code is None:
        return []
    source = view.store.source
    text = view.site.filters.get(source.rest_class, {}).get(code)
    if text is None:
        raise RestError(400, f"Filter {code} not found for class {source.rest_class}")
    known = where_types(source, (*source.level.columns, *view.columns))
    return [compile_where(text, Scope(known, view.scope.now))]


def _select(selector: Selector, conditions: list[Where], order: Order) -> Selection:
    """Select what meets all conditions; parts on key and stamps are looked at before a document is built."""
    light = selector.stores[0].light_columns
    parts = [part for where in conditions for part in where.parts]
    first = _all([part for part in parts if part.columns <= light])
    others = [part for part in parts if not part.columns <= light]
    columns: frozenset[str] = frozenset().union(*(part.columns for part in others))
    return selector.select(tuple(where.name for where in conditions), columns, _all(others), order, first)


def _all(parts: list[Part]) -> Predicate | None:
    tests = [part.matches for part in parts]
    if len(tests) < 2:
        return tests[0] if tests else None
    return lambda row: all(test(row) for test in tests)


def parse_order(text: str, kinds: Mapping[str, str]) -> Order:
    """Read `A desc, B asc` or, as one help page has it, `A;B Desc`; only properties of the facet [D]."""
    order: dict[str, bool] = {}
    for part in re.split("[,;]", text) if text else ():
        match = ORDER_PART.fullmatch(part.strip())
        if match is None or match.group(1) in order:
            raise RestError(400, f"orderBy is not a list of properties: {text}")
        if match.group(1) not in kinds:
            raise RestError(500, f"Property {match.group(1)} does not exist in the query facet")
        order[match.group(1)] = (match.group(2) or "").lower() == "desc"
    return tuple(order.items())


def _page(
    selection: Selection, parameters: Mapping[str, str], count: int, order: Order, kinds: Mapping[str, str]
) -> Page:
    if "startIndex" not in parameters:
        return cut(selection, parameters.get("key"), count, order, kinds)
    if "key" in parameters:
        raise RestError(400, "startIndex and key are two ways to page; give one")
    start = positive("startIndex", parameters["startIndex"]) - 1
    return Page(start, start + count)


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


def _resource(store: Store, entry: Entry, columns: tuple[str, ...], here: Place) -> dict[str, object]:
    row = store.header(entry)
    resource = envelope(row, entry.key, here)
    for column in columns:
        if column in row:
            resource[column] = row[column]
    return resource


def _links(
    view: View, parameters: Mapping[str, str], found: Sequence[tuple[Store, Entry]], page: Page, order: Order
) -> dict[str, object]:
    """Return absolute links with the request's own filter and order [D]."""
    count = page_size(parameters.get("count"))
    kept = "".join(f"&{name}={quote(parameters[name], safe='')}" for name in KEPT if name in parameters)

    def link(name: str, value: str) -> dict[str, str]:
        url = f"{view.link}{kept}&{name}={quote(value, safe='')}&count={count}"
        return {"$url": url, "$type": "application/json", "$method": "GET"}

    links: dict[str, object] = {"$first": link("key", "gt"), "$last": link("key", "lt")}
    indexed = "startIndex" in parameters
    if found and page.start > 0:
        before = _before(found[0], order)
        if indexed:
            links["$prev"] = link("startIndex", str(max(page.start - count, 0) + 1))
        elif before is not None:
            links["$prev"] = link("key", f"lt.{before}")
    # A full page has a $next even when nothing follows it: whether X3 looks ahead is unknown [?].
    if len(found) == count:
        following = (
            str(page.start + count + 1) if indexed else f"gt.{write_key(_sort_values(*found[-1], order))}"
        )
        links["$next"] = link("startIndex" if indexed else "key", following)
    return links


def _before(first: tuple[Store, Entry], order: Order) -> str | None:
    """Return the sort values of a page's first record; a way back that cannot be written is left out [?]."""
    try:
        return write_key(_sort_values(*first, order))
    except RestError:
        return None
