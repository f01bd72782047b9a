"""auth cloud: tokens of five minutes, refresh tokens that are good for one use, and what refusals tell."""

from __future__ import annotations

import json
import re
import threading
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cloud import cloud_config, login_of, suppliers, token_endpoint
from cryptography.fernet import Fernet
from tap_runs import catalog_of, run_tap
from tap_sagex3 import transport
from tap_sagex3.auth import Refusal
from tap_sagex3.auth.gateway import ACCESS_LIFE, pair_of_part
from tap_sagex3.auth.secrets_key import Cipher
from tap_sagex3.auth.token_store import StoredTokens, TokenStore
from tap_sagex3.errors import (
    ApiError,
    AuthenticationError,
    ConnectionFailedError,
    NotReadableError,
    SettingsError,
)
from tap_sagex3.web import retries

if t.TYPE_CHECKING:
    from processes import Server
    from tap_runs import Config
    from x3_control import X3Control

KEY = Fernet.generate_key().decode()
STREAMS = ("suppliers", "gl_entries")
START = "2031-01-02T03:04:05Z"
MONTH = 30 * 86_400


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAGEX3_SECRETS_KEY", KEY)
    monkeypatch.setattr(transport, "FIRST_WAIT", 0.02)
    monkeypatch.setattr(retries, "FIRST_WAIT", 0.02)


@pytest.fixture
def config(running_x3: Server, x3: X3Control, tmp_path: Path) -> Config:
    found = cloud_config(running_x3, x3, tmp_path)
    x3.reset_counters()
    return found


def stored(config: Config) -> StoredTokens:
    found = TokenStore(Path(config["token_store"]), Cipher(KEY)).read()
    assert found is not None
    return found


def test_a_run_through_the_gateway_gives_what_a_connected_application_gets(
    config: Config, graphql_config: Config, x3: X3Control
) -> None:
    found = run_tap(config, catalog=catalog_of(config, *STREAMS))
    assert x3.counters()["token"] == 1
    expected = run_tap(graphql_config, catalog=catalog_of(graphql_config, *STREAMS))
    assert found.counts() == expected.counts()
    assert found.by_key("gl_entries") == expected.by_key("gl_entries")


def test_the_store_goes_on_where_the_last_run_ended(config: Config, x3: X3Control) -> None:
    assert suppliers(config) == suppliers(config) > 0  # the second one has the access token of the first
    assert x3.counters()["token"] == 1
    x3.advance(301)
    assert suppliers(config) > 0  # refused, renewed, asked again
    counters = x3.counters()
    assert (counters["token"], counters["status_401"], counters["gateway"]) == (2, 1, 4)
    assert stored(config).refresh_token != config["refresh_token"]
    without = {name: value for name, value in config.items() if name != "refresh_token"}
    x3.advance(301)
    assert suppliers(without) > 0


def test_a_token_is_renewed_before_it_ends(config: Config, x3: X3Control) -> None:
    now = [time.time()]
    login = login_of(config, clock=lambda: now[0])
    first = login.header()
    now[0] += 269
    assert login.header() == first
    now[0] += 2
    x3.advance(2)  # tokens of one second are alike
    assert login.header() != first
    assert x3.counters()["token"] == 2


def test_the_new_refresh_token_is_on_disk_before_the_access_token_is_used(
    config: Config, x3: X3Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[str, str]] = []
    original = transport.Transport._send  # noqa: SLF001 - where the access token leaves

    def send(self: transport.Transport, *arguments: t.Any) -> t.Any:  # noqa: ANN401
        sent.append((arguments[-1], f"Bearer {stored(config).access_token}"))
        return original(self, *arguments)

    monkeypatch.setattr(transport.Transport, "_send", send)
    suppliers(config)
    x3.advance(301)
    suppliers(config)
    assert len(sent) == 3
    assert all(used == on_disk for used, on_disk in (sent[0], sent[2]))
    assert sent[0] != sent[2]


def test_a_refusal_in_the_middle_of_a_run_costs_nothing(config: Config, x3: X3Control) -> None:
    catalog = catalog_of(config, *STREAMS)
    x3.faults({"fault": "unauthorized", "on": "gateway", "nth": 3})
    assert run_tap(config, catalog=catalog).counts()["gl_entries"] > 0
    assert x3.counters()["token"] == 2


def test_threads_that_are_refused_with_one_token_renew_it_once(config: Config, x3: X3Control) -> None:
    login = login_of(config)
    refused = login.header()
    x3.advance(2)  # tokens of one second are alike
    begin = threading.Barrier(8)

    def renew(_: int) -> str:
        begin.wait(10)
        assert login.renew(refused, Refusal())
        return login.header()

    with ThreadPoolExecutor(8) as pool:
        headers = set(pool.map(renew, range(8)))
    assert len(headers) == 1
    assert refused not in headers
    assert x3.counters()["token"] == 2


