from __future__ import annotations

import json
import typing as t

import click
import pytest
from processes import run_command
from streams import STREAMS
from tap_runs import read_messages
from tap_sagex3.__main__ import HELP
from tap_sagex3.control import CONTROL_STREAMS
from tap_sagex3.settings import PROPERTIES
from tap_sagex3.tap import TapSageX3

if t.TYPE_CHECKING:
    from pathlib import Path
    from subprocess import CompletedProcess

    from tap_runs import Config

TAP = "tap-sagex3"


def run(config: Config, folder: Path, *arguments: str) -> CompletedProcess[bytes]:
    path = folder / "config.json"
    path.write_text(json.dumps(config), encoding="utf-8")
    return run_command([TAP, "--config", str(path), *arguments])


def error_lines(result: CompletedProcess[bytes]) -> list[str]:
    lines = result.stderr.decode().splitlines()
    return [line for line in lines if "| ERROR" in line or "| CRITICAL" in line]


def assert_refused(result: CompletedProcess[bytes], *words: str) -> None:
    """Not zero, no traceback, one clear line that holds the words."""
    assert result.returncode == 1, result.stderr.decode()
    assert b"Traceback" not in result.stderr
    assert not [line for line in result.stdout.splitlines() if b'"RECORD"' in line]
    text = "\n".join(error_lines(result))
    assert len(error_lines(result)) <= 2, text
    for word in words:
        assert word in text


def test_help_is_what_the_sdk_prints() -> None:
    command = TapSageX3.get_singer_command()
    with click.Context(command, info_name=TAP, terminal_width=80) as context:
        expected = command.get_help(context)
    assert expected.strip() == HELP.strip()
    assert run_command([TAP, "--help"]).stdout.decode() == HELP


def test_version_is_what_the_sdk_prints(capsys: pytest.CaptureFixture[str]) -> None:
    TapSageX3.print_version()
    assert run_command([TAP, "--version"]).stdout.decode() == capsys.readouterr().out


def test_quick_answers_do_not_import_the_sdk() -> None:
    code = (
        "import sys; sys.argv = ['tap-sagex3', '--version']\n"
        "from tap_sagex3.__main__ import main; main()\n"
        "assert not {'singer_sdk', 'requests', 'msgspec'} & set(sys.modules)"
    )
    assert run_command(["python", "-c", code]).returncode == 0


def test_about_shows_each_setting_and_no_value() -> None:
    result = run_command([TAP, "--about", "--format=json"], env={"TAP_SAGEX3_PASSWORD": "planted-secret"})
    about = json.loads(result.stdout)
    settings = about["settings"]["properties"]
    assert set(PROPERTIES) <= set(settings)
    assert set(settings) - set(PROPERTIES) <= {
        "stream_maps", "stream_map_config", "faker_config", "flattening_enabled", "flattening_max_depth",
        "flattening_max_key_length", "flattening_separator",
    }  # fmt: skip
    assert all(settings[name]["title"] and settings[name]["description"] for name in PROPERTIES)
    secret = {name for name, schema in settings.items() if schema.get("secret")}
    assert secret == {"password", "client_secret", "refresh_token", "rest_password"}
    assert b"planted-secret" not in result.stdout + result.stderr


@pytest.mark.parametrize("given", [False, True], ids=["no --config", "an empty file"])
def test_without_settings_all_that_are_missing_are_told_once(tmp_path: Path, *, given: bool) -> None:
    result = run({}, tmp_path) if given else run_command([TAP])
    assert_refused(
        result,
        "Settings server_url, folder, username, password are missing: give them in a JSON file with --config",
    )
    assert result.stderr.count(b"missing") == 1


def test_discovery_without_configuration_shows_built_in_streams_and_says_what_is_missing() -> None:
    result = run_command([TAP, "--discover"])
    catalog = json.loads(result.stdout)
    keys = {entry["stream"]: tuple(entry["key_properties"]) for entry in catalog["streams"]}
    assert keys.keys() == {*STREAMS, *CONTROL_STREAMS}
    assert {stream: keys[stream] for stream in STREAMS} == {name: s.key for name, s in STREAMS.items()}
    assert b"without the columns of dimension types" in result.stderr


def test_a_run_with_settings_from_the_environment(config: Config) -> None:
    env = {f"TAP_SAGEX3_{name.upper()}": str(value) for name, value in config.items()}
    result = run_command([TAP, "--config", "ENV"], env=env)
    assert result.returncode == 0, result.stderr.decode()
    assert len(read_messages(result.stdout).of("RECORD")) > 500
    text = (result.stdout + result.stderr).decode()
    assert config["password"] not in text
    assert config["client_secret"] not in text
    assert "Completed all selected streams" in result.stderr.decode().splitlines()[-1]


