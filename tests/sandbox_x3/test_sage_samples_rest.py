"""The REST calls of Sage's public samples and help pages, made as they make them.

Only what the sources show is expected here: no knowledge of the local X3. Login and endpoint, which the
samples take from their configuration, are the server's.
"""

from __future__ import annotations

import base64
import http.client
import json
import re
import typing as t
from decimal import Decimal
from urllib.parse import quote, urlsplit

import pytest

if t.TYPE_CHECKING:
    from x3_client import X3Client

Page = dict[str, t.Any]


class Caller:
    """What the samples are: an HTTP client with Basic credentials on every call, and nothing else."""

    def __init__(self, x3: X3Client) -> None:
        """Take address and login."""
        self.server = x3.url
        self.base = f"{x3.url}/api1/x3/erp/{x3.ready['folder']}"
        self.token = "Basic " + base64.b64encode(":".join(x3.basic).encode()).decode()

    def get(self, url: str, **headers: str) -> tuple[int, Page]:
        """GET and decode."""
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        connection.request("GET", target, headers={"authorization": self.token, **headers})
        answer = connection.getresponse()
        body = json.loads(answer.read(), parse_float=Decimal)
        connection.close()
        return answer.status, body


@pytest.fixture(scope="module")
def sage(x3: X3Client) -> Caller:
    return Caller(x3)


def test_the_basic_auth_sample_lists_customers(sage: Caller) -> None:
    """AX, examples/basic-auth: status 200, and each of `$resources` has a code and a name."""
    status, result = sage.get(f"{sage.base}/BPCUSTOMER?representation=BPCUSTOMER.$query")
    assert status == 200
    assert len(result["$resources"]) == 20
    lines = [f"{row['BPCNUM']}:\t{row['BPCNAM']}" for row in result["$resources"]]
    assert len(set(lines)) == 20
    assert all(re.fullmatch(r"\S+:\t\S.*", line) for line in lines)


def test_the_paging_sample_follows_next_until_it_is_absent(sage: Caller, x3: X3Client) -> None:
    """AX, examples/paging: the loop ends at the page whose `$links` lacks `$next`."""
    url, pages = f"{sage.base}/BPCUSTOMER?representation=BPCUSTOMER.$query&count=20", 0
    numbers: list[str] = []
    while True:
        status, page = sage.get(url)
        assert status == 200
        pages += 1
        numbers.extend(row["BPCNUM"] for row in page["$resources"])
        if not page["$links"].get("$next"):
            break
        url = page["$links"]["$next"]["$url"]
        assert page["$links"]["$next"].keys() >= {"$url", "$type", "$method"}
        assert url.startswith("http")
    assert pages > 1
    assert len(numbers) == len(set(numbers)) == len(x3.all_rows("BPCUSTOMER", count="1000"))


def test_the_query_page_of_the_guide(sage: Caller) -> None:
    """WSQ: the envelope, `key=gt.` beside `count`, and the form of the links."""
    status, page = sage.get(f"{sage.base}/BPSUPPLIER?representation=BPSUPPLIER.$query&count=2&key=gt.S00001")
    assert status == 200
    assert page["$itemsPerPage"] == 2
    assert all(row["BPSNUM"] > "S00001" for row in page["$resources"])
    following = page["$links"]["$next"]
    assert (following["$type"], following["$method"]) == ("application/json", "GET")
    last_key = page["$resources"][-1]["BPSNUM"]
    assert re.fullmatch(
        rf"{re.escape(sage.base)}/BPSUPPLIER\?representation=BPSUPPLIER\.\$query&key=gt\.{last_key}&count=2",
        following["$url"],
    )
    assert page["$links"]["$last"]["$url"].endswith("&key=lt&count=2")
    status, last = sage.get(page["$links"]["$last"]["$url"])
    assert status == 200
    assert 0 < len(last["$resources"]) <= 2


def test_the_where_example_of_the_guide(sage: Caller) -> None:
    """WSQ: `where=left(BPCNAM,4) eq 'Test'`; nothing of that name is status 200 and an empty list (AGQ)."""
    (_, some) = sage.get(f"{sage.base}/BPCUSTOMER?representation=BPCUSTOMER.$query&count=1")
    name = some["$resources"][0]["BPCNAM"][:4]
    for wanted in ("Test", name):
        condition = quote(f"left(BPCNAM,4) eq '{wanted.replace(chr(39), chr(39) * 2)}'")
        status, page = sage.get(f"{sage.base}/BPCUSTOMER?representation=BPCUSTOMER.$query&where={condition}")
        assert status == 200
        assert all(row["BPCNAM"].startswith(wanted) for row in page["$resources"])
        assert bool(page["$resources"]) == (wanted == name)


