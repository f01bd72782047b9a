"""The list inside an answer, in one form for both APIs: rows, the way on, and the page size asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import msgspec
from graphql import (
    ArgumentNode,
    FieldNode,
    GraphQLError,
    StringValueNode,
    VariableNode,
    Visitor,
    parse,
    visit,
)

if TYPE_CHECKING:
    from local_x3.http_server import Request

DECODER = msgspec.json.Decoder(float_hook=Decimal)
ENCODER = msgspec.json.Encoder(decimal_format="number")
PAGE = 20  # rows of a page when the client does not say
AFTER = re.compile(r'after:\s*"((?:[^"\\]|\\.)*)"')


@dataclass(slots=True)
class Page:
    """A decoded answer and the place of its list."""

    body: dict[str, Any]
    holder: dict[str, Any]  # the object that holds the rows
    rows: str  # the member with the rows

    @property
    def items(self) -> list[Any]:
        """The rows."""
        found: list[Any] = self.holder[self.rows]
        return found

    def encoded(self) -> bytes:
        """Return the answer's body."""
        return ENCODER.encode(self.body)


def page_of(body: bytes) -> Page | None:
    """Find the list of an answer: `$resources`, or the outermost `edges` of a GraphQL answer."""
    try:
        decoded = DECODER.decode(body)
    except msgspec.DecodeError:
        return None
    if not isinstance(decoded, dict):
        return None
    if isinstance(decoded.get("$resources"), list):
        return Page(decoded, decoded, "$resources")
    holder = _edges(decoded.get("data"))
    return Page(decoded, holder, "edges") if holder is not None else None


def _edges(value: object) -> dict[str, Any] | None:
    if not isinstance(value, dict):
        return None
    if isinstance(value.get("edges"), list):
        return value
    return next((found for inner in value.values() if (found := _edges(inner)) is not None), None)


def next_url(page: Page) -> str | None:
    """Return the `$next` of a REST page."""
    link = page.body.get("$links", {}).get("$next")
    return str(link["$url"]) if link else None


def set_next_url(page: Page, url: str) -> None:
    """Replace the `$next` of a REST page, or give it one."""
    entry = {"$url": url, "$type": "application/json", "$method": "GET"}
    page.body.setdefault("$links", {})["$next"] = entry


def with_parameter(query: str, name: str, value: str) -> str:
    """Return a query string with one parameter replaced or added."""
    pairs = [(key, text) for key, text in parse_qsl(query, keep_blank_values=True) if key != name]
    return urlencode([*pairs, (name, value)], quote_via=quote)


def with_url_parameter(url: str, name: str, value: str) -> str:
    """Return a URL with one parameter of its query replaced or added."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query=with_parameter(parts.query, name, value)))


def size_of(request: Request) -> int:
    """Return the `count` that a REST request asks for."""
    text = dict(parse_qsl(request.query)).get("count", "")
    return int(text) if text.isascii() and text.isdigit() else PAGE


def what_is_listed(request: Request) -> str:
    """Name the list of a request: the same for all its pages."""
    if request.method == "GET":
        pairs = parse_qsl(request.query, keep_blank_values=True)
        return f"{request.path}?{sorted(pair for pair in pairs if pair[0] != 'key')}"
    decoded = _decoded(request)
    variables = decoded.get("variables") or {}
    kept = {
        name: value
        for name, value in variables.items()
        if name not in {"after", "cursor", "first"} and not isinstance(value, bool)  # of directives
    }
    return f"{AFTER.sub('', str(decoded.get('query')))} {sorted(kept.items(), key=str)}"


def cursor_of(request: Request) -> str | None:
    """Return the `after` that a GraphQL request sends for its outermost list."""
    decoded = _decoded(request)
    field = _outermost(str(decoded.get("query")))
    given = _argument(field, "after") if field is not None else None
    if given is None:
        return None
    if isinstance(given.value, VariableNode):
        value = (decoded.get("variables") or {}).get(given.value.name.value)
        return str(value) if value is not None else None
    return given.value.value if isinstance(given.value, StringValueNode) else None


def smaller(request: Request, size: int) -> Request:
    """Return the GraphQL request with another `first` for its outermost list."""
    decoded = _decoded(request)
    text = str(decoded.get("query"))
    field = _outermost(text)
    if field is None or field.name.loc is None:
        return request
    given = _argument(field, "first")
    start, end = field.name.loc.end, field.name.loc.end
    wanted = f"(first: {size})"
    if given is not None and given.loc is not None:
        start, end, wanted = given.loc.start, given.loc.end, f"first: {size}"
    elif field.arguments and field.arguments[0].loc is not None:
        start = end = field.arguments[0].loc.start
        wanted = f"first: {size}, "
    query = text[:start] + wanted + text[end:]
    unused = {given.value.name.value} if given and isinstance(given.value, VariableNode) else set()
    return replace(request, body=msgspec.json.encode(_without_variables({**decoded, "query": query}, unused)))


def _without_variables(decoded: dict[str, Any], names: set[str]) -> dict[str, Any]:
    """Drop the declaration of variables that are no longer used: GraphQL refuses it."""
    text = str(decoded["query"])
    for name in names:
        if not re.search(rf"\${name}\b(?!\s*:)", text):
            text = re.sub(rf"\${name}\s*:[^,)$]*,?", "", text, count=1)
    return {**decoded, "query": re.sub(r"^(\s*query\s*\w*\s*)\(\s*\)", r"\1", text)}


class _First(Visitor):
    """Finds the outermost field named `query`."""

    def __init__(self) -> None:
        super().__init__()
        self.field: FieldNode | None = None

    def enter_field(self, node: FieldNode, *_: object) -> None:
        """Keep the first one."""
        if self.field is None and node.name.value == "query":
            self.field = node


def _outermost(text: str) -> FieldNode | None:
    try:
        document = parse(text)
    except (GraphQLError, RecursionError):
        return None
    finder = _First()
    visit(document, finder)
    return finder.field


def _argument(field: FieldNode, name: str) -> ArgumentNode | None:
    return next((item for item in field.arguments or () if item.name.value == name), None)


def _decoded(request: Request) -> dict[str, Any]:
    try:
        decoded = DECODER.decode(request.body)
    except msgspec.DecodeError:
        return {}
    return decoded if isinstance(decoded, dict) else {}
