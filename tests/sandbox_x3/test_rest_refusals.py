"""Requests that are wrong: each gets its diagnosis, whatever the bytes."""

from __future__ import annotations

import http.client
import socket
import typing as t
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from x3_client import X3Client, decoded, diagnosis

if t.TYPE_CHECKING:
    import requests
    from x3_control import X3Control

BASE = "/api1/x3/erp/SEED"
LIST = f"{BASE}/PORDER?representation=PORDER.$query"
SLOW_SECONDS = 10


@pytest.mark.parametrize(
    ("more", "status", "text"),
    [
        ("&startIndex=1", 400, "Unknown parameter startIndex"),
        ("&select=POHNUM", 400, "Unknown parameter select"),
        ("&Count=1", 400, "Unknown parameter Count"),
        ("&count=1&count=2", 400, "count is given twice"),
        ("&count", 400, "not name=value"),
        ("&=1", 400, "not name=value"),
        ("&", 400, "not name=value"),
        ("&count=0", 400, "count"),
        ("&count=00", 400, "count"),
        ("&count=+5", 400, "count"),
        ("&count=%D9%A5", 400, "count"),
        ("&count=" + "9" * 5000, 200, ""),
        ("&count=", 400, "count"),
        ("&key=", 400, "key"),
        ("&key=gt.a~b", 200, ""),
        ("&key=GT.a", 400, "key"),
        ("&orderBy=POHNUM,", 400, "orderBy"),
        ("&orderBy=POHNUM,,CPY", 400, "orderBy"),
        ("&orderBy=POHNUM,POHNUM desc", 400, "orderBy"),
        ("&orderBy=POHNUM sideways", 400, "orderBy"),
        ("&orderBy=left(POHNUM,1)", 400, "orderBy"),
        ("&orderBy=NOPE", 500, "NOPE does not exist"),
        ("&orderBy=TOTORD", 500, "TOTORD does not exist"),
        ("&where=", 400, "Syntax error"),
        ("&where=POHNUM eq 'A+B' or%", 400, "percent-encoding"),
        ("&where=%zz", 400, "percent-encoding"),
        ("&where=%C3", 400, "Not UTF-8"),
        ("&where=%FF%FE", 400, "Not UTF-8"),
        ("&%C3=1", 400, "Not UTF-8"),
        ("&filter=", 400, "Filter"),
    ],
)
def test_wrong_parameters_of_a_list(x3: X3Client, more: str, status: int, text: str) -> None:
    answer = x3.raw(LIST + more.replace(" ", "%20"))
    assert answer.status_code == status
    assert text in (diagnosis(answer) if status != 200 else "")


