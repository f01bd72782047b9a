"""The cloud gateway: pairing, tokens that live five minutes, refresh tokens that are good for one use."""

from __future__ import annotations

import html
import http.server
import re
import threading
import typing as t
from urllib.parse import parse_qs, urlencode

import jwt
import pytest
import requests

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from x3_client import X3Client
    from x3_control import X3Control

COUNT = "{ x3MasterData { supplier { query { totalCount } } } }"
SCOPES = "businessDomain.ALL api.graphQL"
NOT_FOUND = "Pairing request not found"
NO_ACTIVE_APP = "Could not associate the values with an active application registered on Sage Business Cloud"
NO_APP = "Could not associate the values with an application registered on Sage Business Cloud"
START = "2031-01-02T03:04:05Z"


class Cloud:
    """A client of the gateway that hides nothing."""

    def __init__(self, x3: X3Client) -> None:
        """Keep where it is and who calls."""
        self.ready = x3.ready["cloud"]
        self.url = x3.url

    def token(self, **given: object) -> requests.Response:
        """POST to the token endpoint; None drops a parameter."""
        right = {name: self.ready[name] for name in ("client_id", "client_secret")}
        body = {name: value for name, value in {**right, **given}.items() if value is not None}
        return requests.post(self.ready["token_url"], json=body, timeout=10)

    def refresh(self, token: str) -> requests.Response:
        """Renew a pair of tokens."""
        return self.token(grant_type="refresh_token", refresh_token=token)

    def exchange(self, code: str, **given: object) -> requests.Response:
        """Exchange a code for tokens."""
        return self.token(
            **{
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": self.ready["redirect_uri"],
                **given,
            }
        )

    def authorise(self, **given: object) -> requests.Response:
        """Ask for a pairing; None drops a parameter."""
        right = {name: self.ready[name] for name in ("client_id", "customer", "redirect_uri")}
        asked = {**right, "scope": SCOPES, "state": "s 1", **given}
        kept = {name: value for name, value in asked.items() if value is not None}
        return requests.get(self.ready["authorise_url"], params=t.cast("t.Any", kept), timeout=10)

    def fields(self, page: requests.Response) -> dict[str, str]:
        """What the form of the approval page holds."""
        assert page.status_code == 200, page.text
        found = re.findall(r'name="(\w+)" value="([^"]*)"', page.text)
        return {name: html.unescape(value) for name, value in found}

    def accept(self, fields: dict[str, str]) -> requests.Response:
        """Press the button of the approval page, without going where it leads."""
        return requests.post(f"{self.url}/v1/token/approval", fields, allow_redirects=False, timeout=10)

    def graphql(self, token: str, path: str = "/v1/service/X3CLOUDV2_SEED/api") -> requests.Response:
        """Count the suppliers."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return requests.post(self.url + path, json={"query": COUNT}, headers=headers, timeout=10)


def refusal(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["message"]


@pytest.fixture
def cloud(own: X3Client) -> Cloud:
    return Cloud(own)


def test_a_pair_of_tokens_opens_graphql_and_renews_itself(cloud: Cloud, control: X3Control) -> None:
    first = control.pair()
    answer = cloud.graphql(first["access_token"])
    assert answer.json()["data"]["x3MasterData"]["supplier"]["query"]["totalCount"] == 22
    second = cloud.refresh(first["refresh_token"])
    assert (second.status_code, second.headers["Cache-Control"]) == (200, "no-store")
    assert second.json()["refresh_token"] != first["refresh_token"]
    assert cloud.graphql(second.json()["access_token"]).status_code == 200


def test_a_used_refresh_token_is_dead_for_ever(cloud: Cloud, control: X3Control) -> None:
    used = control.pair()["refresh_token"]
    current = cloud.refresh(used).json()["refresh_token"]
    assert refusal(cloud.refresh(used)) == (403, NOT_FOUND)
    again = cloud.refresh(current)
    assert again.status_code == 200
    assert refusal(cloud.refresh(used)) == (403, NOT_FOUND)
    assert refusal(cloud.refresh(current)) == (403, NOT_FOUND)


def test_the_first_pairing_of_the_ready_line_works_once(x3: X3Client) -> None:
    cloud = Cloud(x3)
    token = x3.ready["cloud"]["refresh_token"]
    assert [cloud.refresh(token).status_code for _ in range(2)] == [200, 403]


def test_access_tokens_live_five_minutes_by_the_servers_clock(cloud: Cloud, control: X3Control) -> None:
    control.set_clock(START, frozen=True)
    token = control.pair()["access_token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 300
    control.advance(299)
    assert cloud.graphql(token).status_code == 200
    control.advance(1)
    assert refusal(cloud.graphql(token)) == (401, "Unauthorised")


def test_refresh_tokens_live_thirty_days(cloud: Cloud, control: X3Control) -> None:
    control.set_clock(START, frozen=True)
    token = control.pair()["refresh_token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 30 * 86_400
    control.advance(30 * 86_400 - 1)
    renewed = cloud.refresh(token).json()["refresh_token"]
    control.advance(30 * 86_400)
    assert refusal(cloud.refresh(renewed)) == (403, "The request has expired.")


def test_access_tokens_carry_the_documented_claims(cloud: Cloud, control: X3Control) -> None:
    tokens = control.pair()
    claims = jwt.decode(tokens["access_token"], options={"verify_signature": False})
    assert set(claims) == {"iss", "aud", "iat", "exp", "region", "sub", "azp", "scopes"}
    assert claims["iss"] == claims["aud"] == cloud.url.removeprefix("http://")
    assert (claims["azp"], claims["scopes"]) == (cloud.ready["client_id"], SCOPES)
    assert tokens["scope"] == SCOPES
    assert set(tokens) == {"access_token", "refresh_token", "token_type", "scope"}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda _: "",
        lambda tokens: tokens["refresh_token"],
        lambda tokens: tokens["access_token"][:-2],
        lambda tokens: jwt.encode(
            jwt.decode(tokens["access_token"], options={"verify_signature": False}), "x" * 32, "HS256"
        ),
    ],
    ids=["none", "refresh", "cut", "forged"],
)
def test_other_tokens_are_unauthorised(cloud: Cloud, control: X3Control, spoil: t.Any) -> None:  # noqa: ANN401 - a function
    assert refusal(cloud.graphql(spoil(control.pair()))) == (401, "Unauthorised")


def test_the_scope_must_name_graphql_and_data(cloud: Cloud, control: X3Control) -> None:
    for scopes in ("api.graphQL", "businessDomain.ALL", "businessDomain.ALL api.dataDelivery"):
        token = control.pair(customer="https://scopes.example", scopes=scopes)["access_token"]
        assert refusal(cloud.graphql(token)) == (401, "Unauthorised"), scopes
    token = control.pair(customer="https://scopes.example", scopes="user.? api.graphQL")["access_token"]
    assert cloud.graphql(token).status_code == 200


def test_customers_have_pairings_of_their_own(cloud: Cloud, control: X3Control) -> None:
    one, two = control.pair(), control.pair(customer="https://two.example")
    control.unpair(customer="https://two.example")
    assert refusal(cloud.graphql(two["access_token"])) == (401, "Unauthorised")
    assert refusal(cloud.refresh(two["refresh_token"])) == (403, NOT_FOUND)
    assert cloud.refresh(one["refresh_token"]).status_code == 200
    with pytest.raises(ValueError, match=r"no pairing with https://two\.example"):
        control.unpair(customer="https://two.example")


def test_a_new_pairing_takes_the_place_of_the_customers_old_one(cloud: Cloud, control: X3Control) -> None:
    old, new = control.pair(), control.pair()
    assert refusal(cloud.refresh(old["refresh_token"])) == (403, NOT_FOUND)
    assert cloud.refresh(new["refresh_token"]).status_code == 200


@pytest.mark.parametrize(
    ("given", "status", "message"),
    [
        ({"grant_type": None}, 400, "Missing required request parameters"),
        ({"grant_type": "client_credentials"}, 400, "Invalid grant type"),
        ({"grant_type": "refresh_token"}, 400, "Missing required request parameters"),
        ({"refresh_token": "x", "client_secret": None}, 400, "Missing required request parameters"),
        ({"refresh_token": 5}, 400, "Missing required request parameters"),
        ({"refresh_token": "x", "client_id": "other"}, 404, NO_ACTIVE_APP),
        ({"refresh_token": "x", "client_secret": "other"}, 404, NO_ACTIVE_APP),
        ({"refresh_token": "x"}, 403, NOT_FOUND),
        ({"grant_type": "authorization_code", "code": "x"}, 400, "Missing required request parameters"),
        ({"grant_type": "authorization_code", "code": "x", "redirect_uri": "y"}, 403, NOT_FOUND),
    ],
    ids=str,
)
def test_the_token_endpoint_refuses_in_documented_words(
    x3: X3Client, given: dict[str, t.Any], status: int, message: str
) -> None:
    assert refusal(Cloud(x3).token(**{"grant_type": "refresh_token", **given})) == (status, message)


def test_the_token_endpoint_takes_json_by_post_only(cloud: Cloud, control: X3Control) -> None:
    body = {
        "grant_type": "refresh_token",
        "refresh_token": control.pair()["refresh_token"],
        "client_id": cloud.ready["client_id"],
        "client_secret": cloud.ready["client_secret"],
    }
    url = cloud.ready["token_url"]
    assert refusal(requests.post(url, data=body, timeout=10)) == (400, "Missing required request parameters")
    assert requests.get(url, params=body, timeout=10).status_code == 405
    assert requests.post(url, json=body, timeout=10).status_code == 200


def test_a_disabled_application_is_refused(cloud: Cloud, control: X3Control) -> None:
    token = control.pair()["refresh_token"]
    control.cloud_app(enabled=False)
    message = "The application registered on Sage Business Cloud is disabled"
    assert refusal(cloud.refresh(token)) == (403, message)
    assert refusal(cloud.authorise()) == (403, message)
    control.cloud_app(enabled=True)
    assert cloud.refresh(token).status_code == 200


class Callback(http.server.BaseHTTPRequestHandler):
    """The third party's callback; keeps the bodies it gets."""

    bodies: t.ClassVar[list[str]] = []

    def do_POST(self) -> None:
        """Keep the body."""
        self.bodies.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""


