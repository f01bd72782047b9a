"""Kill -9 at every statement of a load, before and after it took effect; a second run mends it."""

from __future__ import annotations

import random
import re
import signal
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
import three_streams
from forked_targets import Forked

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from target_world import Ended, Message, World

MOMENTS = ("before", "after")
SAMPLES = 30
SLICES = 60
SLICES_OF_WHOLE = 120
"""A slice of four cases takes about 30 s; there is time for it on a machine that has much else to do."""
SEED = 5


@dataclass(frozen=True)
class Load:
    """A load that is cut: how its rows are stored, and how much there is of it."""

    method: str = "upsert"
    parts: tuple[str, ...] = three_streams.PARTS
    batches: int = 3
    before: bool = False
    """Whether the tables hold rows of an earlier run."""

    @property
    def settings(self) -> dict[str, object]:
        """Settings of the target."""
        return three_streams.options(load_method=self.method)

    def messages(self, world: World) -> list[Message]:
        """What the tap sends."""
        return three_streams.messages(world, self.parts, self.batches)

    def prepare(self, world: World) -> None:
        """Load what was there before."""
        if self.before:
            world.run(three_streams.messages(world, self.parts, 1), **self.settings)


WHOLE = Load()
OVERWRITE = Load("overwrite", ("lines", "docs"), 2, before=True)
APPEND = Load("append-only", ("lines",), 2)


def reference(world: World, load: Load = WHOLE) -> tuple[list[str], dict[str, list[str]]]:
    """Statements of the uninterrupted run and what it leaves; made once for a server."""
    if str(load) not in world.shared:
        own = world.for_test(f"uninterrupted {load}")
        load.prepare(own)
        own.control.clear_log()
        ended = own.run(load.messages(own), **load.settings)
        statements = own.target_statements()
        assert ended.states[-1]["at"] == len(load.messages(own))
        three_streams.check_trail(own)
        world.shared[str(load)] = (statements, three_streams.stored(own))
    found: tuple[list[str], dict[str, list[str]]] = world.shared[str(load)]
    return found


def killed(world: World, load: Load, number: int, when: str, folder: Path) -> tuple[World, Ended, str]:
    """Kill a run at a statement; gives its view, what it left on its output, and the case in words."""
    statements, _ = reference(world, load)
    case = f"killed {when} statement {number} of {len(statements)}: {statements[number - 1][:100]}"
    for attempt in range(3):  # a statement that another process sent meanwhile may have taken the kill
        own = world.for_test(f"{load} {number} {when} {folder} {attempt}")
        load.prepare(own)
        fault = own.control.fault("kill", nth=number, when=when, user="LOADER")
        input_, settings = load.messages(own), own.settings(**load.settings)
        ended = Forked(input_, settings, folder / f"{number}-{when}-{attempt}").wait()
        assert own.control.struck(fault) == 1, (case, ended.code, ended.log[-3000:])
        own.control.clear_faults()
        if ended.code == -signal.SIGKILL:
            break
    assert ended.code == -signal.SIGKILL, (case, ended.log[-2000:])
    let_locks_go(own)
    return own, ended, case


def let_locks_go(own: World) -> None:
    """The killed sessions hold their fences; a writer that waits has them aborted after five idle minutes."""
    own.control.wait_until_idle("LOADER")
    own.control.advance_clock(400)


def killed_and_mended(world: World, load: Load, number: int, when: str, folder: Path) -> None:
    """Kill a run at a statement, run again from its last STATE, and compare."""
    own, ended, case = killed(world, load, number, when, folder)
    own.run(three_streams.rest(load.messages(own), ended.states), **load.settings)
    assert three_streams.stored(own) == reference(world, load)[1], case
    three_streams.check_trail(own)


def drawn(world: World, load: Load, sample: int, samples: int) -> tuple[int, str]:
    """A statement and a moment: each of the samples has a share of the statements, put in order by kind."""
    statements, _ = reference(world, load)
    chance = random.Random(f"{SEED} {sample}")  # noqa: S311 - a choice of tests, not a secret
    by_kind = sorted(
        range(1, len(statements) + 1), key=lambda number: (_kind(statements[number - 1]), number)
    )
    return by_kind[int((sample + chance.random()) / samples * len(by_kind))], chance.choice(MOMENTS)