@pytest.mark.parametrize("where", ["(CUR ne 'EUR')", "(upper(BPSNAM) like '%25A%25')", "BPSNUM eq 'S00001'"])
def test_other_documented_conditions(sage: Caller, where: str) -> None:
    """ITEM and SD212: in parentheses, with functions, `%` sent as `%25`."""
    address = f"{sage.base}/BPSUPPLIER?representation=BPSUPPLIER.%24query&count=100&where="
    status, page = sage.get(address + where.replace(" ", "%20"))
    assert status == 200
    assert page["$resources"]
    assert all("CUR" not in where or row["CUR"] != "EUR" for row in page["$resources"])


@pytest.mark.parametrize("order", ["BPCNAM desc, BPCNUM asc", "BPCNAM;BPCNUM Desc", "BPCNAM desc"])
def test_the_documented_orders(sage: Caller, order: str) -> None:
    """WSQ has commas and small letters, APIREQ a semicolon and `Desc`."""
    address = f"{sage.base}/BPCUSTOMER?representation=BPCUSTOMER.$query&count=100&orderBy={quote(order)}"
    status, page = sage.get(address)
    assert status == 200
    names = [row["BPCNAM"] for row in page["$resources"]]
    assert names == sorted(names, reverse="BPCNAM desc" in order)


def test_the_key_example_with_several_sort_properties(sage: Caller) -> None:
    """WSQ, ITEM: the values of the sort properties joined with `~`."""
    address = f"{sage.base}/BPCUSTOMER?representation=BPCUSTOMER.$query&orderBy=CUR,BPCNAM,BPCNUM&count=5"
    _, first = sage.get(address)
    last = first["$resources"][-1]
    key = quote(f"ge.{last['CUR']}~{last['BPCNAM']}~{last['BPCNUM']}")
    status, page = sage.get(f"{address}&key={key}")
    assert status == 200
    assert page["$resources"][0]["BPCNUM"] == last["BPCNUM"]


def test_the_details_page_of_the_guide(sage: Caller) -> None:
    """WSD: `$uuid`, `$etag`, the columns; lines as embedded arrays with a `$uuid` each; references twice."""
    _, page = sage.get(f"{sage.base}/PORDER?representation=PORDER.$query&count=1")
    number = page["$resources"][0]["POHNUM"]
    status, order = sage.get(f"{sage.base}/PORDER('{number}')?representation=PORDER.$details")
    assert status == 200
    assert order["POHNUM"] == number
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", order["$uuid"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", order["$etag"])
    lines = [value for value in order.values() if isinstance(value, list)]
    assert lines
    assert all("$uuid" in line for line in lines[0])
    assert order["CUR_REF"].keys() == {"$title", "$description"}


def test_a_composite_key_is_joined_with_a_tilde(sage: Caller) -> None:
    """WSD: the components of a composite key are separated by `~`."""
    _, page = sage.get(f"{sage.base}/GACCENTRY?representation=GACCENTRY.$query&count=1")
    row = page["$resources"][0]
    address = f"{sage.base}/GACCENTRY('{row['TYP']}~{row['NUM']}')?representation=GACCENTRY.$details"
    status, entry = sage.get(address)
    assert status == 200
    assert (entry["TYP"], entry["NUM"]) == (row["TYP"], row["NUM"])


def test_a_record_that_does_not_exist(sage: Caller) -> None:
    """L4G: HTTP 200 and a diagnosis."""
    status, answer = sage.get(f"{sage.base}/BPCUSTOMER('NOBODY')?representation=BPCUSTOMER.$details")
    assert status == 200
    (diagnosis,) = answer["$diagnoses"]
    assert diagnosis["$severity"] == "error"
    assert diagnosis["$message"] == "721 : Record does not exist"


