"""Faults on demand: which answers they spoil, and how."""

from __future__ import annotations

import json
import socket
import time
import typing as t
from urllib.parse import urlsplit

import pytest
import requests
from x3_client import X3Client, decoded

if t.TYPE_CHECKING:
    from x3_control import Record, X3Control

PAGE = "edges { cursor node { _id } } pageInfo { endCursor hasNextPage }"
VARIABLES = "query q($first: Int, $after: String)"
ORDER = 'orderBy: "{_id:1}"'


def rest_pages(x3: X3Client, size: int = 5, most: int = 12) -> list[list[str]]:
    """Keys of each page, following `$next`; at most so many pages."""
    answer = decoded(x3.rest("BPSUPPLIER", count=str(size)))
    pages = [[row["BPSNUM"] for row in answer["$resources"]]]
    while (link := answer["$links"].get("$next")) and len(pages) < most:
        answer = decoded(x3.get(link["$url"]))
        pages.append([row["BPSNUM"] for row in answer["$resources"]])
    return [page for page in pages if page]


def graphql_pages(x3: X3Client, size: int = 5, most: int = 12) -> list[list[str]]:
    """Keys of each page, following `endCursor`, which goes in as a variable; at most so many pages."""
    pages: list[list[str]] = []
    variables: Record = {"first": size, "after": None}
    call = f"query(first: $first, after: $after, {ORDER})"
    query = f"{VARIABLES} {{ x3MasterData {{ supplier {{ {call} {{ {PAGE} }} }} }} }}"
    while len(pages) < most:
        found = decoded(x3.post(query, variables=variables))
        assert "errors" not in found, found["errors"]
        connection = found["data"]["x3MasterData"]["supplier"]["query"]
        pages.append([edge["node"]["_id"] for edge in connection["edges"]])
        if not connection["pageInfo"]["hasNextPage"]:
            break
        variables = {**variables, "after": connection["pageInfo"]["endCursor"]}
    return [page for page in pages if page]


BOTH = pytest.mark.parametrize("pages", [rest_pages, graphql_pages], ids=["rest", "graphql"])
Pages = t.Callable[..., list[list[str]]]


@BOTH
def test_a_page_can_come_twice_with_a_link_that_leads_on(
    own: X3Client, control: X3Control, pages: Pages
) -> None:
    right = pages(own)
    control.faults({"fault": "repeat", "nth": 2})
    assert pages(own) == [right[0], right[0], *right[2:]]
    control.faults({"fault": "repeat", "nth": 2, "times": 2})
    assert pages(own)[:4] == [right[0], right[0], right[1], right[3]]


@BOTH
def test_a_page_can_lead_to_itself(own: X3Client, control: X3Control, pages: Pages) -> None:
    right = pages(own)
    control.faults({"fault": "loop", "nth": 2, "times": 3})
    assert pages(own) == [right[0], right[1], right[1], right[1], right[1], *right[2:]]


@BOTH
def test_a_page_can_shrink_although_more_follows(own: X3Client, control: X3Control, pages: Pages) -> None:
    right = pages(own)
    control.faults({"fault": "shrink", "nth": 2, "keep": 2})
    found = pages(own)
    assert [len(page) for page in found] == [5, 2, 5, 5, 5]
    assert [key for page in found for key in page] == [key for page in right for key in page]
    control.faults({"fault": "shrink", "times": 100})
    assert {len(page) for page in pages(own, most=5)} == {1}


def test_a_shrunk_page_still_tells_the_size_that_was_asked_for(own: X3Client, control: X3Control) -> None:
    control.faults({"fault": "shrink", "keep": 3})
    page = decoded(own.rest("BPSUPPLIER", count="5"))
    assert (page["$itemsPerPage"], len(page["$resources"])) == (5, 3)
    assert page["$links"]["$next"]["$url"].endswith("&count=5")


@pytest.mark.parametrize("arguments", ["", "first: 5", ORDER, f"first: 5, {ORDER}"])
def test_each_form_of_a_graphql_list_shrinks(own: X3Client, control: X3Control, arguments: str) -> None:
    control.faults({"fault": "shrink", "keep": 3})
    found = own.query("x3MasterData", "supplier", PAGE, arguments)
    assert (len(found["edges"]), found["pageInfo"]["hasNextPage"]) == (3, True)


