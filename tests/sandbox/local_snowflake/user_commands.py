"""CREATE, ALTER, DROP and DESCRIBE USER.

Rules restored (create-user, alter-user and alter-user-add-programmatic-access-token pages): keys are set and
unset one by one, so that a new one can be tried before the old one goes; a service user cannot have a
password, and only one may have a workload identity; MINS_TO_UNLOCK = 0 ends a lock-out. Each property that is
not known here is refused.
"""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING

from fakesnow import statement_type

from . import access, results, workload_identity
from .errors import SnowflakeError, already_exists, not_found, syntax, unsupported
from .names import normalise
from .parameters import invalid, known, typed
from .users import AccessToken, User, described, public_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from .engine import Call
    from .results import Result

DAY = 86400.0
DEFAULT_TOKEN_DAYS, MAX_TOKEN_DAYS = 15, 365
_NAME = r'"(?:[^"]|"")+"|[A-Za-z_][\w$]*'
_HEAD = re.compile(
    rf"(?P<verb>CREATE|ALTER|DROP|DESC|DESCRIBE)\s+USER\s+(?P<if>IF\s+(?:NOT\s+)?EXISTS\s+)?(?P<name>{_NAME})\s*",
    re.IGNORECASE,
)
_TEXT = r"'(?:[^']|'')*'"
_LIST = rf"\((?:{_TEXT}|[^()'])*\)"
_GROUP = rf"\((?:{_TEXT}|{_LIST}|[^()'])*\)"
_PROPERTY = re.compile(rf"(\w+)\s*=\s*({_TEXT}|{_NAME}|-?\d+|{_GROUP})\s*,?\s*", re.IGNORECASE)
_TOKEN = re.compile(
    rf"(?P<verb>ADD|REMOVE)\s+(?:PROGRAMMATIC\s+ACCESS\s+TOKEN|PAT)\s+(?P<if>IF\s+NOT\s+EXISTS\s+)?(?P<name>{_NAME})\s*",
    re.IGNORECASE,
)
KINDS = {"PERSON", "SERVICE", "LEGACY_SERVICE"}


def _head(call: Call) -> tuple[re.Match[str], str, str]:
    """The first words, the user's name, and the rest of the statement."""
    text = call.statement.bare.rstrip().removesuffix(";").rstrip()
    match = _HEAD.match(text)
    if match is None:
        raise syntax(text)
    return match, normalise(match["name"]), text[match.end() :]


def _properties(rest: str) -> list[tuple[str, str]]:
    """`NAME = value` pairs; texts without their quotes.

    Raises:
        SnowflakeError: 1003 when anything else is there.
    """
    found, position = [], 0
    while position < len(rest):
        match = _PROPERTY.match(rest, position)
        if match is None:
            raise syntax(rest[position:])
        value = match[2]
        if value.startswith("'"):
            value = value[1:-1].replace("''", "'")
        elif not value.startswith("("):
            value = normalise(value)
        found.append((match[1].upper(), value))
        position = match.end()
    return found


def create_user(call: Call) -> Result:
    """CREATE USER [IF NOT EXISTS] name properties."""
    match, name, rest = _head(call)
    access.require_account(call)
    users = call.world.users
    if name in users:
        if match["if"]:
            return results.status(f"{name} already exists, statement succeeded.")
        raise already_exists(name)
    user = User(name, "PUBLIC", {"PUBLIC"})
    _set(call, user, _properties(rest))
    users[name] = user
    users.save()
    return results.status(f"User {name} successfully created.")


def alter_user(call: Call) -> Result:
    """ALTER USER name SET | UNSET properties, and ADD | REMOVE of access tokens."""
    match, name, rest = _head(call)
    user = call.world.users.get(name)
    access.require_account(call)
    if user is None:
        if match["if"]:
            return results.status()
        raise _missing(name)
    result = results.status()
    if token := _TOKEN.match(rest):
        result = _token(call, user, token, rest[token.end() :])
    elif re.match(r"SET\s", rest, re.IGNORECASE):
        _set(call, user, _properties(rest[4:].strip()))
    elif re.match(r"UNSET\s", rest, re.IGNORECASE):
        _unset(user, [word.strip().upper() for word in rest[6:].split(",")])
    else:
        message = f"ALTER USER {rest.split(' ', 1)[0]}"
        raise unsupported(message)
    call.world.users.save()
    return result


def drop_user(call: Call) -> Result:
    """DROP USER [IF EXISTS] name; sessions of the user stay until they end."""
    match, name, rest = _head(call)
    access.require_account(call)
    if rest:
        raise syntax(rest)
    if name not in call.world.users:
        if match["if"]:
            return results.status(f"Drop statement executed successfully ({name} already dropped).")
        raise _missing(name)
    del call.world.users[name]
    call.world.users.save()
    return results.status(f"{name} successfully dropped.")


def describe_user(call: Call) -> Result:
    """DESCRIBE USER name; only administrators and the user see it."""
    _, name, rest = _head(call)
    user = call.world.users.get(name)
    if user is None or rest:
        raise _missing(name)
    if user is not call.session.user:
        access.require_account(call)
    rows = [[key, None if value is None else str(value), None, None] for key, value in described(user)]
    names = ("property", "value", "default", "description")
    return results.of_rows(dict.fromkeys(names, "VARCHAR"), rows, statement_type.DESCRIBE)


def _missing(name: str) -> SnowflakeError:
    kind = "User"
    return not_found(kind, name)


