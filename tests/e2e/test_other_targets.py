"""Our tap with other people's targets, through Meltano: everything arrives exact, then only what changed.

A line that is deleted in X3 is the one thing that no other target does anything about: each test shows what
it then holds, and how the README says the line can be told.
"""

from __future__ import annotations

import datetime as dt
import json
import typing as t
from decimal import Decimal

import pytest
from other_targets import WRAPPER, Project, environment, postgres, snowflake_peer
from singer_upsert import comparable
from site_changes import LARGEST, Rows, all_expected, change
from snowflake_account import account
from streams import STREAMS
from tap_runs import config_for
from x3_control import X3Control
from x3_servers import local_x3

if t.TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from other_targets import Postgres
    from processes import Server
    from snowflake_account import Account
    from tap_runs import Config, Record

LARGEST_OF_FLOAT = Decimal("12345678901.1234")
"""15 digits: as many as a binary float keeps of any number."""
COLUMNS = {
    "gl_entry_lines": ("amountInCurrency", "amountInLedgerCurrency", "updatedDate", "matchingDate"),
    "purchase_order_lines": ("quantityInPurchaseUnitOrdered", "grossPrice", "updatedDate"),
    "stock": ("quantityInStockUnit", "lastCountDate", "updatedDate"),
    "suppliers": ("authorizedCreditAmount", "isActive", "createdDate", "notes"),
}
"""Columns that are compared in tables: amounts, prices, quantities, times, days, texts, some of them null."""


def through(first: str, second: str) -> pytest.MarkDecorator:
    """Each of the two APIs; the second one in `make test-full` only."""
    return pytest.mark.parametrize("api", [first, pytest.param(second, marks=pytest.mark.full)])


@pytest.fixture
def source(api: str) -> Iterator[tuple[X3Control, Config]]:
    """A local X3 of its own and the tap's settings for an API."""
    running: Server
    with local_x3("--port", "0", "--scale", "8") as running, X3Control(running.ready["url"]) as control:
        yield control, config_for(running, api)


@through("rest", "graphql")
def test_target_jsonl(source: tuple[X3Control, Config], api: str, tmp_path: Path) -> None:
    """Files hold each record as it was sent, digit by digit; the deleted line is there from the first run."""
    x3, tap = source
    files = tmp_path / "files"
    files.mkdir()
    executable = environment("target-jsonl") / "bin" / "target-jsonl"
    config = {"destination_path": str(files), "do_timestamp_file": False}
    project = Project(tmp_path, "target-jsonl", executable, config)

    def records(before: dict[str, list[Record]]) -> dict[str, list[Record]]:
        """What was added to the files."""
        found = {}
        for path in files.glob("*.jsonl"):
            lines = path.read_text(encoding="utf-8").splitlines()[len(before.get(path.stem, ())) :]
            found[path.stem] = [json.loads(line, parse_float=Decimal) for line in lines]
        return found

    expected = all_expected(x3, api)
    project.run(tap)
    first = records({})
    assert first.keys() == STREAMS.keys()
    assert_same(by_key(first), expected)
    made = change(x3, expected)
    project.run(tap)
    second = records(first)
    moved = made.moved(all_expected(x3, api))
    assert {stream: len(rows) for stream, rows in second.items()} == counts(moved)
    assert_same(by_key(second), moved)
    assert LARGEST in {record["amountInCurrency"] for record in second["gl_entry_lines"]}
    assert made.gone in by_key(first)["purchase_order_lines"]
    assert made.gone not in by_key(second)["purchase_order_lines"]
    project.run(tap)
    assert {stream: len(rows) for stream, rows in records({}).items()} == {
        stream: len(first[stream]) + len(second[stream]) for stream in STREAMS
    }


