"""CREATE, ALTER and DROP of tables.

Rules restored (create-table, alter-table-column and constraints pages): PRIMARY KEY and UNIQUE are recorded
and shown but not enforced, key columns are NOT NULL; VARCHAR lengths are recorded; a column may only grow
in its own type family, everything else is 2108; a temporary table lives in a schema and in one session; two
columns that differ only in case are refused, since DuckDB cannot hold them.
"""

from __future__ import annotations

import re
from copy import deepcopy
from typing import TYPE_CHECKING

from fakesnow import statement_type
from sqlglot import exp

from . import access, identities, results
from .catalogue import DEFAULT_VARCHAR, MAX_VARCHAR, Column, Table, TableMeta
from .column_types import fraction_digits, refuse_precision, text_length, to_duck
from .errors import SnowflakeError, already_exists, not_found, unsupported
from .names import ObjectName, literal, qualify, quote
from .resolve import identifier, lookup, require, require_schema, resolve, table_parts
from .translate import translate

if TYPE_CHECKING:
    from collections.abc import Callable

    from .engine import Call
    from .results import Result

_KEYS = (exp.PrimaryKeyColumnConstraint, exp.UniqueColumnConstraint)
_SHED = (
    *_KEYS,
    exp.CommentColumnConstraint,
    exp.CollateColumnConstraint,
    exp.InlineLengthColumnConstraint,
    exp.ReferenceColumnConstraint if hasattr(exp, "ReferenceColumnConstraint") else exp.Reference,
)


def object_name(call: Call, node: exp.Expression) -> ObjectName:
    """The full name of a created or altered table."""
    table: exp.Expression = node.this if isinstance(node, exp.Schema) else node
    return qualify(table_parts(table), call.session.database, call.session.schema)


def _names(nodes: list[exp.Expression]) -> list[str]:
    return [identifier(n.this if isinstance(n, exp.Ordered) else n) for n in nodes]


def create_table(call: Call) -> Result:
    """CREATE [OR REPLACE] [TEMPORARY | TRANSIENT] TABLE, with columns, AS SELECT, LIKE or CLONE."""
    tree = call.statement.tree
    name = object_name(call, tree.this)
    require_schema(name.database, name.schema, call.world.catalogue)
    properties = tree.args.get("properties")
    temporary = bool(properties and properties.find(exp.TemporaryProperty))
    there = call.session.temporary.get(name) if temporary else call.world.catalogue.find(name)
    if there is not None and not tree.args.get("replace"):
        if tree.args.get("exists"):
            return results.status(f"{name.name} already exists, statement succeeded.")
        raise already_exists(name.name)
    # A temporary table needs no privilege to create, only the use of its schema (create-table page).
    wanted = "USAGE" if temporary else "CREATE TABLE"
    access.require_on_schema(call, name.database, name.schema, wanted)
    _refuse_twin_table(call, name)
    if there is not None:
        drop(call, there)
    described = tree.copy()
    meta, body = _body(call, tree, None if temporary else f"{quote(name.database)}.{quote(name.schema)}")
    _record(call, meta, properties)
    duck = _temporary_name(call, name) if temporary else name.duck
    words = "CREATE TEMP TABLE" if temporary else "CREATE TABLE"
    call.session.duck.execute(f"{words} {quote(duck) if temporary else duck} {body}")
    _comments(call, described, f"temp.main.{quote(duck)}" if temporary else duck)
    if temporary:
        call.session.temporary[name] = temporary_table(call, name, duck)
    call.world.catalogue.meta[name] = meta
    if not temporary:
        call.world.catalogue.changed()
        call.world.grants.created(call.session.role, "TABLE", name)
    kind = statement_type.DDL
    return results.status(f"Table {name.name} successfully created.", kind)


