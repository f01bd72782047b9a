"""General-ledger lines as a Singer file: 46 columns, about 0.9 KB a record, the same bytes every time."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STREAM = "gl_lines"
TABLE = "GL_LINES"
KEYS = ("ENTRY_NUMBER", "LINE_NUMBER")
STAMP = "UPDATED_AT"
LINES_AN_ENTRY = 8
CHANGED_EVERY = 10
"""In the changed file one line in ten differs."""
STATE_EVERY = 10_000

_TEXT = {"type": ["string", "null"]}
_KINDS: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
    (("ENTRY_NUMBER",), {"type": "string"}),
    (("LINE_NUMBER",), {"type": "integer"}),
    (
        ("ENTRY_DATE", "ACCOUNTING_DATE", "DUE_DATE", "VALUE_DATE", "RATE_DATE", "MATCHING_DATE"),
        {"type": ["string", "null"], "format": "date"},
    ),
    (
        ("RATE", "DEBIT", "CREDIT", "AMOUNT", "LEDGER_AMOUNT", "TAX_AMOUNT", "QUANTITY"),
        {"type": ["number", "null"]},
    ),
    (("RATE_TYPE", "STATUS", "PERIOD", "FISCAL_YEAR"), {"type": ["integer", "null"]}),
    (("MATCHED", "REVERSED"), {"type": ["boolean", "null"]}),
    (("CREATED_AT", STAMP), {"type": ["string", "null"], "format": "date-time"}),
)
"""Columns that are no plain text, with their JSON schema."""
_WORDS = ("spindle", "bearing", "housing", "coolant", "tooling", "setup", "freight", "customs", "scrap")
_START = datetime(2024, 1, 1, tzinfo=UTC)
_CENT = Decimal("0.01")
_RATE = Decimal("1.0875")

Record = dict[str, Any]


@dataclass(frozen=True)
class Totals:
    """What the table must hold after a file was loaded; amounts are exact."""

    rows: int
    debit: Decimal
    credit: Decimal
    ledger_amount: Decimal
    text_length: int
    newest: str


def schema(*, documents: bool = False) -> dict[str, Any]:
    """Give the stream's JSON schema: plain Singer, without anything that only one of the targets knows.

    With `documents`, lines that do not come with their entry are gone, as in the line streams of our tap.
    """
    special = {name: kind for names, kind in _KINDS for name in names}
    properties = {name: special.get(name, _TEXT) for name in next(records(1))}
    scope = {"x-replace-scope": [KEYS[0]]} if documents else {}
    return {"type": "object", "properties": properties, "required": list(KEYS), **scope}


def records(count: int, *, changed: bool = False) -> Iterator[Record]:
    """Give `count` lines; with `changed`, every tenth has another amount and text and a later stamp."""
    chance = random.Random(46)  # noqa: S311 - sample data, not a secret
    for number in range(count):
        record = _record(number, chance)
        if changed and number % CHANGED_EVERY == 0:
            record |= _change(record)
        yield record


def write(path: Path, count: int, *, changed: bool = False, documents: bool = False) -> Totals:
    """Write SCHEMA, `count` RECORDs with a STATE after each 10,000 and at the end, and give the totals."""
    encoder = msgspec.json.Encoder(decimal_format="number")
    rows, totals = 0, Totals(0, Decimal(0), Decimal(0), Decimal(0), 0, "")
    with path.open("wb", buffering=1 << 20) as file:

        def send(message: Record) -> None:
            file.write(encoder.encode(message) + b"\n")

        send(schema_message(documents=documents))
        for rows, record in enumerate(records(count, changed=changed), 1):
            send(
                {
                    "type": "RECORD",
                    "stream": STREAM,
                    "record": record,
                    "time_extracted": "2026-02-03T04:05:06.789012Z",
                }
            )
            totals = _add(totals, record)
            if rows % STATE_EVERY == 0:
                send(state_message(record[STAMP]))
        if rows % STATE_EVERY:
            send(state_message(totals.newest))
    return totals


def write_streams(path: Path, streams: int, count: int) -> None:
    """Write so many streams of `count` lines each, one after the other, and a STATE of all."""
    encoder = msgspec.json.Encoder(decimal_format="number")
    names = [f"{STREAM}_{number}" for number in range(streams)]
    bookmark = state_message("2026-01-01T00:00:00Z")["value"]["bookmarks"][STREAM]
    with path.open("wb", buffering=1 << 20) as file:
        for name in names:
            file.write(encoder.encode({**schema_message(), "stream": name}) + b"\n")
            for record in records(count):
                file.write(encoder.encode({"type": "RECORD", "stream": name, "record": record}) + b"\n")
        state = {"type": "STATE", "value": {"bookmarks": dict.fromkeys(names, bookmark)}}
        file.write(encoder.encode(state) + b"\n")


def write_empty(path: Path) -> None:
    """Write what a tap sends when nothing changed: a SCHEMA and a STATE, no RECORD."""
    messages = [schema_message(), state_message("2026-01-01T00:00:00Z")]
    path.write_bytes(b"".join(msgspec.json.encode(message) + b"\n" for message in messages))


def schema_message(*, documents: bool = False) -> Record:
    """Give the SCHEMA message of the stream."""
    return {
        "type": "SCHEMA",
        "stream": STREAM,
        "schema": schema(documents=documents),
        "key_properties": list(KEYS),
        "bookmark_properties": [STAMP],
    }


def state_message(stamp: str) -> Record:
    """Give a STATE message with the stream's bookmark."""
    bookmark = {"replication_key": STAMP, "replication_key_value": stamp}
    return {"type": "STATE", "value": {"bookmarks": {STREAM: bookmark}}}


