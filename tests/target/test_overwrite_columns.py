"""Load method overwrite into a table with columns that the stream does not have: nothing in them is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from target_snowflake_audit.checking.plan import make_plan
from target_snowflake_audit.errors import SchemaError
from target_snowflake_audit.replacement import carrying, foreign
from target_world import state

if TYPE_CHECKING:
    from target_world import Message, World

WAY: dict[str, Any] = {"load_method": "overwrite", "max_deleted_percent": 100}


def whole(world: World, *messages: Message, **settings: Any) -> None:  # noqa: ANN401 - settings are of any JSON type
    world.run([*messages, state({})], **WAY, **settings)


def with_own_columns(world: World, **schema: Any) -> Message:  # noqa: ANN401 - parts of a message
    """Lines 1 to 3, and an owner who adds columns and writes into them."""
    told = world.schema_message(**schema)
    whole(world, told, *(world.line("A", n) for n in (1, 2, 3)))
    world.query(f'ALTER TABLE {world.table} ADD COLUMN "Owner\'s note" VARCHAR(20), REVIEWED NUMBER(5,1)')
    return told


def write_notes(world: World) -> None:
    world.query(
        f"UPDATE {world.table} SET \"Owner's note\" = 'n' || LINE_NUMBER, REVIEWED = LINE_NUMBER + 0.5"
    )


def notes(world: World) -> list[tuple[Any, ...]]:
    names = ("LINE_NUMBER", "AMOUNT", "Owner's note", "REVIEWED")
    return [tuple(None if row[n] is None else str(row[n]) for n in names) for row in world.rows()]


def test_columns_of_the_owner_keep_their_values(world: World) -> None:
    schema = with_own_columns(world)
    write_notes(world)
    settings = {"max_dead_letter_percent": 100, "batch_size_rows": 2}
    changed = [world.line("A", 1), world.line("A", 2, "7.00"), world.line("A", 4), world.line("A", 4, "5.00")]
    whole(world, schema, *changed, **settings)
    assert notes(world) == [
        ("1", "1.00", "n1", "1.5"),
        ("2", "7.00", "n2", "2.5"),
        ("4", "5.00", None, None),
    ]
    assert world.counts()[-1] == {"received": 3, "inserted": 1, "updated": 1, "unchanged": 1, "removed": 1}
    whole(world, schema, world.line("A", 1, "1.005"), world.line("A", 2, "7.00"), **settings)
    assert notes(world) == [("1", "1.00", "n1", "1.5"), ("2", "7.00", "n2", "2.5")]  # 1 came, but was refused


def test_new_rows_get_the_default_and_no_row_may_stay(world: World) -> None:
    told = world.schema_message()
    whole(world, told, world.line("A", 1))
    world.query(f"ALTER TABLE {world.table} ADD COLUMN STATUS VARCHAR DEFAULT 'new'")
    world.query(f"UPDATE {world.table} SET STATUS = 'seen'")
    whole(world, told, world.line("A", 1, "2.00"), world.line("A", 2))
    assert [(row["LINE_NUMBER"], row["STATUS"]) for row in world.rows()] == [(1, "seen"), (2, "new")]
    whole(world, told, world.line("B", 1))
    assert [(row["DOCUMENT_ID"], row["STATUS"]) for row in world.rows()] == [("B", "new")]


def test_without_a_key_values_of_the_owner_are_not_lost(world: World) -> None:
    schema = with_own_columns(world, key=[])
    whole(world, schema, world.line("A", 1), world.line("A", 2, "7.00"))  # they hold nothing yet
    write_notes(world)
    with pytest.raises(SchemaError, match=r"values that the stream does not have \(Owner's note, REVIEWED\)"):
        whole(world, schema, world.line("A", 1), world.line("A", 2, "8.00"))
    assert notes(world) == [("1", "1.00", "n1", "1.5"), ("2", "7.00", "n2", "2.5")]
    world.query(f'ALTER TABLE {world.table} DROP COLUMN "Owner\'s note"')
    world.query(f"UPDATE {world.table} SET REVIEWED = NULL")
    whole(world, schema, world.line("A", 1), world.line("A", 2, "8.00"))
    assert [str(row["AMOUNT"]) for row in world.rows()] == ["1.00", "8.00"]


def test_which_columns_are_carried_over() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    plan = make_plan({}, "s", schema, [], {"stream": "s"}, "DB")
    described: list[dict[str, Any]] = [
        {"name": "A", "type": "VARCHAR(1)", "kind": "COLUMN", "policy name": "P"},
        {"name": "_AUDIT_SEQ", "type": "NUMBER(38,0)", "kind": "COLUMN", "policy name": None},
        {"name": "b", "type": "VECTOR(FLOAT, 3)", "kind": "COLUMN", "policy name": None},
        {"name": "C", "type": "NUMBER(3,1)", "kind": "VIRTUAL", "policy name": None},
        {"name": "D", "type": "DATE"},
    ]
    assert foreign(plan, described) == described[2::2]
    with pytest.raises(SchemaError, match=r"masking policy that the stream does not have \(b\)"):
        foreign(plan, [{**described[2], "policy name": "DB.S.MASK"}])


def test_columns_made_for_the_stream_are_unfilled_where_they_can_be() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    plan = make_plan({}, "s", schema, ["a"], {"stream": "s"}, "DB")
    described = [
        {"name": "MINE", "type": "DATE", "null?": "Y"},
        {"name": "FIXED", "type": "DATE", "null?": "N"},
        {"name": "OTHER", "type": "VECTOR(FLOAT, 3)", "null?": "Y"},
    ]
    made = carrying(plan, described, {"MINE", "FIXED", "GONE"})
    assert made.foreign == (("MINE", "DATE"), ("FIXED", "DATE"), ("OTHER", "VECTOR(FLOAT, 3)"))
    assert [(column.name, column.retired) for column in made.unfilled] == [("MINE", True)]
