"""All settings of the tap: declared once, read once into a frozen dataclass."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass
from datetime import UTC, datetime

from tap_sagex3.errors import SettingsError

if t.TYPE_CHECKING:
    from collections.abc import Mapping

Property = dict[str, t.Any]
Config = t.Mapping[str, t.Any]
FIRST_GRAPHQL_VERSION = 12
FIRST_VERSION = 6
_VERSION = re.compile(r"[vV]?(\d+)(?:\.\d+)*")


def _setting(title: str, description: str, **schema: t.Any) -> Property:  # noqa: ANN401 - JSON schema keywords
    return {"title": title, "description": description, **schema}


def _text(title: str, description: str, **schema: t.Any) -> Property:  # noqa: ANN401 - JSON schema keywords
    return _setting(title, description, type=["string", "null"], **schema)


def _number(title: str, description: str, default: int, minimum: int) -> Property:
    return _setting(title, description, type=["integer", "null"], default=default, minimum=minimum)


def _secret(title: str, description: str) -> Property:
    return _text(title, description, secret=True, writeOnly=True)


STREAM_OPTION_PROPERTIES: dict[str, Property] = {
    "api": {"type": ["string", "null"], "enum": ["auto", "graphql", "rest", None]},
    "class": {"type": ["string", "null"]},
    "representation": {"type": ["string", "null"]},
    "package": {"type": ["string", "null"]},
    "node": {"type": ["string", "null"]},
    "key": {"type": ["array", "null"], "items": {"type": "string"}},
    "change_field": {"type": ["string", "null"]},
}

PROPERTIES: dict[str, Property] = {
    "server_url": _setting(
        "Server URL",
        "Address of the Syracuse web server, for example https://x3.example.com:8124. "
        "Credentials are sent to this address only.",
        type="string",
    ),
    "folder": _setting(
        "Folder", "Name of the Syracuse endpoint of the X3 folder, for example SEED.", type="string"
    ),
    "x3_version": _text(
        "X3 version",
        "Version of Sage X3. V6 to V11 are read through REST, V12 and later through GraphQL.",
        default="V12",
    ),
    "api": _text(
        "API",
        "API to read with: auto chooses by x3_version. Can be set for one stream in stream_options.",
        default="auto",
        enum=["auto", "graphql", "rest", None],
    ),
    "auth": _text(
        "Authentication",
        "How to log in: basic sends username and password, connected_app signs tokens of its own with the "
        "client secret of a connected application (GraphQL only).",
        default="basic",
        enum=["basic", "connected_app", None],
    ),
    "username": _text("User name", "Syracuse user for Basic authentication."),
    "password": _secret("Password", "Password of username."),
    "client_id": _text("Client ID", "Client id of the connected application."),
    "client_secret": _secret("Client secret", "Client secret of the connected application."),
    "allowed_user": _text("Allowed user", "Syracuse login that the connected application may act for."),
    "audience": _text(
        "Audience",
        "URL registered in the connected application, byte for byte; empty when none is registered. "
        "Default: server_url followed by /xtrem/api.",
    ),
    "token_lifetime": _number(
        "Token lifetime",
        "Life of a signed token in seconds; at most the validity set in the connected application.",
        300,
        30,
    ),
    "start_date": _text(
        "Start date",
        "Read documents changed at or after this time only (RFC 3339, UTC when no offset is given). "
        "Without it the first run reads everything.",
        format="date-time",
    ),
    "lookback_seconds": _number(
        "Look back",
        "Seconds that each run reads again before the last change it saw, since X3 postings and imports "
        "commit later than they are stamped.",
        3600,
        0,
    ),
    "overlap_memory": _number(
        "Overlap memory",
        "Documents of the look-back window remembered in state, per stream, so that unchanged ones are not "
        "sent again.",
        1000,
        0,
    ),
    "page_size": _number("Page size", "Documents asked for in one page; the server may give fewer.", 500, 1),
    "detail_workers": _number(
        "Detail workers", "REST $details requests made at the same time; 1 makes them one by one.", 4, 1
    ),
    "stream_options": _setting(
        "Stream options",
        "Names on this site, by stream: api, class, representation, package, node, key, change_field. For a "
        "stream with several kinds of documents, give them by kind.",
        type=["object", "null"],
        default={},
        additionalProperties={"type": "object"},
    ),
    "optional_streams": _setting(
        "Optional streams",
        "Streams that are skipped with a warning when this site cannot give them; any other fails the run.",
        type=["array", "null"],
        items={"type": "string"},
        default=[],
    ),
    "dimension_names": _setting(
        "Dimension names",
        "Column name for a dimension type, for example {CCT: costCenter}. Default: dimension and the code.",
        type=["object", "null"],
        default={},
        additionalProperties={"type": "string"},
    ),
    "rest_username": _text(
        "REST user name", "Syracuse user for streams read through REST when auth is not basic."
    ),
    "rest_password": _secret("REST password", "Password of rest_username."),
    "request_timeout": _number("Request timeout", "Seconds to wait for a connection or for data.", 120, 1),
    "max_retries": _number("Retries", "Further tries of a request that failed for a passing reason.", 5, 0),
    "verify_tls": _setting(
        "Verify TLS",
        "Check the certificate of the server.",
        type=["boolean", "null"],
        default=True,
    ),
    "ca_bundle": _text("CA bundle", "File with the certificates to trust instead of the system's."),
    "user_agent": _text("User agent", "User-Agent header of every request.", default="tap-sagex3"),
}

CONFIG_JSONSCHEMA: dict[str, t.Any] = {
    "type": "object",
    "properties": PROPERTIES,
    "required": ["server_url", "folder"],
}


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one run, checked. Times in seconds."""

    server_url: str
    folder: str
    api: str
    auth: str
    username: str | None
    password: str | None
    client_id: str | None
    client_secret: str | None
    allowed_user: str | None
    audience: str
    token_lifetime: int
    start_date: datetime | None
    lookback_seconds: int
    overlap_memory: int
    page_size: int
    detail_workers: int
    stream_options: Mapping[str, Mapping[str, t.Any]]
    optional_streams: frozenset[str]
    dimension_names: Mapping[str, str]
    rest_username: str | None
    rest_password: str | None
    request_timeout: int
    max_retries: int
    verify_tls: bool
    ca_bundle: str | None
    user_agent: str

    def secrets(self) -> tuple[str, ...]:
        """Values that must not occur in any message."""
        found = (self.password, self.client_secret, self.rest_password)
        return tuple(value for value in found if value)


