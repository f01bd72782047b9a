"""api1: lists, keyset paging, details, prototypes, refusals."""

from __future__ import annotations

import re
import typing as t
from decimal import Decimal
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from x3_client import X3Client, decoded, diagnosis

if t.TYPE_CHECKING:
    from x3_control import X3Control

BASE = "/api1/x3/erp/SEED"


def test_default_page_holds_20_records(x3: X3Client) -> None:
    answer = decoded(x3.rest("PORDER"))
    assert answer["$itemsPerPage"] == len(answer["$resources"]) == 20


def test_count_is_capped_at_1000_and_the_page_says_so(x3: X3Client) -> None:
    answer = decoded(x3.rest("PORDER", count="5000"))
    assert answer["$itemsPerPage"] == 1000
    assert "$next" not in answer["$links"]
    assert "count=1000" in answer["$links"]["$first"]["$url"]


@pytest.mark.parametrize("count", ["0", "-1", "x", "1.5", "²"])
def test_count_must_be_a_positive_number(x3: X3Client, count: str) -> None:
    answer = x3.rest("PORDER", count=count)
    assert answer.status_code == 400
    assert "count" in diagnosis(answer)


def test_resources_carry_their_envelope_and_header_columns_only(x3: X3Client) -> None:
    (row,) = x3.rows("PORDER", count="1")
    assert {"$uuid", "$etag", "$key", "$url", "POHNUM", "UPDDATTIM", "UPDDAT"} <= set(row)
    assert row["$url"].startswith(f"{x3.url}{BASE}/PORDER('")
    assert "POHPOQ" not in row
    assert "TOTORD" not in row


def test_a_class_without_details_has_all_columns_in_its_list(x3: X3Client, truth: X3Control) -> None:
    (row,) = x3.rows("BPSUPPLIER", count="1")
    native = truth.rows("BPSUPPLIER", limit=1)[0]
    assert {name: value for name, value in row.items() if not name.startswith("$")} == {
        name: value for name, value in native.items() if name in row
    }
    assert len(row) > 30


def test_next_links_are_absolute_and_lead_through_every_record_once(x3: X3Client, truth: X3Control) -> None:
    first = decoded(x3.rest("GACCENTRY", count="7"))
    link = urlsplit(first["$links"]["$next"]["$url"])
    assert f"{link.scheme}://{link.netloc}" == x3.url
    assert parse_qs(link.query)["key"][0] == f"gt.{first['$resources'][-1]['$key']}"
    keys = [(row["TYP"], row["NUM"]) for row in x3.all_rows("GACCENTRY", count="7")]
    assert keys == [(row["TYP"], row["NUM"]) for row in truth.rows("GACCENTRY")]
    assert len(set(keys)) == 300


def test_next_keeps_filter_order_and_count(x3: X3Client, truth: X3Control) -> None:
    where, order = "CPY eq 'PP10'", "UPDDATTIM desc, POHNUM"
    found = x3.all_rows("PORDER", where=where, orderBy=order, count="3")
    wanted = [row for row in truth.rows("PORDER") if row["CPY"] == "PP10"]
    wanted.sort(key=lambda row: row["POHNUM"])
    wanted.sort(key=lambda row: row["UPDDATTIM"], reverse=True)
    assert len(wanted) > 10
    assert [row["POHNUM"] for row in found] == [row["POHNUM"] for row in wanted]


def test_a_full_last_page_has_a_next_link_to_an_empty_page(x3: X3Client) -> None:
    answer = decoded(x3.rest("GDIE", count="6"))
    assert len(answer["$resources"]) == 6
    after = decoded(x3.get(answer["$links"]["$next"]["$url"]))
    assert after["$resources"] == []
    assert "$next" not in after["$links"]


def test_prev_leads_back_and_is_absent_on_the_first_page(x3: X3Client) -> None:
    first = decoded(x3.rest("GDIE", count="2"))
    assert set(first["$links"]) == {"$first", "$last", "$next"}
    second = decoded(x3.get(first["$links"]["$next"]["$url"]))
    assert set(second["$links"]) == {"$first", "$last", "$next", "$prev"}
    assert second["$links"]["$prev"]["$url"].startswith(f"{x3.url}{BASE}/GDIE?")
    back = decoded(x3.get(second["$links"]["$prev"]["$url"]))
    assert back["$resources"] == first["$resources"]
    assert decoded(x3.get(second["$links"]["$first"]["$url"]))["$resources"] == first["$resources"]
    last = decoded(x3.get(second["$links"]["$last"]["$url"]))["$resources"]
    assert last == decoded(x3.rest("GDIE", count="100"))["$resources"][-2:]


