"""What an operator asks of the account: locks, transactions, sessions, users and grants.

Rules restored (show-locks, show-transactions, desc-transaction, show-grants and system-abort pages): one sees
and ends the own user's sessions, an administrator everybody's; none of it needs a warehouse.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any

from fakesnow import statement_type
from sqlglot import exp

from . import access, results, user_commands
from .errors import SnowflakeError, syntax, unsupported
from .names import normalise, split
from .session import canceled

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .engine import Call
    from .results import Result
    from .session import Session
    from .statements import Statement

_NAME = r'((?:"(?:[^"]|"")*"|[\w$.])+)'
_ASKED = re.compile(
    r"(?:SHOW\s+(?P<show>LOCKS|TRANSACTIONS|USERS|ROLES|GRANTS)\b|DESC(?:RIBE)?\s+(?P<describe>USER|TRANSACTION)\s)"
    r"\s*(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)


def handler(statement: Statement) -> Callable[[Call], Result] | None:
    """What runs a statement of this module; None for any other."""
    if statement.kind == "SELECT":
        return _call_function if _function(statement.tree) is not None else None
    match = _ASKED.fullmatch(statement.bare.rstrip(";").rstrip() + " ")
    if match is None:
        return None
    rest = match["rest"].strip()
    if match["describe"]:
        return user_commands.describe_user if match["describe"].upper() == "USER" else _describe(rest)
    shown = _SHOWN[match["show"].upper()]
    return lambda call: shown(call, rest)


def _function(tree: exp.Expression) -> exp.Anonymous | None:
    """The one SYSTEM$ function that a SELECT without FROM calls."""
    if not isinstance(tree, exp.Select) or len(tree.expressions) != 1 or tree.args.get("from_"):
        return None
    called = tree.expressions[0].unalias()
    is_system = isinstance(called, exp.Anonymous) and str(called.this).upper().startswith("SYSTEM$")
    return called if is_system else None


def _call_function(call: Call) -> Result:
    called = _function(call.statement.tree)
    name = str(called.this).upper() if called is not None else ""
    run = _FUNCTIONS.get(name)
    if run is None or called is None:
        raise unsupported(name)
    arguments = called.expressions
    if len(arguments) != 1 or not isinstance(arguments[0], exp.Literal):
        raise syntax(name)
    return results.of_rows({name: "VARCHAR"}, [[run(call, arguments[0].name)]], statement_type.SELECT)


def _reachable(call: Call, found: Session | None, what: str) -> Session:
    """A session that exists and that the caller may end: the own user's; an administrator anybody's."""
    if found is None:
        raise SnowflakeError(1008, "22023", f"{what} does not exist")
    if found.user is not call.session.user:
        access.require_account(call)
    return found


def _abort_transaction(call: Call, text: str) -> str:
    found = next(
        (s for s in call.world.sessions.all() if s.transaction and str(s.transaction.id) == text), None
    )
    session = _reachable(call, found, f"Transaction {text}")
    if session.running and session is not call.session:
        call.world.cancel(session, canceled())
    with session.lock:
        call.world.transactions.rollback(session, "aborted")
    return f"Transaction {text} aborted."


def _cancel_query(call: Call, text: str) -> str:
    found = next((s for s in call.world.sessions.all() if s.query_id == text), None)
    call.world.cancel(_reachable(call, found, f"Query {text}"), canceled())
    return f"query [{text}] terminated."


def _session(call: Call, text: str) -> Session:
    found = next((s for s in call.world.sessions.all() if str(s.id) == text), None)
    return _reachable(call, found, f"Session {text}")


def _cancel_all(call: Call, text: str) -> str:
    session = _session(call, text)
    running = session.running and session is not call.session
    if running:
        call.world.cancel(session, canceled())
    return f"Identified SQL statement count to cancel is {int(running)}."


def _abort_session(call: Call, text: str) -> str:
    session = _session(call, text)
    if session is call.session:
        message = "SYSTEM$ABORT_SESSION of the own session"
        raise unsupported(message)
    if session.running:
        call.world.cancel(session, canceled())
    call.world.close_session(session)
    return f"Session {text} terminated."


_FUNCTIONS: dict[str, Callable[[Call, str], str]] = {
    "SYSTEM$ABORT_TRANSACTION": _abort_transaction,
    "SYSTEM$CANCEL_QUERY": _cancel_query,
    "SYSTEM$CANCEL_ALL_QUERIES": _cancel_all,
    "SYSTEM$ABORT_SESSION": _abort_session,
}


_TIMES = {"transaction_started_on", "acquired_on", "started_on", "ended_on"}


def _time(seconds: float | None) -> dt.datetime | None:
    return None if seconds is None else dt.datetime.fromtimestamp(seconds, dt.UTC)


def _table(columns: str, rows: Sequence[Sequence[Any]], kind: int = statement_type.SHOW) -> Result:
    """A result of texts and times."""
    names = columns.split(",")
    types = {n: "TIMESTAMP WITH TIME ZONE" if n in _TIMES else "VARCHAR" for n in names}
    return results.of_rows(types, rows, kind)


def _in_account(call: Call, rest: str) -> bool:
    if not rest:
        return False
    if rest.upper().split() != ["IN", "ACCOUNT"]:
        raise syntax(rest)
    access.require_account(call)
    return True


def _locks(call: Call, rest: str) -> Result:
    everybody = _in_account(call, rest)
    by_id = {session.id: session for session in call.world.sessions.all()}
    rows: list[list[Any]] = []
    for lock in call.world.locks.listed():
        session = by_id.get(lock["session"])
        if session is None or not (everybody or session.user is call.session.user):
            continue
        transaction = session.transaction
        rows.append(
            [
                lock["table"],
                "PARTITIONS",
                str(transaction.id) if transaction else None,
                _time(transaction.started if transaction else None),
                lock["state"],
                _time(lock.get("since")),
                lock.get("query_id"),
            ]
        )
    return _table("resource,type,transaction,transaction_started_on,status,acquired_on,query_id", rows)


def _transactions(call: Call, rest: str) -> Result:
    everybody = _in_account(call, rest)
    rows: list[list[Any]] = []
    for session in call.world.sessions.all():
        transaction = session.transaction
        if transaction and (everybody or session.user is call.session.user):
            name = str(transaction.id)
            started = _time(transaction.started)
            rows.append([name, session.user.name, str(session.id), name, started, "running", "0"])
    return _table("id,user,session,name,started_on,state,scope", rows)


def _describe(rest: str) -> Callable[[Call], Result]:
    def describe(call: Call) -> Result:
        ended = call.world.transactions.ended.get(rest)
        running = {str(s.transaction.id): s for s in call.world.sessions.all() if s.transaction}
        session = running.get(rest)
        if session is not None and session.transaction is not None:
            _reachable(call, session, rest)
            row: list[Any] = [rest, session.user.name, str(session.id), rest]
            row += [_time(session.transaction.started), "running", None]
        elif ended is not None:
            if ended.user != call.session.user.name:
                access.require_account(call)
            row = [
                rest,
                ended.user,
                str(ended.session),
                rest,
                _time(ended.started),
                ended.state,
                _time(ended.ended),
            ]
        else:
            raise SnowflakeError(1008, "22023", f"Transaction {rest} does not exist")
        return _table("id,user,session,name,started_on,state,ended_on", [row], statement_type.DESCRIBE)

    return describe


def _users(call: Call, rest: str) -> Result:
    if rest:
        message = f"SHOW USERS {rest}"
        raise unsupported(message)
    access.require_account(call)
    rows = [
        [u.name, u.name, u.kind, str(u.disabled).lower(), u.default_role, str(bool(u.keys)).lower()]
        for _, u in sorted(call.world.users.items())
    ]
    return _table("name,login_name,type,disabled,default_role,has_rsa_public_key", rows)


def _roles(call: Call, rest: str) -> Result:
    if rest:
        message = f"SHOW ROLES {rest}"
        raise unsupported(message)
    current = call.session.role
    rows = [[role, "Y" if role == current else "N"] for role in sorted(call.world.grants.roles)]
    return _table("name,is_current", rows)


def _grants(call: Call, rest: str) -> Result:
    to = re.fullmatch(rf"(TO|OF)\s+(ROLE|USER)\s+{_NAME}", rest, re.IGNORECASE)
    on = re.fullmatch(rf"ON\s+(\w+)\s+{_NAME}", rest, re.IGNORECASE)
    if to and to[1].upper() == "TO" and to[2].upper() == "USER":
        user = call.world.users.get(normalise(to[3]))
        held = sorted(user.roles) if user else []
        return _table("role,granted_to,grantee_name", [[role, "USER", normalise(to[3])] for role in held])
    if to and to[1].upper() == "OF" and to[2].upper() == "ROLE":
        return _table("role,granted_to,grantee_name", _members(call, normalise(to[3])))
    if to and to[1].upper() == "TO":
        role = call.world.grants.require_role(normalise(to[3]))
        return _privileges(call, lambda grant: grant.role == role)
    if on:
        kind, name = on[1].upper(), tuple(split(on[2]))
        kind = "TABLE" if kind == "VIEW" else kind
        return _privileges(call, lambda grant: (grant.kind, grant.name) == (kind, name))
    message = f"SHOW GRANTS {rest}"
    raise unsupported(message)


def _members(call: Call, role: str) -> list[list[str]]:
    grants = call.world.grants
    grants.require_role(role)
    rows = [[role, "ROLE", parent] for parent, held in sorted(grants.parents.items()) if role in held]
    return rows + [[role, "USER", name] for name, u in sorted(call.world.users.items()) if role in u.roles]


def _privileges(call: Call, wanted: Callable[[Any], bool]) -> Result:
    rows = sorted(
        [grant.privilege, grant.kind, ".".join(grant.name), "ROLE", grant.role, "false"]
        for grant in call.world.grants.granted
        if wanted(grant) and not grant.future
    )
    return _table("privilege,granted_on,name,granted_to,grantee_name,grant_option", rows)


_SHOWN: dict[str, Callable[[Call, str], Result]] = {
    "LOCKS": _locks,
    "TRANSACTIONS": _transactions,
    "USERS": _users,
    "ROLES": _roles,
    "GRANTS": _grants,
}
