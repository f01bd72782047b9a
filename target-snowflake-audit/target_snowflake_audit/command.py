"""Command line: the SDK's, with clear errors, and `--version` and `--help` without loading the SDK."""

from __future__ import annotations

import sys
from importlib import metadata

from target_snowflake_audit import __version__
from target_snowflake_audit.importing import lasting

HELP = """\
Usage: target-snowflake-audit [OPTIONS]

  Loads Singer streams into Snowflake, one audited transaction a batch. Reads
  Singer messages from standard input, writes STATE to standard output.

Options:
  --version                 Display the package version.
  --about                   Display package metadata and settings.
  --format [json|markdown]  Specify output style for --about
  --config TEXT             Configuration file location or 'ENV' to use
                            environment variables.
  --input FILENAME          A path to read messages from instead of from
                            standard in.
  --help                    Show this message and exit.
"""

EXIT_FAILED = 1
EXIT_INTERRUPTED = 130


def run_command(arguments: list[str]) -> int:
    """Run the command and give its exit code."""
    if arguments == ["--version"]:
        sdk = metadata.version("singer-sdk")
        sys.stdout.write(f"target-snowflake-audit v{__version__}, Meltano SDK v{sdk}\n")
        return 0
    if arguments == ["--help"]:
        sys.stdout.write(HELP)
        return 0
    with lasting():
        from target_snowflake_audit.singer_command import run_singer  # noqa: PLC0415 - loads the SDK

    return run_singer(arguments)
