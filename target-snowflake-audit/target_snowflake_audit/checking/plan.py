"""How one stream is loaded: its table, columns, key, stamp and document scope, from SCHEMA and settings."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from target_snowflake_audit import columntypes, hashing
from target_snowflake_audit.checking.converters import converter
from target_snowflake_audit.checking.special import BinaryConverter, StrictConverter, nothing
from target_snowflake_audit.checking.storage import DEFAULT as DEFAULT_STORAGE
from target_snowflake_audit.checking.storage import Storage, storage_of
from target_snowflake_audit.checking.validation import Validator
from target_snowflake_audit.errors import SchemaError
from target_snowflake_audit.naming import column_names, mapping_entry, of_stream, table_name
from target_snowflake_audit.redaction import HASH, rules_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from target_snowflake_audit.checking.converters import Converter
    from target_snowflake_audit.columntypes import ColumnType
    from target_snowflake_audit.redaction import Rules
    from target_snowflake_audit.sql.quoting import TableName

_METADATA_PREFIX = "_sdc_"
_MAX_COMMENT = 2000
UPSERT, APPEND_ONLY, OVERWRITE = "upsert", "append-only", "overwrite"
STAMPS = columntypes.TIMESTAMPS | {"DATE"}
"""Types whose values say which of two versions is the older one."""
_KEY_FAMILIES = STAMPS | {"VARCHAR", "NUMBER", "BOOLEAN"}
"""Types with one canonical text a value: keys are told apart by text here and by value in Snowflake."""


@dataclass(frozen=True)
class Column:
    """One property and its column.

    `hashed` is false for columns that say how, not what, was loaded; `nullable` is false where the schema
    lets no null come; `encoding` is the `contentEncoding` of a BINARY. After a type conflict, `conflict` is
    the type that the SCHEMA says and the column has not, and a `retired` column gets null in written rows.
    """

    property: str
    name: str
    type: ColumnType
    comment: str = ""
    hashed: bool = True
    redact: str = ""
    """How the audit trail keeps its values: hash, mask or drop; '' = as they are."""
    nullable: bool = True
    encoding: str = ""
    filled: bool = False
    """The column is NOT NULL and stays so: a record with null in it is refused."""
    conflict: str = ""
    retired: bool = False


@dataclass(frozen=True)
class StreamPlan:
    """Everything that loading a stream needs to know; made at its SCHEMA, replaced at the next one.

    `columns` are in order of their names; `key`, `stamp` and `scope` are indexes into them. `scope` is None
    without `x-replace-scope`; `stamp` is None when the stream has no bookmark that is a date or date-time.
    """

    stream: str
    source_stream: str
    table: TableName
    columns: tuple[Column, ...]
    key: tuple[int, ...]
    stamp: int | None
    stamp_by_day: bool
    scope: tuple[int, ...] | None
    append: bool
    """Every record is a row of its own: by the setting, or because the stream has no key."""
    method: str
    history: str
    redaction: Rules
    validator: Validator | None
    singer_schema: Mapping[str, Any]
    schema_sha256: str
    converters: tuple[Converter, ...] = field(default=(), compare=False)
    keep: bool = False
    """A property that a record does not have keeps its stored value."""
    into: TableName | None = None
    """Where its rows are written before they replace the table; None = into the table itself."""
    foreign: tuple[tuple[str, str], ...] = ()
    """Name and type of the table's columns that the stream does not have, where overwrite must know them."""
    storage: Storage = DEFAULT_STORAGE
    type_conflict: str = "fail"
    unfilled: tuple[Column, ...] = ()
    """Columns of the table that no property fills."""
    left: tuple[Column, ...] = ()
    """Those of them whose property has left the SCHEMA: null in each row that is written."""

    def marked(self, at: int) -> bool:
        """Whether a column's staged value says if it was absent, null or a value."""
        return self.keep and at not in self.key and at not in (self.scope or ())

    @property
    def removes_lines(self) -> bool:
        """Whether rows of a received document that did not come with it are deleted."""
        return self.scope is not None and not self.append

    @property
    def names_by_property(self) -> dict[str, str]:
        """Column names by property."""
        return {column.property: column.name for column in self.columns if not column.retired}

    @property
    def hashes(self) -> bool:
        """Whether the audit trail keeps digests of some columns."""
        return any(column.redact == HASH for column in self.columns)

    @property
    def replication_key(self) -> str | None:
        """Property that orders the stream, if any."""
        return self.columns[self.stamp].property if self.stamp is not None else None


