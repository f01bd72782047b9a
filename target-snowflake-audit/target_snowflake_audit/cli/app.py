"""The `snowflake-audit` command line: one group, the commands in modules of their own."""

from __future__ import annotations

import click

from target_snowflake_audit import __version__
from target_snowflake_audit.cli.dead_letters.commands import dead_letters
from target_snowflake_audit.cli.erase import erase
from target_snowflake_audit.cli.init_sql import init_sql
from target_snowflake_audit.cli.purge import purge
from target_snowflake_audit.cli.runs import batches, runs
from target_snowflake_audit.cli.trace.command import trace
from target_snowflake_audit.cli.verify import verify


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="snowflake-audit")
def app() -> None:
    """Read and mend what target-snowflake-audit wrote to Snowflake.

    Settings are those of the target: environment variables TARGET_SNOWFLAKE_AUDIT_*, or files named with
    --config. Exit codes: 0 fine, 1 found something, 2 could not run.
    """


for command in (dead_letters, trace, runs, batches, verify, purge, erase, init_sql):
    # Docstrings are raw; click keeps the lines of a paragraph after the character itself.
    command.help = (command.help or "").replace("\\b\n", "\b\n")
    app.add_command(command)
