"""`type_conflict`: what becomes of values that a column cannot take."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from target_snowflake_audit.checking.converters import converter
from target_snowflake_audit.checking.problems import Bad
from target_snowflake_audit.checking.special import StrictConverter
from target_snowflake_audit.columntypes import ColumnType, exact, text
from target_snowflake_audit.conflicts import side_name
from target_snowflake_audit.errors import SchemaError
from target_snowflake_audit.replay import LetterRow, replay

if TYPE_CHECKING:
    from target_world import Message, World


def message(world: World, code: Message, **more: Message) -> Message:
    schema = {
        "type": "object",
        "properties": {"id": {"type": "integer"}, "code": code, **more},
        "required": ["id"],
    }
    return world.schema_message(schema, key=["id"], bookmark_properties=[])


WHOLE: Message = {"type": ["integer", "null"]}
TEXT: Message = {"type": ["string", "null"], "description": "Reason code"}
MONEY: Message = {"type": ["number", "null"], "multipleOf": 0.01}


def rows(world: World) -> list[dict[str, Any]]:
    return sorted(world.rows(), key=lambda row: int(row["ID"]))


def test_a_conflict_fails_by_default_and_says_what_can_be_done(world: World) -> None:
    world.run([message(world, WHOLE), world.record({"id": 1, "code": 5})])
    with pytest.raises(
        SchemaError, match=r"the column is NUMBER\(38,0\), the schema needs VARCHAR"
    ) as caught:
        world.run([message(world, TEXT), world.record({"id": 2, "code": "A"})])
    assert "`type_conflict`" in str(caught.value)
    assert [row["CODE"] for row in rows(world)] == [5]


def test_quarantine_loads_what_stays_as_it_is_and_keeps_the_rest(world: World) -> None:
    world.run([message(world, WHOLE), world.record({"id": 1, "code": 5}), world.record({"id": 2, "code": 6})])
    given = [{"id": 1, "code": "5"}, {"id": 2, "code": "7"}, {"id": 3, "code": "007"}, {"id": 4, "code": "A"}]
    given.append({"id": 5, "code": None})
    messages = [message(world, TEXT), *map(world.record, given)]
    settings: Message = {"type_conflict": "quarantine", "max_dead_letter_percent": 100}
    world.run(messages, **settings)
    assert [(int(row["ID"]), row["CODE"]) for row in rows(world)] == [(1, 5), (2, 7), (5, None)]
    assert world.counts()[-1] == {"received": 5, "inserted": 1, "updated": 1, "unchanged": 1, "dead": 2}
    letters = world.letters()
    assert [(letter["REASON"], letter["ERRORS"][0]["value"]) for letter in letters] == [
        ("type_conflict", "007"),
        ("type_conflict", "A"),
    ]
    assert "the SCHEMA says VARCHAR" in letters[0]["ERRORS"][0]["expected"]
    # The row hash is that of the stored values: a second run has nothing to do.
    world.run(messages, **settings)
    assert world.counts()[-1] == {"received": 5, "unchanged": 3, "dead": 2}


def test_a_side_column_takes_all_values_from_then_on(world: World) -> None:
    world.run([message(world, WHOLE), *(world.record({"id": at, "code": at}) for at in (1, 2))])
    changed = [
        message(world, TEXT),
        world.record({"id": 2, "code": "2"}),
        world.record({"id": 3, "code": "A"}),
    ]
    world.run(changed, type_conflict="side_column")
    assert [(int(row["ID"]), row["CODE"], row["CODE__VARCHAR"]) for row in rows(world)] == [
        (1, 1, None),
        (2, None, "2"),
        (3, None, "A"),
    ]
    # Both forms of the change are in the history, and the column says what it is.
    [update] = world.history("\"OPERATION\" = 'update'")
    assert (update[1]["CODE"], update[2].get("CODE"), update[2]["CODE__VARCHAR"]) == ("2", None, "2")
    comments = {row["name"]: row["comment"] for row in world.query(f"DESCRIBE TABLE {world.table}")}
    assert comments["CODE__VARCHAR"] == (
        "type_conflict: values of CODE since the SCHEMA says VARCHAR. Reason code"
    )
    added = world.audit("SCHEMA_CHANGES", where="\"CHANGE\" = 'add_column'")
    assert "type_conflict: values of CODE" in added[0]["CAUSE"]

    world.run(changed, type_conflict="side_column")
    assert world.counts()[-1] == {"received": 2, "unchanged": 2}
    assert len(world.audit("SCHEMA_CHANGES", where="\"CHANGE\" = 'add_column'")) == 1
    # A third type, and back to the first: a row never shows two values.
    world.run(
        [message(world, {"type": "boolean"}), world.record({"id": 3, "code": True})],
        type_conflict="side_column",
    )
    world.run([message(world, WHOLE), world.record({"id": 2, "code": 9})])
    assert [
        (int(row["ID"]), row["CODE"], row["CODE__VARCHAR"], row["CODE__BOOLEAN"]) for row in rows(world)
    ] == [(1, 1, None, None), (2, 9, None, None), (3, None, None, True)]


def test_a_side_column_widens_and_letters_are_replayed_into_it(world: World) -> None:
    world.run([message(world, WHOLE), world.record({"id": 1, "code": 1})])
    short, longer = ({"type": ["string", "null"], "maxLength": size} for size in (2, 9))
    settings: Message = {"type_conflict": "side_column", "max_dead_letter_percent": 100}
    world.run([message(world, short), world.record({"id": 2, "code": "long"})], **settings)
    assert [letter["REASON"] for letter in world.letters()] == ["too_long"]
    world.run([message(world, longer), world.record({"id": 2, "code": "long"})], **settings)
    assert [(row["CODE"], row["CODE__VARCHAR"]) for row in rows(world)] == [(1, None), (None, "long")]


def test_quarantined_letters_are_replayed_when_the_cause_is_mended(world: World) -> None:
    world.run([message(world, WHOLE), world.record({"id": 1, "code": 1})])
    settings: Message = {"type_conflict": "quarantine", "max_dead_letter_percent": 100}
    world.run([message(world, TEXT), world.record({"id": 2, "code": "A"})], **settings)
    [letter] = world.letters()
    kept = LetterRow(
        letter["DEAD_LETTER_ID"], letter["STREAM"], letter["RECORD_TEXT"], json.loads(letter["SINGER_SCHEMA"])
    )
    [still] = replay(world.settings(type_conflict="quarantine"), [kept])
    assert (still.event, still.errors[0]["reason"]) == ("replay_failed", "type_conflict")
    [done] = replay(world.settings(type_conflict="side_column"), [kept])
    assert done.event == "replayed"
    assert [(row["CODE"], row["CODE__VARCHAR"]) for row in rows(world)] == [(1, None), (None, "A")]


@pytest.mark.parametrize("policy", ["quarantine", "side_column"])
def test_a_key_is_never_loaded_beside_its_column(world: World, policy: str) -> None:
    world.run([message(world, WHOLE), world.record({"id": 1, "code": 1})])
    keyed = message(world, WHOLE)
    keyed["schema"]["properties"]["id"] = {"type": "string"}
    with pytest.raises(SchemaError, match="rows are told apart by it"):
        world.run([keyed, world.record({"id": "01", "code": 1})], type_conflict=policy)


def test_a_side_column_that_has_another_owner_is_refused(world: World) -> None:
    world.run([message(world, WHOLE), world.record({"id": 1, "code": 1})])
    world.query(f"ALTER TABLE {world.table} ADD COLUMN CODE__VARCHAR VARCHAR")
    with pytest.raises(SchemaError, match="CODE__VARCHAR, is a column without the comment"):
        world.run([message(world, TEXT), world.record({"id": 2, "code": "A"})], type_conflict="side_column")
    both = message(world, TEXT, code__varchar={"type": "string"})
    with pytest.raises(SchemaError, match="CODE__VARCHAR, is a property of the stream"):
        world.run([both], type_conflict="side_column")


def test_a_type_that_is_not_loaded_gets_a_side_column(world: World) -> None:
    world.run([message(world, WHOLE), world.record({"id": 1, "code": 1})])
    world.query(f"ALTER TABLE {world.table} ADD COLUMN PLACES ARRAY")
    places = message(world, WHOLE, places={"type": "array"})
    with pytest.raises(SchemaError, match="does not load this type"):
        world.run([places], type_conflict="quarantine")
    world.run([places, world.record({"id": 1, "code": 1, "places": [1]})], type_conflict="side_column")
    [row] = rows(world)
    assert (row["PLACES"], row["PLACES__VARIANT"]) == (None, "[\n  1\n]")


@pytest.mark.parametrize(
    ("kind", "value", "stays"),
    [
        (exact(0), "12", True),
        (exact(0), "-12", True),
        (exact(0), "012", False),
        (exact(0), "+12", False),
        (exact(0), "1e3", False),
        (exact(0), Decimal("12.5"), False),
        (exact(2), "12.5", True),
        (exact(2), "12.505", False),
        (ColumnType("FLOAT"), Decimal("0.1"), True),
        (ColumnType("FLOAT"), Decimal("1234567890123456.78"), False),
        (ColumnType("FLOAT"), "12.50", True),
        (ColumnType("FLOAT"), "x", False),
        (ColumnType("BOOLEAN"), True, True),
        (ColumnType("BOOLEAN"), "true", False),
        (ColumnType("DATE"), "2026-01-31T00:00:00Z", True),
        (ColumnType("DATE"), "2026-01-31T00:00:01Z", False),
        (ColumnType("BINARY", length=9), "00", False),
        (exact(0), None, True),
    ],
)
def test_what_a_column_of_another_type_keeps_as_it_is(kind: ColumnType, value: Any, stays: bool) -> None:  # noqa: ANN401, FBT001
    [found] = StrictConverter(kind, "VARCHAR", converter(kind))([value])
    assert isinstance(found, Bad) is not stays


def test_names_of_side_columns() -> None:
    assert side_name("CODE", text(5)) == "CODE__VARCHAR"
    assert side_name("CODE", exact(2)) == "CODE__NUMBER_2"
    long = [side_name("C" * 254 + last, text()) for last in "AB"]
    assert {len(name) for name in long} == {255}
    assert long[0] != long[1]
    assert all(name.endswith("__VARCHAR") for name in long)
