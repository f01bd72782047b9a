"""Documents of one source through REST: `$query` finds them, `$details` gives their columns and lines."""

from __future__ import annotations

import logging
import typing as t
from dataclasses import replace
from datetime import UTC, datetime

from tap_sagex3.documents import Document, key_text, one_by_one
from tap_sagex3.errors import IncompleteAnswerError, NotReadableError
from tap_sagex3.increments import day_before
from tap_sagex3.prefetch import ahead
from tap_sagex3.ranges import undivided
from tap_sagex3.reading import ChangeKey, PageGuard, ReadStats, StampReader, in_one_piece, primed
from tap_sagex3.rest.dividing import key_from
from tap_sagex3.rest.lines import changed_keys, find_classes, tables_of
from tap_sagex3.rest.listing import DocumentWalk, keys_of, refuse_key, shape_of
from tap_sagex3.rest.pool import ordered_map
from tap_sagex3.rest.ranged import RangedList
from tap_sagex3.rest.stamps import STAMPS, change_field, is_date, stamp_condition
from tap_sagex3.values import format_time, later
from tap_sagex3.wire_rows import RowLayout

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tap_sagex3.declarations import StreamDeclaration
    from tap_sagex3.documents import DocumentPage, Found
    from tap_sagex3.ranges import KeyRange
    from tap_sagex3.reading import Span
    from tap_sagex3.rest.client import RestClient
    from tap_sagex3.rest.lines import LineClass
    from tap_sagex3.sources import SiteSource

Resource = dict[str, t.Any]
logger = logging.getLogger("tap-sagex3")


