"""Query parameters: read strictly, known to the facet, and no longer than a web server takes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from local_x3.errors import RestError
from local_x3.rest.addresses import decode

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_TARGET = 8000  # Node.js, under Syracuse, took 8 KB of request line and headers for years [I]
ONE = frozenset({"representation"})
LIST = frozenset({"representation", "count", "where", "orderBy", "key", "filter"})
LEGACY_LIST = LIST | {"startIndex"}  # used by public code on /sdata/ [C], not documented for api1
ADMIN_LIST = frozenset({"representation", "count", "where", "startIndex"})
DEFAULT_COUNT = 20  # [D]
MAX_COUNT = 1000  # the real cap is not published [?]
MAX_NUMBER_LENGTH = 9


def parse_query(text: str) -> dict[str, str]:
    """Read `name=value&...`.

    Raises:
        RestError: 400 when it cannot be decoded or names a parameter twice; what X3 does then is unknown [?].
    """
    found: dict[str, str] = {}
    for part in text.split("&") if text else ():
        name, equals, value = (piece.replace("+", " ") for piece in part.partition("="))
        if not equals or not name:
            raise RestError(400, f"Malformed query: {part!r} is not name=value")
        name = decode(name)
        if name in found:
            raise RestError(400, f"Parameter {name} is given twice")
        found[name] = decode(value)
    return found


def check_length(target: str) -> None:
    """Refuse an address that is too long for the web server."""
    if len(target) > MAX_TARGET:
        raise RestError(414, f"The address has {len(target)} characters; at most {MAX_TARGET} are taken")


def check_accept(accept: str) -> None:
    """Refuse a client that does not take JSON: what it would get from X3 is unknown [?]."""
    wanted = [part.partition(";")[0].strip().lower() for part in accept.split(",")]
    if accept and not {"application/json", "application/*", "*/*"}.intersection(wanted):
        raise RestError(406, f"Accept: {accept} does not take application/json")


def check_known(parameters: Mapping[str, str], known: frozenset[str]) -> None:
    """Refuse unknown parameters: what X3 does is unknown [?], and ignoring one could hide a lost filter."""
    unknown = sorted(set(parameters) - known)
    if unknown:
        raise RestError(400, f"Unknown parameter {unknown[0]}; known: {', '.join(sorted(known))}")


def page_size(text: str | None) -> int:
    """Return the page size: the default, or what is asked for up to the cap [D]."""
    return DEFAULT_COUNT if text is None else min(positive("count", text), MAX_COUNT)


def positive(name: str, text: str) -> int:
    """Read a number from 1."""
    if not re.fullmatch(r"[0-9]+", text) or int(text[:MAX_NUMBER_LENGTH]) == 0:
        raise RestError(400, f"{name} is not a positive number: {text[:80]}")
    return int(text) if len(text) <= MAX_NUMBER_LENGTH else 10**MAX_NUMBER_LENGTH
