"""The settings, declared once: validation, `--about`, the README and Meltano's list are made from this."""

from __future__ import annotations

import typing as t

from singer_sdk import typing as th

from target_snowflake_audit.redaction import WAYS
from target_snowflake_audit.settings.connection import CONNECTION
from target_snowflake_audit.settings.texts import value_of
from target_snowflake_audit.settings_read import SECRETS

if t.TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_AUDIT_SCHEMA = "AUDIT"
MAX_SCALE = 37
_LOAD_METHODS = ["upsert", "append-only", "overwrite"]
_HISTORIES = ["all", "changes", "off"]
_ABSENT = ["null", "keep"]

__all__ = ["DEFAULT_AUDIT_SCHEMA", "MAX_SCALE", "PROPERTIES", "SECRETS", "coerced", "jsonschema"]

_PLACEMENT = (
    th.Property(
        "default_target_schema",
        th.StringType,
        title="Default schema",
        description="Schema of streams that no entry of `schema_mapping` matches. Default: the part of the"
        " stream's name before its last `-`, else `PUBLIC`.",
    ),
    th.Property(
        "audit_schema",
        th.StringType,
        default=DEFAULT_AUDIT_SCHEMA,
        title="Audit schema",
        description="Schema of the audit tables. Fences and the stage are in the schema with `_LOCK` added.",
    ),
    th.Property(
        "schema_mapping",
        th.ArrayType(
            th.ObjectType(
                th.Property(
                    "stream", th.StringType, required=True, description="Stream name; `*` and `?` match."
                ),
                th.Property("database", th.StringType, description="Database of the table."),
                th.Property("schema", th.StringType, description="Schema of the table."),
                th.Property("table", th.StringType, description="Name of the table."),
                th.Property(
                    "columns",
                    th.ObjectType(additional_properties=th.StringType),
                    description="Column names by property name.",
                ),
                th.Property(
                    "load_method", th.StringType, allowed_values=_LOAD_METHODS, description="As the setting."
                ),
                th.Property(
                    "history", th.StringType, allowed_values=_HISTORIES, description="As the setting."
                ),
                th.Property(
                    "absent_fields", th.StringType, allowed_values=_ABSENT, description="As the setting."
                ),
                additional_properties=False,
            )
        ),
        title="Schema mapping",
        description="Where streams are loaded: a list of `{stream, database, schema, table, columns}`,"
        " and how where that differs: `load_method`, `history`, `absent_fields`; the first entry"
        " whose `stream` pattern matches counts.",
    ),
    th.Property(
        "column_naming",
        th.StringType,
        allowed_values=["snake", "upper", "preserve"],
        default="snake",
        title="Column naming",
        description="`snake` makes `orderDate` ORDER_DATE, `upper` makes it ORDERDATE, `preserve` keeps it."
        " Applies to table names too.",
    ),
    th.Property(
        "column_types",
        th.ObjectType(additional_properties=th.ObjectType(additional_properties=th.StringType)),
        title="Column types",
        description="Types by stream pattern and property, for example"
        ' `{"gl_*": {"rate": "NUMBER(38,6)"}}`. Wins over the schema.',
    ),
    th.Property(
        "number_type",
        th.StringType,
        default="FLOAT",
        pattern=r"^(?i:FLOAT|NUMBER\(38, ?([0-9]|[12][0-9]|3[0-7])\))$",
        title="Type of plain numbers",
        description="Type of a JSON number without `multipleOf`: `FLOAT`, or `NUMBER(38,s)` which is exact.",
    ),
    th.Property(
        "timestamp_type",
        th.StringType,
        allowed_values=["TIMESTAMP_NTZ", "TIMESTAMP_LTZ", "TIMESTAMP_TZ"],
        default="TIMESTAMP_NTZ",
        title="Type of date-times",
        description="Type of new columns for `format: date-time`, always loaded in UTC (TIMESTAMP_TZ: with"
        " the offset +00:00, and never tested on a real account).",
    ),
    th.Property(
        "type_conflict",
        th.StringType,
        allowed_values=["fail", "quarantine", "side_column"],
        default="fail",
        title="Type conflicts",
        description="When a column's type cannot take what the SCHEMA says: `fail`; `quarantine` loads values"
        " that the column keeps as they are and makes dead letters of the others; `side_column` goes on in a"
        " column `NAME__TYPE` beside it.",
    ),
    th.Property(
        "table_type",
        th.StringType,
        allowed_values=["permanent", "transient"],
        default="permanent",
        title="Table type",
        description="Type of the tables that the target makes: `transient` ones have no Fail-safe (cheaper)."
        " Tables that exist stay as they are.",
    ),
    th.Property(
        "retention_days",
        th.IntegerType(minimum=0, maximum=90),
        title="Days of Time Travel",
        description="Days of Time Travel of the tables that the target makes: 0 or 1 for `transient`, 0 to 90"
        " for `permanent` (above 1 in Snowflake's Enterprise edition). Default: the schema's.",
    ),
)

