"""STATE values that wait until the records before them are safe."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st
from target_snowflake_audit.state import StateBarrier


def test_state_waits_for_the_records_of_every_stream() -> None:
    barrier = StateBarrier()
    barrier.record("a")
    barrier.record("b")
    barrier.state(1)
    assert barrier.ready() == (False, None)
    for stream in "ab":
        barrier.handed_over(stream)
    barrier.committed("a")
    assert barrier.ready() == (False, None)
    barrier.record("a")
    barrier.state(2)
    barrier.committed("b")
    assert barrier.ready() == (True, 1)
    barrier.handed_over("a")
    assert barrier.ready() == (False, None)
    barrier.committed("a")
    assert barrier.ready() == (True, 2)
    assert barrier.ready() == (False, None)


def test_batch_that_holds_state_back_keeps_its_first_record() -> None:
    """Overwrite: batches are loaded one after another, but only the last step makes them safe."""
    barrier = StateBarrier()
    barrier.record("a")
    barrier.handed_over("a")
    barrier.state(1)
    barrier.record("a")
    barrier.handed_over("a")
    barrier.state(2)
    assert barrier.ready() == (False, None)
    barrier.committed("a")
    assert barrier.ready() == (True, 2)


def test_a_state_between_the_records_of_a_replaced_table_never_leaves() -> None:
    barrier = StateBarrier()
    barrier.state("before")
    barrier.record("a")
    barrier.state("within")
    barrier.record("b")
    last = barrier.record("a")
    barrier.state("after")
    for stream in "ab":
        barrier.handed_over(stream)
    assert barrier.ready() == (True, "before")
    barrier.replaced("a", last)
    assert barrier.ready() == (False, None)
    barrier.committed("b")
    assert barrier.ready() == (True, "after")


@given(
    st.lists(
        st.one_of(
            st.sampled_from(["a", "b", "c"]),
            st.integers(0, 5),
            st.tuples(st.sampled_from("abc"), st.booleans()),
        )
    )
)
def test_state_never_leaves_before_its_records(steps: list[Any]) -> None:
    barrier, received, committed = StateBarrier(), [], set()
    loading: dict[str, set[int]] = {}
    for step in steps:
        if isinstance(step, str):
            barrier.record(step)
            received.append(step)
        elif isinstance(step, int):
            barrier.state(len(received))
        elif step[1] and step[0] not in loading:
            barrier.handed_over(step[0])
            loading[step[0]] = {n for n, stream in enumerate(received) if stream == step[0]}
        else:
            barrier.committed(step[0])
            committed |= loading.pop(step[0], set())
        found, covered = barrier.ready()
        if found:
            assert set(range(covered)) <= committed


@given(
    st.lists(
        st.one_of(
            st.sampled_from(["a", "b", "c"]),
            st.none(),
            st.tuples(st.sampled_from(["handed_over", "committed", "lost"]), st.sampled_from("abc")),
        )
    ),
    st.booleans(),
)
def test_states_that_are_left_out_would_never_have_left(steps: list[Any], often: bool) -> None:  # noqa: FBT001
    """One barrier keeps what it must, the other all STATEs: the same ones leave, at the same moments."""
    barrier, patient = StateBarrier(), StateBarrier()
    sent = 0
    for step in steps:
        if step is None:
            sent += 1
            barrier.state(sent)
            with patch("target_snowflake_audit.state.worth_keeping", lambda waiting, _unsafe: waiting):
                patient.state(sent)
        for each in (barrier, patient):
            if isinstance(step, str):
                each.record(step)
            elif step is not None:
                getattr(each, step[0])(step[1])
        assert len(barrier._waiting) <= 2 * 3 + len(barrier._lost) + 1  # noqa: SLF001 - the memory they take
        if often or step is not None:
            assert barrier.ready() == patient.ready()
    assert barrier.ready() == patient.ready()


def test_few_states_wait_behind_a_slow_stream() -> None:
    barrier = StateBarrier()
    barrier.record("slow")
    for number in range(1000):
        barrier.record("quick")
        barrier.state(number)
        barrier.handed_over("quick")
        barrier.committed("quick")
        assert barrier.ready() == (False, None)
    assert len(barrier._waiting) <= 2  # noqa: SLF001 - the memory they take
    barrier.handed_over("slow")
    barrier.committed("slow")
    assert barrier.ready() == (True, 999)
