"""The requests of api1: lists (`$query`), records (`$details`), properties (`$prototypes`).

HTTP 200 does not mean success: `$diagnoses` with severity error says so in the body. A list names its next
page with an absolute URL, which may hold another host name than the one that is used here; it is followed as
it is, put back on `server_url`.
"""

from __future__ import annotations

import logging
import re
import typing as t
from decimal import Decimal
from urllib.parse import quote

from tap_sagex3.errors import INCOMPLETE, ApiError, IncompleteAnswerError, NotReadableError
from tap_sagex3.rest.diagnoses import errors_of
from tap_sagex3.rest.walk import ListWalk

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tap_sagex3.declarations import RestSource
    from tap_sagex3.rest.walk import Page
    from tap_sagex3.transport import Answer, Transport
    from tap_sagex3.wire_rows import RowLayout

Resource = dict[str, t.Any]
logger = logging.getLogger("tap-sagex3")

_MISSING_RECORD = re.compile(r"\s*(?:721\b.*|record does not exist\.?\s*)", re.IGNORECASE | re.DOTALL)
_NOT_FOUND = 404


class RestClient:
    """Requests to one X3 folder."""

    def __init__(self, transport: Transport) -> None:
        """Requests go through `transport`."""
        self._transport = transport
        settings = transport.settings
        self.workers = settings.detail_workers
        self.pages_ahead = settings.prefetch_pages
        self._prototypes: dict[str, Resource | None] = {}
        self._base = f"{settings.server_url}/api1/x3/erp/{quote(settings.folder, safe='')}"

    def walk(
        self, source: RestSource, parameters: Mapping[str, str], layout: RowLayout | None = None
    ) -> ListWalk:
        """A list; with a layout, only its members of the rows."""
        asked = {**parameters, **_where(source, parameters)}
        arguments = "".join(f"&{name}={quote(value, safe='')}" for name, value in asked.items())
        url = f"{self._base}/{source.class_name}?representation={source.of('$query')}{arguments}"
        return ListWalk(self._transport, url, lambda answer, url: self._checked(answer, url, source), layout)

    def pages(self, source: RestSource, parameters: Mapping[str, str]) -> Iterator[Page]:
        """All pages of a list, one after the other.

        Raises:
            NotReadableError: the class or representation is not there.
            IncompleteAnswerError: a page is not a list, or its next page was read before.
        """
        walk = self.walk(source, parameters)
        while walk.url:
            yield walk.take(walk.fetch())

    def details(self, source: RestSource, key: Sequence[t.Any]) -> Resource | None:
        """One record with its collections; None when X3 says that it does not exist.

        Raises:
            IncompleteAnswerError: the record's key columns are not there, or HTTP 404 for another reason.
        """
        text = quote("~".join(str(part) for part in key).replace("'", "''"), safe="")
        url = f"{self._base}/{source.class_name}('{text}')?representation={source.of('$details')}"
        answer = self._transport.get(url)
        errors = errors_of(answer.body)
        if not _has_content(answer.body) and any(_MISSING_RECORD.fullmatch(message) for message in errors):
            return None
        try:
            body = self._checked(answer, url, source)
        except NotReadableError as error:  # the list was readable: this is about the record
            msg = (
                f"{url} answered HTTP 404 ({'; '.join(errors) or 'no reason'}), but the list has the record."
            )
            raise IncompleteAnswerError(msg) from error
        missing = [column for column in source.key if column not in body]
        if missing:
            msg = f"{url} answered without {', '.join(missing)}, the key of the record: {INCOMPLETE}"
            raise IncompleteAnswerError(msg)
        return body

    def is_listed(self, source: RestSource, key: Sequence[t.Any]) -> bool:
        """Whether the list has a record with this key."""
        return self.listed(source, key) is not None

    def listed(self, source: RestSource, key: Sequence[t.Any]) -> Resource | None:
        """The list's row of the record with this key; None when it has none."""
        parts = zip(source.key, key, strict=True)
        where = " and ".join(f"{column} eq {_where_literal(value)}" for column, value in parts)
        pages = self.pages(source, {"count": "1", "where": where})
        return next((row for page in pages for row in page.rows.nodes()), None)

    def prototype(self, source: RestSource, facet: str) -> Resource | None:
        """Properties of a facet (`$query` or `$details`) by name, asked for once; None: X3 does not tell."""
        place = source.of(facet)
        if place not in self._prototypes:
            self._prototypes[place] = self._ask_prototype(source, facet)
        return self._prototypes[place]

    def _ask_prototype(self, source: RestSource, facet: str) -> Resource | None:
        url = f"{self._base}/$prototypes('{source.of(facet)}')"
        try:
            answer = self._transport.get(url)
        except ApiError as error:
            logger.info("No description of %s.%s: %s", source.representation, facet, error)
            return None
        if answer.status == _NOT_FOUND or errors_of(answer.body):
            return None
        properties = answer.body.get("$properties") if isinstance(answer.body, dict) else None
        return properties if isinstance(properties, dict) else None

    def _checked(self, answer: Answer, url: str, source: RestSource) -> Resource:
        """The body of an answer without errors."""
        errors = errors_of(answer.body)
        if answer.status == _NOT_FOUND and any("endpoint" in error.lower() for error in errors):
            folder = self._transport.settings.folder
            msg = f"REST does not know the folder {folder!r} ({'; '.join(errors)}): check setting folder."
            raise ApiError(msg)
        if answer.status == _NOT_FOUND:
            what = f"class {source.class_name} with representation {source.representation}"
            reason = "; ".join(errors) or "HTTP 404"
            msg = (
                f"REST has no {what} in folder {self._transport.settings.folder} ({reason}). "
                f"Check setting folder, or give class and representation of this site in {source.setting}."
            )
            raise NotReadableError(msg)
        if errors or not isinstance(answer.body, dict):
            reason = "; ".join(errors) or "not an object"
            msg = (
                f"{url} answered with an error: {reason.rstrip('.')}. Mend its cause in X3, or the names, "
                "keys and conditions that settings give (stream_options, custom_streams), and run again."
            )
            raise ApiError(msg)
        return answer.body


def _has_content(body: object) -> bool:
    """Whether an answer holds columns of a record, and not only `$` members about it."""
    return isinstance(body, dict) and any(not name.startswith("$") for name in body)


def _where(source: RestSource, parameters: Mapping[str, str]) -> dict[str, str]:
    """The parameter `where`: the condition of the source, and that of the request."""
    both = [text for text in (source.where, parameters.get("where")) if text]
    if len(both) > 1:
        both = [" and ".join(f"({text})" for text in both)]
    return {"where": both[0]} if both else {}


def _where_literal(value: t.Any) -> str:  # noqa: ANN401 - a JSON value
    """A value in `where`: numbers as they are, text in single quotes."""
    return str(value) if isinstance(value, int | Decimal) else "'" + str(value).replace("'", "''") + "'"
