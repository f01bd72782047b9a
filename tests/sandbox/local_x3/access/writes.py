"""Nothing here may ever be written: which requests try to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import msgspec
from graphql import GraphQLError, OperationDefinitionNode, OperationType, parse

from local_x3.graphql.limits import MAX_TOKENS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local_x3.http_server import Request

READING = frozenset({"GET", "HEAD", "OPTIONS"})
ASKING = frozenset({"graphql", "gateway", "token"})  # kinds of requests that are made by POST
# Facets that open, change, make or delete a record, whatever the method: `$edit` alone begins a session.
WRITING_FACETS = frozenset({"$edit", "$create", "$update", "$delete", "$copy", "$save"})
HEX_LETTER = "%[4-7]"
ANY_FACET = re.compile("|".join([HEX_LETTER, *(name[1:] for name in WRITING_FACETS)]), re.IGNORECASE)
OVERRIDES = ("x-http-method-override", "x-http-method", "x-method-override")


def is_write(request: Request, kind: str) -> bool:
    """Say whether a request tries to write: by its method, its facet or a mutation in its body."""
    methods = {
        request.method,
        *(request.headers[name].upper() for name in OVERRIDES if name in request.headers),
    }
    if kind in ASKING:
        return bool(methods - READING - {"POST"}) or (kind != "token" and has_mutation(request.body))
    return bool(methods - READING) or _writing_facet(request.query)


def _writing_facet(query: str) -> bool:
    if not ANY_FACET.search(query):  # nearly always: parsing each query would cost as much as answering it
        return False
    shown = (value for name, value in parse_qsl(query, keep_blank_values=True) if name == "representation")
    return any(value[value.find("$") :].lower() in WRITING_FACETS for value in shown if "$" in value)


def has_mutation(body: bytes) -> bool:
    """Say whether a GraphQL request body holds a mutation; text that is no GraphQL holds none."""
    if b"mutation" not in body:
        return False
    try:
        decoded = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return any(_mutates(text) for text in _queries(decoded))


def _queries(decoded: object) -> Iterator[str]:
    for item in decoded if isinstance(decoded, list) else [decoded]:
        if isinstance(item, dict) and isinstance(item.get("query"), str):
            yield item["query"]


def _mutates(text: str) -> bool:
    try:
        definitions = parse(text, max_lexical_tokens=MAX_TOKENS, max_comments=MAX_TOKENS).definitions
    except (GraphQLError, RecursionError):
        return False
    return any(
        isinstance(item, OperationDefinitionNode) and item.operation == OperationType.MUTATION
        for item in definitions
    )
