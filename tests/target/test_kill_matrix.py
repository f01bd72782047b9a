"""Kill -9 at every statement of a load, before and after it took effect; a second run mends it."""

from __future__ import annotations

import random
import signal
from typing import TYPE_CHECKING

import pytest
import three_streams
from forked_targets import Forked

if TYPE_CHECKING:
    from pathlib import Path

    from target_world import World

MOMENTS = ("before", "after")
SAMPLES = 30
SLICES = 60
SEED = 5


def reference(world: World) -> tuple[list[str], dict[str, list[str]]]:
    """Statements of the uninterrupted run and what it leaves; made once for a server."""
    if "uninterrupted" not in world.shared:
        own = world.for_test("uninterrupted")
        own.control.clear_log()
        ended = own.run(three_streams.messages(own), **three_streams.options())
        statements = own.target_statements()
        assert ended.states[-1]["at"] == len(three_streams.messages(own))
        three_streams.check_trail(own)
        world.shared["uninterrupted"] = (statements, three_streams.stored(own))
    found: tuple[list[str], dict[str, list[str]]] = world.shared["uninterrupted"]
    return found


def killed_and_mended(world: World, number: int, when: str, folder: Path) -> None:
    """Kill a run at a statement, run again from its last STATE, and compare."""
    statements, expected = reference(world)
    case = f"killed {when} statement {number} of {len(statements)}: {statements[number - 1][:100]}"
    settings = three_streams.options()
    for attempt in range(3):  # a statement that another process sent meanwhile may have taken the kill
        own = world.for_test(f"{number} {when} {folder} {attempt}")
        messages = three_streams.messages(own)
        fault = own.control.fault("kill", nth=number, when=when, user="LOADER")
        ended = Forked(messages, own.settings(**settings), folder / f"{number}-{when}-{attempt}").wait()
        assert own.control.struck(fault) == 1, case
        if ended.code == -signal.SIGKILL:
            break
    assert ended.code == -signal.SIGKILL, (case, ended.log[-2000:])
    own.control.clear_faults()
    # The killed session holds its fence; a writer that waits for it has it aborted after five idle minutes.
    own.control.advance_clock(400)
    own.run(three_streams.rest(messages, ended.states), **settings)
    assert three_streams.stored(own) == expected, case
    three_streams.check_trail(own)


def test_uninterrupted_run_has_what_the_matrix_is_about(world: World) -> None:
    statements, expected = reference(world)
    assert sum(sql == "COMMIT" for sql in statements) >= 9
    assert len(expected["DEAD_LETTERS"]) == 1
    assert {"insert", "update", "delete"} == {
        word
        for row in expected["RECORD_HISTORY"]
        for word in ("insert", "update", "delete")
        if f'"OPERATION": "{word}"' in row
    }
    causes = " ".join(expected["RECORD_HISTORY"])
    assert "replace_scope" in causes
    assert "activate_version" in causes


@pytest.mark.parametrize("sample", range(SAMPLES))
def test_kill_at_some_statements(world: World, tmp_path: Path, sample: int) -> None:
    """Thirty of all boundaries, by seed: one from each part of the load."""
    chance = random.Random(f"{SEED} {sample}")  # noqa: S311 - a choice of tests, not a secret
    share = (sample + chance.random()) / SAMPLES
    number = 1 + int(share * len(reference(world)[0]))
    killed_and_mended(world, number, chance.choice(MOMENTS), tmp_path)


@pytest.mark.full
@pytest.mark.parametrize("part", range(SLICES))
def test_kill_at_every_statement(world: World, tmp_path: Path, part: int) -> None:
    for number in range(1 + part, len(reference(world)[0]) + 1, SLICES):
        for when in MOMENTS:
            killed_and_mended(world, number, when, tmp_path)


@pytest.mark.parametrize("sample", [pytest.param(n, marks=pytest.mark.full) for n in range(40)])
def test_kill_while_streams_load_beside_each_other(world: World, tmp_path: Path, sample: int) -> None:
    """Streams are committed in no certain order: a row may be sent again after its next version was stored.

    The tables and dead letters are the same all the same; history may tell of more on the way there. Not for
    the stream without stamps: nothing but their order tells its versions apart.
    """
    parts = ("lines", "docs")
    chance = random.Random(f"{SEED} beside {sample}")  # noqa: S311 - a choice of tests, not a secret
    settings = three_streams.options() | {"max_parallelism": 3}
    whole, own = world.for_test(f"whole {sample}"), world.for_test(f"beside {sample}")
    whole.run(three_streams.messages(whole, parts), **settings)
    messages = three_streams.messages(own, parts)
    fault = own.control.fault("kill", nth=chance.randint(20, 90), when=chance.choice(MOMENTS), user="LOADER")
    ended = Forked(messages, own.settings(**settings), tmp_path / "killed").wait()
    assert (own.control.struck(fault), ended.code) == (1, -signal.SIGKILL), ended.log[-2000:]
    own.control.clear_faults()
    own.control.advance_clock(400)
    own.run(three_streams.rest(messages, ended.states), **settings)
    found, expected = three_streams.stored(own), three_streams.stored(whole)
    found.pop("RECORD_HISTORY")
    expected.pop("RECORD_HISTORY")
    assert found == expected
    three_streams.check_trail(own)
