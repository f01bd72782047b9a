"""Who may call Xtrem: tokens claim by claim, Basic, the endpoint header, the release."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import subprocess
import time
import typing as t
import warnings

import jwt
import pytest
import requests
from processes import SANDBOX, SANDBOX_PYTHON, server
from x3_client import X3Client, decoded

if t.TYPE_CHECKING:
    from x3_control import X3Control

COUNT = "{ x3MasterData { supplier { query { totalCount } } } }"


def with_token(x3: X3Client, token: str) -> tuple[int, str]:
    headers = {"Authorization": f"Bearer {token}", "x-xtrem-endpoint": "SEED"}
    answer = x3.post(COUNT, headers=headers)
    return answer.status_code, answer.text


def test_a_right_token_is_accepted(x3: X3Client) -> None:
    assert with_token(x3, x3.token())[0] == 200


@pytest.mark.parametrize(
    ("claims", "number"),
    [
        ({"iat": 120}, 21),
        ({"iss": "someone"}, 41),
        ({"iss": None}, 41),
        ({"sub": "OTHER"}, 42),
        ({"sub": None}, 42),
        ({"aud": "http://elsewhere/xtrem/api"}, 45),
        ({"aud": "+/"}, 45),
        ({"aud": None}, 45),
        ({"exp": -1}, 50),
        ({"exp": None}, 50),
        ({"iat": None}, 50),
        ({"exp": 3600}, 50),
    ],
    ids=str,
)
def test_each_claim_is_checked(x3: X3Client, claims: dict[str, t.Any], number: int) -> None:
    now = int(time.time())
    given: dict[str, t.Any] = {
        name: now + value if isinstance(value, int) else value for name, value in claims.items()
    }
    if claims.get("aud") == "+/":  # byte for byte: a slash more is another URL
        given["aud"] = x3.ready["audience"] + "/"
    assert with_token(x3, x3.token(**given)) == (401, f"Error {number}: Invalid token")


def test_a_wrong_secret_is_a_bad_signature(x3: X3Client) -> None:
    token = x3.token("not the secret, but long enough for HS256")
    assert with_token(x3, token) == (401, "Error 50: Invalid token")
    assert with_token(x3, "garbage") == (401, "Error 50: Invalid token")


def test_an_unsigned_token_is_refused(x3: X3Client) -> None:
    head, body, _ = x3.token().split(".")
    assert with_token(x3, f"eyJhbGciOiJub25lIn0.{body}.") == (401, "Error 50: Invalid token")
    assert with_token(x3, f"{head}.{body}.") == (401, "Error 50: Invalid token")


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_only_hs256_is_taken(x3: X3Client, algorithm: str) -> None:
    head = {"alg": algorithm, "typ": "JWT"}
    claims = jwt.decode(x3.token(), options={"verify_signature": False})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a secret that is short for this algorithm: the server's own
        token = jwt.encode(claims, x3.ready["client_secret"], algorithm, headers=head)
    assert with_token(x3, token) == (401, "Error 50: Invalid token")


@pytest.mark.parametrize("algorithm", ["none", "None", "RS256", "ES256", "HS257", "", 7, None], ids=str)
def test_the_header_cannot_choose_another_algorithm(x3: X3Client, algorithm: object) -> None:
    """The rest of the token is right, its signature too: RS256 with the secret as the key, and so on."""
    head = base64.urlsafe_b64encode(json.dumps({"alg": algorithm, "typ": "JWT"}).encode()).rstrip(b"=")
    signing = head + b"." + x3.token().split(".")[1].encode()
    digest = hmac.new(x3.ready["client_secret"].encode(), signing, hashlib.sha256).digest()
    token = signing + b"." + base64.urlsafe_b64encode(digest).rstrip(b"=")
    assert with_token(x3, token.decode()) == (401, "Error 50: Invalid token")


@pytest.mark.parametrize(
    ("claims", "number"),
    [
        ({"iat": "1"}, 50),
        ({"iat": True}, 50),
        ({"iat": [1]}, 50),
        ({"exp": "2999999999"}, 50),
        ({"exp": float("nan")}, 50),
        ({"exp": float("inf")}, 50),
        ({"iat": float("-inf")}, 50),
        ({"iat": float("nan")}, 21),
        ({"nbf": 4102444800}, 21),
        ({"nbf": "soon"}, 50),
        ({"nbf": True}, 50),
        ({"sub": 5}, 42),
        ({"sub": ["INTERFACE"]}, 42),
        ({"sub": "interface"}, 42),
        ({"aud": 5}, 45),
        ({"aud": ""}, 45),
    ],
    ids=str,
)
def test_claims_of_another_type_are_refused(x3: X3Client, claims: dict[str, t.Any], number: int) -> None:
    assert with_token(x3, x3.token(**claims)) == (401, f"Error {number}: Invalid token")


def test_several_audiences_are_not_the_registered_one(x3: X3Client) -> None:
    for audience in ([x3.ready["audience"]], [x3.ready["audience"], "other"]):
        assert with_token(x3, x3.token(aud=audience)) == (401, "Error 45: Invalid token")


@pytest.mark.parametrize("payload", [b"[]", b'"x"', b"5", b"{", b"\xff"])
def test_a_payload_that_is_no_object_is_refused(x3: X3Client, payload: bytes) -> None:
    signing = x3.token().split(".")[0].encode() + b"." + base64.urlsafe_b64encode(payload).rstrip(b"=")
    digest = hmac.new(x3.ready["client_secret"].encode(), signing, hashlib.sha256).digest()
    token = signing + b"." + base64.urlsafe_b64encode(digest).rstrip(b"=")
    assert with_token(x3, token.decode()) == (401, "Error 50: Invalid token")


def test_a_token_needs_its_scheme(x3: X3Client) -> None:
    token = x3.token()
    for value in (token, f"Token {token}", f"Basic {token}", "Bearer", "Bearer ", f"JWT {token}", ""):
        headers = {"Authorization": value, "x-xtrem-endpoint": "SEED"}
        assert x3.post(COUNT, headers=headers).status_code == 401, value
    headers = {"Authorization": f"bearer {token}", "x-xtrem-endpoint": "SEED"}
    assert x3.post(COUNT, headers=headers).status_code == 200


def test_tokens_live_no_longer_than_the_application_allows(own: X3Client, control: X3Control) -> None:
    now = int(time.time())
    long_one = own.token(iat=now - 10, exp=now + 3000)
    assert with_token(own, long_one) == (401, "Error 50: Invalid token")
    control.logins(tokens_validity=3600)
    assert with_token(own, long_one)[0] == 200
    control.logins(tokens_validity=60)
    assert with_token(own, own.token()) == (401, "Error 50: Invalid token")
    control.reset()
    assert with_token(own, own.token())[0] == 200


def test_a_deleted_application_is_an_unknown_issuer(own: X3Client, control: X3Control) -> None:
    control.logins(connected_app=False)
    assert with_token(own, own.token()) == (401, "Error 41: Invalid token")
    control.logins(connected_app=True, audience="https://erp.example.com/xtrem/api")
    assert with_token(own, own.token()) == (401, "Error 45: Invalid token")
    assert with_token(own, own.token(aud="https://erp.example.com/xtrem/api"))[0] == 200


def basic(x3: X3Client, text: bytes | str, *, encoded: bool = True) -> requests.Response:
    raw = text.encode() if isinstance(text, str) else text
    value = "Basic " + (base64.b64encode(raw).decode() if encoded else raw.decode("latin-1"))
    url = f"{x3.url}/api1/x3/erp/SEED/GDIE?representation=GDIE.$query"
    return requests.get(url, headers={"Authorization": value}, timeout=10)


def test_passwords_may_hold_any_character(own: X3Client, control: X3Control) -> None:
    for password in ("pässwörd€", "a:b:c", " leading and trailing ", "日本"):
        control.logins(password=password)
        assert basic(own, f"INTERFACE:{password}").status_code == 200, password
        assert basic(own, f"INTERFACE:{password}x").status_code == 401, password
    control.logins(password="pässwörd")  # noqa: S106 - a test's own
    assert basic(own, "INTERFACE:pässwörd".encode("latin-1")).status_code == 401
    assert basic(own, "interface:pässwörd").status_code == 401


def test_basic_that_is_none_is_challenged(x3: X3Client) -> None:
    right = f"{x3.basic[0]}:{x3.basic[1]}"
    answers = [
        basic(x3, right.replace(":", "")),
        basic(x3, right, encoded=False),
        basic(x3, base64.b64encode(right.encode()) + b"!", encoded=False),
        basic(x3, base64.b64encode((right + "~").encode()).rstrip(b"=")[:-1], encoded=False),
        basic(x3, b""),
        basic(x3, ":"),
        requests.get(f"{x3.url}/api1/x3/erp/SEED/GDIE?representation=GDIE.$query", timeout=10),
    ]
    for answer in answers:
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == 'Basic realm="syracuse"'
        assert answer.json()["$diagnoses"][0]["$severity"] == "error"


def test_api1_takes_no_bearer(x3: X3Client) -> None:
    headers = {"Authorization": f"Bearer {x3.token()}"}
    url = f"{x3.url}/api1/x3/erp/SEED/GDIE?representation=GDIE.$query"
    assert requests.get(url, headers=headers, timeout=10).status_code == 401


def test_a_locked_user_is_refused_by_both_apis(own: X3Client, control: X3Control) -> None:
    control.logins(basic=False)
    assert own.rest("GDIE").status_code == 401
    answer = own.session.post(
        f"{own.url}/xtrem/api", json={"query": COUNT}, auth=own.basic, headers={"x-xtrem-endpoint": "SEED"}
    )
    assert answer.status_code == 401
    assert with_token(own, own.token())[0] == 200


def test_tokens_are_checked_by_the_servers_clock(own: X3Client, control: X3Control) -> None:
    control.advance(-300)
    assert with_token(own, own.token()) == (401, "Error 21: Invalid token")
    control.advance(1200)
    assert with_token(own, own.token()) == (401, "Error 50: Invalid token")


def test_basic_works_for_xtrem_too(x3: X3Client) -> None:
    answer = x3.session.post(
        f"{x3.url}/xtrem/api",
        json={"query": COUNT},
        auth=x3.basic,
        headers={"x-xtrem-endpoint": "SEED"},
        timeout=10,
    )
    assert decoded(answer)["data"]["x3MasterData"]["supplier"]["query"]["totalCount"] == 35


def test_no_credentials_are_refused(x3: X3Client) -> None:
    assert x3.post(COUNT, headers={"x-xtrem-endpoint": "SEED"}).status_code == 401


@pytest.mark.parametrize("endpoint", [None, "OTHER", "seed"])
def test_the_endpoint_header_must_name_the_folder(x3: X3Client, endpoint: str | None) -> None:
    headers = {"Authorization": f"Bearer {x3.token()}"} | ({"x-xtrem-endpoint": endpoint} if endpoint else {})
    answer = x3.post(COUNT, headers=headers)
    assert answer.status_code == 400
    assert "x-xtrem-endpoint" in answer.json()["errors"][0]["message"]


def test_release_11_has_no_xtrem() -> None:
    with server("local_x3", "--scale", "10", "--x3-version", "V11") as running:
        client = X3Client(running.ready)
        assert client.post(COUNT).status_code == 404
        assert len(client.rows("GDIE")) == 6
        client.close()


WRONG_LINES = {
    "--scale 0": "--scale",
    "--scale many": "--scale",
    "--fixture /nowhere": "--fixture: /nowhere is not a folder",
    "--entities /nowhere": "--entities: /nowhere is not a folder",
    "--x3-version V99": "--x3-version",
    "--tokens-validity 0": "--tokens-validity",
    "--link-origin erp.example.com": "--link-origin",
    "--link-origin https://erp.example.com/path": "--link-origin",
}
READ_LINES = """
import contextlib, io, json, sys
from local_x3.options import arguments
told = []
for line in json.loads(sys.argv[1]):
    with contextlib.redirect_stderr(io.StringIO()) as text:
        try:
            arguments(line.split())
        except SystemExit as end:
            told.append([end.code, text.getvalue()])