@pytest.fixture
def callback() -> Iterator[str]:
    Callback.bodies.clear()
    with http.server.HTTPServer(("127.0.0.1", 0), Callback) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/callback"
        server.shutdown()
        thread.join()


def test_a_pairing_goes_through_the_approval_page_to_the_callback(
    cloud: Cloud, control: X3Control, callback: str
) -> None:
    control.cloud_app(redirect_uri=callback)
    fields = cloud.fields(cloud.authorise(redirect_uri=callback, state='a"&b'))
    code = fields["authorizationCode"]
    waiting = cloud.exchange(code, redirect_uri=callback)
    assert refusal(waiting) == (403, "The pairing request has not been accepted.")
    shown = requests.post(
        f"{cloud.url}/v1/token/approval", fields, timeout=10
    )  # as a browser: on to the callback
    assert shown.status_code == 204
    assert parse_qs(Callback.bodies[0]) == {"authorizationCode": [code], "state": ['a"&b']}
    assert refusal(cloud.exchange(code)) == (404, NO_APP)  # another redirect_uri
    tokens = cloud.exchange(code, redirect_uri=callback).json()
    assert cloud.graphql(tokens["access_token"]).status_code == 200
    assert refusal(cloud.exchange(code, redirect_uri=callback)) == (403, NOT_FOUND)


