"""Names in the warehouse: from property and stream names, without collisions, before any DDL."""

from __future__ import annotations

import hashlib
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from target_snowflake_audit.errors import SchemaError, SettingError
from target_snowflake_audit.sql.quoting import MAX_IDENTIFIER, TableName, fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

AUDIT_COLUMNS = {
    "_AUDIT_BATCH_ID": ("VARCHAR", "Batch that wrote the row last; see BATCHES in the audit schema"),
    "_AUDIT_ROW_HASH": ("VARCHAR", "Versioned digest of the values"),
    "_AUDIT_SEQ": ("NUMBER(38,0)", "Arrival number of the record in its run"),
    "_AUDIT_LOADED_AT": ("TIMESTAMP_NTZ(9)", "When the row was written last (UTC, Snowflake's clock)"),
    "_AUDIT_DELETED_AT": ("TIMESTAMP_NTZ(9)", "When the source no longer had the row; null = live"),
}

_SETTING = "schema_mapping"
_HASH_LENGTH = 12
_BOUNDARIES = (re.compile(r"([a-z0-9])([A-Z])"), re.compile(r"([A-Z]+)([A-Z][a-z])"))
_ODD = re.compile(r"[^\w$]")
_UNSENDABLE = re.compile("[\0\ud800-\udfff]")
"""NUL, and halves of characters, which have no UTF-8."""


def conform(name: str, style: str) -> str:
    """Give the warehouse's name for a property or a stream.

    `snake`: `orderDate` -> ORDER_DATE, other characters than letters, digits, `_` and `$` become `_`.
    `upper`: upper case only. `preserve`: as it is. A name over 255 characters is cut and ends in a digest
    of the whole, so that two long names stay two.
    """
    shown = name
    if style == "snake":
        for boundary in _BOUNDARIES:
            shown = boundary.sub(r"\1_\2", shown)
        shown = _ODD.sub("_", shown).upper()
    elif style == "upper":
        shown = shown.upper()
    shown = _UNSENDABLE.sub("_", shown) or "_"
    if len(shown) <= MAX_IDENTIFIER:
        return shown
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_LENGTH].upper()
    return f"{shown[: MAX_IDENTIFIER - _HASH_LENGTH - 1]}_{digest}"


def column_names(
    properties: Iterable[str], style: str, renamed: Mapping[str, str], *, stream: str
) -> dict[str, str]:
    """Give the column of each property.

    Raises:
        SchemaError: two properties would share a column, or one would take an audit column's name.
    """
    taken: dict[str, str] = {}
    columns: dict[str, str] = {}
    for name in properties:
        column = given(renamed[name], stream) if name in renamed else conform(name, style)
        if column in AUDIT_COLUMNS:
            message = (
                f"stream {stream}: property `{name}` would take the audit column {column}; "
                "give it another column in `schema_mapping`"
            )
            raise SchemaError(message)
        if column in taken:
            message = (
                f"stream {stream}: properties `{taken[column]}` and `{name}` would both be column {column}; "
                "give one another column in `schema_mapping`, or set `column_naming`"
            )
            raise SchemaError(message)
        taken[column] = name
        columns[name] = column
    return columns


def given(name: object, stream: str) -> str:
    """Give the stored form of a name that `schema_mapping` gives.

    Raises:
        SettingError: it is no identifier.
    """
    stored = fold(str(name))
    if not stored or len(stored) > MAX_IDENTIFIER or _UNSENDABLE.search(stored):
        problem = f"stream {stream}: {str(name)[:60]!r} is no name of 1 to {MAX_IDENTIFIER} characters"
        raise SettingError(_SETTING, problem)
    return stored


def mapping_entry(settings: Mapping[str, Any], stream: str) -> Mapping[str, Any]:
    """Give the first entry of `schema_mapping` whose pattern matches the stream; empty without one.

    Raises:
        SettingError: the setting is not a list of entries with a `stream`.
    """
    for entry in settings.get("schema_mapping") or []:
        if not isinstance(entry, dict) or "stream" not in entry:
            problem = "expected a list of entries {stream, database, schema, table, columns}"
            raise SettingError(_SETTING, problem)
        if fnmatchcase(stream, str(entry["stream"])):
            return entry
    return {}


def of_stream(settings: Mapping[str, Any], stream: str, name: str, default: str) -> str:
    """Give a setting for a stream: from its entry of `schema_mapping`, else the setting itself."""
    return str(mapping_entry(settings, stream).get(name) or settings.get(name) or default)


def maps_table(settings: Mapping[str, Any], stream: str) -> bool:
    """Whether `schema_mapping` names the table of a stream itself."""
    return bool(mapping_entry(settings, stream).get("table"))


def table_name(settings: Mapping[str, Any], stream: str, database: str) -> TableName:
    """Give the table of a stream: from `schema_mapping`, else from the stream's name and the defaults."""
    entry = mapping_entry(settings, stream)
    style = str(settings.get("column_naming") or "snake")
    prefix, _, rest = stream.rpartition("-")
    schema = entry.get("schema") or settings.get("default_target_schema")
    # Database taps name streams SCHEMA-TABLE; that schema counts only where the settings name none.
    source = stream if schema else rest
    table = given(entry["table"], stream) if entry.get("table") else conform(source, style)
    schema = schema or prefix or "PUBLIC"
    return TableName(given(entry.get("database") or database, stream), given(schema, stream), table)
