"""Tips and `audit_hmac_key`: set later, replaced, left out of a run. A server of its own."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from audit_console import Console
from audited_server import audited_server
from target_snowflake_audit.audit.verify import SIGNATURE, UNSIGNED, Finding, Verifier
from target_snowflake_audit.session import connect
from target_snowflake_audit.sql.quoting import TableName

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_world import World

OLD, NEW = "0123456789abcdef" * 2, "fedcba9876543210" * 2


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with audited_server(tmp_path_factory.mktemp("signed")) as found:
        yield found.for_test("signed")


def load(world: World, number: int, keys: str = "") -> None:
    more = {"audit_hmac_key": keys} if keys else {}
    world.run([world.schema_message(), world.line("A", number)], **more)


def findings(world: World, *keys: str) -> list[Finding]:
    with closing(connect(world.settings())) as session:
        return Verifier(
            session, lambda table: TableName("ANALYTICS", "AUDIT", table), [key.encode() for key in keys]
        ).findings()


def faults(world: World, *keys: str) -> list[str]:
    return [one.kind for one in findings(world, *keys) if one.is_fault]


def test_a_key_may_be_set_later_and_replaced_but_not_left_out(world: World) -> None:
    load(world, 1)
    load(world, 2)
    assert faults(world, OLD) == [SIGNATURE, SIGNATURE]  # nothing tells that they are of before the key
    load(world, 3, OLD)
    [told] = findings(world, OLD)
    assert (told.kind, told.is_fault, told.where) == (UNSIGNED, False, f"chain {world.table}")
    assert told.what == "tips to number 2 have no signature of the key; number 3 has the first"
    load(world, 4, f"{NEW},{OLD}")
    assert faults(world, NEW, OLD) == []
    assert faults(world, OLD) == [SIGNATURE]  # the new key signed the last one
    assert [one.what for one in findings(world, NEW)] == [
        "tips to number 3 have no signature of the key; number 4 has the first"
    ]
    load(world, 5)
    load(world, 6, f"{NEW},{OLD}")
    assert faults(world, NEW, OLD) == [SIGNATURE]  # what a later tip covers may have been put in


def test_the_console_lists_what_is_unsigned_and_ends_with_0(world: World) -> None:
    load(world, 1)
    load(world, 2, OLD)
    ended = Console(world.ready, world.environment())("verify", audit_hmac_key=OLD)
    assert ended.code == 0
    assert "unsigned" in ended.out
    assert "Every digest and every link is right." in ended.out
    assert OLD not in ended.out + ended.err
