"""Facets, and what differs from site to site: classes and representations, filters, sharp edges."""

from __future__ import annotations

import datetime as dt
import typing as t

import pytest
from processes import server, start_server
from x3_client import X3Client, decoded, diagnosis

if t.TYPE_CHECKING:
    from pathlib import Path

    from x3_control import X3Control

BASE = "/api1/x3/erp/SEED"


def test_lookup_lists_the_key_and_a_name(x3: X3Client) -> None:
    page = decoded(x3.rest("BPSUPPLIER", facet="$lookup", count="2", orderBy="BPSNAM desc,BPSNUM"))
    assert [{name for name in row if name[0] != "$"} for row in page["$resources"]] == [
        {"BPSNUM", "BPSNAM"}
    ] * 2
    following = decoded(x3.get(page["$links"]["$next"]["$url"]))
    assert following["$resources"][0]["BPSNAM"] <= page["$resources"][-1]["BPSNAM"]
    assert ".$lookup&" in page["$links"]["$next"]["$url"]
    assert x3.rest("BPSUPPLIER", facet="$lookup", where="CUR eq 'EUR'").status_code == 500


def test_summary_shows_the_lists_columns_of_one_record(x3: X3Client) -> None:
    (listed,) = x3.rows("PORDER", count="1")
    answer = decoded(x3.get(f"{BASE}/PORDER('{listed['$key']}')?representation=PORDER.$summary"))
    assert answer == listed
    assert diagnosis(x3.get(f"{BASE}/PORDER('NONE')?representation=PORDER.$summary")).startswith("721")


def test_template_is_an_empty_record(x3: X3Client) -> None:
    empty = decoded(x3.rest("PORDER", facet="$template"))
    details = x3.details(x3.rows("PORDER", count="1")[0])
    assert empty["POHNUM"] == ""
    assert empty["TOTORD"] == 0
    assert empty["POHPOQ"] == []
    assert set(empty) == {name for name in details if name[0] != "$" and name[-4:] != "_REF"} - {
        "UPDDAT", "UPDDATTIM"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("facet", "key", "status"),
    [
        ("$query", "('x')", 400), ("$lookup", "('x')", 400), ("$template", "('x')", 400),
        ("$details", "", 400), ("$summary", "", 400), ("$nope", "", 404), ("", "", 404), ("query", "", 404),
    ],
)  # fmt: skip
def test_facets_take_a_key_or_none(x3: X3Client, facet: str, key: str, status: int) -> None:
    answer = x3.get(f"{BASE}/PORDER{key}?representation=PORDER.{facet}")
    assert answer.status_code == status
    assert diagnosis(answer)


@pytest.mark.parametrize("facet", ["$edit", "$create", "%24edit"])
@pytest.mark.parametrize("contract", ["/api1/x3/erp", "/sdata/x3/erp"])
def test_facets_that_begin_a_change_are_refused_and_counted(
    own: X3Client, control: X3Control, facet: str, contract: str
) -> None:
    key = own.rows("PORDER", count="1")[0]["$key"]
    answer = own.get(f"{contract}/SEED/PORDER('{key}')?representation=PORDER.{facet}")
    assert answer.status_code == 405
    assert "read-only" in diagnosis(answer)
    assert control.counters()["writes_refused"] == 1


def test_every_facet_has_a_prototype_of_what_it_shows(x3: X3Client) -> None:
    (listed,) = x3.rows("PORDER", count="1")
    shown = {
        "$query": listed,
        "$lookup": decoded(x3.rest("PORDER", facet="$lookup", count="1"))["$resources"][0],
        "$summary": listed,
        "$details": x3.details(listed),
        "$template": decoded(x3.rest("PORDER", facet="$template")),
    }
    for facet, record in shown.items():
        found = decoded(x3.get(f"{BASE}/$prototypes('PORDER.{facet}')"))["$properties"]
        assert set(found) == {name for name in record if name[0] != "$" and name[-4:] != "_REF"}, facet
        assert all({"$title", "$type"} <= set(described) for described in found.values())
    assert x3.get(f"{BASE}/$prototypes('PORDER.$edit')").status_code == 404
    assert x3.get(f"{BASE}/$prototypes('PORDER.$query')?count=1").status_code == 400


