"""Where a folder's GraphQL API is: at a fixed path on premise; the cloud gateway tells."""

from __future__ import annotations

import typing as t
from urllib.parse import urlsplit

from tap_sagex3.errors import ApiError, NotReadableError
from tap_sagex3.web.session import origin_of

if t.TYPE_CHECKING:
    from tap_sagex3.transport import Transport

_NOT_FOUND = 404


def graphql_address(transport: Transport) -> str:
    """URL of the GraphQL API of the configured folder; the gateway is asked once for a transport.

    Raises:
        NotReadableError: the gateway does not know the folder.
        ApiError: it answers with something else than its folders, or leads to another server.
    """
    settings = transport.settings
    if settings.auth != "cloud":
        return f"{settings.server_url}/xtrem/api"
    if not transport.graphql_url:
        transport.graphql_url = _of_folder(transport)
    return transport.graphql_url


def _of_folder(transport: Transport) -> str:
    settings = transport.settings
    root = _member(transport, f"{settings.server_url}/v1", "customerUsage")
    place = root.get("folder") if isinstance(root, dict) else None
    folders = _member(transport, _own(transport, place), "folders")
    named = {
        folder.get("name"): folder.get("$urls")
        for folder in (folders if isinstance(folders, list) else [])
        if isinstance(folder, dict)
    }
    urls = named.get(settings.folder)
    if not isinstance(urls, dict):
        known = ", ".join(sorted(str(name) for name in named)) or "none"
        msg = (
            f"The gateway has no folder {settings.folder!r} for this pairing (it has {known}): check "
            "setting folder."
        )
        raise NotReadableError(msg)
    return _own(transport, urls.get("dataService"))


def _member(transport: Transport, url: str, name: str) -> object:
    answer = transport.get(url)
    found = answer.body.get(name) if isinstance(answer.body, dict) else None
    if answer.status == _NOT_FOUND or found is None:
        msg = (
            f"{url} answered without {name}: this is not the cloud gateway. Check setting server_url, for "
            "example https://api.eu-sagex3.com."
        )
        raise ApiError(msg)
    return found


def _own(transport: Transport, url: object) -> str:
    """An address that the gateway names, put back on server_url, as links of REST are."""
    parts = urlsplit(url if isinstance(url, str) else "")
    if not parts.path.startswith("/"):
        msg = (
            f"{origin_of(transport.settings.server_url)} names no address of the folder: this is not the "
            "cloud gateway."
        )
        raise ApiError(msg)
    server = urlsplit(transport.settings.server_url)
    return f"{server.scheme}://{server.netloc}{parts.path}" + (f"?{parts.query}" if parts.query else "")
