"""Encrypted secrets: the key, `tap-sagex3-secrets`, and `enc:` values in settings."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t

import pytest
from cryptography.fernet import Fernet
from processes import VENV_BIN, run_command
from tap_runs import catalog_of, run_tap
from tap_sagex3.auth.secrets_key import Cipher, encrypt_secret, load_cipher
from tap_sagex3.errors import SecretsKeyError, SettingsError
from tap_sagex3.redaction import MASK, clean, hide
from tap_sagex3.settings import read_settings

if t.TYPE_CHECKING:
    from pathlib import Path

    from tap_runs import Config

TOOL = "tap-sagex3-secrets"
VARIABLE = "SAGEX3_SECRETS_KEY"
KEYRING = '''
"""A keyring in a file, for tests."""
import json, os, pathlib
from keyring.backend import KeyringBackend
FILE = pathlib.Path(os.environ["TEST_KEYRING_FILE"])
class Keyring(KeyringBackend):
    priority = 1
    def get_password(self, service, username):
        return json.loads(FILE.read_text()).get(f"{service}/{username}") if FILE.exists() else None
    def set_password(self, service, username, password):
        FILE.write_text(json.dumps({f"{service}/{username}": password}))
'''


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> str:
    made = Fernet.generate_key().decode()
    monkeypatch.setenv(VARIABLE, made)
    return made


@pytest.fixture
def keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Environment of processes that have a keyring, and no key in a variable."""
    monkeypatch.delenv(VARIABLE, raising=False)
    (tmp_path / "test_keyring.py").write_text(KEYRING, encoding="utf-8")
    return {
        "PYTHONPATH": str(tmp_path),
        "PYTHON_KEYRING_BACKEND": "test_keyring.Keyring",
        "TEST_KEYRING_FILE": str(tmp_path / "keyring.json"),
    }


def minimal(**changes: object) -> Config:
    base = {"server_url": "http://127.0.0.1:1", "folder": "SEED", "username": "user", "password": "pass"}
    return {**base, **changes}


def told(result: subprocess.CompletedProcess[bytes]) -> str:
    return (result.stdout + result.stderr).decode()


def test_a_secret_goes_through_the_tool_into_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    made = run_command([TOOL, "generate-key"]).stdout.decode().strip()
    secret = "plänted secret, with spaces "  # noqa: S105
    result = run_command([TOOL, "encrypt"], env={VARIABLE: made}, stdin=f"{secret}\n".encode())
    assert result.returncode == 0
    value = result.stdout.decode().strip()
    assert value.startswith("enc:")
    assert "planted" not in value
    monkeypatch.setenv(VARIABLE, made)
    assert read_settings(minimal(password=value)).password == secret


def test_the_prompt_shows_nothing() -> None:
    """At a terminal the secret is asked for, and what is typed is not shown."""
    code = (
        "import os, pty, sys\n"
        "pid, terminal = pty.fork()\n"
        "if pid == 0: os.execv(sys.argv[1], sys.argv[1:])\n"
        "shown = b''\n"
        "while b'Secret' not in shown: shown += os.read(terminal, 100)\n"
        "os.write(terminal, b'planted-secret\\n')\n"
        "try:\n"
        "    while part := os.read(terminal, 1000): shown += part\n"
        "except OSError: pass\n"
        "print(shown.decode())"
    )
    command = [sys.executable, "-c", code, str(VENV_BIN / TOOL), "encrypt"]
    environment = {**os.environ, VARIABLE: Fernet.generate_key().decode()}
    shown = subprocess.run(command, capture_output=True, env=environment, timeout=60, check=True).stdout
    assert b"enc:" in shown
    assert b"planted" not in shown


