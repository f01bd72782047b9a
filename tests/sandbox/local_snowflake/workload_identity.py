"""Workload identity: a token of an OIDC provider in the place of a credential of Snowflake's own.

Rules restored (workload-identity-federation and alter-user-add-workload-identity pages): a service user names
the issuer and the subject; the audience is `snowflakecomputing.com` unless the user lists others; no two
users share issuer and subject. The token's signature, times and all three claims are checked. AWS, Azure and
Google attest by means that only their machines have: refused here. Numbers are not documented.
"""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any

import jwt

from .errors import SnowflakeError
from .parameters import invalid
from .users import WorkloadIdentity, algorithm

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .users import PublicKey, User, Users

AUDIENCE = "snowflakecomputing.com"
REFUSED = 390144
_LISTED = re.compile(r"'((?:[^']|'')*)'")
_PROVIDERS = {"AWS", "AZURE", "GCP", "OIDC"}


def registered(given: Mapping[str, str]) -> WorkloadIdentity:
    """What WORKLOAD_IDENTITY = (...) registers.

    Raises:
        SnowflakeError: 1008 for what is missing, unknown or wrong; 0A000 for a provider other than OIDC.
    """
    names = {"TYPE", "ISSUER", "SUBJECT", "OIDC_AUDIENCE_LIST"}
    if given.get("TYPE") in _PROVIDERS - {"OIDC"}:
        raise SnowflakeError(2, "0A000", f"Unsupported feature 'workload identity of {given['TYPE']}'.")
    if given.keys() - names or given.get("TYPE") != "OIDC":
        raise invalid(str(sorted(given.keys() - names) or given.get("TYPE")), "WORKLOAD_IDENTITY")
    issuer, subject = given.get("ISSUER", ""), given.get("SUBJECT", "")
    if not issuer.startswith("https://") or not subject:
        raise invalid(issuer if subject else subject, "ISSUER" if subject else "SUBJECT")
    audiences = _LISTED.findall(given.get("OIDC_AUDIENCE_LIST", ""))
    return WorkloadIdentity("OIDC", issuer, subject, audiences or [AUDIENCE])


def claimed(users: Users, data: Mapping[str, Any]) -> str:
    """The user whom a token claims to be, before anything of it is believed; empty for nobody."""
    try:
        claims = jwt.decode(str(data.get("TOKEN") or ""), options={"verify_signature": False})
    except jwt.PyJWTError:
        return ""
    user = _user(users, claims)
    return user.name if user else ""


def proven(users: Users, name: str, data: Mapping[str, Any], issuers: Mapping[str, PublicKey]) -> User:
    """The user of a token; `name` is the one that the connection names, if it does.

    Raises:
        SnowflakeError: 390144 for whatever is wrong with it.
    """
    if str(data.get("PROVIDER") or "").upper() != "OIDC":
        raise _refused()
    token = str(data.get("TOKEN") or "")
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
        key = issuers[str(claims["iss"])]
        user = _user(users, claims)
        if user is None or user.workload_identity is None or user.name != name:
            raise _refused()
        jwt.decode(
            token,
            key,
            algorithms=[algorithm(key)],
            audience=user.workload_identity.audiences,
            options={"require": ["exp", "iat", "iss", "sub", "aud"]},
        )
    except (jwt.PyJWTError, KeyError) as error:
        raise _refused() from error
    return user


def _user(users: Users, claims: Mapping[str, Any]) -> User | None:
    wanted = claims.get("iss"), claims.get("sub")
    for user in users.values():
        identity = user.workload_identity
        if identity and (identity.issuer, identity.subject) == wanted:
            return user
    return None


def _refused() -> SnowflakeError:
    return SnowflakeError(REFUSED, "08001", f"Workload identity token is invalid. [{uuid.uuid4()}]")
