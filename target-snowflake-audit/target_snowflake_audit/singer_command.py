"""Runs the target over the SDK's own command line options."""

from __future__ import annotations

import logging
import sys

import click
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.singerlib.exceptions import InvalidInputLine

from target_snowflake_audit.command import EXIT_FAILED, EXIT_INTERRUPTED
from target_snowflake_audit.errors import InterruptedRunError, TargetError
from target_snowflake_audit.target import TargetSnowflakeAudit

logger = logging.getLogger("target_snowflake_audit")


def run_singer(arguments: list[str]) -> int:
    """Run with command line arguments; gives the exit code."""
    try:
        # Without standalone mode click gives the code of `ctx.exit`, which the SDK uses for bad settings.
        code = TargetSnowflakeAudit.cli(arguments, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return 2
    except InterruptedRunError as error:
        return _fail(error, EXIT_INTERRUPTED)
    except (TargetError, InvalidInputLine, ConfigValidationError) as error:
        return _fail(error, EXIT_FAILED)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(bool(ended.code))
    return code if isinstance(code, int) else 0


def _fail(error: BaseException, code: int) -> int:
    sys.stderr.write(f"target-snowflake-audit: {error}\n")
    return code
