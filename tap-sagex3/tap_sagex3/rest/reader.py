"""Documents of one source through REST: `$query` finds them, `$details` gives their columns and lines."""

from __future__ import annotations

import logging
import typing as t

from tap_sagex3.documents import Document
from tap_sagex3.errors import IncompleteAnswerError, NotReadableError
from tap_sagex3.prefetch import ahead
from tap_sagex3.reading import ChangeKey, PageGuard, StampReader, key_text
from tap_sagex3.rest.pool import ordered_map
from tap_sagex3.values import format_time

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from tap_sagex3.declarations import StreamDeclaration
    from tap_sagex3.rest.client import RestClient
    from tap_sagex3.sources import SiteSource

logger = logging.getLogger("tap-sagex3")

Resource = dict[str, t.Any]
STAMPS = ("UPDDATTIM", "UPDDAT")
"""Change stamps of X3: a UTC time to the second, and the day only."""
_DATE_TYPE = "application/x-date"


class Listed(t.NamedTuple):
    """A row of a list, its key, and when it was read."""

    row: Resource
    key: list[t.Any]
    received: str


class RestReader:
    """Reads one class."""

    def __init__(
        self,
        client: RestClient,
        index: int,
        site: SiteSource,
        streams: Sequence[StreamDeclaration],
        *,
        full_table: bool,
    ) -> None:
        """Read source number `index` of its entity.

        Args:
            client: requests to the folder.
            index: number of the source in its entity.
            site: names of the source on this site.
            streams: what is read; `$details` must have their outermost collections.
            full_table: read everything, sorted by key.
        """
        self._client = client
        self._index = index
        self._kind = site.source.kind
        self._rest = site.source.rest
        self._change_field = site.change_field
        self._names = ", ".join(stream.name for stream in streams)
        found = (stream.collection(1, self._kind) for stream in streams if stream.depth)
        self._collections = tuple(dict.fromkeys(collection.rest for collection in found if collection))
        self._full_table = full_table
        self._change = ChangeKey(None, whole_days=False, fields=STAMPS)
        self._stamp = StampReader(self._rest.class_name)

    def prepare(self) -> ChangeKey:
        """Look which change stamp the list holds, and that the collections are there."""
        properties = self._properties()
        fields = (self._change_field,) if self._change_field else STAMPS
        field = next((name for name in fields if name in properties), None)
        if field is None and self._change_field:
            msg = (
                f"REST {self._rest.representation}.$query has no property {self._change_field}: "
                "check change_field in stream_options."
            )
            raise NotReadableError(msg)
        self._check_collections()
        if self._full_table:
            self._change = ChangeKey(None, whole_days=False, fields=fields)
            return self._change
        whole_days = field is not None and _is_date(properties[field], field)
        self._change = ChangeKey(field, whole_days, fields)
        return self._change

    def documents(self, since: datetime | None, page_size: int) -> Iterator[Document]:
        """Documents changed at or after `since`, in the order of change time and key."""
        found = self._listed(self._parameters(since, page_size))
        if not self._rest.details:
            for listed in found:
                yield self._document(listed, listed.row)
            return
        for listed, details in ordered_map(self._details, found, self._client.workers):
            if details is not None:
                yield self._document(listed, {**listed.row, **details})
            else:
                self._check_gone(listed)

    def _parameters(self, since: datetime | None, page_size: int) -> dict[str, str]:
        parameters = {"count": str(page_size)}
        if self._change.field is not None:
            parameters["orderBy"] = ",".join(f"{name} asc" for name in (self._change.field, *self._rest.key))
            if since is not None:
                literal = since.date().isoformat() if self._change.whole_days else format_time(since)
                parameters["where"] = f"{self._change.field} ge @{literal}@"
        return parameters

    def _listed(self, parameters: Mapping[str, str]) -> Iterator[Listed]:
        guard = PageGuard(self._rest.class_name)
        change = self._change.field or ""
        for page in ahead(self._client.pages(self._rest, parameters), self._client.pages_ahead):
            found = [Listed(row, self._key(row), page.received) for row in page.rows]
            guard.check((*listed.key, listed.row.get(change)) for listed in found)
            yield from found

    def _details(self, listed: Listed) -> Resource | None:
        return self._client.details(self._rest, listed.key)

    def _check_gone(self, listed: Listed) -> None:
        """A record that vanished between list and details is deleted, like one that vanished before.

        Raises:
            IncompleteAnswerError: the list still has it.
        """
        key = listed.key
        what = f"{self._names}: {self._rest.class_name} {'~'.join(map(str, key))}"
        if self._client.is_listed(self._rest, key):
            msg = (
                f"{what} has no $details ('record does not exist'), but the list has it: nothing was skipped."
            )
            raise IncompleteAnswerError(msg)
        logger.warning("%s was deleted while it was read; no record of it is sent.", what)

    def _document(self, listed: Listed, node: Resource) -> Document:
        """A document; its stamp is that of the list, by which the list is sorted."""
        field = self._change.field
        stamp = None if field is None else self._stamp.read(listed.row.get(field))
        return Document(self._index, key_text(self._kind, listed.key), stamp, node, listed.received)

    def _key(self, row: Resource) -> list[t.Any]:
        try:
            return [row[column] for column in self._rest.key]
        except KeyError as error:
            msg = (
                f"REST {self._rest.representation}.$query has no column {error}, which is part of the key: "
                "add it to the representation, or set key in stream_options."
            )
            raise NotReadableError(msg) from None

    def _properties(self) -> Mapping[str, t.Any]:
        """Properties of the list, from the prototype or else from its first row."""
        properties = self._client.prototype(self._rest, "$query")
        if properties is not None:
            return properties
        for page in self._client.pages(self._rest, {"count": "1"}):
            return page.rows[0] if page.rows else {}
        return {}

    def _check_collections(self) -> None:
        if not self._rest.details or not self._collections:
            return
        properties = self._client.prototype(self._rest, "$details")
        missing = [name for name in self._collections if properties is not None and name not in properties]
        if missing:
            msg = (
                f"REST {self._rest.representation}.$details has no collection {', '.join(missing)}: "
                "its lines cannot be read."
            )
            raise NotReadableError(msg)


def _is_date(described: object, field: str) -> bool:
    """Whether a change stamp holds only the day: by its described type, else by its name."""
    if isinstance(described, dict) and "$type" in described:
        return bool(described["$type"] == _DATE_TYPE)
    return field == STAMPS[1]
