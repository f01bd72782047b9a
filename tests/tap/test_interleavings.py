"""Any interleaving of changes, late commits, ties, page sizes, crashes and runs ends with equal sides."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from interleavings import FAMILIES, World
from tap_runs import config_for
from tap_sagex3.sync import context as pace
from x3_control import X3Control
from x3_servers import local_x3

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from interleavings import Action
    from processes import Server

SOME, MANY = 50, 500
ACTIONS = st.one_of(
    st.tuples(
        st.sampled_from(["header", "line", "late", "run", "cut", "break"]),
        st.integers(0, 400),
        st.integers(0, 12),
    ),
    st.tuples(st.just("tick"), st.just(0), st.sampled_from([0, 1, 60, 140, 280, 900])),
    st.tuples(st.just("commit"), st.just(0), st.just(0)),
)
INTERLEAVINGS = st.lists(ACTIONS, min_size=3, max_size=14)


@pytest.fixture(scope="module")
def source() -> Iterator[tuple[Server, X3Control]]:
    """A local X3 of its own: its clock stands still and its data are put back for each interleaving."""
    with (
        local_x3("--port", "0", "--scale", "12", "--seed", "5") as running,
        X3Control(running.ready["url"]) as control,
    ):
        yield running, control
        control.reset()


def check(source: tuple[Server, X3Control], api: str, family: str, actions: list[Action]) -> None:
    running, control = source
    # Through REST a line that changed alone is only seen where its document changed within the look-back.
    world = World(control, config_for(running, api), api, family, lines_alone=api == "graphql")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pace, "STATE_EVERY", 5)
        for action in actions:
            note(f"{action}")
            world.act(action)
        world.finish()


def interleavings(number: int) -> settings:
    """So many interleavings, the same in each run; a failing one is printed, made as small as can be."""
    return settings(
        max_examples=number,
        derandomize=True,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


@interleavings(SOME)
@given(
    api=st.sampled_from(["rest", "graphql"]), family=st.sampled_from(sorted(FAMILIES)), actions=INTERLEAVINGS
)
def test_some_interleavings_end_with_equal_sides(
    source: tuple[Server, X3Control], api: str, family: str, actions: list[Action]
) -> None:
    check(source, api, family, actions)


@pytest.mark.full
@pytest.mark.timeout(1800)
@interleavings(MANY)
@given(
    api=st.sampled_from(["rest", "graphql"]), family=st.sampled_from(sorted(FAMILIES)), actions=INTERLEAVINGS
)
def test_many_interleavings_end_with_equal_sides(
    source: tuple[Server, X3Control], api: str, family: str, actions: list[Action]
) -> None:
    check(source, api, family, actions)
