"""What a connector asks, read from its HTTP request.

Rule restored: a broken request is answered, with HTTP 400 and a number, and never with an HTTP 500, which
the connectors would send again for minutes.
"""

from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request

MAX_BODY = 256 * 1024 * 1024  # bytes after unpacking


_BIND_TYPES = {
    "ANY", "ARRAY", "BINARY", "BOOLEAN", "DATE", "DECFLOAT", "FIXED", "OBJECT", "REAL", "TEXT", "TIME",
    "TIMESTAMP", "TIMESTAMP_LTZ", "TIMESTAMP_NTZ", "TIMESTAMP_TZ", "VARIANT",
}  # fmt: skip


class MalformedRequest(Exception):  # noqa: N818 - an answer to the client, not an error of the server
    """The request has no meaning; the text says why."""


@dataclass
class StatementRequest:
    """A statement to run.

    `bindings` by position; `parameters`: session parameters for this statement only; `peer`: the client's TCP
    port; `before`: what a fault does before the statement takes effect; `describe_only`: do not run it.
    """

    text: str
    request_id: str = ""
    bindings: dict[str, dict[str, Any]] = field(default_factory=dict)
    parameters: dict[str, object] = field(default_factory=dict)
    base: str = ""
    client: str = ""
    peer: int = 0
    before: Callable[[], None] = lambda: None
    describe_only: bool = False


def token(request: Request) -> str:
    """The token of the Authorization header; empty without one."""
    header = request.headers.get("authorization", "")
    return header.removeprefix('Snowflake Token="').removesuffix('"')


async def json_body(request: Request) -> dict[str, Any]:
    """The JSON object of a request, unpacked; empty for no body.

    Raises:
        MalformedRequest: it is not gzip, not JSON, or not an object.
    """
    content = await request.body()
    if request.headers.get("content-encoding", "").lower() == "gzip":
        content = _unpacked(content)
    try:
        decoded = json.loads(content or b"{}")
    except (ValueError, RecursionError) as error:
        msg = f"the body is not JSON: {error}"
        raise MalformedRequest(msg) from None
    if not isinstance(decoded, dict):
        msg = "the body is not a JSON object"
        raise MalformedRequest(msg)
    return decoded


def _unpacked(content: bytes) -> bytes:
    try:
        unpacked = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        msg = f"the body is not gzip: {error}"
        raise MalformedRequest(msg) from None
    if len(unpacked) > MAX_BODY:
        msg = "the body is too large"
        raise MalformedRequest(msg)
    return unpacked


def statement(request: Request, asked: Mapping[str, Any]) -> StatementRequest:
    """The statement that a request asks for.

    Raises:
        MalformedRequest: a part has the wrong type.
    """
    text = asked.get("sqlText")
    bindings, parameters = ({} if asked.get(n) is None else asked[n] for n in ("bindings", "parameters"))
    if not isinstance(text, str):
        msg = "sqlText is not a text"
        raise MalformedRequest(msg)
    if not isinstance(parameters, dict):
        msg = "parameters is not an object"
        raise MalformedRequest(msg)
    return StatementRequest(
        text,
        str(request.query_params.get("requestId") or ""),
        _checked(bindings),
        parameters,
        f"{request.url.scheme}://{request.url.netloc}",
        request.headers.get("user-agent", ""),
        request.client.port if request.client else 0,
        describe_only=bool(asked.get("describeOnly")),
    )


def _checked(bindings: object) -> dict[str, dict[str, Any]]:
    """Bind values in the form `{"1": {"type": ..., "value": text or list of texts}}`."""
    if not isinstance(bindings, dict):
        msg = "bindings is not an object"
        raise MalformedRequest(msg)
    lengths = set()
    for position, entry in bindings.items():
        if not position.isdecimal() or not isinstance(entry, dict) or not {"type", "value"} <= entry.keys():
            msg = f"binding {position!r} has no type and value"
            raise MalformedRequest(msg)
        value = entry["value"]
        if str(entry["type"]).upper() not in _BIND_TYPES:
            msg = f"binding {position!r} has the unknown type {entry['type']!r}"
            raise MalformedRequest(msg)
        lengths.add(len(value) if isinstance(value, list) else -1)
        if not all(v is None or isinstance(v, str) for v in (value if isinstance(value, list) else [value])):
            msg = f"binding {position!r}: values are texts"
            raise MalformedRequest(msg)
    if sorted(int(position) for position in bindings) != list(range(1, len(bindings) + 1)):
        msg = "bindings are not numbered from 1 on"
        raise MalformedRequest(msg)
    if len(lengths) > 1:
        msg = "bindings of different lengths"
        raise MalformedRequest(msg)
    return bindings
