r"""File format options of COPY and how DuckDB reads such files.

Rules restored (copy-into-table and create-file-format pages): an unquoted empty field is NULL and a quoted
one is '' (EMPTY_FIELD_AS_NULL), NULL_IF hits quoted fields too, quotes are doubled, everything else comes
through as it is. A default that would change data here but cannot be read faithfully
(ESCAPE_UNENCLOSED_FIELD = '\\') is refused.
"""

from __future__ import annotations

import csv
import gzip
import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from .errors import SnowflakeError, unsupported
from .names import literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .stages import StagedFile

_AS_DOCUMENTED = {
    "BINARY_FORMAT", "DATE_FORMAT", "TIME_FORMAT", "TIMESTAMP_FORMAT", "SKIP_BYTE_ORDER_MARK",
    "ALLOW_DUPLICATE", "ENABLE_OCTAL", "MULTI_LINE",
}  # fmt: skip
_ESCAPES = {"\\n": "\n", "\\t": "\t", "\\r": "\r", "\\\\": "\\", "\\N": "\\N", "\\\\N": "\\N"}


@dataclass
class FileFormat:
    """A file format: its type and its options by upper-case name."""

    kind: str = "CSV"
    options: dict[str, Any] = field(default_factory=dict)

    def flag(self, name: str, *, default: bool) -> bool:
        """A TRUE or FALSE option."""
        value = self.options.get(name, default)
        return value if isinstance(value, bool) else str(value).upper() == "TRUE"

    def text(self, name: str, default: str | None) -> str | None:
        """A text option; NONE is None."""
        value = self.options.get(name, default)
        return None if value is None or str(value).upper() == "NONE" else _ESCAPES.get(str(value), str(value))


def from_properties(properties: Iterable[exp.Expression]) -> FileFormat:
    """Read `TYPE = CSV FIELD_DELIMITER = ',' ...` as sqlglot parsed it."""
    options: dict[str, Any] = {}
    for item in properties:
        value = item.args.get("value")
        name = item.name.upper()
        if isinstance(value, exp.Boolean):
            options[name] = bool(value.this)
        elif isinstance(value, exp.Tuple):
            options[name] = [part.name for part in value.expressions]
        elif isinstance(value, exp.Paren):
            options[name] = [value.this.name]
        else:
            options[name] = value.name if value is not None else None
    kind = str(options.pop("TYPE", "CSV")).upper()
    if kind not in {"CSV", "JSON"}:
        message = f"file format TYPE = {kind}"
        raise unsupported(message)
    return FileFormat(kind, options)


def columns_of(form: FileFormat, file: StagedFile) -> int:
    """How many fields the first record of a CSV file has; 1 for other types."""
    if form.kind != "CSV":
        return 1
    with _open(form, file) as stream:
        quote = form.text("FIELD_OPTIONALLY_ENCLOSED_BY", None)
        csv.field_size_limit(2**30)
        style: dict[str, Any] = {"quotechar": quote} if quote else {"quoting": csv.QUOTE_NONE}
        reader = csv.reader(stream, delimiter=form.text("FIELD_DELIMITER", ",") or ",", **style)
        return len(next(reader, []))


def _compressed(form: FileFormat, file: StagedFile) -> bool:
    compression = str(form.options.get("COMPRESSION", "AUTO")).upper()
    if compression == "AUTO":
        return file.path.endswith(".gz")
    if compression not in {"GZIP", "NONE"}:
        message = f"COMPRESSION = {compression}"
        raise unsupported(message)
    return compression == "GZIP"


def _open(form: FileFormat, file: StagedFile) -> io.TextIOBase:
    if _compressed(form, file):
        return io.TextIOWrapper(gzip.open(file.local, "rb"), encoding="utf-8", newline="")
    return file.local.open(encoding="utf-8", newline="")


def reader(form: FileFormat, file: StagedFile, columns: int) -> str:
    """A DuckDB table expression over one file, with columns c1, c2, ...

    Raises:
        SnowflakeError: for options that cannot be read faithfully here.
    """
    compression = "gzip" if _compressed(form, file) else "none"
    where = literal(str(file.local))
    if form.kind == "JSON":
        return _json_reader(form, where, compression)
    return _csv_reader(form, file, where, compression, columns)


