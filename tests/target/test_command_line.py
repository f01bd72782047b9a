"""The command itself: start time, imports, and the parts of the SDK that are not public but built on."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys

import pytest
from processes import VENV_BIN
from readme_tables import is_current
from singer_sdk import Target
from singer_sdk.mapper import SameRecordTransform
from singer_sdk.sinks import Sink
from target_snowflake_audit.command import HELP
from target_snowflake_audit.settings import SECRETS
from target_snowflake_audit.target import TargetSnowflakeAudit

COMMAND = str(VENV_BIN / "target-snowflake-audit")


def imported_by(code: str) -> set[str]:
    script = f"{code}\nimport sys, json\nprint(json.dumps(sorted(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    return set(json.loads(out.splitlines()[-1]))


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_quick_options_load_neither_connector_nor_sdk(option: str) -> None:
    modules = imported_by(
        f"from target_snowflake_audit.command import run_command\nrun_command(['{option}'])"
    )
    assert "snowflake.connector" not in modules
    assert "singer_sdk" not in modules
    ended = subprocess.run([COMMAND, option], capture_output=True, text=True, check=True)
    assert "target-snowflake-audit" in ended.stdout


def test_heavy_packages_are_never_imported() -> None:
    code = "import target_snowflake_audit.target, target_snowflake_audit.replay, snowflake.connector"
    assert not {"pandas", "pyarrow"} & imported_by(code)
    assert "snowflake.connector" not in imported_by("import target_snowflake_audit.target")


def test_help_is_the_same_as_the_sdk_makes_it() -> None:
    made = {option for param in TargetSnowflakeAudit.get_singer_command().params for option in param.opts}
    assert made == {word.rstrip(",") for word in HELP.split() if word.startswith("--")} - {"--help"}


def test_about_lists_every_setting_with_a_description() -> None:
    out = subprocess.run(
        [COMMAND, "--about", "--format=json"], capture_output=True, text=True, check=True
    ).stdout
    settings = json.loads(out)["settings"]["properties"]
    assert all(part.get("description") for part in settings.values())
    secret = {name for name, part in settings.items() if part.get("secret")}
    assert secret == SECRETS
    assert secret >= {"private_key", "private_key_passphrase", "token", "oauth_token", "password"}


def test_private_parts_of_the_sdk_that_we_override_are_there() -> None:
    """A new SDK that moves one of these must fail here, not in a load."""
    for name, parameters in {
        "_process_schema_message": ["self", "message_dict"],
        "_process_record_message": ["self", "message_dict"],
        "_process_state_message": ["self", "message_dict"],
        "_process_activate_version_message": ["self", "message_dict"],
        "_write_state_message": ["self", "state"],
        "_handle_termination": ["self", "signum", "frame"],
        "_assert_line_requires": None,
        "_assert_sink_exists": ["self", "stream_name"],
    }.items():
        method = getattr(Target, name)
        if parameters is not None:
            assert list(inspect.signature(method).parameters) == parameters
    assert list(inspect.signature(Sink._add_sdc_metadata_to_record).parameters) == [  # noqa: SLF001
        "self",
        "record",
        "message",
        "context",
    ]
    assert hasattr(SameRecordTransform, "flattening_enabled")


def test_readme_lists_the_settings_as_they_are() -> None:
    assert is_current("target-snowflake-audit"), "run tests/support/readme_tables.py target-snowflake-audit"
