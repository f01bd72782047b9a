"""Runs the `snowflake-audit` command."""

from __future__ import annotations

import gc
import os
import sys
import traceback

import click

from target_snowflake_audit.cli.app import app
from target_snowflake_audit.cli.errors import COULD_NOT_RUN, CommandError
from target_snowflake_audit.cli.output import writable
from target_snowflake_audit.cli.text import safe
from target_snowflake_audit.errors import TargetError
from target_snowflake_audit.unexpected import place

_LOGLEVEL = "TARGET_SNOWFLAKE_AUDIT_LOGLEVEL"


def main() -> None:
    """Run the command line; exit with 0 (fine), 1 (found something) or 2 (could not run)."""
    gc.freeze()  # see `importing`
    writable(sys.stdout, sys.stderr)
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
    except Exception as error:  # noqa: BLE001 - a traceback would end with 1, which means "found something"
        code = _failed(_unexpected(error))
    sys.exit(code)


def _failed(reason: str) -> int:
    click.echo(f"snowflake-audit: {safe(reason)}", err=True)
    return COULD_NOT_RUN


def _unexpected(error: Exception) -> str:
    """What failed, and in which line; a message that is not of our own making could repeat a secret."""
    if os.environ.get(_LOGLEVEL, "").lower() == "debug":
        click.echo("".join(traceback.format_exception(error)), err=True)
    if isinstance(error, TargetError | OSError):
        return str(error)
    return f"{type(error).__name__}{place(error)}; {_LOGLEVEL}=debug shows more"


if __name__ == "__main__":
    main()
