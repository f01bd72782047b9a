"""What `sandbox run` tells its command about X3, and how its options change that."""

from __future__ import annotations

import json
import sys

import pytest
from processes import run_command

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
counters = ask(env["SANDBOX_X3_URL"] + "/_control", {}, {"do": "counters"})["result"]
print(json.dumps([env, lists[0]["$links"]["$next"]["$url"], sorted(tokens), counters["replayed"]]))
"""


def test_the_command_gets_what_the_options_ask_for() -> None:
    options = ["--scale", "5", "--login", "cloud", "--link-origin", "https://erp.example.com", "--replay"]
    ended = run_command(["sandbox", "run", *options, "--", sys.executable, "-c", ASK])
    assert ended.returncode == 0, ended.stderr.decode()
    env, link, tokens, replayed = json.loads(ended.stdout)
    assert env["TAP_SAGEX3_AUTH"] == "cloud"
    assert env["TAP_SAGEX3_CLIENT_ID"] == env["SANDBOX_X3_CLOUD_CLIENT_ID"]
    assert env["SANDBOX_X3_CLOUD_TOKEN_URL"] == env["SANDBOX_X3_URL"] + "/v1/token"
    assert "TAP_SAGEX3_ALLOWED_USER" not in env
    assert link.startswith("https://erp.example.com/api1/x3/erp/SEED/GDIE?")
    assert tokens == ["access_token", "refresh_token", "scope", "token_type"]
    assert replayed == 1


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--x3-version", "V11", "--login", "cloud"], "--login cloud needs --x3-version V12"),
        (["--link-origin", "erp.example.com"], "--link-origin"),
    ],
)
def test_options_that_make_no_sense_are_explained(options: list[str], text: str) -> None:
    ended = run_command(["sandbox", "up", *options])
    assert (ended.returncode, ended.stdout) == (2, b"")
    assert text in ended.stderr.decode()
