"""Writes the statements that tests/target/test_sql_text.py compares: `make generate` runs it."""

from __future__ import annotations

import importlib.util
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1] / "target" / "test_sql_text.py"


def main() -> None:
    """Write the file."""
    spec = importlib.util.spec_from_file_location("test_sql_text", TESTS)
    if spec is None or spec.loader is None:
        message = f"{TESTS} cannot be loaded"
        raise ImportError(message)
    tests = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tests)
    tests.SNAPSHOT.parent.mkdir(exist_ok=True)
    tests.SNAPSHOT.write_text(tests.snapshot())


if __name__ == "__main__":
    main()
