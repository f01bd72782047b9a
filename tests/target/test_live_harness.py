"""tests/live runs the same tests on an account that the environment names: proven on the local Snowflake."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import live_account
import pytest
from processes import ROOT

if TYPE_CHECKING:
    from target_world import World


def run_live(environment: dict[str, str], *options: str) -> tuple[dict[str, int], str]:
    """Run tests/live in a process of its own: how many passed, failed, were skipped; and all that it said."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(live_account.PREFIX)}
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rs", "-m", "live", "tests/live", *options],
        cwd=ROOT,
        env={**clean, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    last = ended.stdout.strip().splitlines()[-1]
    return {
        word: int(n) for n, word in re.findall(r"(\d+) (passed|failed|skipped|error)", last)
    }, ended.stdout


def of_sandbox(world: World) -> dict[str, str]:
    ready = world.ready
    names = ("account", "user", "role", "warehouse", "private_key_path", "admin_user", "admin_password")
    given = {name: ready[name] for name in (*names, "host", "port", "protocol")}
    return {f"{live_account.PREFIX}{name.upper()}": str(value) for name, value in given.items()}


def test_without_an_account_the_reason_names_the_variables() -> None:
    counts, said = run_live({}, "-k", "test_loading__every_type")
    assert counts == {"skipped": 1}
    assert "no live Snowflake account: set LIVE_SNOWFLAKE_ACCOUNT, LIVE_SNOWFLAKE_USER" in said


def test_some_tests_pass_on_a_named_account_and_some_say_why_not(world: World) -> None:
    chosen = "loading__every_type or interruptions__lost_answer_of_commit"
    counts, said = run_live(of_sandbox(world), "-k", chosen)
    assert counts == {"passed": 1, "skipped": 1}, said
    assert "needs the sandbox's control endpoint (fault)" in said


def test_nothing_is_dropped_on_a_named_account(world: World) -> None:
    world.query('CREATE SCHEMA "ANALYTICS"."T_KEPT"')
    live_account.world(of_sandbox(world)).tidy()
    assert "T_KEPT" in {row["name"] for row in world.query('SHOW SCHEMAS IN DATABASE "ANALYTICS"')}
    world.tidy()
    assert "T_KEPT" not in {row["name"] for row in world.query('SHOW SCHEMAS IN DATABASE "ANALYTICS"')}


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_all_tests_pass_on_a_named_account(world: World) -> None:
    counts, said = run_live(of_sandbox(world), "-m", "live and not full", "--timeout", "1200")
    assert counts.keys() == {"passed", "skipped"}, said[-5000:]
    assert counts["passed"] > 120
    reasons = {line.split(": ", 2)[-1] for line in said.splitlines() if line.startswith("SKIPPED")}
    assert all("which a live account has not" in reason for reason in reasons), reasons
