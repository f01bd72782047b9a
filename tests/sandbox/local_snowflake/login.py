"""From a login request to a session.

Rules restored: the role must be granted (390189) and be the one that an access token is tied to; what the
connection names and does not exist, or may not be used, is left out, unless the parameter
CLIENT_VALIDATE_DEFAULT_PARAMETERS asks for 390201 (drivers' sources); the login answer has the fields that
connector 5 insists on.
"""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Any

from . import session_commands
from .credentials import authenticate
from .errors import SnowflakeError
from .names import normalise, split
from .sessions import IDLE_LIFE, TOKEN_LIFE
from .translate import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .session import Session
    from .world import World


def login(world: World, asked: Mapping[str, Any], query: Mapping[str, str]) -> Session:
    """Check the credentials and open a session in the place that the connection names.

    Raises:
        SnowflakeError: 390100 and the like, 390189, 390201, 1008.
    """
    proof = hashlib.sha256(str(asked.get("TOKEN") or asked.get("PASSWORD") or "").encode()).hexdigest()
    world.logins.append({"user": str(asked.get("LOGIN_NAME") or "").upper(), "proof": proof})
    user, only_role = authenticate(
        world.users, dict(asked), world.issuers, now=world.clock.now(), real_now=time.time()
    )
    role = normalise(query["roleName"]) if query.get("roleName") else only_role or user.default_role
    if role not in user.roles or only_role not in {None, role}:
        message = (
            f"Role '{role}' specified in the connect string is not granted to this user. Contact your local "
            "system administrator, or attempt to login with another role, e.g. PUBLIC."
        )
        raise SnowflakeError(390189, "08001", message)
    session = world.open_session(user, role)
    session.only_role = only_role
    session.application = str(asked.get("CLIENT_APP_ID") or "")
    try:
        asked_for = asked.get("SESSION_PARAMETERS")
        own = {str(k).upper(): v for k, v in asked_for.items()} if isinstance(asked_for, dict) else {}
        for name, value in {**user.parameters, **own}.items():
            session.parameter(name, value)
        _start_in(world, session, query)
    except SnowflakeError:
        world.close_session(session)
        raise
    return session


def _start_in(world: World, session: Session, query: Mapping[str, str]) -> None:
    user = session.user
    default = split(user.default_namespace) if user.default_namespace else []
    database = normalise(query["databaseName"]) if query.get("databaseName") else (default or [""])[0]
    schema = normalise(query["schemaName"]) if query.get("schemaName") else ""
    if not schema and len(default) > 1 and database == default[0]:
        schema = default[1]
    warehouse = normalise(query["warehouse"]) if query.get("warehouse") else user.default_warehouse
    if database:
        _if_possible(session, "database", lambda: session_commands.use_database(world, session, database))
    if schema and session.database:
        _if_possible(session, "schema", lambda: session_commands.use_schema(world, session, [schema]))
    if warehouse:
        _if_possible(session, "warehouse", lambda: session_commands.use_warehouse(world, session, warehouse))


def _if_possible(session: Session, what: str, use: Callable[[], None]) -> None:
    try:
        use()
    except SnowflakeError:
        if session.parameters["CLIENT_VALIDATE_DEFAULT_PARAMETERS"]:
            message = f"The requested {what} does not exist or not authorized."
            raise SnowflakeError(390201, "08001", message) from None


def answer(session: Session) -> dict[str, Any]:
    """`data` of the login's answer."""
    return {
        "token": session.token,
        "masterToken": session.master_token,
        "validityInSeconds": int(TOKEN_LIFE),
        "masterValidityInSeconds": int(IDLE_LIFE),
        "displayUserName": session.user.name,
        "serverVersion": VERSION,
        "firstLogin": False,
        "sessionId": session.id,
        "parameters": [
            {"name": "AUTOCOMMIT", "value": session.parameters["AUTOCOMMIT"]},
            {"name": "CLIENT_SESSION_KEEP_ALIVE", "value": session.parameters["CLIENT_SESSION_KEEP_ALIVE"]},
            {"name": "CLIENT_SESSION_KEEP_ALIVE_HEARTBEAT_FREQUENCY", "value": 3600},
            {"name": "CLIENT_STAGE_ARRAY_BINDING_THRESHOLD", "value": 0},
        ],
        "sessionInfo": {
            "databaseName": session.database,
            "schemaName": session.schema,
            "warehouseName": session.warehouse,
            "roleName": session.role,
        },
    }
