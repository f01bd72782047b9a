"""`trace` shows no value of the target table that `redact_columns` keeps out of the trail."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from audit_messages import load, stream
from target_snowflake_audit.redaction import rules_of, shown_row

if TYPE_CHECKING:
    from audit_console import Console

CONTACT = {"name": "Ann", "ways": [{"eMail": "secret@x.y"}]}


@pytest.mark.parametrize("value", [CONTACT, [CONTACT], {"E-MAIL": "secret@x.y"}])
def test_a_name_inside_a_value_redacts_the_whole_of_it(value: Any) -> None:  # noqa: ANN401 - any JSON value
    assert shown_row(rules_of({}), "s", {"INFO": value, "N": 1}) == {"INFO": "***", "N": 1}
    drop = rules_of({"redact_columns": {"s": {"eMail": "drop"}}})
    assert shown_row(drop, "s", {"INFO": value, "N": 1}) == {"N": 1}
    keep = rules_of({"redact_columns": {"s": {"info": "keep"}}})
    assert shown_row(keep, "s", {"INFO": value}) == {"INFO": value}


def test_an_invoice_follows_the_rules_of_each_stream(console: Console) -> None:
    text, amount = {"type": "string"}, {"type": "number", "multipleOf": 0.01}
    header = {"id": text, "description": text, "totalAmountExcludingTax": amount, "company": text}
    line = {"id": text, "lineNumber": {"type": "integer"}, "description": text, "info": {"type": "object"}}
    first = {"id": "SI1", "description": "Ann", "totalAmountExcludingTax": 5, "company": "ACME"}
    second = {"id": "SI1", "lineNumber": 1, "description": "Bob", "info": {"eMail": "secret@x.y"}}
    load(
        console,
        stream("supplier_invoices", header, ["id"], first),
        stream(
            "supplier_invoice_lines", {**line, "lineAmountExcludingTax": amount}, ["id", "lineNumber"], second
        ),
    )
    rules = json.dumps({"supplier_invoice_lines": {"description": "drop"}, "*": {"company": "mask"}})
    for more in ([], ["--json"]):
        answer = console("trace", "supplier-invoice", "SI1", *more, redact_columns=rules)
        assert answer.code == 1, answer.err  # without a GL entry
        assert "SI1" in answer.out
        assert not [one for one in ("Bob", "ACME", "secret@x.y") if one in answer.out]
    plain = console("trace", "supplier-invoice", "SI1", "--json").json
    assert (plain["header"]["company"], plain["lines"][0]["description"]) == ("ACME", "Bob")
