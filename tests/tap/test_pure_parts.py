from __future__ import annotations

import sys
import typing as t
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_sagex3.dimensions import column_name, dimension_columns
from tap_sagex3.documents import Document
from tap_sagex3.errors import SettingsError
from tap_sagex3.increments import earliest, is_before, next_bookmark, not_after, start_of_read, window_start
from tap_sagex3.overlap import OverlapMemory, key_digest, version_digest
from tap_sagex3.reading import StampReader, merge
from tap_sagex3.rest.pool import ordered_map
from tap_sagex3.turns import HURRIED, UNHURRIED, unhurried
from tap_sagex3.values import format_time

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
EVER = st.integers(min_value=0, max_value=10**9).map(lambda n: NOON + timedelta(seconds=n))


def test_a_read_starts_a_lookback_before_the_bookmark() -> None:
    assert start_of_read("2024-05-01T12:00:00Z", None, 3600) == NOON - timedelta(hours=1)
    assert start_of_read(None, NOON, 3600) == NOON
    assert start_of_read(None, None, 3600) is None
    assert start_of_read("2024-05-01T12:00:00Z", NOON, 3600) == NOON


def test_a_time_without_offset_is_utc_and_the_first_time_has_none_before_it() -> None:
    assert start_of_read("2024-05-01T12:00:00", None, 0) == NOON
    assert is_before("2024-05-01T11:59:59", NOON)
    assert window_start("0001-01-01T00:00:00Z", 3600, whole_days=False) == "0001-01-01T00:00:00Z"


def test_a_bookmark_after_the_start_of_the_run_goes_back_to_it() -> None:
    assert not_after("2024-05-01T12:00:01Z", NOON) == "2024-05-01T12:00:00Z"
    assert not_after("2024-05-01T12:00:00Z", NOON) == "2024-05-01T12:00:00Z"
    assert not_after(None, NOON) is None


def test_the_earliest_start_serves_all_streams() -> None:
    assert earliest([NOON, NOON - timedelta(1)]) == NOON - timedelta(1)
    assert earliest([NOON, None]) is None


@given(EVER, EVER, EVER)
def test_a_bookmark_never_moves_back_and_never_passes_the_start_of_the_run(
    before: datetime, latest: datetime, start: datetime
) -> None:
    moved = next_bookmark(format_time(before), format_time(latest), start)
    assert moved is not None
    found = datetime.fromisoformat(moved)
    assert found >= before
    assert found <= max(before, start)
    assert found <= max(before, latest)


def test_no_document_leaves_the_bookmark() -> None:
    assert next_bookmark("2024-05-01T12:00:00Z", None, NOON) == "2024-05-01T12:00:00Z"
    assert next_bookmark(None, None, NOON) is None


@given(EVER, st.integers(min_value=0, max_value=10**6))
def test_the_window_is_what_the_next_run_reads(bookmark: datetime, lookback: int) -> None:
    text = format_time(bookmark)
    start = start_of_read(text, None, lookback)
    assert start is not None
    assert window_start(text, lookback, whole_days=False) == format_time(start)
    day = window_start(text, lookback, whole_days=True)
    assert day is not None
    assert day == f"{start.date().isoformat()}T00:00:00Z"


def test_is_before() -> None:
    assert is_before("2024-05-01T11:59:59Z", NOON)
    assert not is_before("2024-05-01T12:00:00Z", NOON)
    assert not is_before(None, NOON)
    assert not is_before("2024-05-01T11:59:59Z", None)


VERSIONS = st.lists(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("123")), max_size=12),
    min_size=1,
    max_size=6,
)


@given(VERSIONS, st.integers(min_value=0, max_value=4), st.booleans())
def test_the_last_version_sent_is_always_the_last_version_read(
    runs: list[list[tuple[str, str]]],
    limit: int,
    crash: bool,  # noqa: FBT001
) -> None:
    """Whatever is remembered or forgotten: the receiver ends with what the source had last."""
    state: dict[str, str] = {}
    received: dict[str, str] = {}
    for run in runs:
        memory = OverlapMemory(state, limit)
        source: dict[str, str] = {}
        sent = False
        for number, (key, version) in enumerate(run):
            source[key] = version
            if not memory.is_unchanged(key_digest(key), version_digest(version.encode())):
                received[key] = version
                sent = True
            stamp = format_time(NOON + timedelta(seconds=number))
            memory.remember(key_digest(key), stamp, version_digest(version.encode()), lambda: None)
            if crash and number == 3:
                break
        assert {key: received[key] for key in source} == source
        if not crash:
            state = memory.state(None)
        elif sent:  # the run took the memory out of state before it sent anything
            state = {}
        assert len(state) <= limit


