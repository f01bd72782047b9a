"""`--check` tells for each stream how this site would be read, and what to configure where it cannot."""

from __future__ import annotations

import json
import typing as t

import pytest
from own_entity import quality_report
from processes import run_command
from streams import STREAMS

if t.TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tap_runs import Config, Record
    from x3_control import X3Control


@pytest.fixture(autouse=True)
def _undo(x3: X3Control) -> Iterator[None]:
    yield
    x3.reset()


def checked(config: Config, folder: Path, code: int = 0) -> dict[str, Record]:
    path = folder / "config.json"
    path.write_text(json.dumps(config), encoding="utf-8")
    result = run_command(["tap-sagex3", "--config", str(path), "--check", "json"])
    assert result.returncode == code, result.stderr.decode()
    return {item["stream"]: item for item in json.loads(result.stdout)}


def test_a_site_that_has_everything(config: Config, api: str, tmp_path: Path) -> None:
    found = checked(config, tmp_path)
    assert found.keys() == STREAMS.keys()
    assert all(item["readable"] and item["api"] == api and not item["problem"] for item in found.values())
    assert found["stock"]["changes"] == ["whole table"]
    lines = found["gl_cost_allocations"]
    assert lines["lines"] == ("seen" if api == "graphql" else "look-back")
    own = {field["x3"]: field["type"] for field in found["suppliers"]["own"]}
    assert own["YQUASCORE"] == "decimal"
    assert own["YAUDDAT"] == "date"
    fields = [field for field in found["suppliers"]["own"] if field["x3"] == "YQUASCORE"]
    settings = {"suppliers": {"fields": [{**fields[0], "scale": 2}]}}
    again = checked({**config, "stream_options": settings}, tmp_path)
    assert "YQUASCORE" not in {field["x3"] for field in again["suppliers"]["own"]}
    if api == "graphql":
        assert found["purchase_orders"]["places"] == ["x3Purchasing.purchaseOrder"]
        assert found["suppliers"]["changes"] == ["_updateStamp (time)"]
        assert lines["collections"] == ["lines", "analyticalLines"]
    else:
        assert found["purchase_orders"]["places"] == ["PORDER (PORDER.$query, PORDER.$details)"]
        assert found["suppliers"]["changes"] == ["UPDDATTIM (time)"]
        assert lines["collections"] == ["HAEDAE", "DAEDAA"]


def test_a_site_that_lacks_something(rest_config: Config, x3: X3Control, tmp_path: Path) -> None:
    x3.rest_site(absent=["STOCK"])
    x3.expose("BPCUSTOMER", "UPDDAT")
    x3.expose("ITMMASTER")
    found = checked(rest_config, tmp_path, code=1)
    assert not found["stock"]["readable"]
    assert "stream_options" in found["stock"]["problem"]
    assert found["customers"]["changes"] == ["UPDDAT (day)"]
    assert found["products"]["changes"] == ["no change stamp: whole table each time"]
    optional = checked({**rest_config, "optional_streams": ["stock"]}, tmp_path)
    assert optional["stock"]["optional"]


def test_names_of_this_site_are_shown(graphql_config: Config, x3: X3Control, tmp_path: Path) -> None:
    x3.graphql_site(
        renamed={"x3FinanceData.journalEntry": "x3Finance.entry", "x3FinanceData.journalEntry.lines": "rows"},
        absent=["x3Purchasing.purchaseOrder.internalOrderReference"],
    )
    found = checked(graphql_config, tmp_path)
    assert found["gl_entries"]["places"] == ["x3Finance.entry"]
    assert found["gl_entry_lines"]["collections"] == ["rows"]
    assert found["purchase_orders"]["missing"] == ["internalOrderReference"]


def test_a_column_of_the_key_that_is_not_there(rest_config: Config, tmp_path: Path) -> None:
    """The run would fail at the first row, so the check does."""
    entity = quality_report()
    entity["stream"][0]["fields"][0]["x3"] = "YNOPE"
    found = checked({**rest_config, "custom_streams": [entity]}, tmp_path, code=1)
    assert not found["quality_reports"]["readable"]
    assert "YNOPE" in found["quality_reports"]["problem"]
    assert found["quality_report_defects"]["readable"]


def test_kinds_that_cannot_be_told_apart(rest_config: Config, x3: X3Control, tmp_path: Path) -> None:
    x3.rest_site(both_kinds=True)
    found = checked(rest_config, tmp_path, code=1)
    assert "kinds cannot be told apart" in found["supplier_invoices"]["problem"]


def test_the_table_is_for_people(rest_config: Config, x3: X3Control, tmp_path: Path) -> None:
    x3.rest_site(absent=["STOCK"])
    path = tmp_path / "config.json"
    path.write_text(json.dumps(rest_config), encoding="utf-8")
    result = run_command(["tap-sagex3", "--config", str(path), "--check"])
    lines = result.stdout.decode().splitlines()
    assert result.returncode == 1
    assert lines[0].split()[:3] == ["stream", "readable", "api"]
    assert any(line.startswith("suppliers") and " yes " in line for line in lines)
    assert any(line.startswith("stock") and " NO " in line for line in lines)
    assert any(line.startswith("stock: REST has no class STOCK") for line in lines)
    assert any("YQUASCORE" in line for line in lines)
    assert rest_config["password"] not in result.stdout.decode() + result.stderr.decode()


def test_a_wrong_login_is_told_in_one_line(rest_config: Config, tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**rest_config, "password": "wrong-one"}), encoding="utf-8")
    result = run_command(["tap-sagex3", "--config", str(path), "--check"])
    assert result.returncode == 1
    assert b"refused the login" in result.stdout + result.stderr
    assert b"Traceback" not in result.stderr
