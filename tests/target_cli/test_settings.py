from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from target_snowflake_audit.cli.errors import CommandError
from target_snowflake_audit.cli.settings import read, required

if TYPE_CHECKING:
    from pathlib import Path


def test_environment_comes_before_files_and_an_empty_variable_is_not_set(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text('{"account": "file", "user": "file", "port": 443}')
    environment = {
        "TARGET_SNOWFLAKE_AUDIT_ACCOUNT": "environment",
        "TARGET_SNOWFLAKE_AUDIT_USER": "",
        "TARGET_SNOWFLAKE_AUDIT_SCHEMA_MAPPING": '[{"stream": "*", "schema": "S"}]',
        "TARGET_SNOWFLAKE_AUDIT_PASSWORD": "0123",
        "TAP_SAGEX3_PASSWORD": "not ours",
    }
    assert read([file], environment) == {
        "account": "environment",
        "user": "file",
        "port": 443,
        "schema_mapping": [{"stream": "*", "schema": "S"}],
        "password": "0123",
    }


def test_later_files_win(tmp_path: Path) -> None:
    first, second = tmp_path / "1.json", tmp_path / "2.json"
    first.write_text('{"role": "A", "user": "U"}')
    second.write_text('{"role": "B"}')
    assert read([first, second], {}) == {"role": "B", "user": "U"}


@pytest.mark.parametrize(
    ("content", "complaint"),
    [("[1]", "expected a JSON object"), ("{not json", "not JSON"), (None, "No such file")],
)
def test_an_unusable_file_is_named_with_the_reason(
    tmp_path: Path, content: str | None, complaint: str
) -> None:
    file = tmp_path / "config.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(CommandError, match=f"config.json: {complaint}"):
        read([file], {})


def test_a_missing_setting_names_its_variable() -> None:
    with pytest.raises(CommandError, match="`account` is missing: set TARGET_SNOWFLAKE_AUDIT_ACCOUNT"):
        required({"account": ""}, "account")