def test_only_next_names_another_host(own: X3Client, control: X3Control) -> None:
    right = decoded(own.rest("BPSUPPLIER", count="2"))
    control.faults({"fault": "next_host", "origin": "https://erp.example.com"})
    found = decoded(own.rest("BPSUPPLIER", count="2"))
    there, here = (urlsplit(page["$links"]["$next"]["$url"]) for page in (found, right))
    assert (there.scheme, there.netloc) == ("https", "erp.example.com")
    assert (there.path, there.query) == (here.path, here.query)
    assert found["$resources"] == right["$resources"]


def test_records_change_between_two_pages(own: X3Client, control: X3Control) -> None:
    """Commands run before and after the n-th request: the second page is the last to know."""
    first = rest_pages(own)[0]
    control.faults(
        {
            "fault": "none",
            "on": "rest_query",
            "nth": 2,
            "before": [{"do": "remove", "table": "BPSUPPLIER", "key": first[0]}],
            "after": [{"do": "set", "table": "BPSUPPLIER", "key": first[1], "values": {"BPSNAM": "After"}}],
        }
    )
    own.rest("BPSUPPLIER")
    assert first[0] in {row["BPSNUM"] for row in control.rows("BPSUPPLIER")}
    shown = {row["BPSNUM"]: row["BPSNAM"] for row in own.rows("BPSUPPLIER", count="100")}
    assert first[0] not in shown
    assert shown[first[1]] != "After"
    assert own.rows("BPSUPPLIER", where=f"BPSNUM eq '{first[1]}'")[0]["BPSNAM"] == "After"


def test_commands_of_a_rule_are_checked_when_it_is_set(control: X3Control) -> None:
    with pytest.raises(ValueError, match="clock: Object contains unknown field `hour`"):
        control.faults({"fault": "none", "before": [{"do": "clock", "hour": 3}]})
    with pytest.raises(ValueError, match="do must be one of"):
        control.faults({"fault": "none", "after": [{"do": "nope"}]})


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ({"fault": "nope"}, "nope"),
        ({"fault": "status", "nth": 0}, "nth"),
        ({"fault": "status", "on": "everything"}, "everything"),
        ({"fault": "status", "status": 99}, "status"),
        ({"fault": "slow", "seconds": -1}, "seconds"),
        ({"fault": "slow", "second": 1}, "second"),
        ({"fault": "partial", "on": "rest_query"}, "partial strikes graphql only, not rest_query"),
        ({}, "fault"),
    ],
)
def test_rules_that_make_no_sense_are_refused(control: X3Control, rule: Record, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        control.faults(rule)


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_any_status_can_strike_either_api(own: X3Client, control: X3Control, status: int) -> None:
    control.faults({"fault": "status", "status": status, "retry_after": "3", "times": 2})
    for answer in (own.rest("GDIE"), own.post("{ __typename }")):
        assert (answer.status_code, answer.headers["Retry-After"]) == (status, "3")


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("rest_query", "/api1/x3/erp/SEED/GDIE?representation=GDIE.$query"),
        ("rest_details", "/api1/x3/erp/SEED/GDIE('CCT')?representation=GDIE.$details"),
        ("rest_prototypes", "/api1/x3/erp/SEED/$prototypes('GDIE.$query')"),
        ("rest_admin", "/api1/syracuse/collaboration/syracuse/endPoints?representation=endPoints.$query"),
        ("sdata", "/sdata/x3/erp/SEED/GDIE?representation=GDIE.$query"),
        ("cloud", "/v1/folders"),
        ("unknown", "/nowhere"),
    ],
)
def test_faults_know_each_kind_of_address(own: X3Client, control: X3Control, kind: str, path: str) -> None:
    right = own.get(path)
    control.faults({"fault": "unauthorized", "on": kind})
    own.post("{ __typename }")
    refused = own.get(path)
    assert refused.status_code == 401
    if path.startswith(("/api1", "/sdata")):
        assert refused.headers["WWW-Authenticate"] == 'Basic realm="syracuse"'
    assert own.get(path).status_code == right.status_code


