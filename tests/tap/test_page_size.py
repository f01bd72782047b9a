"""Size of GraphQL pages: `page_size` is the most; the bytes of answers decide below it."""

from __future__ import annotations

import typing as t

from hypothesis import given
from hypothesis import strategies as st
from tap_runs import catalog_of, config_for, run_tap
from tap_sagex3.graphql import page_size
from tap_sagex3.graphql.page_size import FIRST_PAGE, WANTED_BYTES, PageSize
from x3_control import X3Control
from x3_servers import local_x3

if t.TYPE_CHECKING:
    import pytest


@given(st.integers(1, 5000), st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 1 << 30)), max_size=20))
def test_it_stays_between_one_and_page_size(most: int, answers: list[tuple[int, int]]) -> None:
    size = PageSize(most)
    for documents, bytes_ in answers:
        size.learn(documents, bytes_)
        assert 1 <= size.documents <= most


def test_short_documents_reach_page_size_and_long_ones_do_not() -> None:
    size = PageSize(500)
    assert size.documents == FIRST_PAGE
    for _ in range(4):
        size.learn(size.documents, size.documents * 1_000)
    assert size.documents == 500
    size.learn(500, 500 * 1_000_000)
    assert size.documents == WANTED_BYTES // 1_000_000


def test_pages_become_smaller_when_answers_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = []
    with local_x3("--scale", "300") as running, X3Control(running.ready["url"]) as control:
        config = config_for(running, "graphql")
        catalog = catalog_of(config, "gl_entries", "gl_entry_lines")
        sent = []
        for wanted in (WANTED_BYTES, 50_000):
            monkeypatch.setattr(page_size, "WANTED_BYTES", wanted)
            control.reset_counters()
            run = run_tap(config, catalog=catalog)
            counts.append(control.counters()["graphql"])
            sent.append([(message["stream"], message["record"]) for message in run.of("RECORD")])
    assert sent[0] == sent[1]
    assert len(sent[0]) > 300
    assert counts[1] > counts[0]
