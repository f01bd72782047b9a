"""Faults of paging: a client that trusts a page's size or its link too much loses rows, or never ends."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from local_x3.faults.pages import (
    cursor_of,
    next_url,
    page_of,
    set_next_url,
    size_of,
    smaller,
    what_is_listed,
    with_parameter,
    with_url_parameter,
)

if TYPE_CHECKING:
    from local_x3.faults.rules import Hit
    from local_x3.http_server import Response


def repeat(hit: Hit) -> Response:
    """Send the rows of the page before once more, with the link or cursor that leads forward."""
    response = hit.right()
    page = page_of(response.body)
    before = page_of(hit.last.get(what_is_listed(hit.request), b""))
    if page is not None and before is not None:
        page.holder[page.rows] = before.items
        response.body = page.encoded()
    return response


def loop(hit: Hit) -> Response:
    """Send the page with a link or cursor that leads to itself."""
    response = hit.right()
    page = page_of(response.body)
    if page is None:
        return response
    if page.rows == "$resources":
        host = hit.request.headers.get("host", "")
        set_next_url(page, f"http://{host}{hit.request.path}?{hit.request.query}")
    else:
        sent = cursor_of(hit.request)
        info = page.holder.get("pageInfo")
        if isinstance(info, dict):
            info.update({name: True for name in ("hasNextPage",) if name in info})
            info.update({name: sent for name in ("endCursor",) if name in info})
    response.body = page.encoded()
    return response


def shrink(hit: Hit) -> Response:
    """Send only `keep` rows although more follow; the link or cursor leads on behind the last one sent."""
    if hit.request.method != "GET":
        return hit.answer(smaller(hit.request, hit.rule.keep))
    asked = size_of(hit.request)
    query = with_parameter(hit.request.query, "count", str(hit.rule.keep))
    response = hit.answer(replace(hit.request, query=query))
    page = page_of(response.body)
    if page is None:
        return response
    page.body["$itemsPerPage"] = asked
    onward = next_url(page)
    if onward is not None:
        set_next_url(page, with_url_parameter(onward, "count", str(asked)))
    response.body = page.encoded()
    return response


def next_host(hit: Hit) -> Response:
    """Let `$next` name another host, as behind a proxy that does not rewrite bodies."""
    response = hit.right()
    page = page_of(response.body)
    onward = next_url(page) if page is not None else None
    if page is not None and onward is not None:
        other = urlsplit(hit.rule.origin)
        set_next_url(page, urlunsplit(urlsplit(onward)._replace(scheme=other.scheme, netloc=other.netloc)))
        response.body = page.encoded()
    return response