def make_plan(
    settings: Mapping[str, Any],
    stream: str,
    schema: Mapping[str, Any],
    key_properties: Sequence[str],
    message: Mapping[str, Any],
    database: str,
) -> StreamPlan:
    """Make the plan of a stream.

    Args:
        settings: the target's settings.
        stream: name after `stream_maps`.
        schema: JSON schema after `stream_maps`.
        key_properties: key after `stream_maps`.
        message: the SCHEMA message as received, without its type.
        database: default database.

    Raises:
        SchemaError: names collide, the key is not in the schema, or the schema is not valid.
        SettingError: `column_types` or `schema_mapping` is wrong.
    """
    properties: Mapping[str, Any] = schema.get("properties") or {}
    _check_properties(stream, properties, key_properties)
    source = str(message.get("stream") or stream)
    validated = bool(settings.get("validate_records", True))
    columns = _columns(settings, (source, stream), properties, schema.get("required") if validated else ())
    index = {column.property: at for at, column in enumerate(columns)}
    key = tuple(index[name] for name in key_properties)
    check_key_types(stream, columns, key)
    stamp = _stamp(message, columns, index)
    method = of_stream(settings, stream, "load_method", UPSERT)
    append = not key or method == APPEND_ONLY
    return StreamPlan(
        stream=stream,
        source_stream=source,
        table=table_name(settings, stream, database),
        columns=columns,
        key=key,
        stamp=stamp,
        stamp_by_day=stamp is not None and _by_day(properties, columns[stamp]),
        scope=_scope(stream, schema, index, key),
        append=append,
        method=method,
        history=of_stream(settings, stream, "history", "all"),
        redaction=rules_of(settings),
        validator=Validator(schema, stream) if validated else None,
        singer_schema=message,
        schema_sha256=hashing.of_json(message.get("schema") or {}),
        keep=of_stream(settings, stream, "absent_fields", "null") == "keep" and not append,
        converters=tuple(map(_converter, columns)),
        storage=storage_of(settings),
        type_conflict=str(settings.get("type_conflict") or "fail"),
    )


