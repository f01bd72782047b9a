"""Two targets that load the same table at once: no row twice, none lost, a history that hangs together."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import three_streams
from forked_targets import Forked
from target_world import LINE_SCHEMA

if TYPE_CHECKING:
    from pathlib import Path

    from target_world import Message, World

SHARED, OWN = 12, 4
ROUNDS = 2
DELETED = {"_sdc_deleted_at": "2026-03-01T00:00:00Z"}


def stamp(number: int) -> str:
    """A stamp of its own for each number, in its order."""
    return f"2026-01-{number // 24 + 1:02d}T{number % 24:02d}:00:00Z"


class Rivals:
    """What two targets send: rows of both, of which the newest stamp wins, and rows of each alone."""

    def __init__(self, world: World, seed: int) -> None:
        """Start with nothing sent."""
        self._world, self._chance, self._clock = world, random.Random(seed), 0  # noqa: S311 - test data
        self.expected: dict[tuple[str, int], Decimal] = {}
        properties = {**LINE_SCHEMA["properties"], "_sdc_deleted_at": {"type": ["string", "null"]}}
        self._schema = world.schema_message({**LINE_SCHEMA, "properties": properties})

    def round(self) -> list[list[Message]]:
        """Input of both for one round; `expected` is what must be live after it."""
        inputs: list[list[Message]] = [[self._schema], [self._schema]]
        numbers = list(range(SHARED)) * 2
        self._chance.shuffle(numbers)
        for number in numbers:
            self._send(self._chance.choice(inputs), ("S", number))
        for who, messages in enumerate(inputs):
            for number in range(OWN):
                key = (f"O{who}", number)
                self._send(messages, key)
                if self._chance.random() < 0.4:
                    self._send(messages, key, **DELETED)
        return inputs

    def _send(self, messages: list[Message], key: tuple[str, int], **more: Any) -> None:  # noqa: ANN401
        self._clock += 1
        amount = Decimal(self._clock)
        messages.append(self._world.line(*key, str(amount), updatedDate=stamp(self._clock), **more))
        if more:
            del self.expected[key]
        else:
            self.expected[key] = amount


@pytest.mark.parametrize(
    "seed", [1, pytest.param(2, marks=pytest.mark.full), pytest.param(3, marks=pytest.mark.full)]
)
def test_two_targets_at_once(world: World, tmp_path: Path, seed: int) -> None:
    own = world.for_test(f"rivals {seed}")
    rivals = Rivals(own, seed)
    for number in range(ROUNDS if seed == 1 else 5):
        inputs = rivals.round()
        settings = own.settings(batch_size_rows=7, max_dead_letter_percent=100)
        running = [Forked(sent, settings, tmp_path / f"{number}-{who}") for who, sent in enumerate(inputs)]
        for ended in [process.wait() for process in running]:
            assert ended.code == 0, ended.log[-2000:]
        stored = [((row["DOCUMENT_ID"], row["LINE_NUMBER"]), row["AMOUNT"]) for row in own.rows()]
        assert len(dict(stored)) == len(stored)
        assert dict(stored) == rivals.expected
        three_streams.check_trail(own)
    check_chain(own)
    received = own.query(
        f"SELECT SUM(RECEIVED) AS N FROM ANALYTICS.AUDIT.BATCHES WHERE {three_streams.of_view(own)}"
    )
    assert received[0]["N"] >= len(rivals.expected)


def check_chain(world: World) -> None:
    """Each history row of a key starts where the one before it ended."""
    last: dict[str, str | None] = {}
    for row in world.audit("RECORD_HISTORY", '"LOADED_AT", "SEQ"'):
        known = last.get(row["KEY_HASH"])
        assert (row["ROW_HASH_BEFORE"] == known) or (known is None and row["OPERATION"] != "insert"), row
        last[row["KEY_HASH"]] = row["ROW_HASH"] if row["OPERATION"] != "delete" else None
