"""USE and ALTER SESSION.

Rules restored: USE of something missing fails (2043/02000) and leaves the session as it was; session
parameters are kept, unknown ones refused; USE ROLE needs a granted role (use-role page).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fakesnow import statement_type
from sqlglot import exp

from . import results
from .errors import SnowflakeError, not_found, unsupported
from .parameters import DEFAULTS, FIXED, check
from .resolve import identifier, require_schema, table_parts

if TYPE_CHECKING:
    from .engine import Call
    from .results import Result
    from .session import Session
    from .world import World


def use(call: Call) -> Result:
    """USE [DATABASE | SCHEMA | ROLE | WAREHOUSE | SECONDARY ROLES] name."""
    tree, world, session = call.statement.tree, call.world, call.session
    said = tree.args.get("kind")
    kind = str(said.name if isinstance(said, exp.Expression) else said or "DATABASE").upper()
    if kind == "SECONDARY ROLES":
        return _use_secondary_roles(tree)
    parts = table_parts(tree.this) if isinstance(tree.this, exp.Table) else [identifier(tree.this)]
    if kind == "DATABASE":
        use_database(world, session, parts[-1])
    elif kind == "SCHEMA":
        use_schema(world, session, parts)
    elif kind == "WAREHOUSE":
        use_warehouse(world, session, parts[-1])
    elif kind == "ROLE":
        use_role(session, parts[-1])
    else:
        message = f"USE {kind}"
        raise unsupported(message)
    return results.status(type_id=statement_type.USE)


def _use_secondary_roles(tree: exp.Expression) -> Result:
    """Secondary roles give no rights here, which is stricter than Snowflake's default ALL.

    Raises:
        SnowflakeError: 0A000 for anything but NONE, since its rights would be missing silently.
    """
    if tree.this.name.upper() != "NONE":
        message = "USE SECONDARY ROLES other than NONE"
        raise unsupported(message)
    return results.status(type_id=statement_type.USE)


def use_database(world: World, session: Session, name: str) -> None:
    """Make a database current, with its PUBLIC schema if it has one.

    Raises:
        SnowflakeError: 2043/02000 when it is missing.
    """
    if name not in world.catalogue.databases() or not _may(world, session, "DATABASE", (name,)):
        raise _missing(name)
    public = world.catalogue.has_schema(name, "PUBLIC") and _may(world, session, "SCHEMA", (name, "PUBLIC"))
    session.use(name, "PUBLIC" if public else None)


def use_schema(world: World, session: Session, parts: list[str]) -> None:
    """Make a schema current.

    Raises:
        SnowflakeError: 2043/02000 when it is missing, 90105 without a database.
    """
    database = parts[0] if len(parts) > 1 else session.database
    if database is None:
        message = "Cannot perform USE SCHEMA. This session does not have a current database."
        raise SnowflakeError(90105, "22000", message)
    there = database in world.catalogue.databases() and world.catalogue.has_schema(database, parts[-1])
    if not there or not _may(world, session, "SCHEMA", (database, parts[-1])):
        raise _missing(".".join([database, parts[-1]]))
    session.use(database, parts[-1])


def use_warehouse(world: World, session: Session, name: str) -> None:
    """Make a warehouse current.

    Raises:
        SnowflakeError: 2043/02000 when it is missing.
    """
    if name not in world.warehouses or not _may(world, session, "WAREHOUSE", (name,)):
        raise _missing(name)
    session.warehouse = name


def _may(world: World, session: Session, kind: str, name: tuple[str, ...]) -> bool:
    """Whether the role has any privilege on an object; without one it looks missing."""
    if name[-1] == "INFORMATION_SCHEMA":
        return _may(world, session, "DATABASE", name[:1])
    return bool(world.grants.privileges(session.role, kind, name))


def use_role(session: Session, name: str) -> None:
    """Take a role that the user was granted.

    Raises:
        SnowflakeError: 3013/42501 when it was not.
    """
    if name not in session.user.roles or session.only_role not in {None, name}:
        message = f"Requested role '{name}' is not assigned to the executing user. "
        message += "Specify another role to activate."
        raise SnowflakeError(3013, "42501", message)
    session.role = name


def _missing(name: str) -> SnowflakeError:
    message = f"SQL compilation error:\nObject does not exist, or operation cannot be performed: {name}"
    return SnowflakeError(2043, "02000", message)


def alter_session(call: Call) -> Result:
    """ALTER SESSION SET name = value, ... and UNSET name, ..."""
    for action in call.statement.tree.args["actions"]:
        for item in action.expressions:
            name = identifier(item.this.this if isinstance(item.this, exp.EQ) else item.this).upper()
            if action.args.get("unset"):
                check(name, FIXED.get(name, ""))
                _unset(call, name)
            else:
                _set(call, name, item.this.expression)
    return results.status(type_id=statement_type.SCL)


def _set(call: Call, name: str, value: exp.Expression) -> None:
    text = value.name if isinstance(value, exp.Literal) else value.sql(dialect="snowflake")
    before = call.session.parameters["AUTOCOMMIT"]
    call.session.parameter(name, text)
    if name == "AUTOCOMMIT" and call.session.parameters["AUTOCOMMIT"] != before:
        call.world.transactions.commit(call.session)


def _unset(call: Call, name: str) -> None:
    if name in DEFAULTS:
        call.session.parameter(name, DEFAULTS[name])
    else:
        call.session.parameters.pop(name, None)


__all__ = ["alter_session", "not_found", "require_schema", "use"]