@pytest.mark.parametrize("fault", ["status", "reset"])
def test_troubles_of_the_gateway_pass(config: Config, x3: X3Control, fault: str) -> None:
    x3.faults({"fault": fault, "on": "token", "times": 2})
    assert suppliers(config) > 0
    assert x3.counters()["token"] == 3


def test_the_gateway_is_asked_again_when_it_says(config: Config, x3: X3Control) -> None:
    x3.faults({"fault": "status", "status": 429, "on": "token", "retry_after": "2"})
    before = time.monotonic()
    assert suppliers(config) > 0
    assert time.monotonic() - before >= 2
    assert x3.counters()["token"] == 2


def test_an_internal_error_of_the_gateway_is_tried_again(config: Config, x3: X3Control) -> None:
    x3.faults({"fault": "status", "status": 501, "on": "token"})
    assert suppliers(config) > 0


def test_a_gateway_that_stays_away_leaves_the_token_good(config: Config, x3: X3Control) -> None:
    x3.faults({"fault": "status", "on": "token", "times": 9})
    with pytest.raises(ConnectionFailedError, match=r"v1/token failed 3 times.*HTTP 503.*token_url"):
        suppliers(config)
    x3.faults()
    assert suppliers(config) > 0


def test_a_lost_answer_is_told_with_its_time_and_a_new_pairing_mends_it(
    config: Config, x3: X3Control
) -> None:
    x3.faults({"fault": "cut", "on": "token"})
    began = time.strftime("%Y-%m-%dT%H:%M", time.gmtime())
    with pytest.raises(AuthenticationError) as error:
        suppliers(config)
    text = str(error.value)
    assert re.search(r"a renewal that began at \S+Z was interrupted before its answer was stored", text)
    assert began[:13] in text
    assert "put the new refresh token into setting refresh_token" in text
    with pytest.raises(AuthenticationError, match="interrupted before its answer was stored"):
        suppliers(config)  # and each later run says the same
    assert suppliers({**config, "refresh_token": x3.pair()["refresh_token"]}) > 0


def test_a_refresh_token_is_saved_from_an_answer_that_is_cut_off_behind_it(
    config: Config, x3: X3Control
) -> None:
    current = x3.pair()["refresh_token"]
    whole = json.dumps({"refresh_token": current, "access_token": "never.comes"}).encode()
    part = whole[: whole.index(b"never")]
    with token_endpoint((200, {"Content-Length": "9999"}, part), (503, {}, b"")) as endpoint:
        broken = {**config, "token_url": endpoint.url, "max_retries": 0}
        with pytest.raises(ConnectionFailedError):
            suppliers(broken)
        assert [asked["refresh_token"] for asked in endpoint.asked] == [config["refresh_token"], current]
        assert stored(config).refresh_token == current


def test_what_is_found_in_an_answer() -> None:
    assert pair_of_part(b'{"access_token":"a.b.c"}') is None
    assert pair_of_part(b'{"refresh_token":"a.b') is None
    pair = pair_of_part(b'{ "refresh_token" : "r-1", "access_token":"a_1", "expires_in": 120}')
    assert pair is not None
    assert (pair.refresh_token, pair.access_token, pair.life) == ("r-1", "a_1", 120)
    bare = pair_of_part(b'{"refresh_token":"r-1"')
    assert bare is not None
    assert (bare.access_token, bare.life) == ("", ACCESS_LIFE)


def test_a_disabled_application_is_told_and_the_pairing_stays_good(config: Config, x3: X3Control) -> None:
    x3.cloud_app(enabled=False)
    try:
        with pytest.raises(AuthenticationError, match=r"HTTP 403.*application is disabled.*have it enabled"):
            suppliers(config)
    finally:
        x3.cloud_app(enabled=True)
    assert suppliers(config) > 0


def test_a_pairing_that_was_not_used_for_a_month_has_expired(config: Config, x3: X3Control) -> None:
    x3.set_clock(START)
    config = {**config, "refresh_token": x3.pair()["refresh_token"]}
    x3.advance(MONTH + 1)
    with pytest.raises(AuthenticationError, match=r"older than 30 days.*Pair the application"):
        suppliers(config)


def test_a_pairing_that_the_customer_ended_is_told(config: Config, x3: X3Control) -> None:
    suppliers(config)
    x3.unpair()
    with pytest.raises(AuthenticationError, match="the customer has ended the pairing") as error:
        suppliers(config)
    assert "interrupted" not in str(error.value)


def test_wrong_application_credentials_are_told(config: Config) -> None:
    with pytest.raises(AuthenticationError, match=r"HTTP 404.*check settings client_id and client_secret"):
        suppliers({**config, "client_secret": "planted-secret"})
    assert suppliers(config) > 0


def test_a_pairing_without_the_scopes_is_told(config: Config, x3: X3Control) -> None:
    config = {**config, "refresh_token": x3.pair(scopes="api.dataDelivery")["refresh_token"]}
    with pytest.raises(AuthenticationError, match=r"scopes api\.graphQL and businessDomain"):
        suppliers(config)


