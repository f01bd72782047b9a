"""Properties that leave the SCHEMA: no row may show a value that its source no longer tells."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from target_snowflake_audit.errors import SchemaError
from target_snowflake_audit.leaving import names_in
from target_snowflake_audit.redaction import rules_of
from target_snowflake_audit.sql.quoting import TableName, identifier, literal
from target_world import LINE_SCHEMA, state

if TYPE_CHECKING:
    from target_world import Message, World


def without(*names: str) -> Message:
    """The line schema without some of its properties."""
    left = {name: part for name, part in LINE_SCHEMA["properties"].items() if name not in names}
    return {**LINE_SCHEMA, "properties": left}


def history(world: World, operation: str = "update") -> list[dict[str, Any]]:
    where = f"\"OPERATION\" = '{operation}'"
    return world.audit("RECORD_HISTORY", '"LOADED_AT", "SEQ"', where=where)


def test_a_property_that_comes_back_as_null_leaves_no_old_value(world: World) -> None:
    world.run([world.schema_message(), world.line("A", 1, text="old"), world.line("A", 2, text="old")])
    short = world.schema_message(without("text"))
    ended = world.run([short, world.line("A", 1, "2.00")])
    assert "no property for TEXT" in ended.log
    assert [row["TEXT"] for row in world.rows()] == [None, "old"]
    [change] = history(world)
    assert json.loads(change["CHANGED_COLUMNS"]) == ["AMOUNT", "TEXT"]
    assert json.loads(change["BEFORE"])["TEXT"] == "old"
    assert "TEXT" not in json.loads(change["AFTER"])

    both = [world.line("A", 1, "2.00", text=None), world.line("A", 2, text=None)]
    ended = world.run([world.schema_message(), *both])
    assert [row["TEXT"] for row in world.rows()] == [None, None]
    assert "no property for" not in ended.log
    assert (world.counts()[-1]["unchanged"], world.counts()[-1]["updated"]) == (1, 1)


def test_it_may_leave_and_come_back_within_a_run(world: World) -> None:
    short, whole = world.schema_message(without("text")), world.schema_message()
    first = [whole, world.line("A", 1, text="old"), short, world.line("A", 1)]
    world.run([*first, whole, world.line("A", 1, text=None)])
    assert [row["TEXT"] for row in world.rows()] == [None]
    world.run([whole, world.line("A", 1, text="new")])
    assert [row["TEXT"] for row in world.rows()] == ["new"]


def test_a_column_added_since_and_left_again_within_the_run(world: World) -> None:
    """What is known of the table's columns must not be older than the columns."""
    site = {**LINE_SCHEMA, "properties": {**LINE_SCHEMA["properties"], "site": {"type": ["string", "null"]}}}
    world.run([world.schema_message(), world.line("A", 1, text="old")])
    messages = [world.schema_message(without("text")), world.line("A", 1)]
    messages += [world.schema_message(site), world.line("A", 1, text="t", site="S")]
    world.run([*messages, world.schema_message(without("text")), world.line("A", 1)])
    assert [(row["TEXT"], row["SITE"]) for row in world.rows()] == [(None, None)]


def test_columns_of_the_owner_are_left_alone(world: World) -> None:
    world.run([world.schema_message(), world.line("A", 1)])
    world.query(f"ALTER TABLE {world.table} ADD COLUMN NOTE VARCHAR")
    world.query(f"UPDATE {world.table} SET NOTE = 'mine'")
    ended = world.run([world.schema_message(), world.line("A", 1, "2.00")])
    assert [(str(row["AMOUNT"]), row["NOTE"]) for row in world.rows()] == [("2.00", "mine")]
    assert "no property for" not in ended.log


@pytest.mark.parametrize("key", [["documentId", "lineNumber"], []])
def test_a_column_of_the_owner_may_be_named_as_its_table_is(world: World, key: list[str]) -> None:
    """Upsert, and overwrite without a key: there a value of an owner's column stops the replacement."""
    way: dict[str, Any] = {} if key else {"load_method": "overwrite", "max_deleted_percent": 100}
    whole, end = world.schema_message(key=key), state({})
    world.run([whole, world.line("A", 1), end], **way)
    names = [part.strip('"') for part in world.table.split(".")]
    for name in names:
        world.query(f'ALTER TABLE {world.table} ADD COLUMN "{name}" VARCHAR')
        world.query(f"UPDATE {world.table} SET \"{name}\" = 'mine'")
    changed = [whole, world.line("A", 1, "2.00"), end]
    if key:
        assert "no property for" not in world.run(changed).log
    else:
        with pytest.raises(SchemaError, match="values that the stream does not have"):
            world.run(changed, **way)
    [row] = world.rows()
    assert (str(row["AMOUNT"]), [row[name] for name in names]) == ("2.00" if key else "1.00", ["mine"] * 3)


def test_columns_of_another_stream_of_the_table_are_left_alone(world: World) -> None:
    other = f"{world.stream}_b"
    both = [{"stream": name, "table": world.stream} for name in (world.stream, other)]
    world.run([world.schema_message(without("text")), world.line("A", 1)], schema_mapping=both)
    named = {**world.schema_message(without("amount")), "stream": other}
    record = {"documentId": "A", "lineNumber": 1, "text": "b", "updatedDate": "2026-01-02T00:00:00Z"}
    world.run([named, {**world.record(record), "stream": other}], schema_mapping=both)
    assert [(str(row["AMOUNT"]), row["TEXT"]) for row in world.rows()] == [("1.00", "b")]


