"""What a SCHEMA does to a table: created, columns added, widened, made nullable, described; and the key."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.exceptions import ConfigValidationError
from target_snowflake_audit.errors import SchemaError, SettingError
from target_world import KEY, LINE_SCHEMA, before_first, lines

if TYPE_CHECKING:
    from target_world import Ended, Message, World


def with_property(name: str, schema: Message) -> Message:
    """The line schema with one more property, or another schema for one."""
    return {**LINE_SCHEMA, "properties": {**LINE_SCHEMA["properties"], name: schema}}


def described(world: World) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in world.query(f"DESCRIBE TABLE {world.table}")}


def changes(world: World) -> list[tuple[str, str | None]]:
    return [(row["CHANGE"], row["COLUMN_NAME"]) for row in world.audit("SCHEMA_CHANGES", '"CHANGED_AT"')]


def test_each_change_of_a_table_is_kept_with_its_cause(world: World) -> None:
    world.run([world.schema_message(), world.line("A", 1)])
    wider = with_property("text", {"type": ["string", "null"], "maxLength": 40, "description": "Free text"})
    wider["properties"]["site"] = {"type": "string", "description": "Site"}
    world.run([world.schema_message(wider), world.line("A", 2, text="x" * 40, site="S1")])

    found = world.audit("SCHEMA_CHANGES", '"CHANGED_AT"')
    assert [row["CHANGE"] for row in found] == [
        "create_schema",
        "create_table",
        "add_column",
        "widen_column",
        "comment_column",
    ]
    assert [row["COLUMN_NAME"] for row in found[2:]] == ["SITE", "TEXT", "TEXT"]
    assert (found[3]["TYPE_BEFORE"], found[3]["TYPE_AFTER"]) == ("VARCHAR(10)", "VARCHAR(40)")
    assert all(row["CAUSE"] and row["STATEMENT"] and row["QUERY_ID"] for row in found)
    now = described(world)
    assert (now["TEXT"]["comment"], now["SITE"]["comment"]) == ("Free text", "Site")
    assert now["DOCUMENT_ID"]["comment"] == "Document number (GACCENTRY.NUM)"
    world.run([world.schema_message(wider), world.line("A", 2, text="x" * 40, site="S1")])
    assert len(world.audit("SCHEMA_CHANGES")) == len(found)


def test_a_new_table_has_its_key_and_a_second_run_accepts_it(world: World) -> None:
    for _ in range(2):
        world.run([world.schema_message(), world.line("A", 1)])
    keys = {name: row["null?"] for name, row in described(world).items() if row["primary key"] == "Y"}
    assert keys == {"DOCUMENT_ID": "N", "LINE_NUMBER": "N"}


def test_another_key_is_refused_between_runs_and_says_what_to_do(world: World) -> None:
    world.run([world.schema_message(), world.line("A", 1)])
    with pytest.raises(SchemaError, match=r"PRIMARY KEY \(DOCUMENT_ID, LINE_NUMBER\), but") as caught:
        world.run([world.schema_message(key=["documentId"]), world.line("A", 2)])
    assert "DROP PRIMARY KEY" in str(caught.value)
    assert len(world.rows()) == 1
    # The advice works.
    statement = re.search(r"ALTER TABLE .* DROP PRIMARY KEY", str(caught.value))
    assert statement
    world.query(statement[0])
    world.run([world.schema_message(key=["documentId"]), world.line("A", 3)])
    assert [row["LINE_NUMBER"] for row in world.rows()] == [3]


@pytest.mark.parametrize("more", [{"load_method": "append-only"}, {}])
def test_rows_without_a_look_at_the_key_are_refused_where_one_is_declared(
    world: World, more: Message
) -> None:
    world.run([world.schema_message(), world.line("A", 1)])
    why = "append-only adds" if more else "no key_properties"
    with pytest.raises(SchemaError, match=why):
        world.run([world.schema_message(key=KEY if more else []), world.line("A", 1)], **more)


def test_append_only_and_keyless_tables_have_no_key(world: World) -> None:
    for _ in range(2):
        world.run([world.schema_message(), world.line("A", 1)], load_method="append-only")
    assert len(world.rows()) == 2
    assert not [name for name, row in described(world).items() if row["primary key"] == "Y"]


def test_another_key_within_a_run_is_refused_after_what_came_before_is_loaded(world: World) -> None:
    messages = [world.schema_message(), world.line("A", 1), world.schema_message(key=["documentId"])]
    with pytest.raises(SchemaError, match=r"key_properties changed from \['documentId', 'lineNumber'\]"):
        world.run([*messages, world.line("A", 2)])
    assert [row["LINE_NUMBER"] for row in world.rows()] == [1]


def test_a_schema_that_changes_amid_a_run_loads_first_what_waits(world: World) -> None:
    site = with_property("site", {"type": ["string", "null"]})
    world.control.clear_log()
    world.run(
        [world.schema_message(), world.line("A", 1), world.schema_message(site), world.line("A", 2, site="S")]
    )
    sent = [text.split()[0] for text in world.target_statements()]
    added = next(at for at, text in enumerate(world.target_statements()) if "ADD COLUMN" in text)
    assert (sent[:added].count("MERGE"), sent[added:].count("MERGE")) == (1, 1)
    assert [word for word in sent[:added] if word in {"BEGIN", "COMMIT"}][-2:] == ["BEGIN", "COMMIT"]
    assert [row["SITE"] for row in world.rows()] == [None, "S"]
    assert [count["received"] for count in world.counts()] == [1, 1]


def test_records_of_a_stream_without_a_property_are_refused_and_no_other_stream_is(world: World) -> None:
    """Its SCHEMA alone is none of our business: some taps send it first, and another one later."""
    empty, other = {"type": "object", "properties": {}}, f"{world.stream}_other"
    bare = {"type": "SCHEMA", "stream": other, "schema": empty, "key_properties": []}
    good = [world.schema_message(), world.line("A", 1)]
    world.run([bare, *good])
    with pytest.raises(
        SchemaError, match=f"stream {other}: records came, but its SCHEMA declares no property"
    ):
        world.run(
            [bare, {"type": "RECORD", "stream": other, "record": {"a": 1}}, *good[:1], world.line("A", 2)]
        )
    assert [row["LINE_NUMBER"] for row in world.rows()] == [1, 2]


# Tables that somebody else made


def make_table(world: World, columns: str) -> None:
    world.query(f"CREATE SCHEMA IF NOT EXISTS ANALYTICS.{world.schema}")
    world.query(f"GRANT ALL ON SCHEMA ANALYTICS.{world.schema} TO ROLE {world.ready['role']}")
    world.query(f"CREATE TABLE {world.table} ({columns})")


def give_table(world: World) -> None:
    world.query(f"GRANT OWNERSHIP ON TABLE {world.table} TO ROLE {world.ready['role']} COPY CURRENT GRANTS")


def test_columns_that_would_refuse_rows_are_made_nullable(world: World) -> None:
    make_table(
        world,
        "DOCUMENT_ID VARCHAR(20) NOT NULL, LINE_NUMBER NUMBER(38,0) NOT NULL, AMOUNT NUMBER(38,2) NOT NULL, "
        "COST_CENTRE VARCHAR NOT NULL, SITE VARCHAR DEFAULT 'S1' NOT NULL",
    )
    world.query(f"INSERT INTO {world.table} VALUES ('OLD', 1, 5, 'C1', 'S9')")
    give_table(world)
    empty = {"documentId": "A", "lineNumber": 1, "amount": None}
    world.run([world.schema_message(), world.record(empty), world.line("OLD", 1, "6.00")])

    now = described(world)
    assert {
        name: now[name]["null?"] for name in ("DOCUMENT_ID", "LINE_NUMBER", "AMOUNT", "COST_CENTRE", "SITE")
    } == {
        "DOCUMENT_ID": "N",
        "LINE_NUMBER": "N",
        "AMOUNT": "Y",
        "COST_CENTRE": "Y",
        "SITE": "N",
    }
    rows = {row["DOCUMENT_ID"]: row for row in world.rows()}
    assert (rows["A"]["AMOUNT"], rows["A"]["COST_CENTRE"], rows["A"]["SITE"]) == (None, None, "S1")
    assert (str(rows["OLD"]["AMOUNT"]), rows["OLD"]["COST_CENTRE"], rows["OLD"]["SITE"]) == (
        "6.00",
        "C1",
        "S9",
    )
    causes = {
        row["COLUMN_NAME"]: row["CAUSE"]
        for row in world.audit("SCHEMA_CHANGES", where="\"CHANGE\" = 'drop_not_null'")
    }
    assert causes == {
        "AMOUNT": "property amount may be null or absent",
        "COST_CENTRE": "the stream has no property for the column",
    }


def test_a_role_that_may_not_alter_the_table_is_told_what_its_owner_runs(world: World) -> None:
    make_table(world, "DOCUMENT_ID VARCHAR(20), LINE_NUMBER NUMBER(38,0), X VARCHAR NOT NULL")
    world.query(f"GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE {world.table} TO ROLE {world.ready['role']}")
    with pytest.raises(SettingError, match=r"the role may not do `add_column`.*the owner runs ALTER TABLE"):
        world.run([world.schema_message(), world.line("A", 1)])


def test_not_null_that_may_not_be_dropped_refuses_only_records_with_null(world: World) -> None:
    world.run([world.schema_message(), world.line("A", 1, text="x")])
    world.query(f'ALTER TABLE {world.table} ALTER COLUMN "TEXT" SET NOT NULL')
    world.query(f"GRANT OWNERSHIP ON TABLE {world.table} TO ROLE ACCOUNTADMIN COPY CURRENT GRANTS")
    world.query(f"GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE {world.table} TO ROLE {world.ready['role']}")
    older = world.line("A", 3, text="z", updatedDate="2025-12-31T00:00:00Z")
    records = [older, world.line("A", 2, text="y"), world.line("A", 3)]
    ended = world.run([world.schema_message(), *records], max_dead_letter_percent=50)
    assert "the owner runs ALTER TABLE" in ended.log
    assert [row["LINE_NUMBER"] for row in world.rows()] == [1, 2, 3]
    [letter] = world.letters()
    [error] = letter["ERRORS"]
    assert (error["column"], error["value"], error["expected"]) == (
        "TEXT",
        "null",
        "a value for VARCHAR(10) NOT NULL",
    )
    # However many they are, nobody has to look for them.
    assert world.audit("RETRIES") == []


def test_a_comment_that_may_not_be_set_stops_nothing(world: World) -> None:
    world.run([world.schema_message(), world.line("A", 1)])
    world.query(f"GRANT OWNERSHIP ON TABLE {world.table} TO ROLE ACCOUNTADMIN COPY CURRENT GRANTS")
    world.query(f"GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE {world.table} TO ROLE {world.ready['role']}")
    about = with_property("amount", {"type": ["number", "null"], "multipleOf": 0.01, "description": "New"})
    ended = world.run([world.schema_message(about), world.line("A", 2)])
    assert "stays as it is" in ended.log
    assert len(world.rows()) == 2


# Kinds of tables


def test_tables_are_made_as_the_settings_say_and_left_so(world: World) -> None:
    world.run([world.schema_message(), world.line("A", 1)], table_type="transient", retention_days=0)
    world.run([world.schema_message(), world.line("A", 2)], retention_days=7)
    [shown] = world.query(f"SHOW TABLES IN SCHEMA ANALYTICS.{world.schema}")
    assert (shown["kind"], shown["retention_time"]) == ("TRANSIENT", "0")
    other = f"{world.stream}_kept"
    world.run([world.schema_message(stream=other)], retention_days=7)
    [kept] = [
        row
        for row in world.query(f"SHOW TABLES IN SCHEMA ANALYTICS.{world.schema}")
        if row["name"] == other.upper()
    ]
    assert (kept["kind"], kept["retention_time"]) == ("TABLE", "7")


@pytest.mark.parametrize(("kind", "days"), [("transient", 2), ("permanent", 91), ("permanent", -1)])
def test_retention_that_snowflake_has_not_is_refused(world: World, kind: str, days: int) -> None:
    with pytest.raises((SettingError, ConfigValidationError)) as refused:
        world.run([world.schema_message()], table_type=kind, retention_days=days)
    said = getattr(refused.value, "errors", [str(refused.value)])
    assert [text.startswith("setting `retention_days`") for text in said] == [True], said


# Two runs at once


def test_a_column_that_another_run_adds_first_does_not_lose_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.run([world.schema_message(), world.line("A", 1)])
    before_first(
        "add_column", lambda: world.query(f"ALTER TABLE {world.table} ADD COLUMN SITE VARCHAR"), monkeypatch
    )
    more = with_property("site", {"type": "string"})
    more["properties"]["zone"] = {"type": "string"}
    world.run([world.schema_message(more), world.line("A", 2, site="S", zone="Z")])
    assert [(row["SITE"], row["ZONE"]) for row in world.rows()] == [(None, None), ("S", "Z")]


def test_a_column_that_another_run_widens_further_is_left_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.run([world.schema_message(), world.line("A", 1)])
    wide = f"ALTER TABLE {world.table} ALTER COLUMN TEXT SET DATA TYPE VARCHAR(90)"
    before_first("widen_column", lambda: world.query(wide), monkeypatch)
    wider = with_property("text", {"type": ["string", "null"], "maxLength": 40})
    world.run([world.schema_message(wider), world.line("A", 2, text="x" * 40)])
    assert described(world)["TEXT"]["type"] == "VARCHAR(90)"
    assert len(world.rows()) == 2


def test_two_runs_that_make_the_same_table_at_once(world: World) -> None:
    """Both create it, each with a property that the other has not."""
    started = threading.Barrier(2)
    ended: list[Ended] = []

    def run(name: str, document: str) -> None:
        schema = world.schema_message(with_property(name, {"type": "string"}))
        text = lines([schema, world.line(document, 1, **{name: document})])
        started.wait()
        ended.append(world.command(text))

    threads = [threading.Thread(target=run, args=pair) for pair in (("site", "A"), ("zone", "B"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.code for one in ended] == [0, 0], [one.log for one in ended]
    assert [(row["SITE"], row["ZONE"]) for row in world.rows()] == [("A", None), (None, "B")]


def test_columns_that_keep_fifteen_digits_are_named_once(world: World) -> None:
    schema = with_property("share", {"type": ["number", "null"]})
    rows = [world.schema_message(schema), world.line("A", 1, share=0.5)]
    said = "gives no scale for SHARE, so they become FLOAT"
    assert said in world.run(rows).log
    assert said not in world.run(rows).log
    more = with_property("part", {"type": ["number", "null"]})
    assert "no scale for" not in world.run([world.schema_message(more)], number_type="NUMBER(38,9)").log