def test_a_refused_credential_is_refused_in_the_words_of_its_api(own: X3Client, control: X3Control) -> None:
    control.faults({"fault": "unauthorized", "times": 2})
    rest, graphql = own.rest("GDIE"), own.post("{ __typename }")
    assert (rest.status_code, rest.json()["$diagnoses"][0]["$message"]) == (401, "Unauthorized")
    assert rest.headers["WWW-Authenticate"] == 'Basic realm="syracuse"'
    assert (graphql.status_code, graphql.text) == (401, "Error 50: Invalid token")


def test_a_truncated_answer_has_a_right_length(own: X3Client, control: X3Control) -> None:
    right = own.rest("GDIE")
    control.faults({"fault": "truncated"})
    short = own.rest("GDIE")
    assert short.content == right.content[: len(right.content) // 2]
    assert int(short.headers["Content-Length"]) == len(short.content)
    with pytest.raises(json.JSONDecodeError):
        json.loads(short.text)


def test_a_slow_body_comes_in_pieces(own: X3Client, control: X3Control) -> None:
    right = own.rest("GDIE").content
    control.faults({"fault": "trickle", "pieces": 4, "seconds": 0.15})
    begun = time.monotonic()
    answer = own.get(
        "/api1/x3/erp/SEED/GDIE?representation=GDIE.$query", timeout=0.5
    )  # no single read is late
    assert answer.content == right
    assert time.monotonic() - begun >= 0.45


def test_bodies_can_be_chunked_and_compressed(own: X3Client, control: X3Control) -> None:
    right = own.rest("GDIE").content
    control.faults({"fault": "chunked", "pieces": 7}, {"fault": "gzip", "nth": 2, "times": 2})
    chunked = own.rest("GDIE")
    assert (chunked.headers["Transfer-Encoding"], chunked.content) == ("chunked", right)
    assert "Content-Length" not in chunked.headers
    packed = own.rest("GDIE")
    assert (packed.headers["Content-Encoding"], packed.content) == ("gzip", right)
    plain = own.rest("GDIE") if own.session.headers.pop("Accept-Encoding") else None
    assert plain is not None
    assert plain.content == right
    own.session.headers["Accept-Encoding"] = "gzip, deflate"


def test_two_faults_spoil_one_answer_together(own: X3Client, control: X3Control) -> None:
    control.faults({"fault": "gzip"}, {"fault": "next_host"})
    found = decoded(own.rest("BPSUPPLIER", count="2"))
    assert found["$links"]["$next"]["$url"].startswith("http://other-host.invalid/")


def test_a_kept_connection_can_be_closed_between_two_requests(own: X3Client, control: X3Control) -> None:
    parts = urlsplit(own.url)
    request = f"GET /v1 HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode()
    control.faults({"fault": "closed", "nth": 2})
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10) as connection:
        connection.sendall(request)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        connection.sendall(request)
        answer = b""
        while part := connection.recv(65536):
            answer += part
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b"Connection: close" not in answer


def test_a_fault_can_wait_for_a_text_in_the_body(own: X3Client, control: X3Control) -> None:
    control.faults({"fault": "html", "on": "graphql", "text": "customer"})
    assert own.query("x3MasterData", "supplier", "totalCount")["totalCount"] == 22
    answer = own.post("{ x3MasterData { customer { query { totalCount } } } }")
    assert (answer.status_code, answer.text[:15]) == (200, "<!DOCTYPE html>")


def test_spoilt_numbers_keep_their_digits(own: X3Client, control: X3Control) -> None:
    """Faults that rewrite a page read and write it exactly."""
    control.set("BPSUPPLIER", rest_pages(own)[0][0], {"OSTAUZAMT": 12345678901234567})
    right = decoded(own.rest("BPSUPPLIER", count="3"))["$resources"]
    control.faults({"fault": "next_host"})
    assert decoded(own.rest("BPSUPPLIER", count="3"))["$resources"] == right


def test_the_connection_is_kept_after_an_ordinary_answer(own: X3Client) -> None:
    adapter = t.cast("t.Any", own.session.get_adapter(own.url))
    own.rest("GDIE")
    pool = adapter.poolmanager.connection_from_url(own.url)
    before = pool.num_connections
    for _ in range(3):
        assert own.rest("GDIE").status_code == requests.codes.ok
    assert pool.num_connections == before
