"""`POST /_control`: what tests see and change. `{"do": NAME, ...}` gives `{"ok": true, "result": ...}`."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from .errors import SnowflakeError
from .users import OauthToken, User, public_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from .world import World


def _query_log(world: World, _wanted: dict[str, Any]) -> list[dict[str, Any]]:
    return world.query_log.entries()


def _clear_log(world: World, _wanted: dict[str, Any]) -> None:
    world.query_log.clear()


def _advance_clock(world: World, wanted: dict[str, Any]) -> float:
    world.clock.advance(float(wanted["seconds"]))
    return world.clock.now()


def _now(world: World, _wanted: dict[str, Any]) -> float:
    return world.clock.now()


def _locks(world: World, _wanted: dict[str, Any]) -> list[dict[str, Any]]:
    return world.locks.listed()


def _sessions(world: World, _wanted: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "id": session.id,
            "user": session.user.name,
            "role": session.role,
            "application": session.application,
            "transaction": session.transaction.id if session.transaction else None,
            "running": session.running,
            "detached": session.detached_since is not None,
            "request_id": session.request_id,
            "query_id": session.query_id,
            "parameters": session.parameters,
        }
        for session in world.sessions.all()
    ]


def _fault(world: World, wanted: dict[str, Any]) -> int:
    return world.faults.arm({key: value for key, value in wanted.items() if key != "do"})


def _clear_faults(world: World, _wanted: dict[str, Any]) -> None:
    world.faults.clear()


def _faults(world: World, _wanted: dict[str, Any]) -> dict[int, int]:
    return world.faults.struck()


def _holding(world: World, _wanted: dict[str, Any]) -> list[int]:
    return world.faults.holding()


def _create_user(world: World, wanted: dict[str, Any]) -> None:
    """A further user with a password, for tests of grants; the role must exist."""
    name, role = str(wanted["name"]).upper(), world.grants.require_role(str(wanted["role"]))
    world.users[name] = User(name, role, {role, "PUBLIC"}, "LOAD_WH", password=str(wanted["password"]))
    world.users.save()


def _unlock_users(world: World, _wanted: dict[str, Any]) -> None:
    """End every lock-out, and forget wrong logins."""
    for user in world.users.values():
        user.failures, user.locked_until = 0, 0.0


def _oauth_token(world: World, wanted: dict[str, Any]) -> str:
    """A further OAuth token of a user, as an identity provider would give it."""
    user = world.users[str(wanted["name"]).upper()]
    token = OauthToken(secrets.token_urlsafe(32), world.clock.now() + float(wanted["seconds"]))
    user.oauth_tokens.append(token)
    world.users.save()
    return token.secret


def _logins(world: World, _wanted: dict[str, Any]) -> list[dict[str, str]]:
    """Every login that was tried: the user that it named, and a digest of the token or password it showed."""
    return list(world.logins)


def _oidc_provider(world: World, wanted: dict[str, Any]) -> None:
    """An OIDC provider whose tokens are signed with a key; the real service reads keys at the address."""
    world.issuers[str(wanted["issuer"])] = public_key(str(wanted["public_key"]))


_DO: dict[str, Callable[[World, dict[str, Any]], object]] = {
    "query_log": _query_log,
    "clear_log": _clear_log,
    "advance_clock": _advance_clock,
    "now": _now,
    "locks": _locks,
    "sessions": _sessions,
    "fault": _fault,
    "faults": _faults,
    "holding": _holding,
    "clear_faults": _clear_faults,
    "create_user": _create_user,
    "unlock_users": _unlock_users,
    "oauth_token": _oauth_token,
    "logins": _logins,
    "oidc_provider": _oidc_provider,
}


def answer(world: World, wanted: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Carry an order out: the answer and its HTTP status."""
    action = _DO.get(str(wanted.get("do")))
    if action is None:
        return {
            "ok": False,
            "error": f"unknown order {wanted.get('do')!r}; there are {', '.join(sorted(_DO))}",
        }, 400
    try:
        return {"ok": True, "result": action(world, wanted)}, 200
    except KeyError as error:
        return {"ok": False, "error": f"{wanted['do']} needs {error}"}, 400
    except (ValueError, TypeError, SnowflakeError) as error:
        return {"ok": False, "error": str(error)}, 400