def read_settings(config: Config) -> Settings:
    """Check a configuration and give it as a dataclass.

    Raises:
        SettingsError: names the setting, says what was expected.
    """
    server_url = _server_url(config)
    settings = Settings(
        server_url=server_url,
        folder=_required(config, "folder"),
        api=_api(config),
        auth=_value(config, "auth"),
        username=config.get("username"),
        password=config.get("password"),
        client_id=config.get("client_id"),
        client_secret=config.get("client_secret"),
        allowed_user=config.get("allowed_user"),
        audience=_audience(config, server_url),
        token_lifetime=_value(config, "token_lifetime"),
        start_date=_start_date(config),
        lookback_seconds=_value(config, "lookback_seconds"),
        overlap_memory=_value(config, "overlap_memory"),
        page_size=_value(config, "page_size"),
        detail_workers=_value(config, "detail_workers"),
        stream_options=_value(config, "stream_options"),
        optional_streams=frozenset(_value(config, "optional_streams")),
        dimension_names=_value(config, "dimension_names"),
        rest_username=config.get("rest_username"),
        rest_password=config.get("rest_password"),
        request_timeout=_value(config, "request_timeout"),
        max_retries=_value(config, "max_retries"),
        verify_tls=_value(config, "verify_tls"),
        ca_bundle=config.get("ca_bundle"),
        user_agent=_value(config, "user_agent"),
    )
    _check_login(settings)
    return settings


def api_of_version(version: str) -> str:
    """The API that an X3 version is read with: `rest` for V6 to V11, `graphql` for V12 and later.

    Raises:
        SettingsError: the text is not a version of X3.
    """
    found = _VERSION.fullmatch(version.strip())
    number = int(found.group(1)) if found else 0
    if number < FIRST_VERSION:
        msg = f"Setting x3_version is {version!r}: expected V6 or later, for example V11 or V12."
        raise SettingsError(msg)
    return "graphql" if number >= FIRST_GRAPHQL_VERSION else "rest"


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
    for suffix in ("/xtrem/api", "/api1"):
        url = url.removesuffix(suffix)
    return url


def _audience(config: Config, server_url: str) -> str:
    audience = config.get("audience")
    return f"{server_url}/xtrem/api" if audience is None else str(audience)


def _api(config: Config) -> str:
    by_version = api_of_version(str(_value(config, "x3_version")))
    api = str(_value(config, "api"))
    return by_version if api == "auto" else api


def _start_date(config: Config) -> datetime | None:
    text = config.get("start_date")
    if not text:
        return None
    try:
        return parse_time(text)
    except ValueError as error:
        msg = f"Setting start_date is {text!r}: expected a time such as 2024-01-31T00:00:00Z."
        raise SettingsError(msg) from error


def _check_login(settings: Settings) -> None:
    needed = {
        "basic": ("username", "password"),
        "connected_app": ("client_id", "client_secret", "allowed_user"),
    }
    if settings.auth not in needed:
        msg = f"Setting auth is {settings.auth!r}: expected one of {', '.join(needed)}."
        raise SettingsError(msg)
    missing = [name for name in needed[settings.auth] if not getattr(settings, name)]
    if missing:
        names = ", ".join(needed[settings.auth])
        msg = f"Setting {', '.join(missing)} is missing: auth {settings.auth} needs {names}."
        raise SettingsError(msg)


def _required(config: Config, name: str) -> str:
    value = config.get(name)
    if not value:
        msg = f"Setting {name} is missing: {PROPERTIES[name]['description']}"
        raise SettingsError(msg)
    return str(value)


def _value(config: Config, name: str) -> t.Any:  # noqa: ANN401 - a JSON value of the setting's own type
    value = config.get(name)
    return PROPERTIES[name]["default"] if value is None else value
