"""Entry point of `sandbox`: hands its arguments to the sandbox's own environment.

The sandbox runs on other versions of the Snowflake connector than the plugins do, so this launcher only
finds that environment, adds what the plugins' environment knows (the SQL that sets the warehouse up), and
replaces itself with the real program.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

SANDBOX = Path(__file__).resolve().parents[2]


def main() -> None:
    """Run `python -m sandbox_runner` in `tests/sandbox/.venv` with the arguments of this process."""
    python = SANDBOX / ".venv" / "bin" / "python"
    if not python.exists():
        sys.exit(f"sandbox: {python} is missing. Run `make setup` first: it makes the sandbox's environment.")
    environment = dict(os.environ)
    environment["PYTHONPATH"] = str(SANDBOX)
    audit = shutil.which("snowflake-audit", path=str(Path(sys.executable).parent))
    if audit:
        environment["SANDBOX_SNOWFLAKE_AUDIT"] = audit
    environment["SANDBOX_BIN"] = str(Path(sys.executable).parent)
    os.execve(python, [str(python), "-m", "sandbox_runner", *sys.argv[1:]], environment)  # noqa: S606


if __name__ == "__main__":
    main()