def _record(number: int, chance: random.Random) -> Record:
    day = _START.date() + timedelta(days=number // 640 % 730)
    amount = Decimal(chance.randrange(100, 9_999_999)) / 100
    debit = chance.random() < 0.5
    return {
        "ENTRY_NUMBER": f"GEN-{number // LINES_AN_ENTRY:09d}",
        "LINE_NUMBER": number % LINES_AN_ENTRY + 1,
        **_codes(number),
        **_texts(number, chance),
        **_dates(number, day),
        "RATE": _RATE,
        "DEBIT": amount if debit else Decimal(0),
        "CREDIT": Decimal(0) if debit else amount,
        "AMOUNT": amount,
        "LEDGER_AMOUNT": (amount * _RATE).quantize(Decimal("0.0001")),
        "TAX_AMOUNT": (amount / 5).quantize(_CENT),
        "QUANTITY": Decimal(number % 120),
        "RATE_TYPE": 1,
        "STATUS": number % 3,
        "PERIOD": day.month,
        "FISCAL_YEAR": day.year,
        "MATCHED": number % 2 == 0,
        "REVERSED": False,
        "CREATED_AT": _stamp(number),
        STAMP: _stamp(number),
    }


def _codes(number: int) -> Record:
    return {
        "COMPANY": f"C{number % 5:02d}",
        "SITE": f"PLT{number % 6}",
        "LEDGER": "LEG",
        "CHART_OF_ACCOUNTS": "MFG",
        "JOURNAL": f"JR{number % 8}",
        "ENTRY_TYPE": f"TYP{number % 11:02d}",
        "ACCOUNT": str(401_000 + number % 870),
        "CONTROL_ACCOUNT": None if number % 4 else "401100",
        "CURRENCY": "EUR",
        "LEDGER_CURRENCY": "USD",
        "TAX_CODE": "VAT20",
        "UNIT": "PCE",
        "COST_CENTRE": f"CC{number % 45:03d}",
        "PLANT": f"PLT{number % 6}",
        "PROJECT": None,
        "MACHINE": "",
        "BUDGET": f"B{number % 19:02d}",
        "CREATED_BY": "ADMIN",
        "UPDATED_BY": "BATCH",
    }


def _texts(number: int, chance: random.Random) -> Record:
    return {
        "BUSINESS_PARTNER": f"SUP{number % 4000:05d}",
        "PARTNER_NAME": f"Métaux {chance.choice(_WORDS)} {number % 4000}",
        "DESCRIPTION": " ".join(chance.choices(_WORDS, k=5)),
        "FREE_REFERENCE": f"REF-{number}",
    }


def _dates(number: int, day: date) -> Record:
    text = day.isoformat()
    return {
        "ENTRY_DATE": text,
        "ACCOUNTING_DATE": text,
        "DUE_DATE": (day + timedelta(days=30)).isoformat(),
        "VALUE_DATE": None,
        "RATE_DATE": text,
        "MATCHING_DATE": text if number % 2 == 0 else None,
    }


def _change(record: Record) -> Record:
    """Give the new values of a line that somebody corrected."""
    side = "DEBIT" if record["DEBIT"] else "CREDIT"
    amount = record["AMOUNT"] + _CENT
    later = datetime.fromisoformat(record[STAMP]) + timedelta(days=400)
    return {
        side: amount,
        "AMOUNT": amount,
        "LEDGER_AMOUNT": (amount * _RATE).quantize(Decimal("0.0001")),
        "DESCRIPTION": record["DESCRIPTION"] + " corrected",
        STAMP: later.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _stamp(number: int) -> str:
    return (_START + timedelta(seconds=number)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _add(totals: Totals, record: Record) -> Totals:
    return Totals(
        rows=totals.rows + 1,
        debit=totals.debit + record["DEBIT"],
        credit=totals.credit + record["CREDIT"],
        ledger_amount=totals.ledger_amount + record["LEDGER_AMOUNT"],
        text_length=totals.text_length + len(record["DESCRIPTION"]),
        newest=max(totals.newest, record[STAMP]),
    )
