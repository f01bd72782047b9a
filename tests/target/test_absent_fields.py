"""`absent_fields`: what a property becomes that a record does not have; compared with a plain model."""

from __future__ import annotations

import datetime as dt
import json
import random
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from target_snowflake_audit.audit.tables import RECORD_HISTORY
from target_snowflake_audit.replay import LetterRow, replay
from target_world import LINE_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from target_world import Message, World

KEEP: dict[str, Any] = {"absent_fields": "keep", "max_dead_letter_percent": 100}
SCHEMA = {**LINE_SCHEMA, "properties": {**LINE_SCHEMA["properties"], "rate": {"type": ["number", "null"]}}}
ALL = ("amount", "text", "postedOn", "extra", "open", "updatedDate", "rate")


def part(world: World, number: float, **fields: Any) -> Message:  # noqa: ANN401
    """A record that has only the key and these fields."""
    return world.record({"documentId": "A", "lineNumber": number, **fields})


def stamp(day: int) -> str:
    return f"2026-01-{day:02d}T00:00:00Z"


def stored(world: World) -> dict[int, Message]:
    """Rows by line: values that are not null, by property."""
    names = {"amount": "AMOUNT", "text": "TEXT", "postedOn": "POSTED_ON", "extra": "EXTRA", "open": "OPEN"}
    names |= {"updatedDate": "UPDATED_DATE", "rate": "RATE"}
    return {
        row["LINE_NUMBER"]: {
            name: row[column] for name, column in names.items() if row.get(column) is not None
        }
        for row in world.rows()
    }


def test_absent_keeps_and_null_nulls(world: World) -> None:
    schema = world.schema_message(SCHEMA)
    whole = {
        "amount": 1.25,
        "text": "",
        "postedOn": "2026-01-31",
        "extra": {"a": [1]},
        "open": True,
        "rate": 0.1,
    }
    world.run(
        [schema, part(world, 1, **whole), part(world, 2, text="null"), part(world, 3, text="!")], **KEEP
    )
    second = [part(world, 1, amount=None, rate=0.2), part(world, 2, open=False), part(world, 3, text="=")]
    world.run([schema, *second], **KEEP)
    [first, *others] = stored(world).values()
    assert json.loads(first.pop("extra")) == {"a": [1]}
    assert first == {"text": "", "postedOn": dt.date(2026, 1, 31), "open": True, "rate": 0.2}
    assert others == [{"text": "null", "open": False}, {"text": "="}]
    # The same again touches no row; the mode `null` empties what is absent.
    world.run([schema, *second], **KEEP)
    assert world.counts()[-1] == {"received": 3, "unchanged": 3}
    world.run([schema, part(world, 1, rate=0.2)])
    assert stored(world)[1] == {"rate": 0.2}


def test_history_of_partial_records_is_of_whole_rows(world: World) -> None:
    schema = world.schema_message(SCHEMA)
    world.run([schema, part(world, 1, amount=1.5, text="a", updatedDate=stamp(1))], **KEEP)
    parts = [part(world, 1, text="b", updatedDate=stamp(2)), part(world, 1, open=True, updatedDate=stamp(3))]
    world.run([schema, *parts], **KEEP)
    [_, row] = world.audit(RECORD_HISTORY.name, '"LOADED_AT"')
    after = json.loads(row["AFTER"])
    assert (after["AMOUNT"], after["TEXT"], after["OPEN"]) == ("1.50", "b", True)
    assert json.loads(row["BEFORE"])["TEXT"] == "a"
    assert sorted(json.loads(row["CHANGED_COLUMNS"])) == ["OPEN", "TEXT", "UPDATED_DATE"]
    [in_table] = world.query(f'SELECT "_AUDIT_ROW_HASH" AS "H" FROM {world.table}')
    assert in_table["H"] == row["ROW_HASH"]
    assert world.counts()[-1] == {"received": 2, "updated": 1, "deduplicated": 1}


def test_an_older_part_does_not_overwrite(world: World) -> None:
    """Neither the stored row nor a newer one of its batch; one that was loaded before is no dead letter."""
    schema = world.schema_message(SCHEMA)
    first = part(world, 1, amount=1, updatedDate=stamp(5))
    world.run([schema, first], **KEEP)
    parts = [
        part(world, 1, text="old", updatedDate=stamp(4)),
        part(world, 1, text="new", updatedDate=stamp(9)),
        part(world, 1, open=True, updatedDate=stamp(8)),
        part(world, 1, rate=0.5),
    ]
    world.run([schema, *parts], **KEEP)
    [row] = stored(world).values()
    assert (row["text"], row["rate"], row["updatedDate"].day, "open" in row) == ("new", 0.5, 9, False)
    assert [letter["REASON"] for letter in world.letters()] == ["stale", "stale"]
    world.run([schema, first], **KEEP)
    assert world.counts()[-1] == {"received": 1, "unchanged": 1}


