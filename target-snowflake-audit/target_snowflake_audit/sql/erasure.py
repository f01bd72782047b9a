"""Erasing: payloads of a record's rows become null; digests, times and counts stay for the chain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from target_snowflake_audit.audit.tables import DEAD_LETTER_EVENTS, DEAD_LETTERS, RECORD_HISTORY
from target_snowflake_audit.sql.quoting import identifier, literal, words
from target_snowflake_audit.sql.retention import insert

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from target_snowflake_audit.audit.tables import Table
    from target_snowflake_audit.sql.quoting import TableName

    Names = Callable[[str], TableName]

BLANKS = {
    RECORD_HISTORY.name: {"KEY": "NULL", "BEFORE": "NULL", "AFTER": "NULL"},
    DEAD_LETTERS.name: {"KEY": "NULL", "RECORD": "NULL", "RECORD_TEXT": "''"},
    DEAD_LETTER_EVENTS.name: {"PATCH": "NULL", "ERRORS": "NULL"},
}
"""Columns with payload and what they become; DEAD_LETTERS.ERRORS keeps columns and reasons without values."""


@dataclass(frozen=True)
class Subject:
    """Whose rows: of a table, by digests of keys or by values of some key columns; or letters by id."""

    table: str
    key_hashes: tuple[str, ...] = ()
    key: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Key columns, each with the texts that its value may have in KEY."""
    letters: tuple[str, ...] = ()

    def rows(self, table: Table) -> str:
        """Condition on rows of RECORD_HISTORY or DEAD_LETTERS (alias `r`) that are not erased yet."""
        found = []
        if self.key_hashes:
            found.append(f'r."KEY_HASH" IN ({_texts(self.key_hashes)})')
        if self.key:
            found.append(
                " AND ".join(
                    f'r."KEY":{identifier(name)}::VARCHAR IN ({_texts(values)})' for name, values in self.key
                )
            )
        if self.letters and table is DEAD_LETTERS:
            found.append(f'r."DEAD_LETTER_ID" IN ({_texts(self.letters)})')
        chosen = " OR ".join(f"({one})" for one in found) or "FALSE"
        return f'r."TARGET_TABLE" = {literal(self.table)} AND r."ERASURE_ID" IS NULL AND ({chosen})'


def letters(audit: Names, subject: Subject) -> str:
    """SELECT of the letters to erase: id and ERRORS."""
    table = audit(DEAD_LETTERS.name).sql
    return words(
        'SELECT r."DEAD_LETTER_ID", r."ERRORS" FROM', table, "AS r WHERE", subject.rows(DEAD_LETTERS)
    )


def history(audit: Names, subject: Subject, mark: str) -> str:
    """UPDATE that blanks the history."""
    return _blank(audit, RECORD_HISTORY, mark, subject.rows(RECORD_HISTORY))


def letter(audit: Names, letter_id: str, errors: str, mark: str) -> str:
    """UPDATE that blanks one letter; `errors` is JSON text without values."""
    chosen = f'r."DEAD_LETTER_ID" = {literal(letter_id)} AND r."ERASURE_ID" IS NULL'
    return _blank(audit, DEAD_LETTERS, mark, chosen, ERRORS=f"PARSE_JSON({literal(errors)})")


def events(audit: Names, letter_ids: Sequence[str], mark: str) -> str:
    """UPDATE that blanks the events of letters."""
    chosen = f'r."DEAD_LETTER_ID" IN ({_texts(letter_ids)}) AND r."ERASURE_ID" IS NULL'
    return _blank(audit, DEAD_LETTER_EVENTS, mark, chosen)


def without_values(errors: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Give ERRORS with columns and reasons alone."""
    return [{name: part for name, part in error.items() if name != "value"} for error in errors]


def checkpoint(audit: Names, table: Table, mark: str, reason: str) -> str:
    """INSERT of the checkpoint rows of what was blanked in an audit table: one for each key."""
    facts = {"CHECKPOINT_ID": literal(mark), "KIND": literal("erase"), "REASON": literal(reason)}
    rows = words(audit(table.name).sql, 'AS r WHERE r."ERASURE_ID" =', literal(mark))
    return insert(audit, table, facts, rows)


def _blank(audit: Names, table: Table, mark: str, chosen: str, **more: str) -> str:
    values = {**BLANKS[table.name], **more, "ERASURE_ID": literal(mark)}
    sets = ", ".join(f"{identifier(name)} = {value}" for name, value in values.items())
    return words("UPDATE", audit(table.name).sql, "AS r SET", sets, "WHERE", chosen)


def _texts(values: Sequence[str]) -> str:
    return ", ".join(map(literal, values))