def test_a_code_that_nobody_used_in_time_has_expired(cloud: Cloud, control: X3Control) -> None:
    control.set_clock(START, frozen=True)
    fields = cloud.fields(cloud.authorise())
    assert cloud.accept(fields).headers["Location"] == cloud.ready["redirect_uri"]
    control.advance(600)
    assert refusal(cloud.exchange(fields["authorizationCode"])) == (403, "The request has expired.")


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"state": None}, 400),
        ({"scope": ""}, 400),
        ({"client_id": "other"}, 404),
        ({"redirect_uri": "http://127.0.0.1/elsewhere"}, 404),
        ({"customer": "https://unknown.example"}, 404),
    ],
    ids=str,
)
def test_wrong_pairing_requests_are_refused(x3: X3Client, given: dict[str, t.Any], status: int) -> None:
    assert Cloud(x3).authorise(**given).status_code == status


def test_an_approval_needs_the_state_of_its_request(cloud: Cloud) -> None:
    fields = cloud.fields(cloud.authorise())
    assert cloud.accept({**fields, "state": "other"}).status_code == 404
    assert cloud.exchange(fields["authorizationCode"]).status_code == 403


def test_root_and_folders_lead_to_the_service(cloud: Cloud, control: X3Control) -> None:
    folders = requests.get(f"{cloud.url}/v1", timeout=10).json()["customerUsage"]["folder"]
    assert refusal(requests.get(folders, timeout=10)) == (401, "Unauthorised")
    token = control.pair()["access_token"]
    answer = requests.get(folders, headers={"Authorization": f"Bearer {token}"}, timeout=10).json()
    (folder,) = answer["folders"]
    assert folder["name"] == "SEED"
    path = folder["$urls"]["dataService"].removeprefix(cloud.url)
    assert cloud.graphql(token, path).status_code == 200
    assert cloud.graphql(token, path.replace("SEED", "OTHER")).status_code == 404


