"""Lines that tell how far a read has come, and the SDK's metrics."""

from __future__ import annotations

import contextlib
import io
import logging
import re
import typing as t
from collections import Counter
from functools import partial

import pytest
from singer_sdk import metrics
from tap_runs import Run, catalog_of, run_tap
from tap_sagex3.sync import context as pace
from tap_sagex3.sync import entity, progress
from tap_sagex3.tap import TapSageX3

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_runs import Config, Record
    from x3_control import X3Control

ORDERS = ("purchase_orders", "purchase_order_lines")
SECONDS = 2.0
"""What passes between two lines of a read, by its clock."""
LINE = re.compile(
    r"Read (?P<documents>\d+) documents \((?P<pages>\d+) pages\) in (?P<passed>[\d.]+) s, "
    r"(?P<rate>\d+) a second; records sent: (?P<sent>[^;:]*)"
    r"(; (source (?P<source>\d) of (?P<sources>\d): )?(?P<percent>\d+) % of (?P<total>\d+)"
    r", about (?P<left>\d+) s left( in it)?)?(?P<done>: done)?"
)


class Line(t.NamedTuple):
    """What a line tells."""

    documents: int
    pages: int
    passed: float
    rate: int
    sent: dict[str, int]
    percent: int | None
    total: int | None
    left: int | None
    source: tuple[int, int] | None
    done: bool


class Lines(logging.Handler):
    """The lines that were logged; each of them lets time pass."""

    def __init__(self) -> None:
        """Begin without a line."""
        super().__init__()
        self.texts: list[str] = []

    def clock(self) -> float:
        """Seconds."""
        return SECONDS * len(self.texts)

    def emit(self, record: logging.LogRecord) -> None:
        """Take a line, if it is one."""
        text = record.getMessage()
        if text.startswith("Read "):
            self.texts.append(text)

    @property
    def read(self) -> list[Line]:
        """All lines, taken apart."""
        return [line_of(text) for text in self.texts]


def line_of(text: str) -> Line:
    """A line taken apart; all of it must be as expected."""
    found = LINE.fullmatch(text)
    assert found is not None, text
    sent = dict(item.split(" ") for item in found["sent"].split(", "))
    percent, total, left = (
        int(found[name]) if found[name] else None for name in ("percent", "total", "left")
    )
    return Line(
        documents=int(found["documents"]),
        pages=int(found["pages"]),
        passed=float(found["passed"]),
        rate=int(found["rate"]),
        sent={stream: int(number) for stream, number in sent.items()},
        percent=percent,
        total=total,
        left=left,
        source=(int(found["source"]), int(found["sources"])) if found["source"] else None,
        done=found["done"] is not None,
    )


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lines]:
    """The lines of the reads, one after each document or page of them."""
    handler, logger = Lines(), logging.getLogger("tap-sagex3")
    monkeypatch.setattr(progress, "SECONDS_BETWEEN", 0)
    monkeypatch.setattr(progress, "_LOOK_EVERY", 1)
    monkeypatch.setattr(entity, "Progress", partial(progress.Progress, clock=handler.clock))
    monkeypatch.setattr(logger, "level", logging.INFO)
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)


@pytest.fixture
def changed_x3(x3: X3Control) -> Iterator[X3Control]:
    """Control of the local X3, whose data is as before afterwards."""
    yield x3
    x3.reset()


def read(config: Config, *streams: str, state: Record | None = None) -> Run:
    config = {**config, "page_size": 5, "prefetch_pages": 0}
    return run_tap(config, catalog=catalog_of(config, *streams), state=state)


