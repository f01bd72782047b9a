"""The parts of the benchmarks that decide what a figure means: sample data, the check of a table, ratios."""

from __future__ import annotations

import json
import sys
from collections import Counter
from contextlib import closing
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from . import candidates, environments, lines, measure, options, replayed_x3, report, warehouse
from .figures import highest, median, ratio

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.alone


def _messages(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line, parse_float=Decimal) for line in file.read_text().splitlines()]


def test_lines_have_46_columns_and_are_the_same_every_time(tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    assert lines.write(first, 500) == lines.write(second, 500)
    assert first.read_bytes() == second.read_bytes()
    assert len(lines.schema()["properties"]) == 46
    assert 850 < first.stat().st_size / 500 < 1_150


def test_totals_are_those_of_the_file(tmp_path: Path) -> None:
    totals = lines.write(tmp_path / "file", 10_001)
    messages = _messages(tmp_path / "file")
    records = [message["record"] for message in messages if message["type"] == "RECORD"]
    assert Counter(message["type"] for message in messages) == {"SCHEMA": 1, "RECORD": 10_001, "STATE": 2}
    assert len({(record["ENTRY_NUMBER"], record["LINE_NUMBER"]) for record in records}) == 10_001
    assert totals.debit == sum(Decimal(record["DEBIT"]) for record in records)
    assert totals.ledger_amount == sum(Decimal(record["LEDGER_AMOUNT"]) for record in records)
    assert messages[-1]["value"]["bookmarks"]["gl_lines"]["replication_key_value"] == totals.newest


def test_one_line_in_ten_changes_and_gets_a_later_stamp() -> None:
    pairs = list(zip(lines.records(1_000), lines.records(1_000, changed=True), strict=True))
    different = [(old, new) for old, new in pairs if old != new]
    assert len(different) == 100
    for old, new in different:
        assert new["AMOUNT"] - old["AMOUNT"] == Decimal("0.01")
        assert new["UPDATED_AT"] > max(one["UPDATED_AT"] for one, _ in pairs)


def test_a_ratio_is_the_peers_median_to_ours() -> None:
    figure = ratio("target_vs_meltanolabs_new", [4.0, 8.0, 5.0], [50.0])
    assert figure.value == 10
    assert figure.runs == (12.5, 6.25, 10.0)
    assert median("cli_start_s", [3.0, 1.0, 2.0]).value == 2
    assert highest("tap_peak_mb", [3.0, 1.0]).as_json() == {"value": 3.0, "unit": "MB", "runs": [3.0, 1.0]}


def test_an_unknown_figure_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        options.parse(["--only", "target_peak_mb,speed"])
    assert "no figure named speed" in capsys.readouterr().err


def test_memory_of_a_child_process_counts_and_the_watchers_own_does_not(tmp_path: Path) -> None:
    own = bytearray(300 << 20)  # this process is large; what it starts must not look large for it
    small = measure.run_measured([sys.executable, "-c", "import time; time.sleep(.3)"], log=tmp_path / "log")
    child = "import time; a = bytearray(b'x' * (150 << 20)); time.sleep(.5)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    large = measure.run_measured([sys.executable, "-c", parent], log=tmp_path / "log")
    assert len(own) > 0
    assert small.peak_mb < 100
    assert 150 < large.peak_mb < 400


def test_pages_shared_with_a_forked_child_count_once(tmp_path: Path) -> None:
    program = (
        "import os, time; a = b'x' * (120 << 20); pid = os.fork()\ntime.sleep(.4)\nif pid: os.waitpid(pid, 0)"
    )
    measured = measure.run_measured([sys.executable, "-c", program], log=tmp_path / "log")
    assert 120 < measured.peak_mb < 180


def test_a_command_that_fails_has_no_figure(tmp_path: Path) -> None:
    with pytest.raises(measure.BenchError, match=r"(?s)code 3.*went wrong"):
        measure.run_measured(
            [sys.executable, "-c", "import sys; sys.stderr.write('went wrong'); sys.exit(3)"],
            log=tmp_path / "log",
        )


def test_a_table_that_is_wrong_by_a_cent_does_not_count(tmp_path: Path) -> None:
    totals = lines.write(tmp_path / "file", 200)
    with candidates.ours(environments.ours(), tmp_path / "ours") as candidate:
        candidate.load(tmp_path / "file")
        warehouse.check(candidate.ready, candidates.ROWS_TABLE, totals)
        with warehouse.connect(candidate.ready) as connection, closing(connection.cursor()) as cursor:
            where = '"ENTRY_NUMBER" = \'GEN-000000003\' AND "LINE_NUMBER" = 2'
            cursor.execute(f'UPDATE {candidates.ROWS_TABLE} SET "DEBIT" = "DEBIT" + 0.01 WHERE {where}')
        with pytest.raises(measure.BenchError, match="do not count"):
            warehouse.check(candidate.ready, candidates.ROWS_TABLE, totals)


def test_outputs_of_two_taps_count_as_equal_by_value_and_order(tmp_path: Path) -> None:
    def output(*records: str) -> replayed_x3.Output:
        file = tmp_path / "out"
        file.write_text(
            "".join(f'{{"type":"RECORD","stream":"a","record":{record}}}\n' for record in records)
        )
        return replayed_x3.read_output(file, ["key", "price"])

    first = output('{"key":"1","price":1.50}', '{"key":"2","price":7}')
    replayed_x3.check_equal(output('{"price":1.5,"key":"1"}', '{"key":"2","price":7.0}'), first, "same")
    for other in (
        output('{"key":"2","price":7}', '{"key":"1","price":1.50}'),
        output('{"key":"1","price":1.5000000000000001}', '{"key":"2","price":7}'),
        output('{"key":"1","price":1.50}'),
    ):
        with pytest.raises(measure.BenchError, match="does not count"):
            replayed_x3.check_equal(other, first, "others")
    turned = replayed_x3.read_output(tmp_path / "out", ordered=False)
    output('{"key":"2","price":7}', '{"key":"1","price":1.50}')
    there = replayed_x3.read_output(tmp_path / "out", ordered=False)
    output('{"key":"1","price":1.5}', '{"key":"2","price":7}')
    assert replayed_x3.read_output(tmp_path / "out", ordered=False) == there != turned


def test_nothing_of_a_figure_is_cut_in_a_narrow_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    percent = {"wait for the second process": 8, "parse": 33}
    figure = median("target_client_rows_per_s", [3, 1, 2], cpu_s=[5.25, 5.5], percent=percent)
    report.show([figure], {"cli_start_s": "no [such] command"})
    printed = capsys.readouterr().out
    assert "3: 1 to 3" in printed
    made_from = "cpu_s 5.25 5.5, percent wait for the second process 8, parse 33"
    assert f"target_client_rows_per_s: {made_from}\n" in printed
    assert "not measured: cli_start_s: no [such] command\n" in printed
