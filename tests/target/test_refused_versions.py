"""Several versions of a key in one batch, some of them refused: the newest that is good is loaded."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from target_world import LINE_SCHEMA, before_first

if TYPE_CHECKING:
    from target_world import Message, World

SCHEMA = {**LINE_SCHEMA, "properties": {**LINE_SCHEMA["properties"], "at": {"type": ["string", "null"]}}}
GOOD, BAD = "08:30:00", "half past eight"


def version(world: World, day: int, at: str | None, number: int = 1, **more: Any) -> Message:  # noqa: ANN401
    stamp = f"2026-01-{day:02d}T00:00:00Z"
    return world.line("A", number, f"{day}.00", updatedDate=stamp, at=at, **more)


def load(world: World, versions: list[Message], **settings: Any) -> None:  # noqa: ANN401
    """Load into a table whose column of text is TIME: the client passes its texts on."""
    types = {world.stream: {"at": "TIME"}}
    world.run([world.schema_message(SCHEMA), *versions], column_types=types, **settings)


def amounts(world: World) -> list[Decimal]:
    return [row["AMOUNT"] for row in world.rows()]


def days_of_letters(world: World) -> list[str]:
    return sorted(json.loads(letter["RECORD_TEXT"])["updatedDate"][8:10] for letter in world.letters())


def test_version_that_cannot_be_converted_beats_no_good_one(world: World) -> None:
    load(world, [version(world, 1, GOOD), version(world, 2, BAD)])
    assert (amounts(world), days_of_letters(world)) == ([Decimal(1)], ["02"])
    assert world.letters()[0]["ERRORS"][0]["value"] == BAD
    assert world.counts() == [{"received": 2, "inserted": 1, "dead": 1}]


def test_newest_good_version_among_many_is_loaded(world: World) -> None:
    """Of a key whose newest version is good, what it beats is not looked at: it is no letter."""
    mixed = [version(world, day, BAD if day in {1, 4, 5} else GOOD) for day in (3, 5, 1, 2, 4)]
    other = [version(world, 1, BAD, 2), version(world, 2, GOOD, 2)]
    never = [version(world, day, BAD, 3) for day in (1, 2)]
    load(world, [*mixed, *other, *never])
    assert amounts(world) == [Decimal(3), Decimal(2)]
    assert days_of_letters(world) == ["01", "01", "02", "04", "05"]
    assert world.counts() == [{"received": 9, "inserted": 2, "deduplicated": 2, "dead": 5}]
    assert [operation for operation, _, _ in world.history()] == ["insert", "insert"]


def test_good_version_under_a_refused_one_is_compared_with_the_stored_row(world: World) -> None:
    load(world, [version(world, 3, GOOD), version(world, 2, GOOD, 2)])
    same = [version(world, 3, GOOD), version(world, 4, BAD)]
    newer = [version(world, 3, GOOD, 2), version(world, 4, BAD, 2)]
    load(world, [*same, *newer])
    assert amounts(world) == [Decimal(3), Decimal(3)]
    assert world.counts()[-1] == {"received": 4, "updated": 1, "unchanged": 1, "dead": 2}


def test_refused_version_without_a_stamp_hides_no_stamped_one(world: World) -> None:
    unstamped = world.line("A", 1, "9.00", at=BAD, updatedDate=None)
    load(world, [version(world, 2, GOOD), unstamped, version(world, 1, GOOD)])
    assert amounts(world) == [Decimal(2)]
    assert world.counts() == [{"received": 3, "inserted": 1, "deduplicated": 1, "dead": 1}]


def test_bad_value_of_a_record_that_says_deleted_does_not_matter(world: World) -> None:
    load(world, [version(world, 1, GOOD), version(world, 1, GOOD, 2)])
    gone: Message = {"updatedDate": None, "at": BAD, "_sdc_deleted_at": "2026-01-03T00:00:00Z"}
    load(world, [world.line("A", n, **gone) for n in (1, 2)] + [version(world, 2, GOOD, 2)])
    assert amounts(world) == [Decimal(2)]
    assert world.letters() == []
    assert world.counts()[-1] == {"received": 3, "updated": 1, "deduplicated": 1, "deleted": 1}


def test_line_whose_newest_version_is_refused_is_not_taken_for_gone(world: World) -> None:
    scoped = world.schema_message({**SCHEMA, "x-replace-scope": ["documentId"]})
    types = {world.stream: {"at": "TIME"}}
    world.run([scoped, *(version(world, 1, GOOD, n) for n in (1, 2, 3))], column_types=types)
    again = [version(world, 2, GOOD, 1), version(world, 2, GOOD, 2), version(world, 3, BAD, 2)]
    world.run([scoped, *again], column_types=types)
    assert [row["LINE_NUMBER"] for row in world.rows()] == [1, 2]
    assert amounts(world) == [Decimal(2), Decimal(2)]
    assert world.counts()[-1] == {"received": 3, "updated": 2, "dead": 1, "removed": 1}


@pytest.mark.parametrize("absent", ["null", "keep"])
def test_version_that_the_merge_refuses_beats_no_good_one(
    world: World, monkeypatch: pytest.MonkeyPatch, absent: str
) -> None:
    """Two versions of a key are refused one after the other, and the one under them is loaded."""
    load(world, [version(world, 1, GOOD, 9, text="x")])
    forbid = f'ALTER TABLE {world.table} ALTER COLUMN "TEXT" SET NOT NULL'
    before_first("put", lambda: world.query(forbid), monkeypatch)
    mixed = [version(world, day, GOOD, text="ok" if day == 1 else None) for day in (1, 2, 3)]
    load(world, [*mixed, version(world, 2, GOOD, 2, text="ok")], absent_fields=absent)
    assert amounts(world) == [Decimal(1), Decimal(2), Decimal(1)]
    assert days_of_letters(world) == ["02", "03"]
    assert {letter["REASON"] for letter in world.letters()} == {"refused_by_snowflake"}
    assert world.counts()[-1] == {"received": 4, "inserted": 2, "dead": 2}


def test_both_nets_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    load(world, [version(world, 1, GOOD, 9, text="x")])
    forbid = f'ALTER TABLE {world.table} ALTER COLUMN "TEXT" SET NOT NULL'
    before_first("put", lambda: world.query(forbid), monkeypatch)
    good, null = version(world, 1, GOOD, text="ok"), version(world, 2, GOOD)
    load(world, [good, null, version(world, 3, BAD, text="ok")])
    assert amounts(world) == [Decimal(1), Decimal(1)]
    reasons = {letter["SEQ"]: letter["REASON"] for letter in world.letters()}
    assert sorted(reasons.values()) == ["conversion", "refused_by_snowflake"]
    assert world.counts()[-1] == {"received": 3, "inserted": 1, "dead": 2}
