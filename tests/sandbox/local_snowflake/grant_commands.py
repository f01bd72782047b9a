"""CREATE ROLE, GRANT and REVOKE."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from . import access, results
from .errors import SnowflakeError, already_exists, not_found, unsupported
from .grants import Grant, RoleGrant, parse
from .names import ObjectName, qualify, split
from .resolve import require, require_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .engine import Call
    from .results import Result

_CREATE = re.compile(
    r'CREATE\s+(?P<replace>OR\s+REPLACE\s+)?(?:ROLE|WAREHOUSE)\s+(?P<exists>IF\s+NOT\s+EXISTS\s+)?(?P<name>"[^"]+"|[\w$]+)',
    re.IGNORECASE,
)


def _new(call: Call, there: set[str]) -> tuple[str, bool]:
    """The name of what CREATE makes, and whether it is new.

    Raises:
        SnowflakeError: 2002 when it is there and nothing said what to do.
    """
    access.require_account(call)
    match = _CREATE.match(call.statement.bare)
    if match is None:
        raise unsupported(call.statement.bare)
    name = split(match["name"])[0]
    if name in there and not (match["exists"] or match["replace"]):
        raise already_exists(name)
    return name, name not in there


def create_role(call: Call) -> Result:
    """CREATE ROLE."""
    name, new = _new(call, call.world.grants.roles)
    call.world.grants.roles.add(name)
    call.world.grants.save()
    return results.status(
        f"Role {name} successfully created." if new else f"{name} already exists, statement succeeded."
    )


def create_warehouse(call: Call) -> Result:
    """CREATE WAREHOUSE; its size and the like mean nothing here."""
    name, new = _new(call, call.world.warehouses)
    if new:
        call.world.add_warehouse(name)
        call.world.grants.created(call.session.role, "WAREHOUSE", (name,))
    text = (
        f"Warehouse {name} successfully created." if new else f"{name} already exists, statement succeeded."
    )
    return results.status(text)


def grant(call: Call) -> Result:
    """GRANT and REVOKE of roles and of privileges."""
    verb, wanted, many = parse(call.statement.bare)
    for entry in wanted:
        if isinstance(entry, RoleGrant):
            access.require_account(call)
            _role(call, verb, entry)
        else:
            _privilege(call, verb, entry, many)
    call.world.grants.save()
    return results.status()


def _check_granter(call: Call, kind: str, name: tuple[str, ...], *, future: bool) -> None:
    """Only the owner of an object, or who administers the account, grants privileges on it.

    Raises:
        SnowflakeError: 2003 or 3001.
    """
    if future:
        access.require_account(call)
    elif "OWNERSHIP" not in call.world.grants.privileges(call.session.role, kind, name):
        access.require_ownership(call, kind, name)


def _role(call: Call, verb: str, entry: RoleGrant) -> None:
    grants = call.world.grants
    grants.require_role(entry.role)
    if entry.kind == "USER":
        user = call.world.users.get(entry.to)
        if user is None:
            kind = "User"
            raise not_found(kind, entry.to)
        held = user.roles
    else:
        held = grants.parents.setdefault(grants.require_role(entry.to), set())
    if verb == "GRANT":
        held.add(entry.role)
    else:
        held.discard(entry.role)
    call.world.users.save()


def _privilege(call: Call, verb: str, entry: Grant, many: str | None) -> None:
    grants = call.world.grants
    grants.require_role(entry.role)
    for name in _names(call, entry, many):
        _check_granter(call, entry.kind, name, future=entry.future)
        exact = replace(entry, name=name)
        if verb == "REVOKE":
            grants.granted.discard(exact)
            continue
        if entry.privilege == "OWNERSHIP" and not entry.future:
            grants.granted -= _given_up(call, entry, name)
        grants.granted.add(exact)


def _given_up(call: Call, entry: Grant, name: tuple[str, ...]) -> set[Grant]:
    """What is revoked when an object gets a new owner (grant-ownership page).

    Raises:
        SnowflakeError: 3036 when others have privileges and the statement does not say what becomes of them.
    """
    on = {g for g in call.world.grants.granted if (g.kind, g.name) == (entry.kind, name) and not g.future}
    owners = {g for g in on if g.privilege == "OWNERSHIP"}
    words = " ".join(call.statement.bare.upper().rstrip("; ").split())
    if words.endswith("REVOKE CURRENT GRANTS"):
        return on
    if on - owners and not words.endswith("COPY CURRENT GRANTS"):
        message = (
            "SQL execution error:\nDependent grant of privilege exists, it must be revoked first.  More than "
            "one dependent grant may exist: use 'SHOW GRANTS' command to view them.  To revoke all dependent "
            "grants while transferring object ownership, use convenience command 'GRANT OWNERSHIP ON "
            "<target_objects> TO <target_role> REVOKE CURRENT GRANTS'."
        )
        raise SnowflakeError(3036, "23001", message)
    return owners


def _names(call: Call, entry: Grant, many: str | None) -> Iterable[tuple[str, ...]]:
    """The objects that a grant means, checked to exist."""
    if many == "FUTURE":
        return [_scope(call, entry.name)]
    if many == "ALL":
        scope = _scope(call, entry.name)
        every: Iterable[ObjectName] = (
            call.world.stages.names() if entry.kind == "STAGE" else call.world.catalogue.tables()
        )
        return [name for name in every if name[: len(scope)] == scope]
    return [_one(call, entry.kind, entry.name)]


def _scope(call: Call, name: tuple[str, ...]) -> tuple[str, ...]:
    require_schema(name[0], name[1] if len(name) > 1 else None, call.world.catalogue)
    return name


def _one(call: Call, kind: str, name: tuple[str, ...]) -> tuple[str, ...]:
    session, catalogue = call.session, call.world.catalogue
    if kind == "WAREHOUSE":
        if name[0] not in call.world.warehouses:
            missing = "Warehouse"
            raise not_found(missing, name[0])
        return name
    if kind == "DATABASE":
        return _scope(call, name)
    if kind == "SCHEMA":
        return _scope(call, tuple(qualify([*name, "x"], session.database, None)[:2]))
    full = qualify(list(name), session.database, session.schema)
    if kind == "STAGE":
        call.world.stages.require(full)
        return full
    if kind == "TABLE":
        return require(full, session, catalogue).name
    message = f"GRANT ON {kind}"
    raise unsupported(message)


HANDLERS: dict[str, Callable[[Call], Result]] = {
    "CREATE ROLE": create_role,
    "CREATE WAREHOUSE": create_warehouse,
    "GRANT": grant,
    "REVOKE": grant,
}
