"""Names from taps and settings: what they become, that none breaks out of a statement, what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import sqlglot
from sqlglot import exp
from target_snowflake_audit.checking.plan import make_plan
from target_snowflake_audit.errors import SchemaError, SettingError
from target_snowflake_audit.naming import column_names, conform, given, table_name
from target_snowflake_audit.sql import ddl
from target_snowflake_audit.sql.quoting import TableName

if TYPE_CHECKING:
    from target_world import Message, World

NASTY = [
    '"; DROP TABLE "X"; --',
    "'; --",
    "$$ select $$",
    "/* x",
    "a.b",
    "tab\tand\nline",
    "back\\slash",
    "emoji 🙂",
    "select",
    "lower",
    "Ünïcödé",
    " lead",
    "2nd",
    "?",
    "%s",
    ":1",
    "{0}",
    "x" * 300,
]


def schema_of(names: list[str]) -> Message:
    properties: Message = {name: {"type": "string", "description": f"about {name}"} for name in names}
    return {"type": "object", "properties": {**properties, "id": {"type": "integer"}}}


def test_no_name_breaks_out_of_a_statement(world: World) -> None:
    """Loaded as they are, by one insert, one update and one dead letter, and read back by name."""
    stream = f"{world.stream}\";--$$' 🙂"
    schema = schema_of(NASTY)
    message = world.schema_message(schema, key=["id", NASTY[0]], stream=stream, bookmark_properties=[])
    values = {name: f"{at}: {name[:40]}" for at, name in enumerate(NASTY)}
    table = conform(stream, "preserve")

    def record(**more: Any) -> Message:  # noqa: ANN401
        return {"type": "RECORD", "stream": stream, "record": {**values, "id": 1, **more}}

    world.run([message, record(lower="first")], column_naming="preserve")
    settings: Message = {"column_naming": "preserve", "max_dead_letter_percent": 100}
    world.run([message, record(), record(id=2, lower=5)], **settings)
    sql = TableName("ANALYTICS", world.schema, table).sql
    [row] = world.query(f"SELECT * FROM {sql}")
    assert {name: row[conform(name, "preserve")] for name in NASTY} == values
    named = str(TableName("ANALYTICS", world.schema, table)).replace("'", "''")
    [letter] = world.query(f"SELECT * FROM ANALYTICS.AUDIT.DEAD_LETTERS WHERE \"TARGET_TABLE\" = '{named}'")
    assert letter["STREAM"] == stream
    shown = {column["name"]: column["comment"] for column in world.query(f"DESCRIBE TABLE {sql}")}
    assert shown[NASTY[1]] == f"about {NASTY[1]}"
    assert len(world.query(f"SHOW TABLES IN SCHEMA ANALYTICS.{world.schema}")) == 1


@pytest.mark.parametrize("name", [*NASTY, '""', '"', "\\"])
def test_ddl_with_a_name_is_one_statement_with_that_name(name: str) -> None:
    schema = schema_of([name])
    settings = {"column_naming": "preserve", "default_target_schema": '"s"'}
    plan = make_plan(settings, name, schema, ["id"], {"stream": name, "schema": schema}, "D")
    column = next(column for column in plan.columns if column.property == name)
    for sql in (
        ddl.create_table(plan),
        ddl.add_columns(plan.table, [ddl.column(column)]),
        ddl.comment(plan.table, column.name, column.comment),
        ddl.drop_not_null(plan.table, column.name),
    ):
        [tree] = sqlglot.parse(sql, read="snowflake")
        assert tree is not None
        found = {node.name for node in tree.find_all(exp.Identifier)}
        audit = {one for one in found if one.startswith("_AUDIT_")}
        assert found <= {"D", "s", plan.table.table, column.name, "ID", "id", *audit}
        assert {plan.table.table, column.name} <= found


@pytest.mark.parametrize(
    ("name", "snake"),
    [
        ("orderDate", "ORDER_DATE"),
        ("GL Entry", "GL_ENTRY"),
        ("GLEntryID", "GL_ENTRY_ID"),
        ("a.b", "A_B"),
        ("a-b/c", "A_B_C"),
        ("ÀB", "ÀB"),
        ("2nd", "2ND"),
        ("X3Code", "X3_CODE"),
        ("net$", "NET$"),
        ("_private", "_PRIVATE"),
        ("🙂", "_"),
        ("", "_"),
        ("\ud800x\0", "_X_"),
    ],
)
def test_snake_names(name: str, snake: str) -> None:
    assert conform(name, "snake") == snake


def test_names_of_255_characters_stay_and_longer_ones_stay_apart() -> None:
    longest = "N" * 255
    assert conform(longest, "upper") == longest
    cut = [conform("n" * 300 + last, "upper") for last in "ab"]
    assert {len(name) for name in cut} == {255}
    assert cut[0] != cut[1]


@pytest.mark.parametrize(
    ("names", "style"),
    [
        (["a b", "a_b"], "snake"),
        (["straße", "STRASSE"], "upper"),
        (["🙂", "🙃"], "snake"),
        (["aB", "a_b"], "snake"),
    ],
)
def test_names_that_fall_together_are_named_before_any_ddl(names: list[str], style: str) -> None:
    with pytest.raises(SchemaError, match="would both be column") as caught:
        column_names(names, style, {}, stream="s")
    assert all(f"`{name}`" in str(caught.value) for name in names)
    assert column_names(names, style, {names[0]: "first"}, stream="s")[names[0]] == "FIRST"


@pytest.mark.parametrize("name", ["_audit_seq", "_AUDIT_SEQ", "_audit-seq"])
def test_a_property_cannot_take_an_audit_column(name: str) -> None:
    with pytest.raises(SchemaError, match="audit column _AUDIT_SEQ"):
        column_names([name], "snake", {}, stream="s")


@pytest.mark.parametrize("name", ["", '""', "x" * 256, "a\0b"])
def test_names_in_the_mapping_are_checked(name: str) -> None:
    with pytest.raises(SettingError, match=r"schema_mapping.*is no name of 1 to 255"):
        column_names(["a"], "snake", {"a": name}, stream="s")
    if name:
        with pytest.raises(SettingError, match="is no name"):
            table_name({"schema_mapping": [{"stream": "*", "table": name}]}, "s", "D")
    assert given('"a""b"', "s") == 'a"b'


# Where streams go


def test_a_stream_is_sent_elsewhere_with_its_columns(world: World) -> None:
    entry = {"stream": "lines_*", "schema": f'"{world.schema} odd"', "table": '"lines.now"'}
    columns = {"documentId": '"document no"', "lineNumber": "line"}
    mapping = [{**entry, "columns": columns}, {"stream": "*", "schema": "NEVER"}]
    for amount in ("1.00", "2.00"):
        world.run([world.schema_message(), world.line("A", 1, amount)], schema_mapping=mapping)
    [row] = world.query(f'SELECT * FROM ANALYTICS."{world.schema} odd"."lines.now"')
    assert (row["document no"], row["LINE"], str(row["AMOUNT"])) == ("A", 1, "2.00")


def test_a_table_is_made_in_another_database(world: World) -> None:
    """Its rows are not loaded here: the stand-in has no transaction over two databases, Snowflake has."""
    database = f"D_{world.schema}"
    world.query(f"CREATE DATABASE {database}")
    world.query(f"GRANT USAGE, CREATE SCHEMA ON DATABASE {database} TO ROLE {world.ready['role']}")
    try:
        mapping = [{"stream": "*", "database": database, "schema": "S", "table": "lines"}]
        world.run([world.schema_message()], schema_mapping=mapping)
        described = world.query(f"DESCRIBE TABLE {database}.S.LINES")
        assert {"DOCUMENT_ID", "_AUDIT_SEQ"} <= {column["name"] for column in described}
    finally:
        world.query(f"DROP DATABASE {database}")


def two_streams(world: World, first: str, second: str) -> list[Message]:
    found = []
    for at, stream in enumerate((first, second)):
        found += [
            world.schema_message(stream=stream),
            {**world.line(f"D{at}", 1), "stream": stream},
        ]
    return found


def test_streams_that_fall_into_one_table_by_their_names_are_refused(world: World) -> None:
    first, second = f"{world.stream}.a", f"{world.stream}_a"
    with pytest.raises(SchemaError, match=rf"streams {world.stream}\.a and {world.stream}_a would both"):
        world.run(two_streams(world, first, second))
    mapping = [{"stream": first, "table": f"{world.stream}_a"}]
    with pytest.raises(SchemaError, match="would both be loaded into"):
        world.run(two_streams(world, first, second), schema_mapping=mapping)


def test_streams_are_loaded_into_one_table_when_both_are_sent_there(world: World) -> None:
    names = (f"{world.stream}.a", f"{world.stream}-b")
    mapping = [{"stream": f"{world.stream}?*", "schema": world.schema, "table": world.stream}]
    for _ in range(2):
        world.run(two_streams(world, *names), schema_mapping=mapping)
    assert [row["DOCUMENT_ID"] for row in world.rows()] == ["D0", "D1"]
    assert [sorted(count) for count in world.counts()] == [["inserted", "received"]] * 2 + [
        ["received", "unchanged"]
    ] * 2
