"""The fence of a table serves any number of batches, also one that an earlier version made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_snowflake_audit.sql.fence import create, fence_of, take
from target_snowflake_audit.sql.quoting import TableName

if TYPE_CHECKING:
    from target_world import World


def fence(world: World) -> TableName:
    """The fence of this test's table."""
    return fence_of(TableName(*world.table.split(".")), TableName("ANALYTICS", "AUDIT_LOCKS", ""))


def test_more_batches_than_a_digit_counts(world: World) -> None:
    lines = [world.line("D1", number) for number in range(12)]
    world.run([world.schema_message(), *lines], batch_size_rows=1)
    assert len(world.rows()) == 12
    names = [row["name"] for row in world.query("SHOW TABLES LIKE 'FENCE_%' IN DATABASE ANALYTICS")]
    assert fence(world).table in names


def test_a_column_of_one_digit_is_enough(world: World) -> None:
    """Made of the literal 0, as it once was: NUMBER(1,0)."""
    own = TableName("ANALYTICS", world.schema, "FENCE_OF_OLD")
    world.query(f"CREATE SCHEMA IF NOT EXISTS {own.schema_sql}")
    world.query(create(own).replace("CAST(0 AS NUMBER(38,0))", "7"))
    for _ in range(25):
        world.query(take(own))
    assert abs(world.query(f"SELECT * FROM {own.sql}")[0]["EPOCH"]) < 10