print(json.dumps(told))
"""


def test_wrong_command_lines_are_explained() -> None:
    command = [str(SANDBOX_PYTHON), "-c", READ_LINES, json.dumps(list(WRONG_LINES))]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=SANDBOX, timeout=60, check=True)
    for (code, told), (line, text) in zip(json.loads(ended.stdout), WRONG_LINES.items(), strict=True):
        assert code == 2, line
        assert text in told


def test_a_wrong_command_line_ends_the_process() -> None:
    command = [str(SANDBOX_PYTHON), "-m", "local_x3", "--scale", "0"]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=SANDBOX, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "--scale" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_it_ends_when_there_is_no_stdin() -> None:
    command = [str(SANDBOX_PYTHON), "-m", "local_x3", "--scale", "1", "--stop-with-stdin"]
    ended = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, cwd=SANDBOX, timeout=60, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert b'"ready": true' in ended.stdout


@pytest.mark.parametrize("end", ["stdin", "sigterm"])
def test_it_ends_with_its_stdin_and_on_sigterm(end: str) -> None:
    command = [str(SANDBOX_PYTHON), "-m", "local_x3", "--scale", "10", "--stop-with-stdin"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=SANDBOX) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert b'"ready": true' in process.stdout.readline()
        if end == "sigterm":
            process.terminate()
        else:
            process.stdin.close()
        assert process.wait(timeout=20) == 0


def test_the_ready_line_has_what_a_starter_needs(x3: X3Client) -> None:
    assert x3.ready["ready"] is True
    assert x3.ready["audience"] == f"{x3.url}/xtrem/api"
    names = {
        "ready",
        "url",
        "folder",
        "username",
        "password",
        "client_id",
        "client_secret",
        "allowed_user",
        "audience",
        "cloud",
    }
    assert set(x3.ready) == names
    cloud = {
        "token_url",
        "authorise_url",
        "customer",
        "redirect_uri",
        "client_id",
        "client_secret",
        "refresh_token",
    }
    assert set(x3.ready["cloud"]) == cloud
