"""What the tap takes from singer-sdk beyond its documented extension points: an update must keep it."""

from __future__ import annotations

import ast
import inspect
import textwrap
import typing as t
from decimal import Decimal

import singer_sdk.singerlib as singer
from singer_sdk import Stream, Tap
from singer_sdk.helpers._state import StateWriter
from singer_sdk.mapper import PluginMapper, RemoveRecordTransform, SameRecordTransform
from singer_sdk.plugin_base import JSONSchemaValidator, PluginBase
from singer_sdk.singerlib.json import deserialize_json, serialize_json
from tap_sagex3.streams import X3Stream
from tap_sagex3.tap import TapSageX3

HOOKS: dict[type, set[str]] = {
    X3Stream: {"_generate_schema_messages", "sync"},
    TapSageX3: {"_validate_config", "_handle_termination", "sync_all"},
}


def private(owner: type, name: str) -> t.Any:  # noqa: ANN401 - any function
    """A private function of a class."""
    return getattr(owner, name)


def calls_of(function: t.Any) -> set[str]:  # noqa: ANN401 - any function
    """Names of the methods and functions that a function calls."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return {
        call.attr if isinstance(call, ast.Attribute) else call.id
        for call in calls
        if isinstance(call, ast.Attribute | ast.Name)
    }


def test_only_the_named_private_or_final_hooks_are_used() -> None:
    for ours, hooks in HOOKS.items():
        base = ours.__mro__[1]
        overridden = {name for name in vars(ours) if name in dir(base) and not name.startswith("__")}
        private = {name for name in overridden if name.startswith("_") and not name.startswith("_abc_")}
        final = {name for name in overridden if getattr(getattr(base, name), "__final__", False)}
        assert private | final == hooks


def test_the_sdk_calls_sync_of_each_selected_stream_and_nothing_else_that_reads() -> None:
    assert {"sync", "finalize_state_progress_markers"} <= calls_of(Tap.sync_all)
    assert "sync" in calls_of(Tap.run_sync_dry_run)
    assert "sync_all" in calls_of(Tap.invoke)
    assert "_sync_records" in calls_of(Stream.sync)


def test_schema_messages_are_all_made_by_the_hook() -> None:
    assert "_generate_schema_messages" in calls_of(private(Stream, "_write_schema_message"))
    assert "_write_schema_message" in calls_of(Tap.write_schemas)
    assert inspect.isgeneratorfunction(private(Stream, "_generate_schema_messages"))


def test_the_schema_class_of_the_sdk_still_drops_our_keywords() -> None:
    """When it keeps them, the hook for schema messages can go."""
    schema = {"type": "object", "properties": {}, "x-replace-scope": ["id"]}
    assert "x-replace-scope" not in singer.Schema.from_dict(schema).to_dict()


def test_configuration_is_validated_by_the_hook_before_it_is_used() -> None:
    signature = inspect.signature(private(PluginBase, "_validate_config"))
    assert "_validate_config" in calls_of(PluginBase.__init__)
    assert {"self", "raise_errors"} == set(signature.parameters)


def test_signals_go_to_the_hook() -> None:
    assert "_handle_termination" in inspect.getsource(private(PluginBase, "_setup_signal_handlers"))


def test_stream_maps_give_what_the_emitter_needs() -> None:
    mapper = PluginMapper({}, TapSageX3.logger)
    schema = {"properties": {"a": {"type": ["string"]}, "b": {"type": ["string"]}}, "type": "object"}
    mapper.register_raw_stream_schema("x", schema, ["a"])
    (only,) = mapper.stream_maps["x"]
    assert type(only) is SameRecordTransform
    assert set(only.raw_schema["properties"]) == {"a", "b"}
    assert only.flattening_enabled is False
    record = {"a": "1"}
    assert only.transform(record) is record
    assert not RemoveRecordTransform("x", schema, None, None).get_filter_result(record)


def test_the_state_writer_sends_a_state_only_when_it_changed() -> None:
    sent: list[t.Any] = []

    class Writer:
        def write_message(self, message: t.Any) -> None:  # noqa: ANN401
            sent.append(message)

    writer = StateWriter(Writer())  # type: ignore[arg-type]
    state: t.Any = {"bookmarks": {"x": {"overlap": {"a": "b"}}}}
    writer.write_state(state)
    writer.write_state(state)
    state["bookmarks"]["x"]["overlap"]["a"] = "c"
    writer.write_state(state)
    assert len(sent) == 2


def test_extra_members_of_a_bookmark_survive_the_sdk() -> None:
    state = {
        "bookmarks": {"suppliers": {"replication_key": "updatedDate", "overlap": {"k": "v"}, "digest": "d"}}
    }
    tap = TapSageX3(config={}, state=state, validate_config=False)
    assert tap.state == state


def test_the_validator_of_settings_fills_in_defaults_and_says_where_an_error_is() -> None:
    """Our own check of settings takes the place of the SDK's, which hides the errors in some modes."""
    schema = {
        "properties": {
            "a": {"type": "integer", "default": 5},
            "b": {"type": ["array"], "items": {"type": "string"}},
        },
        "required": ["c"],
    }
    config: dict[str, object] = {"b": ["x", 1]}
    errors = {str(e.validator): e for e in JSONSchemaValidator(schema).iter_errors(config)}
    assert config["a"] == 5
    assert list(errors["type"].absolute_path) == ["b", 1]
    assert errors["required"].validator_value == ["c"]
    assert deserialize_json('{"a": 1.10}') == {"a": Decimal("1.10")}
    assert serialize_json({"a": Decimal("1.10")}) == '{"a":1.10}'