def _set(call: Call, user: User, properties: list[tuple[str, str]]) -> None:
    for name, value in properties:
        setter = _SETTERS.get(name, _parameter if known(name) else None)
        if setter is None:
            message = f"the user property {name}"
            raise unsupported(message)
        setter(call, user, name, value)
    if user.kind == "SERVICE" and user.password is not None:
        user.password = None
        message = "SQL compilation error:\nCannot set PASSWORD on a user with TYPE = SERVICE."
        raise SnowflakeError(1008, "22023", message)
    if user.kind != "SERVICE" and user.workload_identity is not None:
        user.workload_identity = None
        message = "SQL compilation error:\nWORKLOAD_IDENTITY is for users with TYPE = SERVICE only."
        raise SnowflakeError(1008, "22023", message)


def _parameter(_call: Call, user: User, name: str, value: str) -> None:
    """What the user's sessions start with; one that cannot be honoured stops logins that do not set it."""
    user.parameters[name] = str(typed(name, value))


def _key(_call: Call, user: User, name: str, value: str) -> None:
    try:
        public_key(value)
    except ValueError as error:
        message = f"SQL compilation error:\nNew public key rejected by current policy. Reason: '{error}'"
        raise SnowflakeError(2028, "22023", message) from None
    user.keys[name] = "".join(line for line in value.split("\n") if not line.startswith("-----"))


def _kind(_call: Call, user: User, name: str, value: str) -> None:
    if value.upper() not in KINDS:
        raise invalid(value, name)
    user.kind = value.upper()


def _workload_identity(_call: Call, user: User, name: str, value: str) -> None:
    if not value.startswith("("):
        raise invalid(value, name)
    given = dict(_properties(value[1:-1].strip()))
    user.workload_identity = workload_identity.registered(given)


def _text(attribute: str) -> Callable[[Call, User, str, str], None]:
    def setter(_call: Call, user: User, _name: str, value: str) -> None:
        setattr(user, attribute, value)

    return setter


def _disabled(_call: Call, user: User, name: str, value: str) -> None:
    if value.upper() not in {"TRUE", "FALSE"}:
        raise invalid(value, name)
    user.disabled = value.upper() == "TRUE"


def _unlock(call: Call, user: User, name: str, value: str) -> None:
    if not value.isdecimal():
        raise invalid(value, name)
    user.failures, user.locked_until = 0, call.now + 60.0 * int(value)


_SETTERS: dict[str, Callable[[Call, User, str, str], None]] = {
    "RSA_PUBLIC_KEY": _key,
    "RSA_PUBLIC_KEY_2": _key,
    "TYPE": _kind,
    "PASSWORD": _text("password"),
    "DEFAULT_ROLE": _text("default_role"),
    "DEFAULT_WAREHOUSE": _text("default_warehouse"),
    "DEFAULT_NAMESPACE": _text("default_namespace"),
    "COMMENT": _text("comment"),
    "NETWORK_POLICY": _text("network_policy"),
    "WORKLOAD_IDENTITY": _workload_identity,
    "DISABLED": _disabled,
    "MINS_TO_UNLOCK": _unlock,
}


_UNSET = {"PASSWORD", "DEFAULT_WAREHOUSE", "DEFAULT_NAMESPACE", "NETWORK_POLICY", "WORKLOAD_IDENTITY"}


def _unset(user: User, names: list[str]) -> None:
    for name in names:
        if name in {"RSA_PUBLIC_KEY", "RSA_PUBLIC_KEY_2"}:
            user.keys.pop(name, None)
        elif name in _UNSET:
            setattr(user, name.lower(), None)
        elif known(name):
            user.parameters.pop(name, None)
        else:
            message = f"UNSET of the user property {name}"
            raise unsupported(message)


def _token(call: Call, user: User, match: re.Match[str], rest: str) -> Result:
    name = normalise(match["name"])
    there = next((token for token in user.tokens if token.name == name), None)
    if match["verb"].upper() == "REMOVE":
        if there is None or rest:
            kind = "Programmatic access token"
            raise not_found(kind, name)
        user.tokens.remove(there)
        return results.status(f"Programmatic access token {name} successfully removed.")
    if there is not None and match["if"]:
        return results.status(f"{name} already exists, statement succeeded.")
    if there is not None:
        raise already_exists(name)
    return _add_token(call, user, name, rest)


def _add_token(call: Call, user: User, name: str, rest: str) -> Result:
    wanted = dict(_properties(rest))
    role, days = wanted.pop("ROLE_RESTRICTION", None), wanted.pop("DAYS_TO_EXPIRY", str(DEFAULT_TOKEN_DAYS))
    wanted.pop("COMMENT", None)
    if wanted or not days.isdecimal() or not 1 <= int(days) <= MAX_TOKEN_DAYS:
        raise invalid(str(wanted or days), "DAYS_TO_EXPIRY")
    if user.kind == "SERVICE" and role is None:
        message = "SQL compilation error:\nROLE_RESTRICTION is required for a user with TYPE = SERVICE."
        raise SnowflakeError(1008, "22023", message)
    if role is not None and role not in user.roles:
        kind = "Role"
        raise not_found(kind, role)
    if user.kind in {"SERVICE", "LEGACY_SERVICE"} and user.network_policy is None:
        raise SnowflakeError(1008, "22023", "SQL compilation error:\nA network policy is required.")
    token = AccessToken(name, secrets.token_urlsafe(32), call.now + int(days) * DAY, role)
    user.tokens.append(token)
    return results.of_rows({"token_name": "VARCHAR", "token_secret": "VARCHAR"}, [[name, token.secret]])


HANDLERS: dict[str, Callable[[Call], Result]] = {
    "CREATE USER": create_user,
    "ALTER USER": alter_user,
    "DROP USER": drop_user,
}