def _refuse_twin_table(call: Call, name: ObjectName) -> None:
    """Two tables whose names differ only in case cannot live side by side here."""
    for other in [*call.world.catalogue.tables(), *call.session.temporary]:
        if other != name and str(other).casefold() == str(name).casefold():
            message = f"two tables that differ only in case: {other} and {name}"
            raise unsupported(message)


def _comments(call: Call, tree: exp.Expression, where: str) -> None:
    """Set the comments of the columns of a CREATE TABLE."""
    for column in tree.this.expressions if isinstance(tree.this, exp.Schema) else []:
        comment = column.find(exp.CommentColumnConstraint)
        if comment is not None:
            text = literal(comment.this.name)
            name = quote(identifier(column.this))
            call.session.duck.execute(f"COMMENT ON COLUMN {where}.{name} IS {text}")


def _temporary_name(call: Call, name: ObjectName) -> str:
    taken = {table.duck.casefold() for table in call.session.temporary.values()}
    return name.name if name.name.casefold() not in taken else f"{name.schema}.{name.name}"


def temporary_table(call: Call, name: ObjectName, duck: str) -> Table:
    """A temporary table as DuckDB now has it."""
    rows = call.session.duck.execute(
        "SELECT column_name, data_type, is_nullable, column_default FROM duckdb_columns() "
        "WHERE database_name = 'temp' AND table_name = ? ORDER BY column_index",
        [duck],
    ).fetchall()
    return Table(name, "TABLE", tuple(Column(*row) for row in rows), duck, temporary=True)


def _body(call: Call, tree: exp.Expression, schema: str | None) -> tuple[TableMeta, str]:
    like = tree.args.get("clone") or (tree.find(exp.LikeProperty) if tree.args.get("properties") else None)
    if like is not None:
        return _copy_of(call, like, with_rows=tree.args.get("clone") is not None)
    if tree.args.get("expression") is not None:
        return _as_select(call, tree)
    if not isinstance(tree.this, exp.Schema):
        message = "CREATE TABLE without columns"
        raise unsupported(message)
    return _columns(call, tree, schema)


def _copy_of(call: Call, like: exp.Expression, *, with_rows: bool) -> tuple[TableMeta, str]:
    source = require(object_name(call, like.this), call.session, call.world.catalogue)
    access.require(call, source, {"SELECT"})
    meta = deepcopy(call.world.catalogue.of(source.name))
    if meta.identities:
        message = "LIKE or CLONE of a table with an AUTOINCREMENT column"
        raise unsupported(message)
    if with_rows:
        return meta, f"AS SELECT * FROM {where(source)}"
    columns = ", ".join(
        f"{quote(column.name)} {column.duck_type}"
        + (f" DEFAULT {column.default}" if column.default else "")
        + ("" if column.nullable else " NOT NULL")
        for column in source.columns
    )
    return meta, f"({columns})"


def _type_literals(query: exp.Expression) -> None:
    """Give columns that are a number written out the digits of that number, as Snowflake does.

    `SELECT 0` is NUMBER(1,0), and a column made of it never holds 10
    (docs.snowflake.com/en/sql-reference/functions/system_typeof).
    """
    for column in query.selects if isinstance(query, exp.Query) else ():
        value = column.unalias()
        literal = value.this if isinstance(value, exp.Neg) else value
        if isinstance(literal, exp.Literal) and not literal.is_string and _NUMBER.fullmatch(literal.this):
            whole, _, decimals = literal.this.partition(".")
            digits = len(whole.lstrip("0")) + len(decimals) or 1
            kind = exp.DataType.build(f"NUMBER({digits},{len(decimals)})", dialect="snowflake")
            value.replace(exp.Cast(this=value.copy(), to=kind))


_NUMBER = re.compile(r"\d+(\.\d+)?", re.ASCII)


