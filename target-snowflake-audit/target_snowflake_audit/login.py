"""The login: exactly one way in, as arguments that the connector lines 4.8 and 5.x read alike.

Sources: docs.snowflake.com/en/user-guide/key-pair-auth, /programmatic-access-tokens, /oauth-intro and
/workload-identity-federation; both connectors' code. Keys and tokens in files are read anew at each login, so
that a key that was changed, or a token that the platform renews, is the one that is shown.
"""

from __future__ import annotations

import logging
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from target_snowflake_audit.errors import SettingError
from target_snowflake_audit.keys import private_key_der
from target_snowflake_audit.settings_read import wrong_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

logger = logging.getLogger(__name__)

_KEY_PATH = "private_key_path"
_PROVIDER, _IDENTITY_TOKEN, _IDENTITY_PATH = (
    "workload_identity_provider",
    "workload_identity_token",
    "workload_identity_token_path",
)
OIDC = "OIDC"
PROVIDERS = ("AWS", "AZURE", "GCP", OIDC)
_ONE_FACTOR = (
    "Logging in with a password: Snowflake closes password-only logins of service users. Use a key pair "
    "(setting `private_key_path`), a programmatic access token or workload identity."
)


def login_arguments(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Give the connector's arguments of the one login that is configured.

    Raises:
        SettingError: none is configured, or more than one; or what it needs is missing, no text, or cannot
            be read.
    """
    for name, problem in wrong_secrets(settings).items():
        raise SettingError(name, problem)
    given = [name for name in _LOGINS if settings.get(name)]
    if not given:
        names = ", ".join(f"`{name}`" for name in _LOGINS)
        problem = f"no login is configured: set one of {names}"
        raise SettingError(_KEY_PATH, problem)
    if len(given) > 1:
        names = ", ".join(f"`{name}`" for name in given)
        problem = f"several logins are configured ({names}): keep one"
        raise SettingError(given[-1], problem)
    return _LOGINS[given[0]](settings)


def way(settings: Mapping[str, Any]) -> str:
    """Name the setting that the login uses; empty when none or several are set."""
    given = [name for name in _LOGINS if settings.get(name)]
    return given[0] if len(given) == 1 else ""


def _key(settings: Mapping[str, Any]) -> dict[str, Any]:
    key = private_key_der(settings, warn=warn_once)
    return {"private_key": key, "authenticator": "SNOWFLAKE_JWT"}


def _access_token(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {"token": _line(settings["token"]), "authenticator": "PROGRAMMATIC_ACCESS_TOKEN"}


def _oauth(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {"token": _line(settings["oauth_token"]), "authenticator": "OAUTH"}


def _workload(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Workload identity; the token is ours to find with OIDC, else the connector asks the cloud's machine."""
    provider = str(settings[_PROVIDER]).strip().upper()
    if provider not in PROVIDERS:
        problem = f"is {settings[_PROVIDER]}; there are {', '.join(PROVIDERS)}"
        raise SettingError(_PROVIDER, problem)
    arguments = {"authenticator": "WORKLOAD_IDENTITY", _PROVIDER: provider}
    text, path = settings.get(_IDENTITY_TOKEN), settings.get(_IDENTITY_PATH)
    if provider != OIDC:
        if text or path:
            problem = f"is for `{_PROVIDER}: {OIDC}`; with {provider} the machine's own identity is shown"
            raise SettingError(_IDENTITY_TOKEN if text else _IDENTITY_PATH, problem)
        return arguments
    if bool(text) == bool(path):
        problem = f"set either `{_IDENTITY_TOKEN}` or `{_IDENTITY_PATH}` for `{_PROVIDER}: {OIDC}`"
        raise SettingError(_IDENTITY_PATH, problem)
    return {**arguments, "token": _line(text) if text else _token_file(str(path))}


def _token_file(path: str) -> str:
    try:
        token = Path(path).expanduser().read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        problem = f"cannot read {path}: {getattr(error, 'strerror', None) or 'it holds no token'}"
        raise SettingError(_IDENTITY_PATH, problem) from None
    if not token:
        problem = f"{path} is empty; it must hold an OIDC token"
        raise SettingError(_IDENTITY_PATH, problem)
    return token


def _password(settings: Mapping[str, Any]) -> dict[str, Any]:
    warn_once(_ONE_FACTOR)
    return {"password": settings["password"]}


def _line(token: object) -> str:
    """A token without the line end that a file or a shell put behind it."""
    return str(token).strip()


@cache
def warn_once(message: str) -> None:
    """Warn once a process: a run logs in several times."""
    logger.warning(message)


_LOGINS: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "private_key_path": _key,
    "private_key": _key,
    "token": _access_token,
    "oauth_token": _oauth,
    _PROVIDER: _workload,
    "password": _password,
}
