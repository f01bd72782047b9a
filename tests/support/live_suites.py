"""The tests of tests/target, taken over by name so that they run on another account: the same code."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import ModuleType

FOLDER = Path(__file__).resolve().parents[1] / "target"
SUITES = (
    *("loading", "exactness", "dead_letters", "letters_again", "deletions", "interruptions", "sdk_suite"),
    *("dirty_file", "model"),
)


def tests() -> dict[str, Any]:
    """Give all tests and fixtures of the suites; a test's name starts with its suite's."""
    found: dict[str, Any] = {}
    for suite in SUITES:
        for name, thing in vars(_module(suite)).items():
            if name.startswith("test_") and callable(thing):
                found[f"test_{suite}__{name.removeprefix('test_')}"] = thing
            elif name.startswith("Test") or type(thing).__name__ == "FixtureFunctionDefinition":
                found[name] = thing
    return found


def _module(suite: str) -> ModuleType:
    """Load a test file beside the copy that pytest may have loaded."""
    name = f"live_{suite}"
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"test_{suite}.py")
    if spec is None or spec.loader is None:
        message = f"no suite {suite}"
        raise ImportError(message)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