def check_left(line: Line, done: int, total: int) -> None:
    """Per cent and time left of a line, when `done` of `total` documents were read."""
    assert (line.percent, line.total) == (100 * done // total, total)
    assert line.left == round(line.passed / line.documents * (total - done))


def test_a_first_load_tells_how_far_it_is(graphql_config: Config, lines: Lines) -> None:
    run = read(graphql_config, "gl_entries", "gl_entry_lines")
    entries = [record["id"] for record in run.records("gl_entries")]
    size = Counter(record["id"] for record in run.records("gl_entry_lines"))
    total = len(set(entries))
    *before, last = lines.read
    assert len(before) == total > 10
    for number, line in enumerate(before):
        assert line.documents == number + 1
        so_far = sum(size[entry] for entry in entries[: number + 1])
        assert line.sent == {"gl_entries": number + 1, "gl_entry_lines": so_far}
        assert line.pages == number // 5 + 1
        assert line.passed == SECONDS * number
        assert number == 0 or line.rate == round((number + 1) / line.passed)
        assert line.source is None
        check_left(line, number + 1, total)
    assert before[1].left == round(SECONDS / 2 * (total - 2)) > 5
    assert last.done
    assert last.documents == total
    assert last.sent == run.counts()
    assert last.percent is last.left is None


@pytest.mark.parametrize("stream", ["dimensions", "stock"])
def test_pages_that_are_handled_as_a_whole_are_counted(
    graphql_config: Config, lines: Lines, stream: str
) -> None:
    """In a first load, and in a full read, which sends nothing before its end."""
    total = len(read(graphql_config, stream).records(stream))
    *before, last = lines.read
    assert [line.documents for line in before] == [*range(5, total, 5), total]
    assert len(before) > 1
    for number, line in enumerate(before):
        assert line.pages == number + 1
        assert line.sent == {stream: 0 if stream == "stock" else line.documents}
        check_left(line, line.documents, total)
    assert last.sent == {stream: total}


@pytest.mark.parametrize("stream", ["products", "gl_entries"])
def test_rest_knows_no_total(rest_config: Config, lines: Lines, stream: str) -> None:
    run = read(rest_config, stream)
    assert len(lines.texts) > 3
    assert {line.percent for line in lines.read} == {line.left for line in lines.read} == {None}
    assert all(line.documents == line.sent[stream] for line in lines.read)
    assert all(line.pages for line in lines.read)
    assert lines.read[-1].sent == run.counts()


@pytest.mark.parametrize("stream", ["supplier_invoices", "sales_invoices"])
def test_the_first_of_two_sources_is_told_by_itself(
    graphql_config: Config, lines: Lines, stream: str
) -> None:
    kinds = [record["invoiceKind"] for record in read(graphql_config, stream).records(stream)]
    total = len(kinds)
    first = total - kinds.count("financial")
    assert 1 < first < total
    before = lines.read[:-1]
    assert len(before) == total
    for number, line in enumerate(before, 1):
        assert line.source == ((1, 2) if number <= first else None)
        check_left(line, number, first if number <= first else total)


def first_load_in(state: Record) -> Record | None:
    """How far a first load had come."""
    return next((marks["first_load"] for marks in state["bookmarks"].values() if "first_load" in marks), None)


def test_a_load_that_goes_on_tells_nothing_before_it_knows_all(
    graphql_config: Config, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "STATE_EVERY", 1)
    whole = read(graphql_config, "gl_entries")
    types = [record["entryType"] for record in whole.records("gl_entries")]
    assert types[0] != types[-1]
    place = types.count(types[0]) - 3
    state = whole.of("STATE")[place]["value"]
    after = first_load_in(state)
    assert after is not None
    assert after["ranges"][0]["after"][0] == types[0]
    lines.texts.clear()
    rest = types[place + 1 :]
    assert len(read(graphql_config, "gl_entries", state=state).records("gl_entries")) == len(rest)
    before = lines.read[:-1]
    assert len(before) == len(rest)
    same = rest.count(types[0])
    assert 1 < same < len(rest) - 1
    for number, line in enumerate(before, 1):
        assert line.source is None
        if number <= same:
            assert line.percent is line.total is line.left is None
        else:
            check_left(line, number, len(rest))


def test_a_load_that_goes_on_in_the_second_source_knows_what_is_left(
    graphql_config: Config, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "STATE_EVERY", 1)
    whole = read(graphql_config, "supplier_invoices")
    states = [message["value"] for message in whole.of("STATE")]
    state = next(state for state in states if (first_load_in(state) or {}).get("source") == 1)
    lines.texts.clear()
    left = len(read(graphql_config, "supplier_invoices", state=state).records("supplier_invoices"))
    before = lines.read[:-1]
    assert len(before) == left > 1
    for number, line in enumerate(before, 1):
        assert line.source is None
        check_left(line, number, left)


def test_what_is_found_by_its_lines_is_in_no_total(
    graphql_config: Config, changed_x3: X3Control, lines: Lines
) -> None:
    state = read(graphql_config, *ORDERS).state
    line, *_ = changed_x3.rows("PORDERQ", limit=1)
    changed_x3.set("PORDERQ", [line["POHNUM"], line["POPLIN"], line["POQSEQ"]], {"RCPQTYSTU": 76})
    orders = [row["POHNUM"] for row in changed_x3.rows("PORDER") if row["POHNUM"] != line["POHNUM"]]
    for number in orders[:3]:
        changed_x3.touch("PORDER", number)
    lines.texts.clear()
    read(graphql_config, *ORDERS, state=state)
    *before, last = lines.read
    told = [line.percent is not None for line in before]
    below = told.index(True)
    assert below
    total = len(told) - below
    assert total > 2
    for number, told_of in enumerate(before[below:], 1):
        check_left(told_of, number, total)
    assert last.documents == below + total


def test_documents_from_the_end_date_on_were_read_too(graphql_config: Config, lines: Lines) -> None:
    stamps = sorted(
        record["updatedDate"] for record in read(graphql_config, "gl_entries").records("gl_entries")
    )
    lines.texts.clear()
    read({**graphql_config, "end_date": stamps[len(stamps) // 2]}, "gl_entries")
    *before, last = lines.read
    assert last.sent["gl_entries"] < last.documents == len(before) == len(stamps)
    for number, line in enumerate(before, 1):
        check_left(line, number, len(stamps))


def test_a_dry_run_counts_documents_and_knows_no_end(graphql_config: Config, lines: Lines) -> None:
    config = {**graphql_config, "page_size": 5, "prefetch_pages": 0}
    tap = TapSageX3(config=config, catalog=catalog_of(config, "gl_entries"))
    with contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO(), encoding="utf-8")):
        tap.run_sync_dry_run(2, [tap.streams["gl_entries"]])
    *before, last = lines.read
    assert [line.percent for line in before] == [None] * len(before)
    assert last.documents == last.sent["gl_entries"] == 2


def test_the_record_counts_of_the_sdk_are_what_was_sent(
    config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger=metrics.METRICS_LOGGER_NAME):
        run = read(config, "gl_entries", "gl_entry_lines", "products", "supplier_invoices")
    counted: Counter[str] = Counter()
    for record in caplog.records:
        point = record.args[0] if isinstance(record.args, tuple) and record.args else None
        if isinstance(point, metrics.Point) and point.metric == metrics.Metric.RECORD_COUNT:
            counted[point.tags["stream"]] += point.value
    assert len(run.counts()) == 4
    assert counted == run.counts()
