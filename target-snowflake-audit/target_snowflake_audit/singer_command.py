"""Runs the target over the SDK's own command line options."""

from __future__ import annotations

import logging
import os
import select
import sys
import time

import click
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.singerlib.exceptions import InvalidInputLine

from target_snowflake_audit.command import EXIT_FAILED, EXIT_INTERRUPTED
from target_snowflake_audit.errors import InterruptedRunError, TargetError
from target_snowflake_audit.staging import folders
from target_snowflake_audit.target import TargetSnowflakeAudit
from target_snowflake_audit.unexpected import explained

logger = logging.getLogger("target-snowflake-audit")

DRAIN_SECONDS = 30.0
"""How long a failed run goes on reading: longer than a page of records takes, short for a person."""


def run_singer(arguments: list[str]) -> int:
    """Run with command line arguments; gives the exit code."""
    try:
        # Without standalone mode click gives the code of `ctx.exit`, which the SDK uses for bad settings.
        code = TargetSnowflakeAudit.cli(arguments, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return 2
    except InterruptedRunError as error:
        code = _fail(error, EXIT_INTERRUPTED)
        if error.at_once:
            _end_at_once(code)
        return code
    except (TargetError, InvalidInputLine, ConfigValidationError) as error:
        return _fail(error, EXIT_FAILED)
    except Exception as error:  # noqa: BLE001 - whatever it is, one line says so
        return _fail(explained(error, "starting", {}, shows_text=True), EXIT_FAILED)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(bool(ended.code))
    return code if isinstance(code, int) else 0


def _fail(error: BaseException, code: int) -> int:
    logger.critical("%s", error)
    try:
        sys.stdout.flush()
    except OSError:
        # Python would try once more at its end, and end with a code of its own.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if code != EXIT_INTERRUPTED:
        _read_to_the_end()
    return code


def _end_at_once(code: int) -> None:
    """End without what Python does at its end, where connector 4.8 waits for the statements that run."""
    folders.remove_all()
    logging.shutdown()
    os._exit(code)


def _read_to_the_end() -> None:
    """Read what the tap still writes, for a while, so that it ends by itself.

    Meltano answers a loader that ends early with a page about a broken pipe, which buries our message.
    """
    deadline = time.monotonic() + DRAIN_SECONDS
    try:
        descriptor = sys.stdin.fileno()
        if os.isatty(descriptor):
            return
        while (left := deadline - time.monotonic()) > 0:
            if select.select([descriptor], [], [], left)[0] and not os.read(descriptor, 65536):
                return
    except (OSError, ValueError):
        return  # no standard input to read: nobody is there to be kept waiting