def _kind(sql: str) -> str:
    """First word, and the table where it is not one of a stream."""
    word = sql.split(maxsplit=1)[0]
    name = re.search(r'"ANALYTICS"\."AUDIT"\."(\w+)"', sql)
    return f"{word} {name[1] if name else ''}"


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
    """Thirty of all boundaries, by seed: of each kind of statement as many as there are of it."""
    killed_and_mended(world, WHOLE, *drawn(world, WHOLE, sample, SAMPLES), tmp_path)


@pytest.mark.full
@pytest.mark.parametrize("part", range(SLICES_OF_WHOLE))
def test_kill_at_every_statement(world: World, tmp_path: Path, part: int) -> None:
    for number in range(1 + part, len(reference(world)[0]) + 1, SLICES_OF_WHOLE):
        for when in MOMENTS:
            killed_and_mended(world, WHOLE, number, when, tmp_path)


@pytest.mark.parametrize("sample", range(2))
def test_kill_while_a_table_is_overwritten(world: World, tmp_path: Path, sample: int) -> None:
    """The table has the old rows or the new ones, and after the next run what an uninterrupted one leaves."""
    killed_and_mended(world, OVERWRITE, *drawn(world, OVERWRITE, sample, 2), tmp_path)


@pytest.mark.full
@pytest.mark.parametrize("part", range(SLICES))
def test_kill_at_every_statement_of_an_overwrite(world: World, tmp_path: Path, part: int) -> None:
    for number in range(1 + part, len(reference(world, OVERWRITE)[0]) + 1, SLICES):
        for when in MOMENTS:
            killed_and_mended(world, OVERWRITE, number, when, tmp_path)


def killed_and_appended(world: World, number: int, when: str, folder: Path) -> None:
    """Kill a run that appends, run again from its last STATE, and count what is there twice.

    A batch whose COMMIT took effect without an answer is the limit of append-only: nobody told the next run
    of it, so it is there twice. Any other batch is there once, and nothing is lost.
    """
    own, ended, case = killed(world, APPEND, number, when, folder)
    own.run(three_streams.rest(APPEND.messages(own), ended.states), **APPEND.settings)
    statements, expected = reference(world, APPEND)
    found = three_streams.stored(own)
    assert found.keys() == expected.keys(), case
    [table] = found.keys() - {"RECORD_HISTORY", "DEAD_LETTERS"}
    once, now = Counter(expected[table]), Counter(found[table])
    assert once <= now, f"lost, {case}"
    twice = now - once
    in_doubt = (when, number) in {("after", commit) for commit in commits_of_batches(statements)}
    assert (max(twice.values(), default=0), bool(twice)) == (int(in_doubt), in_doubt), case
    assert sum(twice.values()) <= three_streams.ROWS, case
    three_streams.check_trail(own)


def commits_of_batches(statements: Sequence[str]) -> list[int]:
    """Numbers of the COMMIT statements of transactions: those of single statements are not asked about."""
    asked = "SELECT CURRENT_TRANSACTION()"
    return [n for n, sql in enumerate(statements, 1) if sql == "COMMIT" and statements[n - 2] == asked]


@pytest.mark.parametrize("case", ["answer of COMMIT lost", "some statement"])
def test_kill_while_rows_are_appended(world: World, tmp_path: Path, case: str) -> None:
    if case == "some statement":
        killed_and_appended(world, *drawn(world, APPEND, 0, 1), tmp_path)
    else:
        killed_and_appended(world, commits_of_batches(reference(world, APPEND)[0])[-1], "after", tmp_path)


@pytest.mark.full
@pytest.mark.parametrize("part", range(SLICES))
def test_kill_at_every_statement_of_an_append(world: World, tmp_path: Path, part: int) -> None:
    for number in range(1 + part, len(reference(world, APPEND)[0]) + 1, SLICES):
        for when in MOMENTS:
            killed_and_appended(world, number, when, tmp_path)


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
    let_locks_go(own)
    own.run(three_streams.rest(messages, ended.states), **settings)
    found, expected = three_streams.stored(own), three_streams.stored(whole)
    found.pop("RECORD_HISTORY")
    expected.pop("RECORD_HISTORY")
    assert found == expected
    three_streams.check_trail(own)
