"""Mistakes in the configuration: one clear line that names the setting, a non-zero exit, and no traceback."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from pipeline import Finished, run, tap, target
from sandboxes import Sandbox, sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCHEMA = {
    "type": "SCHEMA",
    "stream": "things",
    "schema": {"properties": {"id": {"type": "integer"}}},
    "key_properties": ["id"],
}
RECORD = {"type": "RECORD", "stream": "things", "record": {"id": 1}}
LINES = json.dumps(SCHEMA) + "\n" + json.dumps(RECORD) + "\n"


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    """One sandbox for all: none of these tests gets as far as changing anything."""
    with sandbox("--scale", "20") as started:
        yield started


def assert_clear(ended: Finished, *words: str) -> None:
    assert ended.code != 0
    assert "Traceback" not in ended.err
    programs = ("target-snowflake-audit:", "snowflake-audit:", "sandbox:")
    lines = ended.err.strip().splitlines()
    said = [line for line in lines if "| ERROR" in line or "| CRITICAL" in line or line.startswith(programs)]
    text = "\n".join(said).lower()
    assert not [word for word in words if word.lower() not in text], ended.err
    assert len(said) <= 5, "a mistake takes a line or two to tell"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"SERVER_URL": "http://127.0.0.1:9"}, ["server_url", "127.0.0.1:9"]),
        ({"CLIENT_SECRET": "wrong"}, ["client_secret"]),
        ({"FOLDER": "NOSUCH"}, ["folder", "NOSUCH"]),
        ({"AUTH": "basic", "PASSWORD": "wrong"}, ["password"]),
        ({"AUTH": "basic", "PASSWORD": "wrong", "API": "rest"}, ["password"]),
        ({"FOLDER": "NOSUCH", "AUTH": "basic", "API": "rest"}, ["folder", "NOSUCH"]),
        ({"X3_VERSION": "twelve"}, ["x3_version"]),
    ],
    ids=["unreachable", "secret", "folder", "password-graphql", "password-rest", "folder-rest", "version"],
)
def test_tap(running: Sandbox, tmp_path: Path, settings: dict[str, str], words: list[str]) -> None:
    wrong = {f"TAP_SAGEX3_{name}": value for name, value in settings.items()}
    environment = {**running.environment, **wrong, "TAP_SAGEX3_MAX_RETRIES": "1"}
    ended = tap(environment, tmp_path, streams=[])
    assert_clear(ended, *words)
    assert ended.records() == []


def test_tap_without_a_required_setting(running: Sandbox, tmp_path: Path) -> None:
    environment = {k: v for k, v in running.environment.items() if k != "TAP_SAGEX3_SERVER_URL"}
    assert_clear(tap(environment, tmp_path), "server_url")


def test_a_wrong_secret_is_never_printed(running: Sandbox, tmp_path: Path) -> None:
    secret = "planted-secret-81237"  # noqa: S105
    environment = {**running.environment, "TAP_SAGEX3_CLIENT_SECRET": secret}
    ended = tap(environment, tmp_path)
    assert ended.code != 0
    assert secret not in ended.err + ended.out


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"DATABASE": "NOSUCH"}, ["database", "NOSUCH"]),
        ({"WAREHOUSE": "NOSUCH"}, ["warehouse", "NOSUCH"]),
        ({"USER": "NOSUCH"}, ["user"]),
        ({"PORT": "9"}, ["host"]),
        ({"PRIVATE_KEY_PATH": "/nonexistent/key.p8"}, ["private_key_path"]),
        ({"PRIVATE_KEY": "not a key", "PRIVATE_KEY_PATH": ""}, ["private_key"]),
    ],
    ids=["database", "warehouse", "user", "unreachable", "missing key file", "bad key"],
)
def test_target(running: Sandbox, tmp_path: Path, settings: dict[str, str], words: list[str]) -> None:
    wrong = {f"TARGET_SNOWFLAKE_AUDIT_{name}": value for name, value in settings.items()}
    environment = {**running.environment, **wrong}
    environment = {name: value for name, value in environment.items() if value}
    ended = target({**environment, "TARGET_SNOWFLAKE_AUDIT_RETRY_MAX_ATTEMPTS": "1"}, LINES, tmp_path)
    assert_clear(ended, *words)
    assert ended.out == ""


def test_target_with_a_wrong_passphrase(running: Sandbox, tmp_path: Path) -> None:
    plain = running.environment["SANDBOX_SNOWFLAKE_PRIVATE_KEY_PATH"]
    encrypted = plain.replace("loader.p8", "loader_encrypted.p8")
    environment = {
        **running.environment,
        "TARGET_SNOWFLAKE_AUDIT_PRIVATE_KEY_PATH": encrypted,
        "TARGET_SNOWFLAKE_AUDIT_PRIVATE_KEY_PASSPHRASE": "wrong",
    }
    assert_clear(target(environment, LINES, tmp_path), "private_key_passphrase")


def test_target_without_a_required_setting(running: Sandbox, tmp_path: Path) -> None:
    environment = {k: v for k, v in running.environment.items() if k != "TARGET_SNOWFLAKE_AUDIT_ACCOUNT"}
    assert_clear(target(environment, LINES, tmp_path), "account")


def test_sandbox_reports_a_missing_command(tmp_path: Path) -> None:
    ended = run(["sandbox", "run", "--scale", "20", "--", str(tmp_path / "nothing")], {})
    assert ended.code == 127
    assert "cannot run" in ended.err


def test_sandbox_returns_the_commands_exit_code() -> None:
    ended = run(["sandbox", "run", "--scale", "20", "--", "python3", "-c", "raise SystemExit(7)"], {})
    assert ended.code == 7
