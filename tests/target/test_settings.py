"""Settings that cannot be meant are named before any login: misspelt, out of range, of another type."""

from __future__ import annotations

import io
import json
import os
import sys
from typing import TYPE_CHECKING

import pytest
from singer_sdk.exceptions import ConfigValidationError
from target_snowflake_audit.command import run_command
from target_snowflake_audit.settings import texts
from target_snowflake_audit.settings_read import SECRETS
from target_snowflake_audit.target import TargetSnowflakeAudit

if TYPE_CHECKING:
    from pathlib import Path

LOGIN = {"account": "a", "user": "u", "warehouse": "w", "database": "d", "password": "a planted secret"}
PREFIX = "TARGET_SNOWFLAKE_AUDIT_"
NO_NAME = "Expecting property name enclosed in double quotes: line 1 column 3 (char 2)"
NO_COMMA = "Expecting ',' delimiter: line 1 column 19 (char 18)"
AS_TEXT = "a variable of the environment holds it as JSON text"


def problems(**more: object) -> list[str]:
    """What is said of a configuration."""
    try:
        TargetSnowflakeAudit(config={**LOGIN, **more})
    except ConfigValidationError as error:
        return list(error.errors)
    return []


def of_environment(monkeypatch: pytest.MonkeyPatch, **more: str) -> list[str]:
    """What is said of variables of the environment."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    for name, value in (LOGIN | more).items():
        monkeypatch.setenv(f"{PREFIX}{name.upper()}", value)
    try:
        TargetSnowflakeAudit(parse_env_config=True)
    except ConfigValidationError as error:
        return list(error.errors)
    return []


def last_words(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, text: str = ""
) -> str:
    """What the command says at last, in one line; it fails."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert run_command(arguments) == 1
    said = caplog.records[-1].getMessage()
    assert "\n" not in said
    return said


def test_misspelt_settings_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert problems(max_dead_letter_percents=3) == [
        "setting `max_dead_letter_percents` is unknown: is `max_dead_letter_percent` meant?"
    ]
    assert problems(stream_map={}) == ["setting `stream_map` is unknown: is `stream_maps` meant?"]
    assert of_environment(monkeypatch, error_tolerence="none") == [
        "setting `error_tolerence` is unknown: is `error_tolerance` meant?"
    ]


def test_settings_of_the_sdk_and_of_whoever_runs_the_target_stop_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    known = {"add_record_metadata": False, "stream_maps": {}, "flattening_separator": "_"}
    assert problems(**known, batch_config={}, _of_meltano="x", dialect="snowflake") == []
    assert of_environment(monkeypatch, loglevel="INFO", flattening_max_depth="2", nobody_knows="x") == []
    told = [one.getMessage() for one in caplog.records if "unknown" in one.getMessage()]
    assert told == [
        "setting `dialect` is unknown; it is ignored",
        "setting `nobody_knows` is unknown; it is ignored",
    ]