def test_prototypes_tell_lengths_scales_and_what_is_mandatory(x3: X3Client) -> None:
    found = decoded(x3.get(f"{BASE}/$prototypes('PORDER.$details')"))["$properties"]
    assert found["POHNUM"]["$isMandatory"] is True
    assert "$isMandatory" not in found["TOTORD"]
    assert found["POHNUM"]["$maxLength"] == 20
    assert found["TOTORD"]["$scale"] == 4
    line = found["POHPOQ"]["$item"]["$properties"]
    assert line["POPLIN"]["$isMandatory"] is True
    lines = x3.details(x3.rows("PORDER", count="1")[0])["POHPOQ"]
    assert set(line) == {name for name in lines[0] if name[0] != "$" and name[-4:] != "_REF"}
    entry = decoded(x3.get(f"{BASE}/$prototypes('GACCENTRY.$details')"))["$properties"]
    assert "UPDDAT" not in entry["HAEDAE"]["$item"]["$properties"]


def test_a_site_can_lack_a_class(own: X3Client, control: X3Control) -> None:
    control.rest_site(absent=["STOCK"])
    assert own.rest("STOCK").status_code == 404
    assert own.get(f"{BASE}/$prototypes('STOCK.$query')").status_code == 404
    assert own.rest("PORDER").status_code == 200
    control.reset()
    assert own.rest("STOCK").status_code == 200


def test_a_site_can_have_representations_of_its_own(own: X3Client, control: X3Control) -> None:
    control.rest_site(representations={"STOCK": {"ZSTOCK": ["$query", "$details"]}})
    answer = own.rest("STOCK")
    assert answer.status_code == 404
    assert "Representation STOCK" in diagnosis(answer)
    page = decoded(own.get(f"{BASE}/STOCK?representation=ZSTOCK.$query&count=1"))
    assert "ZSTOCK.$details" in page["$resources"][0]["$url"]
    assert "ZSTOCK.$query" in page["$links"]["$next"]["$url"]
    assert own.details(page["$resources"][0])["$key"] == page["$resources"][0]["$key"]
    assert decoded(own.get(f"{BASE}/$prototypes('ZSTOCK.$query')"))["$key"] == "ZSTOCK.$query"
    assert own.get(f"{BASE}/STOCK?representation=ZSTOCK.$lookup").status_code == 404


def test_list_and_record_can_be_in_different_representations(own: X3Client, control: X3Control) -> None:
    control.rest_site(representations={"SINVOICEV": {"SINVOICEV": ["$query"], "EDISIHTR": ["$details"]}})
    (row,) = own.rows("SINVOICEV", count="1")
    assert "representation=EDISIHTR.$details" in row["$url"]
    assert own.details(row)["SIVSID"]
    assert own.get(f"{BASE}/SINVOICEV('{row['$key']}')?representation=SINVOICEV.$details").status_code == 404


def test_a_class_can_have_only_a_list_or_only_records(own: X3Client, control: X3Control) -> None:
    control.rest_site(representations={"PORDER": {"PORDER": ["$query"]}, "STOCK": {"STOCK": ["$details"]}})
    (row,) = own.rows("PORDER", count="1")
    assert own.get(row["$url"]).status_code == 404
    assert own.get(f"{BASE}/$prototypes('PORDER.$details')").status_code == 404
    assert own.rest("STOCK").status_code == 404
    assert own.get(f"{BASE}/$prototypes('STOCK.$details')").status_code == 200


