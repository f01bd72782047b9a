"""Command line: `tap-sagex3`. Answers --version and --help at once, and errors in one line."""

from __future__ import annotations

import gc
import logging
import sys
import warnings
from importlib.metadata import version

HELP = """\
Usage: tap-sagex3 [OPTIONS]

  Execute the Singer tap.

Options:
  --version                 Display the package version.
  --about                   Display package metadata and settings.
  --format [json|markdown]  Specify output style for --about
  --config TEXT             Configuration file location or 'ENV' to use
                            environment variables.
  --discover                Run the tap in discovery mode.
  --test TEXT               Use --test to sync a single record for each stream.
                            Use --test=schema to test schema output without
                            syncing records.
  --catalog FILENAME        Use a Singer catalog file with the tap.
  --state FILENAME          Use a bookmarks file for incremental replication.
  --check [table|json]      Tell for each stream how this site would be read.
  --help                    Show this message and exit.
"""
"""What the SDK's command prints (a test compares them), without the second that importing it takes."""

NAME = "tap-sagex3"
GARBAGE_THRESHOLDS = (50_000, 20, 100)


def main() -> None:
    """Run the tap; exit code 0 when everything was read, 1 after an error."""
    arguments = sys.argv[1:]
    if "--version" in arguments:
        print(f"{NAME} v{version(NAME)}, Meltano SDK v{version('singer-sdk')}")  # noqa: T201
        return
    if "--help" in arguments:
        print(HELP, end="")  # noqa: T201
        return
    _run()


def _run() -> None:
    """Run the SDK's command, and turn errors that a user can mend into one line."""
    from singer_sdk.exceptions import ConfigValidationError, MapExpressionError, StreamMapConfigError  # noqa: PLC0415

    from tap_sagex3.errors import TapError  # noqa: PLC0415
    from tap_sagex3.tap import TapSageX3  # noqa: PLC0415
    from tap_sagex3.turns import HURRIED  # noqa: PLC0415

    # Pages are large and free of cycles. What is here now stays; looking through all of it again and again
    # would cost a tenth of the time.
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    sys.setswitchinterval(HURRIED)
    # X3 makes the secret of a connected application; nobody who runs the tap can make it longer.
    warnings.filterwarnings("ignore", message=r"The HMAC key is \d+ bytes long")
    try:
        TapSageX3.cli()
    except FileNotFoundError as error:  # of --config; the SDK's command tells of the others itself
        _fail(f"Option --config: {error}", error)
    except (TapError, ConfigValidationError, MapExpressionError, StreamMapConfigError) as error:
        _fail(str(error), error)
    except ValueError as error:
        if type(error).__name__ != "JSONDecodeError":  # of json or of simplejson, whichever the SDK used
            raise
        _fail(f"A file given with --config, --state or --catalog is not JSON: {error}.", error)


def _fail(message: str, error: BaseException) -> None:
    """Log one line, with the traceback at debug level only, and end with exit code 1."""
    logger = logging.getLogger(NAME)
    logger.debug("Traceback of the error that follows", exc_info=error)
    logger.critical("%s", message)
    sys.exit(1)


if __name__ == "__main__":
    main()