def test_documents_outside_the_window_are_forgotten() -> None:
    memory = OverlapMemory({"old": "v"}, 10)
    memory.remember("early", "2024-05-01T10:00:00Z", "v1", lambda: None)
    memory.remember("late", "2024-05-01T12:00:00Z", "v2", lambda: None)
    memory.remember("without", None, "v3", lambda: None)
    assert memory.state("2024-05-01T11:00:00Z") == {"late": "v2"}


def test_an_older_version_is_never_compared_with_again() -> None:
    memory = OverlapMemory({"k": "A"}, 0)
    assert memory.is_unchanged("k", "A")
    for number in range(200):
        memory.remember(f"other{number}", "2024-05-01T12:00:00Z", "x", lambda: None)
    memory.remember("k", "2024-05-01T12:00:00Z", "B", lambda: None)
    for number in range(200):
        memory.remember(f"other{number}", "2024-05-01T12:00:00Z", "x", lambda: None)
    assert not memory.is_unchanged("k", "A")


def document(source: int, stamp: str | None) -> Document:
    return Document(source, f"{source}", (source,), stamp, {}, "")


def test_kinds_are_merged_by_change_time() -> None:
    first = [document(0, "2024-01-01T00:00:00Z"), document(0, "2024-01-03T00:00:00Z")]
    second = [document(1, "2024-01-02T00:00:00Z"), document(1, "2024-01-03T00:00:00.5Z")]
    merged = list(merge([iter(first), iter(second)], sort=True))
    assert [(d.source, d.stamp) for d in merged] == [
        (0, "2024-01-01T00:00:00Z"),
        (1, "2024-01-02T00:00:00Z"),
        (0, "2024-01-03T00:00:00Z"),
        (1, "2024-01-03T00:00:00.5Z"),
    ]
    assert [d.source for d in merge([iter(first), iter(second)], sort=False)] == [0, 0, 1, 1]


@pytest.mark.parametrize("workers", [1, 4])
def test_results_of_the_pool_come_in_order(workers: int) -> None:
    assert list(ordered_map(lambda n: n * n, range(50), workers)) == [(n, n * n) for n in range(50)]


@pytest.mark.parametrize("workers", [1, 4])
def test_an_error_in_the_pool_comes_in_its_place(workers: int) -> None:
    def call(number: int) -> int:
        if number == 5:
            raise KeyError(number)
        return number

    results = ordered_map(call, range(100), workers)
    assert [next(results)[1] for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(KeyError):
        next(results)


def test_the_pool_does_not_run_far_ahead() -> None:
    begun: list[int] = []

    def call(number: int) -> int:
        begun.append(number)
        return number

    results = ordered_map(call, range(1000), 4)
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert len(begun) <= 8


def test_dimension_columns() -> None:
    assert column_name("CCT", {}) == "dimensionCct"
    assert column_name("C-T 1", {}) == "dimensionCT1"
    assert column_name("CCT", {"CCT": "costCenter"}) == "costCenter"
    assert dimension_columns(["PRJ", "CCT", "CCT"], {}, []) == {"CCT": "dimensionCct", "PRJ": "dimensionPrj"}


@pytest.mark.parametrize(
    ("codes", "names", "taken"),
    [(["C-T", "C T"], {}, []), (["A", "B"], {"A": "x", "B": "x"}, []), (["A"], {"A": "id"}, ["id"])],
)
def test_two_things_in_one_column_are_refused(
    codes: list[str], names: dict[str, t.Any], taken: list[str]
) -> None:
    with pytest.raises(SettingsError, match="dimension_names"):
        dimension_columns(codes, names, taken)


def test_a_stamp_that_is_no_time_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    reader = StampReader("BPSUPPLIER")
    assert reader.read("2024-05-01") == "2024-05-01T00:00:00Z"
    assert reader.read(None) is None
    assert caplog.records == []
    assert [reader.read("soon"), reader.read(5), reader.read({})] == [None, None, None]
    assert [record.getMessage()[:35] for record in caplog.records] == ["BPSUPPLIER: change stamp 'soon' is "]


def test_threads_take_their_turns_as_before_when_nobody_is_unhurried_any_more() -> None:
    before = sys.getswitchinterval()
    sys.setswitchinterval(HURRIED)
    try:
        usual = sys.getswitchinterval()
        for _ in range(200):
            with ExitStack() as first, ExitStack() as second:
                first.enter_context(unhurried())
                second.enter_context(unhurried())
                first.close()
                assert sys.getswitchinterval() == pytest.approx(UNHURRIED)
            assert sys.getswitchinterval() == usual
    finally:
        sys.setswitchinterval(before)