def _as_select(call: Call, tree: exp.Expression) -> tuple[TableMeta, str]:
    for use in resolve(tree.args["expression"], call.session, call.world.catalogue):
        access.require(call, use.table, {"SELECT"})
    select = exp.Create(this=exp.to_table("x"), kind="TABLE", expression=tree.args["expression"].copy())
    _type_literals(select.args["expression"])
    body = to_duck(translate(select, call.session, call.now).args["expression"])
    if isinstance(tree.this, exp.Schema):
        message = "CREATE TABLE with columns AS SELECT"
        raise unsupported(message)
    return TableMeta(), f"AS {body}"


def _columns(call: Call, tree: exp.Expression, schema: str | None) -> tuple[TableMeta, str]:
    meta = TableMeta()
    definitions: list[exp.ColumnDef] = []
    for part in tree.this.expressions:
        if isinstance(part, exp.ColumnDef):
            take_apart(part, meta)
            definitions.append(part)
        else:
            table_constraint(part, meta)
    refuse_twins([identifier(d.this) for d in definitions])
    body = exp.Create(this=exp.Schema(this=exp.to_table("x"), expressions=definitions), kind="TABLE")
    translated = translate(body, call.session, call.now)
    numbers = identities.create(call, meta, schema)
    parts = [
        definition(d, not_null=identifier(d.this) in meta.primary_key, number=numbers.get(identifier(d.this)))
        for d in translated.this.expressions
    ]
    return meta, "(" + ", ".join(parts) + ")"


def refuse_twins(names: list[str]) -> None:
    """Refuse columns of one name, or of names that differ only in case."""
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(name.casefold(), name)
        if other is name:
            continue
        if other == name:
            message = f"SQL compilation error:\nduplicate column name '{name}'"
            raise SnowflakeError(2025, "42S21", message)
        message = f"two columns that differ only in case: {other} and {name}"
        raise unsupported(message)


def take_apart(column: exp.ColumnDef, meta: TableMeta) -> None:
    """Take what DuckDB cannot hold out of a column definition, into `meta`."""
    name = identifier(column.this)
    _note_type(name, column.args.get("kind"), meta)
    kept = []
    for constraint in column.args.get("constraints") or []:
        kind = constraint.args.get("kind")
        if isinstance(kind, exp.PrimaryKeyColumnConstraint):
            meta.primary_key.append(name)
        elif isinstance(kind, exp.UniqueColumnConstraint):
            meta.unique.append([name])
        elif isinstance(kind, (exp.NotNullColumnConstraint, exp.DefaultColumnConstraint)):
            kept.append(constraint)
        elif isinstance(kind, identities.AUTOMATIC):
            identities.declared(name, column.args.get("kind"), kind, meta)
        elif not isinstance(kind, _SHED):
            message = f"column constraint {constraint.sql(dialect='snowflake')}"
            raise unsupported(message)
    column.set("constraints", kept)


_NOTED = {exp.DType.ARRAY: "ARRAY", exp.DType.OBJECT: "OBJECT", exp.DType.TIMESTAMPLTZ: "TIMESTAMP_LTZ"}


def _note_type(name: str, kind: exp.DataType | None, meta: TableMeta) -> None:
    """Keep what DuckDB's type does not say; refuse what is no type of a column."""
    refuse_precision(kind)
    length = text_length(kind)
    if length is not None and not 0 < length <= MAX_VARCHAR:
        message = f"a VARCHAR of {length} characters"  # [?] the real one's error number is not known
        raise unsupported(message)
    if length is not None and length != DEFAULT_VARCHAR:
        meta.lengths[name] = length
    digits = fraction_digits(kind)
    if digits is not None:
        meta.digits[name] = digits
    if kind is not None and kind.this in _NOTED:
        meta.kinds[name] = _NOTED[kind.this]


