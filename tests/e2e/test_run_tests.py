"""Only a crashed worker is forgiven, never a failed test."""

from __future__ import annotations

from run_tests import crashed_only

CRASH = "FAILED tests/a.py::test_x - worker 'gw1' crashed while...\n"
REASON = "worker 'gw1' crashed while running 'tests/a.py::test_x'\n"
FAILED = "FAILED tests/b.py::test_y - assert 1 == 2\n"


def test_a_crashed_worker_is_run_again() -> None:
    assert crashed_only(["...\n", REASON, CRASH]) == ["tests/a.py::test_x"]


def test_a_failed_test_is_not() -> None:
    assert crashed_only([FAILED]) == []
    assert crashed_only([REASON, CRASH, FAILED]) == []
    assert crashed_only([REASON, CRASH, "ERROR tests/c.py - ImportError\n"]) == []