_LOADING = (
    th.Property(
        "load_method",
        th.StringType,
        allowed_values=_LOAD_METHODS,
        default="upsert",
        title="Load method",
        description="`upsert` keeps one row a key; `append-only` adds every record, at least once; "
        "`overwrite` replaces the table by what a run received, at its end, in one transaction;"
        " by stream in `schema_mapping`.",
    ),
    th.Property(
        "hard_delete",
        th.BooleanType,
        default=False,
        title="Hard delete",
        description="Delete rows that the source deleted, instead of setting `_AUDIT_DELETED_AT`.",
    ),
    th.Property(
        "history",
        th.StringType,
        allowed_values=_HISTORIES,
        default="all",
        title="History",
        description="What RECORD_HISTORY keeps: `all`, only `changes` (updates and deletes), or `off`;"
        " by stream in `schema_mapping`.",
    ),
    th.Property(
        "absent_fields",
        th.StringType,
        allowed_values=_ABSENT,
        default="null",
        title="Absent fields",
        description="What a property becomes that a record does not have: `null`, or `keep` for the stored"
        " value (partial records); by stream in `schema_mapping`.",
    ),
    th.Property(
        "error_tolerance",
        th.StringType,
        allowed_values=["data", "none"],
        default="data",
        title="Error tolerance",
        description="`data`: bad records become dead letters. `none`: the first one fails the run.",
    ),
    th.Property(
        "max_dead_letters",
        th.IntegerType(minimum=0),
        default=10_000,
        title="Most dead letters",
        description="A stream with more dead letters in a run fails the run.",
    ),
    th.Property(
        "max_dead_letter_percent",
        th.IntegerType(minimum=0, maximum=100),
        default=5,
        title="Most dead letters in percent",
        description=(
            "A stream with a larger share of dead letters, of at least 100 records, fails the run; those "
            "with reason `stale`, which only came too late, do not count."
        ),
    ),
    th.Property(
        "max_deleted_percent",
        th.IntegerType(minimum=0, maximum=100),
        default=20,
        title="Most deleted rows in percent",
        description="An ACTIVATE_VERSION that would delete a larger share of the live rows is refused.",
    ),
    th.Property(
        "batch_size_rows",
        th.IntegerType(minimum=1),
        default=100_000,
        title="Rows a batch",
        description="Most records in a batch. A document with `x-replace-scope` is never split.",
    ),
    th.Property(
        "batch_size_bytes",
        th.IntegerType(minimum=1),
        default=256 * 1024 * 1024,
        title="Bytes a batch",
        description="Most bytes of received records in a batch.",
    ),
    th.Property(
        "batch_wait_seconds",
        th.IntegerType(minimum=1),
        default=300,
        title="Seconds a batch waits",
        description="A batch whose first record is older is loaded when the next message arrives.",
    ),
    th.Property(
        "max_parallelism",
        th.IntegerType(minimum=1),
        default=4,
        title="Most sessions",
        description="Sessions that load at the same time, each another stream; reading goes on meanwhile.",
    ),
    th.Property(
        "second_process",
        th.BooleanType,
        default=True,
        title="Second process",
        description="Check records in a second process beside the first one, on Linux with two or more "
        "cores; it takes memory of its own.",
    ),
    th.Property(
        "control_counts",
        th.StringType,
        allowed_values=["strict", "report", "off"],
        default="strict",
        title="Control counts",
        description="When STATE tells how many records the tap has sent and fewer arrived: fail the run, only"
        " `report` it, or do not compare (`off`). Relax it where a mapper in between leaves records out.",
    ),
    th.Property(
        "retry_max_attempts",
        th.IntegerType(minimum=1),
        default=6,
        title="Most attempts",
        description="Attempts of one batch, the first one included.",
    ),
    th.Property(
        "retry_max_seconds",
        th.IntegerType(minimum=0),
        default=900,
        title="Longest time of retries",
        description="No further attempt starts after this many seconds since the first.",
    ),
    th.Property(
        "record_empty_runs",
        th.BooleanType,
        default=False,
        title="Record empty runs",
        description="Write RUNS rows for runs that load nothing too; this needs the warehouse.",
    ),
    th.Property(
        "audit_hmac_key",
        th.StringType,
        secret=True,
        title="Key of the audit chains",
        description="Signs the tips of the audit chains at the end of a run, by HMAC-SHA256; at least 32 "
        "characters. It never leaves the target: keep it where nobody who may write in Snowflake reads it. "
        "To replace a key set `NEW,OLD`: the first one signs, `verify` knows both.",
    ),
)

_PRIVACY = (
    th.Property(
        "redact_columns",
        th.ObjectType(
            additional_properties=th.ObjectType(
                additional_properties=th.StringType(allowed_values=list(WAYS))
            )
        ),
        title="Redacted columns",
        description="Values that the audit trail must not hold, by stream pattern and property pattern:"
        ' `hash`, `mask`, `drop` or `keep`, for example `{"suppliers": {"taxNumber": "mask"}}`. Bank and'
        " contact fields are hashed unless this says `keep`; the target tables are not affected.",
    ),
)

PROPERTIES = th.PropertiesList(*CONNECTION, *_PLACEMENT, *_LOADING, *_PRIVACY)


def jsonschema() -> dict[str, t.Any]:
    """JSON schema of the settings."""
    return dict(PROPERTIES.to_dict())


def coerced(settings: Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Give known settings with those that are no text read from text, as environment variables hold them.

    A text that is none stays text, so that validation names the setting.
    """
    properties = jsonschema()["properties"]
    known = properties | _builtin_properties()
    return {
        name: value_of(name, value, known[name]) if isinstance(value, str) else value
        for name, value in settings.items()
        if name in known
    }


def _builtin_properties() -> dict[str, t.Any]:
    """Settings of the SDK that are passed on as they are."""
    names = (
        "stream_maps",
        "stream_map_config",
        "flattening_enabled",
        "flattening_max_depth",
        "validate_records",
    )
    return {name: {"type": ["boolean"]} if name.endswith(("enabled", "records")) else {} for name in names}
