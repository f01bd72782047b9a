"""Our target with other people's taps: what they read arrives exactly, and once more changes nothing."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from audited_server import audited_server
from foreign_taps import ForeignTap, write_dbf
from other_targets import environment, postgres

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from target_world import World

NUMBERS = {"number_type": "NUMBER(38,4)"}
OF_TAP_OR_AUDIT = ("_AUDIT", "_SDC")
UTC = dt.UTC


@pytest.fixture(scope="module")
def _snowflake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with audited_server(tmp_path_factory.mktemp("snowflake")) as found:
        yield found


@pytest.fixture
def world(_snowflake: World, request: pytest.FixtureRequest) -> World:
    """The local Snowflake with a schema of this test's own."""
    return _snowflake.for_test(request.node.name)


def load(world: World, lines: bytes, **settings: object) -> None:
    """Load lines; all of them are good."""
    ended = world.command(lines, **{**NUMBERS, **settings})
    assert ended.code == 0, ended.log
    assert ended.log.strip().endswith("completed with 0 dead letters")


def stored(world: World, table: str, key: str) -> dict[str, dict[str, Any]]:
    """Live rows of a table by key, without columns of audit and tap; nulls are left out."""
    rows = world.query(f'SELECT * FROM "{world.schema}"."{table}" WHERE "_AUDIT_DELETED_AT" IS NULL')
    return {
        str(row[key]): {
            name: value
            for name, value in row.items()
            if value is not None and not name.startswith(OF_TAP_OR_AUDIT)
        }
        for row in rows
    }


def counted(world: World) -> list[tuple[int, ...]]:
    """Inserted, updated, unchanged and removed rows and dead letters of each batch, in order."""
    names = ("INSERTED", "UPDATED", "UNCHANGED", "REMOVED", "DEAD")
    where = f"TARGET_TABLE LIKE 'ANALYTICS.{world.schema}.%'"
    rows = world.query(f"SELECT * FROM AUDIT.BATCHES WHERE {where} ORDER BY LOADED_AT")
    return [tuple(int(row[name]) for name in names) for row in rows]


def history(world: World) -> int:
    """Number of history rows of this test's tables."""
    where = f"TARGET_TABLE LIKE 'ANALYTICS.{world.schema}.%'"
    return int(world.query(f"SELECT COUNT(*) AS N FROM AUDIT.RECORD_HISTORY WHERE {where}")[0]["N"])


def naive(*parts: int) -> dt.datetime:
    """A time as TIMESTAMP_NTZ gives it."""
    return dt.datetime(*parts, tzinfo=UTC).replace(tzinfo=None)  # type: ignore[misc, arg-type]


def test_tap_jsonl(world: World, tmp_path: Path) -> None:
    """Types are guessed there, mixed and null only; a record has the properties that its line has."""
    tags = ["a", {"n": 1.5}]
    at = "2026-02-01T08:00:00+02:00"
    source: list[dict[str, Any]] = [
        {"id": 1, "amount": 12.5, "name": "Métaux", "ok": True, "tags": tags, "none": None},
        {"id": 2, "amount": 5, "name": "", "ok": False, "at": at, "extra": {"x": "y"}},
        {"id": 3, "amount": None, "name": 'say "x", or\nnot', "big": 12345678901234567890123},
    ]
    file = tmp_path / "lines.jsonl"
    file.write_text("\n".join(map(json.dumps, source)), encoding="utf-8")
    config = {"path": str(file), "stream_name": "goods", "primary_keys": ["id"]}
    tap = ForeignTap("tap-jsonl", config, tmp_path)
    load(world, tap.lines())
    rows = stored(world, "GOODS", "ID")
    assert json.loads(rows["1"].pop("TAGS")) == tags
    assert json.loads(rows["2"].pop("EXTRA")) == {"x": "y"}
    assert rows == {
        "1": {"ID": 1, "AMOUNT": Decimal("12.5"), "NAME": "Métaux", "OK": True},
        "2": {"ID": 2, "AMOUNT": Decimal(5), "NAME": "", "OK": False, "AT": naive(2026, 2, 1, 6)},
        "3": {"ID": 3, "NAME": 'say "x", or\nnot', "BIG": 12345678901234567890123},
    }
    load(world, tap.lines())
    assert counted(world) == [(3, 0, 0, 0, 0), (0, 0, 3, 0, 0)]