def test_stamps_can_be_chosen_with_the_site(own: X3Client, control: X3Control) -> None:
    control.rest_site(stamps={"PORDER": ["UPDDAT"], "STOCK": ["UPDDATTIM"]})
    assert {"UPDDAT", "UPDDATTIM"} & set(own.rows("PORDER", count="1")[0]) == {"UPDDAT"}
    assert {"UPDDAT", "UPDDATTIM"} & set(own.rows("STOCK", count="1")[0]) == {"UPDDATTIM"}


def test_predefined_filters(own: X3Client, control: X3Control) -> None:
    rows = control.rows("PORDER")
    limit = sorted(row["TOTORD"] for row in rows)[len(rows) // 2]
    control.rest_site(
        filters={"PORDER": {"BIG": f"TOTORD gt {limit}"}}
    )  # a column that the list does not show
    big = {row["POHNUM"] for row in rows if row["TOTORD"] > limit}
    assert 0 < len(big) < len(rows)
    assert {row["POHNUM"] for row in own.all_rows("PORDER", filter="BIG", count="2")} == big
    number = min(big)
    assert [row["POHNUM"] for row in own.rows("PORDER", filter="BIG", where=f"POHNUM eq '{number}'")] == [
        number
    ]
    answer = own.rest("PORDER", filter="NOPE")
    assert answer.status_code == 400
    assert "Filter NOPE" in diagnosis(answer)


def test_the_last_page_can_come_without_links(own: X3Client, control: X3Control) -> None:
    control.rest_site(bare_last_page=True)
    assert "$links" in decoded(own.rest("GDIE", count="2"))
    assert "$links" not in decoded(own.rest("GDIE", count="500"))


def test_two_conditions_can_end_the_session(own: X3Client, control: X3Control) -> None:
    two = "CUR eq 'EUR' and ENAFLG eq 2"
    assert own.rest("BPSUPPLIER", where=two).status_code == 200
    control.rest_site(quirks={"two_conditions": True})
    assert own.rest("BPSUPPLIER", where=two).status_code == 500
    assert own.rest("BPSUPPLIER", where="CUR eq 'EUR' or ENAFLG eq 2").status_code == 500
    assert own.rest("BPSUPPLIER", where="CUR eq 'EUR'").status_code == 200
    stamp = "UPDDATTIM ge @2025-01-01T00:00:00Z@"
    assert own.rest("BPSUPPLIER", where=f"{stamp} and BPSNUM gt 'S' and CUR eq 'EUR'").status_code == 200


def test_more_than_zero_can_end_the_session(own: X3Client, control: X3Control) -> None:
    control.rest_site(quirks={"above_zero": ["OSTAUZAMT"]})
    answer = own.rest("BPSUPPLIER", where="OSTAUZAMT gt 0")
    assert answer.status_code == 500
    assert diagnosis(answer)
    assert own.rest("BPSUPPLIER", where="OSTAUZAMT gt 0.0").status_code == 500
    assert own.rest("BPSUPPLIER", where="OSTAUZAMT ge 0").status_code == 200
    assert own.rest("BPSUPPLIER", where="ORDMINAMT gt 0").status_code == 200


def test_a_long_list_behind_not_can_be_refused(own: X3Client, control: X3Control) -> None:
    values = ", ".join(f"'S{number:05d}'" for number in range(1, 12))
    assert own.rest("BPSUPPLIER", where=f"not (BPSNUM in ({values}))").status_code == 200
    control.rest_site(quirks={"long_not_in": 10})
    assert own.rest("BPSUPPLIER", where=f"not (BPSNUM in ({values}))").status_code == 400
    assert own.rest("BPSUPPLIER", where=f"BPSNUM in ({values})").status_code == 200
    assert own.rest("BPSUPPLIER", where="not (BPSNUM in ('S00001'))").status_code == 200


@pytest.mark.parametrize(
    "given",
    [
        {"absent": ["NOPE"]}, {"nope": 1}, {"stamps": {"PORDER": ["CREDAT"]}}, {"licences": -1},
        {"representations": {"PORDER": {"PORDER": ["$edit"]}}}, {"utc_offset": "1 hour"},
    ],
)  # fmt: skip
def test_a_site_that_makes_no_sense_is_refused(
    own: X3Client, control: X3Control, given: dict[str, t.Any]
) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        control.rest_site(**given)
    assert own.rest("PORDER").status_code == 200


def test_a_file_says_what_the_site_is_like(tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    file.write_text(
        'absent = ["STOCK"]\n[stamps]\nPORDER = []\n[quirks]\nlong_not_in = 5\n', encoding="utf-8"
    )
    with server("local_x3", "--scale", "4", "--rest-site", str(file)) as running:
        client = X3Client(running.ready)
        assert client.rest("STOCK").status_code == 404
        assert not {"UPDDAT", "UPDDATTIM"} & set(client.rows("PORDER", count="1")[0])
        client.close()


@pytest.mark.parametrize("text", ["absent = 1", "absent =", 'absent = ["NOPE"]'])
def test_a_wrong_file_ends_the_start_with_a_reason(tmp_path: Path, text: str) -> None:
    file = tmp_path / "site.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(RuntimeError, match="--rest-site"):
        start_server("local_x3", "--scale", "4", "--rest-site", str(file))


def test_a_condition_on_stamp_or_key_builds_no_document(control: X3Control, own: X3Client) -> None:
    def built() -> int:
        return int(control.rest_site()["documents_built"]["GACCENTRY"])

    before = built()
    where = "UPDDATTIM ge @2099-01-01T00:00:00Z@"
    for more in ("", " and TYP eq 'GEN'", " and CPY eq 'PP10'"):
        assert own.rows("GACCENTRY", where=f"{where}{more}", orderBy="UPDDATTIM,TYP,NUM") == []
    assert built() == before
    assert len(own.rows("GACCENTRY", orderBy="UPDDATTIM desc,TYP,NUM", count="3")) == 3
    assert built() - before == 3


@pytest.mark.parametrize("offset", ["-08:00", "+13:00"])
def test_days_are_those_of_the_servers_calendar(tmp_path: Path, offset: str) -> None:
    file = tmp_path / "site.toml"
    file.write_text(f'utc_offset = "{offset}"')
    with server("local_x3", "--scale", "60", "--rest-site", str(file)) as running:
        x3 = X3Client(running.ready)
        for name in ("PORDER", "BPSUPPLIER"):
            rows = x3.all_rows(name, count="1000")
            days = {row["$key"]: own_day(row["UPDDATTIM"], offset) for row in rows}
            assert {row["$key"]: row["UPDDAT"] for row in rows} == days
            assert any(row["UPDDAT"] != row["UPDDATTIM"][:10] for row in rows)
            middle = sorted(days.values())[len(days) // 2]
            found = {row["$key"] for row in x3.all_rows(name, count="1000", where=f"UPDDAT ge @{middle}@")}
            assert found == {key for key, day in days.items() if day >= middle}
        details = x3.details(x3.rows("PORDER", count="1")[0])
        assert details["UPDDAT"] == own_day(details["UPDDATTIM"], offset)
        assert all(line["UPDDAT"] == own_day(line["UPDDATTIM"], offset) for line in details["POHPOQ"])
        x3.close()


def own_day(stamp: str, offset: str) -> str:
    """The day of a UTC stamp in the zone of an offset."""
    hours = dt.timedelta(hours=int(offset[:3]))
    return (dt.datetime.fromisoformat(stamp) + hours).date().isoformat()


def test_a_change_leaves_the_servers_day(own: X3Client, control: X3Control) -> None:
    control.rest_site(utc_offset="-08:00")
    control.set_clock("2031-02-04T03:00:00Z", frozen=True)
    control.touch("PORDER", own.rows("PORDER", count="1")[0]["$key"])
    control.mass_update("BPSUPPLIER", limit=2)
    control.add("GDIE", {"DIE": "NEW"})
    for name, count in (("PORDER", 1), ("BPSUPPLIER", 2), ("GDIE", 1)):
        rows = own.rows(name, where="UPDDATTIM eq @2031-02-04T03:00:00Z@ and UPDDAT eq currentDate()")
        assert [row["UPDDAT"] for row in rows] == ["2031-02-03"] * count
        assert own.rows(name, where="UPDDAT ge @2031-02-04@") == []


def test_a_day_that_a_test_sets_is_the_one_that_lists_find(own: X3Client, control: X3Control) -> None:
    key = own.rows("PORDER", count="1")[0]["$key"]
    control.set("PORDER", key, {"UPDDAT": "2035-05-05"}, stamp=None)
    assert [row["$key"] for row in own.rows("PORDER", where="UPDDAT eq @2035-05-05@")] == [key]


def test_a_class_of_lines_lists_them_with_their_stamps(own: X3Client, control: X3Control) -> None:
    assert own.rest("PORDERQ").status_code == 404
    control.rest_site(line_classes={"ZLINES": "PORDERQ"})
    where = "POHNUM eq '" + control.rows("PORDERQ", limit=1)[0]["POHNUM"] + "'"
    order = "POHNUM asc,POPLIN asc,POQSEQ asc"
    listed = own.rows("ZLINES", where=where, orderBy=order, count="100")
    (document,) = own.rows("PORDER", where=where)
    embedded = own.details(document)["POHPOQ"]
    assert len(listed) == len(embedded) > 0
    for row, line in zip(listed, embedded, strict=True):
        shown = {name: row[name] for name in line if name in row and name[0] != "$"}
        assert shown == {name: line[name] for name in shown}
        assert {"POHNUM", "POPLIN", "POQSEQ", "UPDDATTIM", "UPDDAT"} <= set(row)


def test_a_class_of_lines_shows_each_change(own: X3Client, control: X3Control) -> None:
    control.rest_site(line_classes={"PORDERQ": "PORDERQ"})
    before = own.rows("PORDERQ", count="1000", orderBy="UPDDATTIM desc")
    line = control.rows("PORDERQ", limit=1)[0]
    control.set("PORDERQ", [line["POHNUM"], line["POPLIN"], line["POQSEQ"]], {"RCPQTYSTU": 5})
    after = own.rows("PORDERQ", count="1000", orderBy="UPDDATTIM desc")
    assert len(after) == len(before)
    newest = max(row["UPDDATTIM"] for row in before)
    changed = [row for row in after if row["UPDDATTIM"] > newest]
    assert [(row["POHNUM"], row["POPLIN"], row["POQSEQ"], row["RCPQTYSTU"]) for row in changed] == [
        (line["POHNUM"], line["POPLIN"], line["POQSEQ"], 5)
    ]


def test_classes_of_ledger_lines_have_no_day_of_change(own: X3Client, control: X3Control) -> None:
    control.rest_site(line_classes={"GACCENTRYD": "GACCENTRYD", "GACCENTRYA": "GACCENTRYA"})
    for name, key in (("GACCENTRYD", {"TYP", "NUM"}), ("GACCENTRYA", {"TYP", "NUM", "LIN", "LEDTYP"})):
        row = own.rows(name, count="1")[0]
        assert key | {"UPDDATTIM"} <= set(row)
        assert "UPDDAT" not in row
        assert own.rest(name, facet="$details").status_code == 404


@pytest.mark.parametrize(("name", "table"), [("PORDER", "PORDERQ"), ("ZLINES", "PORDER"), ("ZLINES", "NONE")])
def test_a_class_of_lines_needs_a_new_name_and_a_table_of_lines(
    control: X3Control, name: str, table: str
) -> None:
    with pytest.raises(Exception, match=f"{name} lists {table}"):
        control.rest_site(line_classes={name: table})