def with_columns(plan: StreamPlan, columns: Sequence[Column]) -> StreamPlan:
    """The plan with the columns as the table has them.

    A bookmark that the table keeps as something else than a date or time orders nothing.
    """
    ordered = tuple(sorted(columns, key=lambda column: column.name))
    index = {column.property: at for at, column in enumerate(ordered) if not column.retired}

    def moved(positions: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(index[plan.columns[at].property] for at in positions)

    stamp = None if plan.stamp is None else moved((plan.stamp,))[0]
    if stamp is not None and ordered[stamp].type.family not in STAMPS:
        stamp = None
    by_day = stamp is not None and (plan.stamp_by_day or ordered[stamp].type.family == "DATE")
    return dataclasses.replace(
        plan,
        columns=ordered,
        key=moved(plan.key),
        stamp=stamp,
        stamp_by_day=by_day,
        scope=None if plan.scope is None else moved(plan.scope),
        converters=tuple(map(_converter, ordered)),
    )


def with_converters(plan: StreamPlan) -> StreamPlan:
    """The plan with converters of its own: they keep what they have seen, and stay in their process."""
    return dataclasses.replace(plan, converters=tuple(map(_converter, plan.columns)))


def _converter(column: Column) -> Converter:
    """The converter of a column's values."""
    if column.retired:
        return nothing
    if column.type.family == "BINARY":
        return BinaryConverter(column.type.length, column.encoding)
    if column.conflict:
        return StrictConverter(column.type, column.conflict, converter(column.type))
    return converter(column.type)


def _check_properties(stream: str, properties: Mapping[str, Any], key_properties: Sequence[str]) -> None:
    for name, part in properties.items():
        if not isinstance(part, dict):
            message = f"stream {stream}: the schema of property `{name}` is {part!r}, expected an object"
            raise SchemaError(message)
    missing = [name for name in key_properties if name not in properties]
    if missing:
        message = f"stream {stream}: key_properties {missing} are not among the properties of the schema"
        raise SchemaError(message)


def _columns(
    settings: Mapping[str, Any],
    streams: tuple[str, str],
    properties: Mapping[str, Any],
    required: Collection[str] | None,
) -> tuple[Column, ...]:
    """The columns in order of their names; `streams` are the stream's names in the input and as mapped."""
    needed = set(required or ())
    stream, rules = streams[1], rules_of(settings)
    renamed = mapping_entry(settings, stream).get("columns") or {}
    style = str(settings.get("column_naming") or "snake")
    names = column_names(properties, style, renamed, stream=stream)
    made = [
        dataclasses.replace(
            _column(settings, stream, name, properties[name], names[name], required=name in needed),
            redact=rules.of_property(streams, name, names[name], properties[name]),
        )
        for name in properties
    ]
    return tuple(sorted(made, key=lambda column: column.name))


def _column(
    settings: Mapping[str, Any],
    stream: str,
    name: str,
    schema: Mapping[str, Any],
    column: str,
    *,
    required: bool,
) -> Column:
    defaults = columntypes.Defaults(
        str(settings.get("number_type") or "FLOAT"), str(settings.get("timestamp_type") or "TIMESTAMP_NTZ")
    )
    try:
        kind = columntypes.configured(settings, stream, name) or columntypes.from_schema(schema, defaults)
    except ValueError as error:
        message = f"stream {stream}, property `{name}`: {error}; set `column_types`"
        raise SchemaError(message) from None
    description = " ".join(str(schema.get("description") or "").split())[:_MAX_COMMENT]
    return Column(
        name,
        column,
        kind,
        description,
        hashed=not name.startswith(_METADATA_PREFIX),
        nullable=not required or columntypes.may_be_null(schema),
        encoding=str(schema.get("contentEncoding") or ""),
    )


def check_key_types(stream: str, columns: Sequence[Column], key: Sequence[int]) -> None:
    """Refuse key columns whose equal values may come as different texts: they would be loaded twice.

    Raises:
        SchemaError: a key column is of such a type.
    """
    for at in key:
        if columns[at].type.family not in _KEY_FAMILIES:
            name, kind = columns[at].property, columns[at].type.sql
            message = (
                f"stream {stream}: key property `{name}` would be {kind}, which cannot be compared exactly; "
                "give it another type in `column_types`, for example NUMBER(38,0) or VARCHAR (and another "
                "column in `schema_mapping` if the table has it already)"
            )
            raise SchemaError(message)


def _stamp(message: Mapping[str, Any], columns: tuple[Column, ...], index: Mapping[str, int]) -> int | None:
    bookmarks = message.get("bookmark_properties") or []
    names = [bookmarks] if isinstance(bookmarks, str) else list(bookmarks)
    for name in names[:1]:
        at = index.get(str(name))
        if at is not None and columns[at].type.family in STAMPS:
            return at
    return None


def _by_day(properties: Mapping[str, Any], stamp: Column) -> bool:
    return stamp.type.family == "DATE" or properties[stamp.property].get("x-precision") == "day"


def _scope(
    stream: str, schema: Mapping[str, Any], index: Mapping[str, int], key: tuple[int, ...]
) -> tuple[int, ...] | None:
    names = schema.get("x-replace-scope")
    if not names:
        return None
    unknown = [name for name in names if name not in index]
    if unknown or not key:
        problem = f"names unknown properties {unknown}" if unknown else "needs key_properties"
        message = f"stream {stream}: x-replace-scope {problem}"
        raise SchemaError(message)
    return tuple(index[name] for name in names)