def _json_reader(form: FileFormat, where: str, compression: str) -> str:
    known = {"COMPRESSION", "STRIP_OUTER_ARRAY", "STRIP_NULL_VALUES", "ENCODING", *_AS_DOCUMENTED}
    _refuse_others(form, known)
    if form.flag("STRIP_NULL_VALUES", default=False):
        message = "STRIP_NULL_VALUES = TRUE"
        raise unsupported(message)
    source = (
        f"read_json_objects({where}, format='unstructured', compression='{compression}', "
        "maximum_object_size=134217728)"
    )
    if not form.flag("STRIP_OUTER_ARRAY", default=False):
        return f"(SELECT json AS c1 FROM {source})"
    elements = "CASE WHEN json_type(json) = 'ARRAY' THEN CAST(json AS JSON[]) ELSE [json] END"
    return f"(SELECT UNNEST({elements}) AS c1 FROM {source})"


def _refuse_others(form: FileFormat, known: set[str]) -> None:
    others = sorted(form.options.keys() - known)
    if others:
        message = f"file format option {', '.join(others)}"
        raise unsupported(message)


_CSV_OPTIONS = {
    "COMPRESSION", "EMPTY_FIELD_AS_NULL", "ENCODING", "ERROR_ON_COLUMN_COUNT_MISMATCH", "ESCAPE",
    "ESCAPE_UNENCLOSED_FIELD", "FIELD_DELIMITER", "FIELD_OPTIONALLY_ENCLOSED_BY", "NULL_IF",
    "RECORD_DELIMITER", "REPLACE_INVALID_CHARACTERS", "SKIP_BLANK_LINES", "SKIP_HEADER", "TRIM_SPACE",
    *_AS_DOCUMENTED,
}  # fmt: skip
_FIXED: dict[str, set[str | None]] = {
    "ESCAPE": {None},
    "RECORD_DELIMITER": {"\n", "\r\n"},
    "ENCODING": {"UTF8", "UTF-8"},
}


def _check_csv(form: FileFormat, file: StagedFile) -> None:
    _refuse_others(form, _CSV_OPTIONS)
    for name, values in _FIXED.items():
        if name in form.options and form.text(name, None) not in values:
            message = f"{name} = {form.options[name]}"
            raise unsupported(message)
    for name in ("TRIM_SPACE", "REPLACE_INVALID_CHARACTERS", "SKIP_BLANK_LINES"):
        if form.flag(name, default=False):
            message = f"{name} = TRUE"
            raise unsupported(message)
    if form.text("ESCAPE_UNENCLOSED_FIELD", "\\") is not None and _has_backslash(form, file):
        message = (
            "a CSV with backslashes unless ESCAPE_UNENCLOSED_FIELD = NONE (the default changes such fields)"
        )
        raise unsupported(message)


def _has_backslash(form: FileFormat, file: StagedFile) -> bool:
    with _open(form, file) as stream:
        return any("\\" in line for line in stream)


def _plain_size(form: FileFormat, file: StagedFile) -> int:
    """Bytes of the content: no line is longer. A gzip file ends with that number."""
    if not _compressed(form, file):
        return file.size
    return int.from_bytes(file.local.read_bytes()[-4:], "little")


def _csv_reader(form: FileFormat, file: StagedFile, where: str, compression: str, columns: int) -> str:
    _check_csv(form, file)
    names = [f"c{index}" for index in range(1, columns + 1)]
    types = ", ".join(f"'{name}': 'VARCHAR'" for name in names)
    quote = form.text("FIELD_OPTIONALLY_ENCLOSED_BY", None) or ""
    empty = "" if form.flag("EMPTY_FIELD_AS_NULL", default=True) else "\x01never\x01"
    delimiter = form.text("FIELD_DELIMITER", ",") or ","
    skip = int(form.options.get("SKIP_HEADER") or 0)
    line = min(max(_plain_size(form, file) + 1, 4_000_000), 1_000_000_000)
    source = (
        f"read_csv({where}, auto_detect=false, header=false, delim={literal(delimiter)}, "
        f"quote={literal(quote)}, escape={literal(quote)}, columns={{{types}}}, nullstr={literal(empty)}, "
        f"allow_quoted_nulls=false, compression='{compression}', skip={skip}, "
        f"max_line_size={line}, buffer_size={line}, parallel=false)"
    )
    nulls = [_ESCAPES.get(str(text), str(text)) for text in form.options.get("NULL_IF", ["\\N"])]
    if not nulls:
        return source
    listed = ", ".join(literal(text) for text in nulls)
    shown = ", ".join(f"CASE WHEN {name} IN ({listed}) THEN NULL ELSE {name} END AS {name}" for name in names)
    return f"(SELECT {shown} FROM {source})"


def mismatch(expected: int, got: int) -> SnowflakeError:
    """A record with another number of fields than the table has columns."""
    message = (
        f"Number of columns in file ({got}) does not match that of the corresponding table ({expected}), "
        "use file format option error_on_column_count_mismatch=false to ignore this error"
    )
    return SnowflakeError(100080, "22000", message)