@pytest.mark.parametrize(
    ("target", "status", "text"),
    [
        (f"{BASE}/NOPE?representation=NOPE.$query", 404, "Class NOPE"),
        (f"{BASE}/porder?representation=PORDER.$query", 404, "Class porder"),
        (f"{BASE}/PORDER", 400, "representation is mandatory"),
        (f"{BASE}/PORDER?count=1", 400, "representation is mandatory"),
        (f"{BASE}/PORDER?representation=BPSUPPLIER.$query", 404, "Representation BPSUPPLIER"),
        (f"{BASE}/PORDER?representation=PORDER", 404, "Facet"),
        (f"{BASE}/PORDER?representation=PORDER.$query?count=20", 404, "Facet"),
        (f"{BASE}/PORDER('A)?representation=PORDER.$details", 404, "Not found"),
        (f"{BASE}/PORDER(A)?representation=PORDER.$details", 404, "Not found"),
        (f"{BASE}/PORDER('A'B')?representation=PORDER.$details", 404, "Not found"),
        (f"{BASE}/PORDER('A')/POHPOQ?representation=PORDER.$details", 404, "Not found"),
        (f"{BASE}/PORDER('')?representation=PORDER.$details", 200, "721"),
        (f"{BASE}/PORDER('%00')?representation=PORDER.$details", 200, "721"),
        (f"{BASE}/PORDER('%')?representation=PORDER.$details", 400, "percent-encoding"),
        (f"{BASE}/PORDER('%E9')?representation=PORDER.$details", 400, "Not UTF-8"),
        (f"{BASE}/PORDER('A')?representation=PORDER.$details&count=1", 400, "Unknown parameter count"),
        (f"{BASE}/STOCK('FR011~x')?representation=STOCK.$details", 400, "not a number"),
        (f"{BASE}/STOCK('FR011~NaN')?representation=STOCK.$details", 400, "not a number"),
        (f"{BASE}/STOCK?representation=STOCK.$query&key=gt.FR011~Infinity", 400, "not a number"),
        (f"{BASE}/STOCK?representation=STOCK.$query&key=gt.FR011~1e99", 400, "not a number"),
        (f"{BASE}/", 404, "Not found"),
        (f"{BASE}", 404, "Not found"),
        (f"{BASE}/$prototypes", 404, "Prototype"),
        (f"{BASE}/$prototypes('PORDER')", 404, "Prototype"),
        ("/api1/x3/erp/OTHER/PORDER?representation=PORDER.$query", 404, "Endpoint OTHER"),
        ("/api1/x3/erp/%C3/PORDER?representation=PORDER.$query", 400, "Not UTF-8"),
        ("/api1/x3/hrm/SEED/PORDER?representation=PORDER.$query", 404, "Not found"),
        ("/api1", 404, "Not found"),
        ("/api1/", 404, "Not found"),
        ("/sdata", 404, "Not found"),
    ],
)
def test_wrong_addresses(x3: X3Client, target: str, status: int, text: str) -> None:
    answer = x3.raw(target)
    assert answer.status_code == status
    assert text in diagnosis(answer)


def test_a_plus_is_a_space_in_the_query(x3: X3Client) -> None:
    assert x3.raw(f"{LIST}&where=POHNUM+ne+'A'&count=1").status_code == 200
    assert x3.raw(f"{LIST}&where=1%20%2B%201%20eq%202&count=1").status_code == 200
    assert x3.raw(f"{LIST}&where=1%20+%201%20eq%202&count=1").status_code == 400


def test_an_address_that_is_too_long_is_refused(x3: X3Client) -> None:
    short = f"{LIST}&where=" + quote("POHNUM in ('" + "','".join(["X" * 20] * 250) + "')")
    assert 7000 < len(short) < 8000
    assert x3.raw(short).status_code == 200
    answer = x3.raw(f"{short}{'%20' * 400}")
    assert answer.status_code == 414
    assert "8000" in diagnosis(answer)


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/json", 200),
        ("application/json;vnd.sage=syracuse", 200),
        ("text/html, application/json;q=0.5", 200),
        ("*/*", 200),
        ("text/html", 406),
        ("application/xml", 406),
        ("application/atom+xml, text/xml", 406),
    ],
)
def test_clients_must_take_json(x3: X3Client, accept: str, status: int) -> None:
    answer = x3.get(LIST, headers={"Accept": accept})
    assert answer.status_code == status
    assert status == 200 or accept in diagnosis(answer)


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_an_address_must_be_ascii(x3: X3Client, encoding: str) -> None:
    parts = urlsplit(x3.url)
    login = x3.session.get(f"{x3.url}{LIST}", auth=x3.basic, timeout=10).request.headers["Authorization"]
    line = f"GET {LIST}&where=CPY%20eq%20'é' HTTP/1.1"
    head = f"{line}\r\nAuthorization: {login}\r\nConnection: close\r\n\r\n"
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10) as connection:
        connection.sendall(head.encode(encoding))
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"not percent-encoded" in answer


def test_head_is_answered_without_a_body(x3: X3Client) -> None:
    answer = x3.session.head(f"{x3.url}{LIST}", auth=x3.basic, timeout=10)
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["Content-Length"]) > 0


