"""Runs pytest with its arguments; a test whose worker was crashed by a native library runs again, once.

The processes of the tests hold several libraries with compiled cores (the Snowflake connector 5.x among
them), and a segmentation fault in one of them says nothing of the test that was on. The only one ever traced
was sqlglotc 30.30.0, which is therefore not installed beside them. Only if every failure is such a crash are
those tests run again, in a process of their own; anything else stays a failure.
"""

from __future__ import annotations

import re
import subprocess
import sys

CRASHED = re.compile(r"^worker '\w+' crashed while running '(.+)'$")
FAILURE = ("FAILED ", "ERROR ")


def crashed_only(lines: list[str]) -> list[str]:
    """Name the tests to run again: those whose worker crashed, or none if anything failed otherwise."""
    failures = [line for line in lines if line.startswith(FAILURE)]
    names = [found[1] for line in lines if (found := CRASHED.match(line.strip()))]
    other = [line for line in failures if not any(line.startswith(f"FAILED {name}") for name in names)]
    return [] if other else names


def pytest(arguments: list[str]) -> tuple[int, list[str]]:
    """Run pytest, show what it prints, and give its exit code and lines."""
    lines = []
    with subprocess.Popen(
        [sys.executable, "-m", "pytest", *arguments], stdout=subprocess.PIPE, text=True, bufsize=1
    ) as process:
        for line in process.stdout or ():
            sys.stdout.write(line)
            sys.stdout.flush()
            lines.append(line)
    return process.returncode, lines


def main() -> int:
    """Run the tests; exit code as pytest's."""
    code, lines = pytest(sys.argv[1:])
    again = crashed_only(lines)
    if code != 1 or not again:
        return code
    print(f"\nA worker process crashed in native code; run again, alone: {', '.join(again)}")
    code, _ = pytest(["-q", *again])
    return code


if __name__ == "__main__":
    sys.exit(main())
