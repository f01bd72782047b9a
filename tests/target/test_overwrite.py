"""Load method overwrite: the table is replaced at the end of the run, in one transaction, or not at all."""

from __future__ import annotations

import datetime as dt
import signal
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from target_snowflake_audit.errors import CutInputError, DeadLetterLimitError, DeletionLimitError, SchemaError
from target_snowflake_audit.overwrite import for_replay
from target_snowflake_audit.sql.overwrite import day_of, shadow_of
from target_snowflake_audit.sql.quoting import TableName
from target_world import LINE_SCHEMA, lines, state

if TYPE_CHECKING:
    from target_world import Ended, Message, World

WAY: dict[str, Any] = {"load_method": "overwrite", "max_deleted_percent": 50}


def amounts(world: World) -> list[tuple[int, Decimal]]:
    return [(row["LINE_NUMBER"], row["AMOUNT"]) for row in world.rows()]


def changes(world: World) -> list[tuple[str, str, str]]:
    """Operation, cause and line of the history, in that order."""
    found = world.audit("RECORD_HISTORY", '"LOADED_AT", "SEQ"')
    return sorted((row["OPERATION"], row["CAUSE"], row["KEY"] or "") for row in found)


def whole(world: World, messages: list[Message], **settings: Any) -> Ended:  # noqa: ANN401
    """A run whose input ends as a tap ends it."""
    return world.run([*messages, state({})], **settings)


def shadows(world: World) -> list[str]:
    rows = world.query("SHOW TABLES LIKE 'SHADOW_%' IN SCHEMA ANALYTICS.AUDIT_LOCK")
    return [row["name"] for row in rows]


@pytest.fixture(autouse=True)
def _no_shadows_of_others(world: World) -> None:
    """Runs that other tests have killed leave theirs."""
    for name in shadows(world):
        world.query(f'DROP TABLE "ANALYTICS"."AUDIT_LOCK"."{name}"')


def test_a_run_replaces_the_table(world: World) -> None:
    first = [world.line("A", n) for n in (1, 2, 3)]
    ended = world.run([world.schema_message(), *first, state({"at": 1})], **WAY)
    assert ended.states == [{"at": 1}]
    world.query(f"GRANT SELECT ON TABLE {world.table} TO ROLE SAGEX3_AUDITOR")
    before = world.query(f"SELECT * FROM {world.table} ORDER BY LINE_NUMBER")
    second = [world.line("A", 1), world.line("A", 2, "7.00"), world.line("A", 4, "5.00"), world.line("A", 4)]
    whole(world, [world.schema_message(), *second], batch_size_rows=2, **WAY)
    assert amounts(world) == [(1, Decimal(1)), (2, Decimal(7)), (4, Decimal(1))]
    after = world.query(f"SELECT * FROM {world.table} ORDER BY LINE_NUMBER")
    assert after[0] == before[0]  # not touched: who wrote it and when stays
    assert after[1]["_AUDIT_BATCH_ID"] != before[1]["_AUDIT_BATCH_ID"]
    assert len(after) == 3
    last = world.audit("BATCHES", '"BATCH_NUMBER"')[-1]
    assert (last["OPERATION"], last["LOAD_METHOD"], last["REMOVED"]) == ("overwrite", "overwrite", 1)
    assert world.counts()[-1] == {"received": 3, "inserted": 1, "updated": 1, "unchanged": 1, "removed": 1}
    deleted = world.history("OPERATION IN ('update', 'delete')")
    assert [(o, b and b["AMOUNT"], a and a["AMOUNT"]) for o, b, a in sorted(deleted, key=str)] == [
        ("delete", "1.00", None),
        ("update", "1.00", "7.00"),
    ]
    assert [cause for operation, cause, _ in changes(world) if operation == "delete"] == ["overwrite"]
    assert {row["BATCH_ID"] for row in world.audit("RECORD_HISTORY", where="OPERATION = 'update'")} == {
        last["BATCH_ID"]
    }
    grants = world.query(f"SHOW GRANTS ON TABLE {world.table}")
    assert "SAGEX3_AUDITOR" in {row["grantee_name"] for row in grants}
    assert shadows(world) == []


