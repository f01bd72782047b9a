"""Entry point of `sandbox`: hands its arguments to the sandbox's own environment.

The sandbox runs on another version of the Snowflake connector than the plugins do, so this launcher only
finds that environment, says where the plugins' commands are, and replaces itself with the real program.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

SANDBOX = Path(__file__).resolve().parents[2]


def main() -> None:
    """Run `tests/sandbox/sandbox.py` with `tests/sandbox/.venv` and the arguments of this process."""
    python = SANDBOX / ".venv" / "bin" / "python"
    if not python.exists():
        sys.exit(
            "sandbox: tests/sandbox/.venv is missing. Run `make setup`: it makes the sandbox's environment."
        )
    environment = {**os.environ, "SANDBOX_BIN": str(Path(sys.executable).parent)}
    os.execve(python, [str(python), str(SANDBOX / "sandbox.py"), *sys.argv[1:]], environment)  # noqa: S606


if __name__ == "__main__":
    main()
