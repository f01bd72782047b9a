"""SHOW and DESCRIBE.

Rule restored: they read the catalogue without a warehouse, in the columns of the documentation, filtered by
LIKE (which ignores case here, and only here) and by IN DATABASE | SCHEMA | TABLE.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from fakesnow import statement_type
from sqlglot import exp

from . import results
from .catalogue import DEFAULT_VARCHAR
from .errors import SnowflakeError, unsupported
from .names import ObjectName, qualify
from .resolve import identifier, require, require_schema, table_parts

if TYPE_CHECKING:
    from collections.abc import Callable

    from .catalogue import Column, Table, TableMeta
    from .engine import Call
    from .results import Result


def snowflake_type(column: Column, meta: TableMeta) -> str:
    """A column's type as DESCRIBE TABLE prints it."""
    shown = _with_sizes(column, meta)
    return shown.replace("(9)", f"({meta.digits[column.name]})") if column.name in meta.digits else shown


def _with_sizes(column: Column, meta: TableMeta) -> str:
    if column.name in meta.kinds:
        kind = meta.kinds[column.name]
        return f"{kind}(9)" if kind == "TIMESTAMP_LTZ" else kind
    if decimal := re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", column.duck_type):
        return f"NUMBER({decimal[1]},{decimal[2]})"
    return {
        "VARCHAR": f"VARCHAR({meta.lengths.get(column.name, DEFAULT_VARCHAR)})",
        "DOUBLE": "FLOAT",
        "JSON": "VARIANT",
        "BLOB": "BINARY(8388608)",
        "TIMESTAMP": "TIMESTAMP_NTZ(9)",
        "TIMESTAMP WITH TIME ZONE": "TIMESTAMP_TZ(9)",
        "TIME": "TIME(9)",
        "BIGINT": "NUMBER(38,0)",
        "INTEGER": "NUMBER(38,0)",
        "HUGEINT": "NUMBER(38,0)",
    }.get(column.duck_type, column.duck_type)


def _type_json(column: Column, meta: TableMeta) -> str:
    """A column's type as SHOW COLUMNS prints it."""
    shown = snowflake_type(column, meta)
    kind, sizes = shown.split("(")[0], [int(n) for n in re.findall(r"\d+", shown)]
    nullable = {"nullable": column.nullable}
    if kind == "NUMBER":
        return json.dumps({"type": "FIXED", "precision": sizes[0], "scale": sizes[1], **nullable})
    if kind == "VARCHAR":
        size = {"length": sizes[0], "byteLength": min(sizes[0] * 4, 134217728)}
        return json.dumps({"type": "TEXT", **size, **nullable, "fixed": False})
    return json.dumps({"type": "REAL" if kind == "FLOAT" else kind, **nullable})


def _default(column: Column, meta: TableMeta) -> str | None:
    """A column's default; how its rows are numbered for an AUTOINCREMENT column."""
    numbering = meta.identities.get(column.name)
    return f"IDENTITY {numbering}" if numbering else column.default


def describe(call: Call) -> Result:
    """DESCRIBE TABLE | VIEW name."""
    tree = call.statement.tree
    if not isinstance(tree, exp.Describe) or str(tree.args.get("kind") or "").upper() not in {
        "TABLE",
        "VIEW",
    }:
        raise unsupported(call.statement.text)
    node = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    name = qualify(table_parts(node), call.session.database, call.session.schema)
    table = require(name, call.session, call.world.catalogue)
    meta = call.world.catalogue.of(name)
    rows = [
        [
            column.name,
            snowflake_type(column, meta),
            "COLUMN",
            "Y" if column.nullable else "N",
            _default(column, meta),
            "Y" if column.name in meta.primary_key else "N",
            "Y" if [column.name] in meta.unique else "N",
            None,
            None,
            column.comment,
            None,
        ]
        for column in table.columns
    ]
    names = [
        "name",
        "type",
        "kind",
        "null?",
        "default",
        "primary key",
        "unique key",
        "check",
        "expression",
        "comment",
        "policy name",
    ]
    return results.of_rows(dict.fromkeys(names, "VARCHAR"), rows, statement_type.DESCRIBE)