def test_nothing_is_replaced_before_the_end_and_no_state_leaves(world: World) -> None:
    whole(world, [world.schema_message(), world.line("A", 1), world.line("A", 2)], **WAY)
    messages = [world.schema_message(), world.line("B", 1), world.line("B", 2), state({"at": 2})]
    bad = world.line("B", 3, "1.005")
    with pytest.raises(DeadLetterLimitError) as caught:
        world.run([*messages, bad], batch_size_rows=1, error_tolerance="none", **WAY)
    assert "at" not in "".join(caught.value.__notes__)
    assert [row["DOCUMENT_ID"] for row in world.rows()] == ["A", "A"]
    assert shadows(world) == []
    world.run(messages, load_method="overwrite", max_deleted_percent=100)
    assert [row["DOCUMENT_ID"] for row in world.rows()] == ["B", "B"]
    watermarks = world.audit("WATERMARKS")
    assert len(watermarks) == 2  # one a replacement


def test_a_second_schema_loses_no_row_and_no_value(world: World) -> None:
    more = {**LINE_SCHEMA, "properties": {**LINE_SCHEMA["properties"]}}
    del more["properties"]["postedOn"]
    more["properties"] |= {"more": {"type": ["string", "null"]}, "text": {"type": ["string", "null"]}}
    start = [world.schema_message(), world.line("A", 1, postedOn="2026-01-31"), world.line("A", 2)]
    whole(world, [*start, world.schema_message(more), world.line("A", 3, more="x", text="y" * 20)], **WAY)
    rows = world.rows()
    assert [row["LINE_NUMBER"] for row in rows] == [1, 2, 3]
    assert [row["POSTED_ON"] for row in rows] == [dt.date(2026, 1, 31), None, None]
    assert [row["MORE"] for row in rows] == [None, None, "x"]


def test_a_stream_without_records_leaves_the_table_as_it_is(world: World) -> None:
    whole(world, [world.schema_message(), world.line("A", 1)], **WAY)
    ended = world.run([world.schema_message(), state({"at": 2})], **WAY)
    assert len(world.rows()) == 1
    assert "no record came" in ended.log
    assert ended.states == [{"at": 2}]


def test_an_input_that_was_cut_off_replaces_nothing(world: World) -> None:
    first = [world.schema_message(), world.line("A", 1), world.line("A", 2)]
    whole(world, first, **WAY)
    cut = [world.schema_message(), world.line("A", 1, "7.00"), state({}), world.line("A", 2, "7.00")]
    with pytest.raises(CutInputError, match="without a STATE or ACTIVATE_VERSION"):
        world.run(cut, **WAY)
    assert amounts(world) == [(1, Decimal(1)), (2, Decimal(1))]
    end: Message = {"type": "ACTIVATE_VERSION", "stream": world.stream, "version": 1}
    world.run([*cut, end], **WAY)
    assert amounts(world) == [(1, Decimal(7)), (2, Decimal(7))]


def test_a_run_that_would_lose_too_much_is_refused(world: World) -> None:
    whole(world, [world.schema_message(), *(world.line("A", n) for n in range(4))], **WAY)
    with pytest.raises(DeletionLimitError, match=r"load_method overwrite would delete 3 of 4 live rows"):
        whole(world, [world.schema_message(), world.line("A", 1)], **WAY)
    assert len(world.rows()) == 4


def test_rows_without_a_key(world: World) -> None:
    """Equal rows are told apart by their number."""
    schema = world.schema_message(key=[])
    twice = [world.line("A", 1), world.line("A", 1), world.line("A", 2)]
    whole(world, [schema, *twice], **WAY)
    whole(world, [schema, world.line("A", 1), world.line("A", 2, "2.00"), world.line("A", 3)], **WAY)
    assert amounts(world) == [(1, Decimal(1)), (2, Decimal(2)), (3, Decimal(1))]
    assert world.counts()[-1] == {"received": 3, "inserted": 2, "unchanged": 1, "removed": 2}
    gone = world.history("OPERATION = 'delete'")
    assert sorted((b["LINE_NUMBER"], b["AMOUNT"], a) for _, b, a in gone) == [
        ("1", "1.00", None),
        ("2", "1.00", None),
    ]


def test_a_bad_record_keeps_the_row_of_its_key(world: World) -> None:
    settings = {**WAY, "max_dead_letter_percent": 100}
    whole(
        world,
        [world.schema_message(), world.line("A", 1), world.line("A", 2), world.line("A", 3)],
        **settings,
    )
    messages = [world.schema_message(), world.line("A", 1, "1.005"), world.line("A", 2, "2.00")]
    for _ in range(2):  # the second time the letter is known already
        whole(world, messages, **settings)
        assert amounts(world) == [(1, Decimal(1)), (2, Decimal(2))]
    assert len(world.letters()) == 1


