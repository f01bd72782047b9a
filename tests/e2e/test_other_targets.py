"""Our tap with other people's targets, through Meltano: everything arrives, then only what changed."""

from __future__ import annotations

import json
import typing as t
from decimal import Decimal

import pytest
from other_targets import WRAPPER, Project, environment, postgres, snowflake_peer
from snowflake_account import account
from streams import STREAMS
from tap_runs import config_for
from x3_control import X3Control
from x3_servers import local_x3

if t.TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from processes import Server
    from tap_runs import Config, Record

AMOUNT = Decimal("12345678901234.1234")


@pytest.fixture(params=["rest", "graphql"])
def source(request: pytest.FixtureRequest) -> Iterator[tuple[X3Control, Config, str]]:
    """A local X3 of its own and the tap's settings for an API."""
    running: Server
    with local_x3("--port", "0", "--scale", "20") as running, X3Control(running.ready["url"]) as control:
        yield control, config_for(running, request.param), request.param


def change(x3: X3Control, expected: dict[str, list[Record]]) -> tuple[str, str]:
    """Change a supplier and an amount of an entry; gives their keys."""
    supplier = expected["suppliers"][0]["code"]
    x3.set("BPSUPPLIER", supplier, {"BPSNAM": "Changed"})
    line = expected["gl_entry_lines"][0]
    key = [line["entryType"], line["id"], line["lineNumber"], 1]
    x3.set("GACCENTRYD", key, {"AMTCUR": AMOUNT})
    x3.touch("GACCENTRY", key[:2])
    return supplier, line["id"]


def all_expected(x3: X3Control, api: str) -> dict[str, list[Record]]:
    return {stream: x3.expected(stream, api) for stream in STREAMS}


def test_target_jsonl(source: tuple[X3Control, Config, str], tmp_path: Path) -> None:
    x3, tap, api = source
    files = tmp_path / "files"
    files.mkdir()
    place = environment("target-jsonl")
    config = {"destination_path": str(files), "do_timestamp_file": False}
    project = Project(tmp_path, "target-jsonl", place / "bin" / "target-jsonl", config)

    def lines(stream: str) -> list[Record]:
        text = (files / f"{stream}.jsonl").read_text(encoding="utf-8")
        return [json.loads(line, parse_float=Decimal) for line in text.splitlines()]

    expected = all_expected(x3, api)
    project.run(tap)
    first = {stream: lines(stream) for stream in STREAMS}
    assert {stream: len(rows) for stream, rows in first.items()} == {
        stream: len(rows) for stream, rows in expected.items()
    }
    assert {row["code"] for row in first["suppliers"]} == {row["code"] for row in expected["suppliers"]}
    supplier, entry = change(x3, expected)
    project.run(tap)
    second = {stream: lines(stream)[len(first[stream]) :] for stream in STREAMS}
    changed = {stream for stream, rows in second.items() if rows}
    assert changed - {"gl_cost_allocations"} == {"suppliers", "gl_entries", "gl_entry_lines"}
    assert [row["companyName"] for row in second["suppliers"]] == ["Changed"]
    assert second["suppliers"][0]["code"] == supplier
    assert {row["id"] for stream in ("gl_entries", "gl_entry_lines") for row in second[stream]} == {entry}
    project.run(tap)
    assert {stream: len(lines(stream)) for stream in STREAMS} == {
        stream: len(first[stream]) + len(second[stream]) for stream in STREAMS
    }