def test_gateway_tokens_and_application_tokens_are_not_the_same(own: X3Client, control: X3Control) -> None:
    token = control.pair()["access_token"]
    headers = {"Authorization": f"Bearer {token}", "x-xtrem-endpoint": "SEED"}
    assert own.post(COUNT, headers=headers).status_code == 401
    assert Cloud(own).graphql(own.token()).status_code == 401
    assert (
        own.get("/api1/x3/erp/SEED/GDIE?representation=GDIE.$query", auth=None, headers=headers).status_code
        == 401
    )


def test_schema_errors_come_through_the_gateway(cloud: Cloud, control: X3Control) -> None:
    headers = {"Authorization": f"Bearer {control.pair()['access_token']}"}
    url = f"{cloud.url}/v1/service/X3CLOUDV2_SEED/api"
    answer = requests.post(url, json={"query": "{ x3MasterDatum { a } }"}, headers=headers, timeout=10)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["message"].startswith("Cannot query field")
    assert requests.get(url, headers=headers, timeout=10).status_code == 405


def test_faults_of_the_gateway_have_documented_bodies(cloud: Cloud, control: X3Control) -> None:
    tokens = control.pair()
    control.faults(
        {"fault": "status", "on": "gateway", "status": 500},
        {"fault": "unauthorized", "on": "gateway", "nth": 2},
        {"fault": "status", "on": "token", "status": 501},
    )
    broken = cloud.graphql(tokens["access_token"])
    assert (broken.status_code, broken.json()["$source"]) == (500, "Gateway")
    assert refusal(cloud.graphql(tokens["access_token"])) == (401, "Unauthorised")
    assert refusal(cloud.refresh(tokens["refresh_token"])) == (501, "An internal error occurred: ")
    assert cloud.refresh(tokens["refresh_token"]).status_code == 200  # the fault did not use it up


def test_an_answer_that_gets_lost_has_used_the_refresh_token(cloud: Cloud, control: X3Control) -> None:
    token = control.pair()["refresh_token"]
    control.faults({"fault": "cut", "on": "token"})
    with pytest.raises(requests.RequestException):
        cloud.refresh(token)
    assert refusal(cloud.refresh(token)) == (403, NOT_FOUND)


def test_the_query_of_an_authorise_address_is_enough_for_a_browser(cloud: Cloud) -> None:
    query = urlencode(
        {
            "client_id": cloud.ready["client_id"],
            "scope": SCOPES,
            "customer": cloud.ready["customer"],
            "redirect_uri": cloud.ready["redirect_uri"],
            "state": "1234",
        }
    )
    answer = requests.get(f"{cloud.ready['authorise_url']}?{query}", timeout=10)
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert cloud.fields(answer)["state"] == "1234"
