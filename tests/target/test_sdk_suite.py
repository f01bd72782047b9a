"""The SDK's standard target tests, with contents compared to a plain-Python upsert of the same file.

Three of them expect a stop, so all run with `error_tolerance: none`; good records must load all the same.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from singer_sdk.testing import get_target_test_class
from singer_sdk.testing.suites import SingerTestSuite, target_tests
from target_snowflake_audit.target import TargetSnowflakeAudit
from warehouse import column_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from target_world import World

# The SDK takes the configuration when the class is made; the fixture below fills it before each test.
CONFIG: dict[str, Any] = {"error_tolerance": "none"}
WORLD: list[World] = []

# Tables whose rows the suite cannot leave, since the run must stop.
STOPPED = {"invalid_schema", "record_before_schema", "record_missing_key_property"}


def upserted(lines: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    """What a Singer file must leave: rows by table, the last record of a key wins, no key keeps all."""
    tables: dict[str, dict[Any, dict[str, Any]]] = {}
    schemas: dict[str, dict[str, Any]] = {}
    for line in lines:
        message = json.loads(line, parse_float=Decimal)
        if message["type"] == "SCHEMA":
            schemas[message["stream"]] = message
            tables.setdefault(message["stream"], {})
        elif message["type"] == "RECORD":
            rows, record = tables[message["stream"]], message["record"]
            key = tuple(record[name] for name in schemas[message["stream"]].get("key_properties") or [])
            rows[key or len(rows)] = record
    return {
        stream: [
            {column_name(name): row.get(name) for name in schemas[stream]["schema"]["properties"]}
            for row in rows.values()
        ]
        for stream, rows in tables.items()
    }


def comparable(value: Any) -> Any:  # noqa: ANN401 - any value of a row
    """One form for a value of the file and of the table: JSON text read, numbers by value, names sorted."""
    if isinstance(value, str) and value[:1] in {"{", "["}:
        return comparable(json.loads(value, parse_float=Decimal))
    if isinstance(value, dict):
        return {name: comparable(part) for name, part in sorted(value.items())}
    if isinstance(value, list):
        return [comparable(part) for part in value]
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return str(Decimal(str(value)).normalize())
    return value


class WithContents:
    """Added to every standard test: compares the tables with the file."""

    name: ClassVar[str]

    def validate(self) -> None:
        """Compare."""
        path = getattr(self, "singer_filepath", None)
        if path is None or self.name in STOPPED:
            return
        world = WORLD[-1]
        for stream, expected in upserted(path.read_text(encoding="utf8").splitlines()).items():
            table = "".join(c if c.isalnum() else "_" for c in column_name(stream))
            found = world.query(f"SELECT * FROM ANALYTICS.{world.schema}.{table}")
            stored = [{k: v for k, v in row.items() if not k.startswith("_AUDIT")} for row in found]
            assert _sorted(stored) == _sorted(expected)


def _sorted(rows: list[dict[str, Any]]) -> list[str]:
    return sorted(str(comparable(row)) for row in rows)


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