def test_target_postgres(source: tuple[X3Control, Config, str], tmp_path: Path) -> None:
    """Amounts are NUMERIC with all their digits, times TIMESTAMP, a changed document is one row still."""
    x3, tap, api = source
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
        counts = {stream: database.rows(f"SELECT count(*) FROM x3.{stream}")[0][0] for stream in STREAMS}
        assert counts == {stream: len(rows) for stream, rows in expected.items()}
        check_values(database.rows, expected)
        supplier, entry = change(x3, expected)
        project.run(tap)
        again = {stream: database.rows(f"SELECT count(*) FROM x3.{stream}")[0][0] for stream in STREAMS}
        assert again == counts
        names = database.rows(f"""SELECT "companyName" FROM x3.suppliers WHERE code = '{supplier}'""")
        assert names == [["Changed"]]
        amounts = database.rows(f"""SELECT "amountInCurrency" FROM x3.gl_entry_lines WHERE id = '{entry}'""")
        assert AMOUNT in {Decimal(amount) for (amount,) in amounts}
        loads = database.rows(
            "SELECT count(*) FROM x3.gl_entry_lines WHERE _sdc_batched_at > (SELECT min(_sdc_batched_at) "
            "+ interval '0.5 second' FROM x3.gl_entry_lines)"
        )
        assert loads[0][0] == len(amounts)


def test_target_snowflake(tmp_path: Path) -> None:
    """meltanolabs-target-snowflake on the local Snowflake: counts, keys, and only what changed."""
    with (
        account("--contract", "off") as warehouse,
        local_x3("--port", "0", "--scale", "12") as running,
        X3Control(running.ready["url"]) as x3,
    ):
        wrapper = tmp_path / "target-snowflake"
        ready = warehouse.ready
        command = f"{snowflake_peer() / 'bin' / 'python'} {WRAPPER} {ready['host']} {ready['port']}"
        wrapper.write_text(f'#!/bin/sh\nexec {command} "$2"\n', encoding="utf-8")
        wrapper.chmod(0o700)
        config = {
            "account": ready["account"],
            "user": ready["admin_user"],
            "password": ready["admin_password"],
            "database": ready["database"],
            "warehouse": ready["warehouse"],
            "default_target_schema": "X3",
        }
        project = Project(tmp_path, "target-snowflake", wrapper, config)
        tap, expected = config_for(running, "graphql"), all_expected(x3, "graphql")
        project.run(tap)
        with warehouse.admin() as session:

            def rows(sql: str) -> list[tuple[t.Any, ...]]:
                return session.rows(sql.replace("{schema}", "ANALYTICS.X3"))

            counts = {stream: rows(f"SELECT COUNT(*) FROM {{schema}}.{stream}")[0][0] for stream in STREAMS}
            assert counts == {stream: len(found) for stream, found in expected.items()}
            supplier, entry = change(x3, expected)
            project.run(tap)
            again = {stream: rows(f"SELECT COUNT(*) FROM {{schema}}.{stream}")[0][0] for stream in STREAMS}
            assert again == counts
            names = rows(f"SELECT COMPANYNAME FROM {{schema}}.SUPPLIERS WHERE CODE = '{supplier}'")
            assert names == [("Changed",)]
            lines = rows(f"SELECT AMOUNTINCURRENCY FROM {{schema}}.GL_ENTRY_LINES WHERE ID = '{entry}'")
            assert int(AMOUNT) in {int(amount) for (amount,) in lines}


def check_values(rows: t.Any, expected: dict[str, list[Record]]) -> None:  # noqa: ANN401 - a function
    """Compare keys, exact amounts, times and nulls of the ledger lines."""
    found = {
        tuple(row[:4]): row[4:]
        for row in rows(
            'SELECT "entryType", id, "lineNumber", "ledgerType", "amountInCurrency", '
            '"amountInLedgerCurrency", "updatedDate", "matchingDate", '
            'pg_typeof("amountInCurrency")::text FROM x3.gl_entry_lines'
        )
    }
    for record in expected["gl_entry_lines"]:
        key = tuple(record[name] for name in ("entryType", "id", "lineNumber", "ledgerType"))
        amount, ledger, updated, matching, kind = found[key]
        assert kind == "numeric"
        assert Decimal(amount) == Decimal(record["amountInCurrency"])
        assert Decimal(ledger) == Decimal(record["amountInLedgerCurrency"])
        assert updated.replace(" ", "T")[:19] == record["updatedDate"][:19]
        assert matching == record["matchingDate"]
