"""From a configuration to checked settings."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from urllib.parse import urlsplit

import requests

from tap_sagex3.auth.secrets_key import load_cipher, with_decrypted
from tap_sagex3.errors import SecretsKeyError, SettingsError
from tap_sagex3.redaction import hide
from tap_sagex3.settings.login import MAY_BE_ENCRYPTED, NEEDED_BY_AUTH
from tap_sagex3.settings.properties import PROPERTIES
from tap_sagex3.settings.version import api_of_version

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Config = t.Mapping[str, t.Any]
_API = re.compile(r"/(xtrem/api|api1)(/.*)?$")
_SECRETS = tuple(name for name, schema in PROPERTIES.items() if schema.get("secret"))


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one run, checked. Times in seconds."""

    server_url: str
    folder: str
    api: str
    api_fixed: bool
    auth: str
    username: str | None
    password: str | None = field(repr=False)
    client_id: str | None
    client_secret: str | None = field(repr=False)
    allowed_user: str | None
    audience: str
    token_lifetime: int
    token_url: str
    refresh_token: str | None = field(repr=False)
    token_store: str | None
    start_date: datetime | None
    end_date: datetime | None
    lookback_seconds: int
    line_lookback_days: int
    overlap_memory: int
    page_size: int
    prefetch_pages: int
    detail_workers: int
    stream_options: Mapping[str, Mapping[str, t.Any]]
    custom_streams: Sequence[t.Any]
    optional_streams: frozenset[str]
    dimension_names: Mapping[str, str]
    rest_username: str | None
    rest_password: str | None = field(repr=False)
    request_timeout: int
    max_retries: int
    max_retry_seconds: int
    verify_tls: bool
    ca_bundle: str | None
    client_certificate: str | None
    client_key: str | None
    user_agent: str


def read_settings(config: Config) -> Settings:
    """Check a configuration and give it as a dataclass.

    Raises:
        SettingsError: names the setting, says what was expected.
    """
    config = with_decrypted(config, (*_SECRETS, *MAY_BE_ENCRYPTED))
    hide(*(config.get(name) for name in _SECRETS))
    server_url = _server_url(config)
    checked: dict[str, t.Any] = {
        "server_url": server_url,
        "folder": _required(config, "folder"),
        "api": _api(config),
        "api_fixed": _value(config, "api") != "auto",
        "audience": _audience(config, server_url),
        "token_url": _token_url(config, server_url),
        "start_date": _time(config, "start_date"),
        "end_date": _time(config, "end_date"),
        "optional_streams": frozenset(_value(config, "optional_streams")),
    }
    plain = {item.name: _value(config, item.name) for item in fields(Settings) if item.name not in checked}
    settings = Settings(**plain, **checked)
    _check_login(settings)
    _check_dates(settings)
    if not settings.user_agent.isascii():
        msg = f"Setting user_agent is {settings.user_agent!r}: expected ASCII characters only."
        raise SettingsError(msg)
    return settings


def is_configured(config: Config) -> bool:
    """Whether a server is named at all; without one only the built-in declarations can be shown."""
    return bool(config.get("server_url") and config.get("folder"))


def parse_time(text: str) -> datetime:
    """An RFC 3339 text as an aware UTC time; no offset means UTC.

    Raises:
        ValueError: the text is not a time.
    """
    moment = datetime.fromisoformat(text)
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError as error:
        msg = f"{text} is out of range"
        raise ValueError(msg) from error


def _server_url(config: Config) -> str:
    url = _required(config, "server_url").rstrip("/")
    if not re.fullmatch(r"https?://[^/\s@?#]+(/[^\s@?#]*)?", url):
        # A password may stand anywhere in it: nothing of it is shown but its scheme.
        scheme = re.match(r"https?://", url)
        msg = (
            f"Setting server_url ({scheme.group() if scheme else 'without http:// or https://'}...) is not "
            "usable: expected a URL such as https://x3.example.com:8124, without user, query, fragment or @."
        )
        raise SettingsError(msg)
    try:
        requests.Request("GET", url).prepare()
        (urlsplit(url).hostname or "").encode("idna")
    except (requests.RequestException, ValueError) as error:
        msg = "Setting server_url is not usable: its host or port is none."
        raise SettingsError(msg) from error
    if config.get("auth") == "cloud":
        url = url.removesuffix("/v1")
    return _API.sub("", url)


def _token_url(config: Config, server_url: str) -> str:
    url = str(config.get("token_url") or f"{server_url}/v1/token")
    if not re.fullmatch(r"https?://[^/\s@?#]+(/[^\s@?#]*)?", url):
        msg = (
            "Setting token_url is not usable: expected a URL such as https://api.eu-sagex3.com/v1/token, "
            "without user, query, fragment or @."
        )
        raise SettingsError(msg)
    return url


def _audience(config: Config, server_url: str) -> str:
    audience = config.get("audience")
    return f"{server_url}/xtrem/api" if audience is None else str(audience)


def _api(config: Config) -> str:
    by_version = api_of_version(str(_value(config, "x3_version")))
    api = str(_value(config, "api"))
    return by_version if api == "auto" else api


def _time(config: Config, name: str) -> datetime | None:
    text = config.get(name)
    if not text:
        return None
    try:
        return parse_time(text)
    except ValueError as error:
        msg = f"Setting {name} is {text!r}: expected a time such as 2024-01-31T00:00:00Z."
        raise SettingsError(msg) from error


def _check_dates(settings: Settings) -> None:
    start, end = settings.start_date, settings.end_date
    if start is not None and end is not None and end <= start:
        msg = (
            f"Setting end_date ({end.isoformat()}) must be later than start_date ({start.isoformat()}): "
            "documents changed from start_date up to end_date are read."
        )
        raise SettingsError(msg)


def _check_login(settings: Settings) -> None:
    if settings.auth not in NEEDED_BY_AUTH:
        msg = f"Setting auth is {settings.auth!r}: expected one of {', '.join(NEEDED_BY_AUTH)}."
        raise SettingsError(msg)
    missing = [name for name in NEEDED_BY_AUTH[settings.auth] if not getattr(settings, name)]
    if missing:
        names = ", ".join(NEEDED_BY_AUTH[settings.auth])
        msg = f"Setting {', '.join(missing)} is missing: auth {settings.auth} needs {names}."
        raise SettingsError(msg)
    if settings.auth == "cloud":
        _check_key()


def _check_key() -> None:
    """Say early that the token store cannot be opened, so that discovery can do without it."""
    try:
        load_cipher()
    except SecretsKeyError as error:
        msg = f"Setting token_store: tokens are kept encrypted. {error}"
        raise SecretsKeyError(msg) from error


def _required(config: Config, name: str) -> str:
    value = config.get(name)
    if not value:
        msg = f"Setting {name} is missing: {PROPERTIES[name]['description']}"
        raise SettingsError(msg)
    return str(value)


def _value(config: Config, name: str) -> t.Any:  # noqa: ANN401 - a JSON value of the setting's own type
    value = config.get(name)
    return PROPERTIES[name].get("default") if value is None else value
