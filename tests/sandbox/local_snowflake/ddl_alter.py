"""ALTER TABLE.

Rules restored (alter-table-column page): a text may only get longer, a number only more digits before an
unchanged scale, everything else is 2108, 40050 or 40052; a column that is there already is 1430; names that
differ only in case are refused, and so are fewer digits, which the real one allows where the values fit.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from . import access, results
from .catalogue import DEFAULT_VARCHAR, Column, Table, TableMeta
from .column_types import text_length
from .ddl_tables import (
    definition,
    object_name,
    refuse_twins,
    table_constraint,
    take_apart,
    temporary_table,
    where,
)
from .errors import SnowflakeError, already_exists, unsupported
from .names import ObjectName, literal, quote
from .resolve import identifier, lookup, require, unknown_column
from .translate import duck_type, translate

if TYPE_CHECKING:
    from collections.abc import Callable

    from .engine import Call
    from .results import Result


def alter_table(call: Call) -> Result:
    """ALTER TABLE with one kind of action."""
    tree = call.statement.tree
    name = object_name(call, tree.this)
    table = lookup(name, call.session, call.world.catalogue)
    if table is None:
        if tree.args.get("exists"):
            return results.status()
        table = require(name, call.session, call.world.catalogue)
    access.require(call, table, {"OWNERSHIP"})
    meta = call.world.catalogue.of(name)
    for action in tree.args["actions"]:
        handler = _ACTIONS.get(type(action))
        if handler is None:
            message = f"ALTER TABLE {action.sql(dialect='snowflake')}"
            raise unsupported(message)
        handler(call, action, table, meta)
    call.world.catalogue.changed()
    if table.temporary:
        call.session.temporary[name] = temporary_table(call, name, table.duck)
    return results.status()


def _add_column(call: Call, action: exp.Expression, table: Table, meta: TableMeta) -> None:
    name = identifier(action.this)
    if table.column(name) is not None:
        if action.args.get("exists"):
            return
        message = f"SQL compilation error:\ncolumn '{name}' already exists"
        raise SnowflakeError(1430, "42601", message)
    refuse_twins([*(column.name for column in table.columns), name])
    if not isinstance(action, exp.ColumnDef):
        raise unsupported(action.sql(dialect="snowflake"))
    about = action.find(exp.CommentColumnConstraint)
    take_apart(action, meta)
    if meta.identities.pop(name, None):
        message = f"ADD COLUMN {name} with AUTOINCREMENT"
        raise unsupported(message)
    body = exp.Create(this=exp.Schema(this=exp.to_table("x"), expressions=[action.copy()]), kind="TABLE")
    translated = translate(body, call.session, call.now).this.expressions[0]
    text = definition(translated, not_null=False)
    empty = call.session.duck.execute(f"SELECT count(*) FROM {where(table)}").fetchone() == (0,)
    if text.endswith(" NOT NULL") and not empty and " DEFAULT " not in text:
        message = f"Non-nullable column '{name}' cannot be added to non-empty table '{table.name.name}'"
        message = f"SQL compilation error:\n{message}"
        raise SnowflakeError(1465, "42601", message)
    bare, not_null = text.removesuffix(" NOT NULL"), text.endswith(" NOT NULL")
    call.session.duck.execute(f"ALTER TABLE {where(table)} ADD COLUMN {bare}")
    if not_null:
        call.session.duck.execute(f"ALTER TABLE {where(table)} ALTER COLUMN {quote(name)} SET NOT NULL")
    if about is not None:
        _set_comment(call, table, name, about.this.name)


def _set_comment(call: Call, table: Table, name: str, text: str) -> None:
    call.session.duck.execute(f"COMMENT ON COLUMN {where(table)}.{quote(name)} IS {literal(text)}")


def _drop_column(call: Call, action: exp.Expression, table: Table, meta: TableMeta) -> None:
    for node in action.args["tables"]:
        name = identifier(node)
        if table.column(name) is not None:
            call.session.duck.execute(f"ALTER TABLE {where(table)} DROP COLUMN {quote(name)}")
            meta.lengths.pop(name, None)
            meta.identities.pop(name, None)
            meta.kinds.pop(name, None)
            meta.digits.pop(name, None)
        elif not action.args.get("exists"):
            raise unknown_column(name)


def _alter_column(call: Call, action: exp.Expression, table: Table, meta: TableMeta) -> None:
    name = identifier(action.this)
    column = table.column(name)
    if column is None:
        raise unknown_column(name)
    start = f"ALTER TABLE {where(table)} ALTER COLUMN {quote(name)}"
    if action.args.get("dtype") is not None:
        _change_type(call, action.args["dtype"], column, table, meta)
    elif action.args.get("allow_null") is not None or action.args.get("drop"):
        word = "DROP NOT NULL" if action.args.get("drop") or action.args.get("allow_null") else "SET NOT NULL"
        call.session.duck.execute(f"{start} {word}")
    elif action.args.get("comment") is not None:
        _set_comment(call, table, name, action.args["comment"].name)
    else:
        message = f"ALTER COLUMN {action.sql(dialect='snowflake')}"
        raise unsupported(message)


def _change_type(call: Call, kind: exp.DataType, column: Column, table: Table, meta: TableMeta) -> None:
    new = duck_type(kind)
    length = text_length(kind) or DEFAULT_VARCHAR
    old_length = meta.lengths.get(column.name, DEFAULT_VARCHAR)
    if _fewer_digits(column.duck_type, new):
        message = f"fewer digits for column {column.name}, which is allowed where all its values fit"
        raise unsupported(message)
    if not _grows(column.duck_type, new, old_length, length):
        number, why = _refusal(column.duck_type, new)
        change = f"from type {column.duck_type} to {new}{why}"
        message = f"SQL compilation error: cannot change column {column.name} {change}"
        raise SnowflakeError(number, "22000", message)
    if new == "VARCHAR" == column.duck_type:
        meta.lengths[column.name] = length
        return
    if new.replace(" ", "") != column.duck_type:
        call.session.duck.execute(f"ALTER TABLE {where(table)} ALTER COLUMN {quote(column.name)} TYPE {new}")


def _fewer_digits(old: str, new: str) -> bool:
    """Whether a NUMBER keeps its scale and loses digits: allowed if every value fits (alter-table-column)."""
    digits = [re.fullmatch(r"DECIMAL\((\d+),\s*(\d+)\)", kind) for kind in (old, new)]
    return bool(
        digits[0] and digits[1] and digits[0][2] == digits[1][2] and int(digits[1][1]) < int(digits[0][1])
    )


def _refusal(old: str, new: str) -> tuple[int, str]:
    """Number and reason, as public programs show them [C]."""
    if old == new == "VARCHAR":
        return 40050, " because reducing the byte-length of a varchar is not supported."
    if old.startswith("DECIMAL") and new.startswith("DECIMAL"):
        return 40052, " because changing the scale of a number is not supported."
    return 2108, ""


def _grows(old: str, new: str, old_length: int, length: int) -> bool:
    """Whether Snowflake allows the change: a longer text, or more digits before an unchanged scale."""
    if old == new == "VARCHAR":
        return length >= old_length
    digits = [re.fullmatch(r"DECIMAL\((\d+),\s*(\d+)\)", kind) for kind in (old, new)]
    if digits[0] and digits[1]:
        return digits[0][2] == digits[1][2] and int(digits[1][1]) >= int(digits[0][1])
    return old == new


def _rename_column(call: Call, action: exp.Expression, table: Table, meta: TableMeta) -> None:
    old, new = identifier(action.this), identifier(action.args["to"])
    if table.column(old) is None:
        raise unknown_column(old)
    refuse_twins([*(c.name for c in table.columns if c.name != old), new])
    call.session.duck.execute(f"ALTER TABLE {where(table)} RENAME COLUMN {quote(old)} TO {quote(new)}")
    for noted in (meta.lengths, meta.kinds, meta.digits, meta.identities, meta.sequences):
        _move(noted, old, new)


def _move(known: dict[str, Any], old: str, new: str) -> None:
    if old in known:
        known[new] = known.pop(old)


def _rename_table(call: Call, action: exp.Expression, table: Table, meta: TableMeta) -> None:
    new = object_name(call, action.this)
    if new[:2] != table.name[:2] or table.temporary:
        message = "RENAME TO another schema, or of a temporary table"
        raise unsupported(message)
    access.require_on_schema(call, new.database, new.schema, "CREATE TABLE")
    if lookup(new, call.session, call.world.catalogue) is not None:
        raise already_exists(new.name)
    call.session.duck.execute(f"ALTER TABLE {table.duck} RENAME TO {quote(new.name)}")
    call.world.catalogue.meta[new] = meta
    call.world.grants.renamed("TABLE", table.name, new)


def _swap(call: Call, action: exp.Expression, table: Table, meta: TableMeta) -> None:
    other = require(object_name(call, action.this), call.session, call.world.catalogue)
    access.require(call, other, {"OWNERSHIP"})
    if other.name[:2] != table.name[:2] or table.temporary or other.temporary:
        message = "SWAP WITH across schemas or of temporary tables"
        raise unsupported(message)
    duck = call.session.duck
    duck.execute("BEGIN TRANSACTION")
    duck.execute(f"ALTER TABLE {table.duck} RENAME TO _ls_swap")
    duck.execute(f"ALTER TABLE {other.duck} RENAME TO {quote(table.name.name)}")
    duck.execute(
        f"ALTER TABLE {ObjectName(*table.name[:2], '_ls_swap').duck} RENAME TO {quote(other.name.name)}"
    )
    duck.execute("COMMIT")
    metas = call.world.catalogue.meta
    metas[table.name], metas[other.name] = call.world.catalogue.of(other.name), meta
    call.world.grants.swapped("TABLE", table.name, other.name)


def _add_constraint(_call: Call, action: exp.Expression, _table: Table, meta: TableMeta) -> None:
    for part in action.expressions:
        table_constraint(part, meta)


def _drop_key(_call: Call, action: exp.Expression, _table: Table, meta: TableMeta) -> None:
    """DROP PRIMARY KEY; its columns stay NOT NULL. [?] the page says nothing about them."""
    text = f"{action.this} {action.args.get('expression')}".upper().split()
    if text != ["DROP", "PRIMARY", "KEY"]:
        message = f"ALTER TABLE {' '.join(text)}"
        raise unsupported(message)
    meta.primary_key = []


def _cluster(_call: Call, action: exp.Expression, _table: Table, meta: TableMeta) -> None:
    meta.cluster_by = action.sql(dialect="snowflake")


_ACTIONS: dict[type[exp.Expression], Callable[[Call, exp.Expression, Table, TableMeta], None]] = {
    exp.ColumnDef: _add_column,
    exp.Drop: _drop_column,
    exp.AlterColumn: _alter_column,
    exp.RenameColumn: _rename_column,
    exp.AlterRename: _rename_table,
    exp.SwapTable: _swap,
    exp.AddConstraint: _add_constraint,
    exp.Cluster: _cluster,
    exp.Command: _drop_key,
}
