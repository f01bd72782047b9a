from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from target_snowflake_audit.cli.output import Column, print_all, print_json, table
from target_snowflake_audit.cli.trace.document import Document, Entry, posted, redacted, sums
from target_snowflake_audit.cli.trace.links import BY_ENTRY_NUMBER, SUPPLIER_INVOICE
from target_snowflake_audit.cli.trace.render import document_json, document_parts
from target_snowflake_audit.redaction import rules_of, shown_row

Row = dict[str, Any]


def gl_line(number: int, sign: int, amount: str, ledger: str = "legal", **more: str) -> Row:
    return {
        "lineNumber": number,
        "ledgerType": ledger,
        "sign": sign,
        "amountInCurrency": Decimal(amount),
        "account": "601000",
        "businessPartner": "",
        "controlAccount": "",
        **more,
    }


def allocation(number: int, amount: str, ledger: str = "legal", **more: object) -> Row:
    return {**gl_line(number, 1, amount, ledger), "analyticalLineNumber": 1, **more}


def document(**entry: list[Row]) -> Document:
    header = {
        "id": "SI0001",
        "billBySupplier": "SUP1",
        "totalAmountExcludingTax": Decimal("100.30"),
        "totalAmountIncludingTax": Decimal("120.36"),
        "currency": "EUR",
    }
    lines = [{"lineNumber": n, "lineAmountExcludingTax": Decimal(a)} for n, a in ((1, "0.10"), (2, "100.20"))]
    partner = {"businessPartner": "SUP1", "controlAccount": "401"}
    rows = {
        "lines": [gl_line(1, 1, "100.30"), gl_line(2, 1, "20.06"), gl_line(3, -1, "120.36", **partner)],
        "allocations": [
            allocation(1, "100.00", dimensions=[{"index": 1, "type": "CCT", "value": "C\x1b1"}]),
            allocation(1, "0.30", dimensions=[]),
        ],
        **entry,
    }
    made = Entry(BY_ENTRY_NUMBER, "FACFO", "SI0001", {"entryType": "FACFO", "id": "SI0001"}, **rows)
    return Document(SUPPLIER_INVOICE, header, lines, [made])


def test_a_sound_invoice_adds_up_to_the_last_digit() -> None:
    zero = Decimal(0)
    assert [(one.what, one.expected, one.difference) for one in sums(document())] == [
        ("invoice lines = invoice total, without tax", Decimal("100.30"), zero),
        ("entry FACFO SI0001, legal: credit = debit", Decimal("120.36"), zero),
        ("entry FACFO SI0001: partner's lines = invoice total with tax", Decimal("120.36"), zero),
        ("entry FACFO SI0001, line 1, legal: allocations = line", Decimal("100.30"), zero),
    ]


@pytest.mark.parametrize(
    ("changed", "what", "difference"),
    [
        ({"lines": [gl_line(1, 1, "100.30")]}, "credit = debit", "-100.30"),
        ({"lines": [gl_line(1, 1, "5"), gl_line(2, -1, "5")]}, "partner's lines", "-120.36"),
        ({"allocations": [allocation(1, "100.31")]}, "allocations = line", "0.01"),
        ({"allocations": [allocation(9, "7")]}, "line 9, legal: allocations", "7"),
        ({"allocations": [allocation(1, "1", "analytical")]}, "line 1, analytical", "1"),
    ],
)
def test_each_amount_that_differs_is_found(changed: dict[str, list[Row]], what: str, difference: str) -> None:
    wrong = [one for one in sums(document(**changed)) if one.difference]
    assert any(what in one.what and one.difference == Decimal(difference) for one in wrong), wrong


def test_each_ledger_type_is_balanced_on_its_own() -> None:
    rows = [gl_line(1, 1, "3"), gl_line(2, -1, "3", "ias")]
    found = {one.what: one.difference for one in sums(document(lines=rows, allocations=[]))}
    assert found["entry FACFO SI0001, legal: credit = debit"] == Decimal(-3)
    assert found["entry FACFO SI0001, ias: credit = debit"] == Decimal(3)


def test_an_invoice_without_entry_is_not_posted() -> None:
    sound = document()
    assert posted(sound)
    assert not posted(Document(sound.kind, sound.header, sound.lines, []))
    assert len(sums(Document(sound.kind, sound.header, sound.lines, []))) == 1


def test_people_see_amounts_exactly_and_a_marked_difference(capsys: pytest.CaptureFixture[str]) -> None:
    dimensions = [{"type": "CCT", "value": "\x1b1"}]
    made = document(allocations=[allocation(1, "100.00", dimensions=dimensions)])
    print_all(document_parts(made, sums(made)))
    text = capsys.readouterr().out
    assert "DIFFERS by -0.30" in text
    assert "CCT=\\x1b1" in text
    assert "\x1b" not in text
    assert "inferred: the entry has the invoice's entry type and number" in text


def test_programs_get_exact_amounts(capsys: pytest.CaptureFixture[str]) -> None:
    print_json(document_json(document(), sums(document())))
    found = json.loads(capsys.readouterr().out, parse_float=Decimal)
    assert found["header"]["totalAmountIncludingTax"] == Decimal("120.36")
    assert [one["difference"] for one in found["sums"]] == [0, 0, 0, 0]
    assert found["entries"][0]["link"] == BY_ENTRY_NUMBER


def test_what_rules_redact_is_not_shown_and_amounts_are_added_up_all_the_same(
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = {"description": "For Ann", "totalAmountIncludingTax": Decimal("120.36")}
    lines = [gl_line(1, 1, "100.30", description="For Bob")]
    rules = rules_of(
        {"redact_columns": {"gl_*": {"description": "drop"}, "*": {"*Tax": "mask", "id": "drop"}}}
    )
    made = document(lines=lines, allocations=[allocation(1, "100.30", dimensions=[{"eMail": "c@x.y"}])])
    made = replace(made, header={**made.header, **told})
    shown = redacted(made, lambda stream, row: shown_row(rules, stream, row))
    print_all(document_parts(shown, sums(made)))
    print_json(document_json(shown, sums(made)))
    text = capsys.readouterr().out
    assert shown.header["totalAmountIncludingTax"] == "***"
    assert (shown.header["description"], "id" in shown.header) == ("For Ann", False)
    assert [dict(row) for row in shown.entries[0].lines] == [gl_line(1, 1, "100.30")]
    assert "For Bob" not in text
    assert "c@x.y" not in text
    assert "allocations = line" in text


def test_nothing_is_cut_on_a_narrow_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    text = "CCT=" + "0123456789" * 6
    print_all(
        [table("T", [Column("Dimensions", "a"), Column("Amount", "b", right=True)], [{"a": text, "b": 1}])]
    )
    shown = capsys.readouterr().out
    assert "…" not in shown
    first_cells = [
        line[: line.index("  ", 2)] if "  " in line[2:] else line for line in shown.splitlines()[3:]
    ]
    assert text in "".join(cell.strip() for cell in first_cells)
