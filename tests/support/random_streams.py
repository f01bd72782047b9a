"""Streams by chance for the property test: schemas, names, values, stamps, duplicates, order, bad values."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from audit_model import DELETED, Arrival, Rules

if TYPE_CHECKING:
    from random import Random

Schema = dict[str, Any]

NAMES = (
    *(
        "id",
        "lineNo",
        "updatedDate",
        "Grand Total",
        "sélection",
        "select",
        "order",
        'quo"te',
        "semi;--",
        "a$$b",
    ),
    *(
        "it's",
        "x" * 250,
        "emoji 🙂",
        "UPPER",
        "_private",
        "9lives",
        "tab\there",
        "back\\slash",
        "per%cent",
        "dot.ted",
    ),
)
KINDS: dict[str, tuple[Schema, tuple[Any, ...], tuple[Any, ...]]] = {
    "text": (
        {"type": ["string", "null"], "maxLength": 12},
        (None, "", "a", "null", "\\N", 'q"q', "é, 🙂", "line\nbreak", " x "),
        ("x" * 13, 5, ["a"]),
    ),
    "whole": ({"type": ["integer", "null"]}, (None, 0, -1, 7, 2**60), (Decimal("1.5"), "one", True)),
    "exact": (
        {"type": ["number", "null"], "multipleOf": 0.01},
        (None, 0, Decimal("1.10"), Decimal("-0.01"), Decimal("12345678901234567890.10")),
        (Decimal("0.005"), "x", Decimal("1E+37")),
    ),
    "float": (
        {"type": ["number", "null"]},
        (None, 0, Decimal("0.1"), Decimal("-2.5"), 10**15),
        ("high", [1]),
    ),
    "flag": ({"type": ["boolean", "null"]}, (None, True, False), ("true", 1)),
    "day": (
        {"type": ["string", "null"], "format": "date"},
        (None, "2026-01-31", "1999-12-31", "0001-01-01"),
        ("2026-02-30", "31.01.2026", 20260131),
    ),
    "time": (
        {"type": ["string", "null"], "format": "date-time"},
        (None, "2026-01-31T08:00:00Z", "2026-01-31T08:00:00.123456+02:00"),
        ("yesterday", "2026-01-31T25:00:00Z"),
    ),
    "json": (
        {"type": ["object", "array", "null"]},
        (None, {"b": [1, None], "a": ""}, [], [Decimal("0.1"), {"c": True}]),
        (5, "text"),
    ),
}
"""By kind: JSON schema, values that fit, values that do not."""
STAMPS = (
    *(None, "2026-01-01T00:00:00Z", "2026-01-01T10:00:00Z", "2026-01-01T23:30:00-02:00"),
    *("2026-01-02T00:00:00Z", "2026-01-02T00:00:00.000001Z", "2026-01-03T12:00:00Z"),
)
_KEYS = {"text": ("k1", "k 2", "é"), "whole": (1, 2, 3), "day": ("2026-01-01", "2026-01-02")}
_MOST_RECORDS, _FEWEST = 14, 3


@dataclass(frozen=True)
class Stream:
    """A stream: its SCHEMA's parts, its rules, and what each of several runs sends."""

    schema: Schema
    kinds: dict[str, str]
    rules: Rules
    runs: tuple[tuple[Arrival, ...], ...]
    batch_rows: tuple[int, ...]
    """`batch_size_rows` of each run."""
    naming: str
    """`column_naming` of all."""


def draw(chance: Random) -> Stream:
    """Make a stream."""
    names = chance.sample(NAMES, chance.randint(3, 8))
    key = tuple(names[: chance.randint(1, 2)])
    kinds = {name: chance.choice(list(_KEYS if name in key else KINDS)) for name in names}
    stamp = names[-1] if chance.random() < 0.7 else None
    if stamp is not None:
        kinds[stamp] = "time"
    by_day = stamp is not None and chance.random() < 0.4
    scope = key[:1] if len(key) > 1 and chance.random() < 0.6 else ()
    rules = Rules((*names, DELETED), key, stamp, by_day, scope)
    schema = _schema(rules, kinds)
    runs = tuple(_run(chance, rules, kinds) for _ in range(chance.randint(1, 3)))
    return Stream(
        schema,
        kinds,
        rules,
        runs,
        tuple(chance.randint(1, 7) for _ in runs),
        chance.choice(("snake", "upper")),
    )


def _schema(rules: Rules, kinds: dict[str, str]) -> Schema:
    properties = {name: dict(KINDS[kinds[name]][0]) for name in kinds}
    if rules.stamp is not None and rules.by_day:
        properties[rules.stamp]["x-precision"] = "day"
    properties[DELETED] = {"type": ["string", "null"], "format": "date-time"}
    scope = {"x-replace-scope": list(rules.scope)} if rules.scope else {}
    return {"type": "object", "properties": properties, **scope}


def _run(chance: Random, rules: Rules, kinds: dict[str, str]) -> tuple[Arrival, ...]:
    arrivals: list[Arrival] = []
    buried: set[str] = set()
    for _ in range(chance.randint(_FEWEST, _MOST_RECORDS)):
        arrival = _arrival(chance, rules, kinds)
        key = str([arrival.record[name] for name in rules.key])
        # After a record that says its row is deleted none of that key comes in the run: the deletion's stamp
        # is not kept, so what an older record after it does would depend on where batches end.
        if key in buried:
            continue
        if DELETED in arrival.record:
            buried.add(key)
        arrivals.append(arrival)
    if rules.scope:
        arrivals.sort(key=lambda one: str(one.record[rules.scope[0]]))
    return tuple(arrivals)


def _arrival(chance: Random, rules: Rules, kinds: dict[str, str]) -> Arrival:
    record: dict[str, Any] = {}
    for name, kind in kinds.items():
        if name in rules.key:
            record[name] = chance.choice(_KEYS[kind])
        elif name == rules.stamp:
            record[name] = chance.choice(STAMPS)
        elif chance.random() < 0.9:
            record[name] = chance.choice(KINDS[kind][1])
    bad: set[str] = set()
    if chance.random() < 0.12:
        free = [name for name in kinds if name not in rules.scope]
        bad = set(chance.sample(free, min(len(free), chance.randint(1, 2))))
        record |= {name: chance.choice(KINDS[kinds[name]][2]) for name in bad}
    elif chance.random() < 0.1:
        record[DELETED] = "2026-02-01T00:00:00Z"
    return Arrival(record, frozenset(bad))
