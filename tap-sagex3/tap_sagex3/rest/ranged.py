"""A list by key, read in several places at once when it is long."""

from __future__ import annotations

import typing as t
from collections import deque
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace

from tap_sagex3.errors import IncompleteAnswerError
from tap_sagex3.prefetch import Fetches
from tap_sagex3.ranges import KeyRange, Starts
from tap_sagex3.rest.dividing import Division, key_from
from tap_sagex3.turns import unhurried

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tap_sagex3.declarations import RestSource
    from tap_sagex3.documents import DocumentPage
    from tap_sagex3.ranges import Key
    from tap_sagex3.rest.client import RestClient
    from tap_sagex3.web.body import Received


class Walk(t.Protocol):
    """A list of documents, page by page: `fetch` in any thread, `take` when the page's turn has come."""

    @property
    def ended(self) -> bool:
        """Whether there is no further page."""

    def fetch(self) -> Received:
        """The answer with the next page."""

    def take(self, received: Received) -> DocumentPage | None:
        """The page in an answer; None when it is empty."""


@dataclass(slots=True)
class _Reading:
    """A range that is being read."""

    range: KeyRange
    walk: Walk
    begun: bool = False


class RangedList:
    """Reads the ranges of one list.

    Threads only wait for answers; the consumer decodes each one, asks for the page behind it, and converts
    it. The interpreter would let only one of them compute anyway, and changing between them costs a third.
    """

    def __init__(
        self,
        client: RestClient,
        source: RestSource,
        walk: Callable[[Mapping[str, str]], Walk],
        ranges: list[KeyRange],
        page_size: int,
    ) -> None:
        """Read the `ranges` that are not done; `walk` begins a list with more parameters."""
        self._client = client
        self._source = source
        self._walk = walk
        self._ranges = ranges
        self._starts = Starts(ranges)
        self._division = Division(client, source, page_size) if len(ranges) == 1 else None
        self._fetches: Fetches[Received] = Fetches(client.workers)
        self._waiting = deque(item for item in ranges if not item.done)
        self._readings: dict[int, _Reading] = {}
        self._begun = 0

    def pages(self) -> Iterator[tuple[KeyRange, DocumentPage | None]]:
        """Pages with their ranges; None is the end of a range."""
        with ExitStack() as stack:
            stack.enter_context(unhurried())
            stack.enter_context(closing(self._fetches))
            if self._division is not None:
                stack.enter_context(closing(self._division))
            self._begin_waiting()
            while self._readings:
                yield from self._next()

    def _begin_waiting(self) -> None:
        """Begin as many ranges as there are threads; the others wait."""
        while self._waiting and len(self._readings) < self._client.workers:
            item = self._waiting.popleft()
            if item.after is not None:
                walk = self._walk({"key": key_from("gt", item.after)})
            else:
                walk = self._walk({} if item.start is None else {"key": key_from("ge", item.start)})
            self._readings[self._begun] = _Reading(item, walk)
            self._fetches.ask(self._begun, walk.fetch)
            self._begun += 1

    def _next(self) -> Iterator[tuple[KeyRange, DocumentPage | None]]:
        """What is in the page that came first of its range, and perhaps the end of that."""
        number, received = self._fetches.next()
        reading = self._readings[number]
        page = reading.walk.take(received)
        if not reading.begun and (page is not None or reading.walk.ended):
            self._check_beginning(reading.range, page)
        end = None if page is None else self._starts.end(reading.range, page.keys)
        ended = reading.walk.ended or end is not None
        if ended:
            del self._readings[number]
        else:
            self._fetches.ask(number, reading.walk.fetch)
        mine = page if page is None or end is None else _cut(page, end)
        if mine is not None:
            self._note(reading, mine.keys)
        self._begin_waiting()
        if mine is not None and mine.keys:
            yield reading.range, mine
        if ended:
            yield reading.range, None

    def _note(self, reading: _Reading, keys: Sequence[Key]) -> None:
        """Note the keys of a page: where its range begins, and where others can."""
        if not reading.begun:
            reading.begun = True
            self._starts.add(reading.range, keys)
        if self._division is None or not keys:
            return
        for start in self._division.starts(keys):
            found = KeyRange(start)
            self._ranges.append(found)
            self._starts.begin(found)
            self._waiting.append(found)

    def _check_beginning(self, item: KeyRange, first: DocumentPage | None) -> None:
        """A range begins where it should, or the record that it should begin at was deleted meanwhile.

        Raises:
            IncompleteAnswerError: the record is there, but the list did not begin at it.
        """
        start = None if item.after is not None else item.start
        if start is None or (first is not None and first.keys[0] == start):
            return
        if self._client.is_listed(self._source, start):
            name = "~".join(map(str, start))
            msg = (
                f"{self._source.class_name}: a list from key {name} on did not begin there, so records may "
                "be missing. Set detail_workers to 1, which reads the list in one piece."
            )
            raise IncompleteAnswerError(msg)


def _cut(page: DocumentPage, end: int) -> DocumentPage:
    """The documents before a place."""
    return replace(page, rows=page.rows.head(end), keys=page.keys[:end], stamps=page.stamps[:end])
