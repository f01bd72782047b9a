"""Records that are taken together end batches and documents where they do one by one."""

from __future__ import annotations

import dataclasses
import random
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_snowflake_audit.deletions import Documents
from target_snowflake_audit.loader import StreamLoader
from target_world import LINE_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from target_snowflake_audit.reading.blocks import Records
    from target_world import Message, World

COUNTS = ("OPERATION", "RECEIVED", "INSERTED", "UPDATED", "UNCHANGED", "DELETED", "DEDUPLICATED", "DEAD")
ANY_SHARE = {"max_dead_letter_percent": 100, "max_deleted_percent": 100}


@dataclasses.dataclass
class Taking:
    """What `StreamLoader.take` did, and whether it may do so."""

    together: int = 0
    allowed: bool = True


@pytest.fixture
def taking(monkeypatch: pytest.MonkeyPatch) -> Taking:
    """Counts records that are taken together, or has each of them looked at."""
    state, take = Taking(), StreamLoader.take

    def counted(loader: StreamLoader, records: Records, number: Callable[[int], range]) -> int | None:
        found = take(loader, records, number) if state.allowed else None
        state.together += found or 0
        return found

    monkeypatch.setattr(StreamLoader, "take", counted)
    return state


def loaded(world: World, messages: list[Message], **limit: int) -> dict[str, list[Any]]:
    """Run it and give what it left behind, but for what differs from run to run."""
    ended = world.run(messages, **ANY_SHARE, **limit)
    every = world.query(f"SELECT * FROM {world.table}")
    history, letters = (
        world.audit("RECORD_HISTORY", '"KEY_HASH", "SEQ"'),
        world.audit("DEAD_LETTERS", '"SEQ"'),
    )
    return {
        "batches": [[row[name] for name in COUNTS] for row in world.audit("BATCHES", '"LOADED_AT"')],
        "rows": world.rows(),
        "gone": sorted(str(row["DOCUMENT_ID"]) for row in every if row["_AUDIT_DELETED_AT"] is not None),
        "history": [(row["OPERATION"], row["CAUSE"], row["SEQ"], row["AFTER"]) for row in history],
        "letters": [(row["SEQ"], row["RECORD"]) for row in letters],
        "states": ended.states,
    }


def documents(world: World, more: dict[str, Any]) -> list[Message]:
    """Lines of documents; some come again with other lines, and of some the document cannot be told."""
    chance = random.Random(7)  # noqa: S311 - test data
    found = [world.schema_message({**LINE_SCHEMA, "x-replace-scope": ["documentId"]})]
    for place in range(30):
        document = f"D{chance.randrange(40)}"
        for number in chance.sample(range(8), chance.randrange(1, 8)):
            message = world.line(document, number, f"{chance.randrange(9)}.00", **more)
            if chance.random() < 0.02:
                message["record"][chance.choice(["documentId", "lineNumber"])] = None
            found.append(message)
        if chance.random() < 0.3:
            found.append({"type": "STATE", "value": {"place": place}})
    return [*found, {"type": "STATE", "value": {"place": "end"}}]


@pytest.mark.parametrize(
    ("more", "limit"), [({}, {"batch_size_rows": 13}), ({"version": 1}, {"batch_size_bytes": 1500})]
)
def test_batches_end_where_they_do_one_by_one(
    world: World, taking: Taking, more: dict[str, Any], limit: dict[str, int]
) -> None:
    found = []
    for stream, taking.allowed in ((world.stream, True), (f"{world.stream}_2", False)):
        own = dataclasses.replace(world, stream=stream)
        lines = [own.line("D1", number, **more) for number in range(40)]
        found.append(loaded(own, [own.schema_message(), *lines], **limit))
    assert found[0] == found[1]
    assert len(found[0]["rows"]) == 40
    assert taking.together > 20


@pytest.mark.parametrize(
    ("more", "limit"), [({}, {"batch_size_rows": 30}), ({"version": 1}, {"batch_size_bytes": 4000})]
)
def test_documents_end_where_they_do_one_by_one(
    world: World, taking: Taking, more: dict[str, Any], limit: dict[str, int]
) -> None:
    found = []
    for stream, taking.allowed in ((world.stream, True), (f"{world.stream}_2", False)):
        own = dataclasses.replace(world, stream=stream)
        found.append(loaded(own, documents(own, more), **limit))
    assert found[0] == found[1]
    assert taking.together > 40
    assert all(found[0].values())
    assert len(found[0]["batches"]) > 3


def name_of(values: Sequence[Any]) -> tuple[str, ...] | None:
    """The name of a document, if it can be told."""
    return None if None in values else tuple(values)


@given(
    names=st.lists(st.sampled_from(["A", "B", "C", None]), max_size=30),
    sizes=st.lists(st.integers(1, 8), min_size=30, max_size=30),
    ends=st.sets(st.integers(0, 29)),
)
def test_documents_taken_in_pieces(names: list[str | None], sizes: list[int], ends: set[int]) -> None:
    """A batch ends before the same records, and the same ones start documents."""
    rows = [{"id": name} for name in names]
    one_by_one, expected = Documents(("id",), name_of), []
    for at, row in enumerate(rows):
        starts, again = one_by_one.starts(row)
        if again or (starts and at in ends):
            one_by_one.next_batch()
            expected.append((at, "batch"))
        if not one_by_one.inside:
            expected.append((at, "document"))
    together, found, first = Documents(("id",), name_of), [], 0
    while first < len(rows):
        piece = cast("Any", rows[first : first + sizes.pop()])
        taken, begins = together.take(piece, None, {at - first for at in ends}.__contains__)
        found += [(first + at, "document") for at in begins]
        first += taken
        if taken < len(piece):
            together.starts(rows[first])
            together.next_batch()
            found += [(first, "batch"), (first, "document")]
            first += 1
    assert found == expected
    assert together.inside == one_by_one.inside
