"""TO_VARCHAR of dates and times with a format: the few formats that have an exact counterpart in DuckDB."""

from __future__ import annotations

from sqlglot import exp

_FORMATS = {
    "YYYY-MM-DD": ("%Y-%m-%d", ""),
    "YYYY-MM-DD HH24:MI:SS": ("%Y-%m-%d %H:%M:%S", ""),
    "YYYY-MM-DD HH24:MI:SS.FF3": ("%Y-%m-%d %H:%M:%S.%g", ""),
    "YYYY-MM-DD HH24:MI:SS.FF6": ("%Y-%m-%d %H:%M:%S.%f", ""),
    # Times have microseconds here, nanoseconds in Snowflake.
    "YYYY-MM-DD HH24:MI:SS.FF9": ("%Y-%m-%d %H:%M:%S.%f", "000"),
}


def formatted(node: exp.ToChar) -> exp.Expression | None:
    """The counterpart of TO_VARCHAR with a format; None when there is none."""
    written = node.args["format"]
    if not isinstance(written, exp.Literal) or written.name not in _FORMATS:
        return None
    pattern, tail = _FORMATS[written.name]
    # A date has no time of day; as a timestamp it prints as Snowflake prints it.
    moment = exp.Cast(this=node.this.copy(), to=exp.DataType.build("TIMESTAMP", dialect="duckdb"))
    text = exp.Anonymous(this="STRFTIME", expressions=[moment, exp.Literal.string(pattern)])
    return exp.DPipe(this=text, expression=exp.Literal.string(tail)) if tail else text
