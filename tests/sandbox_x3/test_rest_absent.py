"""What REST lacks or mixes at a site: columns, collections, dimensions, `$prototypes`, kinds of documents."""

from __future__ import annotations

import typing as t

import pytest
from x3_client import X3Client, decoded, diagnosis

if t.TYPE_CHECKING:
    from x3_control import X3Control

BASE = "/api1/x3/erp/SEED"


def properties(x3: X3Client, facet: str) -> dict[str, t.Any]:
    found: dict[str, t.Any] = decoded(x3.get(f"{BASE}/$prototypes('{facet}')"))["$properties"]
    return found


def test_a_column_that_a_site_lacks_is_nowhere(own: X3Client, control: X3Control) -> None:
    column = "POHFCY"
    assert column in own.rows("PORDER", count="1")[0]
    control.rest_site(absent=[f"PORDER.{column}"])
    (row,) = own.rows("PORDER", count="1")
    assert column not in row
    assert column not in own.details(row)
    assert f"{column}_REF" not in own.details(row)
    assert column not in decoded(own.rest("PORDER", facet="$template"))
    assert column not in properties(own, "PORDER.$query") | properties(own, "PORDER.$details")
    assert own.rest("PORDER", where=f"{column} eq 'A'").status_code == 500
    assert own.rest("PORDER", orderBy=f"{column}").status_code == 500
    control.reset()
    assert column in own.rows("PORDER", count="1")[0]


def test_a_collection_and_columns_of_lines_that_a_site_lacks(own: X3Client, control: X3Control) -> None:
    control.rest_site(absent=["GACCENTRY.HAEDAE.AMTCUR", "GACCENTRY.HAEDAE.DAEDAA", "PORDER.POHPOQ"])
    entry = own.details(own.rows("GACCENTRY", count="1")[0])
    assert entry["HAEDAE"]
    assert not {"AMTCUR", "DAEDAA"} & entry["HAEDAE"][0].keys()
    assert (
        not {"AMTCUR", "DAEDAA"}
        & properties(own, "GACCENTRY.$details")["HAEDAE"]["$item"]["$properties"].keys()
    )
    assert "POHPOQ" not in own.details(own.rows("PORDER", count="1")[0])


def test_a_site_can_have_fewer_dimensions(own: X3Client, control: X3Control) -> None:
    control.rest_site(absent=["GACCENTRY.HAEDAE.DAEDAA.DIE4"])
    entries = [own.details(row) for row in own.rows("GACCENTRY", count="20")]
    rows = [row for entry in entries for line in entry["HAEDAE"] for row in line["DAEDAA"]]
    assert {"DIE3", "CCE3"} <= rows[0].keys()
    assert not {"DIE4", "CCE4", "DIE9"} & {name for row in rows for name in row}


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("PORDER.POHNUM", "part of the key"),
        ("PORDER.NOPE", "no column or collection NOPE"),
        ("PORDER.POHPOQ.NOPE", "no column or collection NOPE"),
        ("PORDER.NOPE.NETPRI", "NOPE is no collection"),
        ("NOPE.POHNUM", "class NOPE not found"),
    ],
)
def test_a_path_that_leads_nowhere_is_refused(control: X3Control, path: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        control.rest_site(absent=[path])


def test_a_site_can_have_no_prototypes(own: X3Client, control: X3Control) -> None:
    control.rest_site(prototypes=False)
    answer = own.get(f"{BASE}/$prototypes('PORDER.$query')")
    assert answer.status_code == 404
    assert diagnosis(answer)
    assert own.rest("PORDER").status_code == 200


def test_a_class_can_list_all_records_of_its_table(own: X3Client, control: X3Control) -> None:
    purchasing = {row["NUM"] for row in own.all_rows("PINVOICE", count="100")}
    financial = {row["NUM"] for row in own.all_rows("BPSINV", count="100")}
    assert purchasing
    assert financial
    assert not purchasing & financial
    control.rest_site(both_kinds=True)
    for name, own_kind, lines in (("PINVOICE", purchasing, "PIHPID"), ("BPSINV", financial, "BISBIL")):
        rows = own.all_rows(name, count="7", orderBy="NUM")
        assert [row["NUM"] for row in rows] == sorted(purchasing | financial)
        for row in rows:
            assert bool(own.details(row)[lines]) is (row["NUM"] in own_kind)
    told = {row["NUM"] for row in own.all_rows("BPSINV", where="ORIMOD eq 4", count="100")}
    assert told == purchasing
    sales = {row["NUM"] for row in own.all_rows("SINVOICEV", count="100")}
    listed = {row["NUM"] for row in own.all_rows("BPCINV", count="100")}
    assert sales < listed
    assert sales == {row["NUM"] for row in control.rows("SINVOICEV")}
