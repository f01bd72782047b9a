"""SQL functions that DuckDB lacks or answers differently, as macros of each session.

Rules restored (functions' pages): TRY_ functions take text and give NULL for what does not convert;
TRY_TO_BOOLEAN knows Snowflake's words; PARSE_JSON fails with 100069; OCTET_LENGTH counts bytes; TYPEOF names
VARIANT types; NUMBER divided by NUMBER has six decimals more and fails for zero (operators-arithmetic page);
a number in a VARIANT that DuckDB cannot hold exactly is refused instead of rounded. What turns values into
other types is in conversions.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fakesnow.macros import creation_sql
from sqlglot import exp

from . import conversions
from .texts import shortened

if TYPE_CHECKING:
    from collections.abc import Mapping

    from duckdb import DuckDBPyConnection

ONCE = "_1"
_NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"
_HALF_NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)?[eE][+-]?[0-9]*"
_REFUSED = "error('LOCAL:2:0A000:Unsupported feature: the local Snowflake cannot "
# The type that a quotient has: six decimals more than the dividend; a DOUBLE when either side is one.
_QUOTIENT = "(a * CAST(1 AS DECIMAL(7, 6)) + b * 0)"


def _scale(expression: str) -> str:
    """Decimals of an expression's type, by DuckDB's name of it."""
    return f"COALESCE(TRY_CAST(regexp_extract(typeof({expression}), ',([0-9]+)', 1) AS INTEGER), 0)"


_DEFINITIONS = {
    "_ls_text(x)": """CASE WHEN typeof(x) IN ('VARCHAR', '"NULL"', 'NULL') THEN x::VARCHAR
        ELSE error('LOCAL:1065:22023:SQL compilation error: TRY_ functions take text, not '
            || typeof(x)) END""",
    "_ls_number_text(x)": f"CASE WHEN regexp_full_match(trim(x), '{_NUMBER}') THEN trim(x) END",
    # The real one reads a missing mantissa or exponent as 0 (to_decimal page), which DuckDB does not.
    "_ls_number_checked(x)": f"""CASE WHEN regexp_full_match(trim(x), '{_NUMBER}') THEN trim(x)
        WHEN regexp_full_match(trim(x), '{_HALF_NUMBER}')
        THEN {_REFUSED}read a number without mantissa or exponent: ' || x) END""",
    # A number too large for a FLOAT would be infinite here. [I] the real one gives NULL, as for any overflow.
    "_ls_try_double(x)": f"""CASE WHEN regexp_full_match(trim(x), '{_NUMBER}')
        THEN CASE WHEN NOT isinf(TRY_CAST(trim(x) AS DOUBLE)) THEN TRY_CAST(trim(x) AS DOUBLE) END
        WHEN regexp_full_match(lower(trim(x)), '[+-]?(nan|inf|infinity)')
            THEN TRY_CAST(trim(x) AS DOUBLE) END""",
    "_ls_try_boolean(x)": """CASE WHEN lower(trim(x)) IN ('true', 't', 'yes', 'y', 'on', '1') THEN TRUE
        WHEN lower(trim(x)) IN ('false', 'f', 'no', 'n', 'off', '0') THEN FALSE END""",
    "_ls_parse_json(x)": "CAST(_ls_json_of(_ls_text(x)) AS JSON)",
    "_ls_try_parse_json(x)": "CAST(_ls_try_json_of(_ls_text(x)) AS JSON)",
    "_ls_to_json(x)": "CAST(_ls_variant(x) AS VARCHAR)",
    "_ls_octet_length(x)": """CASE WHEN typeof(x) = 'BLOB' THEN octet_length(x::BLOB)
        ELSE strlen(x::VARCHAR) END""",
    "_ls_typeof(x)": """CASE json_type(x) WHEN 'OBJECT' THEN 'OBJECT' WHEN 'ARRAY' THEN 'ARRAY'
        WHEN 'VARCHAR' THEN 'VARCHAR' WHEN 'BIGINT' THEN 'INTEGER' WHEN 'UBIGINT' THEN 'INTEGER'
        WHEN 'HUGEINT' THEN 'INTEGER' WHEN 'BOOLEAN' THEN 'BOOLEAN' WHEN 'NULL' THEN 'NULL_VALUE'
        WHEN 'DOUBLE' THEN CASE WHEN contains(lower(x::VARCHAR), 'e') THEN 'DOUBLE'
            WHEN contains(x::VARCHAR, '.') THEN 'DECIMAL' ELSE 'INTEGER' END END""",
    "_ls_cast_fit(x, n)": """CASE WHEN length(x) > n THEN error('LOCAL:100078:22000:String ''' || left(x, 40)
        || ''' is too long and would be truncated') ELSE x END""",
    "_ls_try_fit(x, n)": "CASE WHEN length(x) <= n THEN x END",
    "_ls_uuid(x)": """CASE WHEN x IS NULL
        OR regexp_full_match(x, '[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}')
        THEN CAST(x AS UUID) ELSE error('LOCAL:100038:22018:Failed to cast value ' || left(x, 40)
        || ' to UUID') END""",
    "_ls_inexact(j, v)": """json_type(v) = 'DOUBLE'
        AND length(regexp_replace(v ->> '$', '[^0-9]', '', 'g')) > 15
        AND NOT contains(j::VARCHAR, v ->> '$')""",
    # The path is looked up once: each look reads the whole text, and keeps it until the rows are done.
    "_ls_json(j, p)": f"""list_transform([json_extract(j, p)], lambda v: CASE WHEN _ls_inexact(j, v)
        THEN {_REFUSED}read this number of a VARIANT exactly: ' || (v ->> '$')) ELSE v END)[1]""",
    "_ls_json_text(j, p)": f"""list_transform([json_extract(j, p)], lambda v: CASE WHEN _ls_inexact(j, v)
        THEN {_REFUSED}read this number of a VARIANT exactly: ' || (v ->> '$'))
        WHEN json_type(v) = 'DOUBLE' THEN _ls_json_varchar(v ->> '$') ELSE v ->> '$' END)[1]""",
    "_ls_defined(x)": f"""CASE WHEN x IS NULL
        THEN {_REFUSED}hold undefined, which a NULL in ARRAY_CONSTRUCT becomes') ELSE x END""",
    "_ls_div(a, b)": f"""CASE WHEN a IS NULL OR b IS NULL THEN NULL
        WHEN b = 0 THEN error('LOCAL:100051:22012:Division by zero')
        WHEN typeof({_QUOTIENT}) = 'DOUBLE' THEN cast_to_type(a::DOUBLE / b::DOUBLE, {_QUOTIENT})
        WHEN {_scale(_QUOTIENT)} > 12 OR {_scale(_QUOTIENT)} <> {_scale("a")} + 6
            OR abs(a::DOUBLE / b::DOUBLE) > pow(10, 13 - {_scale(_QUOTIENT)})
            THEN {_REFUSED}divide these numbers exactly')
        ELSE cast_to_type(a::DOUBLE / b::DOUBLE, {_QUOTIENT}) END""",
}


