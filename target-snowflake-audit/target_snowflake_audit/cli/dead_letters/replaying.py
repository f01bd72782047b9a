"""`dead-letters replay`: which letters, with which settings, and what became of them."""

from __future__ import annotations

import logging
from collections import defaultdict
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from target_snowflake_audit.cli.errors import CommandError
from target_snowflake_audit.cli.reader import AUDIT_JSON, decoded
from target_snowflake_audit.cli.sql import dead_letters as sql
from target_snowflake_audit.cli.trace.names import full_name
from target_snowflake_audit.sql.quoting import identifier

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from target_snowflake_audit.cli.reader import Reader, Row
    from target_snowflake_audit.cli.sql.statement import Audit
    from target_snowflake_audit.replay import Outcome

MOST_AT_ONCE = 1000
"""Letters read together: each comes with its record and the schema of its stream."""

_SCHEMA = "SINGER_SCHEMA"


def slices(identifiers: Sequence[str]) -> Iterator[list[str]]:
    """Split identifiers into parts that fit into a statement, each once."""
    once = list(dict.fromkeys(identifiers))
    for start in range(0, len(once), MOST_AT_ONCE):
        yield once[start : start + MOST_AT_ONCE]


def letters(reader: Reader, audit: Audit, identifiers: Sequence[str], *, dry_run: bool = False) -> list[Row]:
    """Read letters, in the order in which they arrived; for a dry run without their records.

    All of one schema share it: thousands of letters have a few schemas, which are larger than most records.

    Raises:
        CommandError: one was erased.
    """
    found: list[Row] = []
    schemas: dict[str, object] = {}
    columns = sql.DRY_RUN if dry_run else sql.REPLAY
    for part in slices(identifiers):
        rows = reader.rows(sql.letters_to_replay(audit, part, columns))
        found += [_decoded(row, schemas) for row in rows]
    erased = [row["DEAD_LETTER_ID"] for row in found if row["ERASURE_ID"] is not None]
    if erased:
        message = f"{', '.join(erased)}: erased on request; the record is no longer there to be loaded"
        raise CommandError(message)
    return found


def _decoded(row: Row, schemas: dict[str, object]) -> Row:
    """Decode a letter; a schema that another letter had is not decoded again."""
    text = row.get(_SCHEMA)
    if text is None:
        return decoded(row, AUDIT_JSON)
    if text not in schemas:
        schemas[text] = decoded(row, [_SCHEMA])[_SCHEMA]
    return {**decoded(row, AUDIT_JSON - {_SCHEMA}), _SCHEMA: schemas[text]}


def replay_letters(
    config: Mapping[str, Any], rows: Iterable[Row], note: str, *, redacted_as_null: bool = False
) -> list[Outcome]:
    """Load letters again, those of each table on their own, and give what became of each.

    Raises:
        CommandError: a table's letters could not be tried; those of tables before it are done.
    """
    from target_snowflake_audit import replay as api  # noqa: PLC0415 - the Singer SDK costs a second
    from target_snowflake_audit.errors import TargetError  # noqa: PLC0415

    groups: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        groups[row["STREAM"], row["TARGET_TABLE"]].append(row)
    outcomes: list[Outcome] = []
    for (stream, table), group in groups.items():
        chosen = [
            api.LetterRow(
                row["DEAD_LETTER_ID"],
                stream,
                row["RECORD_TEXT"],
                row["SINGER_SCHEMA"] or {},
                tuple(row["REDACTED"] or ()),
                redacted_as_null,
            )
            for row in group
        ]
        try:
            with _quiet():
                outcomes += api.replay(placed(config, stream, table), chosen, note)
        except TargetError as error:
            done = f"; {len(outcomes)} letters before were replayed" if outcomes else ""
            message = f"letters of stream {stream}: {error}{done}"
            raise CommandError(message) from None
    return outcomes


def placed(config: Mapping[str, Any], stream: str, table: str) -> dict[str, Any]:
    """Settings under which a stream goes where its letter was refused, unless they place it themselves.

    A person who replays often has the login alone in the environment, not the schemas of the project file.
    """
    settings = dict(config)
    mapping = settings.get("schema_mapping") or []
    known = isinstance(mapping, list) and any(
        isinstance(entry, dict) and fnmatchcase(stream, str(entry.get("stream", ""))) for entry in mapping
    )
    if known or settings.get("default_target_schema") or not isinstance(mapping, list):
        return settings
    name = full_name(table)
    place = {"database": name.database, "schema": name.schema, "table": name.table}
    entry = {"stream": stream, **{part: identifier(value) for part, value in place.items()}}
    return {**settings, "schema_mapping": [entry, *mapping]}


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the loader's progress out of the answer; warnings and errors still show."""
    before = logging.root.manager.disable
    logging.disable(logging.INFO)
    try:
        yield
    finally:
        logging.disable(before)
