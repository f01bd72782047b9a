"""Settings and keys that are wrong: one clear line that names the setting, a non-zero exit, no traceback."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any, cast

import pytest
from singer_sdk.singerlib.exceptions import InvalidInputLine
from target_snowflake_audit.errors import SettingError, TargetError
from target_snowflake_audit.reading.blocks import BLOCK
from target_snowflake_audit.reading.reader import MessageReader
from target_snowflake_audit.session import connect
from target_snowflake_audit.sink import AuditSink
from target_world import lines, state

if TYPE_CHECKING:
    from target_world import World


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"database": "NOWHERE"}, "setting `database`: database NOWHERE does not exist"),
        ({"warehouse": "NOWHERE"}, "setting `warehouse`: warehouse NOWHERE does not exist"),
        ({"audit_schema": "NOWHERE"}, "setting `audit_schema`: schema NOWHERE_LOCK does not exist.*init-sql"),
    ],
)
def test_wrong_place_or_login_is_a_setting_error(world: World, change: dict[str, Any], expected: str) -> None:
    with pytest.raises(SettingError, match=expected):
        connect(world.settings(**change))


def test_schema_without_rights_names_the_settings(world: World) -> None:
    with pytest.raises(
        SettingError, match=r"`default_target_schema`.*create_schema.*ANALYTICS.PUBLIC.*init-sql --schema"
    ):
        world.run([world.schema_message()], default_target_schema="PUBLIC")


def test_commands_print_one_line_and_exit_with_one(world: World) -> None:
    text = lines([world.schema_message(), world.line("A", 1)])
    for change, expected in (
        ({"warehouse": None}, "setting `warehouse`: is missing"),
        ({"database": "NOWHERE"}, "setting `database`: database NOWHERE does not exist"),
        ({"column_naming": "camel"}, "column_naming"),
    ):
        ended = world.command(text, **change)
        assert ended.code == 1, ended.log
        assert expected in ended.log
        assert "Traceback" not in ended.log
        assert ended.states == []


FIRST = '{"type": "SCHEMA", "stream": "t", "schema": {"properties": {"a": {"type": "string"}}}}'
VALUE = "FR7630006"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("not json", r"line 3 of the input: not a JSON line \(.*\); it has 8 characters and is not shown"),
        (f"Max {VALUE}", r"not a JSON line \(.*\); it has 13 characters and is not shown, as it may be a"),
        (f"iban={VALUE} name=Muster", r"not a JSON line \(.*\); it has 26 characters and is not shown"),
        (f"INFO read {VALUE}", r"not a JSON line \(.*\); it has 19 characters, `INFO` among the first: "),
        (f"2026-01-02 03:04:05,678 | ERROR | {VALUE}", "`ERROR` among the first"),
        ("Traceback (most recent call last):", "`Traceback` among the first"),
        ("", "line 3 of the input: the line is empty, expected a message"),
        ("   ", "line 3 of the input: the line is empty, expected a message"),
        (f'["iban", "{VALUE}"]', "line 3 of the input: expected a JSON object in each line, got an array"),
        (f'"{VALUE}"', "line 3 of the input: expected a JSON object in each line, got a text"),
        (f'{{"iban": "{VALUE}"}}', "line 3 of the input: a message lacks type"),
        (f'{{"iban": "{VALUE}",', r"line 3 of the input: not a JSON line \(.*\); it has .* and is not shown"),
        (
            f'{VALUE}", "text": "x"}}}}',
            r"line 3 of the input: not a JSON line \(.*\); it has .* and is not shown",
        ),
        (f'Max", "text": "{VALUE}"}}}}', r"not a JSON line \(.*\); it has .* and is not shown"),
        (
            f'{{"street": "{VALUE}", "type": "BATCH", "x":',
            r"not a JSON line \(.*\); it has .* and is not sho",
        ),
        (f'{{"street": "{VALUE}", "stream": "{VALUE}"}}', "line 3 of the input: a message lacks type"),
        (
            f'{{"type": "Bank {VALUE}", "stream": "t"}}',
            "message of a type that is no name of one is not known",
        ),
        (
            f'{{"type": "RECORD", "stream": "s", "record" : {{"iban": "{VALUE}",',
            r"not a JSON line \(.*\); it begins as a RECORD message of stream `s` and has \d+ characters$",
        ),
        (
            f'{{"stream": "s", "type": "BATCH", "{VALUE}',
            r"not a JSON line \(.*\); it begins as a BATCH message of stream `s` and has \d+ characters$",
        ),
        (
            f'{{"type": "STATE", "value": "{VALUE}',
            r"not a JSON line \(.*\); it begins as a STATE message and has \d+ characters$",
        ),
        (
            '{"type": "RECORD", "stream": "\\ud83d", "record": {}}',
            r"a message of stream `\\ud83d` came before any SCHEMA",
        ),
        (
            '{"type": "RECORD", "stream": "\\ud83d"}',
            r"RECORD of stream \\ud83d lacks record",
        ),
        (
            '{"type": "FOO", "stream": "t"}',
            "message of type `FOO` is not known, expected one of RECORD, SCHEMA, STATE, ",
        ),
        (
            '{"type": ["FOO"]}',
            "`type` of the message is an array, expected one of RECORD",
        ),
        (
            f'{{"type": "RECORD", "stream": "nosuch", "record": {{"a": "{VALUE}"}}}}',
            r"a message of stream `nosuch` came before any SCHEMA .* \(streams with one so far: `t`\)",
        ),
        (
            '{"type": "ACTIVATE_VERSION", "stream": "nosuch", "version": 1}',
            "line 3 of the input: a message of stream `nosuch` came before",
        ),
        ('{"type": "RECORD", "stream": "t"}', "line 3 of the input: RECORD of stream t lacks record"),
        ('{"type": "SCHEMA", "stream": "s", "schema": {"properties": {"a": {"type": "no"}}}}', "stream s"),
    ],
)
def test_input_that_is_not_singer(world: World, line: str, expected: str) -> None:
    record = '{"type": "RECORD", "stream": "t", "record": {"a": "x"}}'
    with pytest.raises((TargetError, InvalidInputLine), match=expected) as failed:
        world.run_text(f"{FIRST}\n{record}\n{line}\n")
    assert VALUE not in str(failed.value)


def test_a_record_of_a_stream_that_only_stream_maps_make_is_refused(world: World) -> None:
    alias = f"{world.stream}_2"
    version = {"type": "ACTIVATE_VERSION", "stream": alias, "version": 1}
    of_alias = [{**world.line("A", 1), "stream": alias}, version]
    for message in of_alias:
        with pytest.raises(TargetError, match=f"a message of stream `{alias}` came before any SCHEMA"):
            world.run([world.schema_message(), message], stream_maps={alias: {"__source__": world.stream}})


def test_lines_are_numbered_over_blocks_and_whatever_the_input_is(world: World) -> None:
    records = [world.line("A", n) for n in range(3000)]
    text = lines([world.schema_message(), *records]) + "broken\n" + lines(records[:5])
    assert len(text) > 3 * BLOCK
    with pytest.raises(InvalidInputLine, match=r"^line 3002 of the input: not a JSON line"):
        world.run_text(text)
    given = cast("IO[bytes]", iter([b'{"type": "STATE", "value": {}}\n', b"broken\n"]))  # no stream of bytes
    with pytest.raises(InvalidInputLine, match=r"^line 2 of the input: not a JSON line"):
        MessageReader().process_lines(given, {"STATE": lambda _: None})


def test_a_line_that_is_no_message_is_in_no_log_and_no_audit_row(world: World) -> None:
    text = lines([world.schema_message(), world.line("A", 1), state({"n": 1})])
    ended = world.command(f'{text}["iban", "{VALUE}"]\n')
    assert ended.code == 1
    said = "line 4 of the input: expected a JSON object in each line, got an array"
    assert ended.log.strip().splitlines()[-1].endswith(said)
    assert VALUE not in ended.log
    errors = str(world.query("SELECT ERROR FROM ANALYTICS.AUDIT.RUNS WHERE STATUS = 'failed'"))
    assert said in errors
    assert VALUE not in errors


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({"__key_properties__": ["nowhere"]}, "Property 'nowhere' was not detected in schema"),
        ({"amount": 5}, "Unexpected type 'int'"),
        ({"__else__": "all"}, "'__else__=all' is not supported"),
    ],
)
def test_stream_maps_that_do_not_fit_their_stream_name_it(
    world: World, rules: dict[str, Any], expected: str
) -> None:
    with pytest.raises(SettingError, match=f"^setting `stream_maps`: stream `{world.stream}`: .*{expected}"):
        world.run([world.schema_message()], stream_maps={world.stream: rules})


def test_what_is_not_implemented_elsewhere_is_no_matter_of_stream_maps(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise NotImplementedError

    monkeypatch.setattr(AuditSink, "_loader", refuse)
    with pytest.raises(NotImplementedError):
        world.run([world.schema_message()])


def test_colliding_names_fail_before_any_ddl(world: World) -> None:
    schema = {"properties": {"orderDate": {"type": "string"}, "order_date": {"type": "string"}}}
    world.control.clear_log()
    with pytest.raises(Exception, match="`orderDate` and `order_date` would both be column ORDER_DATE"):
        world.run([world.schema_message(schema, key=[])])
    assert not [sql for sql in world.target_statements() if sql.startswith(("CREATE", "ALTER"))]
    world.run(
        [world.schema_message(schema, key=[]), world.record({"orderDate": "a", "order_date": "b"})],
        schema_mapping=[{"stream": "*", "schema": world.schema, "columns": {"order_date": "order_date_2"}}],
    )
    assert world.rows() == [{"ORDER_DATE": "a", "ORDER_DATE_2": "b"}]
