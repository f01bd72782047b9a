r"""Macros that turn a value into another type as Snowflake does.

Rules restored (data-type-conversion and date-time-input-output pages): text becomes a date or time by the
forms that AUTO knows, a whole number in it counts as time since 1970; times become text by the session's
output formats, BINARY as hexadecimal digits, a VARIANT's text without its quotes; a column takes only what
converts to its type without a cast (2023/22000): no BOOLEAN becomes a NUMBER, no text or time a VARIANT.

Forms of AUTO that cannot be read faithfully here are refused, and so are more than six decimals of a
second, which DuckDB cannot hold, and offsets from UTC in a TIMESTAMP_TZ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .names import literal
from .time_formats import strftime, zoned

if TYPE_CHECKING:
    from collections.abc import Mapping

_YEAR = "([1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])"  # [?] year 0 is taken for no year
_CLOCK = r"([01][0-9]|2[0-3])(:[0-5][0-9](:[0-5][0-9](\.[0-9]{1,9})?)?)?"
_OFFSET = "(Z|[+-][0-9]{2}(:?[0-9]{2})?)"
_DATE = _YEAR + "-[0-9]{2}-[0-9]{2}"
_ISO = f"{_DATE}([T ]{_CLOCK} ?{_OFFSET}?)?"
_PLAIN = f"{_DATE}( ([01][0-9]|2[0-3])(:[0-5][0-9]){{2}})?"
_ZONED = rf"{_DATE}[T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{{1,9}})?)? ?{_OFFSET}"
_US = "[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}"
_NAMED = "[0-9]{1,2}-[A-Za-z]{3}-[0-9]{4}"
_WHOLE_NAME = "[0-9]{1,2}-[A-Za-z]{4,9}-[0-9]{4}"
# Forms that AUTO reads too: "DY, DD MON YYYY ...", 12-hour times, a time with a zone, numbers below 0, fewer
# digits than the format has (date-time-input-output page).
_FEW_CLOCK = r"([01]?[0-9]|2[0-3]):[0-5]?[0-9](:[0-5]?[0-9](\.[0-9]{1,9})?)?"
_FEW_DAY = "(0?[1-9]|[12][0-9]|3[01])"
_FEW_MONTH = "(0?[1-9]|1[0-2])"
_FEW_OFFSET = "( ?(Z|[+-][0-9]{1,2}(:?[0-9]{1,2})?))?"
_FOREIGN = (
    "(Mon|Tue|Wed|Thu|Fri|Sat|Sun),? .+|[0-9]{1,2}(:[0-9]{2}){0,2}([.][0-9]+)? ?([AaPp][Mm])|-[0-9]+|"
    f"0*[1-9][0-9]{{0,3}}-{_FEW_MONTH}-{_FEW_DAY}([T ]({_FEW_CLOCK}|[0-9]|1[0-9]|2[0-3]){_FEW_OFFSET})?|"
    f"{_FEW_MONTH}/{_FEW_DAY}/[0-9]{{1,4}}( {_FEW_CLOCK})?|{_FEW_CLOCK}{_FEW_OFFSET}"
)
_NANOS = r"\.[0-9]{6}0*[1-9]"
_REFUSED = "error('LOCAL:2:0A000:Unsupported feature: the local Snowflake cannot "
_WHOLE = "('TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'HUGEINT', 'UBIGINT')"
_NUMERIC = f"(typeof(x) IN {_WHOLE} OR starts_with(typeof(x), 'DECIMAL'))"
_TEXT = "typeof(x) = 'VARCHAR'"
_TIMED = """typeof(x) IN ('DATE', 'TIMESTAMP', 'TIMESTAMP WITH TIME ZONE', '"NULL"')"""

# How a whole number in a text is read depends on its size (to_timestamp page).
_EPOCH = """make_timestamp(CASE
    WHEN TRY_CAST(x AS HUGEINT) < 31536000000 THEN TRY_CAST(x AS BIGINT) * 1000000
    WHEN TRY_CAST(x AS HUGEINT) < 31536000000000 THEN TRY_CAST(x AS BIGINT) * 1000
    WHEN TRY_CAST(x AS HUGEINT) < 31536000000000000 THEN TRY_CAST(x AS BIGINT)
    ELSE TRY_CAST(x AS BIGINT) // 1000 END)"""

_READING = {
    "_ls_seconds(x)": f"""CASE WHEN regexp_matches(x, '{_NANOS}')
        THEN {_REFUSED}hold more than six decimals of a second: ' || x) ELSE x END""",
    # The zone goes, and hours alone get their minutes.
    "_ls_wall(x)": f"""regexp_replace(regexp_replace(_ls_seconds(x), '([T ][0-9:.]+) ?{_OFFSET}$', '\\1'),
        '([T ][0-9]{{2}})$', '\\1:00')""",
    # The two forms that most values have need nothing taken away.
    "_ls_try_timestamp(x)": f"""CASE WHEN regexp_full_match(x, '{_PLAIN}') THEN TRY_CAST(x AS TIMESTAMP)
        WHEN regexp_full_match(x, '{_ISO}')
        THEN TRY_CAST(_ls_wall(x) AS TIMESTAMP)
        WHEN regexp_full_match(x, '[0-9]{{1,18}}') THEN {_EPOCH}
        WHEN regexp_full_match(x, '{_US}') THEN TRY_STRPTIME(x, '%m/%d/%Y')
        WHEN regexp_full_match(x, '{_US} {_CLOCK}') AND length(x) - position(' ' IN x) = 8
            THEN TRY_STRPTIME(x, '%m/%d/%Y %H:%M:%S')
        WHEN regexp_full_match(x, '{_NAMED}') THEN TRY_STRPTIME(x, '%d-%b-%Y')
        WHEN regexp_full_match(x, '{_WHOLE_NAME}') THEN TRY_STRPTIME(x, '%d-%B-%Y')
        WHEN regexp_full_match(x, '{_FOREIGN}')
        THEN {_REFUSED}read this form of a date or time: ' || x) END""",
    # A text without a zone is in the session's zone (to_timestamp page).
    "_ls_try_ltz(x)": f"""CASE WHEN regexp_full_match(x, '{_ZONED}') THEN TRY_CAST(
            regexp_replace(_ls_seconds(x), ' ?([+-][0-9]{{2}}):?([0-9]{{2}})$', '\\1:\\2') AS TIMESTAMPTZ)
        ELSE CAST(_ls_try_timestamp(x) AS TIMESTAMPTZ) END""",
    "_ls_try_tz(x)": f"""CASE WHEN x IS NOT NULL AND NOT CASE WHEN regexp_full_match(x, '{_ZONED}')
            THEN regexp_full_match(x, '.*(Z|[+-]00(:?00)?)')
            ELSE current_setting('TimeZone') IN ('UTC', 'Etc/UTC') END
        THEN {_REFUSED}keep the offset of a TIMESTAMP_TZ: ' || x) ELSE _ls_try_ltz(x) END""",
    "_ls_try_binary(x)": "CASE WHEN regexp_full_match(x, '([0-9A-Fa-f]{2})*') THEN unhex(x) END",
    "_ls_try_date(x)": "CAST(_ls_try_timestamp(x) AS DATE)",
    "_ls_try_time(x)": f"""CASE WHEN regexp_full_match(x, '([01][0-9]|2[0-3]):.*') AND
        regexp_full_match(x, '{_CLOCK}')
        THEN TRY_CAST(CASE WHEN length(x) = 5 THEN x || ':00' ELSE _ls_seconds(x) END AS TIME)
        WHEN regexp_full_match(x, '[0-9]{{1,18}}') OR regexp_full_match(x, '{_FOREIGN}|{_DATE}.*')
        THEN {_REFUSED}read this form of a time: ' || x) END""",
}


def _must(kind: str, code: int, macro: str) -> str:
    """Text that has to convert."""
    problem = f"'LOCAL:{code}:22007:{kind} ''' || x::VARCHAR || ''' is not recognized'"
    return f"CASE WHEN x IS NOT NULL THEN COALESCE({macro}(x::VARCHAR), error({problem})) END"


def _mismatch(wanted: str) -> str:
    return f"""error('LOCAL:2023:22000:SQL compilation error: Expression type does not match column '
        || 'data type, expecting {wanted} but got ' || typeof(x))"""


def _variant(wanted: str) -> str:
    return f"error('LOCAL:100071:22000:Failed to cast variant value ' || x::VARCHAR || ' to {wanted}')"


_DIGITS = "regexp_full_match(x::VARCHAR, '-?[0-9][0-9.eE+-]*')"
_AT = "TRY_CAST(x::VARCHAR AS DOUBLE) * 1000000"
_CASTING = {
    # A time with a zone is written in the session's zone, so its text without offset is the local time.
    "_ls_local(x)": "TRY_CAST(regexp_replace(x::VARCHAR, '(:[0-9.]+)[+-][0-9:]+$', '\\1') AS TIMESTAMP)",
    "_ls_as_date_text(x)": f"CASE WHEN x IS NOT NULL THEN COALESCE(_ls_try_date(x), {_variant('DATE')}) END",
    "_ls_as_timestamp_text(x)": "CASE WHEN x IS NOT NULL "
    f"THEN COALESCE(_ls_try_timestamp(x), {_variant('TIMESTAMP_NTZ')}) END",
    "_ls_as_ltz(x)": """CAST(regexp_replace(_ls_seconds(x::VARCHAR),
        ' ?([+-][0-9]{2}):?([0-9]{2})$', '\\1:\\2') AS TIMESTAMPTZ)""",
    "_ls_as_date(x)": f"CASE WHEN {_TEXT} THEN {_must('Date', 100040, '_ls_try_date')} "
    # A VARIANT that holds a number is no date; whether one with a time is one is not clear (to_date page).
    f"WHEN typeof(x) = 'JSON' AND {_DIGITS} THEN {_variant('DATE')} "
    f"WHEN typeof(x) = 'JSON' AND contains(x::VARCHAR, ':') "
    f"THEN {_REFUSED}read the time in a VARIANT as a date: ' || x::VARCHAR) "
    f"WHEN typeof(x) = 'JSON' THEN _ls_as_date_text_1(_ls_varchar_1(x)) "
    f"WHEN {_TIMED} THEN CAST(_ls_local(x) AS DATE) ELSE {_mismatch('DATE')} END",
    "_ls_as_timestamp(x)": f"CASE WHEN {_TEXT} THEN {_must('Timestamp', 100035, '_ls_try_timestamp')} "
    # A number in a VARIANT is seconds in the session's zone, other than a NUMBER (to_timestamp page).
    f"WHEN typeof(x) = 'JSON' AND {_DIGITS} "
    f"AND current_setting('TimeZone') NOT IN ('UTC', 'Etc/UTC') "
    f"THEN {_REFUSED}read the number of a VARIANT as a time outside UTC: ' || x::VARCHAR) "
    f"WHEN typeof(x) = 'JSON' THEN _ls_as_timestamp_text_1(_ls_varchar_1(x)) WHEN {_TIMED} THEN _ls_local(x) "
    f"WHEN {_NUMERIC} THEN make_timestamp(CAST({_AT} AS BIGINT)) ELSE {_mismatch('TIMESTAMP_NTZ')} END",
    # The table of conversions says that a NUMBER becomes a TIMESTAMP by itself; an INSERT says 2023 [C].
    "_ls_into_timestamp(x)": f"CASE WHEN {_NUMERIC} THEN {_mismatch('TIMESTAMP_NTZ')} "
    "ELSE _ls_as_timestamp(x) END",
    "_ls_into_number(x)": f"CASE WHEN typeof(x) = 'BOOLEAN' THEN {_mismatch('NUMBER')} ELSE x END",
    # An ARRAY or OBJECT needs a cast, a VARIANT that holds one does not; here both are JSON.
    "_ls_into_varchar(x)": f"""CASE WHEN typeof(x) = 'BLOB' THEN {_mismatch("VARCHAR")}
        WHEN typeof(x) = 'JSON' AND left(x::VARCHAR, 1) IN ('[', '{{')
        THEN {_REFUSED}put an array or object into a VARCHAR without a cast: ' || left(x::VARCHAR, 40))
        ELSE _ls_varchar(x) END""",
    "_ls_as_time(x)": f"CASE WHEN {_TEXT} THEN {_must('Time', 100108, '_ls_try_time')} "
    "WHEN typeof(x) IN ('TIME', '\"NULL\"') THEN TRY_CAST(x::VARCHAR AS TIME) "
    f"WHEN {_TIMED} AND typeof(x) <> 'DATE' THEN CAST(_ls_local(x) AS TIME) ELSE {_mismatch('TIME')} END",
    "_ls_as_tz(x)": f"""CASE WHEN {_TEXT} AND NOT (
            regexp_full_match(x::VARCHAR, '.*:[0-9.]+ ?(Z|[+-]00(:?00)?)')
            OR current_setting('TimeZone') IN ('UTC', 'Etc/UTC')
            AND NOT regexp_full_match(x::VARCHAR, '.*:[0-9.]+ ?[+-][0-9]{{2}}(:?[0-9]{{2}})?'))
        THEN {_REFUSED}keep the offset of a TIMESTAMP_TZ: ' || x::VARCHAR) ELSE _ls_as_ltz(x) END""",
    "_ls_as_binary(x)": f"""CASE WHEN {_TEXT} THEN
        CASE WHEN regexp_full_match(x::VARCHAR, '([0-9A-Fa-f]{{2}})*')
            THEN unhex(x::VARCHAR) ELSE error('LOCAL:100115:22000:The following string is not a legal '
            || 'hex-encoded value: ''' || x::VARCHAR || '''') END
        WHEN typeof(x) = 'BLOB' THEN CAST(x::VARCHAR AS BLOB) ELSE {_mismatch("BINARY")} END""",
    # Any value as VARIANT; times are the text that TO_JSON shows.
    "_ls_variant(x)": """CASE WHEN typeof(x) = 'JSON' THEN x::VARCHAR::JSON
        WHEN typeof(x) IN ('TIMESTAMP', 'TIMESTAMP WITH TIME ZONE', 'TIME', 'DATE', 'BLOB')
            THEN to_json(_ls_varchar_1(x)) ELSE to_json(x) END""",
    "_ls_into_variant(x)": f"""CASE WHEN typeof(x) IN ('JSON', '"NULL"') THEN x::VARCHAR::JSON
        WHEN {_NUMERIC} OR typeof(x) IN ('BOOLEAN', 'DOUBLE') THEN _ls_variant(x)
        ELSE {_mismatch("VARIANT")} END""",
    "_ls_into_array(x)": f"""CASE WHEN typeof(x) NOT IN ('JSON', '"NULL"') THEN {_mismatch("ARRAY")}
        WHEN x IS NULL OR json_type(x::VARCHAR) = 'ARRAY' THEN x::VARCHAR::JSON
        ELSE {_REFUSED}put this VARIANT into an ARRAY: ' || left(x::VARCHAR, 40)) END""",
    "_ls_into_object(x)": f"""CASE WHEN typeof(x) NOT IN ('JSON', '"NULL"') THEN {_mismatch("OBJECT")}
        WHEN x IS NULL OR json_type(x::VARCHAR) = 'OBJECT' THEN x::VARCHAR::JSON
        ELSE {_REFUSED}put this VARIANT into an OBJECT: ' || left(x::VARCHAR, 40)) END""",
    "_ls_fit(x, n, c)": """CASE WHEN length(x) > n THEN error('LOCAL:100078:22000:String ''' || left(x, 40)
        || ''' is too long and would be truncated, column ' || c) ELSE x END""",
    "_ls_timestamp(x)": "CAST(x AS TIMESTAMPTZ) AT TIME ZONE 'UTC'",
    "_ls_timestamptz(x)": "CAST(x AS TIMESTAMPTZ)",
    "_ls_date(x)": "CAST(CAST(CAST(x AS TIMESTAMPTZ) AS TIMESTAMP) AS DATE)",
}


DEFINITIONS = {**_READING, **_CASTING}


def writing(parameters: Mapping[str, Any]) -> dict[str, str]:
    """The macros of conversion to text, which depend on the parameters of a session."""
    ntz = strftime(str(parameters["TIMESTAMP_NTZ_OUTPUT_FORMAT"] or parameters["TIMESTAMP_OUTPUT_FORMAT"]))
    tz, with_zone = zoned(
        str(parameters["TIMESTAMP_LTZ_OUTPUT_FORMAT"] or parameters["TIMESTAMP_OUTPUT_FORMAT"])
    )
    time, date = (
        strftime(str(parameters["TIME_OUTPUT_FORMAT"])),
        strftime(str(parameters["DATE_OUTPUT_FORMAT"])),
    )
    zone = " || ' ' || _ls_offset(CAST(x::VARCHAR AS TIMESTAMPTZ))" if with_zone else ""
    return {
        "_ls_offset(x)": """format('{:+03d}{:02d}',
            CAST(trunc(date_diff('minute', x AT TIME ZONE 'UTC', x::TIMESTAMP) / 60) AS INTEGER),
            CAST(abs(date_diff('minute', x AT TIME ZONE 'UTC', x::TIMESTAMP)) % 60 AS INTEGER))""",
        # A text without its quotes, a number without zeros at its end, null as NULL.
        "_ls_json_varchar(x)": """CASE WHEN left(x, 1) = '"' THEN TRY_CAST(x AS JSON) ->> '$'
            WHEN x = 'null' THEN NULL
            WHEN left(x, 1) IN ('{', '[') OR NOT regexp_matches(x, '[.eE]') OR x IN ('true', 'false') THEN x
            WHEN regexp_matches(x, '[eE]') THEN format('{:.15g}', TRY_CAST(x AS DOUBLE))
            ELSE rtrim(rtrim(x, '0'), '.') END""",
        "_ls_varchar(x)": f"""CASE WHEN typeof(x) = 'JSON' THEN _ls_json_varchar(x::VARCHAR)
            WHEN typeof(x) = 'DOUBLE' THEN format('{{:.15g}}', TRY_CAST(x::VARCHAR AS DOUBLE))
            WHEN typeof(x) = 'TIMESTAMP' THEN strftime(TRY_CAST(x::VARCHAR AS TIMESTAMP), {literal(ntz)})
            WHEN typeof(x) = 'DATE' THEN strftime(TRY_CAST(x::VARCHAR AS DATE), {literal(date)})
            WHEN typeof(x) = 'TIME'
                THEN strftime(DATE '2000-01-01' + TRY_CAST(x::VARCHAR AS TIME), {literal(time)})
            WHEN typeof(x) = 'TIMESTAMP WITH TIME ZONE'
                THEN strftime(CAST(CAST(x::VARCHAR AS TIMESTAMPTZ) AS TIMESTAMP), {literal(tz)}){zone}
            WHEN typeof(x) = 'BLOB' THEN hex(CAST(x::VARCHAR AS BLOB)) ELSE x::VARCHAR END""",
    }
