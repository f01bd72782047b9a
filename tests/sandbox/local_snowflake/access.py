"""Whether a role may run a statement.

Rules restored (access-control-privileges page): using a table needs USAGE on its database and schema and
the privilege itself; with no privilege at all an object looks missing (2003), with another one it is
3001/42501; DROP and ALTER need ownership; a temporary table is its session's own; what needs a warehouse
needs a current one (606/57P03).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import SnowflakeError, not_found
from .users import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .catalogue import Table
    from .engine import Call
    from .names import ObjectName
    from .resolve import Use

_TARGETS = {"INSERT": {"INSERT"}, "UPDATE": {"UPDATE"}, "DELETE": {"DELETE"}, "TRUNCATE": {"TRUNCATE"}}


def check(call: Call, uses: Iterable[Use], target: set[str] | None = None) -> None:
    """Check every table of a statement; `target`: privileges on the changed one, else by statement kind.

    Raises:
        SnowflakeError: 2003 or 3001.
    """
    wanted = target if target is not None else _TARGETS.get(call.statement.kind, {"SELECT"})
    for use in uses:
        require(call, use.table, wanted if use.target or call.statement.kind == "TRUNCATE" else {"SELECT"})


def require(call: Call, table: Table, wanted: set[str]) -> None:
    """Check the privileges on one table.

    Raises:
        SnowflakeError: 2003 or 3001.
    """
    if table.temporary:
        return
    _in_schema(call, table.name)
    _object(call, "TABLE", table.name, wanted)


def require_stage(call: Call, stage: ObjectName, privilege: str) -> None:
    """Check READ or WRITE on a named stage; everybody has their own user stage.

    Raises:
        SnowflakeError: 2003 or 3001.
    """
    if stage.name == "~" or stage.name.startswith("%"):
        return
    _in_schema(call, stage)
    _object(call, "STAGE", stage, {privilege})


def require_on_schema(call: Call, database: str, schema: str, privilege: str) -> None:
    """Check a privilege such as CREATE TABLE on a schema.

    Raises:
        SnowflakeError: 2003 or 3001.
    """
    require_on_database(call, database, "USAGE")
    _object(call, "SCHEMA", (database, schema), {privilege})


def require_on_database(call: Call, database: str, privilege: str) -> None:
    """Check a privilege such as CREATE SCHEMA on a database.

    Raises:
        SnowflakeError: 2003 or 3001.
    """
    _object(call, "DATABASE", (database,), {privilege})


def require_ownership(call: Call, kind: str, name: tuple[str, ...]) -> None:
    """Check that the role owns an object.

    Raises:
        SnowflakeError: 2003 or 3001.
    """
    _object(call, kind, name, {"OWNERSHIP"})


def require_account(call: Call) -> None:
    """Check that the role administers the account.

    Raises:
        SnowflakeError: 3001.
    """
    if not call.world.grants.effective(call.session.role) & call.world.grants.open_roles:
        kind = "account"
        raise _insufficient(kind, ACCOUNT)


def require_warehouse(call: Call) -> None:
    """Check that the session has a warehouse which its role may use.

    Raises:
        SnowflakeError: 606 without one, 3001 without USAGE.
    """
    if call.session.warehouse is None:
        message = (
            "No active warehouse selected in the current session.  Select an active warehouse with the "
            "'use warehouse' command."
        )
        raise SnowflakeError(606, "57P03", message)
    _object(call, "WAREHOUSE", (call.session.warehouse,), {"USAGE"})


def _in_schema(call: Call, name: ObjectName) -> None:
    _object(call, "DATABASE", (name.database,), {"USAGE"})
    _object(call, "SCHEMA", (name.database, name.schema), {"USAGE"})


def _object(call: Call, kind: str, name: tuple[str, ...], wanted: set[str]) -> None:
    held = call.world.grants.privileges(call.session.role, kind, name)
    if "OWNERSHIP" in held or wanted <= held:
        return
    if not held:
        raise not_found("Object" if kind == "TABLE" else kind.capitalize(), ".".join(name))
    raise _insufficient(kind.lower(), name[-1])


def _insufficient(kind: str, name: str) -> SnowflakeError:
    message = f"SQL access control error:\nInsufficient privileges to operate on {kind} '{name}'"
    return SnowflakeError(3001, "42501", message)
