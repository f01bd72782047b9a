"""A list by key, read in several places at once when it is long."""

from __future__ import annotations

import typing as t
from contextlib import closing
from dataclasses import replace

from tap_sagex3.errors import IncompleteAnswerError
from tap_sagex3.prefetch import Interleaved, ahead
from tap_sagex3.ranges import KeyRange, Starts
from tap_sagex3.rest.dividing import Division, key_from

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tap_sagex3.declarations import RestSource
    from tap_sagex3.documents import DocumentPage
    from tap_sagex3.ranges import Key
    from tap_sagex3.rest.client import RestClient


class RangedList:
    """Reads the ranges of one list.

    Pages are cut where another range begins. That is decided when they are taken, not when they are fetched:
    the page that was fetched while the list was being divided is cut too.
    """

    def __init__(
        self,
        client: RestClient,
        source: RestSource,
        read: Callable[[Mapping[str, str]], Iterator[DocumentPage]],
        ranges: list[KeyRange],
        page_size: int,
    ) -> None:
        """Read the `ranges` that are not done; `read` gives the pages of a request with more parameters."""
        self._page_size = page_size
        self._client = client
        self._source = source
        self._read = read
        self._ranges = ranges
        self._starts = Starts(ranges)

    def pages(self) -> Iterator[tuple[KeyRange, DocumentPage | None]]:
        """Pages with their ranges; None is the end of a range."""
        together: Interleaved[DocumentPage] = Interleaved(self._client.workers)
        with closing(together):
            if len(self._ranges) == 1:
                yield from self._dividing(together)
                return
            left = [item for item in self._ranges if not item.done]
            for item in left:
                together.add(self._range(item))
            yield from self._together(together, left)

    def _dividing(
        self, together: Interleaved[DocumentPage]
    ) -> Iterator[tuple[KeyRange, DocumentPage | None]]:
        """Begin with the list as a whole, and divide what is left of it whenever a place for it is known."""
        first = self._ranges[0]
        together.add(ahead(self._range(first), self._client.pages_ahead))
        found = [first]
        with closing(Division(self._client, self._source, self._page_size)) as division:
            for item, page in self._together(together, found):
                starts = division.starts(page.keys) if page else []
                for start in starts:
                    begun = KeyRange(start)
                    found.append(begun)
                    self._ranges.append(begun)
                    self._starts.begin(begun)
                    together.add(self._range(begun))
                yield item, page

    def _together(
        self, together: Interleaved[DocumentPage], found: Sequence[KeyRange]
    ) -> Iterator[tuple[KeyRange, DocumentPage | None]]:
        ended: set[int] = set()
        begun: set[int] = set()
        for number, page in together:
            owner = found[number]
            if number in ended:
                continue
            if page is None:
                ended.add(number)
                yield owner, None
                continue
            end = self._starts.end(owner, page.keys)
            mine = page if end is None else _cut(page, end)
            if number not in begun:
                begun.add(number)
                self._starts.add(owner, mine.keys)
            if mine.keys:
                yield owner, mine
            if end is not None:
                ended.add(number)
                yield owner, None

    def _range(self, item: KeyRange) -> Iterator[DocumentPage]:
        """Pages of a range, up to the one that has the start of another range."""
        if item.after is not None:
            pages = self._read({"key": key_from("gt", item.after)})
        elif item.start is not None:
            pages = self._checked(item.start, self._read({"key": key_from("ge", item.start)}))
        else:
            pages = self._read({})
        for page in pages:
            yield page
            if self._starts.end(item, page.keys) is not None:
                return

    def _checked(self, start: Key, pages: Iterator[DocumentPage]) -> Iterator[DocumentPage]:
        """The pages of a range, which begins where it should, or its first record was deleted meanwhile.

        Raises:
            IncompleteAnswerError: the record is there, but the list did not begin at it.
        """
        first = next(pages, None)
        if (first is None or first.keys[0] != start) and self._client.is_listed(self._source, start):
            name = "~".join(map(str, start))
            msg = (
                f"{self._source.class_name}: a list from key {name} on did not begin there, so records may "
                "be missing. Set detail_workers to 1, which reads the list in one piece."
            )
            raise IncompleteAnswerError(msg)
        if first is not None:
            yield first
            yield from pages


def _cut(page: DocumentPage, end: int) -> DocumentPage:
    """The documents before a place."""
    return replace(page, rows=page.rows.head(end), keys=page.keys[:end], stamps=page.stamps[:end])