@through("graphql", "rest")
def test_target_postgres(source: tuple[X3Control, Config], api: str, tmp_path: Path) -> None:
    """Amounts are NUMERIC with all their digits, times TIMESTAMP, a changed document is one row still."""
    x3, tap = source
    place = environment("target-postgres")
    expected = all_expected(x3, api)
    with postgres(place, tmp_path / "data") as database:
        config = {
            "sqlalchemy_url": database.address.replace("postgresql://", "postgresql+psycopg://"),
            "default_target_schema": "x3",
            "load_method": "upsert",
        }
        project = Project(tmp_path, "target-postgres", place / "bin" / "target-postgres", config)
        project.run(tap)
        tables = database.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'x3'")
        assert {name for (name,) in tables} == STREAMS.keys()
        assert_same(postgres_rows(database), only_compared(expected))
        ((loaded,),) = database.rows(f"SELECT max(at) FROM ({union('_sdc_batched_at AS at')}) AS loads")
        made = change(x3, expected)
        project.run(tap)
        after = all_expected(x3, api)
        moved = database.rows(
            f"SELECT name, count(*) FROM ({union('_sdc_batched_at AS at')}) AS loads "
            f"WHERE at > '{loaded}' GROUP BY name"
        )
        assert {name: int(number) for name, number in moved} == counts(made.moved(after), empty=False)
        assert_same(postgres_rows(database), only_compared(made.with_gone(after, expected)))
        kind = database.rows('SELECT DISTINCT pg_typeof("amountInCurrency")::text FROM x3.gl_entry_lines')
        assert kind == [["numeric"]]
        assert LARGEST in {
            row["amountInCurrency"] for row in postgres_rows(database)["gl_entry_lines"].values()
        }
        stale = gone_query("x3.purchase_order_lines", "id", '"lineNumber", "sequenceNumber"')
        assert database.rows(stale) == [[*made.gone]]
        deleted = 'SELECT "stockSite", "stockId" FROM x3.stock WHERE _sdc_deleted_at IS NOT NULL'
        assert database.rows(deleted) == [[*made.stock]]


@through("graphql", "rest")
def test_target_snowflake(source: tuple[X3Control, Config], api: str, tmp_path: Path) -> None:
    """`number` is FLOAT there, which keeps 15 digits: longer amounts can be sent as text."""
    x3, tap = source
    as_text = {"gl_entry_lines": {"amountInLedgerCurrency": "str(record['amountInLedgerCurrency'])"}}
    tap = {**tap, "stream_maps": as_text}
    expected = all_expected(x3, api)
    with account("--contract", "off") as warehouse, warehouse.admin() as session:
        project = Project(tmp_path, "target-snowflake", *snowflake_loader(warehouse, tmp_path))
        project.run(tap)
        schema = "ANALYTICS.X3"
        tables = session.rows(f"SHOW TABLES IN SCHEMA {schema}")
        assert {row[1].lower() for row in tables} == STREAMS.keys()

        def rows() -> Rows:
            found = {
                stream: table_rows(stream, session.rows(select(stream, schema, str.upper)))
                for stream in COLUMNS
            }
            for line in found["gl_entry_lines"].values():
                line["amountInLedgerCurrency"] = Decimal(str(line["amountInLedgerCurrency"]))
            return found

        def loaded(since: str) -> dict[str, int]:
            found = session.rows(
                f"SELECT NAME, COUNT(*) FROM ({union('_SDC_BATCHED_AT AS AT', schema)}) "
                f"WHERE AT > '{since}'::TIMESTAMP GROUP BY NAME"
            )
            return dict(found)

        assert loaded("1970-01-01") == counts(expected)
        assert_same(rows(), only_compared(expected))
        last = session.value(f"SELECT MAX(AT) FROM ({union('_SDC_BATCHED_AT AS AT', schema)})")
        made = change(x3, expected, LARGEST_OF_FLOAT)
        project.run(tap)
        after = all_expected(x3, api)
        assert loaded(last.isoformat(sep=" ")) == counts(made.moved(after), empty=False)
        line = after["gl_entry_lines"][made.line]
        assert (line["amountInCurrency"], line["amountInLedgerCurrency"]) == (LARGEST_OF_FLOAT, LARGEST)
        assert_same(rows(), only_compared(made.with_gone(after, expected)))
        amount = "AMOUNTINLEDGERCURRENCY"
        amounts = f"SELECT {amount}::NUMBER(38, 4) FROM {schema}.GL_ENTRY_LINES WHERE {amount} LIKE '99999%'"
        assert session.rows(amounts) == [(LARGEST,)]
        stale = session.rows(gone_query(f"{schema}.PURCHASE_ORDER_LINES", "ID", "LINENUMBER, SEQUENCENUMBER"))
        assert stale == [made.gone]
        deleted = f"SELECT STOCKSITE, STOCKID FROM {schema}.STOCK WHERE _SDC_DELETED_AT IS NOT NULL"
        assert session.rows(deleted) == [made.stock]


