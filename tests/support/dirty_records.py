"""Ledger lines of 46 columns of which some are bad, each in a known way, with what must become of each.

`write(path, count, share=0)` gives the clean file of the same schema, to compare times with.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from tests.bench import lines

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Record = dict[str, Any]

STREAM, TABLE, KEYS = lines.STREAM, lines.TABLE, lines.KEYS
WHOLE = ""
"""Stands for the record as a whole among bad columns."""
RATES = ("EUR", "USD", "GBP")
_HUGE = 4_000_000
_LARGE = 50_000
_DEEP = 3_000
_REQUIRED = (*KEYS, "COMPANY")
_encoder = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True)
class Dirty:
    """A bad record: its JSON text as bytes, and the columns that its dead letter must name."""

    text: bytes
    columns: frozenset[str]


@dataclass
class Expected:
    """What a file must leave. Numbers are arrival numbers, from 1, of the stream's RECORD messages."""

    good: int = 0
    amount: Decimal = Decimal(0)
    """Sum of AMOUNT over the good rows."""
    bad: dict[int, frozenset[str]] = field(default_factory=dict)
    ways: dict[str, int] = field(default_factory=dict)
    """How many records are bad in each way."""


def schema_message() -> Record:
    """Give the SCHEMA message: the ledger lines' own, with lengths, scales, ranges and lists to break."""
    message = lines.schema_message()
    properties = message["schema"]["properties"]
    for name in ("DEBIT", "CREDIT", "AMOUNT", "TAX_AMOUNT"):
        properties[name] = {"type": ["number", "null"], "multipleOf": 0.01}
    properties["LEDGER_AMOUNT"] = {"type": ["number", "null"], "multipleOf": 0.0001}
    for name in ("DESCRIPTION", "FREE_REFERENCE"):
        properties[name] = {"type": ["string", "null"], "maxLength": 60}
    properties["ENTRY_NUMBER"] = {"type": "string", "maxLength": 20}
    properties["COMPANY"] = {"type": "string", "pattern": "^C[0-9]{2}$"}
    properties["CURRENCY"] = {"type": ["string", "null"], "enum": [*RATES, None]}
    properties["PERIOD"] = {"type": ["integer", "null"], "minimum": 1, "maximum": 12}
    properties["PROJECT"] = {"type": ["string", "null"], "format": "time"}
    message["schema"]["required"] = list(_REQUIRED)
    return message


def write(path: Path, count: int, *, share: float = 0.01, seed: int = 7) -> Expected:
    """Write SCHEMA, `count` RECORDs and a STATE after each 10,000 and at the end.

    Args:
        path: the file.
        count: RECORD messages in all.
        share: part of them that is bad, from 0 to 1.
        seed: which records are bad; the ways take turns.
    """
    chance = random.Random(seed)  # noqa: S311 - sample data, not a secret
    bad = set(chance.sample(range(count), round(count * share)))
    expected, names = Expected(), list(WAYS)
    with path.open("wb", buffering=1 << 20) as file:
        file.write(_encoder.encode(schema_message()) + b"\n")
        for at, record in enumerate(lines.records(count)):
            if at in bad:
                way = names[len(expected.bad) % len(names)]
                dirty = WAYS[way](record, expected.ways.get(way, 0))
                expected.bad[at + 1] = dirty.columns
                expected.ways[way] = expected.ways.get(way, 0) + 1
                text = dirty.text
            else:
                expected.good += 1
                expected.amount += record["AMOUNT"]
                text = _encoder.encode(record)
            file.write(b'{"type":"RECORD","stream":"%s","record":%s}\n' % (STREAM.encode(), text))
            if (at + 1) % lines.STATE_EVERY == 0 or at + 1 == count:
                file.write(_encoder.encode(lines.state_message(record[lines.STAMP])) + b"\n")
    return expected


def _change(**values: Any) -> Callable[[Record, int], Dirty]:  # noqa: ANN401 - any JSON value
    """Give a way in which every named property is bad by its value."""
    return lambda record, _: Dirty(_encoder.encode({**record, **values}), frozenset(values))


def _literal(name: str, text: bytes) -> Callable[[Record, int], Dirty]:
    """Give a way in which a property's JSON text is replaced, with what no encoder would write."""

    def make(record: Record, _: int) -> Dirty:
        mark = "#mark#"
        return Dirty(
            _encoder.encode({**record, name: mark}).replace(f'"{mark}"'.encode(), text), frozenset({name})
        )

    return make


def _without(*names: str) -> Callable[[Record, int], Dirty]:
    """Give a way in which properties are absent."""

    def make(record: Record, _: int) -> Dirty:
        rest = {name: value for name, value in record.items() if name not in names}
        return Dirty(_encoder.encode(rest), frozenset(names))

    return make


