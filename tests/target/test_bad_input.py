"""Settings and keys that are wrong: one clear line that names the setting, a non-zero exit, no traceback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from target_snowflake_audit.errors import SettingError
from target_snowflake_audit.session import connect
from target_world import lines

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
        SettingError, match=r"`default_target_schema`.*create_table.*ANALYTICS.PUBLIC.*schema_mapping"
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


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("not json", "not a JSON line"),
        ("[1]", "expected a JSON object"),
        ('{"type": "RECORD", "stream": "nobody", "record": {}}', "before a corresponding schema"),
        (
            '{"type": "SCHEMA", "stream": "s", "schema": {"properties": {"a": {"type": "nonsense"}}}}',
            "stream s",
        ),
    ],
)
def test_input_that_is_not_singer(world: World, line: str, expected: str) -> None:
    with pytest.raises(Exception, match=expected):
        world.run_text(line + "\n")


def test_an_error_about_a_broken_line_does_not_show_its_record(world: World) -> None:
    with pytest.raises(Exception, match="not a JSON line") as failed:
        world.run_text('{"type": "RECORD", "stream": "s", "record": {"iban": "FR7630006", \n')
    said = str(failed.value)
    assert "FR7630006" not in said
    assert '"stream": "s", "record":...' in said


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