def table_constraint(part: exp.Expression, meta: TableMeta) -> None:
    """Record a key of the whole table in `meta`; foreign keys mean nothing here."""
    for inner in part.expressions if isinstance(part, exp.Constraint) else [part]:
        if isinstance(inner, exp.PrimaryKey):
            meta.primary_key = _names(inner.expressions)
        elif isinstance(inner, exp.UniqueColumnConstraint):
            columns = inner.this.expressions if isinstance(inner.this, exp.Schema) else []
            meta.unique.append(_names(columns))
        elif not isinstance(inner, exp.ForeignKey):
            message = f"table constraint {inner.sql(dialect='snowflake')}"
            raise unsupported(message)


def definition(column: exp.Expression, *, not_null: bool, number: str | None = None) -> str:
    """DuckDB's text of a translated column definition; `number`: the default that numbers its rows."""
    text = f"{quote(identifier(column.this))} {to_duck(column.args['kind'])}"
    text += f" DEFAULT {number}" if number else ""
    for constraint in column.args.get("constraints") or []:
        kind = constraint.args["kind"]
        if isinstance(kind, exp.DefaultColumnConstraint):
            text += f" DEFAULT {to_duck(kind.this)}"
        elif isinstance(kind, exp.NotNullColumnConstraint) and not kind.args.get("allow_null"):
            not_null = True
    return text + (" NOT NULL" if not_null else "")


def _record(call: Call, meta: TableMeta, properties: exp.Expression | None) -> None:
    meta.created, meta.owner = call.now, call.session.role
    if properties is None:
        return
    meta.transient = properties.find(exp.TransientProperty) is not None
    comment = properties.find(exp.SchemaCommentProperty)
    meta.comment = comment.this.name if comment is not None else meta.comment
    cluster = properties.find(exp.Cluster)
    meta.cluster_by = cluster.sql(dialect="snowflake") if cluster is not None else ""
    retention = re.search(r"DATA_RETENTION_TIME_IN_DAYS\s*=\s*(\d+)", call.statement.text, re.IGNORECASE)
    meta.retention_days = int(retention[1]) if retention else 1
    # Rule: up to 1 day for transient tables, 90 for others (data-time-travel page). [?] the number
    if meta.retention_days > (1 if meta.transient else 90):
        message = f"invalid value [{meta.retention_days}] for parameter 'DATA_RETENTION_TIME_IN_DAYS'"
        raise SnowflakeError(1008, "22023", f"SQL compilation error:\n{message}")


def where(table: Table) -> str:
    """The table's quoted name in DuckDB."""
    return f"temp.main.{quote(table.duck)}" if table.temporary else table.duck


def drop(call: Call, table: Table) -> None:
    """Drop a table or temporary table."""
    access.require(call, table, {"OWNERSHIP"})
    call.session.duck.execute(f"DROP TABLE {where(table)}")
    call.session.duck.execute(
        f"DELETE FROM {quote(table.name.database)}._fs_information_schema._ls_loads "
        "WHERE schema_name = ? AND table_name = ?",
        [table.name.schema, table.name.name],
    )
    identities.drop(call, call.world.catalogue.of(table.name))
    call.world.catalogue.meta.pop(table.name, None)
    if table.temporary:
        del call.session.temporary[table.name]
    else:
        call.world.catalogue.changed()
        call.world.grants.dropped("TABLE", table.name)


def drop_table(call: Call) -> Result:
    """DROP TABLE [IF EXISTS]."""
    tree = call.statement.tree
    this = tree.args.get("this")
    name = object_name(call, this if isinstance(this, exp.Expression) else tree.args["tables"][0])
    table = lookup(name, call.session, call.world.catalogue)
    if table is None or table.kind != "TABLE":
        if tree.args.get("exists"):
            return results.status(f"Drop statement executed successfully ({name.name} already dropped).")
        require_schema(name.database, name.schema, call.world.catalogue)
        kind = "Table"
        raise not_found(kind, str(name))
    drop(call, table)
    return results.status(f"{name.name} successfully dropped.")


HANDLERS: dict[str, Callable[[Call], Result]] = {
    "CREATE TABLE": create_table,
    "DROP TABLE": drop_table,
}
