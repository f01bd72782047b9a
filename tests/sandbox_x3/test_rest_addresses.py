"""Other addresses of the REST side: the list of endpoints, `$$prod`, `/sdata/` with its sessions."""

from __future__ import annotations

import typing as t
import uuid

import pytest
from x3_client import X3Client, decoded, diagnosis

if t.TYPE_CHECKING:
    from x3_control import X3Control

ADMIN = "/api1/syracuse/collaboration/syracuse/endPoints"
LIST = f"{ADMIN}?representation=endPoints.$query"
SDATA = "/sdata/x3/erp/SEED"
SUPPLIERS = f"{SDATA}/BPSUPPLIER?representation=BPSUPPLIER.$query"
COOKIE = "syracuse.sid.8124"


def test_the_list_of_endpoints_has_an_envelope_of_its_own(x3: X3Client) -> None:
    target = f"{ADMIN}?representation=endPoints.%24query&count=100"
    answer = decoded(x3.get(target))
    assert answer["$url"] == f"{x3.url}{target}"
    assert (answer["$descriptor"], answer["$startIndex"], answer["$itemsPerPage"]) == ("endPoints", 1, 100)
    assert answer["$totalResults"] == len(answer["$resources"])
    assert {"$ui"} <= set(answer)
    assert x3.ready["folder"] in [row["dataset"] for row in answer["$resources"]]
    for row in answer["$resources"]:
        assert row["$key"] == row["$uuid"] == str(uuid.UUID(row["$uuid"]))
        assert row["$etag"] == 1
        assert row["$url"] == f"{ADMIN}('{row['$uuid']}')?representation=endPoint.$details"
        assert decoded(x3.get(row["$url"])) == row


def test_x3_lists_have_no_total(x3: X3Client) -> None:
    assert not {"$totalResults", "$startIndex"} & set(decoded(x3.rest("BPSUPPLIER")))


def test_endpoints_are_filtered_and_paged_by_index(x3: X3Client) -> None:
    everything = decoded(x3.get(LIST))["$resources"]
    assert len(everything) > 1
    first = decoded(x3.get(f"{LIST}&count=1"))
    second = decoded(x3.get(first["$links"]["$next"]["$url"]))
    assert [*first["$resources"], *second["$resources"]] == everything[:2]
    assert second["$startIndex"] == 2
    assert "$links" not in decoded(x3.get(f"{LIST}&startIndex={len(everything)}"))
    (one,) = decoded(x3.get(f"{LIST}&where=dataset eq 'SEED'"))["$resources"]
    assert one["dataset"] == "SEED"


def test_administration_ignores_a_condition_on_an_unknown_property(x3: X3Client) -> None:
    everything = decoded(x3.get(LIST))
    assert decoded(x3.get(f"{LIST}&where=nope eq 1"))["$resources"] == everything["$resources"]
    assert x3.get(f"{LIST}&where=dataset eq").status_code == 400


@pytest.mark.parametrize(
    ("target", "status"),
    [
        (ADMIN, 400),
        (f"{ADMIN}?representation=endPoint.$query", 404),
        (f"{ADMIN}?representation=endPoints.$details", 404),
        (f"{ADMIN}('x')?representation=endPoints.$query", 404),
        (f"{LIST}&orderBy=dataset", 400),
        (f"{LIST}&startIndex=0", 400),
        (f"{LIST}&count=none", 400),
        ("/api1/syracuse/collaboration/syracuse/users?representation=users.$query", 404),
    ],
)
def test_wrong_administration_requests_are_refused(x3: X3Client, target: str, status: int) -> None:
    answer = x3.get(target)
    assert answer.status_code == status
    assert diagnosis(answer)


def test_an_endpoint_that_there_is_not(x3: X3Client) -> None:
    answer = x3.get(f"{ADMIN}('{uuid.uuid4()}')?representation=endPoint.$details")
    assert (answer.status_code, diagnosis(answer)) == (200, "721 : Record does not exist")


@pytest.mark.parametrize("prod", ["$$prod", "%24%24prod"])
def test_the_alternate_form_gives_the_same_records(x3: X3Client, prod: str) -> None:
    base = f"/api1/x3/{prod}/SEED.BPSUPPLIER"
    page = decoded(x3.get(f"{base}?representation=BPSUPPLIER.$query&count=3"))
    same = x3.rows("BPSUPPLIER", count="3")
    shown = [{name: row[name] for name in row if name != "$url"} for row in page["$resources"]]
    assert shown == [{name: row[name] for name in row if name != "$url"} for row in same]
    following = decoded(x3.get(page["$links"]["$next"]["$url"]))
    assert following["$resources"][0]["BPSNUM"] > same[-1]["BPSNUM"]
    assert page["$links"]["$next"]["$url"].startswith(f"{x3.url}/api1/x3/$$prod/SEED.BPSUPPLIER?")
    assert x3.details(page["$resources"][0])["BPSNUM"] == same[0]["BPSNUM"]


