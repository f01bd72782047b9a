"""Input that is wrong before anything is asked: settings, environment, state, catalog. Each in one line."""

from __future__ import annotations

import json
import typing as t

import pytest
from processes import run_command
from tap_runs import catalog_of, run_tap
from tap_sagex3.errors import SettingsError, TapError
from tap_sagex3.settings import PROPERTIES
from tap_sagex3.settings.check import problems_in_environment

if t.TYPE_CHECKING:
    from pathlib import Path

    from tap_runs import Config
    from x3_control import X3Control

MINIMAL = {"server_url": "http://127.0.0.1:9", "folder": "SEED", "username": "u", "password": "planted-word"}
FIELD = {"name": "score", "type": "text", "x3": "YSCORE", "graphql": "score"}
WRONG: list[tuple[dict[str, t.Any], str]] = [
    ({"lookback_second": 60}, "Setting lookback_second is unknown: is lookback_seconds meant?"),
    ({"optional_stream": ["stock"]}, "is optional_streams meant?"),
    ({"pasword": "planted-word"}, "Setting pasword is unknown: is password meant?"),
    ({"usrname": "v"}, "Setting usrname is unknown: is username meant?"),
    ({"Folder": "V"}, "Setting Folder is unknown: is folder meant?"),
    ({"optional_strems": ["stock"], "optional_streams": []}, "is optional_streams meant?"),
    ({"lookback_seconds": "60"}, 'Setting lookback_seconds is "60": expected integer.'),
    ({"page_size": 0}, "Setting page_size is 0: expected at least 1."),
    ({"auth": "oauth"}, 'Setting auth is "oauth": expected one of basic, connected_app, cloud.'),
    ({"optional_streams": ["stock", 1]}, "Setting optional_streams.1 is 1: expected string."),
    ({"custom_streams": {"a": 1}}, 'Setting custom_streams is {"a":1}: expected array.'),
    ({"password": 1234567}, "Setting password must be text, but is of type int."),
    ({"detail_workers": 1000}, "Setting detail_workers is 1000: expected at most 64."),
    ({"server_url": "http://[::1"}, "Setting server_url is not usable"),
    ({"server_url": "http://x..y:80"}, "Setting server_url is not usable"),
    ({"user_agent": "\u20ac"}, "Setting user_agent is '\u20ac': expected ASCII"),
    *(
        ({"stream_options": {"supplier_invoices": wrong}}, message)
        for wrong, message in (
            ({"where": 5}, "stream supplier_invoices: where is 5, expected string."),
            ({"key": "NUM"}, 'key is "NUM", expected array.'),
            ({"line_classes": ["PINVOICED"]}, 'line_classes is ["PINVOICED"], expected object.'),
            ({"financial": {"filter": "sales"}}, 'filter is "sales", expected object.'),
            ({"financial": "BPSINV"}, "expected an object, found 'BPSINV'"),
        )
    ),
    *(
        ({"stream_options": {"suppliers": {"fields": [{**FIELD, **wrong}]}}}, "stream suppliers: field")
        for wrong in ({"level": "x"}, {"type": ["text"]}, {"menu": {"a": 1}, "type": "enum"}, {"name": 5})
    ),
]


MODES = ("--discover", "--check", "--test")


@pytest.mark.parametrize(
    ("given", "message", "mode"),
    [*((*wrong, "") for wrong in WRONG), *((*WRONG[number], mode) for number in (0, 3) for mode in MODES)],
)
def test_a_wrong_setting_is_named(tmp_path: Path, given: dict[str, object], message: str, mode: str) -> None:
    file = tmp_path / "config.json"
    settings = {
        name: value for name, value in MINIMAL.items() if name != "password" or "pasword" not in given
    }
    file.write_text(json.dumps({**settings, **given}), encoding="utf-8")
    run = run_command(["tap-sagex3", "--config", str(file), *filter(None, [mode])])
    shown = run.stderr.decode()
    assert run.returncode == 1
    assert run.stdout == b""
    assert message in shown
    assert "Traceback" not in shown
    assert "planted-word" not in shown
    assert "1234567" not in shown


def test_a_setting_that_is_only_unknown_is_told(config: Config, caplog: pytest.LogCaptureFixture) -> None:
    run_tap({**config, "colour": "red", "_note": "of Meltano"}, catalog=catalog_of(config, "suppliers"))
    told = [record.getMessage() for record in caplog.records if "is unknown" in record.getMessage()]
    assert set(told) == {"Setting colour is unknown; it is ignored."}


@pytest.mark.parametrize(
    ("variable", "text", "message"),
    [
        ("LOOKBACK_SECONDS", "abc", 'TAP_SAGEX3_LOOKBACK_SECONDS is "abc": expected a whole number.'),
        ("VERIFY_TLS", "nope", 'TAP_SAGEX3_VERIFY_TLS is "nope": expected true or false.'),
        ("STREAM_OPTIONS", "{bad", 'TAP_SAGEX3_STREAM_OPTIONS is "{bad": expected a JSON object'),
        ("CUSTOM_STREAMS", "[1", 'TAP_SAGEX3_CUSTOM_STREAMS is "[1": expected a JSON array'),
        ("BATCH_CONFIG", "{}", "batch_config: this tap sends records, no BATCH files"),
        (
            "LOOKBACK_SECOND",
            "5",
            "TAP_SAGEX3_LOOKBACK_SECOND is unknown: is TAP_SAGEX3_LOOKBACK_SECONDS meant?",
        ),
        ("USRNAME", "v", "TAP_SAGEX3_USRNAME is unknown: is TAP_SAGEX3_USERNAME meant?"),
    ],
)
def test_a_wrong_variable_is_named(variable: str, text: str, message: str) -> None:
    given = {f"TAP_SAGEX3_{name.upper()}": value for name, value in MINIMAL.items()}
    run = run_command(["tap-sagex3", "--config", "ENV"], env={**given, f"TAP_SAGEX3_{variable}": text})
    shown = run.stderr.decode()
    assert run.returncode == 1
    assert message in shown
    assert "Traceback" not in shown


