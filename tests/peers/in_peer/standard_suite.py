"""Every test that the peer's own SDK lists for targets, run by pytest in the peer's environment."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import pytest
from peer_plugin import SETTINGS
from singer_sdk.testing import get_target_test_class

if TYPE_CHECKING:
    from singer_sdk import Target

target: type[Target] = importlib.import_module("target_snowflake.target").TargetSnowflake
suite: Any = get_target_test_class(target, config=SETTINGS["config"])


class TestStandard(suite):  # type: ignore[misc]
    """The suite, each test in a schema of its own."""

    @pytest.fixture(autouse=True)
    def _schema(self, in_own_schema: None) -> None:
        pass