def test_ties_of_the_sort_key_are_cut_off_at_a_page_end(x3: X3Client) -> None:
    by_stamp_only = x3.all_rows("GACCENTRY", orderBy="UPDDATTIM", count="7")
    with_key = x3.all_rows("GACCENTRY", orderBy="UPDDATTIM,TYP,NUM", count="7")
    assert len(with_key) == 300
    assert len(by_stamp_only) < 300


def test_key_directions(x3: X3Client) -> None:
    keys = [row["DIE"] for row in x3.rows("GDIE")]
    middle = keys[3]
    assert [row["DIE"] for row in x3.rows("GDIE", key=f"gt.{middle}")] == keys[4:]
    assert [row["DIE"] for row in x3.rows("GDIE", key=f"ge.{middle}", count="2")] == keys[3:5]
    assert [row["DIE"] for row in x3.rows("GDIE", key=f"lt.{middle}", count="2")] == keys[1:3]
    assert [row["DIE"] for row in x3.rows("GDIE", key=f"le.{middle}", count="2")] == keys[2:4]
    assert [row["DIE"] for row in x3.rows("GDIE", key="lt", count="2")] == keys[-2:]
    assert [row["DIE"] for row in x3.rows("GDIE", key="gt", count="2")] == keys[:2]


@pytest.mark.parametrize("key", ["FR", "xx.1", "gt1"])
def test_a_malformed_key_is_refused(x3: X3Client, key: str) -> None:
    assert x3.rest("GDIE", key=key).status_code == 400


def test_a_key_needs_all_its_parts(x3: X3Client) -> None:
    answer = x3.rest("GACCENTRY", key="gt.GEN")
    assert answer.status_code == 400
    assert "1 parts, expected 2" in diagnosis(answer)


def test_a_tilde_in_the_last_part_of_a_key_works(x3: X3Client) -> None:
    (entry,) = [row for row in x3.all_rows("GACCENTRY", count="200") if "~" in row["NUM"]]
    assert entry["$key"].count("~") > 1
    details = x3.details(entry)
    assert (details["TYP"], details["NUM"]) == (entry["TYP"], entry["NUM"])
    after = x3.rows("GACCENTRY", orderBy="TYP,NUM", key=f"ge.{entry['$key']}", count="1")
    assert after[0]["NUM"] == entry["NUM"]


def test_a_tilde_before_the_last_sort_value_makes_no_link(x3: X3Client) -> None:
    answer = x3.rest("BPSUPPLIER", orderBy="BPSNUM,BPSNAM", count="1")
    assert answer.status_code == 500
    assert "FR~0007" in diagnosis(answer)


@pytest.mark.parametrize("code", ["ORING~12", "NUT'8\"", "RÉF É/45 %"])
def test_awkward_keys_are_found_by_their_url(x3: X3Client, code: str) -> None:
    (row,) = x3.rows("ITMMASTER", where="ITMREF eq '{}'".format(code.replace("'", "''")))
    assert row["ITMREF"] == row["$key"] == x3.details(row)["ITMREF"] == code


def test_details_embed_the_lines_at_every_level(x3: X3Client, truth: X3Control) -> None:
    rows = x3.all_rows("GACCENTRY", count="300")
    found = [x3.details(row) for row in rows[:40]]
    lines = {(d["TYP"], d["NUM"], line["LIN"], line["LEDTYP"]) for d in found for line in d["HAEDAE"]}
    keys = {(d["TYP"], d["NUM"]) for d in found}
    native = [row for row in truth.rows("GACCENTRYD") if (row["TYP"], row["NUM"]) in keys]
    assert lines == {(row["TYP"], row["NUM"], row["LIN"], row["LEDTYP"]) for row in native}
    analytical = [a for d in found for line in d["HAEDAE"] for a in line["DAEDAA"]]
    assert analytical
    assert {"ANALIN", "DIE1", "CCE1", "DIE9", "CCE9", "UPDDATTIM", "$uuid"} <= set(analytical[0])


def test_details_show_references_with_a_title(x3: X3Client) -> None:
    details = x3.details(x3.rows("PORDER", count="1")[0])
    assert set(details["CUR_REF"]) == {"$title", "$description"}
    assert "PJTH_REF" in details or details["PJTH"] == ""


def test_a_missing_record_is_a_diagnosis_with_status_200(x3: X3Client) -> None:
    answer = x3.get(f"{BASE}/PORDER('NONE')?representation=PORDER.$details")
    assert answer.status_code == 200
    assert diagnosis(answer) == "721 : Record does not exist"


