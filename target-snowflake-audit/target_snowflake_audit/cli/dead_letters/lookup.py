"""Finds dead letters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_snowflake_audit.cli.errors import CommandError
from target_snowflake_audit.cli.reader import Reader, Row, audit_rows
from target_snowflake_audit.cli.sql import dead_letters as sql

if TYPE_CHECKING:
    from target_snowflake_audit.cli.sql.statement import Audit

MIN_BEGINNING = 6
"""Fewest characters of an identifier that a person may type instead of all of them."""


def one_letter(reader: Reader, audit: Audit, beginning: str) -> Row:
    """Give the only letter whose identifier begins with the text.

    Raises:
        CommandError: the text is too short, or fits no letter, or several.
    """
    if len(beginning) < MIN_BEGINNING:
        message = f"dead letter {beginning!r}: give at least {MIN_BEGINNING} characters of its identifier"
        raise CommandError(message)
    found = audit_rows(reader, sql.letters_by_id(audit, beginning.lower()))
    if not found:
        message = f"no dead letter {beginning} in {audit.database}.{audit.schema}"
        raise CommandError(message)
    if len(found) > 1:
        message = f"{beginning} means several dead letters; give more characters of the identifier"
        raise CommandError(message)
    return found[0]


def open_identifiers(reader: Reader, audit: Audit, wanted: sql.Filter) -> list[str]:
    """Identifiers of the letters that fit the filter, oldest first."""
    return [str(row["DEAD_LETTER_ID"]) for row in reader.rows(sql.open_ids(audit, wanted))]