def test_settings_that_are_taken_out_and_members_of_objects_stop_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert problems(**{"_role": "x", "_stream_maps": {}, "stream_maps.gl": {}, "_nobody_knows": 1}) == []
    told = [one.getMessage() for one in caplog.records if "unknown" in one.getMessage()]
    assert told == ["setting `stream_maps.gl` is unknown; it is ignored"]
    # A member of what is no object can only be a mistake.
    assert problems(**{"roles.": "x"}) == ["setting `roles.` is unknown: is `role` meant?"]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("max_dead_letter_percent", 150, "a whole number from 0 to 100"),
        ("max_dead_letter_percent", -1, "a whole number from 0 to 100"),
        ("max_deleted_percent", 101, "a whole number from 0 to 100"),
        ("max_dead_letters", -1, "a whole number of at least 0"),
        ("batch_size_rows", 0, "a whole number of at least 1"),
        ("batch_size_rows", -5, "a whole number of at least 1"),
        ("batch_size_bytes", 0, "a whole number of at least 1"),
        ("batch_wait_seconds", 0, "a whole number of at least 1"),
        ("max_parallelism", 0, "a whole number of at least 1"),
        ("retry_max_attempts", 0, "a whole number of at least 1"),
        ("retry_max_seconds", -1, "a whole number of at least 0"),
        ("retention_days", 91, "a whole number from 0 to 90"),
        ("retention_days", -1, "a whole number from 0 to 90"),
        ("port", 0, "a whole number from 1 to 65535"),
    ],
)
def test_values_out_of_range(name: str, value: int, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    said = [f"setting `{name}`: is {value}, expected {expected}"]
    assert problems(**{name: value}) == said
    assert of_environment(monkeypatch, **{name: str(value)}) == said


def test_values_at_the_ends_of_their_ranges_are_taken() -> None:
    lowest = {"max_dead_letters": 0, "max_dead_letter_percent": 0, "max_deleted_percent": 0}
    assert problems(**lowest, retention_days=0, retry_max_seconds=0, retry_max_attempts=1) == []
    assert problems(max_dead_letter_percent=100, max_deleted_percent=100, retention_days=90) == []


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("second_process", "maybe", 'is "maybe", expected true or false'),
        ("hard_delete", "2", 'is "2", expected true or false'),
        ("validate_records", "of course", 'is "of course", expected true or false'),
        ("max_dead_letter_percent", "abc", 'is "abc", expected a whole number from 0 to 100'),
        ("flattening_max_depth", "x", 'is "x", expected a whole number'),
        (
            "schema_mapping",
            "[{stream: gl}]",
            f"is a text that is not JSON ({NO_NAME}), expected a JSON array; {AS_TEXT}",
        ),
        (
            "redact_columns",
            '"taxNumber"',
            f"is a text, expected a JSON object; {AS_TEXT}",
        ),
        (
            "stream_map_config",
            '{"seed": "planted"',
            f"is a text that is not JSON ({NO_COMMA}), expected a JSON object; {AS_TEXT}",
        ),
        ("stream_map_config", '["planted"]', "is an array, expected a JSON object"),
        ("load_method", "insert", 'is "insert", expected one of upsert, append-only, overwrite'),
    ],
)
def test_variables_that_cannot_be_read(
    name: str, text: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert of_environment(monkeypatch, **{name: text}) == [f"setting `{name}`: {expected}"]


def test_what_may_hold_a_secret_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = {"schema_mapping": "[planted", "batch_config": '{"a": "planted"', "faker_config": "planted"}
    said = of_environment(monkeypatch, **broken)
    assert [one.split("`")[1] for one in said] == list(broken)
    assert "planted" not in str(said)
    [said_of_member] = problems(batch_config={"encoding": {"format": "jsonl"}, "storage": "s3://planted@x"})
    assert said_of_member.startswith("setting `batch_config`, at storage: is a text that is not JSON (")
    assert "planted" not in said_of_member
    [without] = problems(schema_mapping=[{"schema": "S"}])
    assert without == "setting `schema_mapping`, at 0: 'stream' is a required property"
    assert "planted" not in str(problems(account={"a": "planted"}))


def test_variables_that_are_no_settings_change_no_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    assert of_environment(monkeypatch) == []
    plain = TargetSnowflakeAudit(parse_env_config=True).config
    assert of_environment(monkeypatch, nobody_knows="x", _role="x") == []
    assert TargetSnowflakeAudit(parse_env_config=True).config == plain


def test_variables_are_read_as_their_types() -> None:
    known = TargetSnowflakeAudit.config_jsonschema["properties"]
    given = {
        "SECOND_PROCESS": "No",
        "HARD_DELETE": "on",
        "PORT": "443",
        "ACCOUNT": "5",
        "TOKEN": "{}",
        "SCHEMA_MAPPING": '[{"stream": "a"}]',
        "BATCH_SIZE_ROWS": "",  # as good as none
    }
    variables = {f"{PREFIX}{name}": text for name, text in given.items()} | {"HOME": "/"}
    assert texts.of_environment(variables, known) == {
        "second_process": False,
        "hard_delete": True,
        "port": 443,
        "account": "5",
        "token": "{}",
        "schema_mapping": [{"stream": "a"}],
    }


def test_members_of_a_setting_are_named() -> None:
    assert problems(schema_mapping=[{"stream": "a"}, {"stream": "b", "history": "some"}]) == [
        'setting `schema_mapping`, at 1.history: is "some", expected one of all, changes, off'
    ]
    [said] = problems(schema_mapping=[{"stream": "a", "tabel": "x"}])
    assert "setting `schema_mapping`, at 0: " in said
    assert "tabel" in said


def test_broken_expressions_of_stream_maps_are_told_before_any_stream() -> None:
    maps = {"gl": {"amount": "float(1 +", "text": "text.upper()", "old": None, "other": "__NULL__"}}
    [said] = problems(stream_maps=maps)
    assert said.startswith(
        'setting `stream_maps`: stream `gl`, property `amount`: "float(1 +" is no expression: '
    )
    [said] = problems(stream_maps={"gl": {"__filter__": "amount >", "__alias__": "two words"}})
    assert 'stream `gl`, `__filter__`: "amount >" is no expression' in said
    [said] = problems(stream_maps={"gl": {"amount": ""}})
    assert said.endswith("it is empty")


def test_secrets_are_not_shown() -> None:
    for name in SECRETS:
        said = str(problems(**{name: ["a planted secret"], "port": 0, "accont": "a planted secret"}))
        assert name in said
        assert "planted" not in said


def test_a_letter_too_few_in_any_name_is_told_with_that_name() -> None:
    """No other name is nearer, however like each other the settings' names are."""
    for name in TargetSnowflakeAudit.config_jsonschema["properties"]:
        wrong = name[:-1]
        assert problems(**{wrong: None}) == [f"setting `{wrong}` is unknown: is `{name}` meant?"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, "No such file or directory"),
        ('{"password": "a planted secret"', "not JSON: "),
        ('["a planted secret"]', "expected a JSON object of settings, got an array"),
    ],
    ids=["missing", "broken", "array"],
)
def test_a_configuration_file_that_cannot_be_used_is_named(
    text: str | None,
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    file = tmp_path / "file.json"
    if text is not None:
        file.write_text(text)
    said = last_words(["--config", str(file)], monkeypatch, caplog)
    assert said.startswith(f"--config {file}: {expected}")
    assert "planted" not in caplog.text


def test_later_files_and_the_environment_come_over_earlier_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    first.write_text(json.dumps({**LOGIN, "port": 0, "max_parallelism": 0, "batch_size_rows": 0}))
    second.write_text(json.dumps({"port": 443}))
    monkeypatch.setenv(f"{PREFIX}MAX_PARALLELISM", "2")
    last_words(["--config", str(first), "--config", str(second), "--config", "ENV"], monkeypatch, caplog)
    told = [one.getMessage() for one in caplog.records if one.getMessage().startswith("setting")]
    assert told == ["setting `batch_size_rows`: is 0, expected a whole number of at least 1"]


def test_a_stream_map_option_that_is_none_names_the_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "file.json"
    file.write_text(json.dumps({**LOGIN, "stream_maps": {"__els__": {"a": "b"}}}))
    said = last_words(["--config", str(file)], monkeypatch, caplog)
    assert said.startswith("setting `stream_maps`: Option '__els__")
