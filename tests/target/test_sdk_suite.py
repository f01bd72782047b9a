"""The SDK's standard target tests, with contents compared to a plain-Python upsert of the same file.

Three of them expect a stop, so all run with `error_tolerance: none`; good records must load all the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from singer_sdk.testing import get_target_test_class
from singer_sdk.testing.suites import SingerTestSuite, target_tests
from singer_upsert import in_order, upserted
from target_snowflake_audit.target import TargetSnowflakeAudit
from warehouse import column_name

if TYPE_CHECKING:
    from target_world import World

# The SDK takes the configuration when the class is made; the fixture below fills it before each test.
CONFIG: dict[str, Any] = {"error_tolerance": "none"}
WORLD: list[World] = []

# Tables whose rows the suite cannot leave, since the run must stop.
STOPPED = {"invalid_schema", "record_before_schema", "record_missing_key_property"}


class WithContents:
    """Added to every standard test: compares the tables with the file."""

    name: ClassVar[str]

    def validate(self) -> None:
        """Compare."""
        path = getattr(self, "singer_filepath", None)
        if path is None or self.name in STOPPED:
            return
        world = WORLD[-1]
        _, tables = upserted(path.read_text(encoding="utf8").splitlines())
        for stream, rows in tables.items():
            expected = [{column_name(name): value for name, value in row.items()} for row in rows]
            table = "".join(c if c.isalnum() else "_" for c in column_name(stream))
            found = world.query(f"SELECT * FROM ANALYTICS.{world.schema}.{table}")
            stored = [{k: v for k, v in row.items() if not k.startswith("_AUDIT")} for row in found]
            assert in_order(stored) == in_order(expected)


SUITE: SingerTestSuite[Any] = SingerTestSuite(
    "target", [type(test.__name__, (WithContents, test), {}) for test in target_tests.tests]
)


class TestStandard(
    get_target_test_class(  # type: ignore[misc]
        TargetSnowflakeAudit, config=CONFIG, custom_suites=[SUITE], include_target_tests=False
    )
):
    """The standard suite."""

    @pytest.fixture(autouse=True)
    def _configure(self, world: World) -> None:
        CONFIG.update(world.settings(error_tolerance="none"))
        WORLD.append(world)


def test_a_missing_key_is_a_letter_where_errors_are_tolerated(world: World) -> None:
    schema = {"type": "object", "properties": {"id": {"type": "integer"}}}
    world.run([world.schema_message(schema, key=["id"]), world.record({"metric": 1})])
    assert world.letters()[0]["REASON"] == "missing"
