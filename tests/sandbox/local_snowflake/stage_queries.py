"""Queries that read staged files, and the named file formats they are read with.

Rules restored (querying-stage and create-file-format pages): `FROM @stage/path (FILE_FORMAT => name)` reads
every file under the path, `$n` is a field of it; SEQ4() and SEQ8() number the rows of the files in order.
Other loaders read this way; our own target never does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from . import results
from .errors import SnowflakeError, already_exists, not_found, unsupported
from .file_formats import FileFormat, columns_of, from_properties, reader
from .names import ObjectName, qualify, quote
from .resolve import require_schema, table_parts
from .stage_commands import locate

if TYPE_CHECKING:
    from collections.abc import Callable

    from .engine import Call
    from .results import Result

_SEQUENCE = "_ls_seq"


def detach(call: Call) -> dict[str, str]:
    """Put a placeholder for each staged source of the statement; give DuckDB's source for each placeholder.

    Raises:
        SnowflakeError: for a missing stage, file or format, or a form that cannot be read here.
    """
    found = {}
    for index, node in enumerate(list(call.statement.tree.find_all(exp.Table))):
        if not isinstance(node.this, (exp.Literal, exp.Var)) or not node.this.name.startswith("@"):
            continue
        select = node.find_ancestor(exp.Select)
        if select is None or select.args.get("joins"):
            message = "a staged file beside other tables in one SELECT"
            raise unsupported(message)
        placeholder = f"_ls_stage_{index}"
        found[quote(placeholder)] = _source(call, node.this.name, _format(call, node.args.get("format")))
        alias = node.args.get("alias") or exp.TableAlias(this=exp.to_identifier(placeholder, quoted=True))
        node.replace(exp.Table(this=exp.Literal.string(placeholder), alias=alias))
        _name_fields(select)
        _part_qualify(select)
    return found


def attach(sql: str, sources: dict[str, str]) -> str:
    """Put the sources in the place of their placeholders."""
    for placeholder, source in sources.items():
        sql = sql.replace("'" + placeholder[1:-1] + "'", source)
    return sql


def _name_fields(select: exp.Select) -> None:
    """`$1` becomes the column `c1`, SEQ8() the number of the row."""
    for node in list(select.find_all(exp.Parameter)):
        name = exp.to_identifier(f"c{node.this.name}", quoted=True)
        node.replace(name if isinstance(node.parent, exp.Column) else exp.Column(this=name))
    for call in list(select.find_all(exp.Seq4, exp.Seq8)):
        call.replace(exp.column(exp.to_identifier(_SEQUENCE, quoted=True)))


def _part_qualify(select: exp.Select) -> None:
    """Compute the fields in an inner SELECT: DuckDB refuses what may fail in the PARTITION BY of a window."""
    if select.args.get("qualify") is None:
        return
    inner = select.copy()
    inner.set("qualify", None)
    inner.append("expressions", exp.column(exp.to_identifier(_SEQUENCE, quoted=True)))
    names = [item.args["alias"] if isinstance(item, exp.Alias) else item.this for item in select.expressions]
    for clause in [name for name in select.args if name not in {"expressions", "from_", "qualify"}]:
        select.set(clause, None)
    select.set("expressions", [exp.column(name.copy()) for name in names])
    select.set("from_", exp.From(this=inner.subquery("_ls_rows")))


def _format(call: Call, node: exp.Expression | None) -> FileFormat:
    if node is None:
        return FileFormat()
    if not isinstance(node, exp.Table):
        message = f"FILE_FORMAT => {node.sql(dialect='snowflake')}: name a file format"
        raise unsupported(message)
    return named_format(call, _name(call, node))


def named_format(call: Call, name: ObjectName) -> FileFormat:
    """The file format of a name.

    Raises:
        SnowflakeError: 2003 when there is none.
    """
    stored = call.world.file_formats.get(str(name))
    if stored is None:
        kind = "File format"
        raise not_found(kind, str(name))
    return FileFormat(str(stored["kind"]), dict(stored["options"]))


def _source(call: Call, reference: str, form: FileFormat) -> str:
    location = locate(call, reference, "READ")
    files = call.world.stages.files(location)
    if not files:
        message = f"Remote file '{reference}' was not found."
        raise SnowflakeError(100016, "22000", message)
    readers = " UNION ALL ".join(
        f"SELECT * FROM {reader(form, file, columns_of(form, file))}" for file in files
    )
    return f"(SELECT *, ROW_NUMBER() OVER () AS {quote(_SEQUENCE)} FROM ({readers}))"


def _name(call: Call, node: exp.Expression) -> ObjectName:
    name = qualify(table_parts(node), call.session.database, call.session.schema)
    require_schema(name.database, name.schema, call.world.catalogue)
    return name


def _create(call: Call) -> Result:
    tree = call.statement.tree
    name = _name(call, tree.this)
    if str(name) in call.world.file_formats and not tree.args.get("replace"):
        if tree.args.get("exists"):
            return results.status(f"{name.name} already exists, statement succeeded.")
        raise already_exists(name.name)
    properties = tree.args.get("properties")
    form = from_properties(properties.expressions if properties else ())
    call.world.file_formats[str(name)] = {"kind": form.kind, "options": form.options}
    return results.status(f"File format {name.name} successfully created.")


def _drop(call: Call) -> Result:
    tree = call.statement.tree
    name = _name(call, tree.args.get("this") or tree.args["tables"][0])
    if call.world.file_formats.pop(str(name), None) is None:
        if not tree.args.get("exists"):
            kind = "File format"
            raise not_found(kind, str(name))
        return results.status(f"Drop statement executed successfully ({name.name} already dropped).")
    return results.status(f"{name.name} successfully dropped.")


HANDLERS: dict[str, Callable[[Call], Result]] = {"CREATE FILE FORMAT": _create, "DROP FILE FORMAT": _drop}