def _no_object(record: Record, _: int) -> Dirty:
    """A list in place of the record: every property that must be there is missing as well."""
    return Dirty(_encoder.encode([record["ENTRY_NUMBER"], record["LINE_NUMBER"]]), _ALL)


def _text_alone(record: Record, _: int) -> Dirty:
    return Dirty(_encoder.encode(f"{record['ENTRY_NUMBER']} {record['LINE_NUMBER']}"), _ALL)


def _large(record: Record, before: int) -> Dirty:
    """A text far over the column's length; the first of all takes some megabytes."""
    text = "x" * (_LARGE if before else _HUGE)
    return Dirty(_encoder.encode({**record, "DESCRIPTION": text}), frozenset({"DESCRIPTION"}))


def _twice(record: Record, _: int) -> Dirty:
    """A property that is written twice; the last one counts, as in every JSON reader, and is bad."""
    text = _encoder.encode(record)
    return Dirty(text[:-1] + b',"AMOUNT":"nothing"}', frozenset({"AMOUNT"}))


_ALL = frozenset({WHOLE, *_REQUIRED})


def _too_deep(record: Record, before: int) -> Dirty:
    """Nesting that no decoder follows: nothing of the record can be read."""
    found = _literal("SITE", b'[{"a":' * _DEEP + b'"]}"' + b"}]" * _DEEP)
    return Dirty(found(record, before).text, _ALL)


WAYS: dict[str, Callable[[Record, int], Dirty]] = {
    "text in a number": _change(AMOUNT="twelve"),
    "number with junk": _change(QUANTITY="17 pcs"),
    "decimal comma": _change(TAX_AMOUNT="12,50"),
    "key is missing": _without("LINE_NUMBER"),
    "key is null": _change(ENTRY_NUMBER=None),
    "key is too long": _change(ENTRY_NUMBER="GEN-" + "0" * 30),
    "key is no number": _change(LINE_NUMBER="two"),
    "required is missing": _without("COMPANY"),
    "required is null": _change(COMPANY=None),
    "several missing": _without("COMPANY", "LINE_NUMBER"),
    "text is too long": _change(FREE_REFERENCE="R" * 61),
    "text of megabytes": _large,
    "too many decimals": _change(DEBIT=Decimal("10.005")),
    "a tiny number": _literal("CREDIT", b"1.2E-7"),
    "too many digits": _change(AMOUNT=Decimal("1E+36")),
    "too big an integer": _change(FISCAL_YEAR=10**38),
    "fraction in an integer": _change(RATE_TYPE=Decimal("1.5")),
    "outside a float's range": _literal("RATE", b"1E+400"),
    "bad date": _change(ENTRY_DATE="31/12/2024"),
    "date that does not exist": _change(DUE_DATE="2025-02-29"),
    "year 0": _change(DUE_DATE="0000-01-01"),
    "time in a date": _change(RATE_DATE="2024-01-31T08:15:00Z"),
    "bad time": _change(CREATED_AT="yesterday"),
    "time that does not exist": _change(CREATED_AT="2024-01-31T25:00:00Z"),
    "number in a time": _change(CREATED_AT=1706659200),
    "time of day, seen by Snowflake": _change(PROJECT="half past eight"),
    "NaN": _literal("RATE", b"NaN"),
    "Infinity": _literal("RATE", b"Infinity"),
    "negative infinity": _literal("QUANTITY", b"-Infinity"),
    "not UTF-8": _literal("PARTNER_NAME", b'"M\xe9taux"'),
    "lone surrogate": _literal("DESCRIPTION", rb'"x\ud83dy"'),
    "list in place of the record": _no_object,
    "text in place of the record": _text_alone,
    "boolean as text": _change(MATCHED="true"),
    "boolean as number": _change(REVERSED=1),
    "number in a text": _change(JOURNAL=5),
    "unknown name of a list": _change(CURRENCY="XXX"),
    "pattern": _change(COMPANY="company 1"),
    "out of the schema's range": _change(PERIOD=13),
    "object in a text": _change(SITE={"code": "PLT1"}),
    "list in a number": _change(STATUS=[1, 2]),
    "nested deeply": _literal("SITE", b"[" * 900 + b"]" * 900),
    "nested too deeply to read": _too_deep,
    "written twice": _twice,
    "several columns": _change(
        AMOUNT="x", DUE_DATE="2025-13-01", MATCHED="no", FREE_REFERENCE="R" * 61, STATUS="open", CURRENCY="?"
    ),
    "several with the key": _change(LINE_NUMBER=None, CREATED_AT="never", RATE="high"),
    "not UTF-8 and more": lambda record, _: Dirty(
        _encoder.encode({**record, "SITE": "#mark#", "PERIOD": 0, "DEBIT": "-"}).replace(
            b"#mark#", b"\xff\xfe"
        ),
        frozenset({"SITE", "PERIOD", "DEBIT"}),
    ),
}
"""Ways of being bad by name: from the good record and how many went this way before."""
