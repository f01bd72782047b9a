"""No key, passphrase, token or password in any output, error, audit row, query or query tag."""

from __future__ import annotations

import base64
import json
import logging
import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from processes import VENV_BIN
from service_worker import NONE
from singer_sdk.exceptions import ConfigValidationError
from target_snowflake_audit.audit.tables import TABLES
from target_snowflake_audit.cli.settings import read as read_settings
from target_snowflake_audit.errors import SettingError, TargetError
from target_snowflake_audit.session import connect
from target_snowflake_audit.settings import SECRETS
from target_snowflake_audit.target import TargetSnowflakeAudit
from target_world import lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from service_worker import Worker
    from target_world import Message, World

_PATHS = ("private_key_path", "workload_identity_token_path")
_JWT = re.compile(r"eyJ[\w-]{10,}\.")


def secrets_of(settings: Mapping[str, Any]) -> set[str]:
    """Every text that must not be seen: settings, files, and the lines of keys."""
    texts = {str(settings[name]) for name in SECRETS if settings.get(name)}
    texts |= {Path(settings[name]).read_text() for name in _PATHS if settings.get(name)}
    found = set()
    for text in texts:
        found |= {line.strip() for line in text.splitlines() if len(line.strip()) > 5}
    return {text for text in found if not text.startswith("-----")}


def everything(world: World) -> str:
    """What Snowflake holds of all runs: audit tables, statements, tags and messages."""
    parts = [json.dumps(world.control.query_log(), default=str)]
    for table in TABLES:
        rows = world.query(f'SELECT * FROM ANALYTICS.AUDIT."{table.name}"')
        parts.append(json.dumps(rows, default=str))
    return "\n".join(parts)


def messages(world: World) -> list[Message]:
    return [world.schema_message(), world.line("A", 1), world.record({"documentId": "B"})]


def check(text: str, settings: Iterable[Mapping[str, Any]]) -> None:
    """Look for every secret, as it is and as base64."""
    for secret in set().union(*(secrets_of(one) for one in settings)):
        assert secret not in text, f"{secret[:6]}... is in it"
        assert base64.b64encode(secret.encode()).decode() not in text
    assert not _JWT.search(text), _JWT.search(text)


def test_every_login_at_debug_level(
    worker: Worker,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A load with a refused statement, a lost session and a dead letter, by each kind of login."""
    monkeypatch.setattr("target_snowflake_audit.retrying.random.random", lambda: 0.01)
    world, used = worker.world, []
    world.control.clear_log()
    for logger in ("target_snowflake_audit", "target-snowflake-audit", "singer_sdk", "snowflake", "botocore"):
        caplog.set_level(logging.DEBUG, logger=logger)
    for way, settings in worker.ways().items():
        user = settings.get("user", "LOADER")
        if way == "key file":  # how a login is made again does not depend on why
            world.control.fault("error", pattern="^MERGE INTO", code=603, user=user, times=1)
        world.control.fault("error", pattern="^INSERT INTO .*BATCHES", code=390114, user=user, times=1)
        used.append(world.settings(**settings))
        world.run(messages(world), **settings)
        world.control.clear_faults()
    captured = capfd.readouterr()
    assert "merge: " in caplog.text
    check("\n".join([caplog.text, captured.out, captured.err, everything(world)]), used)


def test_every_login_that_is_refused(
    worker: Worker, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    world, told, used = worker.world, [], []
    for logger in ("target_snowflake_audit", "target-snowflake-audit", "singer_sdk", "snowflake", "botocore"):
        caplog.set_level(logging.DEBUG, logger=logger)
    for settings in worker.ways().values():
        world.control.fault("error", on="login", code=390144, times=9)  # a workload's login names no user
        used.append(world.settings(**settings))
        with pytest.raises(TargetError) as raised:
            world.run(messages(world), **settings)
        told.append(f"{raised.value!r} {raised.value} {raised.value.__cause__!r}")
        world.control.clear_faults()
    captured = capfd.readouterr()
    check("\n".join([caplog.text, captured.out, captured.err, *told]), used)


def test_secrets_in_the_wrong_setting_are_not_shown(world: World) -> None:
    key = Path(world.ready["private_key_path"]).read_text()
    body = "".join(key.splitlines()[1:-1])
    for change in (
        {"private_key_path": key},
        {"private_key_path": body},
        {**NONE, "token": key},
        {**NONE, "private_key": "a wrong secret"},
        {"query_tag": f"load {body}", "private_key_path": None, "private_key": body},
    ):
        with pytest.raises(TargetError) as raised:
            world.run(messages(world), **change)
        check(str(raised.value), [world.settings()])
        assert "a wrong secret" not in str(raised.value)


HUSH = "5551234567"


@pytest.mark.parametrize(
    "value", [int(HUSH), {HUSH: HUSH}, [HUSH], float(HUSH)], ids=["whole", "object", "array", "float"]
)
@pytest.mark.parametrize("name", sorted(SECRETS))
def test_secret_that_is_no_text_is_named_and_not_shown(
    world: World,
    name: str,
    value: object,
    caplog: pytest.LogCaptureFixture,
) -> None:
    config = world.settings(**{name: value, "port": "a"})
    with pytest.raises(ConfigValidationError) as raised:
        TargetSnowflakeAudit(config=config)
    told = raised.value.errors
    assert [text for text in told if f"`{name}`" in text and "expected a text" in text] == told[:1]
    assert "port" in told[1]
    with pytest.raises(SettingError, match=f"`{name}`: expected a text, got a") as refused:
        connect(config)
    assert HUSH not in f"{raised.value!r} {told} {refused.value} {caplog.text}"


def test_secret_in_a_variable_is_text_whatever_it_looks_like() -> None:
    given = {"TARGET_SNOWFLAKE_AUDIT_PASSWORD": '{"a": 1}', "TARGET_SNOWFLAKE_AUDIT_SCHEMA_MAPPING": "[]"}
    assert read_settings([], given) == {"password": '{"a": 1}', "schema_mapping": []}


@pytest.mark.parametrize("command", [["target-snowflake-audit"], ["snowflake-audit", "runs"]], ids=str)
def test_secret_that_is_no_text_is_not_shown_by_a_command(
    world: World, tmp_path: Path, command: list[str]
) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps({**world.settings(private_key_path=None), "password": int(HUSH)}))
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TARGET_SNOWFLAKE")}
    ended = subprocess.run(
        [str(VENV_BIN / command[0]), *command[1:], "--config", str(file)],
        input=lines(messages(world)),
        capture_output=True,
        text=True,
        env=clean,
        timeout=60,
        check=False,
    )
    assert ended.returncode in {1, 2}
    assert "`password`: expected a text, got a number" in ended.stdout + ended.stderr
    assert HUSH not in ended.stdout + ended.stderr


@pytest.mark.full
def test_the_command_itself_at_debug_level(worker: Worker) -> None:
    world, used, told = worker.world, [], []
    for settings in worker.ways().values():
        used.append(world.settings(**settings))
        for more in ({}, {"warehouse": "NOWHERE"}):
            ended = world.command(lines(messages(world)), loglevel="DEBUG", **settings, **more)
            assert (ended.code != 0) == bool(more), ended.log
            told += [ended.log, json.dumps(ended.states)]
    check("\n".join([*told, everything(world)]), used)
