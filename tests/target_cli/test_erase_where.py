"""`erase --where-key`: names as people write them, and values that are equal in the column's type."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from audit_messages import amount, load, stream
from target_snowflake_audit.cli.errors import CommandError
from target_snowflake_audit.cli.trace.keys import same_values
from target_snowflake_audit.cli.trace.names import key_column

if TYPE_CHECKING:
    from audit_console import Answer, Console
    from audit_rows import Writer

PROPERTIES = {
    "customerId": {"type": "string", "maxLength": 5},
    "rate": {"type": "number", "multipleOf": 0.01},
    "open": {"type": "boolean"},
    "at": {"type": "string", "format": "date-time"},
    "note": {"type": ["string", "null"], "maxLength": 5},
}
KEY = ["customerId", "rate", "open", "at"]


def record(customer: str, rate: str, *, is_open: bool, at: str, note: str = "n") -> dict[str, Any]:
    return {"customerId": customer, "rate": amount(rate), "open": is_open, "at": at, "note": note}


def erase(console: Console, *arguments: str) -> Answer:
    return console("erase", *arguments, "--reason", "request 17", "--json", role="SAGEX3_PURGER")


@pytest.fixture(autouse=True)
def _purger(writer: Writer) -> None:
    writer.run('GRANT ROLE "SAGEX3_PURGER" TO USER "LOADER"')


def test_a_part_of_the_key_is_found_by_property_and_by_value(console: Console, writer: Writer) -> None:
    moment, other = "2026-03-02T08:00:00.250Z", "2026-03-03T08:00:00Z"
    records = [
        record("C1", "12.10", is_open=True, at=moment),
        record("C1", "12.10", is_open=True, at="2026-03-02T09:00:00.25+01:00", note="too long"),
        record("C2", "12.1", is_open=False, at=other),
        record("C2", "12", is_open=False, at=moment),
    ]
    load(console, stream("places", PROPERTIES, KEY, *records))
    writer.run('GRANT USAGE ON SCHEMA "ANALYTICS"."PURCHASING" TO ROLE "SAGEX3_PURGER"')
    writer.run('GRANT SELECT ON TABLE "ANALYTICS"."PURCHASING"."PLACES" TO ROLE "SAGEX3_PURGER"')
    for pairs, rows in (
        (["customerId=C1"], 2),
        (["CUSTOMER_ID=C1"], 2),
        (["customer_id=C2", "rate=12.10"], 1),
        (["rate=12.100"], 3),
        (["open=TRUE"], 2),
        (["at=2026-03-02T08:00:00.25Z"], 3),
        (["at=2026-03-03 08:00:00"], 1),
    ):
        found = erase(console, "places", *(part for pair in pairs for part in ("--where-key", pair)))
        assert (found.code, found.json["rows"], found.err) == (0, rows, ""), (pairs, found.out, found.err)
    none = erase(console, "places", "--where-key", "customerId=C3", "--yes")
    assert (none.code, none.json["rows"]) == (1, 0)
    unknown = erase(console, "places", "--where-key", "customer=C1", "--yes")
    assert (unknown.code, unknown.out) == (2, "")
    assert "customer means no key column" in unknown.err
    assert "AT, CUSTOMER_ID, OPEN, RATE" in unknown.err


def test_a_redacted_key_column_is_not_searched_in_vain(console: Console) -> None:
    rules = json.dumps({"*": {"customerId": "hash"}})
    person = record("C1", "1", is_open=True, at="2026-03-02T08:00:00Z")
    load(console, stream("veiled", PROPERTIES, KEY, person), redact_columns=rules)
    answer = erase(console, "veiled", "--where-key", "customerId=C1", "--yes")
    assert (answer.code, answer.out) == (2, "")
    assert "key column CUSTOMER_ID is redacted in the audit trail; give --key-hash" in answer.err


def test_a_name_that_several_columns_could_have_is_no_guess() -> None:
    assert key_column("a_b", ["A_B", "AB"]) == "A_B"
    assert key_column("aB", ["ab", "aB"]) == "aB"
    with pytest.raises(
        CommandError, match="several key columns of this table; its key columns are A_B, A__B"
    ):
        key_column("aB", ["A_B", "A__B"])


def test_texts_that_are_one_value_are_chosen_and_no_others() -> None:
    assert same_values("12.10", ["12.1", "12.100", "12.101", "x", "+12.1"], "NUMBER(38,2)") == (
        "12.10",
        "12.1",
        "12.100",
        "+12.1",
    )
    assert same_values("x", ["y", "12.1"], "NUMBER(38,2)") == ("x",)