def test_the_connection_test_reads_a_little_of_each_stream(config: Config, tmp_path: Path) -> None:
    result = run(config, tmp_path, "--test")
    assert result.returncode == 0, result.stderr.decode()
    assert dict(read_messages(result.stdout).counts()) == dict.fromkeys([*STREAMS, *CONTROL_STREAMS], 1)
    schemas = read_messages(run(config, tmp_path, "--test=schema").stdout)
    assert {m["stream"] for m in schemas.of("SCHEMA")} == {*STREAMS, *CONTROL_STREAMS}
    assert len(schemas.messages) == len(STREAMS) + len(CONTROL_STREAMS)


def test_discovered_catalog_and_state_can_be_given_back(config: Config, tmp_path: Path) -> None:
    catalog, state = tmp_path / "catalog.json", tmp_path / "state.json"
    catalog.write_bytes(run(config, tmp_path, "--discover").stdout)
    first = run(config, tmp_path, "--catalog", str(catalog))
    assert len(read_messages(first.stdout).of("RECORD")) > 500
    state.write_text(json.dumps(read_messages(first.stdout).state, default=float), encoding="utf-8")
    second = run(config, tmp_path, "--catalog", str(catalog), "--state", str(state))
    assert second.returncode == 0
    assert read_messages(second.stdout).of("RECORD") == []
    lines = read_messages(first.stdout).of("SCHEMA", "gl_entry_lines")[0]
    assert lines["schema"]["x-replace-scope"] == ["entryType", "id"]


BAD_LOGINS = [
    ("client_secret", "planted-wrong-secret-of-enough-length", ("error 50", "client_secret")),
    ("client_id", "nobody", ("error 41", "client_id")),
    ("allowed_user", "NOBODY", ("error 42", "allowed_user")),
    ("audience", "http://elsewhere/xtrem/api", ("error 45", "audience")),
]
BAD_SETTINGS: list[tuple[str, object, tuple[str, ...]]] = [
    ("server_url", "http://127.0.0.1:9", ("http://127.0.0.1:9", "Connection refused")),
    ("folder", "NOWHERE", ("NOWHERE", "setting folder")),
    ("x3_version", "V5", ("x3_version", "V5")),
    ("api", "soap", ("api", "soap")),
]


@pytest.mark.parametrize(("setting", "value", "words"), BAD_SETTINGS, ids=lambda value: str(value)[:24])
def test_a_bad_setting(
    rest_config: Config,
    tmp_path: Path,
    setting: str,
    value: object,
    words: tuple[str, ...],
) -> None:
    assert_refused(run({**rest_config, "max_retries": 0, setting: value}, tmp_path), *words)


def test_a_wrong_password_is_found_at_discovery(rest_config: Config, tmp_path: Path) -> None:
    result = run({**rest_config, "password": "planted-wrong"}, tmp_path, "--discover")
    assert_refused(result, "refused the login", "username and password")
    assert b"planted-wrong" not in result.stdout + result.stderr


@pytest.mark.parametrize(("setting", "value", "words"), BAD_LOGINS, ids=lambda value: str(value)[:24])
def test_a_wrong_connected_application(
    graphql_config: Config, tmp_path: Path, setting: str, value: str, words: tuple[str, ...]
) -> None:
    result = run({**graphql_config, setting: value}, tmp_path)
    assert_refused(result, *words)
    assert b"planted-wrong" not in result.stdout + result.stderr


def test_an_unknown_folder_is_found_at_discovery(graphql_config: Config, tmp_path: Path) -> None:
    assert_refused(
        run({**graphql_config, "folder": "NOWHERE"}, tmp_path, "--discover"), "NOWHERE", "setting folder"
    )


@pytest.mark.parametrize("name", ["server_url", "folder"])
def test_a_missing_setting(rest_config: Config, tmp_path: Path, name: str) -> None:
    bad = {key: value for key, value in rest_config.items() if key != name}
    assert_refused(run(bad, tmp_path), name)


def test_a_secret_that_is_not_text_is_not_shown(rest_config: Config, tmp_path: Path) -> None:
    result = run({**rest_config, "password": 918273645}, tmp_path)
    assert_refused(result, "Setting password must be text")
    assert b"918273645" not in result.stdout + result.stderr


def test_files_that_are_not_json(rest_config: Config, tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text('{"server_url": ', encoding="utf-8")
    assert_refused(run_command([TAP, "--config", str(broken)]), "not JSON")
    assert_refused(run(rest_config, tmp_path, "--state", str(broken)), "not JSON")
    assert_refused(run(rest_config, tmp_path, "--catalog", str(broken)), "not JSON")


def test_a_bad_stream_map_is_refused_in_one_line(rest_config: Config, tmp_path: Path) -> None:
    assert_refused(run({**rest_config, "stream_maps": {"suppliers": {"x": "record["}}}, tmp_path), "record[")


def test_debug_shows_the_traceback(rest_config: Config, tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**rest_config, "x3_version": "V5"}), encoding="utf-8")
    result = run_command([TAP, "--config", str(path)], env={"TAP_SAGEX3_LOGLEVEL": "DEBUG"})
    assert result.returncode == 1
    assert b"Traceback" in result.stderr
    assert rest_config["password"].encode() not in result.stderr
    assert rest_config["client_secret"].encode() not in result.stderr
