"""Runs the `snowflake-audit` command."""

from __future__ import annotations

import gc
import os
import sys

import click

from target_snowflake_audit.cli.app import app
from target_snowflake_audit.cli.errors import COULD_NOT_RUN, CommandError
from target_snowflake_audit.cli.text import safe


def main() -> None:
    """Run the command line; exit with 0 (fine), 1 (found something) or 2 (could not run)."""
    gc.freeze()  # see `importing`
    try:
        code = app.main(standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        code = COULD_NOT_RUN
    except click.Abort:
        code = _failed("interrupted")
    except CommandError as error:
        code = _failed(str(error))
    except BrokenPipeError:
        # The reader of our output (`head`, a pager) is gone: nothing is left to say, and nobody to say it to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = COULD_NOT_RUN
    sys.exit(code)


def _failed(reason: str) -> int:
    click.echo(f"snowflake-audit: {safe(reason)}", err=True)
    return COULD_NOT_RUN


if __name__ == "__main__":
    main()
