"""Reads the rows of which a trace is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_snowflake_audit.cli.errors import CommandError, NotAllowedError
from target_snowflake_audit.cli.reader import SEMI_STRUCTURED, Reader, Row, audit_rows, decoded
from target_snowflake_audit.cli.sql import dead_letters
from target_snowflake_audit.cli.sql import trace as sql
from target_snowflake_audit.cli.text import utc_of_text
from target_snowflake_audit.cli.trace.document import Document, Entry
from target_snowflake_audit.cli.trace.keys import Example
from target_snowflake_audit.cli.trace.links import (
    ALLOCATIONS,
    BY_ENTRY_NUMBER,
    BY_INTERNAL_NUMBER,
    ENTRY,
    ENTRY_LINES,
)
from target_snowflake_audit.cli.trace.names import Loaded, full_name
from target_snowflake_audit.cli.trace.timeline import Trail

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from target_snowflake_audit.cli.sql.statement import Audit
    from target_snowflake_audit.cli.trace.links import Invoice, Part
    from target_snowflake_audit.sql.quoting import TableName

DELETED = "_AUDIT_DELETED_AT"
_WITH_KEYS = ("RECORD_HISTORY", "DEAD_LETTERS")


def loaded_tables(reader: Reader, audit: Audit) -> list[Loaded]:
    """Every stream and its table that a batch was loaded into."""
    return [
        Loaded(row["STREAM"], full_name(row["TARGET_TABLE"]))
        for row in audit_rows(reader, sql.loaded_tables(audit))
    ]


def column_types(reader: Reader, table: TableName) -> dict[str, str]:
    """Columns of a table with their types, in table order."""
    return {str(row["name"]): str(row["type"]) for row in reader.rows(sql.columns(table))}


def example_key(reader: Reader, audit: Audit, table: TableName) -> Example:
    """The key of any record that was loaded or refused.

    Raises:
        CommandError: the trail holds none, as after `history: off`.
    """
    for source in _WITH_KEYS:
        for row in audit_rows(reader, sql.a_key(audit, source, str(table))):
            if isinstance(row["KEY"], dict):
                return Example(row["KEY"], row["KEY_HASH"])
    raise _nothing_of(table)


def key_columns(reader: Reader, audit: Audit, table: TableName) -> list[str]:
    """Names of the key columns of a table's records, loaded or refused.

    Raises:
        CommandError: the trail holds no key, as after `history: off`.
    """
    found = {
        str(row["FOUND"])
        for source in _WITH_KEYS
        for row in reader.rows(sql.key_columns(audit, source, str(table)))
    }
    if not found:
        raise _nothing_of(table)
    return sorted(found)


def key_values(reader: Reader, audit: Audit, table: TableName, column: str) -> list[str]:
    """Every value of a key column that the trail holds, as text."""
    return [
        str(row["FOUND"])
        for source in _WITH_KEYS
        for row in reader.rows(sql.key_values(audit, source, str(table), column))
        if row["FOUND"] is not None
    ]


def has_redacted_keys(reader: Reader, audit: Audit, table: TableName, column: str) -> bool:
    """Whether the trail holds values of a key column that `redact_columns` changed."""
    return any(reader.rows(sql.redacted_key(audit, source, str(table), column)) for source in _WITH_KEYS)


def _nothing_of(table: TableName) -> CommandError:
    message = f"{table}: the audit trail holds no record of this table (setting `history` may be off)"
    return CommandError(message)


def record_trail(reader: Reader, audit: Audit, table: TableName, key_hash: str) -> Trail:
    """Everything that the audit tables hold about one record."""
    history = audit_rows(reader, sql.history(audit, str(table), key_hash))
    letters = audit_rows(reader, dead_letters.letters_of_record(audit, str(table), key_hash))
    first = Trail(history=history, letters=letters)
    if not first.batch_ids:
        return first
    names = [row["DEAD_LETTER_ID"] for row in letters]
    return Trail(
        history=history,
        letters=letters,
        events=audit_rows(reader, dead_letters.events(audit, names)) if names else [],
        batches=audit_rows(reader, sql.batches(audit, first.batch_ids)),
        retries=audit_rows(reader, sql.retries(audit, first.batch_ids)),
    )


def readable_types(reader: Reader, table: TableName) -> dict[str, str]:
    """Columns of a table with their types; none when it is gone, or the role may not see it."""
    try:
        return column_types(reader, table)
    except NotAllowedError:
        return {}


def current_row(
    reader: Reader, table: TableName, key: Mapping[str, str], types: Mapping[str, str]
) -> Row | None:
    """The stored row of a key, soft-deleted or not; None when there is none.

    Raises:
        CommandError: the role may not read the table.
    """
    stamps = [name for name, type_ in types.items() if type_.upper().startswith("TIMESTAMP_NTZ")]
    for row in reader.rows(sql.rows(table, tuple(types), key, order=tuple(key), stamps=stamps)):
        exact = {name: utc_of_text(row[name]) for name in stamps if row[name] is not None}
        return decoded({**row, **exact}, _json_columns(types))
    return None


class Documents:
    """Reads documents by the property names of their streams, wherever their tables are and however named."""

    def __init__(self, reader: Reader, tables: Sequence[Loaded]) -> None:
        """`tables` are all loaded tables of the warehouse."""
        self._reader = reader
        self._tables = {loaded.stream: loaded.table for loaded in tables}
        self._columns: dict[TableName, dict[str, str]] = {}

    def invoice(self, kind: Invoice, number: str) -> Document:
        """Read an invoice down to its cost allocations.

        Raises:
            CommandError: its tables or the invoice itself are not there.
        """
        headers = self._rows(kind.header, {"id": number})
        if not headers:
            message = f"no {kind.title.lower()} {number} in {self._table(kind.header.stream)}"
            raise CommandError(message)
        header = headers[0]
        lines = self._rows(kind.lines, {"id": number})
        return Document(kind, header, lines, self._entries(header, header.get(kind.partner)))

    def _entries(self, header: Row, partner: object) -> list[Entry]:
        """Entries by type and number; only without one, by the internal number.

        An internal number alone is weak evidence, so such an entry must also have a line of the partner.
        """
        entry_type, number, internal = header.get("entryType"), header["id"], header.get("internalNumber")
        if entry_type:
            found = self._entry(BY_ENTRY_NUMBER, str(entry_type), str(number))
            if found.header is not None or found.lines:
                return [found]
        if not internal:
            return []
        lines = self._rows(ENTRY_LINES, {"internalNumber": int(internal)})
        names = dict.fromkeys((str(row["entryType"]), str(row["id"])) for row in lines)
        entries = [self._entry(BY_INTERNAL_NUMBER, *name) for name in names]
        return [
            entry for entry in entries if any(row.get("businessPartner") == partner for row in entry.lines)
        ]

    def _entry(self, link: str, entry_type: str, number: str) -> Entry:
        key: dict[str, str | int] = {"entryType": entry_type, "id": number}
        headers = self._rows(ENTRY, key)
        return Entry(
            link=link,
            entry_type=entry_type,
            number=number,
            header=headers[0] if headers else None,
            lines=self._rows(ENTRY_LINES, key),
            allocations=self._rows(ALLOCATIONS, key),
        )

    def _rows(self, part: Part, key: Mapping[str, str | int]) -> list[Row]:
        """Live rows of a part, keyed by property; a property that the table lacks is left out."""
        table = self._table(part.stream)
        types = self._types(table)
        columns = {name: column for name in part.properties if (column := column_of(name, types))}
        wanted = {_required(name, types, table): value for name, value in key.items()}
        order = [columns[name] for name in part.order if name in columns]
        statement = sql.live_rows(table, tuple(columns.values()), wanted, order=order)
        json_columns = _json_columns(types)
        rows = [decoded(row, json_columns) for row in self._reader.rows(statement)]
        return [{name: row[column] for name, column in columns.items()} for row in rows]

    def _table(self, stream: str) -> TableName:
        if stream not in self._tables:
            known = ", ".join(sorted(self._tables)) or "none"
            message = f"stream {stream} was never loaded; loaded streams: {known}"
            raise CommandError(message)
        return self._tables[stream]

    def _types(self, table: TableName) -> dict[str, str]:
        if table not in self._columns:
            self._columns[table] = column_types(self._reader, table)
        return self._columns[table]


def column_of(name: str, columns: Mapping[str, str]) -> str | None:
    """Find the column of a property by either spelling: `lineNumber` is stored as LINE_NUMBER by default."""
    squeezed = name.replace("_", "").upper()
    return next((column for column in columns if column.replace("_", "").upper() == squeezed), None)


def _required(name: str, columns: Mapping[str, str], table: TableName) -> str:
    column = column_of(name, columns)
    if column is None:
        message = f"{table} has no column for property {name}"
        raise CommandError(message)
    return column


def _json_columns(types: Mapping[str, str]) -> list[str]:
    return [column for column, type_ in types.items() if type_.upper().startswith(SEMI_STRUCTURED)]
