"""What the target takes from singer-sdk beyond its documented extension points: an update must keep it."""

from __future__ import annotations

import ast
import inspect
import os
import textwrap
from typing import TYPE_CHECKING, Any

import click
from singer_sdk import Sink, Target
from singer_sdk.configuration._dict_config import parse_environment_config
from singer_sdk.helpers._classproperty import classproperty
from singer_sdk.mapper import CustomStreamMap, PluginMapper, SameRecordTransform, StreamMap
from singer_sdk.plugin_base import PluginBase
from singer_sdk.singerlib.encoding.base import GenericSingerReader
from target_snowflake_audit.configured_target import ConfiguredTarget
from target_snowflake_audit.loading_target import LoadingTarget
from target_snowflake_audit.reading.reader import MessageReader
from target_snowflake_audit.sink import AuditSink
from target_snowflake_audit.target import TargetSnowflakeAudit

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

HOOKS: dict[type, set[str]] = {
    TargetSnowflakeAudit: {
        *("_process_schema_message", "_process_record_message", "_process_state_message"),
        *("_process_activate_version_message", "_process_batch_message"),
        "_assert_sink_exists",
    },
    ConfiguredTarget: {"_validate_config", "_env_var_config"},
    LoadingTarget: {"_write_state_message", "_handle_termination"},
    AuditSink: set(),
    MessageReader: {"_process_unknown_message"},
}


def private(owner: type, name: str) -> Any:  # noqa: ANN401 - any function
    """A private function of a class."""
    return getattr(owner, name)


def calls_of(function: Any) -> set[str]:  # noqa: ANN401 - any function
    """Names of the methods that a function calls."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    return {
        node.func.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }


def test_only_the_named_private_hooks_are_used() -> None:
    for ours, hooks in HOOKS.items():
        base = ours.__mro__[1]
        overridden = {name for name in vars(ours) if name in dir(base) and not name.startswith("__")}
        own = {name for name in overridden if name.startswith("_") and not name.startswith("_abc_")}
        assert own == hooks, ours


def test_each_message_goes_to_its_hook() -> None:
    source = inspect.getsource(GenericSingerReader)
    for name in HOOKS[TargetSnowflakeAudit] - {"_assert_sink_exists"}:
        assert name in inspect.getsource(Target) + inspect.getsource(PluginBase) + source, name
        parameters = list(inspect.signature(private(Target, name)).parameters)
        assert parameters == ["self", "message_dict"], name


def test_messages_of_unknown_types_go_to_their_hook() -> None:
    assert "_process_unknown_message" in calls_of(GenericSingerReader.process_lines)
    hook = private(GenericSingerReader, "_process_unknown_message")
    assert list(inspect.signature(hook).parameters) == ["self", "message_dict"]


def test_schema_messages_register_maps_and_make_sinks() -> None:
    calls = calls_of(private(Target, "_process_schema_message"))
    assert {"register_raw_stream_schema", "get_sink"} <= calls
    assert {"_sinks_active"} <= set(private(Target, "__init__").__code__.co_names)


def test_guards_that_the_target_calls_are_there() -> None:
    assert list(inspect.signature(private(Target, "_assert_sink_exists")).parameters) == [
        "self",
        "stream_name",
    ]
    requires = inspect.signature(private(Target, "_assert_line_requires"))
    assert list(requires.parameters) == ["self", "message_dict", "requires"]


def test_metadata_is_added_by_the_sink_from_record_and_message() -> None:
    found = inspect.signature(private(Sink, "_add_sdc_metadata_to_record"))
    assert list(found.parameters) == ["self", "record", "message", "context"]


def test_settings_are_validated_by_the_hook_before_anything_shows_them() -> None:
    assert "_validate_config" in calls_of(PluginBase.__init__)
    hook = private(PluginBase, "_validate_config")
    assert list(inspect.signature(hook).parameters) == ["self", "raise_errors"]
    assert "iter_errors(self._config)" in inspect.getsource(hook)
    assert "config_dict.update(self._env_var_config)" in inspect.getsource(PluginBase.__init__)


def test_settings_of_the_environment_are_a_property_of_the_class() -> None:
    assert isinstance(vars(PluginBase)["_env_var_config"], classproperty)


def test_a_failed_map_leaves_its_property_and_expression_in_the_traceback() -> None:
    """`mapping._failed` reads them there: the SDK's own error names neither."""
    evaluator = inspect.signature(private(CustomStreamMap, "_eval"))
    assert {"expr", "property_name"} <= set(evaluator.parameters)


def test_a_file_env_is_read_without_any_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("SET_BY_A_FILE=yes\n")
    monkeypatch.setenv("SET_BY_A_FILE", "")  # so that it is taken away again
    monkeypatch.delenv("SET_BY_A_FILE")
    assert parse_environment_config({}, "SET_", str(tmp_path / ".env")) == {}
    assert os.environ["SET_BY_A_FILE"] == "yes"


def test_configuration_files_may_be_read_by_the_target() -> None:
    given = TargetSnowflakeAudit.cb_config(click.Context(click.Command("x")), click.Option(["--config"]), ())
    assert (given.config, given.parse_env) == ({}, False)


def test_signals_go_to_the_hook() -> None:
    assert "_handle_termination" in inspect.getsource(private(PluginBase, "_setup_signal_handlers"))


def test_stream_maps_give_what_the_target_needs() -> None:
    mapper = PluginMapper({}, TargetSnowflakeAudit.logger)
    mapper.register_raw_stream_schema(
        "x", {"properties": {"a": {"type": ["string"]}}, "type": "object"}, ["a"]
    )
    (only,) = mapper.stream_maps["x"]
    assert type(only) is SameRecordTransform
    assert (only.stream_alias, only.flattening_enabled) == ("x", False)
    record = {"a": "1"}
    assert only.transform(record) is record


def test_a_map_makes_a_record_by_a_function_that_gives_none_for_what_it_leaves_out() -> None:
    """`mapping._made` calls it: `transform` gives None for a record without properties as well."""
    source = inspect.getsource(CustomStreamMap.transform)
    assert "transformed_record = self._transform_fn(record)" in source
    assert "super().transform(transformed_record) if transformed_record else None" in source
    assert "return self.flatten_record(record)" in inspect.getsource(StreamMap.transform)
