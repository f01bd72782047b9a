"""Letters whose row, or whose document without it, came later and was not written: they are overtaken too."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from letters import LONG, NEWER, by_day, letters_of, row, statuses, unstamped, wider
from target_snowflake_audit.overtaken import ABSENT, PARTIAL
from target_snowflake_audit.purging import erase
from target_snowflake_audit.replay import replay
from target_snowflake_audit.session import Session
from target_snowflake_audit.sql.erasure import Subject
from target_snowflake_audit.sql.quoting import TableName
from target_world import LINE_SCHEMA
from warehouse import administrator

if TYPE_CHECKING:
    from target_snowflake_audit.replay import Outcome
    from target_world import Message, World

SKIPPED, FAILED, REPLAYED = "replay_skipped", "replay_failed", "replayed"
SCOPED = {**LINE_SCHEMA, "x-replace-scope": ["documentId"]}
KEEP: dict[str, Any] = {"absent_fields": "keep", "max_dead_letter_percent": 100}


def again(world: World, size: int = 40, **settings: Any) -> list[Outcome]:  # noqa: ANN401 - of any JSON type
    return replay(world.settings(column_types=wider(world, size), **settings), letters_of(world))


def events(world: World, size: int = 40, **settings: Any) -> list[str]:  # noqa: ANN401 - of any JSON type
    return [one.event for one in again(world, size, **settings)]


def amounts(world: World) -> list[Decimal]:
    return [one["AMOUNT"] for one in world.rows()]


def notes(world: World) -> list[str]:
    """Events of the stream's letters that leave their status alone."""
    found = world.query(
        'SELECT e."EVENT" FROM ANALYTICS.AUDIT.DEAD_LETTER_EVENTS AS e '
        'JOIN ANALYTICS.AUDIT.DEAD_LETTERS AS d ON d."DEAD_LETTER_ID" = e."DEAD_LETTER_ID" '
        f"WHERE d.TARGET_TABLE = '{world.table}' AND e.EVENT IN ('sent_since', 'left_out') ORDER BY e.\"AT\""
    )
    return [one["EVENT"] for one in found]


def erase_letter(world: World, letter: str) -> None:
    ready = world.ready
    session = Session(administrator(ready, database=ready["database"], warehouse=ready["warehouse"]))
    try:
        audit = partial(TableName, "ANALYTICS", "AUDIT")
        erase(session, audit, Subject(world.table, letters=(letter,)), reason="asked for", commit=True)
    finally:
        session.close()


@pytest.mark.parametrize("schema_of", [unstamped, by_day])
def test_row_that_comes_again_unchanged_after_a_letter_stays(world: World, schema_of: Any) -> None:  # noqa: ANN401
    schema = schema_of(world)
    good, bad = world.line("A", 1, "5.00", text="ok"), world.line("A", 1, "6.00", text=LONG)
    for message in (good, bad, good):
        world.run([schema, message])
    assert (statuses(world), notes(world)) == (["open"], ["sent_since"])
    assert (events(world), amounts(world)) == ([SKIPPED], [Decimal("5.00")])


def test_letter_that_came_after_the_unchanged_row_is_loaded(world: World) -> None:
    schema, good, bad = unstamped(world), row(world, "5.00", "ok"), row(world, "6.00", LONG)
    for message in (good, bad, good, bad):
        world.run([schema, message])
    assert (events(world), amounts(world)) == ([REPLAYED], [Decimal("6.00")])


@pytest.mark.parametrize("good_first", [True, False])
@pytest.mark.parametrize("known", [True, False])
def test_order_within_the_batch_of_the_unchanged_row(world: World, *, good_first: bool, known: bool) -> None:
    schema, good, bad = unstamped(world), row(world, "5.00", "ok"), row(world, "6.00", LONG)
    for messages in ([good], *([[bad]] if known else []), [good, bad] if good_first else [bad, good]):
        world.run([schema, *messages])
    expected = (REPLAYED, Decimal("6.00")) if good_first else (SKIPPED, Decimal("5.00"))
    assert (events(world), amounts(world)) == ([expected[0]], [expected[1]])


