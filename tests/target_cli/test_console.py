"""The commands over the wire, on audit rows written by hand."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from target_snowflake_audit.hashing import key_hash

if TYPE_CHECKING:
    from audit_console import Console
    from audit_rows import Writer

MONDAY = dt.datetime(2026, 3, 2, 8, 0, 0)  # noqa: DTZ001 - TIMESTAMP_NTZ has no zone
TABLE = "ANALYTICS.PURCHASING.SUPPLIER_INVOICES"
STREAM = "supplier_invoices"
OPEN, REPLAYED, SKIPPED = (letter * 32 for letter in "abc")


def at(minutes: int) -> dt.datetime:
    return MONDAY + dt.timedelta(minutes=minutes)


def errors(column: str, value: object, reason: str) -> list[dict[str, Any]]:
    return [
        {
            "column": column,
            "property": column.lower(),
            "value": value,
            "reason": reason,
            "expected": "a number",
        }
    ]


def reviewer(console: Console) -> dict[str, str]:
    """Settings of the person who reviews dead letters."""
    user = console.ready["users"]["REVIEWER"]
    return {"user": "REVIEWER", "role": user["role"], "private_key_path": user["private_key_path"]}


@pytest.fixture(scope="module", autouse=True)
def rows(writer: Writer) -> None:
    """Invoice SI1 inserted and updated; SI2 refused; SI3 refused, then replayed."""
    where = {"STREAM": STREAM, "TARGET_TABLE": TABLE, "RUN_ID": "run1"}
    writer.run('CREATE SCHEMA "PURCHASING"')
    writer.run(
        f'CREATE TABLE {TABLE} ("ID" VARCHAR(20) NOT NULL, "AMOUNT" NUMBER(38,4), "NOTE" VARCHAR, '
        '"_AUDIT_DELETED_AT" TIMESTAMP_NTZ(9))'
    )
    writer.run('GRANT USAGE ON SCHEMA "PURCHASING" TO ROLE "SAGEX3_LOADER"')
    writer.run(f"GRANT SELECT ON TABLE {TABLE} TO ROLE SAGEX3_LOADER")
    writer.target(TABLE, ID="SI1", AMOUNT="12345678901234567890.1234", NOTE="tab\there")
    for batch, started in (("b1", 3), ("b2", 13), ("b3", 33)):
        writer.audit(
            "BATCHES", BATCH_ID=batch, STARTED_AT=at(started), LOADED_AT=at(started + 2), ATTEMPT=1,
            RECEIVED=7, BATCH_NUMBER=1, OPERATION="load", ACTOR="LOADER", ACTOR_ROLE="SAGEX3_LOADER", **where
        )  # fmt: skip
    writer.audit(
        "RETRIES", RUN_ID="run1", BATCH_ID="b1", ATTEMPT=1, STEP="merge", ERROR_CLASS="network", ERRNO=250003,
        OUTCOME="retried", FAILED_AT=at(4), AT=at(5)
    )  # fmt: skip
    si1 = {"KEY": {"ID": "SI1"}, "KEY_HASH": key_hash(["SI1"]), **where}
    first, second = {"ID": "SI1", "AMOUNT": 10.5}, {"ID": "SI1", "AMOUNT": 11.5}
    writer.audit(
        "RECORD_HISTORY", OPERATION="insert", CAUSE="record", AFTER=first, SOURCE_TIME=at(1),
        EXTRACTED_AT=at(2), LOADED_AT=at(5), BATCH_ID="b1", SEQ=1, **si1
    )  # fmt: skip
    writer.audit(
        "RECORD_HISTORY", OPERATION="update", CAUSE="record", BEFORE=first, AFTER=second, LOADED_AT=at(15),
        BATCH_ID="b2", SEQ=1, **si1
    )  # fmt: skip
    for number, (letter, amount, minute) in enumerate(
        ((OPEN, "12,5x", 15), (REPLAYED, "n/a", 16), (SKIPPED, "?", 17))
    ):
        key = f"SI{number + 2}"
        writer.audit(
            "DEAD_LETTERS", DEAD_LETTER_ID=letter, BATCH_ID="b2", KEY={"ID": key}, KEY_HASH=key_hash([key]),
            PHASE="validate", REASON="not_a_number", ERRORS=errors("AMOUNT", amount, "not_a_number"),
            RECORD_TEXT=f'{{"id":"{key}","amount":"{amount}","rate":0.10000000000000000000001,"note":"\\u001b[2J"}}',
            RECORD_SHA256=letter, AT=at(minute), **where
        )  # fmt: skip
    for name, event, minute in (
        (REPLAYED, "replay_failed", 20),
        (REPLAYED, "replayed", 35),
        (SKIPPED, "replay_skipped", 36),
    ):
        writer.audit(
            "DEAD_LETTER_EVENTS", EVENT_ID=f"{name[0]}{minute}", DEAD_LETTER_ID=name, EVENT=event,
            AT=at(minute), BATCH_ID="b3", ACTOR="REVIEWER", ACTOR_ROLE="SAGEX3_REVIEWER", NOTE="unit"
        )  # fmt: skip
    writer.audit(
        "RECORD_HISTORY", OPERATION="replay", CAUSE="replay", AFTER={"ID": "SI3", "AMOUNT": 7},
        LOADED_AT=at(35), BATCH_ID="b3", SEQ=1, KEY={"ID": "SI3"}, KEY_HASH=key_hash(["SI3"]), **where
    )  # fmt: skip
    for event, status, minute in (("started", "running", 1), ("ended", "completed", 40)):
        writer.audit(
            "RUNS", RUN_ID="run1", EVENT=event, STATUS=status, AT=at(minute), RECORDS=21, ACTOR="LOADER"
        )


def test_open_letters_are_listed_and_found(console: Console) -> None:
    answer = console("dead-letters", "list")
    assert (answer.code, answer.err) == (1, "")
    assert OPEN[:12] in answer.out
    assert 'amount = "12,5x": not_a_number' in answer.out
    assert REPLAYED[:12] not in answer.out


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["--status", "all"], [SKIPPED, REPLAYED, OPEN]),
        (["--status", "replayed"], [REPLAYED]),
        (["--status", "skipped"], [SKIPPED]),
        (["--status", "all", "--limit", "1"], [SKIPPED]),
        (
            ["--status", "all", "--column", "amount", "--reason", "not_a_number"],
            [SKIPPED, REPLAYED, OPEN],
        ),
        (["--column", "AMOUNT", "--stream", STREAM, "--run", "run1"], [OPEN]),
        (["--reason", "too_long"], []),
        (["--column", "NOTE"], []),
        (["--stream", "' OR 1=1 --"], []),
    ],
)
def test_filters(console: Console, options: list[str], found: list[str]) -> None:
    answer = console("dead-letters", "list", "--json", *options)
    assert answer.err == ""
    assert [letter["dead_letter_id"] for letter in answer.json["dead_letters"]] == found
    assert answer.json["total"] == (3 if "--limit" in options else len(found))
    assert answer.code == (1 if OPEN in found else 0)


def test_show_marks_the_bad_value_and_keeps_every_digit(console: Console) -> None:
    answer = console("dead-letters", "show", OPEN[:6])
    assert answer.code == 0, answer.err
    bad = next(line for line in answer.out.splitlines() if line.strip().startswith(">>"))
    assert bad.split() == [">>", "amount", '"12,5x"', "not_a_number", "a", "number", "NUMBER(38,4)"]
    assert "0.10000000000000000000001" in answer.out
    assert "\x1b" not in answer.out
    assert "Nobody has acted on it yet." in answer.out


def test_show_tells_who_did_what(console: Console) -> None:
    document = console("dead-letters", "show", REPLAYED, "--json").json
    assert [event["event"] for event in document["events"]] == ["replay_failed", "replayed"]
    assert document["events"][0]["actor"] == "REVIEWER"
    assert document["column_types"] == {"AMOUNT": "NUMBER(38,4)"}
    assert document["dead_letter"]["status"] == "replayed"
    assert document["dead_letter"]["record"]["rate"] == "0.10000000000000000000001"


@pytest.mark.parametrize(
    ("letter", "complaint"),
    [
        ("f" * 32, "no dead letter ffff"),
        ("ab", "give at least 6 characters"),
        ("%aaaaa", "no dead letter"),
    ],
)
def test_an_unknown_letter_is_an_error(console: Console, letter: str, complaint: str) -> None:
    answer = console("dead-letters", "show", letter)
    assert (answer.code, answer.out) == (2, "")
    assert complaint in answer.err


@pytest.mark.parametrize("table", [TABLE, "purchasing.supplier_invoices", STREAM])
def test_a_record_is_followed_from_source_to_stored_row(console: Console, table: str) -> None:
    answer = console("trace", table, "id=SI1", "--json")
    assert answer.code == 0, answer.err
    document = answer.json
    assert [step["event"] for step in document["timeline"]] == [
        "changed_in_the_source",
        "read_by_the_tap",
        "attempt_failed",
        "batch_started",
        "insert",
        "batch_started",
        "update",
    ]
    assert document["timeline"][0]["at"] == "2026-03-02T08:01:00Z"
    assert document["timeline"][-1]["changes"] == [{"column": "AMOUNT", "before": "10.5", "after": "11.5"}]
    assert document["current"]["AMOUNT"] == "12345678901234567890.1234"


def test_people_see_what_changed(console: Console) -> None:
    answer = console("trace", STREAM, "SI1")
    assert answer.code == 0, answer.err
    assert "AMOUNT: 10.5 -> 11.5" in answer.out
    assert "tab\\there" in answer.out


def test_an_auditor_sees_the_trail_without_rights_on_the_table(console: Console) -> None:
    answer = console("trace", STREAM, "SI1", **reviewer(console))
    assert answer.code == 0, answer.err
    assert "AMOUNT: 10.5 -> 11.5" in answer.out
    assert "This role may not read the table itself." in answer.out


def test_an_open_letter_is_something_found(console: Console) -> None:
    answer = console("trace", STREAM, "SI2")
    assert answer.code == 1, answer.err
    assert "refused" in answer.out
    assert "No row is stored under this key." in answer.out


def test_refusal_and_replay_are_in_one_timeline(console: Console) -> None:
    answer = console("trace", STREAM, "SI3", "--json")
    assert answer.code == 0, answer.err
    told = [step["event"] for step in answer.json["timeline"]]
    assert told == [
        "batch_started",
        "refused",
        "dead_letter_replay_failed",
        "batch_started",
        "replay",
        "dead_letter_replayed",
    ]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((STREAM, "NOBODY"), "no trace of ID=NOBODY in ANALYTICS.PURCHASING.SUPPLIER_INVOICES"),
        ((STREAM, "A", "B"), "the key of this table is ID=..."),
        (("gl_entries", "A"), "nothing was ever loaded into gl_entries"),
        (("sales-invoice", "A"), "stream sales_invoices was never loaded"),
        (("supplier-invoice", "A", "B"), "give one invoice number"),
    ],
)
def test_what_cannot_be_traced_is_an_error(
    console: Console, arguments: tuple[str, ...], complaint: str
) -> None:
    answer = console("trace", *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert complaint in answer.err


def test_runs_show_the_latest_of_each_run(console: Console) -> None:
    (run,) = console("runs", "--json").json["runs"]
    assert (run["status"], run["records"], run["started_at"]) == ("completed", 21, "2026-03-02T08:01:00Z")
    assert "run1" in console("runs").out


def test_batches_by_run_and_stream(console: Console) -> None:
    found = console("batches", "--run", "run1", "--stream", STREAM, "--json").json["batches"]
    assert [batch["batch_id"] for batch in found] == ["b3", "b2", "b1"]
    assert console("batches", "--run", "other", "--json").json == {"batches": []}
    assert "Received" in console("batches").out


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"account": ""}, "`account` is missing: set TARGET_SNOWFLAKE_AUDIT_ACCOUNT"),
        ({"database": "NOWHERE"}, "`database`: database NOWHERE does not exist"),
        ({"private_key_path": "missing.p8"}, "`private_key_path`: cannot read missing.p8"),
        ({"private_key_path": "", "password": "secret-word"}, "refused the login of user LOADER"),
        ({"port": "1"}, "Connection refused"),
    ],
)
def test_it_ends_with_code_2_and_one_line(console: Console, settings: dict[str, str], complaint: str) -> None:
    answer = console("dead-letters", "list", **settings)
    assert (answer.code, answer.out) == (2, "")
    assert complaint in answer.err
    assert len(answer.err.splitlines()) == 1
    assert "secret-word" not in answer.err
