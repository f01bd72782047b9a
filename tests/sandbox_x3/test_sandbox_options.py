"""What `sandbox run` tells its command about X3, and how its options change that."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import typing as t

import pytest
from processes import ROOT, SANDBOX, SANDBOX_PYTHON, run_command

if t.TYPE_CHECKING:
    from pathlib import Path

ASK = """
import base64, json, os, urllib.request as web
env = {name: text for name, text in os.environ.items() if name.startswith(("TAP_SAGEX3_", "SANDBOX_X3_"))}

def ask(url, headers, body=None):
    data = json.dumps(body).encode() if body else None
    with web.urlopen(web.Request(url, data, headers), timeout=20) as answer:
        return json.load(answer)

login = f"{env['TAP_SAGEX3_USERNAME']}:{env['TAP_SAGEX3_PASSWORD']}"
url = env["TAP_SAGEX3_SERVER_URL"] + "/api1/x3/erp/SEED/GDIE?representation=GDIE.$query&count=1"
lists = [ask(url, {"Authorization": "Basic " + base64.b64encode(login.encode()).decode()}) for _ in range(2)]
names = ("client_id", "client_secret", "refresh_token")
body = {name: env["TAP_SAGEX3_" + name.upper()] for name in names} | {"grant_type": "refresh_token"}
tokens = ask(env["TAP_SAGEX3_TOKEN_URL"], {"Content-Type": "application/json"}, body)
counters, site, streams = (
    ask(env["SANDBOX_X3_URL"] + "/_control", {}, {"do": do})["result"]
    for do in ("counters", "rest_site", "streams")
)
headers = {"Authorization": "Bearer " + tokens["access_token"], "Content-Type": "application/json"}
service = env["TAP_SAGEX3_SERVER_URL"] + "/v1/service/X3CLOUDV2_SEED/api"
roots = ask(service, headers, {"query": "{ __schema { queryType { fields { name } } } }"})
print(json.dumps([
    env, lists[0]["$links"]["$next"]["$url"], sorted(tokens), counters["replayed"], site["site"]["absent"],
    streams["gl_entries"], [field["name"] for field in roots["data"]["__schema"]["queryType"]["fields"]],
]))
"""


OPTION = re.compile(r"^\s+(--[a-z0-9-]+)", re.MULTILINE)


def test_the_command_gets_what_the_options_ask_for(tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    site.write_text('absent = ["STOCK"]')
    options = ["--scale", "5", "--login", "cloud", "--link-origin", "https://erp.example.com", "--replay"]
    options += ["--rest-site", str(site), "--graphql-names", "old"]
    ended = run_command(["sandbox", "run", *options, "--", sys.executable, "-c", ASK])
    assert ended.returncode == 0, ended.stderr.decode()
    env, link, tokens, replayed, absent, entries, roots = json.loads(ended.stdout)
    assert env["TAP_SAGEX3_AUTH"] == "cloud"
    assert env["TAP_SAGEX3_CLIENT_ID"] == env["SANDBOX_X3_CLOUD_CLIENT_ID"]
    assert env["SANDBOX_X3_CLOUD_TOKEN_URL"] == env["SANDBOX_X3_URL"] + "/v1/token"
    assert "TAP_SAGEX3_ALLOWED_USER" not in env
    assert env["TAP_SAGEX3_TOKEN_STORE"].endswith("x3-tokens")
    assert link.startswith("https://erp.example.com/api1/x3/erp/SEED/GDIE?")
    assert tokens == ["access_token", "refresh_token", "scope", "token_type"]
    assert (replayed, absent, entries) == (1, ["STOCK"], 5)
    assert "xtremX3Purchasing" in roots


def test_the_tap_runs_with_each_login_that_the_sandbox_tells_of() -> None:
    for login in ("basic", "connected_app", "cloud"):
        options = ["--scale", "5", "--login", login]
        ended = run_command(["sandbox", "run", *options, "--", "tap-sagex3", "--config", "ENV", "--test"])
        assert ended.returncode == 0, ended.stderr.decode()
        assert ended.stdout.count(b'"RECORD"') > 10


def test_a_release_without_xtrem_tells_of_no_application_and_the_end_is_quiet() -> None:
    show = "import json, os; print(json.dumps(dict(os.environ)))"
    options = ["--scale", "5", "--x3-version", "V11"]
    ended = run_command(["sandbox", "run", *options, "--", sys.executable, "-c", show])
    assert (ended.returncode, ended.stderr.decode()) == (0, "")
    told = {name for name in json.loads(ended.stdout) if name.startswith(("TAP_SAGEX3_", "SANDBOX_X3_"))}
    names = {"SERVER_URL", "FOLDER", "X3_VERSION", "USERNAME", "PASSWORD", "AUTH"}
    assert told == {"SANDBOX_X3_URL", *(f"TAP_SAGEX3_{name}" for name in names)}


def test_every_option_of_the_local_x3_is_offered_and_described() -> None:
    command = [str(SANDBOX_PYTHON), "-m", "local_x3", "--help"]
    shown = subprocess.run(command, capture_output=True, text=True, cwd=SANDBOX, timeout=30, check=True)
    options = set(OPTION.findall(shown.stdout)) - {"--help"}
    assert len(options) > 15
    offered = set(OPTION.findall(run_command(["sandbox", "up", "--help"]).stdout.decode()))
    assert options - offered == {"--port", "--stop-with-stdin"}
    readme = (SANDBOX / "local_x3" / "README.md").read_text()
    page = (ROOT / "docs" / "sandbox.md").read_text()
    assert {option for option in options if option not in readme} == set()
    assert {option for option in offered - options - {"--help"} if option not in page} == set()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--x3-version", "V11", "--login", "cloud"], "--login cloud needs --x3-version V12"),
        (["--link-origin", "erp.example.com"], "--link-origin"),
        (["--rest-site", "/nowhere.toml"], "--rest-site"),
        (["--site", "/nowhere"], "--site: /nowhere is not a folder"),
    ],
)
def test_options_that_make_no_sense_are_explained(options: list[str], text: str) -> None:
    ended = run_command(["sandbox", "up", *options])
    assert (ended.returncode, ended.stdout) == (2, b"")
    assert text in ended.stderr.decode()