def snowflake_loader(warehouse: Account, folder: Path) -> tuple[Path, dict[str, t.Any]]:
    """The loader's command, with the address of the local Snowflake, and its settings."""
    ready = warehouse.ready
    command = f"{snowflake_peer() / 'bin' / 'python'} {WRAPPER} {ready['host']} {ready['port']}"
    wrapper = folder / "target-snowflake"
    wrapper.write_text(f'#!/bin/sh\nexec {command} "$2"\n', encoding="utf-8")
    wrapper.chmod(0o700)
    return wrapper, {
        "account": ready["account"],
        "user": ready["admin_user"],
        "password": ready["admin_password"],
        "database": ready["database"],
        "warehouse": ready["warehouse"],
        "default_target_schema": "X3",
    }


def by_key(records: dict[str, list[Record]]) -> Rows:
    """Records by stream and key."""
    return {
        stream: {tuple(record[name] for name in STREAMS[stream].key): record for record in found}
        for stream, found in records.items()
    }


def counts(rows: Rows, *, empty: bool = True) -> dict[str, int]:
    """Number of rows by stream; `empty` names those with none, too."""
    return {stream: len(found) for stream, found in rows.items() if found or empty}


def only_compared(rows: Rows) -> Rows:
    """The rows with the columns that are compared in tables."""
    return {
        stream: {key: {name: record[name] for name in names} for key, record in rows[stream].items()}
        for stream, names in COLUMNS.items()
    }


def assert_same(found: Rows, expected: Rows) -> None:
    """Every key, every value: numbers by their exact value."""
    for stream, rows in expected.items():
        assert found[stream].keys() == rows.keys(), stream
        for key, record in rows.items():
            assert comparable(found[stream][key]) == comparable(record), (stream, key)


def union(column: str, schema: str = "x3") -> str:
    """A query of a column of all tables, with the name of the table."""
    return " UNION ALL ".join(f"SELECT '{name}' AS name, {column} FROM {schema}.{name}" for name in STREAMS)


def select(stream: str, schema: str, column: t.Callable[[str], str]) -> str:
    """A query of the key and the compared columns of a table."""
    names = ", ".join(column(name) for name in (*STREAMS[stream].key, *COLUMNS[stream]))
    return f"SELECT {names} FROM {schema}.{stream}"


def postgres_rows(database: Postgres) -> Rows:
    """The compared columns of all compared tables."""
    return {
        stream: table_rows(stream, database.rows(select(stream, "x3", '"{}"'.format))) for stream in COLUMNS
    }


def table_rows(stream: str, rows: t.Iterable[t.Sequence[t.Any]]) -> dict[tuple[t.Any, ...], Record]:
    """Rows of a table by key, with values in the form of records."""
    size = len(STREAMS[stream].key)
    return {
        tuple(row[:size]): dict(zip(COLUMNS[stream], map(as_sent, row[size:]), strict=True)) for row in rows
    }


def as_sent(value: t.Any) -> t.Any:  # noqa: ANN401 - any column
    """A value of a table in the form in which it is sent."""
    if isinstance(value, dt.datetime):
        return value.isoformat(timespec="seconds").replace("+00:00", "").removesuffix("Z") + "Z"
    return value.isoformat() if isinstance(value, dt.date) else value


def gone_query(table: str, document: str, line: str) -> str:
    """The README's query: lines that a later read of their document did not bring any more."""
    return (
        f"SELECT {document}, {line} FROM (SELECT {document}, {line}, _sdc_extracted_at, "
        f"MAX(_sdc_extracted_at) OVER (PARTITION BY {document}) AS last_read FROM {table}) AS lines_read "
        "WHERE _sdc_extracted_at < last_read"
    )