def show(call: Call) -> Result:
    """SHOW TABLES | VIEWS | COLUMNS | SCHEMAS | DATABASES | STAGES | PRIMARY KEYS | WAREHOUSES | ..."""
    kind, like, scope = _asked(call)
    handler = _SHOWN.get(kind)
    if handler is None:
        message = f"SHOW {kind}"
        raise unsupported(message)
    columns, rows = handler(call, scope)
    names = columns.split(",")
    subject = next((name for name in ("name", "column_name", "key") if name in names), None)
    if like is not None and subject is not None and kind != "PRIMARY KEYS":
        pattern = _like(like)
        rows = [row for row in rows if pattern.fullmatch(str(row[names.index(subject)]))]
    return results.of_rows(dict.fromkeys(names, "VARCHAR"), rows, statement_type.SHOW)


def _like(pattern: str) -> re.Pattern[str]:
    """A LIKE pattern; a backslash escapes."""
    parts = re.findall(r"\\.|%|_|[^\\%_]+", pattern, re.DOTALL)
    text = "".join({"%": ".*", "_": "."}.get(p) or re.escape(p.removeprefix("\\")) for p in parts)
    return re.compile(text, re.IGNORECASE | re.DOTALL)


_Scope = tuple[str | None, str | None, str | None]


def _asked(call: Call) -> tuple[str, str | None, _Scope]:
    """Kind, LIKE pattern and scope (database, schema, table) of a SHOW."""
    tree = call.statement.tree
    if not isinstance(tree, exp.Show):
        words = call.statement.text.split()
        return " ".join(words[1:2]).upper(), _text_like(call.statement.text), (None, None, None)
    like = tree.args.get("like")
    return str(tree.name).upper(), like.name if like is not None else None, _scope(call, tree)


def _text_like(text: str) -> str | None:
    match = re.search(r"\bLIKE\s+'((?:[^']|'')*)'", text, re.IGNORECASE)
    return match[1].replace("''", "'") if match else None


def _scope(call: Call, tree: exp.Expression) -> _Scope:
    kind, node = tree.args.get("scope_kind"), tree.args.get("scope")
    if kind == "ACCOUNT":
        return None, None, None
    if node is None:
        return call.session.database, call.session.schema, None
    parts = table_parts(node) if isinstance(node, exp.Table) else [identifier(node)]
    catalogue = call.world.catalogue
    if kind == "DATABASE":
        require_schema(parts[-1], None, catalogue)
        return parts[-1], None, None
    if kind in {"TABLE", "VIEW"}:
        return require(
            qualify(parts, call.session.database, call.session.schema), call.session, catalogue
        ).name
    full = qualify([*parts, "x"], call.session.database, None)
    require_schema(full.database, full.schema, catalogue)
    return full.database, full.schema, None


def _matches(name: ObjectName, scope: _Scope) -> bool:
    return all(wanted in {None, part} for wanted, part in zip(scope, name, strict=True))


def _found(call: Call, scope: _Scope, kind: str | None = None) -> list[Table]:
    every = {**call.world.catalogue.tables(), **call.session.temporary}
    return [t for name, t in sorted(every.items()) if _matches(name, scope) and kind in {None, t.kind}]


def _tables(call: Call, scope: _Scope) -> tuple[str, list[list[object]]]:
    rows: list[list[object]] = []
    for table in _found(call, scope, "TABLE"):
        meta = call.world.catalogue.of(table.name)
        sort = "TEMPORARY" if table.temporary else "TRANSIENT" if meta.transient else "TABLE"
        rows.append(
            [
                "",
                table.name.name,
                table.name.database,
                table.name.schema,
                sort,
                meta.comment,
                meta.cluster_by,
                meta.owner,
                str(meta.retention_days),
            ]
        )
    return "created_on,name,database_name,schema_name,kind,comment,cluster_by,owner,retention_time", rows