@pytest.mark.parametrize("good_first", [True, False])
def test_order_within_the_batch_of_a_record_that_was_refused_and_erased_before(
    world: World, *, good_first: bool
) -> None:
    """Its letter has another id than the record alone would give it."""
    schema, good, bad = unstamped(world), row(world, "5.00", "ok"), row(world, "6.00", LONG)
    for message in (good, bad):
        world.run([schema, message])
    [erased] = [letter["DEAD_LETTER_ID"] for letter in world.letters()]
    erase_letter(world, erased)
    world.run([schema, *([good, bad] if good_first else [bad, good])])
    [letter] = [one for one in letters_of(world) if one.letter_id != erased]
    assert notes(world) == ([] if good_first else ["sent_since"])
    [outcome] = replay(world.settings(column_types=wider(world, 40)), [letter])
    expected = (REPLAYED, Decimal("6.00")) if good_first else (SKIPPED, Decimal("5.00"))
    assert (outcome.event, amounts(world)) == (expected[0], [expected[1]])


def test_newer_stamp_of_a_letter_beats_an_unchanged_row_that_came_later(world: World) -> None:
    schema, good = world.schema_message(), world.line("A", 1, "5.00")
    for message in (good, world.line("A", 1, "6.00", text=LONG, **NEWER), good):
        world.run([schema, message])
    assert (events(world), amounts(world)) == ([REPLAYED], [Decimal("6.00")])


def test_letter_that_is_refused_again_is_closed_by_an_unchanged_row(world: World) -> None:
    schema, good = unstamped(world), row(world, "5.00", "ok")
    for message in (good, row(world, "6.00", LONG), good):
        world.run([schema, message])
    assert events(world, 10) == [SKIPPED]


def test_row_of_a_letter_that_came_unchanged_since_stays(world: World) -> None:
    """What was replayed says nothing about its arrival; what the source sent does."""
    schema, first, second = unstamped(world), row(world, "5.00", LONG), row(world, "6.00", "y" * 50)
    world.run([schema, first])
    world.run([schema, second])
    assert events(world, 40) == [REPLAYED, FAILED]
    world.run([schema, first], column_types=wider(world))
    assert events(world, 60)[1] == SKIPPED
    assert amounts(world) == [Decimal("5.00")]


def test_other_rows_that_come_unchanged_overtake_nothing_and_a_note_is_written_once(world: World) -> None:
    schema, other = unstamped(world), world.line("B", 1)
    for messages in ([row(world, "5.00", "ok"), other], [row(world, "6.00", LONG)], [other]):
        world.run([schema, *messages])
    assert notes(world) == []
    for _ in range(2):
        world.run([schema, row(world, "5.00", "ok")])
    assert notes(world) == ["sent_since"]


def test_partial_row_that_comes_unchanged_leaves_the_letter_open(world: World) -> None:
    schema = unstamped(world)
    part = {"documentId": "A", "lineNumber": 1}
    world.run([schema, world.record({**part, "amount": Decimal(9)})], **KEEP)
    world.run([schema, world.record({**part, "amount": Decimal(5), "text": LONG})], **KEEP)
    world.run([schema, world.record({**part, "amount": Decimal(9)})], **KEEP)
    [outcome] = again(world, **KEEP)
    assert (outcome.event, outcome.note, amounts(world)) == (FAILED, PARTIAL, [Decimal(9)])


@pytest.mark.parametrize("size", [40, 10])
def test_line_that_its_document_came_without_since_stays_away(world: World, size: int) -> None:
    schema, first, other = world.schema_message(SCOPED), world.line("A", 1), world.line("B", 2, text=LONG)
    world.run([schema, first, world.line("A", 2, text=LONG, **NEWER), other])
    world.run([schema, first])
    assert notes(world) == ["left_out"]
    assert sorted(events(world, size)) == sorted([SKIPPED, FAILED if size == len(LONG) - 1 else REPLAYED])
    assert [one["DOCUMENT_ID"] for one in world.rows()] == ["A", *(["B"] if size == 40 else [])]


def test_newer_version_of_a_line_that_its_document_lost_since_stays_away(world: World) -> None:
    """The stamp of the row that is gone says nothing: it is older than the letter's."""
    schema, first = world.schema_message(SCOPED), world.line("A", 1)
    world.run([schema, first, world.line("A", 2)])
    world.run([schema, first, world.line("A", 2, text=LONG, **NEWER)])
    world.run([schema, first])
    assert events(world) == [SKIPPED]
    assert [one["LINE_NUMBER"] for one in world.rows()] == [1]


