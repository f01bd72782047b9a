"""Who may call Xtrem: tokens claim by claim, Basic, the endpoint header, the release."""

from __future__ import annotations

import subprocess
import time
import typing as t

import pytest
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


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--scale", "0"], "--scale"),
        (["--scale", "many"], "--scale"),
        (["--fixture", "/nowhere"], "--fixture: /nowhere is not a folder"),
        (["--entities", "/nowhere"], "--entities: /nowhere is not a folder"),
        (["--x3-version", "V99"], "--x3-version"),
    ],
)
def test_a_wrong_command_line_is_explained(arguments: list[str], text: str) -> None:
    command = [str(SANDBOX_PYTHON), "-m", "local_x3", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=SANDBOX, timeout=30, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert text in ended.stderr
    assert "Traceback" not in ended.stderr


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
