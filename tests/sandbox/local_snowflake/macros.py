"""SQL functions that DuckDB lacks or answers differently, as macros of each session.

Rules restored (functions' pages): TRY_ functions take text and give NULL for what does not convert;
TRY_TO_BOOLEAN knows Snowflake's words; TRY_TO_TIMESTAMP reads ISO forms and whole numbers as times since
1970; PARSE_JSON keeps the numbers' text and fails with 100069; OCTET_LENGTH counts bytes; TYPEOF names
VARIANT types; a number in a VARIANT that DuckDB cannot hold exactly is refused instead of rounded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fakesnow.macros import creation_sql

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIMESTAMP = _DATE + r"([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)? ?(Z|[+-][0-9]{2}(:?[0-9]{2})?)?)?"
_ZONE = r"(:[0-9]{2}(?:\.[0-9]+)?) ?(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)$"

# How a whole number is read depends on its size (to_timestamp page).
_EPOCH = """make_timestamp(CASE
    WHEN TRY_CAST(x AS HUGEINT) < 31536000000 THEN TRY_CAST(x AS BIGINT) * 1000000
    WHEN TRY_CAST(x AS HUGEINT) < 31536000000000 THEN TRY_CAST(x AS BIGINT) * 1000
    WHEN TRY_CAST(x AS HUGEINT) < 31536000000000000 THEN TRY_CAST(x AS BIGINT)
    ELSE TRY_CAST(x AS BIGINT) // 1000 END)"""

_DEFINITIONS = {
    "_ls_text(x)": """CASE WHEN typeof(x) IN ('VARCHAR', '"NULL"', 'NULL') THEN x::VARCHAR
        ELSE error('LOCAL:1065:22023:SQL compilation error: TRY_ functions take text, not '
            || typeof(x)) END""",
    "_ls_number_text(x)": f"CASE WHEN regexp_full_match(trim(x), '{_NUMBER}') THEN trim(x) END",
    "_ls_try_double(x)": "TRY_CAST(trim(x) AS DOUBLE)",
    "_ls_try_boolean(x)": """CASE WHEN lower(trim(x)) IN ('true', 't', 'yes', 'y', 'on', '1') THEN TRUE
        WHEN lower(trim(x)) IN ('false', 'f', 'no', 'n', 'off', '0') THEN FALSE END""",
    "_ls_try_timestamp(x)": f"""CASE WHEN regexp_full_match(x, '{_TIMESTAMP}')
        THEN TRY_CAST(regexp_replace(x, '{_ZONE}', '\\1') AS TIMESTAMP)
        WHEN regexp_full_match(x, '[0-9]{{1,18}}') THEN {_EPOCH} END""",
    "_ls_try_date(x)": "CAST(_ls_try_timestamp(x) AS DATE)",
    "_ls_parse_json(x)": """CASE WHEN trim(x) = '' THEN NULL WHEN json_valid(x) THEN x::JSON
        WHEN x IS NULL THEN NULL ELSE error('LOCAL:100069:22P02:Error parsing JSON: ' || left(x, 40)) END""",
    "_ls_try_parse_json(x)": "CASE WHEN trim(x) <> '' AND json_valid(x) THEN x::JSON END",
    "_ls_sha256(x)": "sha256(x)",
    "_ls_octet_length(x)": """CASE WHEN typeof(x) = 'BLOB' THEN octet_length(x::BLOB)
        ELSE strlen(x::VARCHAR) END""",
    "_ls_typeof(x)": """CASE json_type(x) WHEN 'OBJECT' THEN 'OBJECT' WHEN 'ARRAY' THEN 'ARRAY'
        WHEN 'VARCHAR' THEN 'VARCHAR' WHEN 'BIGINT' THEN 'INTEGER' WHEN 'UBIGINT' THEN 'INTEGER'
        WHEN 'HUGEINT' THEN 'INTEGER' WHEN 'DOUBLE' THEN 'DECIMAL' WHEN 'BOOLEAN' THEN 'BOOLEAN'
        WHEN 'NULL' THEN 'NULL_VALUE' END""",
    "_ls_timestamp(x)": "CAST(CAST(x AS TIMESTAMPTZ) AS TIMESTAMP)",
    "_ls_timestamptz(x)": "CAST(x AS TIMESTAMPTZ)",
    "_ls_date(x)": "CAST(CAST(CAST(x AS TIMESTAMPTZ) AS TIMESTAMP) AS DATE)",
    "_ls_fit(x, n, c)": """CASE WHEN length(x) > n THEN error('LOCAL:100078:22000:String ''' || left(x, 40)
        || ''' is too long and would be truncated, column ' || c) ELSE x END""",
    "_ls_cast_fit(x, n)": """CASE WHEN length(x) > n THEN error('LOCAL:2:0A000:Unsupported feature: the '
        || 'local Snowflake cannot cast a longer text to VARCHAR(' || n || '): ' || left(x, 40))
        ELSE x END""",
    "_ls_uuid(x)": """CASE WHEN x IS NULL
        OR regexp_full_match(x, '[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}')
        THEN CAST(x AS UUID) ELSE error('LOCAL:100038:22018:Failed to cast value ' || left(x, 40)
        || ' to UUID') END""",
    "_ls_inexact(j, p)": """json_type(j, p) = 'DOUBLE' AND NOT contains(j::VARCHAR, j ->> p)
        AND length(regexp_replace(j ->> p, '[^0-9]', '', 'g')) > 15""",
    "_ls_json(j, p)": """CASE WHEN _ls_inexact(j, p) THEN error('LOCAL:2:0A000:Unsupported feature: the '
        || 'local Snowflake cannot read this number of a VARIANT exactly: ' || (j ->> p)) ELSE j -> p END""",
    "_ls_json_text(j, p)": """CASE WHEN _ls_inexact(j, p) THEN error('LOCAL:2:0A000:Unsupported feature: the '
        || 'local Snowflake cannot read this number of a VARIANT exactly: ' || (j ->> p)) ELSE j ->> p END""",
    "_ls_variant(x)": "CASE WHEN typeof(x) = 'JSON' THEN x::VARCHAR::JSON ELSE to_json(x) END",
}


def create(duck: DuckDBPyConnection) -> None:
    """Create the macros, and fakesnow's own, for one connection; views find them in every session."""
    for signature, body in _DEFINITIONS.items():
        duck.execute(f"CREATE OR REPLACE TEMP MACRO {signature} AS ({body})")
    duck.execute(creation_sql("local").replace("MACRO local.", "TEMP MACRO "))