def call(name: str, *arguments: exp.Expression | None, plain: bool = False) -> exp.Expression:
    """A call of a macro; the twin is taken when its only argument is no mere name or literal.

    Where the type of the argument is known, what the macro comes down to for it.
    """
    given = [argument for argument in arguments if argument is not None]
    short = shortened(name, given[0]) if len(given) == 1 else None
    if short is not None:
        return short
    if len(given) == 1 and not plain and not isinstance(given[0], (exp.Column, exp.Literal, exp.Null)):
        name += ONCE
    return exp.Anonymous(this=name, expressions=given)


def create(duck: DuckDBPyConnection, parameters: Mapping[str, Any]) -> None:
    """Create the macros, and fakesnow's own, once for all connections of an instance.

    `parameters`: those of a new session. What depends on them each session makes for itself (`follow`); its
    own macros come first when a name is looked up, also from the body of a shared one.
    """
    follow(duck, parameters)
    _define(duck, conversions.DEFINITIONS, "MACRO")
    _define(duck, _DEFINITIONS, "MACRO")
    duck.execute(creation_sql("local").replace("MACRO local.", "MACRO "))


def follow(duck: DuckDBPyConnection, parameters: Mapping[str, Any]) -> None:
    """Let conversions and DuckDB's time zone follow the parameters of a session."""
    duck.execute("SET TimeZone = $zone", {"zone": parameters["TIMEZONE"]})
    _define(duck, conversions.writing(parameters), "TEMP MACRO")


def _define(duck: DuckDBPyConnection, definitions: Mapping[str, str], kind: str) -> None:
    """Create macros, and for each of one argument a twin that has its argument computed once.

    A macro is a replacement of text: nested ones whose bodies name their argument many times would grow
    beyond what can be planned. The twin binds it to the variable of a lambda.
    """
    made = []
    for signature, body in definitions.items():
        made.append(f"CREATE OR REPLACE {kind} {signature} AS ({body})")
        if signature.endswith("(x)"):
            name = signature.removesuffix("(x)")
            made.append(
                f"CREATE OR REPLACE {kind} {name}{ONCE}(x) AS (list_transform([x], lambda v: {name}(v))[1])"
            )
    duck.execute(";".join(made))
