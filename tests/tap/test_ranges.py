"""Ranges of keys hold each record once, whatever order the server has and wherever they begin."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tap_sagex3.declarations import RestSource
from tap_sagex3.documents import DocumentPage
from tap_sagex3.errors import IncompleteAnswerError
from tap_sagex3.ranges import KeyRange, Scale, Starts, falling_steps, growing_steps, range_of, undivided
from tap_sagex3.rest.ranged import RangedList
from tap_sagex3.rest.walk import Page
from tap_sagex3.wire_rows import NodeRows

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_sagex3.ranges import Key

TEXTS = st.text("01239AZaz-_ é", max_size=8)
KEYS = st.tuples(st.sampled_from(["FRA", "GBR"]), TEXTS)


class ListedDocuments:
    """A list of documents, the answers of which are pages already."""

    def __init__(self, pages: Iterator[Page], page_size: int) -> None:
        """Take pages, of which the last one is not full."""
        self._pages = pages
        self._page_size = page_size
        self.ended = False

    def fetch(self) -> t.Any:  # noqa: ANN401 - takes the place of an answer
        """The next page."""
        return next(self._pages)

    def take(self, received: t.Any) -> DocumentPage | None:  # noqa: ANN401
        """Documents of a page."""
        keys = [(row["A"], row["B"]) for row in received.rows.nodes()]
        stamps = [None] * len(keys)
        self.ended = len(keys) < self._page_size
        return DocumentPage(0, None, received.rows, keys, stamps, received.received) if keys else None


@dataclass
class ListServer:
    """A list by key in an order of its own, as only a simulation has it: no wire shows a strange collation.

    Between any two requests the next of `deletions` goes.
    """

    records: list[Key]
    page_size: int
    workers: int = 3
    pages_ahead: int = 0
    deletions: list[Key] = field(default_factory=list)
    ignores_key: bool = False

    def __post_init__(self) -> None:
        """Remember the place of each record, also when it goes."""
        self.order = {key: place for place, key in enumerate(self.records)}

    def pages(self, _source: RestSource, parameters: Mapping[str, str]) -> Iterator[Page]:
        """Pages of rows, as the REST client gives them."""
        size = int(parameters["count"])
        backwards = "desc" in parameters.get("orderBy", "")
        place = self._place(parameters.get("key", "ge."))
        while True:
            rows = [key for key in self.records if self.order[key] >= place]
            rows = rows[::-1][:size] if backwards else rows[:size]
            yield Page(NodeRows([{"A": key[0], "B": key[1]} for key in rows]), "2026-01-01T00:00:00Z")
            self._delete()
            if len(rows) < size:
                return
            place = self.order[rows[-1]] + 1

    def walk(self, parameters: Mapping[str, str]) -> ListedDocuments:
        """Pages of documents, as the reader gives them."""
        return ListedDocuments(
            self.pages(SOURCE, {"count": str(self.page_size), **parameters}), self.page_size
        )

    def is_listed(self, _source: RestSource, key: Key) -> bool:
        """Whether there is such a record."""
        return key in self.records

    def _place(self, parameter: str) -> int:
        operator, _, text = parameter.partition(".")
        if not text or self.ignores_key:
            return 0
        first, _, second = text.partition("~")
        key = (first, second)
        if key in self.order:
            return self.order[key] + (operator == "gt")
        # A key that is no record's: the server has some place for it.
        return sum(map(ord, text)) % (len(self.order) + 1)

    def _delete(self) -> None:
        if self.deletions:
            gone = self.deletions.pop()
            self.records = [key for key in self.records if key != gone]


SOURCE = RestSource("GACCOUNT", "GACCOUNT", ("A", "B"), details=False)


def ranged(server: ListServer, ranges: list[KeyRange]) -> RangedList:
    return RangedList(t.cast("t.Any", server), SOURCE, server.walk, ranges, server.page_size)


def run(server: ListServer, ranges: list[KeyRange], most: int | None = None) -> list[Key]:
    """Read, and note how far the ranges came, as a first load does; stop after some pages."""
    sent: list[Key] = []
    pages = ranged(server, ranges).pages()
    for number, (item, page) in enumerate(pages):
        if page is None:
            item.done = True
        else:
            sent += page.keys
            item.after = page.keys[-1]
        if most is not None and number >= most:
            break
    t.cast("t.Any", pages).close()
    return sent


@given(
    records=st.lists(KEYS, min_size=1, max_size=60, unique=True),
    page_size=st.integers(1, 5),
    stops=st.lists(st.integers(0, 12), max_size=3),
    deleted=st.lists(st.integers(0, 59), max_size=4),
    data=st.data(),
)
@settings(max_examples=300, deadline=None)
def test_no_record_is_missing(
    records: list[Key], page_size: int, stops: list[int], deleted: list[int], data: st.DataObject
) -> None:
    """In any order, after any stops, with any deletions; and none comes twice in a run without deletions.

    A run that goes on in an order that is not that of the scale may divide the list before what was sent.
    """
    gone = [records[place % len(records)] for place in deleted]
    server = ListServer(records, page_size, deletions=list(gone))
    ranges = [KeyRange()]
    if data.draw(st.booleans()):
        starts = data.draw(st.lists(st.sampled_from(records[1:] or records), max_size=4, unique=True))
        ranges += [KeyRange(start) for start in starts if start != records[0]]
    sent = []
    for most in stops:
        sent += run(server, ranges, most)
        ranges[:] = [range_of(item.as_state()) for item in ranges]
    sent += run(server, ranges)
    assert set(records) - set(gone) <= set(sent) <= set(records)
    if not gone and not stops:
        assert len(sent) == len(records)


def test_a_list_that_does_not_begin_where_it_should_is_refused() -> None:
    server = ListServer([("FRA", str(number)) for number in range(30)], 3, ignores_key=True)
    with pytest.raises(IncompleteAnswerError, match=r"key FRA~9 on did not begin there.*detail_workers to 1"):
        run(server, [KeyRange(), KeyRange(("FRA", "9"))])


def test_a_list_whose_server_ignores_keys_is_not_divided() -> None:
    server = ListServer([("FRA", f"{number:03}") for number in range(90)], 3, ignores_key=True)
    ranges = [KeyRange()]
    assert run(server, ranges) == server.records
    assert len(ranges) == 1


@given(low=TEXTS, high=TEXTS, number=st.integers(1, 9))
def test_keys_between_two_keys_are_in_order(low: str, high: str, number: int) -> None:
    first, last = sorted((low, high))
    if first == last:
        with pytest.raises(ValueError, match="no scale"):
            Scale(("FRA", first), ("FRA", last))
        return
    scale = Scale(("FRA", first), ("FRA", last))
    found = falling_steps(scale, ("FRA", first), ("FRA", last), number)
    assert len(found) < 3 * number
    places = [scale.number(key) for key in found]
    assert places == sorted(set(places))
    assert all(key[0] == "FRA" for key in found)


def test_steps_along_numbered_keys() -> None:
    first, low, high = ("PRT-001002",), ("PRT-002001",), ("RÉF É/45 %",)
    scale = Scale(low, high)
    assert growing_steps(scale, first, low, high)[:3] == [("PRT-003000",), ("PRT-005997",), ("PRT-017985",)]
    found = falling_steps(scale, low, ("PRT-009001",), 2)
    assert found == [("PRT-004001",), ("PRT-006001",), ("PRT-007001",), ("PRT-008001",), ("PRT-008501",)]


def test_parts_of_a_list_are_whole_pages() -> None:
    scale = Scale(("P1", 1), ("P1", 50_000))
    found = [scale.number(key) - 1 for key in falling_steps(scale, ("P1", 1), ("P1", 20_150), 2, 1000)]
    assert found == [5000, 11000, 14000, 17000, 18000]


def test_steps_along_whole_numbers() -> None:
    scale = Scale(("P1", 10), ("P1", 1000))
    assert growing_steps(scale, ("P1", 0), ("P1", 10), ("P1", 1000)) == [
        ("P1", 20),
        ("P1", 50),
        ("P1", 170),
        ("P1", 650),
    ]


@pytest.mark.parametrize("keys", [((True,), (2,)), ((1,), ("a",)), ((None,), (1,))], ids=str)
def test_other_keys_have_no_scale(keys: tuple[Key, Key]) -> None:
    with pytest.raises(ValueError, match="no scale"):
        Scale(*keys)


def test_a_range_ends_where_another_one_begins() -> None:
    first, second = KeyRange(), KeyRange(("c",))
    starts = Starts([first, second])
    assert starts.end(first, [("a",), ("b",), ("c",)]) == 2
    assert starts.end(second, [("c",), ("d",)]) is None
    starts.add(second, [("c",), ("d",)])
    assert starts.end(first, [("d",), ("e",)]) == 0


def test_a_divided_list_that_is_read_in_one_piece_begins_again() -> None:
    ranges = [KeyRange(None, ("b",)), KeyRange(("c",), ("d",))]
    assert undivided(ranges) is None
    assert ranges == [KeyRange()]
    assert undivided([KeyRange(None, ("b",))]) == ("b",)