@pytest.mark.parametrize("rest", ["OTHER.BPSUPPLIER", "BPSUPPLIER", "SEED.", "SEED.NOPE", ""])
def test_wrong_alternate_addresses_are_refused(x3: X3Client, rest: str) -> None:
    answer = x3.get(f"/api1/x3/$$prod/{rest}?representation=BPSUPPLIER.$query")
    assert answer.status_code == 404
    assert diagnosis(answer)


def test_sdata_gives_the_same_records_and_pages_by_index(own: X3Client) -> None:
    wanted = [row["BPSNUM"] for row in own.all_rows("BPSUPPLIER", count="500")]
    page = decoded(own.get(f"{SUPPLIERS}&startIndex=1&count=7"))
    found = page["$resources"]
    assert "startIndex=8" in page["$links"]["$next"]["$url"]
    assert page["$links"]["$next"]["$url"].startswith(f"{own.url}{SDATA}/")
    while link := page["$links"].get("$next"):
        page = decoded(own.get(link["$url"]))
        found.extend(page["$resources"])
    assert [row["BPSNUM"] for row in found] == wanted
    back = decoded(own.get(f"{SUPPLIERS}&startIndex=15&count=7"))["$links"]["$prev"]["$url"]
    assert [row["BPSNUM"] for row in decoded(own.get(back))["$resources"]] == wanted[7:14]
    assert own.get(f"{SUPPLIERS}&startIndex=1&key=gt.S").status_code == 400
    assert own.get(f"{SUPPLIERS}&startIndex=0").status_code == 400


def fresh(own: X3Client, target: str = SUPPLIERS, **headers: str) -> t.Any:  # noqa: ANN401 - requests' answer
    """A call without any cookie."""
    own.session.cookies.clear()
    return own.get(target, headers=headers)


def test_each_sdata_call_without_cookie_takes_a_licence_token(own: X3Client, control: X3Control) -> None:
    control.rest_site(licences=3)
    first = fresh(own)
    assert COOKIE in first.cookies
    for _ in range(4):  # `requests` sends the cookie from now on
        assert own.get(SUPPLIERS).status_code == 200
    assert control.counters()["licence_tokens_taken"] == 1
    assert COOKIE in fresh(own).cookies
    assert COOKIE in fresh(own, Cookie=f"{COOKIE}=nobodys").cookies
    assert control.counters()["licence_tokens_taken"] == 3
    refused = fresh(own)
    assert refused.status_code == 503
    assert "licence" in diagnosis(refused)
    assert own.rest("BPSUPPLIER").status_code == 200  # api1 takes none
    assert control.counters()["licence_tokens_taken"] == 3


def test_a_licence_token_is_free_again_when_its_session_was_idle(own: X3Client, control: X3Control) -> None:
    control.set_clock("2031-02-03T04:05:06Z", frozen=True)
    control.rest_site(licences=1)
    assert fresh(own).status_code == 200
    control.advance(19 * 60)
    assert own.get(SUPPLIERS).status_code == 200  # with its cookie: idle no longer
    control.advance(19 * 60)
    assert fresh(own).status_code == 503
    control.advance(60)
    assert fresh(own).status_code == 200


def test_stateless_sdata_calls_keep_no_licence_token(own: X3Client, control: X3Control) -> None:
    control.rest_site(licences=1)
    for _ in range(3):
        answer = fresh(own, **{"X-Requested-With": "stateless"})
        assert answer.status_code == 200
    assert control.counters()["licence_tokens_taken"] == 3


def test_a_refused_sdata_call_has_opened_its_session(own: X3Client, control: X3Control) -> None:
    answer = fresh(own, f"{SDATA}/NOPE?representation=NOPE.$query")
    assert answer.status_code == 404
    assert COOKIE in answer.cookies
    assert control.counters()["licence_tokens_taken"] == 1


def test_sdata_needs_credentials_like_api1(x3: X3Client) -> None:
    assert x3.get(SUPPLIERS, auth=None).status_code == 401
    assert x3.get(LIST, auth=None).status_code == 401


def test_api1_has_no_cookie_and_no_start_index(x3: X3Client) -> None:
    assert "Set-Cookie" not in x3.rest("BPSUPPLIER").headers
    assert x3.rest("BPSUPPLIER", startIndex="1").status_code == 400