def test_details_need_a_key_with_all_parts(x3: X3Client) -> None:
    assert x3.get(f"{BASE}/GACCENTRY('GEN')?representation=GACCENTRY.$details").status_code == 400
    assert x3.rest("PORDER", facet="$details").status_code == 400


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{BASE}/NOPE?representation=NOPE.$query", 404),
        (f"{BASE}/PORDER", 400),
        (f"{BASE}/PORDER?representation=", 400),
        (f"{BASE}/PORDER?representation=SORDER.$query", 404),
        (f"{BASE}/PORDER?representation=PORDER.$nope", 404),
        (f"{BASE}/PORDER?representation=PORDER.$query&startIndex=1", 400),
        (f"{BASE}/PORDER?representation=PORDER.$query&count=1&count=2", 400),
        (f"{BASE}/PORDER?representation", 400),
        (f"{BASE}/PORDER('x?representation=PORDER.$details", 404),
        ("/api1/x3/erp/OTHER/PORDER?representation=PORDER.$query", 404),
        ("/api1/x3/erp/SEED", 404),
        ("/", 404),
    ],
)
def test_wrong_addresses_are_refused(x3: X3Client, path: str, status: int) -> None:
    assert x3.get(path).status_code == status


def test_representation_may_be_sent_encoded(x3: X3Client) -> None:
    assert x3.get(f"{BASE}/PORDER?representation=PORDER.%24query").status_code == 200


@pytest.mark.parametrize("auth", [None, ("INTERFACE", "wrong"), ("other", None)])
def test_basic_credentials_are_checked(x3: X3Client, auth: tuple[str, str | None] | None) -> None:
    given = None if auth is None else (auth[0], auth[1] or x3.basic[1])
    answer = x3.get(f"{BASE}/PORDER?representation=PORDER.$query", auth=given)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


def test_order_by_takes_facet_properties_only(x3: X3Client) -> None:
    answer = x3.rest("PORDER", orderBy="TOTORD desc")
    assert answer.status_code == 500
    assert "TOTORD" in diagnosis(answer)
    assert x3.rest("PORDER", orderBy="POHNUM down").status_code == 400
    assert x3.rest("PORDER", orderBy="UPDDATTIM;POHNUM Desc").status_code == 200


def test_prototypes_name_the_properties_of_each_facet(x3: X3Client) -> None:
    listed = decoded(x3.get(f"{BASE}/$prototypes('PORDER.$query')"))["$properties"]
    assert listed["POHNUM"]["$type"] == "application/x-string"
    assert listed["UPDDATTIM"]["$type"] == "application/x-datetime"
    assert "POHPOQ" not in listed
    whole = decoded(x3.get(f"{BASE}/%24prototypes('PORDER.%24details')"))["$properties"]
    assert whole["TOTORD"]["$type"] == "application/x-decimal"
    assert whole["POHPOQ"]["$item"]["$properties"]["QTYUOM"]["$type"] == "application/x-decimal"
    assert x3.get(f"{BASE}/$prototypes('NOPE.$query')").status_code == 404


def test_the_facet_lists_what_the_prototype_says(x3: X3Client) -> None:
    for rest_class in ("PORDER", "BPSUPPLIER", "GACCOUNT", "STOCK", "SINVOICEV"):
        names = decoded(x3.get(f"{BASE}/$prototypes('{rest_class}.$query')"))["$properties"]
        (row,) = x3.rows(rest_class, count="1")
        assert {name for name in row if not name.startswith("$")} == set(names)


def test_classes_differ_in_the_stamps_they_show(x3: X3Client) -> None:
    assert "UPDDATTIM" not in x3.rows("GACCOUNT", count="1")[0]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", x3.rows("GACCOUNT", count="1")[0]["UPDDAT"])
    assert not {"UPDDAT", "UPDDATTIM"} & set(x3.rows("STOCK", count="1")[0])
    assert x3.rest("STOCK", where="UPDDATTIM ge @2024-01-01T00:00:00Z@").status_code == 500


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_writes_are_refused_and_counted(own: X3Client, control: X3Control, method: str) -> None:
    answer = own.session.request(
        method, f"{own.url}{BASE}/PORDER?representation=PORDER.$edit", auth=own.basic, json={}, timeout=10
    )
    assert answer.status_code == 405
    assert control.counters()["writes_refused"] == 1


def test_numbers_come_with_every_digit(x3: X3Client, truth: X3Control) -> None:
    huge = [row for row in truth.rows("GACCENTRYD") if row["AMTCUR"] == Decimal("123456789012345.67")]
    assert huge
    row = huge[0]
    details = decoded(
        x3.get(f"{BASE}/GACCENTRY('{row['TYP']}~{row['NUM']}')?representation=GACCENTRY.$details")
    )
    assert Decimal("123456789012345.67") in [line["AMTCUR"] for line in details["HAEDAE"]]


def test_dates_are_the_servers_own(own: X3Client, control: X3Control) -> None:
    control.set_clock("2031-02-03T04:05:06Z", frozen=True)
    shown = parsedate_to_datetime(own.rest("GDIE").headers["Date"])
    assert shown.strftime("%Y-%m-%dT%H:%M:%SZ") == "2031-02-03T04:05:06Z"