def test_an_unknown_folder_is_told_with_those_that_are_there(config: Config) -> None:
    config = {**config, "folder": "OTHER"}
    with pytest.raises(NotReadableError, match=r"no folder 'OTHER'.*it has SEED.*setting folder"):
        run_tap(config, catalog=catalog_of({**config, "folder": "SEED"}, "suppliers"))


def test_a_server_that_is_no_gateway_is_told(config: Config, running_x3: Server) -> None:
    assert suppliers(config) > 0  # leaves a fresh token, so that only server_url is wrong
    with token_endpoint((200, {}, b"{}")) as other:
        wrong = {**config, "server_url": other.url.removesuffix("/v1/token")}
        with pytest.raises(ApiError, match=r"HTTP 501 without JSON|not the cloud gateway"):
            run_tap(wrong, catalog=catalog_of(config, "suppliers"))
        assert other.asked == []
    assert running_x3.ready["url"] == config["server_url"]


def test_a_new_setting_wins_and_a_wrong_one_does_no_harm(config: Config, x3: X3Control) -> None:
    suppliers(config)
    with pytest.raises(AuthenticationError, match="tokens of the pairing before are kept"):
        suppliers({**config, "refresh_token": "a-wrong-one"})
    x3.advance(301)
    assert suppliers(config) > 0  # the setting that began the store: it goes on
    fresh = {**config, "refresh_token": x3.pair()["refresh_token"]}
    assert suppliers(fresh) > 0
    assert suppliers({**fresh, "refresh_token": None}) > 0


def test_a_store_of_another_application_is_refused(config: Config) -> None:
    suppliers(config)
    other = {**config, "client_id": "another"}
    with pytest.raises(SettingsError, match=r"token_store.*another application \(client_id differ"):
        suppliers(other)


def test_without_a_refresh_token_the_first_run_says_what_is_missing(config: Config) -> None:
    with pytest.raises(SettingsError, match="Setting refresh_token is missing: there are no tokens"):
        suppliers({**config, "refresh_token": None})


@pytest.mark.parametrize("name", ["client_id", "client_secret", "token_store"])
def test_a_missing_setting_is_named(config: Config, name: str) -> None:
    with pytest.raises(SettingsError, match=f"Setting {name} is missing: auth cloud needs"):
        suppliers({**config, name: None})


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ((307, {"Location": "http://elsewhere.invalid/token"}, b""), "HTTP 307 without tokens"),
        ((404, {}, b"not here"), "HTTP 404 without tokens"),
        ((200, {"Content-Type": "text/html"}, b"<html>Please log in</html>"), "a web page"),
        ((200, {}, b'{"access_token": "only"}'), "HTTP 200 without tokens"),
    ],
    ids=["redirect", "404", "html", "half"],
)
def test_what_is_no_token_endpoint_is_told(
    config: Config, answer: tuple[int, dict[str, str], bytes], text: str
) -> None:
    with (
        token_endpoint(answer) as endpoint,
        pytest.raises(ApiError, match=f"answered with {text}: check setting token_url"),
    ):
        suppliers({**config, "token_url": endpoint.url})
    assert len(endpoint.asked) == 1


def test_each_token_goes_to_its_own_address_only(config: Config, x3: X3Control) -> None:
    current = x3.pair()
    body = json.dumps({name: current[name] for name in ("access_token", "refresh_token")}).encode()
    with token_endpoint((200, {}, body)) as endpoint:
        x3.link_origin(
            "http://other-host.invalid"
        )  # where the gateway's answers lead: put back on server_url
        try:
            split = {**config, "token_url": endpoint.url, "refresh_token": "first-refresh-token"}
            assert run_tap(split, catalog=catalog_of(split, "suppliers")).counts()["suppliers"] > 0
        finally:
            x3.link_origin()
        assert endpoint.asked == [
            {
                "grant_type": "refresh_token",
                "client_id": config["client_id"],
                "client_secret": config["client_secret"],
                "refresh_token": "first-refresh-token",
            }
        ]
    assert "token" not in x3.counters()


@pytest.mark.parametrize(
    "url", ["token", "ftp://x/token", "https://user:planted@x/token", "https://x?a=planted"]
)
def test_a_bad_token_url_is_refused_without_showing_credentials(config: Config, url: str) -> None:
    with pytest.raises(SettingsError, match="token_url") as error:
        login_of({**config, "token_url": url})
    assert "planted" not in str(error.value)


def test_rest_needs_a_user_of_its_own(config: Config, running_x3: Server) -> None:
    config = {**config, "api": "rest"}
    with pytest.raises(SettingsError, match=r"auth is cloud: give rest_username"):
        run_tap(config, catalog=catalog_of({**config, "api": "graphql"}, "suppliers"))
    user = {f"rest_{name}": running_x3.ready[name] for name in ("username", "password")}
    both = {**config, **user}
    assert run_tap(both, catalog=catalog_of(both, "suppliers")).counts()["suppliers"] > 0
