"""Options that every command has, so that they read alike everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable

Command = TypeVar("Command", bound="Callable[..., int]")


def as_json(command: Command) -> Command:
    """Add `--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document for programs.")(
        command
    )


def configured(command: Command) -> Command:
    """Add `--config` and `--json`, for commands that talk to Snowflake."""
    option = click.option(
        "--config",
        "config",
        multiple=True,
        metavar="FILE",
        type=click.Path(path_type=Path, dir_okay=False),
        help="JSON file with the settings of target-snowflake-audit. Environment variables "
        "TARGET_SNOWFLAKE_AUDIT_* come first. May be given several times.",
    )
    return option(as_json(command))


def limited(default: int) -> Callable[[Command], Command]:
    """Add `--limit`."""
    return click.option(
        "--limit",
        type=click.IntRange(min=1),
        default=default,
        show_default=True,
        metavar="N",
        help="Show at most N.",
    )
