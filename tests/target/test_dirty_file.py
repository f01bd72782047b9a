"""One record in a hundred is bad: the good rows are in, each bad one is told with all its faults."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import dirty_records
import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from target_world import World


@pytest.mark.parametrize("count", [10_000, pytest.param(200_000, marks=pytest.mark.full)])
def test_good_rows_are_in_and_bad_ones_are_told_with_all_their_columns(
    world: World, tmp_path: Path, count: int
) -> None:
    file = tmp_path / "dirty.singer"
    expected = dirty_records.write(file, count)
    assert len(dirty_records.WAYS) >= 20
    assert set(expected.ways) == set(dirty_records.WAYS)
    ended = world.command(file.read_bytes(), batch_size_rows=count // 3)
    assert ended.code == 0, ended.log[-2000:]
    table = f"ANALYTICS.{world.schema}.{dirty_records.TABLE}"
    [row] = world.query(f'SELECT COUNT(*) AS N, SUM("AMOUNT") AS S FROM {table}')
    assert (row["N"], row["S"]) == (expected.good, expected.amount)
    letters = world.query(
        f"SELECT SEQ, ERRORS, RECORD_SHA256 FROM ANALYTICS.AUDIT.DEAD_LETTERS WHERE TARGET_TABLE = '{table}'"
    )
    told = {int(one["SEQ"]): {e["column"] for e in json.loads(one["ERRORS"])} for one in letters}
    assert told == expected.bad
    [sums] = world.query(
        "SELECT SUM(RECEIVED) AS R, SUM(INSERTED) AS I, SUM(DEAD) AS D FROM ANALYTICS.AUDIT.BATCHES "
        f"WHERE TARGET_TABLE = '{table}'"
    )
    assert (sums["R"], sums["I"], sums["D"]) == (count, expected.good, len(expected.bad))
    assert ended.log.splitlines()[-1].endswith(f"completed with {len(expected.bad)} dead letters")
    assert ended.states[-1]["bookmarks"]
