"""Stamps that mislead: open transactions, mass updates, many rows of one second."""

from __future__ import annotations

import typing as t

import pytest
from x3_client import X3Client, decoded

if t.TYPE_CHECKING:
    from x3_control import X3Control

EARLY, LATE = "2031-01-02T03:04:05Z", "2031-01-02T04:04:05Z"


def names(x3: X3Client) -> dict[str, str]:
    return {row["BPSNUM"]: row["BPSNAM"] for row in x3.rows("BPSUPPLIER", count="1000")}


def test_a_late_commit_shows_an_early_stamp(own: X3Client, control: X3Control) -> None:
    control.set_clock(EARLY, frozen=True)
    open_one = control.begin()
    before = names(own)
    made = control.set("BPSUPPLIER", "S00001", {"BPSNAM": "Late"}, transaction=open_one)
    assert (made["BPSNAM"], made["UPDDATTIM"]) == ("Late", EARLY)
    control.set_clock(LATE, frozen=True)
    assert names(own) == before
    assert own.rows("BPSUPPLIER", where=f"UPDDATTIM ge @{EARLY}@") == []
    assert control.commit(open_one) == 1
    (row,) = own.rows("BPSUPPLIER", where=f"UPDDATTIM ge @{EARLY}@")
    assert (row["BPSNUM"], row["BPSNAM"], row["UPDDATTIM"]) == ("S00001", "Late", EARLY)
    control.reset_clock()  # tokens are made by real time
    (node,) = own.nodes("x3MasterData", "supplier", "_updateStamp", "filter: \"{companyName1:'Late'}\"")
    assert node == {"_updateStamp": EARLY.replace("Z", ".000Z")}


def test_documents_and_lines_come_and_go_with_the_commit(own: X3Client, control: X3Control) -> None:
    control.set_clock(EARLY, frozen=True)
    order, gone = (row["POHNUM"] for row in control.rows("PORDER", limit=2))
    work = control.begin("posting")
    control.add("PORDER", {"POHNUM": "NEW", "POHPOQ": [{"POPLIN": 1000, "POQSEQ": 1}]}, transaction=work)
    control.set("PORDERQ", ["NEW", 1000, 1], {"ITMREF": "LATER"}, transaction=work)
    control.add_line("PORDERQ", "PORDER", order, {"POPLIN": 99000, "POQSEQ": 1}, transaction=work)
    control.remove("PORDER", gone, transaction=work)
    numbers = {row["POHNUM"] for row in control.rows("PORDER")}
    assert gone in numbers
    assert "NEW" not in numbers
    assert control.commit(work) == 3
    assert {row["POHNUM"] for row in control.rows("PORDER")} == numbers - {gone} | {"NEW"}
    details = decoded(own.get("/api1/x3/erp/SEED/PORDER('NEW')?representation=PORDER.$details"))
    assert [line["ITMREF"] for line in details["POHPOQ"]] == ["LATER"]
    assert 99000 in {row["POPLIN"] for row in control.rows("PORDERQ") if row["POHNUM"] == order}


def test_a_rollback_leaves_nothing(own: X3Client, control: X3Control) -> None:
    before = control.rows("PORDERQ"), control.rows("PORDER")
    work = control.begin()
    control.mass_update("PORDERQ", values={"ITMREF": "GONE"}, transaction=work)
    control.add("PORDER", {"POHNUM": "NEW"}, transaction=work)
    control.rollback(work)
    assert (control.rows("PORDERQ"), control.rows("PORDER")) == before
    assert own.rows("PORDER", where="POHNUM eq 'NEW'") == []
    with pytest.raises(ValueError, match="no transaction 'T1' is open; open: none"):
        control.commit(work)