@pytest.mark.parametrize(
    ("arguments", "key", "stdin", "text"),
    [
        (["encrypt"], "", b"x", "There is no key for encrypted secrets: set SAGEX3_SECRETS_KEY"),
        (["encrypt"], "planted-no-key", b"x", "SAGEX3_SECRETS_KEY is not a key"),
        (["encrypt"], Fernet.generate_key().decode(), b"\n", "Nothing to encrypt"),
    ],
    ids=["no-key", "bad-key", "nothing"],
)
def test_the_tool_says_what_is_wrong(arguments: list[str], key: str, stdin: bytes, text: str) -> None:
    env = {VARIABLE: key, "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
    result = run_command([TOOL, *arguments], env=env, stdin=stdin)
    assert result.returncode == 1
    assert result.stderr.decode().startswith("tap-sagex3-secrets: ")
    assert text in result.stderr.decode()
    assert "Traceback" not in told(result)
    assert "planted" not in told(result)


def test_the_key_may_be_in_the_keyring(keyring: dict[str, str], config: Config, tmp_path: Path) -> None:
    assert run_command([TOOL, "generate-key", "--keyring"], env=keyring).returncode == 0
    again = run_command([TOOL, "generate-key", "--keyring"], env=keyring)
    assert again.returncode == 1
    assert "has a key already" in told(again)
    secret = config["password"].encode()
    value = run_command([TOOL, "encrypt"], env=keyring, stdin=secret).stdout.decode().strip()
    file = tmp_path / "config.json"
    file.write_text(json.dumps({**config, "password": value}), encoding="utf-8")
    command = ["tap-sagex3", "--config", str(file), "--test=schema"]
    assert run_command(command, env=keyring).returncode == 0
    without = run_command(command[:-1], env={"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"})
    assert without.returncode == 1
    assert "Setting password is encrypted. There is no key" in told(without)


def test_without_the_package_the_keyring_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setitem(sys.modules, "keyring", None)  # as if it were not installed
    with pytest.raises(SecretsKeyError, match=r"or install tap-sagex3\[keyring\]"):
        load_cipher()


def test_the_keyring_is_left_alone_when_the_environment_has_a_key(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "keyring", t.cast("t.Any", object()))  # would fail when used
    assert load_cipher().decrypt(Cipher(key).encrypt(b"x")) == b"x"


@pytest.mark.usefixtures("key")
def test_a_run_with_encrypted_settings(config: Config) -> None:
    names = ("password", "client_secret", "username", "client_id", "allowed_user")
    encrypted = {**config, **{name: encrypt_secret(config[name]) for name in names}}
    catalog = catalog_of(config, "suppliers")
    assert run_tap(encrypted, catalog=catalog).counts() == run_tap(config, catalog=catalog).counts()


@pytest.mark.usefixtures("key")
@pytest.mark.parametrize(
    "name", ["password", "client_secret", "refresh_token", "rest_password", "rest_username"]
)
def test_a_value_that_cannot_be_decrypted_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    value = encrypt_secret("planted-secret")
    broken = value[:-6] + "AAAA=="
    for wrong in ("enc:", "enc:nonsense", "enc:ä", broken):
        with pytest.raises(SecretsKeyError, match=f"^Setting {name} cannot be decrypted") as error:
            read_settings(minimal(**{name: wrong}))
        assert wrong == "enc:" or wrong not in str(error.value)
    monkeypatch.setenv(VARIABLE, Fernet.generate_key().decode())
    with pytest.raises(SecretsKeyError, match=f"^Setting {name} cannot be decrypted.*another key"):
        read_settings(minimal(**{name: value}))


def test_a_key_is_replaced_step_by_step(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    value = encrypt_secret("planted-secret")
    monkeypatch.setenv(VARIABLE, f"{Fernet.generate_key().decode()},{key}")
    assert read_settings(minimal(password=value)).password == "planted-secret"  # noqa: S105
    again = encrypt_secret("planted-secret")
    monkeypatch.setenv(VARIABLE, key)
    with pytest.raises(SecretsKeyError):
        read_settings(minimal(password=again))


@pytest.mark.parametrize("mode", ["--discover", "--check", "--test", ""])
def test_without_a_key_only_about_works(
    key: str, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    """A catalog without the columns of this site would be taken for the whole one."""
    file = tmp_path / "config.json"
    file.write_text(json.dumps({**config, "password": encrypt_secret(config["password"])}), encoding="utf-8")
    monkeypatch.delenv(VARIABLE)
    env = {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
    command = ["tap-sagex3", "--config", str(file)]
    assert run_command([*command, "--about"], env=env).returncode == 0
    run = run_command([*command, *filter(None, [mode])], env=env)
    assert run.returncode == 1
    assert run.stdout == b""
    assert b"Setting password is encrypted. There is no key" in run.stderr
    assert b"Traceback" not in run.stderr
    assert key.encode() not in run.stderr


@pytest.mark.parametrize("mode", ["--discover", ""])
def test_without_the_key_of_the_token_store_nothing_works(tmp_path: Path, mode: str) -> None:
    file = tmp_path / "config.json"
    cloud = minimal(auth="cloud", client_id="a", client_secret="b", token_store=str(tmp_path / "tokens"))  # noqa: S106
    file.write_text(json.dumps(cloud), encoding="utf-8")
    env = {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring", VARIABLE: ""}
    run = run_command(["tap-sagex3", "--config", str(file), *filter(None, [mode])], env=env)
    assert run.returncode == 1
    assert run.stdout == b""
    assert b"Setting token_store: tokens are kept encrypted. There is no key" in run.stderr.splitlines()[-1]


def test_a_space_before_an_encrypted_secret_does_not_make_it_a_password(key: str) -> None:
    assert key
    value = f" {encrypt_secret('planted-secret')}\n"
    assert read_settings(minimal(password=value)).password == "planted-secret"  # noqa: S105


def test_settings_show_no_secret_of_their_own() -> None:
    names = ("password", "client_secret", "refresh_token", "rest_password")
    settings = read_settings(minimal(**{name: f"planted-{name}" for name in names}))
    assert "planted" not in repr(settings)


def test_what_a_server_echoes_is_masked() -> None:
    hide("planted-secret-1", "planted-secret-12", "short", None)
    error = SettingsError("a planted-secret-12, a planted-secret-1 and a short word")
    assert str(error) == f"a {MASK}, a {MASK} and a short word"
    assert clean("nothing") == "nothing"
