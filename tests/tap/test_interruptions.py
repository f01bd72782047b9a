"""Runs that end in the middle: signals, a target that goes away, and going on from any STATE."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import typing as t

from processes import VENV_BIN
from tap_runs import Run, catalog_of, read_messages, run_tap
from tap_sagex3.sync import context as sync

if t.TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from tap_runs import Config
    from x3_control import X3Control


def start(config: Config, folder: Path, **environment: str) -> subprocess.Popen[bytes]:
    path = folder / "config.json"
    path.write_text(json.dumps(config), encoding="utf-8")
    return subprocess.Popen(
        [str(VENV_BIN / "tap-sagex3"), "--config", str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **environment},
    )


def test_a_signal_ends_the_run_with_whole_lines_and_not_as_a_success(
    rest_config: Config, x3: X3Control, tmp_path: Path
) -> None:
    x3.faults({"fault": "slow", "on": "rest_query", "path": "GACCENTRY?", "seconds": 30})
    with start(rest_config, tmp_path) as process:
        output = process.stdout
        assert output is not None
        head = b""
        line = b""
        while b'"stream":"gl_accounts"' not in head or b'"STATE"' not in line:  # the one before it hangs
            line = output.readline()
            head += line
        process.send_signal(signal.SIGTERM)
        rest, errors = process.communicate(timeout=20)
    assert process.returncode == 128 + signal.SIGTERM
    assert b"Traceback" not in errors
    run = read_messages(head + rest)
    assert run.records("gl_accounts")
    assert "gl_entries" not in run.counts()


def test_a_target_that_goes_away_is_told_in_one_line(rest_config: Config, tmp_path: Path) -> None:
    with start(rest_config, tmp_path) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        errors = process.stderr.read()
        process.wait(timeout=30)
    assert process.returncode == 1
    assert b"The target closed the pipe" in errors
    assert b"Traceback" not in errors
    assert b"Exception ignored" not in errors


def test_nothing_is_lost_when_a_run_goes_on_from_any_state(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "STATE_EVERY", 40)
    config = {**config, "start_date": "2001-01-01T00:00:00Z", "page_size": 10, "lookback_seconds": 60}
    config["line_lookback_days"] = 0
    catalog = catalog_of(config, "gl_entries", "gl_entry_lines", "supplier_invoice_lines")
    whole = run_tap(config, catalog=catalog)
    places = [place for place, message in enumerate(whole.messages) if message["type"] == "STATE"]
    assert len(places) > 5
    for place in places[:: len(places) // 4]:
        before = Run(whole.messages[: place + 1])
        after = run_tap(config, catalog=catalog, state=before.state)
        for stream in whole.keys:
            found = (
                {**before.by_key(stream), **after.by_key(stream)}
                if stream in before.keys
                else after.by_key(stream)
            )
            assert found == whole.by_key(stream)
        assert len(after.of("RECORD")) < len(whole.of("RECORD"))


def test_each_state_comes_after_whole_documents(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync, "STATE_EVERY", 7)
    config = {**config, "start_date": "2001-01-01T00:00:00Z"}
    whole = run_tap(config, catalog=catalog_of(config, "gl_entry_lines"))
    lines: dict[str, int] = {}
    for record in whole.records("gl_entry_lines"):
        lines[record["id"]] = lines.get(record["id"], 0) + 1
    seen: dict[str, int] = {}
    states = 0
    for message in whole.messages:
        if message["type"] == "RECORD":
            seen[message["record"]["id"]] = seen.get(message["record"]["id"], 0) + 1
        elif message["type"] == "STATE":
            states += 1
            assert all(lines[number] == count for number, count in seen.items())
    assert states > 10


def test_no_secret_is_in_any_log_at_debug_level(config: Config, tmp_path: Path) -> None:
    with start(config, tmp_path, TAP_SAGEX3_LOGLEVEL="DEBUG", LOGLEVEL="DEBUG") as process:
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 0
    text = (output + errors).decode()
    basic = base64.b64encode(f"{config['username']}:{config['password']}".encode()).decode()
    token = base64.b64encode(b'{"alg":').decode()[:8]
    for word in (config["password"], config["client_secret"], basic, token):
        assert word not in text
