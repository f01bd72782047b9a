"""`make probes`: every probe against stock fakesnow and against ours, through both connectors, as a table.

Writes tests/sandbox_snowflake/probes/stock.json: what stock fakesnow 0.12.1 makes of each rule. A rule that
it gets wrong is one that our corrections restore: the probe fails without them.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from probes import PYTHONS, STOCK, connection, judged, load, run
from processes import SANDBOX_PYTHON, server

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE_SECONDS = 1  # of the connector, which sends a request that got an HTTP 500 again until then


@contextmanager
def stock() -> Iterator[dict[str, Any]]:
    """A stock fakesnow server; gives settings of a connection."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(SANDBOX_PYTHON.with_name("fakesnow")), "--server", "--port", str(port)]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        try:
            _wait(port)
            yield {
                "user": "ADMIN",
                "password": "x",
                "account": "fakesnow",
                "host": "127.0.0.1",
                "port": port,
                "protocol": "http",
                "database": "ANALYTICS",
                "schema": "PUBLIC",
                "warehouse": "LOAD_WH",
                "role": "ACCOUNTADMIN",
                "login_timeout": 5,
                "network_timeout": PATIENCE_SECONDS,
            }
        finally:
            os.killpg(process.pid, signal.SIGTERM)


def _wait(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    sys.exit("stock fakesnow did not start")


def stock_failures() -> dict[str, str]:
    """What stock fakesnow gets wrong, through connector 4.8 (5.x cannot log in to it)."""
    with stock() as settings:
        outcomes = run(PROBES, PYTHONS["4.8"], settings, reconnect=True, timeout=1800)
    return judged(PROBES, outcomes, "4.8", ours=False)


def our_failures(connector: str) -> dict[str, str]:
    """What the local Snowflake gets wrong."""
    with (
        tempfile.TemporaryDirectory() as secrets,
        server("local_snowflake", "--contract", "off", "--secrets-dir", secrets) as running,
    ):
        outcomes = run(PROBES, PYTHONS[connector], connection(running.ready))
    return judged(PROBES, outcomes, connector)


def short(reason: str) -> str:
    """One line of a reason, without what differs from run to run."""
    line = re.sub(r"\bP\d+\b", "SCHEMA", " ".join(reason.split(" (request_id=", 1)[0].split()))
    line = re.sub(r"/[\w/]*/probe-\w+", "FOLDER", line)
    return line if len(line) <= 140 else line[:137] + "..."


def _word(probe: dict[str, Any], column: str, failures: dict[str, str]) -> str:
    if probe["id"] in failures:
        return "wrong"
    return "refuses" if probe.get("refused") and column != "stock" else "right"


PROBES = load()


def main() -> None:
    """Run everything and print the table."""
    with ThreadPoolExecutor() as pool:
        columns = {
            "stock": pool.submit(stock_failures),
            **{f"ours {name}": pool.submit(our_failures, name) for name in PYTHONS},
        }
        failures = {name: column.result() for name, column in columns.items()}
    told = {
        p["id"]: f"wrong: {short(r)}" if (r := failures["stock"].get(p["id"])) else "right" for p in PROBES
    }
    STOCK.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{'probe':<42} {'stock':<6} {'5.x':<6} {'4.8':<6} what stock fakesnow does instead")
    for probe in PROBES:
        name = probe["id"]
        words = [_word(probe, column, found) for column, found in failures.items()]
        print(
            f"{name:<42} " + " ".join(f"{word:<7}" for word in words) + told[name].removeprefix("right")[:70]
        )
    ours = {
        name: reason for column in failures if column != "stock" for name, reason in failures[column].items()
    }
    for name, reason in ours.items():
        print(f"WRONG HERE: {name}: {reason}")
    good = len(PROBES) - len(failures["stock"])
    print(f"{len(PROBES)} probes; stock fakesnow is right in {good}, ours in {len(PROBES) - len(ours)}")
    print(f"{len(failures['stock'])} rules that stock fakesnow breaks: their probes fail without corrections")
    sys.exit(bool(ours))


if __name__ == "__main__":
    main()
