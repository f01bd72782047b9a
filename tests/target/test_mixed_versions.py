"""Records with and without a version in one run: what is deleted does not depend on where batches end."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from target_snowflake_audit.errors import VersionError
from target_snowflake_audit.versions import as_number
from target_world import LINE_SCHEMA, state

if TYPE_CHECKING:
    from target_world import Message, World

SIZES = [1, 2, 3, 100]


def activate(world: World, version: Any) -> Message:  # noqa: ANN401 - taps write it as they like
    return {"type": "ACTIVATE_VERSION", "stream": world.stream, "version": version}


def numbers(world: World) -> list[int]:
    return [row["LINE_NUMBER"] for row in world.rows()]


def run(world: World, *messages: Message, schema: Message = LINE_SCHEMA, **settings: Any) -> str:  # noqa: ANN401
    told = [world.schema_message(schema), *messages, state({"at": 1})]
    return world.run(told, max_deleted_percent=100, **settings).log


def before(world: World) -> None:
    run(world, *(world.line("A", n, version=1) for n in range(6)), activate(world, 1))


@pytest.mark.parametrize("size", SIZES)
def test_a_record_without_a_version_counts_for_the_one_that_has_begun(world: World, size: int) -> None:
    before(world)
    new = [
        world.line("A", 0, version=2),
        world.line("A", 1),
        world.line("A", 2),
        world.line("A", 3, version=2),
    ]
    late = [world.line("A", 4, "7.00", version=1), world.line("A", 5)]  # 4 is of a version that is over
    run(world, *new, *late, activate(world, 2), batch_size_rows=size)
    assert numbers(world) == [0, 1, 2, 3, 5]


@pytest.mark.parametrize("size", SIZES)
def test_no_version_is_activated_that_began_after_a_record_without_one(world: World, size: int) -> None:
    before(world)
    new = [world.line("A", 1), *(world.line("A", n, version=2) for n in (2, 3))]
    log = run(world, *new, activate(world, 2), batch_size_rows=size)
    assert numbers(world) == [0, 1, 2, 3, 4, 5]
    assert "version 2 is not activated" in log
    assert "without a version before it began" in log


@pytest.mark.parametrize("size", SIZES)
def test_a_record_without_a_version_after_its_announcement(world: World, size: int) -> None:
    before(world)
    new = [activate(world, 2), world.line("A", 1), world.line("A", 2, version=2)]
    run(world, *new, batch_size_rows=size)
    assert numbers(world) == [1, 2]


@pytest.mark.parametrize("size", [1, 100])
def test_lines_of_a_document_with_and_without_a_version_are_one_document(world: World, size: int) -> None:
    scoped = {**LINE_SCHEMA, "x-replace-scope": ["documentId"]}
    lines = [world.line("A", n, version=None if n % 2 else 1) for n in range(5)]
    run(world, *lines, schema=scoped, batch_size_rows=size)
    assert numbers(world) == [0, 1, 2, 3, 4]


def test_a_version_that_is_text_is_its_number(world: World) -> None:
    before(world)
    new = [world.line("A", 0, version="2"), world.line("A", 1, version=2), world.line("A", 2, version="10")]
    run(world, *new, world.line("A", 3, version=10), activate(world, "10"))
    assert numbers(world) == [2, 3]
    with pytest.raises(VersionError, match="9 is older than version 10"):
        run(world, world.line("A", 1, version="9"), activate(world, "9"))


def test_a_version_that_is_no_number_fails_its_stream_only(world: World) -> None:
    before(world)
    other: dict[str, Any] = {"stream": f"{world.stream}_b"}
    messages = [world.line("A", 1, version=2), world.line("A", 2, version="two"), activate(world, "two")]
    messages += [world.schema_message(**other), {**world.line("B", 1), **other}]
    with pytest.raises(VersionError, match=f"stream {world.stream}: version 'two' is no whole number"):
        run(world, *messages)
    assert numbers(world) == [0, 1, 2, 3, 4, 5]
    assert len(world.rows(f"{world.table}_B")) == 1


@pytest.mark.parametrize(("given", "number"), [(3, 3), ("-3", -3), (Decimal("1E+3"), 1000), ("0012", 12)])
def test_numbers_of_versions(given: object, number: int) -> None:
    assert as_number("s", given) == number


@pytest.mark.parametrize(
    "given", ["", "1.5", "v1", Decimal("1.5"), Decimal("NaN"), Decimal("1E+99"), True, [1], {}, "9" * 39]
)
def test_no_numbers_of_versions(given: object) -> None:
    with pytest.raises(VersionError, match="no whole number"):
        as_number("s", given)