class Listed(t.NamedTuple):
    """A row of a list, its key, and when it was read."""

    row: Resource
    key: tuple[t.Any, ...]
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
        self._tables = tables_of(streams, self._kind)
        self._chains = _chains(streams, self._kind)
        self._line_classes = site.line_classes
        self._joins = site.source.join is not None and any(f.joined for s in streams for f in s.fields)
        self._layout = None if self._rest.details or self._collections else _layout(site, streams)
        self.stats = ReadStats()
        self._full_table = full_table
        self._change = ChangeKey(None, whole_days=False, fields=STAMPS)
        self._stamp = StampReader(self._rest.class_name)

    def prepare(self) -> ChangeKey:
        """Look which change stamp the list holds, and that the key and the collections are there."""
        properties = self._properties()
        for name in self._rest.key:
            if properties and name not in properties:
                refuse_key(self._rest, name)
        fields = (self._change_field,) if self._change_field else STAMPS
        field = change_field(properties, fields)
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
        whole_days = field is not None and is_date(properties[field], field)
        self._change = ChangeKey(field, whole_days, fields)
        return self._change

    def documents(self, span: Span, page_size: int) -> Iterator[Document]:
        """Documents whose own stamp lies in the span, in the order of change time and key."""
        field = self._change.field or ""
        parameters = self._parameters((field, *self._rest.key), page_size)
        where = stamp_condition(field, span, whole_days=self._change.whole_days)
        return self._documents({**parameters, "where": where} if where else parameters)

    def by_key(self, after: Sequence[t.Any] | None, page_size: int) -> Iterator[Found]:
        """All documents in the order of their key, those behind `after` when it is given."""
        parameters = self._parameters(self._rest.key, page_size)
        if after is not None:
            parameters["key"] = key_from("gt", after)
        if self._rest.details:
            return self._documents(parameters)
        return self._ahead(self._walk(parameters).pages())

    def in_ranges(self, ranges: list[KeyRange], page_size: int) -> Iterator[tuple[KeyRange, Found | None]]:
        """Documents of all ranges; a long list is divided, so that several requests are under way at once.

        Not one whose records are read one by one: there the records are what takes time.
        """
        if self._rest.details or self._client.workers == 1:
            return in_one_piece(self.by_key(undivided(ranges), page_size), ranges)
        base = self._parameters(self._rest.key, page_size)
        found = RangedList(
            self._client, self._rest, lambda more: self._walk({**base, **more}), ranges, page_size
        )
        return self._counted(found.pages())

    def changed_below(self, span: Span, page_size: int) -> Iterator[Document] | None:
        """Documents of which a line changed; None when the site has no class that lists the lines."""
        if self._joins:  # one record in REST, but two tables with a stamp each
            return None
        if not self._tables:
            return iter(())
        classes = find_classes(self._client, self._rest, self._tables, self._line_classes)
        if classes is None:
            return None
        return primed(self._with_changed_lines(classes, span, page_size))

    def _with_changed_lines(
        self, classes: Sequence[LineClass], span: Span, page_size: int
    ) -> Iterator[Document]:
        for lines in classes:
            asked = span
            if lines.whole_days and not self._change.whole_days and span.since is not None:
                # A bookmark from a precise stamp may be a day ahead of the server's own calendar.
                asked = replace(span, since=day_before(span.since))
            keys = changed_keys(self._client, lines, asked, page_size)
            for key, node in ordered_map(self._by_parts, keys, self._client.workers):
                if node is None:
                    continue
                stamp = self._stamp.read(node.get(self._change.field or ""))
                latest = later(stamp, self._latest(node, lines))
                listed = Listed(node, key, self._received())
                yield self._document(listed, node, stamp=latest, level=lines.level)

    def _by_parts(self, key: tuple[t.Any, ...]) -> Resource | None:
        """The record of a changed line; None when it is none of this source, or was deleted."""
        if self._rest.where and not self.has(key):
            return None
        node = self._client.details(self._rest, key)
        if node is None:
            self._check_gone(key)
        elif self._change.field is not None and self._change.field not in node:
            return {**(self._client.listed(self._rest, key) or {}), **node}  # only the list shows the stamp
        return node

    def _latest(self, node: Resource, lines: LineClass) -> str | None:
        """Latest change time of the lines at a level of a document."""
        nodes = [node]
        for name in self._chains[lines.level]:
            nodes = [row for outer in nodes for row in outer.get(name) or ()]
        latest: str | None = None
        for row in nodes:
            latest = later(latest, self._stamp.read(row.get(lines.field)))
        return latest

    def first_key(self) -> tuple[t.Any, ...] | None:
        """Key of the first document."""
        return next((page.keys[0] for page in self._walk(self._parameters(self._rest.key, 1)).pages()), None)

    def has(self, key: tuple[t.Any, ...]) -> bool:
        """Whether the list has a document with this key."""
        return self._client.is_listed(self._rest, key)

    @staticmethod
    def _received() -> str:
        return format_time(datetime.now(UTC).replace(microsecond=0))

    def _parameters(self, order: Sequence[str], page_size: int) -> dict[str, str]:
        return {"count": str(page_size), "orderBy": ",".join(f"{name} asc" for name in order)}

    def _documents(self, parameters: Mapping[str, str]) -> Iterator[Document]:
        if not self._rest.details:
            yield from one_by_one(self._ahead(self._walk(parameters).pages()))
            return
        for listed, details in ordered_map(self._details, self._listed(parameters), self._client.workers):
            if details is not None:
                yield self._document(listed, {**listed.row, **details})
            else:
                self._check_gone(listed.key)

    def _ahead(self, pages: Iterator[DocumentPage]) -> Iterator[DocumentPage]:
        for page in ahead(pages, self._client.pages_ahead):
            self.stats.pages += 1
            yield page

    def _counted(
        self, found: Iterator[tuple[KeyRange, DocumentPage | None]]
    ) -> Iterator[tuple[KeyRange, DocumentPage | None]]:
        for item, page in found:
            self.stats.pages += page is not None
            yield item, page

    def _walk(self, parameters: Mapping[str, str]) -> DocumentWalk:
        """Documents that the list shows as a whole."""
        walk = self._client.walk(self._rest, parameters, self._layout)
        stamps = (self._change.field, self._stamp)
        return DocumentWalk(walk, self._rest, (self._index, self._kind), stamps)

    def _listed(self, parameters: Mapping[str, str]) -> Iterator[Listed]:
        guard = PageGuard(self._rest.class_name)
        change = self._change.field or ""
        for page in ahead(self._client.pages(self._rest, parameters), self._client.pages_ahead):
            self.stats.pages += 1
            rows = page.rows.nodes()
            keys = keys_of(self._rest, page.rows.columns(self._rest.key))
            guard.check(keys, [row.get(change) for row in rows])
            for key, row in zip(keys, rows, strict=True):
                yield Listed(row, key, page.received)

    def _details(self, listed: Listed) -> Resource | None:
        return self._client.details(self._rest, listed.key)

    def _check_gone(self, key: tuple[t.Any, ...]) -> None:
        """A record that vanished between list and details is deleted, like one that vanished before.

        Raises:
            IncompleteAnswerError: the list still has it.
        """
        what = f"{self._names}: {self._rest.class_name} {'~'.join(map(str, key))}"
        if self._client.is_listed(self._rest, key):
            msg = (
                f"{what} has no $details ('record does not exist'), but the list has it: nothing was skipped."
            )
            raise IncompleteAnswerError(msg)
        logger.warning("%s was deleted while it was read; no record of it is sent.", what)

    def _document(
        self, listed: Listed, node: Resource, *, stamp: str | None = None, level: int = 0
    ) -> Document:
        """A document; its stamp is that of the list, by which the list is sorted, unless one is given."""
        field = self._change.field
        if field is not None and stamp is None:
            stamp = self._stamp.read(listed.row.get(field))
        parts = listed.key
        return Document(self._index, key_text(self._kind, parts), parts, stamp, node, listed.received, level)

    def _properties(self) -> Mapping[str, t.Any]:
        """Properties of the list, from the prototype or else from its first row."""
        properties = self._client.prototype(self._rest, "$query")
        if properties is not None:
            return properties
        for page in self._client.pages(self._rest, {"count": "1"}):
            return next(iter(page.rows.nodes()), {})
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


def _layout(site: SiteSource, streams: Sequence[StreamDeclaration]) -> RowLayout | None:
    """What is looked at in the rows of a list; None when that is not just columns."""
    fields = [field for stream in streams for field in stream.fields if not field.level]
    if any(field.dimensions for field in fields):
        return None
    placed = [(field, field.x3_column(site.source.kind)) for field in fields]
    stamps = (site.change_field,) if site.change_field else STAMPS
    members = [*site.source.rest.key, *stamps, *(column for _, column in placed if column)]
    return RowLayout(members, shape_of([(field, column) for field, column in placed if column]))


def _chains(streams: Sequence[StreamDeclaration], kind: str | None) -> dict[int, tuple[str, ...]]:
    """Collections from the document to the lines of each level."""
    found: dict[int, tuple[str, ...]] = {}
    for stream in streams:
        names: tuple[str, ...] = ()
        for level in range(1, stream.depth + 1):
            collection = stream.collection(level, kind)
            if collection is None:
                break
            names = (*names, collection.rest)
            found[level] = names
    return found