def test_a_bad_part_is_a_letter_of_its_own(world: World) -> None:
    schema = world.schema_message(SCHEMA)
    parts = [part(world, 1, amount=1), part(world, 1, text="x" * 11, open=True), part(world, 1, rate=0.5)]
    world.run([schema, *parts], **KEEP)
    assert stored(world) == {1: {"amount": Decimal(1), "rate": 0.5}}
    [letter] = world.letters()
    wider = {**SCHEMA, "properties": {**SCHEMA["properties"], "text": {"type": "string", "maxLength": 20}}}
    message = {**json.loads(letter["SINGER_SCHEMA"]), "schema": wider}
    row = LetterRow(letter["DEAD_LETTER_ID"], world.stream, letter["RECORD_TEXT"], message)
    [outcome] = replay(world.settings(**KEEP), [row])
    # The row was changed since, so the letter is not laid over it, and stays open: what it holds never came.
    assert (outcome.event, stored(world)[1].get("text")) == ("replay_failed", None)
    assert outcome.note.startswith("later partial records have changed this row")


@pytest.mark.parametrize("key", [1, 1.0], ids=["1", "1.0"])
def test_a_row_that_comes_back_starts_empty(world: World, key: float) -> None:
    schema = world.schema_message(SCHEMA)
    gone = part(world, key, _sdc_deleted_at=stamp(1))
    world.run([schema, part(world, 1, amount=1, text="a")], **KEEP)
    world.run([schema, part(world, 1, rate=0.5), gone, part(world, 1, text="b")], **KEEP)
    assert stored(world) == {1: {"text": "b"}}
    assert [count["received"] for count in world.counts()] == [1, 2, 1]
    assert [operation for operation, _, _ in world.history()] == ["insert", "delete", "update"]


def test_documents_and_streams_without_a_key(world: World) -> None:
    scoped = world.schema_message({**SCHEMA, "x-replace-scope": ["documentId"]})
    world.run([scoped, part(world, 1, amount=1), part(world, 2, amount=2)], **KEEP)
    world.run([scoped, part(world, 2, text="t")], **KEEP)
    assert stored(world) == {2: {"amount": Decimal(2), "text": "t"}}
    keyless = {**world.schema_message(SCHEMA, key=[]), "stream": f"{world.stream}_k"}
    record = {**part(world, 1, text="!"), "stream": f"{world.stream}_k"}
    mapping = [{"stream": "*", "absent_fields": "keep"}]
    world.run([keyless, record], schema_mapping=mapping)
    assert [row["TEXT"] for row in world.rows(f"{world.table}_K")] == ["!"]


# A plain-Python model: one record after the other.


def laid(records: Iterable[Message]) -> dict[int, Message]:
    """Rows after all records; a deleted one is None."""
    rows: dict[int, Message] = {}
    for record in records:
        fields = {name: record[name] for name in ALL if name in record}
        number = record["lineNumber"]
        if record.get("_sdc_deleted_at"):
            rows.pop(number, None)
            continue
        row = rows.get(number, {})
        older = fields.get("updatedDate") and row.get("updatedDate", "") > fields["updatedDate"]
        if not older:
            merged = {**row, **fields}
            rows[number] = {name: value for name, value in merged.items() if value is not None}
    return rows


def random_records(chance: random.Random, count: int, *, deletes: bool) -> list[Message]:
    """Partial records of eight keys: with stamps out of order, or with deletes."""
    choices: dict[str, Callable[[], Any]] = {
        "amount": lambda: chance.choice([None, 0, 12.5, -3]),
        "text": lambda: chance.choice([None, "", "!", "=", "null", 'a,"b"\n', "\\N"]),
        "postedOn": lambda: chance.choice([None, "2026-01-31", "1999-12-31"]),
        "extra": lambda: chance.choice([None, {"b": 1, "a": None}, [], {}]),
        "open": lambda: chance.choice([None, True, False]),
        "rate": lambda: chance.choice([None, 0.1, 1e10]),
        "updatedDate": lambda: None if chance.random() < 0.05 else stamp(chance.randint(1, 9)),
    }
    names = [name for name in choices if not (deletes and name == "updatedDate")]
    records = []
    for _ in range(count):
        record: Message = {"documentId": "A", "lineNumber": chance.randint(1, 8)}
        record |= {name: choices[name]() for name in chance.sample(names, chance.randint(0, len(names)))}
        if deletes and chance.random() < 0.15:
            record["_sdc_deleted_at"] = stamp(1)
        records.append(record)
    return records


def comparable(row: Message) -> Message:
    """A stored row as the model has it."""
    found = dict(row)
    reads: tuple[tuple[str, Callable[[Any], Any]], ...] = (
        ("amount", float),
        ("postedOn", lambda value: value.isoformat()),
        ("extra", json.loads),
        ("updatedDate", lambda value: f"{value:%Y-%m-%dT%H:%M:%SZ}"),
    )
    for name, read in reads:
        if name in found:
            found[name] = read(found[name])
    return found


SEEDS = [1, 2, *(pytest.param(seed, marks=pytest.mark.full) for seed in range(3, 30))]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_table_is_what_the_model_says(world: World, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    records = random_records(chance, 120, deletes=seed % 2 == 0)
    limit, cut = chance.randint(1, 60), chance.randint(1, 120)
    schema = world.schema_message(SCHEMA)
    for run in (records[:cut], records[cut:]):
        world.run([schema, *map(world.record, run)], batch_size_rows=max(20, limit), **KEEP)
    assert {key: comparable(row) for key, row in stored(world).items()} == laid(records)
