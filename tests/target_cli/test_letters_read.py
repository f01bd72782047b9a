"""Which letters a replay reads, and how much of each it keeps in memory."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from target_snowflake_audit.cli.dead_letters.replaying import letters
from target_snowflake_audit.cli.errors import CommandError
from target_snowflake_audit.cli.sql.dead_letters import REPLAY
from target_snowflake_audit.cli.sql.statement import Audit

if TYPE_CHECKING:
    from target_snowflake_audit.cli.reader import Row
    from target_snowflake_audit.cli.sql.statement import Statement

AUDIT = Audit("ANALYTICS", "AUDIT")
SCHEMAS = [
    {"schema": {"properties": {"id": {"multipleOf": 0.5}, "name": {}}}},
    {"schema": {"properties": {}}},
]


class Stored:
    """Letters as the connector gives them: each with its schema as a text of its own."""

    def __init__(self, **changed: object) -> None:
        """`changed` are columns that differ from a plain letter."""
        self.asked: list[Statement] = []
        self.changed = changed

    def rows(self, statement: Statement) -> list[Row]:
        """A letter for each identifier that is asked for."""
        self.asked.append(statement)
        return [self.row(statement.columns, str(name)) for name in statement.values]

    def row(self, columns: tuple[str, ...], name: str) -> Row:
        """One letter; its schema depends on its identifier."""
        schema = json.dumps(SCHEMAS[int(name) % 2])
        found: dict[str, Any] = {
            "DEAD_LETTER_ID": name,
            "RECORD_TEXT": "{}",
            "SINGER_SCHEMA": schema,
            "REDACTED": '["name"]',
            "ERRORS": '[{"value": "x"}]',
            "ERASURE_ID": None,
            **self.changed,
        }
        return {column: found.get(column) for column in columns}


def test_letters_of_one_schema_share_it_over_all_slices_and_stay_in_order() -> None:
    names = [str(number) for number in range(1500)]
    stored = Stored()
    found = letters(stored, AUDIT, names)
    assert [row["DEAD_LETTER_ID"] for row in found] == names
    assert [statement.columns for statement in stored.asked] == [REPLAY, REPLAY]
    assert len({id(row["SINGER_SCHEMA"]) for row in found}) == 2
    assert [row["SINGER_SCHEMA"]["schema"]["properties"].keys() for row in found[:2]] == [
        {"id", "name"},
        set(),
    ]
    assert found[0]["REDACTED"] == ["name"]


def test_a_letter_without_a_schema_has_none() -> None:
    assert letters(Stored(SINGER_SCHEMA=None), AUDIT, ["1"])[0]["SINGER_SCHEMA"] is None


def test_a_dry_run_reads_neither_records_nor_schemas() -> None:
    stored = Stored()
    [row] = letters(stored, AUDIT, ["1"], dry_run=True)
    assert not {"RECORD_TEXT", "SINGER_SCHEMA"} & set(stored.asked[0].columns)
    assert row["ERRORS"] == [{"value": "x"}]
    with pytest.raises(CommandError, match="1: erased on request"):
        letters(Stored(ERASURE_ID="c1"), AUDIT, ["1"], dry_run=True)