def _views(call: Call, scope: _Scope) -> tuple[str, list[list[object]]]:
    rows: list[list[object]] = [
        ["", t.name.name, t.name.database, t.name.schema, call.world.catalogue.of(t.name).owner]
        for t in _found(call, scope, "VIEW")
    ]
    return "created_on,name,database_name,schema_name,owner", rows


def _columns(call: Call, scope: _Scope) -> tuple[str, list[list[object]]]:
    rows: list[list[object]] = []
    for table in _found(call, scope):
        meta = call.world.catalogue.of(table.name)
        for column in table.columns:
            nullable = "true" if column.nullable else "false"
            rows.append(
                [
                    table.name.name,
                    table.name.schema,
                    column.name,
                    _type_json(column, meta),
                    nullable,
                    "" if column.name in meta.identities else column.default or "",
                    "COLUMN",
                    "",
                    column.comment or "",
                    table.name.database,
                    meta.identities.get(column.name, ""),
                ]
            )
    names = "table_name,schema_name,column_name,data_type,null?,default,kind,expression,comment,"
    names += "database_name,autoincrement"
    return names, rows


def _schemas(call: Call, scope: _Scope) -> tuple[str, list[list[object]]]:
    grants, role = call.world.grants, call.session.role
    found = sorted(
        place for place in call.world.catalogue.schemas(scope[0]) if grants.privileges(role, "SCHEMA", place)
    )
    return "created_on,name,database_name,owner", [["", schema, db, "ACCOUNTADMIN"] for db, schema in found]


def _databases(call: Call, _scope: _Scope) -> tuple[str, list[list[object]]]:
    return "created_on,name,owner", [
        ["", db, "ACCOUNTADMIN"] for db in sorted(call.world.catalogue.databases())
    ]


def _stages(call: Call, scope: _Scope) -> tuple[str, list[list[object]]]:
    found = [s for s in call.world.stages.names() if _matches(s, scope)]
    return "created_on,name,database_name,schema_name,type", [
        ["", s.name, s[0], s[1], "INTERNAL"] for s in found
    ]


def _primary_keys(call: Call, scope: _Scope) -> tuple[str, list[list[object]]]:
    rows: list[list[object]] = []
    for table in _found(call, scope, "TABLE"):
        keys = call.world.catalogue.of(table.name).primary_key
        rows += [
            [
                "",
                table.name[0],
                table.name[1],
                table.name[2],
                key,
                str(position),
                f"SYS_CONSTRAINT_{table.name[2]}",
            ]
            for position, key in enumerate(keys, 1)
        ]
    return "created_on,database_name,schema_name,table_name,column_name,key_sequence,constraint_name", rows


def _warehouses(call: Call, _scope: _Scope) -> tuple[str, list[list[object]]]:
    return "name,state,type,size", [
        [w, "STARTED", "STANDARD", "X-Small"] for w in sorted(call.world.warehouses)
    ]


def _parameters(call: Call, _scope: _Scope) -> tuple[str, list[list[object]]]:
    rows: list[list[object]] = [[n, str(v).lower() if isinstance(v, bool) else str(v), "", "SESSION"]
                                for n, v in sorted(call.session.parameters.items())]  # fmt: skip
    return "key,value,default,level", rows


_SHOWN: dict[str, Callable[[Call, _Scope], tuple[str, list[list[object]]]]] = {
    "TABLES": _tables,
    "VIEWS": _views,
    "COLUMNS": _columns,
    "SCHEMAS": _schemas,
    "DATABASES": _databases,
    "STAGES": _stages,
    "PRIMARY KEYS": _primary_keys,
    "WAREHOUSES": _warehouses,
    "PARAMETERS": _parameters,
}

__all__ = ["SnowflakeError", "describe", "show"]
