"""A list, page by page: its links are followed on our own server, and never to the same page twice."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from tap_sagex3.errors import INCOMPLETE, IncompleteAnswerError
from tap_sagex3.values import format_time
from tap_sagex3.wire_rows import NodeRows

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from tap_sagex3.transport import Answer, Transport
    from tap_sagex3.web.body import Received
    from tap_sagex3.wire_rows import RowLayout, WireRows

Checked = t.Callable[["Answer", str], dict[str, t.Any]]
"""Gives the body of an answer without errors; takes the answer and its URL."""

API = "/api1/"


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of one page and when it was read (canonical UTC)."""

    rows: WireRows
    received: str


class ListWalk:
    """One list, from its first page on: `fetch`, in any thread, gets the answer that `take` reads."""

    def __init__(
        self, transport: Transport, url: str, checked: Checked, layout: RowLayout | None = None
    ) -> None:
        """Begin at a URL; with a layout, only its members of the rows are decoded."""
        self.url = url
        """URL of the next page; empty at the end of the list."""
        self._transport = transport
        self._server = transport.settings.server_url
        self._checked = checked
        self._decode: Callable[[bytes], t.Any] | None = None if layout is None else layout.decode
        self._seen: set[str] = set()

    def fetch(self) -> Received:
        """The answer with the next page, not decoded yet. Raises as `Transport.get`."""
        return self._transport.fetch(self.url)

    def take(self, received: Received) -> Page:
        """The next page, from the answer that `fetch` gave; a broken one is asked for again.

        Raises:
            IncompleteAnswerError: it is not a list, or its next page was read before.
            TapError: as `Transport.get`.
        """
        url = self.url
        self._seen.add(url)
        answer = self._transport.get(url, self._decode, fetched=received)
        rows, links = answer.typed or self._listed(answer)
        self.url = self._next(links)
        if self.url in self._seen:
            msg = f"{self.url} is named as the next page a second time: paging does not move on. Run again."
            raise IncompleteAnswerError(msg)
        return Page(rows, format_time(answer.received.replace(microsecond=0)))

    def _listed(self, answer: Answer) -> tuple[WireRows, t.Any]:
        """Rows and links of a page that was not decoded by the layout."""
        body = self._checked(answer, self.url)
        rows = body.get("$resources")
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            msg = f"{self.url} answered without a list of rows in $resources: {INCOMPLETE}"
            raise IncompleteAnswerError(msg)
        return NodeRows(rows), body.get("$links")

    def _next(self, links: t.Any) -> str:  # noqa: ANN401 - JSON
        """URL of the next page on our own server, or empty text at the end."""
        link = links.get("$next") if isinstance(links, dict) else links
        url = link.get("$url") if isinstance(link, dict) else link
        if not url:
            return ""
        parts = _address(url)
        if parts is None:
            msg = f"The next page is named as {url!r}, which is no address: {INCOMPLETE}"
            raise IncompleteAnswerError(msg)
        _, found, path = parts.path.partition(API)
        if not found:
            msg = f"The next page is at {parts.path}, which is not part of the REST API."
            raise IncompleteAnswerError(msg)
        return f"{self._server}{API}{path}" + (f"?{parts.query}" if parts.query else "")


def _address(url: object) -> SplitResult | None:
    """A URL in its parts; None when it is none."""
    try:
        return urlsplit(url) if isinstance(url, str) else None
    except ValueError:
        return None
