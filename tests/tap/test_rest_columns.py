"""The catalog follows what a REST site shows; more numbered dimensions than usual are all read."""

from __future__ import annotations

import typing as t

import pytest
from tap_runs import catalog_of, config_for, copy_of, run_tap
from tap_sagex3.tap import TapSageX3
from x3_control import X3Control
from x3_servers import local_x3

if t.TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tap_runs import Alter, Config

STREAM = "gl_cost_allocations"


def hide(url: str, body: t.Any) -> t.Any:  # noqa: ANN401 - JSON
    """A site whose order lines, and only they, show no project."""
    if "PORDER.$details" in url.replace("%24", "$") and "$properties" in body:
        del body["$properties"]["POHPOQ"]["$item"]["$properties"]["PJT"]
        return body
    return None


def properties_of(tap: TapSageX3, stream: str) -> dict[str, t.Any]:
    entry = next(entry for entry in tap.catalog_dict["streams"] if entry["stream"] == stream)
    return t.cast("dict[str, t.Any]", entry["schema"]["properties"])


def test_a_column_that_is_not_shown_is_left_out_of_the_catalog_with_one_warning(
    rest_config: Config, alter: Callable[[Alter], None], caplog: pytest.LogCaptureFixture
) -> None:
    whole = properties_of(TapSageX3(config=copy_of(rest_config)), "purchase_order_lines")
    assert not [r for r in caplog.records if "this site has no" in r.getMessage()]
    alter(hide)
    found = properties_of(TapSageX3(config=copy_of(rest_config)), "purchase_order_lines")
    assert whole.keys() - found.keys() == {"project"}
    told = [r.getMessage() for r in caplog.records if "this site has no" in r.getMessage()]
    assert len(told) == 1
    assert told[0].startswith("purchase_order_lines: this site has no project;")


def test_with_a_catalog_only_selected_streams_ask_for_their_columns(
    rest_config: Config, x3: X3Control
) -> None:
    catalog = catalog_of(rest_config, "suppliers")
    x3.reset_counters()
    run_tap(rest_config, catalog=catalog)
    assert 1 <= x3.counters()["rest_prototypes"] <= 4


@pytest.mark.parametrize("told", [True, False], ids=["told", "not told"])
def test_a_site_with_twenty_dimensions(tmp_path: Path, *, told: bool) -> None:
    """Where the server does not tell how many there are, all are looked for."""
    (tmp_path / "gl_entry.toml").write_text(
        'extends = "gl_entry"\n[[dimensions]]\ntable = "GACCENTRYA"\ncount = 20\n', encoding="utf-8"
    )
    with (
        local_x3("--port", "0", "--scale", "5", "--site", str(tmp_path)) as server,
        X3Control(server.ready["url"]) as x3,
    ):
        row = x3.rows("GACCENTRYA")[0]
        place = [row[name] for name in ("TYP", "NUM", "LIN", "LEDTYP", "ANALIN")]
        x3.set("GACCENTRYA", place, {"DIE20": "BUD", "CCE20": "B777"})
        config = config_for(server, "rest")
        catalog = catalog_of(config, STREAM)
        if not told:
            x3.faults({"fault": "diagnoses", "on": "rest_prototypes", "times": 99})
        run = run_tap(config, catalog=catalog)
    last = {"index": 20, "type": "BUD", "value": "B777"}
    found = [record for record in run.records(STREAM) if last in record["dimensions"]]
    assert [record["dimensionBud"] for record in found] == ["B777"]
