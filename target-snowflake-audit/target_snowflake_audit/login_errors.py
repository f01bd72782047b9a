"""What to do about a login that failed.

Numbers: docs.snowflake.com/en/user-guide/key-pair-auth-troubleshooting and both connectors' code. Connector
5.x says only that a login timed out when nothing answers, so `reachability` looks where the way ends.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from target_snowflake_audit.errors import CONNECT, SettingError, StatementError
from target_snowflake_audit.login import way
from target_snowflake_audit.reachability import obstacle
from target_snowflake_audit.retry_classes import AUTHENTICATION, AUTHORISATION, CLOCK, NETWORK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_snowflake_audit.errors import TargetError

_ROLE, _WORKLOAD = "role", "workload_identity_provider"
_ROLE_NOT_GRANTED = 390189
_ATTESTATION = "workload identity federation attestation failed"  # 5.x; its number is that of any login
_ATTESTATION_NUMBERS = frozenset({251017, 251018})  # 4.8

_HINTS: dict[int, str] = {
    390101: "the user is disabled; an administrator ends that with ALTER USER ... SET DISABLED = FALSE",
    390102: "too many wrong logins; wait 15 minutes, or ALTER USER ... SET MINS_TO_UNLOCK = 0",
    390303: "get a new `oauth_token`: this one is not one of Snowflake's or of a security integration there",
    390309: "`oauth_token` is that of another user than `user`",
    390318: "get a new `oauth_token`; a run that outlives its token needs a key pair instead",
    390422: "the user's or the account's network policy does not allow this machine's address",
    390432: "a service user needs a network policy to use a programmatic access token",
    394300: "check `user`: Snowflake does not know it",
    394304: "the public key of this private key is not the user's: ALTER USER ... SET RSA_PUBLIC_KEY = '...'",
    394307: "check `account`: the key-pair token is for another account",
    394400: "`token` has expired, was removed, or is that of another user",
}
_HINTS_BY_WAY = {
    "private_key_path": "check `user`, `account` and `private_key_path`",
    "private_key": "check `user`, `account` and `private_key`",
    "token": "check `user`, `account` and `token`",
    "oauth_token": "check `user`, `account` and `oauth_token`",
    _WORKLOAD: "check `user`, `account`, and issuer, subject and audience in the user's WORKLOAD_IDENTITY",
    "password": "check `user`, `account` and `password`",
}
_CREDENTIALS = re.compile(r"//[^/@\s]+@")


def explained(settings: Mapping[str, Any], error: StatementError) -> TargetError:
    """Give the error of a failed login with who, where, and what to check.

    A network that ends before Snowflake is looked at, which takes at most a few seconds.
    """
    where = str(settings.get("host") or settings["account"])
    reason = _CREDENTIALS.sub("//", error.reason)  # a proxy's address may hold a password
    if error.errno == _ROLE_NOT_GRANTED or error.error_class is AUTHORISATION:
        return SettingError(_ROLE, f"Snowflake refused the login at {where}: {reason}")
    if error.errno in _ATTESTATION_NUMBERS or _ATTESTATION in reason.lower():
        return SettingError(_WORKLOAD, f"{settings.get(_WORKLOAD)} gave no identity: {reason}")
    if error.error_class in {AUTHENTICATION, CLOCK}:
        return _refused(settings, error, where, reason)
    if error.error_class is NETWORK:
        message = f"cannot reach Snowflake at {where}: {obstacle(settings) or reason}"
    else:
        message = f"the login at {where} failed: {reason}"
    message += " (settings `account`, `host`, `port`)"
    return StatementError(CONNECT, message, error.error_class, errno=error.errno, sqlstate=error.sqlstate)


def _refused(settings: Mapping[str, Any], error: StatementError, where: str, reason: str) -> StatementError:
    if error.error_class is CLOCK:
        hint = "this machine's clock differs from Snowflake's by more than a minute; set it by NTP"
    else:
        hint = _HINTS.get(error.errno or 0) or _HINTS_BY_WAY.get(way(settings), "check `user` and `account`")
    message = f"Snowflake refused the login of user {settings['user']} on {where}: {reason} ({hint})"
    return StatementError(CONNECT, message, error.error_class, errno=error.errno)