def test_two_streams_cannot_overwrite_one_table(world: World) -> None:
    mapping = [{"stream": f"{world.stream}*", "table": world.stream.upper(), "load_method": "overwrite"}]
    second: dict[str, Any] = {"stream": f"{world.stream}_o"}
    with pytest.raises(SchemaError, match="another stream of this run overwrites"):
        whole(world, [world.schema_message(), world.schema_message(**second)], schema_mapping=mapping)
    whole(world, [world.schema_message(), world.line("A", 1)], schema_mapping=mapping)
    b: list[Message] = [{**world.line("B", 1), **second}]
    with pytest.raises(SchemaError, match=f"would delete rows of other streams.*{world.stream}"):
        whole(world, [world.schema_message(**second), *b], schema_mapping=mapping, max_deleted_percent=100)
    assert len(world.rows()) == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "error", "pattern": '^INSERT OVERWRITE INTO "ANALYTICS"."T_', "code": 603},
        {"kind": "reset", "pattern": "^COMMIT", "when": "after", "nth": 2},
    ],
    ids=["error", "lost COMMIT"],
)
def test_a_replacement_that_fails_is_tried_again(world: World, fault: Message) -> None:
    whole(world, [world.schema_message(), world.line("A", 1), world.line("A", 2)], **WAY)
    armed = world.control.fault(user="LOADER", **fault)
    ended = world.run([world.schema_message(), world.line("A", 1, "3.00"), state({"at": 1})], **WAY)
    assert world.control.struck(armed) == 1
    assert amounts(world) == [(1, Decimal(3))]
    assert [operation for operation, _, _ in changes(world)] == ["delete", "insert", "insert", "update"]
    assert ended.states == [{"at": 1}]


def test_a_killed_run_leaves_the_table_as_it_was(world: World) -> None:
    whole(world, [world.schema_message(), world.line("A", 1), world.line("A", 2)], **WAY)
    fault = world.control.fault("kill", pattern='^INSERT OVERWRITE INTO "ANALYTICS"."T_', user="LOADER")
    text = lines([world.schema_message(), world.line("A", 1, "3.00"), state({"at": 1})])
    ended = world.command(text, **WAY)
    assert world.control.struck(fault) == 1
    assert (ended.code, ended.states) == (-signal.SIGKILL, [])
    assert amounts(world) == [(1, Decimal(1)), (2, Decimal(1))]
    world.control.clear_faults()
    world.control.wait_until_idle("LOADER")
    world.control.advance_clock(400)  # Snowflake ends the session of the dead process
    world.run_text(text, **WAY)
    assert amounts(world) == [(1, Decimal(3))]
    [left] = shadows(world)
    world.query(f'DROP TABLE "ANALYTICS"."AUDIT_LOCK"."{left}"')


def test_shadows_of_dead_runs_are_dropped(world: World) -> None:
    locks = TableName("ANALYTICS", "AUDIT_LOCK", "")
    today = dt.datetime.now(dt.UTC).date()
    old = shadow_of(TableName("A", "B", "C"), locks, "ab" * 16, today - dt.timedelta(days=2))
    new = shadow_of(TableName("A", "B", "C"), locks, "cd" * 16, today)
    for shadow in (old, new):
        world.query(f"CREATE TABLE {shadow.sql} (A NUMBER)")
        world.query(f"GRANT OWNERSHIP ON TABLE {shadow.sql} TO ROLE SAGEX3_LOADER")
    ended = whole(world, [world.schema_message(), world.line("A", 1)], **WAY)
    assert shadows(world) == [new.table]
    assert f"Dropped {old}" in ended.log
    world.query(f"DROP TABLE {new.sql}")
    assert day_of("SHADOW_20269999_0123456789ABCDEF_X") is None
    assert day_of("SHADOW_OF_MINE") is None


def test_a_replayed_letter_is_one_row_and_not_all_of_the_table() -> None:
    mapping = [{"stream": "a", "load_method": "overwrite"}, {"stream": "*", "table": "T"}]
    found = for_replay({"load_method": "overwrite", "schema_mapping": mapping})
    assert found == {
        "load_method": "upsert",
        "schema_mapping": [{"stream": "a", "load_method": "upsert"}, {"stream": "*", "table": "T"}],
    }
    assert for_replay({"load_method": "append-only"}) == {"load_method": "append-only"}