def test_variables_that_are_right_are_not_complained_about() -> None:
    given = {
        "TAP_SAGEX3_LOOKBACK_SECONDS": " 60",
        "TAP_SAGEX3_VERIFY_TLS": "True",
        "TAP_SAGEX3_STREAM_OPTIONS": "{}",
        "TAP_SAGEX3_OPTIONAL_STREAMS": "stock",
        "TAP_SAGEX3_LOGLEVEL": "DEBUG",
        "TAP_SAGEX3__SELECT": "[]",
        "TAP_SAGEX3_PASSWORD": "x",
        "OTHER": "y",
    }
    assert problems_in_environment(given, PROPERTIES) == []


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    run = run_command(["tap-sagex3", "--config", str(tmp_path / "nowhere.json"), "--discover"])
    assert run.returncode == 1
    assert b"nowhere.json" in run.stderr
    assert b"Traceback" not in run.stderr


def bookmark(**members: object) -> dict[str, t.Any]:
    start = {"replication_key": "updatedDate", "replication_key_value": "2024-01-01T00:00:00Z"}
    return {"bookmarks": {"suppliers": {**start, **members}}}


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (
            {"type": "STATE", "value": {"bookmarks": {}}},
            r"no bookmarks, but type, value.*`value` is",
        ),
        ({"destination_path": "x"}, r"no bookmarks, but destination_path"),
        ({"bookmarks": None}, r"bookmarks None: expected an object"),
        ({"bookmarks": {"suppliers": None}}, r"stream suppliers is None: expected an object"),
        (bookmark(replication_key_value=5), r"suppliers: replication_key_value 5 .* expected a time"),
        (bookmark(replication_key_value="x"), r"suppliers: replication_key_value 'x' .* expected a time"),
        (bookmark(overlap=["a"]), r"suppliers: overlap \['a'\] .* expected an object"),
        (bookmark(version="x"), r"suppliers: version 'x' .* expected a whole number"),
        (bookmark(lines_from="x"), r"suppliers: lines_from 'x' .* expected a time"),
    ],
)
def test_a_state_that_is_none(config: Config, state: dict[str, t.Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        run_tap(config, state=state)


AFTER = [[], [1.5], [["S00001"]], "S00001", {"a": 1}]


@pytest.mark.parametrize("after", AFTER)
def test_a_first_load_that_is_none(config: Config, after: object) -> None:
    place = {"start": None, "after": after, "done": False}
    begun = {"started": "2024-01-01T00:00:00Z", "source": 0, "ranges": [place], "latest": None}
    with pytest.raises(TapError, match=r"stream suppliers: first_load .* is not what this tap writes"):
        run_tap(
            config,
            catalog=catalog_of(config, "suppliers"),
            state={"bookmarks": {"suppliers": {"first_load": begun}}},
        )


@pytest.mark.parametrize("address", ["http://u:planted[word@proxy.local:3128", "http://u:p@proxy.local:port"])
def test_a_proxy_that_is_no_address(tmp_path: Path, address: str) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps(MINIMAL), encoding="utf-8")
    env = {"HTTP_PROXY": address, "http_proxy": address, "NO_PROXY": "", "no_proxy": ""}
    run = run_command(["tap-sagex3", "--config", str(file), "--check"], env=env)
    assert run.returncode == 1
    assert b"HTTP_PROXY" in run.stderr
    assert b"Traceback" not in run.stderr
    assert b"planted" not in run.stderr


def test_a_catalog_that_selects_a_stream_which_there_is_not(config: Config) -> None:
    catalog = catalog_of(config, "suppliers")
    entry = json.loads(json.dumps(next(e for e in catalog["streams"] if e["stream"] == "suppliers")))
    entry["stream"] = entry["tap_stream_id"] = "quality_reports"
    catalog["streams"].append(entry)
    with pytest.raises(SettingsError, match=r"unknown streams \['quality_reports'\].*custom_streams"):
        run_tap(config, catalog=catalog)
    for metadata in entry["metadata"]:
        if metadata["breadcrumb"] == []:
            metadata["metadata"]["selected"] = False
    assert run_tap(config, catalog=catalog).records("suppliers")


@pytest.mark.parametrize("path", ["/api1/x3/erp/SEED", "/xtrem/api", "/api1/", "/xtrem/api/"])
def test_an_address_of_an_api_is_taken_as_that_of_its_server(config: Config, path: str) -> None:
    run = run_tap(
        {**config, "server_url": config["server_url"] + path}, catalog=catalog_of(config, "suppliers")
    )
    assert run.records("suppliers")


def test_a_server_without_graphql_leads_to_the_version(
    graphql_config: Config, x3: X3Control, tmp_path: Path
) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps(graphql_config), encoding="utf-8")
    x3.faults({"fault": "status", "status": 404, "body": "Not Found", "on": "graphql", "times": 99})
    run = run_command(["tap-sagex3", "--config", str(file), "--check"])
    assert run.returncode == 1
    assert b"x3_version" in run.stderr
