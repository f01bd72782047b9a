"""`make test` runs a sample of a test's cases, the same one everywhere; `make test-full` runs all."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from processes import ROOT
from sampling import chosen

if TYPE_CHECKING:
    from pathlib import Path

CASES = {f"test[{n}]": {"n": n} for n in range(40)}
TEST = """
from __future__ import annotations
import pytest

@pytest.mark.sampled(2, lambda arguments: arguments["n"] % 3)
@pytest.mark.parametrize("n", range(30))
def test_sampled(n):
    pass

def test_other():
    pass
"""


def test_as_many_of_each_kind_as_asked_for_whatever_the_order() -> None:
    kept = chosen(CASES, 3, lambda arguments: arguments["n"] % 4)
    assert sorted(CASES[name]["n"] % 4 for name in kept) == sorted([0, 1, 2, 3] * 3)
    assert kept == chosen(dict(reversed(CASES.items())), 3, lambda arguments: arguments["n"] % 4)
    assert len(chosen(CASES, 5)) == 5


def test_another_seed_chooses_others() -> None:
    assert chosen(CASES, 5, seed="1") != chosen(CASES, 5, seed="2")


def test_cases_outside_the_sample_are_full(tmp_path: Path) -> None:
    file = tmp_path / "test_it.py"
    file.write_text(TEST)
    assert _passed(file, "not full") == 2 * 3 + 1


def _passed(file: Path, marks: str) -> int:
    """Run the tests of a file under the project's own rules."""
    command = [sys.executable, "-m", "pytest", "-q", "-c", str(ROOT / "pyproject.toml"), "-m", marks]
    ended = subprocess.run(
        [*command, "-p", "conftest", "-p", "no:cacheprovider", str(file)],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT / 'tests'}:{ROOT / 'tests' / 'support'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return int(ended.stdout.strip().splitlines()[-1].split()[0])
