"""The commands on what a real run of the target wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from audit_messages import amount, load, stream

if TYPE_CHECKING:
    from audit_console import Console

AMOUNT = {"type": ["number", "null"], "multipleOf": 0.0001}
TEXT = {"type": ["string", "null"], "maxLength": 20}
WHOLE = {"type": ["integer", "null"]}
HEADERS = {
    "id": TEXT,
    "entryType": TEXT,
    "internalNumber": WHOLE,
    "billBySupplier": TEXT,
    "totalAmountExcludingTax": AMOUNT,
    "totalAmountIncludingTax": AMOUNT,
    "dueDate": {"type": ["string", "null"], "format": "date"},
}
LINES = {"id": TEXT, "lineNumber": WHOLE, "lineAmountExcludingTax": AMOUNT}
ENTRIES = {"entryType": TEXT, "id": TEXT, "journal": TEXT}
GL_LINES = {
    "entryType": TEXT,
    "id": TEXT,
    "lineNumber": WHOLE,
    "ledgerType": TEXT,
    "businessPartner": TEXT,
    "controlAccount": TEXT,
    "sign": WHOLE,
    "amountInCurrency": AMOUNT,
    "internalNumber": WHOLE,
}
ALLOCATIONS = {
    "entryType": TEXT,
    "id": TEXT,
    "lineNumber": WHOLE,
    "ledgerType": TEXT,
    "analyticalLineNumber": WHOLE,
    "sign": WHOLE,
    "amountInCurrency": AMOUNT,
    "dimensions": {"type": "array", "items": {"type": "object"}},
}


def header(number: str, total: str, minute: int = 0, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {
        "id": number,
        "entryType": "FRSFA",
        "internalNumber": 77,
        "billBySupplier": "S1",
        "totalAmountExcludingTax": amount("100.30"),
        "totalAmountIncludingTax": amount(total),
        "updatedDate": f"2026-03-02T08:{minute:02d}:00Z",
        **more,
    }


def invoices(*records: dict[str, Any]) -> list[str]:
    return stream("supplier_invoices", HEADERS, ["id"], *records)


def gl_line(entry: str, number: int, sign: int, value: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    own = {"entryType": entry, "id": "SI1", "lineNumber": number, "ledgerType": "legal"}
    return {**own, "sign": sign, "amountInCurrency": amount(value), **more}


@pytest.fixture(scope="module", autouse=True)
def loaded(console: Console) -> None:
    """SI1 is loaded with its entry, then changed; SI2 is refused for two values; SI3 is posted elsewhere."""
    partner = {"businessPartner": "S1", "controlAccount": "FOU"}
    key = ["entryType", "id", "lineNumber", "ledgerType"]
    said = load(
        console,
        invoices(
            header("SI1", "120.36"),
            header("SI2", "1.00001", dueDate="2026-02-30"),
            header("SI3", "5", entryType="GONE", internalNumber=88),
        ),
        stream(
            "supplier_invoice_lines",
            LINES,
            ["id", "lineNumber"],
            {"id": "SI1", "lineNumber": 1000, "lineAmountExcludingTax": amount("0.10")},
            {"id": "SI1", "lineNumber": 2000, "lineAmountExcludingTax": amount("100.20")},
        ),
        stream(
            "gl_entries", ENTRIES, ["entryType", "id"], {"entryType": "FRSFA", "id": "SI1", "journal": "ACH"}
        ),
        stream(
            "gl_entry_lines",
            GL_LINES,
            key,
            gl_line("FRSFA", 1, 1, "100.30"),
            gl_line("FRSFA", 2, 1, "20.06"),
            gl_line("FRSFA", 3, -1, "120.36", **partner),
            gl_line("OTHER", 1, 1, "5", internalNumber=88),
            gl_line("OTHER", 2, -1, "5", **partner),
            gl_line("WRONG", 1, 1, "9", internalNumber=88),
        ),
        stream(
            "gl_cost_allocations",
            ALLOCATIONS,
            [*key, "analyticalLineNumber"],
            gl_line(
                "FRSFA", 1, 1, "100", analyticalLineNumber=1, dimensions=[{"type": "CCT", "value": "C1"}]
            ),
            gl_line("FRSFA", 1, 1, "0.30", analyticalLineNumber=2, dimensions=[]),
        ),
    )
    assert said.endswith(("completed with 1 dead letters", "completed with 1 dead letter"))
    load(console, invoices(header("SI1", "120.3600", 5, dueDate="2026-04-01")))


def test_an_update_shows_only_what_changed(console: Console) -> None:
    answer = console("trace", "supplier_invoices", "SI1", "--json")
    assert answer.code == 0, answer.err
    first, last = answer.json["timeline"][-5:-4], answer.json["timeline"][-1]
    assert first[0]["event"] == "insert"
    assert last["event"] == "update"
    assert {change["column"] for change in last["changes"]} == {"DUE_DATE", "UPDATED_DATE"}
    assert answer.json["current"]["TOTAL_AMOUNT_INCLUDING_TAX"] == "120.3600"


def test_a_key_of_several_columns_is_found_by_values_and_by_names(console: Console) -> None:
    by_value = console("trace", "finance.gl_entry_lines", "FRSFA", "SI1", "3", "legal", "--json")
    names = ("lineNumber=3", "ledgerType=legal", "id=SI1", "entryType=FRSFA")
    by_name = console("trace", "gl_entry_lines", *names, "--json")
    assert by_value.code == 0, by_value.err
    assert by_value.json["timeline"] == by_name.json["timeline"]
    assert by_value.json["current"]["AMOUNT_IN_CURRENCY"] == "120.3600"


def test_a_refused_record_is_shown_with_every_bad_column(console: Console) -> None:
    (letter,) = console("dead-letters", "list", "--json").json["dead_letters"]
    assert {error["column"] for error in letter["errors"]} == {"TOTAL_AMOUNT_INCLUDING_TAX", "DUE_DATE"}
    for column in ("TOTAL_AMOUNT_INCLUDING_TAX", "dueDate"):
        assert console("dead-letters", "list", "--column", column, "--json").json["total"] == 1
    shown = console("dead-letters", "show", letter["dead_letter_id"][:8])
    assert shown.code == 0, shown.err
    bad = [line.split()[1:3] for line in shown.out.splitlines() if line.strip().startswith(">>")]
    assert bad == [["totalAmountIncludingTax", "1.00001"], ["dueDate", '"2026-02-30"']]
    traced = console("trace", "supplier_invoices", "id=SI2")
    assert traced.code == 1, traced.err
    assert "refused" in traced.out


def test_an_invoice_is_followed_to_its_cost_allocations(console: Console) -> None:
    answer = console("trace", "supplier-invoice", "SI1", "--json")
    assert answer.code == 0, answer.err
    document = answer.json
    assert [line["lineNumber"] for line in document["lines"]] == [1000, 2000]
    (entry,) = document["entries"]
    assert (entry["entryType"], entry["header"]["journal"]) == ("FRSFA", "ACH")
    assert len(entry["lines"]) == 3
    assert [one["dimensions"] for one in entry["allocations"]] == [[{"type": "CCT", "value": "C1"}], []]
    assert [one["difference"] for one in document["sums"]] == ["0.0000"] * 4


def test_without_an_entry_of_its_number_the_internal_number_and_the_partner_lead_on(console: Console) -> None:
    answer = console("trace", "supplier-invoice", "SI3")
    assert answer.code == 1, "its lines do not add up to its total"
    assert "GL entry OTHER SI1 (inferred: a line has the invoice's internal number" in answer.out
    assert "WRONG" not in answer.out
    assert "header is not loaded" in answer.out
    assert "DIFFERS by -100.3000" in answer.out


def test_runs_and_batches_tell_the_counts(console: Console) -> None:
    runs = console("runs", "--json").json["runs"]
    counted = [(run["status"], run["records"], run["dead_letters"]) for run in runs]
    assert counted == [("completed", 1, 0), ("completed", 14, 1)]
    (last, first) = console("batches", "--stream", "supplier_invoices", "--json").json["batches"]
    assert (first["received"], first["inserted"], first["dead"]) == (3, 2, 1)
    assert (last["received"], last["updated"]) == (1, 1)


def test_a_loaded_stream_that_is_missing_is_named(console: Console) -> None:
    answer = console("trace", "sales-invoice", "X")
    assert (answer.code, answer.out) == (2, "")
    assert "stream sales_invoices was never loaded; loaded streams: gl_cost_allocations" in answer.err
