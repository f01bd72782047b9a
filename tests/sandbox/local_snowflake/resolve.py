"""Which tables and columns a statement names.

Rules restored: names resolve against the session's database and schema; a missing object gives 2003/42S02
and a missing column 904; **a quoted name must match in case** (identifiers-syntax page), which DuckDB
ignores; a temporary table may be named by its full name and hides a permanent one of the same schema.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from .derived_types import note_derived
from .errors import SnowflakeError, not_found, unsupported
from .names import ObjectName, qualify
from .texts import note_types

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .catalogue import Catalogue, Table
    from .session import Session


@dataclass(frozen=True)
class Use:
    """A table that a statement names. `target`: it is the one being changed."""

    table: Table
    target: bool


def identifier(node: exp.Expression) -> str:
    """The normalised name of an identifier node."""
    name = str(node.name)
    inner = node.this if isinstance(node, exp.Column) else node
    quoted = isinstance(inner, exp.Identifier) and bool(inner.args.get("quoted"))
    return name if quoted else name.upper()


def table_parts(node: exp.Expression) -> list[str]:
    """The normalised parts of a table reference."""
    return [identifier(part) for part in (node.args.get("catalog"), node.args.get("db"), node.this) if part]


def lookup(name: ObjectName, session: Session, catalogue: Catalogue) -> Table | None:
    """A temporary table of the session, or else what the catalogue has."""
    return session.temporary.get(name) or catalogue.find(name)


def require(name: ObjectName, session: Session, catalogue: Catalogue) -> Table:
    """Like `lookup`.

    Raises:
        SnowflakeError: 2003 naming the missing database, schema or object.
    """
    table = lookup(name, session, catalogue)
    if table is None:
        require_schema(name.database, name.schema, catalogue)
        kind = "Object"
        raise not_found(kind, str(name))
    return table


def require_schema(database: str, schema: str | None, catalogue: Catalogue) -> None:
    """Check that a database, and a schema of it when one is given, exist.

    Raises:
        SnowflakeError: 2003/02000 naming what is missing.
    """
    if database not in catalogue.databases():
        kind = "Database"
        raise not_found(kind, database)
    if schema is not None and not catalogue.has_schema(database, schema):
        kind = "Schema"
        raise not_found(kind, f"{database}.{schema}")


def resolve(tree: exp.Expression, session: Session, catalogue: Catalogue) -> list[Use]:
    """Qualify every table of a statement in place and give the tables.

    Raises:
        SnowflakeError: for a missing object or column, or a name in another case.
    """
    target = _target(tree)
    common = {identifier(cte.args["alias"].this) for cte in tree.find_all(exp.CTE) if cte.args.get("alias")}
    uses, named = [], []
    for node in list(tree.find_all(exp.Table)):
        if not isinstance(node.this, exp.Identifier):
            continue
        parts = table_parts(node)
        if len(parts) == 1 and parts[0] in common:
            continue
        if len(parts) > 1 and parts[-2] == "INFORMATION_SCHEMA":
            _information_schema(node, session)
            continue
        table = require(qualify(parts, session.database, session.schema), session, catalogue)
        named.append((_alias(node), table))
        point_to(node, table)
        uses.append(Use(table, node is target))
    check_columns(tree, [use.table for use in uses])
    derived = list(_derived(tree))
    note_types(tree, [*named, *((name, None) for name in {*common, *derived})])
    note_derived(tree, identifier, _twice([*(name for name, _ in named), *common, *derived]))
    return uses


def point_to(node: exp.Table, table: Table) -> None:
    """Let a table node name the DuckDB table; an unaliased node keeps its name as alias for its columns."""
    catalog, schema, name = (
        ("temp", "main", table.duck)
        if table.temporary
        else (table.name.database, table.name.schema, table.name.name)
    )
    node.set("catalog", exp.to_identifier(catalog, quoted=True))
    node.set("db", exp.to_identifier(schema, quoted=True))
    node.set("this", exp.to_identifier(name, quoted=True))
    if name != table.name.name and not node.alias:
        node.set("alias", exp.TableAlias(this=exp.to_identifier(table.name.name, quoted=True)))


def _target(tree: exp.Expression) -> exp.Expression | None:
    if not isinstance(tree, (exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Copy)):
        return None
    this: exp.Expression = tree.this
    target: exp.Expression = this.this if isinstance(this, exp.Schema) else this
    return target


def _information_schema(node: exp.Table, session: Session) -> None:
    """Fakesnow's views stand in for INFORMATION_SCHEMA; they need the database."""
    database = identifier(node.args["catalog"]) if node.args.get("catalog") else session.database
    if database is None:
        qualify([node.name], None, None)
    name = identifier(node.this)
    views = {name: f"_fs_{name.lower()}" for name in ("COLUMNS", "VIEWS", "SCHEMATA", "LOAD_HISTORY")}
    views["TABLES"] = "_ls_tables"
    node.set("catalog", exp.to_identifier(database, quoted=True))
    node.set("db", exp.to_identifier("_fs_information_schema", quoted=True))
    if name not in views:
        message = f"INFORMATION_SCHEMA.{name}"
        raise unsupported(message)
    node.set("this", exp.to_identifier(views[name], quoted=True))


def _alias(node: exp.Expression) -> str:
    """The name by which columns are told to be of a source."""
    alias = node.args.get("alias")
    return identifier(alias.this) if alias is not None and alias.this is not None else identifier(node.this)


def _derived(tree: exp.Expression) -> Iterable[str]:
    """The aliases of what is no table: subqueries and the like."""
    for alias in tree.find_all(exp.TableAlias):
        if alias.this is not None and not isinstance(alias.parent, exp.Table):
            yield identifier(alias.this)


def _twice(names: list[str]) -> set[str]:
    return {name for name in names if names.count(name) > 1}


def _aliases(tree: exp.Expression) -> Iterable[str]:
    for alias in tree.find_all(exp.Alias):
        yield identifier(alias.args["alias"])
    for table_alias in tree.find_all(exp.TableAlias):
        for column in table_alias.args.get("columns") or []:
            yield identifier(column)


def check_columns(tree: exp.Expression, tables: list[Table]) -> None:
    """Refuse a column whose name exists only in another case.

    Raises:
        SnowflakeError: 904, as for any unknown column.
    """
    exact = {column.name for table in tables for column in table.columns} | set(_aliases(tree))
    folded = {name.casefold() for name in exact}
    for node in tree.find_all(exp.Column):
        if not isinstance(node.this, exp.Identifier):
            continue
        name = identifier(node)
        if name not in exact and name.casefold() in folded:
            raise unknown_column(name)


def unknown_column(name: str) -> SnowflakeError:
    """A column that no table of the statement has."""
    return SnowflakeError(904, "42000", f"SQL compilation error:\ninvalid identifier '{name}'")