def test_a_refused_request_does_not_end_the_connection(x3: X3Client) -> None:
    parts = urlsplit(x3.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    login = x3.session.get(f"{x3.url}{LIST}", auth=x3.basic, timeout=10).request.headers["Authorization"]
    for target, status in ((f"{LIST}&where=%zz", 400), (f"{BASE}/NOPE", 404), (LIST, 200)):
        connection.request("GET", target, headers={"Authorization": login})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == status
    connection.close()


def test_other_methods_are_refused_on_every_contract(own: X3Client, control: X3Control) -> None:
    targets = (
        LIST,
        "/sdata/x3/erp/SEED/PORDER?representation=PORDER.$query",
        "/api1/x3/$$prod/SEED.PORDER?representation=PORDER.$create",
        "/api1/syracuse/collaboration/syracuse/endPoints?representation=endPoints.$query",
    )
    for number, target in enumerate(targets, start=1):
        answer = own.session.post(f"{own.url}{target}", json={}, auth=own.basic, timeout=10)
        assert answer.status_code == 405
        assert "GET" in answer.headers["Allow"]
        assert control.counters()["writes_refused"] == number


VOCABULARY = """
/ // /api1 /sdata /x3 /erp /$$prod /SEED . /PORDER BPSUPPLIER (' ') ~ $prototypes % %24 %00 %FF %C3%A9 .. ' ?
& = /syracuse/collaboration/syracuse/endPoints representation= PORDER.$query PORDER.$details
BPSUPPLIER.$lookup # endPoints.$query count= 5 -1
key=gt. key=lt orderBy= POHNUM where= 1+eq+1 startIndex=2 filter=x
"""
PIECES = st.sampled_from(VOCABULARY.split())
WHOLE = st.sampled_from(
    [
        f"{LIST}&count=3",
        f"{LIST}&orderBy=CPY%20desc,POHNUM&key=lt.PP10~A&where=CPY%20ne%20'x'",
        f"{BASE}/BPSUPPLIER('S00001')?representation=BPSUPPLIER.$details",
        f"{BASE}/$prototypes('PORDER.$details')",
        "/api1/x3/$$prod/SEED.PORDER?representation=PORDER.$lookup&key=gt.P",
        "/api1/syracuse/collaboration/syracuse/endPoints?representation=endPoints.$query&count=100",
    ]
)
FIXED = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])


def check(answer: requests.Response) -> None:
    """A list, a record, a prototype, or a diagnosis; a 500 is only legal for an unknown property."""
    assert answer.elapsed.total_seconds() < SLOW_SECONDS
    body = decoded(answer) if answer.status_code == 200 else answer.json()
    if answer.status_code == 200:
        assert {"$resources", "$uuid", "$properties", "$diagnoses"} & set(body) or "POHNUM" in body
        return
    assert answer.status_code in {400, 404, 405, 414, 500}
    message = body["$diagnoses"][0]["$message"]
    assert answer.status_code != 500 or "does not exist" in message, message


@settings(FIXED, max_examples=150)
@given(pieces=st.lists(PIECES, min_size=1, max_size=10), contract=st.sampled_from([BASE, "/api1", LIST]))
def test_no_address_breaks_the_server(x3: X3Client, pieces: list[str], contract: str) -> None:
    target = contract + "".join(pieces)
    path = target.partition("?")[0].partition("#")[0]
    if path.startswith("/api1/") or path == "/api1":  # others are not the REST side's
        check(x3.raw(target))


@settings(FIXED, max_examples=150)
@given(whole=WHOLE, piece=PIECES, place=st.floats(min_value=0, max_value=1), width=st.integers(0, 6))
def test_no_spoiled_address_breaks_the_server(
    x3: X3Client, whole: str, piece: str, place: float, width: int
) -> None:
    head = len("/api1/")
    start = head + int((len(whole) - head) * place)
    check(x3.raw(whole[:start] + piece + whole[start + width :]))
