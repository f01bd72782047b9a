"""Probes of Snowflake's rules: how they are written, run and judged.

Each `*.toml` in tests/sandbox_snowflake/probes holds `[[probe]]` entries:

id, rule, page, mark  the rule in our words, the page of docs.snowflake.com that says so, and how sure it is
                      (D documented, C seen in public code, I inferred, ? unknown)
setup                 statements that must succeed, in a new schema; one that begins with `!` must fail, one
                      with `?` is only described
files                 content by name of files in <dir>, for PUT
ask                   the statement that is judged; <schema>, <db> and <dir> stand for this run's names
binds, many           bind values of `ask` (qmark), `<null>` for None; `many` uses executemany
connect, session_parameters   settings of a session of its own
rows                  one text for each row: `1, Decimal 1.50, NULL, 'x', date 2026-01-02`
columns               names of the columns that `rows` shows, where not all are meant
types, names          `NAME TYPE(sizes)` for each column, or only names
rowcount              what the cursor counts
error                 number and SQLSTATE of the failure that must come
refused               the real one answers; the stand-in cannot and must refuse (a gap): true for 2/0A000, or
                      number and SQLSTATE
only                  the connector that shows the rule (4.8 sends a file again to a signed address, whatever
                      is there)
contract              ids of the entries of tests/contract whose meaning the probe checks
"""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from processes import ROOT, SANDBOX_PYTHON, VENV_BIN

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FOLDER = ROOT / "tests" / "sandbox_snowflake" / "probes"
STOCK = FOLDER / "stock.json"
WORKER = Path(__file__).with_name("probe_worker.py")
# Connector of the workspace (5.x) and of the sandbox (4.8.1).
PYTHONS = {"5.x": VENV_BIN / "python", "4.8": SANDBOX_PYTHON}
REFUSAL = "2 0A000"
WANTED = ("rows", "types", "names", "rowcount", "error", "refused")

Probe = dict[str, Any]
Outcome = dict[str, Any]


def load() -> list[Probe]:
    """All probes, in the order of the files."""
    return [
        probe
        for file in sorted(FOLDER.glob("*.toml"))
        for probe in tomllib.loads(file.read_text(encoding="utf-8"))["probe"]
    ]


def run(
    probes: Sequence[Probe],
    python: Path,
    connect: dict[str, Any],
    *,
    reconnect: bool = False,
    timeout: float = 300,
) -> dict[str, Outcome]:
    """What came of each probe, by id, through the connector of a Python.

    Raises:
        RuntimeError: the worker failed.
    """
    asked = json.dumps({"connect": connect, "reconnect": reconnect, "probes": list(probes)}, default=str)
    done = subprocess.run(
        [str(python), str(WORKER)],
        input=asked.encode() + b"\n",
        capture_output=True,
        timeout=timeout,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr.decode(errors="replace")[-2000:])
    outcomes = [json.loads(line) for line in done.stdout.decode().splitlines()]
    return {outcome.pop("id"): outcome for outcome in outcomes}


def connection(ready: dict[str, Any]) -> dict[str, Any]:
    """Settings of the administrator of a running local Snowflake."""
    return {
        "user": ready["admin_user"],
        "password": ready["admin_password"],
        "account": ready["account"],
        "host": ready["host"],
        "port": ready["port"],
        "protocol": "http",
        "database": ready["database"],
        "schema": "PUBLIC",
        "warehouse": ready["warehouse"],
        "login_timeout": 15,
    }


def wrong(probe: Probe, outcome: Outcome, *, ours: bool) -> str:
    """Why an outcome is not what the probe wants; empty when it is.

    `ours`: a refusal is right where the probe says so; for any other server the probe's rows are wanted.
    """
    if "failed" in outcome:
        return f"setup failed: {outcome['failed']} {outcome.get('message', '')}"
    if probe.get("refused"):
        if ours:
            return _differs("error", REFUSAL if probe["refused"] is True else probe["refused"], outcome)
        return outcome.get("message", "") if "error" in outcome else ""
    if "error" in outcome and "error" not in probe:
        return f"{outcome['error']} {outcome['message']}"
    return next((d for key in WANTED if key in probe and (d := _differs(key, probe[key], outcome))), "")


def _differs(key: str, wanted: object, outcome: Outcome) -> str:
    if key == "names":
        got: object = [column.split(" ")[0] for column in outcome.get("types", [])]
    else:
        got = outcome.get(key)
    if got == wanted:
        return ""
    if got is None:
        got = outcome.get("rows", outcome.get("error"))
    return f"{key}: {got!r} instead of {wanted!r}"


def judged(
    probes: Iterable[Probe], outcomes: dict[str, Outcome], connector: str, *, ours: bool = True
) -> dict[str, str]:
    """Reason by id of every probe that went wrong; those that a connector does not show are left out."""
    shown = [probe for probe in probes if probe.get("only", connector) == connector]
    found = {probe["id"]: wrong(probe, outcomes[probe["id"]], ours=ours) for probe in shown}
    return {name: reason for name, reason in found.items() if reason}


def listed(failures: dict[str, str]) -> str:
    """Failures as lines."""
    return "\n".join(f"{name}: {reason}" for name, reason in failures.items())


if __name__ == "__main__":
    sys.exit(f"{len(load())} probes")
