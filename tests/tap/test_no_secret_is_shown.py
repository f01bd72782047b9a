"""No secret is in any log at DEBUG, error, state, catalog or --about, whatever happens."""

from __future__ import annotations

import json
import typing as t
from base64 import b64encode
from pathlib import Path

import pytest
from cloud import cloud_config
from cryptography.fernet import Fernet
from processes import run_command
from tap_runs import config_for, read_messages
from tap_sagex3.auth.secrets_key import Cipher, encrypt_secret
from tap_sagex3.auth.token_store import TokenStore

if t.TYPE_CHECKING:
    from subprocess import CompletedProcess

    from processes import Server
    from tap_runs import Config
    from x3_control import X3Control

KEY = Fernet.generate_key().decode()
MODES = ("rest", "graphql", "cloud")
SECRETS = ("password", "client_secret", "refresh_token", "rest_password")
ECHO = "echoed: "


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAGEX3_SECRETS_KEY", KEY)


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    return t.cast("str", request.param)


@pytest.fixture
def config(running_x3: Server, x3: X3Control, tmp_path: Path, mode: str) -> Config:
    found = cloud_config(running_x3, x3, tmp_path) if mode == "cloud" else config_for(running_x3, mode)
    return {**found, "rest_username": "nobody", "rest_password": "planted-rest-password", "max_retries": 1}


def kind_of(mode: str) -> str:
    return {"rest": "rest_query", "graphql": "graphql", "cloud": "gateway"}[mode]


def run(config: Config, folder: Path, *arguments: str) -> CompletedProcess[bytes]:
    path = folder / "config.json"
    path.write_text(json.dumps(config), encoding="utf-8")
    return run_command(
        ["tap-sagex3", "--config", str(path), *arguments], env={"TAP_SAGEX3_LOGLEVEL": "DEBUG"}
    )


def assert_clean(result: CompletedProcess[bytes], config: Config) -> None:
    """Nothing that was planted, no token of any kind, no header."""
    shown = result.stdout + result.stderr
    secrets = [config[name] for name in SECRETS if config.get(name)] + [KEY]
    if config.get("token_store"):
        stored = TokenStore(Path(config["token_store"]), Cipher(KEY)).read()
        if stored is not None:
            secrets += [text for text in (stored.access_token, stored.refresh_token) if text]
    if config.get("username"):
        secrets.append(b64encode(f"{config['username']}:{config['password']}".encode()).decode())
    assert [secret for secret in secrets if secret.encode() in shown] == []
    assert b"eyJ" not in shown  # how each token begins
    assert b"Bearer" not in shown


@pytest.mark.sampled(1)
def test_when_all_goes_well(config: Config, tmp_path: Path) -> None:
    catalog = tmp_path / "catalog.json"
    for arguments in (("--about", "--format=json"), ("--discover",), ("--test",)):
        result = run(config, tmp_path, *arguments)
        assert result.returncode == 0, result.stderr.decode()
        assert_clean(result, config)
        if arguments == ("--discover",):
            catalog.write_bytes(result.stdout)
    result = run(config, tmp_path, "--catalog", str(catalog))
    assert result.returncode == 0, result.stderr.decode()
    assert read_messages(result.stdout).of("STATE")
    assert b"DEBUG" in result.stderr
    assert_clean(result, config)


@pytest.mark.sampled(1, lambda arguments: arguments["fault"]["fault"])
@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "unauthorized", "times": 99},
        {"fault": "status", "status": 500, "times": 99},
        {"fault": "status", "status": 404, "times": 99},
        {"fault": "reset", "times": 99},
        {"fault": "malformed", "times": 99},
        {"fault": "html", "times": 99},
        {"fault": "diagnoses", "times": 99},
    ],
    ids=lambda fault: "-".join(map(str, fault.values())),
)
def test_when_the_server_fails(
    config: Config, mode: str, x3: X3Control, tmp_path: Path, fault: dict[str, t.Any]
) -> None:
    echoed = " ".join(config[name] for name in SECRETS if config.get(name))
    body = {"html": "", "malformed": "", "reset": ""}.get(fault["fault"], ECHO + echoed)
    if fault["fault"] == "status":
        body = json.dumps(
            {"$diagnoses": [{"$severity": "error", "$message": body}], "errors": [{"message": body}]}
        )
    x3.faults({**fault, "on": kind_of(mode), "nth": 2, "body": body})
    result = run(config, tmp_path)
    assert result.returncode == 1, result.stderr.decode()
    assert_clean(result, config)
    if fault["fault"] == "status":
        assert b"********" in result.stderr  # the echo was told, without what it echoed


@pytest.mark.parametrize("mode", ["cloud"], indirect=True)
@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "status", "status": 403},
        {"fault": "status", "status": 500, "times": 99},
        {"fault": "cut"},
        {"fault": "html"},
        {"fault": "reset", "times": 99},
    ],
    ids=lambda fault: "-".join(map(str, fault.values())),
)
def test_when_the_token_endpoint_fails(
    config: Config, x3: X3Control, tmp_path: Path, fault: dict[str, t.Any]
) -> None:
    body = json.dumps({"message": ECHO + config["client_secret"] + " " + config["refresh_token"]})
    x3.faults({**fault, "on": "token", "body": body if fault["fault"] == "status" else ""})
    result = run(config, tmp_path)
    assert result.returncode == 1, result.stderr.decode()
    assert_clean(result, config)
    assert (ECHO.encode() in result.stderr) == (fault["fault"] == "status")


@pytest.mark.sampled(1)
def test_when_settings_are_wrong(config: Config, tmp_path: Path) -> None:
    wrong: list[Config] = [
        {**config, "folder": None},
        {**config, "server_url": "planted-not-a-url"},
        {**config, "start_date": "planted-not-a-date"},
        {**config, "auth": "unknown"},
        {**config, "password": encrypt_secret(config.get("password", "x"))[:-8]},
        {**config, "token_store": "/nowhere/tokens", "server_url": "http://127.0.0.1:9", "max_retries": 0},
    ]
    for changed in wrong:
        result = run(changed, tmp_path)
        assert result.returncode == 1, changed
        assert_clean(result, {**config, "password": config.get("password", ""), "token_store": None})
