"""COPY INTO a table from a stage.

Rules restored (copy-into-table page): a SELECT may transform what is loaded; a path is a prefix; a file is
loaded once unless FORCE, and the memory of that is keyed by path *and content*, ends with the table and
rolls back with the transaction; PURGE removes loaded files; ON_ERROR other than ABORT_STATEMENT is refused
here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fakesnow import statement_type
from sqlglot import exp

from . import access, copy_selects, quoted_names, results
from .column_types import to_duck
from .dml import changed, duck_name, loads, running
from .errors import SnowflakeError, syntax, unsupported
from .file_formats import FileFormat, columns_of, from_properties, mismatch, reader
from .fitting import fit, known
from .names import qualify, quote, split
from .resolve import identifier, require, table_parts
from .stage_commands import locate
from .stage_queries import named_format
from .translate import translate

if TYPE_CHECKING:
    from .catalogue import Table
    from .engine import Call
    from .results import Result
    from .stages import Location, StagedFile

_FILE = "_ls_file"
_COLUMNS = {
    "file": "VARCHAR",
    "status": "VARCHAR",
    "rows_parsed": "BIGINT",
    "rows_loaded": "BIGINT",
    "error_limit": "BIGINT",
    "errors_seen": "BIGINT",
    "first_error": "VARCHAR",
    "first_error_line": "BIGINT",
    "first_error_character": "BIGINT",
    "first_error_column_name": "VARCHAR",
}


@dataclass
class Load:
    """One COPY: where to, from where, in which form."""

    table: Table
    columns: list[str]
    location: Location
    form: FileFormat
    options: dict[str, Any]
    select: exp.Expression | None


def copy_into(call: Call) -> Result:
    """COPY INTO table FROM @stage or (SELECT ... FROM @stage)."""
    load = _read(call)
    files = _files(call, load)
    if not files:
        return results.status("Copy executed with 0 files processed.", statement_type.COPY)
    rows: list[list[Any]] = []
    with running(call, [], load.table):
        rows += [_load_file(call, load, file) for file in files]
    if load.options.get("PURGE"):
        call.world.stages.delete(files)
    result = results.of_rows(_COLUMNS, rows, statement_type.COPY)
    result.rows = sum(int(row[3] or 0) for row in rows)
    return result


def _read(call: Call) -> Load:
    tree = call.statement.tree
    node = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    if not tree.args.get("kind") or not isinstance(node, exp.Table) or node.name.startswith("@"):
        message = "COPY INTO a location"
        raise unsupported(message)
    session, catalogue = call.session, call.world.catalogue
    table = require(qualify(table_parts(node), session.database, session.schema), session, catalogue)
    access.require(call, table, {"INSERT"})
    columns = [column.name for column in table.columns]
    if isinstance(tree.this, exp.Schema):
        columns = known([identifier(part) for part in tree.this.expressions], table)
    source = tree.args["files"][0]
    select = source.this if isinstance(source, exp.Subquery) else None
    stage = select.args["from_"].this if select is not None else source
    form, options = _options(call, tree)
    location = locate(call, _stage_text(stage), "READ")
    if select is not None:
        copy_selects.check(select, location)
    return Load(table, columns, location, form, options, select)


def _stage_text(node: exp.Expression | None) -> str:
    if node is None:
        message = "COPY from something that is no stage"
        raise unsupported(message)
    return str(node.this.name if isinstance(node, exp.Table) else node.name)


def _options(call: Call, tree: exp.Expression) -> tuple[FileFormat, dict[str, Any]]:
    form = FileFormat()
    options: dict[str, Any] = {}
    for parameter in tree.args.get("params") or []:
        name, value = parameter.name.upper(), parameter.args.get("expression")
        if name == "FILE_FORMAT":
            form = _format(call, parameter.expressions)
        elif name in {"FORCE", "PURGE"}:
            options[name] = bool(value.this) if isinstance(value, exp.Boolean) else False
        elif name == "ON_ERROR":
            _check_on_error(value)
        elif name in {"PATTERN", "FILES"}:
            options[name] = (
                [p.name for p in value.expressions] if isinstance(value, exp.Tuple) else value.name
            )
        else:
            message = f"COPY option {name}"
            raise unsupported(message)
    return form, options


def _format(call: Call, properties: list[exp.Expression]) -> FileFormat:
    """FILE_FORMAT = (FORMAT_NAME = name), or else the options themselves; not both (copy-into-table page)."""
    names = [item for item in properties if item.name.upper() == "FORMAT_NAME"]
    if not names:
        return from_properties(properties)
    if len(properties) > 1:
        message = "FORMAT_NAME beside other file format options"
        raise syntax(message)
    value = names[0].args["value"]
    text = value.name if isinstance(value, exp.Literal) else value.sql(dialect="snowflake")
    parts = [part.upper() if quoted_names.ignored(call.session) else part for part in split(text)]
    return named_format(call, qualify(parts, call.session.database, call.session.schema))


def _check_on_error(value: exp.Expression | None) -> None:
    if value is None or value.name.upper() != "ABORT_STATEMENT":
        message = f"ON_ERROR = {value.name if value is not None else ''}"
        raise unsupported(message)


def _files(call: Call, load: Load) -> list[StagedFile]:
    files = call.world.stages.files(load.location)
    if pattern := load.options.get("PATTERN"):
        files = [file for file in files if re.fullmatch(str(pattern), file.path)]
    if listed := load.options.get("FILES"):
        wanted = {load.location.path + name for name in ([listed] if isinstance(listed, str) else listed)}
        missing = wanted - {file.path for file in files}
        if missing:
            message = f"Remote file '{min(missing)}' was not found."
            raise SnowflakeError(100016, "22000", message)
        files = [file for file in files if file.path in wanted]
    return files


def _load_file(call: Call, load: Load, file: StagedFile) -> list[Any]:
    label = load.location.label
    shown = f"{label}/{file.path}" if label else file.path
    memory, owner = loads(call, load.table)
    key = [*owner, file.path, file.md5]
    seen = f"SELECT 1 FROM {memory} WHERE schema_name = ? AND table_name = ? AND path = ? AND md5 = ?"
    if not load.options.get("FORCE") and call.session.duck.execute(seen, key).fetchone():
        return [shown, "LOAD_SKIPPED", 0, 0, None, 1, "File was loaded before.", None, None, None]
    count = changed(call, _sql(call, load, file))
    call.session.duck.execute(f"INSERT INTO {memory} VALUES (?, ?, ?, ?)", key)
    return [shown, "LOADED", count, count, 1, 0, None, None, None, None]


def _sql(call: Call, load: Load, file: StagedFile) -> str:
    fields = columns_of(load.form, file)
    select = _selected(call, load, fields)
    names = [f"c{index}" for index in range(1, len(load.columns) + 1)]
    catalogue = call.world.catalogue
    have = "VARCHAR" if load.form.kind == "CSV" and load.select is None else ""
    fitted = [
        fit(_loaded(n, column, load), column, load.table, catalogue, have)
        for n, column in zip(names, load.columns, strict=True)
    ]
    listed = ", ".join(quote(column) for column in load.columns)
    where = reader(load.form, file, fields)
    inner = select.replace(quote(_FILE), where)
    return (
        f"INSERT INTO {duck_name(load.table)} ({listed}) SELECT {', '.join(fitted)} "
        f"FROM ({inner}) AS _ls_source({', '.join(names)})"
    )


def _loaded(name: str, column: str, load: Load) -> str:
    """A value of the file; a VARIANT of a JSON file gets its canonical text."""
    found = load.table.column(column)
    if load.form.kind == "JSON" and found is not None and found.duck_type == "JSON":
        return f"CAST(_ls_json_of({name}::VARCHAR) AS JSON)"
    return name


def _selected(call: Call, load: Load, fields: int) -> str:
    """What is loaded, as DuckDB's SELECT from the placeholder of the file."""
    if load.select is not None:
        return _transformed(call, load)
    if load.form.kind == "JSON":
        if len(load.columns) != 1:
            message = (
                "SQL compilation error:\nJSON file format can produce one and only one column of type variant"
            )
            raise SnowflakeError(2019, "0A000", message)
        return f"SELECT c1 FROM {quote(_FILE)}"
    variant = [c for c in load.columns if (k := load.table.column(c)) and k.duck_type == "JSON"]
    if variant:
        message = (
            f"CSV straight into VARIANT column {variant[0]}: use COPY ... FROM (SELECT PARSE_JSON($n) ...)"
        )
        raise unsupported(message)
    strict = load.form.flag("ERROR_ON_COLUMN_COUNT_MISMATCH", default=True)
    if fields != len(load.columns) and (strict or fields < len(load.columns)):
        raise mismatch(len(load.columns), fields)
    return f"SELECT {', '.join(f'c{i}' for i in range(1, len(load.columns) + 1))} FROM {quote(_FILE)}"


def _transformed(call: Call, load: Load) -> str:
    if load.select is None:
        message = "COPY without SELECT has nothing to transform"
        raise unsupported(message)
    select = load.select.copy()
    if len(select.expressions) != len(load.columns):
        message = "SQL compilation error:\nInsert value list does not match column list expecting "
        raise SnowflakeError(
            2020, "21S01", message + f"{len(load.columns)} but got {len(select.expressions)}"
        )
    source = select.args["from_"].this
    source.set("this", exp.to_identifier(_FILE, quoted=True))
    for node in list(select.find_all(exp.Parameter)):
        name = exp.to_identifier(f"c{node.this.name}", quoted=True)
        node.replace(name if isinstance(node.parent, exp.Column) else exp.Column(this=name))
    for column in list(select.find_all(exp.Column)):
        if column.name.upper().startswith("METADATA$"):
            message = column.name
            raise unsupported(message)
    return to_duck(translate(select, call.session, call.now))
