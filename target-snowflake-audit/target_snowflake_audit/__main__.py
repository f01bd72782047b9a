"""The command `target-snowflake-audit`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line. Errors that a person can act on are one line; the exit code is never 0 then."""
    from target_snowflake_audit.command import run_command  # noqa: PLC0415 - keeps `--version` fast

    sys.exit(run_command(sys.argv[1:]))


if __name__ == "__main__":
    main()