def test_the_list_of_endpoints_of_the_guide(sage: Caller) -> None:
    """AGQ, APIREQ: the administration's collection, with `$query` raw or encoded."""
    path = f"{sage.server}/api1/syracuse/collaboration/syracuse/endPoints?representation=endPoints."
    for facet in ("$query", "%24query"):
        status, answer = sage.get(f"{path}{facet}&count=100")
        assert status == 200
        assert answer["$url"].endswith("&count=100")
        assert (answer["$descriptor"], answer["$startIndex"], answer["$itemsPerPage"]) == (
            "endPoints",
            1,
            100,
        )
        assert answer["$totalResults"] == len(answer["$resources"]) > 0
        assert {"$uuid", "$key", "$url", "$etag"} <= set(answer["$resources"][0])


def test_the_customers_example_of_the_requests_page(sage: Caller) -> None:
    """APIREQ: `x3/$$prod/FOLDER.BPCUSTOMER`, sorted by name."""
    folder = sage.base.rsplit("/", 1)[1]
    address = f"{sage.server}/api1/x3/$$prod/{folder}.BPCUSTOMER?representation=BPCUSTOMER.$query&count=20"
    status, page = sage.get(f"{address}&orderBy=BPCNAM%20desc")
    assert status == 200
    names = [row["BPCNAM"] for row in page["$resources"]]
    assert names == sorted(names, reverse=True)


def test_prototypes_as_the_web_services_notes_have_them(sage: Caller) -> None:
    """L4G: `$properties` with title and type; a collection is an array with `$item`."""
    status, found = sage.get(f"{sage.base}/$prototypes('PORDER.$details')")
    assert status == 200
    columns = found["$properties"]
    assert all({"$title", "$type"} <= set(column) for column in columns.values())
    types = {str(column["$type"]).removeprefix("application/x-") for column in columns.values()}
    assert types == {"string", "integer", "decimal", "date", "datetime", "array"}
    collections = [column for column in columns.values() if column["$type"] == "application/x-array"]
    assert all(column["$item"]["$properties"] for column in collections)


def test_the_calls_of_the_node_red_sample(sage: Caller) -> None:
    """NR: the legacy contract with its own Accept header; the cookie it is given is sent back."""
    folder = sage.base.rsplit("/", 1)[1]
    parts = urlsplit(sage.server)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    headers = {"authorization": sage.token, "accept": "application/json;vnd.sage=syracuse"}
    for _ in range(2):
        target = f"/sdata/x3/erp/{folder}/BPCUSTOMER?representation=BPCUSTOMER.$query&count=2"
        connection.request("GET", target, headers=headers)
        answer = connection.getresponse()
        assert answer.status == 200
        assert len(json.loads(answer.read())["$resources"]) == 2
        given = answer.headers.get("set-cookie")
        assert (given is None) == ("cookie" in headers)
        headers["cookie"] = (given or "").partition(";")[0]
    connection.close()


def test_the_calls_of_an_invoicing_controller(sage: Caller) -> None:
    """NIG: /sdata with a header for stateless calls, sales invoices by `$next`, with their lines."""
    folder = sage.base.rsplit("/", 1)[1]
    address = f"{sage.server}/sdata/x3/erp/{folder}/SINVOICEV"
    status, page = sage.get(
        f"{address}?representation=SINVOICEV.$query&count=3", **{"X-Requested-With": "stateless"}
    )
    assert status == 200
    status, more = sage.get(page["$links"]["$next"]["$url"], **{"X-Requested-With": "stateless"})
    assert status == 200
    assert {row["NUM"] for row in page["$resources"]}.isdisjoint(row["NUM"] for row in more["$resources"])
    number = page["$resources"][0]["NUM"]
    status, invoice = sage.get(
        f"{address}('{number}')?representation=SINVOICEV.$details", **{"X-Requested-With": "stateless"}
    )
    assert status == 200
    assert invoice["SIVSID"]
    assert {"ITMREF", "QTY"} <= set(invoice["SIVSID"][0])


@pytest.mark.parametrize("count", [1, 50, 100, 200, 1000, 5000, 10000])
def test_the_page_sizes_that_clients_ask_for(sage: Caller, count: int) -> None:
    """WSQ: the server may cap the size, and `$itemsPerPage` is the truth."""
    status, page = sage.get(f"{sage.base}/BPCUSTOMER?representation=BPCUSTOMER.$query&count={count}")
    assert status == 200
    assert len(page["$resources"]) <= page["$itemsPerPage"] <= count