def test_partial_records_leave_the_stored_value(world: World) -> None:
    world.run([world.schema_message(), world.line("A", 1, text="old")], absent_fields="keep")
    short = world.schema_message(without("text"))
    world.run([short, world.line("A", 1, "2.00")], absent_fields="keep")
    assert [(str(row["AMOUNT"]), row["TEXT"]) for row in world.rows()] == [("2.00", "old")]
    world.run([world.schema_message(), world.line("A", 1, "2.00", text=None)], absent_fields="keep")
    assert [row["TEXT"] for row in world.rows()] == [None]


@pytest.mark.parametrize(
    ("way", "shown"), [("hash", "***"), ("mask", "***"), ("drop", None), ("keep", "old")]
)
def test_the_history_shows_of_a_left_column_no_more_than_it_may(
    world: World, way: str, shown: str | None
) -> None:
    rules = {"*": {"text": way}}
    renamed = [{"stream": world.stream, "columns": {"text": "SAID"}}]
    settings: dict[str, Any] = {"redact_columns": rules, "schema_mapping": renamed}
    world.run([world.schema_message(), world.line("A", 1, text="old", extra={"iban": "X"})], **settings)
    world.run([world.schema_message(without("text", "extra")), world.line("A", 1, "2.00")], **settings)
    [change] = history(world)
    before = json.loads(change["BEFORE"])
    # What is inside an object is not known without its schema.
    assert (before.get("SAID"), before["EXTRA"]) == (shown, "***")
    assert [(row["SAID"], row["EXTRA"]) for row in world.rows()] == [(None, None)]


def test_the_history_masks_what_was_flattened_however_its_names_were_parted(world: World) -> None:
    contact = {"type": "object", "properties": {"bic": {"type": "string"}, "city": {"type": "string"}}}
    site = {"type": "object", "properties": {"vat": {"type": "string"}}}
    inside = {**LINE_SCHEMA["properties"], "contact": contact, "site": site}
    settings: dict[str, Any] = {
        "flattening_enabled": True,
        "flattening_max_depth": 2,
        "flattening_separator": ".",
        "redact_columns": {"*": {"site.vat": "drop"}},
    }
    values: dict[str, Any] = {"contact": {"bic": "GENODEF1", "city": "Ulm"}, "site": {"vat": "DE1"}}
    whole = world.schema_message({**LINE_SCHEMA, "properties": inside})
    world.run([whole, world.line("A", 1, **values)], **settings)
    [row] = world.rows()
    assert (row["CONTACT_BIC"], row["CONTACT_CITY"], row["SITE_VAT"]) == ("GENODEF1", "Ulm", "DE1")
    world.run([world.schema_message(), world.line("A", 1, "2.00")], **settings)
    [change] = history(world)
    before = json.loads(change["BEFORE"])
    assert (before["CONTACT_BIC"], before["CONTACT_CITY"]) == ("***", "Ulm")
    assert "SITE_VAT" not in before


def test_a_left_column_is_masked_by_any_run_of_its_words() -> None:
    rules = rules_of({"redact_columns": {"s": {"FAX_KIND": "keep", "site.*.vat": "drop", "fax": "hash"}}})
    shown = {
        "CITY": "",
        "BICYCLE": "",
        "BIC": "mask",
        "CONTACT_BIC_CODE_1": "mask",
        "BANK_BRANCH": "mask",
        "__FAX": "mask",
        "FAX_KIND": "",
        "SITE_MAIN_VAT__VARCHAR": "drop",
        "SITE_FAX_VAT": "drop",
    }
    assert {name: rules.of_left(["s"], name) for name in shown} == shown


def test_a_column_beside_a_renamed_one_is_masked_too(world: World) -> None:
    settings: dict[str, Any] = {
        "redact_columns": {"*": {"text": "hash"}},
        "schema_mapping": [{"stream": world.stream, "columns": {"text": "SAID"}}],
        "type_conflict": "side_column",
    }
    numbered = {**LINE_SCHEMA, "properties": {**LINE_SCHEMA["properties"], "text": {"type": "integer"}}}
    world.run([world.schema_message(numbered), world.line("A", 1, text=7)], **settings)
    world.run([world.schema_message(), world.line("A", 1, text="old")], **settings)
    world.run([world.schema_message(without("text")), world.line("A", 1, "2.00")], **settings)
    before = json.loads(history(world)[-1]["BEFORE"])
    assert [name for name in before if name.startswith("SAID")] == ["SAID__VARCHAR"]
    assert before["SAID__VARCHAR"] == "***"


def test_names_are_read_from_statements_however_odd_they_are() -> None:
    odd = ["A", 'say "B"', "it's", 'C\', "D"', "back\\slash", "$$;--", "É'"]
    comments = ['"NOT_ME" VARCHAR', "it's \\' \"NOR_ME\"", "\\"]
    columns = ", ".join(
        f"{identifier(name)} VARCHAR COMMENT {literal(comments[at % 3])}" for at, name in enumerate(odd)
    )
    table = TableName("D", 'say "S"', "T")
    assert names_in([f"CREATE TABLE {table.sql} ({columns})"], table) == set(odd)
