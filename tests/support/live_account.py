"""A Snowflake account named by environment variables, in place of the local one, for the same tests."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

import pytest
from snowflake_control import SnowflakeControl
from target_world import World

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "LIVE_SNOWFLAKE_"
REQUIRED = ("ACCOUNT", "USER", "ROLE", "WAREHOUSE", "PRIVATE_KEY_PATH", "ADMIN_USER")
ADMIN = ("ADMIN_PASSWORD", "ADMIN_PRIVATE_KEY_PATH")
"""One of these."""
OPTIONAL = ("HOST", "PORT", "PROTOCOL", "ADMIN_ROLE")
DATABASE = "ANALYTICS"
"""The tests name it; `snowflake-audit init-sql` must have been run for it, with the audit schema AUDIT."""


class Ready(dict[str, Any]):
    """What the local Snowflake says of itself; what only it has ends a test as skipped."""

    def __missing__(self, name: str) -> NoReturn:
        """Skip: there is no such thing on a live account."""
        pytest.skip(f"needs the sandbox's own `{name}`, which a live account has not")


class NoControl(SnowflakeControl):
    """Stands where the control endpoint is; a test that needs it is skipped."""

    own_server: ClassVar[bool] = False

    def __init__(self) -> None:
        """Nothing to connect to."""
        super().__init__("", 0)

    def do(self, order: str, **_details: object) -> NoReturn:
        """Skip: faults, the clock and the query log are the sandbox's."""
        pytest.skip(f"needs the sandbox's control endpoint ({order}), which a live account has not")

    def clear_faults(self) -> None:
        """Nothing was armed."""


def missing(environment: Mapping[str, str]) -> list[str]:
    """Names of the variables that are not set and must be."""
    lacking = [f"{PREFIX}{name}" for name in REQUIRED if not environment.get(f"{PREFIX}{name}")]
    if not any(environment.get(f"{PREFIX}{name}") for name in ADMIN):
        lacking.append(" or ".join(f"{PREFIX}{name}" for name in ADMIN))
    return lacking


def world(environment: Mapping[str, str] = os.environ) -> World:
    """Give the account as tests see it; skips where it is not named."""
    lacking = missing(environment)
    if lacking:
        pytest.skip(f"no live Snowflake account: set {', '.join(lacking)}")
    names = (*REQUIRED, *ADMIN, *OPTIONAL)
    given = {name.lower(): environment.get(f"{PREFIX}{name}") or None for name in names}
    port = {"port": int(given["port"])} if given["port"] else {}
    return World(Ready({**given, **port, "database": DATABASE}), NoControl())