def test_document_of_numbers_is_told_by_value(world: World) -> None:
    schema = world.schema_message({**LINE_SCHEMA, "x-replace-scope": ["lineNumber"]})
    world.run([schema, world.line("A", 7), world.line("B", 7, text=LONG), world.line("C", 8, text=LONG)])
    world.run([schema, world.line("A", 7)])
    assert sorted(events(world)) == [SKIPPED, REPLAYED]


def test_document_that_the_key_does_not_name_is_told_by_the_record(world: World) -> None:
    schema = world.schema_message({**LINE_SCHEMA, "x-replace-scope": ["postedOn"]})
    first, bad = (
        world.line("A", n, postedOn="2026-01-05", **({"text": LONG} if n == 2 else {})) for n in (1, 2)
    )
    world.run([schema, first, bad])
    world.run([schema, first])
    assert events(world) == [SKIPPED]


def test_rest_of_a_document_tells_nothing(world: World) -> None:
    """A document that a signal or a SCHEMA may have cut is not whole."""
    schema, first = world.schema_message(SCOPED), world.line("A", 1)
    world.run([schema, first, world.line("A", 2, text=LONG)])
    state = {"type": "STATE", "value": {"bookmarks": {}}}
    world.run([schema, world.line("B", 1), state, first])
    assert (notes(world), events(world)) == ([], [REPLAYED])


def deletion(world: World, **more: Any) -> Message:  # noqa: ANN401 - of any JSON type
    return world.record(
        {"documentId": "A", "lineNumber": 1, "_sdc_deleted_at": "2026-02-02T00:00:00Z", **more}
    )


@pytest.mark.parametrize("hard", [True, False])
@pytest.mark.parametrize("there", [True, False])
def test_deletion_without_a_stamp_that_came_later_is_not_undone(
    world: World, *, hard: bool, there: bool
) -> None:
    schema = unstamped(world)
    for message in (
        *([row(world, "5.00", "ok")] if there else []),
        row(world, "6.00", LONG),
        deletion(world),
    ):
        world.run([schema, message], hard_delete=hard)
    assert (events(world, hard_delete=hard), amounts(world)) == ([SKIPPED], [])


def test_deletion_of_which_no_stamp_is_left_leaves_the_letter_open(world: World) -> None:
    schema = world.schema_message()
    for message in (world.line("A", 1), world.line("A", 1, text=LONG, **NEWER), deletion(world, **NEWER)):
        world.run([schema, message], hard_delete=True)
    [outcome] = again(world, hard_delete=True)
    assert (outcome.event, outcome.note, amounts(world)) == (FAILED, ABSENT, [])


def test_deletion_that_was_refused_does_not_delete_a_row_of_the_same_stamp_that_came_later(
    world: World,
) -> None:
    bad = deletion(world, updatedDate="2026-01-01T00:00:00Z", text=LONG)
    schema = world.schema_message()
    world.run([schema, bad])
    world.run([schema, world.line("A", 1, "5.00")])
    assert (events(world), amounts(world)) == ([SKIPPED], [Decimal("5.00")])


@pytest.mark.parametrize("method", ["overwrite", "versions"])
def test_full_table_that_brings_the_row_unchanged_overtakes(world: World, method: str) -> None:
    schema = unstamped(world)
    settings: dict[str, Any] = {"max_dead_letter_percent": 100}
    if method == "overwrite":
        settings["load_method"] = method
    for number, text in ((1, "ok"), (2, LONG), (3, "ok")):
        version: Message = {"version": number} if method == "versions" else {}
        others = [world.line("B", n, **version) for n in range(6)]
        record = world.line("A", 1, "5.00", text=text, **version)
        activate = {"type": "ACTIVATE_VERSION", "stream": world.stream, "version": number}
        state = {"type": "STATE", "value": {"bookmarks": {}}}
        world.run([schema, *others, record, *([activate] if version else []), state], **settings)
    assert events(world, **settings) == [SKIPPED]