def test_several_transactions_are_open_at_once_and_lock_what_they_touch(
    own: X3Client, control: X3Control
) -> None:
    one, two = control.begin(), control.begin("two")
    control.set("BPSUPPLIER", "S00001", {"BPSNAM": "One"}, transaction=one)
    control.set("BPSUPPLIER", "S00002", {"BPSNAM": "Two"}, transaction=two)
    with pytest.raises(ValueError, match=r"\('S00001',\) is locked by transaction T1"):
        control.touch("BPSUPPLIER", "S00001", transaction=two)
    with pytest.raises(ValueError, match="locked by transaction two"):
        control.remove("BPSUPPLIER", "S00002")
    with pytest.raises(ValueError, match="locked by transaction T1"):
        control.mass_update("BPSUPPLIER")
    control.touch("BPSUPPLIER", "S00003")
    control.commit(two)
    assert {name for name in names(own).values() if name in {"One", "Two"}} == {"Two"}
    control.touch("BPSUPPLIER", "S00002")
    control.commit(one)
    assert names(own)["S00001"] == "One"
    with pytest.raises(ValueError, match="'two' is open already"):
        control.begin(control.begin("two"))


def test_a_mass_update_stamps_all_rows_of_a_table_with_one_second(own: X3Client, control: X3Control) -> None:
    lines = control.rows("GACCENTRYD")
    headers = control.rows("GACCENTRY")
    changed = control.mass_update("GACCENTRYD", values={"MTC": "ZZ"}, stamp=EARLY)
    assert changed == {"rows": len(lines), "stamp": EARLY}
    assert {(row["MTC"], row["UPDDATTIM"]) for row in control.rows("GACCENTRYD")} == {("ZZ", EARLY)}
    assert control.rows("GACCENTRY") == headers  # lines are stamped apart from their header
    control.set_clock(LATE)  # it goes on, the stamp does not
    assert control.mass_update("BPSUPPLIER")["rows"] == 22
    assert len({row["UPDDATTIM"] for row in own.rows("BPSUPPLIER", count="100")}) == 1


def test_a_mass_update_takes_some_rows(control: X3Control) -> None:
    currencies = [row["CUR"] for row in control.rows("BPSUPPLIER")]
    euros = currencies.count("EUR")
    assert control.mass_update("BPSUPPLIER", match={"CUR": "EUR"})["rows"] == euros
    assert control.mass_update("BPSUPPLIER", every=3)["rows"] == 8
    assert control.mass_update("BPSUPPLIER", every=3, limit=2, stamp=EARLY)["rows"] == 2
    stamped = [row["BPSNUM"] for row in control.rows("BPSUPPLIER") if row["UPDDATTIM"] == EARLY]
    keys = [row["BPSNUM"] for row in control.rows("BPSUPPLIER")]
    assert stamped == [keys[0], keys[3]]
    assert control.mass_update("BPSUPPLIER", values={"BPSNAM": "x"}, stamp=None)["rows"] == 22
    assert {row["BPSNAM"] for row in control.rows("BPSUPPLIER")} == {"x"}
    assert [row["BPSNUM"] for row in control.rows("BPSUPPLIER") if row["UPDDATTIM"] == EARLY] == stamped
    with pytest.raises(ValueError, match="BPSUPPLIER has no column NOPE"):
        control.mass_update("BPSUPPLIER", match={"NOPE": 1})


def test_rows_of_one_second_page_whole(own: X3Client, control: X3Control) -> None:
    """Ties over several pages: an order that ends with the key gives each row once."""
    control.mass_update("BPSUPPLIER", stamp=EARLY)
    rows = own.all_rows("BPSUPPLIER", orderBy="UPDDATTIM,BPSNUM", count="5")
    assert [row["BPSNUM"] for row in rows] == sorted(names(own))
    connection = own.query(
        "x3MasterData", "supplier", "edges { cursor node { _id } } pageInfo { endCursor hasNextPage }",
        'first: 5, orderBy: "{_updateStamp:1,_id:1}"',
    )  # fmt: skip
    assert len(connection["edges"]) == 5
    assert connection["pageInfo"]["hasNextPage"] is True


def test_stamps_and_the_date_header_follow_the_servers_clock(own: X3Client, control: X3Control) -> None:
    for moment, date in (
        ("2031-01-02T03:04:05Z", "Thu, 02 Jan 2031 03:04:05 GMT"),
        ("2019-12-31T23:59:59Z", "Tue, 31 Dec 2019 23:59:59 GMT"),
    ):
        control.set_clock(moment, frozen=True)
        assert control.touch("BPSUPPLIER", "S00001")["UPDDATTIM"] == moment
        assert own.rest("GDIE").headers["Date"] == date