@pytest.mark.full
def test_tap_dbf(world: World, tmp_path: Path) -> None:
    """No key: the table is replaced. Days come as date-time without a time of day."""
    fields = [
        ("ITEM", "C", 10, 0),
        ("QTY", "N", 12, 3),
        ("PIECES", "N", 8, 0),
        ("DAY", "D", 8, 0),
        ("ACTIVE", "L", 1, 0),
    ]
    file = tmp_path / "items.dbf"
    write_dbf(file, fields, [("A-1", "12.500", "3", "20260131", "T"), ('B "2"', "-0.125", "", "", "F")])
    tap = ForeignTap("tap-dbf", {"path": str(file)}, tmp_path)
    load(world, tap.lines(), load_method="overwrite")
    expected = {
        "A-1": {
            "ITEM": "A-1",
            "QTY": Decimal("12.5"),
            "PIECES": 3,
            "DAY": naive(2026, 1, 31),
            "ACTIVE": True,
        },
        'B "2"': {"ITEM": 'B "2"', "QTY": Decimal("-0.125"), "ACTIVE": False},
    }
    assert stored(world, "ITEMS", "ITEM") == expected
    written = history(world)
    load(world, tap.lines(), load_method="overwrite")
    assert stored(world, "ITEMS", "ITEM") == expected
    assert history(world) == written


TABLE = """
CREATE TABLE ledger (
    id integer PRIMARY KEY, amount numeric(20,4), rate numeric, real8 double precision, name varchar(20),
    posted date, made timestamp, sent timestamptz, open boolean, body jsonb, tags text[], big bigint,
    word uuid
);
INSERT INTO ledger VALUES
    (1, 1234567890.1234, 1.0875, 0.1, 'Métaux', '2026-01-31', '2026-01-31 08:00:00.123456',
     '2026-01-31 08:00:00+02', true, '{"a": [1.5, null], "b": "x"}', ARRAY['p', 'q,"r"'], 9007199254740993,
     '7f1c1c4e-0b5e-4a57-9f6e-0d7b5f1c2a3b'),
    (2, -0.0100, NULL, NULL, '', '1999-12-31', NULL, '2026-07-01 00:00:00+00', false, '{}',
     ARRAY[]::text[], -1, NULL),
    (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)
"""
FIRST = {
    "ID": 1,
    "AMOUNT": Decimal("1234567890.1234"),
    "RATE": Decimal("1.0875"),
    "REAL8": Decimal("0.1"),
    "NAME": "Métaux",
    "POSTED": dt.date(2026, 1, 31),
    "MADE": naive(2026, 1, 31, 8, 0, 0, 123456),
    "SENT": naive(2026, 1, 31, 6),
    "OPEN": True,
    "BODY": {"a": [1.5, None], "b": "x"},
    "TAGS": ["p", 'q,"r"'],
    "BIG": 9007199254740993,
    "WORD": "7f1c1c4e-0b5e-4a57-9f6e-0d7b5f1c2a3b",
}
SECOND = {
    "ID": 2,
    "AMOUNT": Decimal("-0.01"),
    "NAME": "",
    "POSTED": dt.date(1999, 12, 31),
    "SENT": naive(2026, 7, 1),
    "OPEN": False,
    "BODY": {},
    "TAGS": [],
    "BIG": -1,
}


@pytest.mark.full
def test_tap_postgres(world: World, tmp_path: Path) -> None:
    """A real PostgreSQL: numerics, times, zones, JSON, arrays; a deleted row goes when all is replaced."""
    with postgres(environment("target-postgres"), tmp_path / "data") as database:
        database.rows(TABLE)
        # The server listens in a folder, which the tap cannot name; its driver takes it from PGHOST.
        folder = parse_qs(urlsplit(database.address).query)["host"][0]
        config = {
            "host": "",
            "port": 5432,
            "user": "postgres",
            "password": "none",
            "database": "postgres",
            "filter_schemas": ["public"],
            "json_as_object": True,
        }
        tap = ForeignTap("tap-postgres", config, tmp_path, PGHOST=folder)
        load(world, tap.lines())
        rows = stored(world, "PUBLIC_LEDGER", "ID")
        for row in rows.values():
            row.update({name: json.loads(row[name]) for name in ("BODY", "TAGS") if name in row})
        assert rows == {"1": FIRST, "2": SECOND, "3": {"ID": 3}}
        load(world, tap.lines())
        assert counted(world) == [(3, 0, 0, 0, 0), (0, 0, 3, 0, 0)]
        database.rows("DELETE FROM ledger WHERE id = 2; UPDATE ledger SET amount = 7 WHERE id = 3")
        load(world, tap.lines(), load_method="overwrite", max_deleted_percent=50)
        rows = stored(world, "PUBLIC_LEDGER", "ID")
        assert rows.keys() == {"1", "3"}
        assert rows["3"]["AMOUNT"] == 7
