"""A small HTTP/1.1 server on asyncio streams: keep-alive, Content-Length bodies, faults at the socket."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl

LOG = logging.getLogger(__name__)
MAX_HEAD = 64 * 1024
MAX_BODY = 16 * 1024 * 1024
LINGER = 2.0  # seconds
HEAD_SECONDS = 5.0  # for the head of a request, from its first byte on [?]
TLS_HELLO = b"\x16"  # the first byte of a TLS connection: no HTTP method begins with it


@dataclass(frozen=True, slots=True)
class Request:
    """A request; header names are lower case, `path` is as sent, without the query."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    writing: bool = False  # tries to write: found out once, before it is answered
    keeps_open: bool = True  # the client wants to send more over this connection


@dataclass(slots=True)
class Response:
    """An answer, and how to spoil its way: cut it off, send it slowly, or end the connection."""

    status: int
    body: bytes
    content_type: str = "application/json; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)
    cut_at: int | None = None  # send only so many bytes of the body, then reset
    delay: float = 0.0  # seconds before the answer
    reset: bool = False  # no answer at all
    pieces: int = 1  # send the body in so many parts ...
    pause: float = 0.0  # ... with so many seconds before each but the first
    chunked: bool = False  # chunked transfer coding instead of a Content-Length
    lasting: bool = True  # may be given again to the same request while nothing changes
    close: bool = False  # close the connection after the answer without having said so


Handler = Callable[[Request], Response]


class BadRequestError(Exception):
    """Something that is not an HTTP request, or too much of one."""

    def __init__(self, message: str, status: int = HTTPStatus.BAD_REQUEST) -> None:
        """Keep the status of the answer."""
        super().__init__(message)
        self.status = int(status)


class HttpServer:
    """Serves one handler; it is called in the event loop, one request at a time."""

    def __init__(self, now: Callable[[], float]) -> None:
        """Keep the clock of the Date header."""
        self._handler: Handler = _not_ready
        self._now = now
        self._server: asyncio.Server | None = None

    async def bind(self, port: int, tls: ssl.SSLContext | None = None) -> int:
        """Take a port of the loopback interface (chosen by the system when 0) and return it."""
        limit = {"ssl_handshake_timeout": HEAD_SECONDS} if tls is not None else {}
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", port, limit=MAX_HEAD, start_serving=False, ssl=tls, **limit
        )
        return int(self._server.sockets[0].getsockname()[1])

    async def serve(self, handler: Handler) -> None:
        """Begin to answer."""
        self._handler = handler
        if self._server is not None:
            await self._server.start_serving()

    def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (request := await _read_request(reader)) is not None:
                response = self._handle(request)
                await self._write(writer, response, head_only=request.method == "HEAD")
                if response.reset or response.cut_at is not None:
                    _reset(writer)
                    return
                if response.close or not request.keeps_open:
                    return
        except BadRequestError as problem:
            response = Response(problem.status, str(problem).encode(), "text/plain")
            response.headers["Connection"] = "close"
            writer.write(self._head(response) + response.body)
            await _drain(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            return  # the client went away
        except asyncio.CancelledError:
            return  # the server stops while a client keeps its connection open
        finally:
            writer.close()

    def _handle(self, request: Request) -> Response:
        """Call the handler; a bug of its own shows as 500 and in the log, never as a hung client."""
        try:
            return self._handler(request)
        except Exception:
            LOG.exception("%s %s", request.method, request.path)
            return Response(500, b"The local X3 itself failed; see its log", "text/plain")

    async def _write(self, writer: asyncio.StreamWriter, response: Response, *, head_only: bool) -> None:
        if response.delay:
            await asyncio.sleep(response.delay)
        if response.reset:
            return
        parts = [] if head_only else _parts(response)
        writer.write(self._head(response) + b"".join(parts[:1]))
        await writer.drain()
        for part in parts[1:]:
            await asyncio.sleep(response.pause)
            writer.write(part)
            await writer.drain()

    def _head(self, response: Response) -> bytes:
        length = "Transfer-Encoding: chunked" if response.chunked else f"Content-Length: {len(response.body)}"
        lines = [
            f"HTTP/1.1 {response.status} {_phrase(response.status)}",
            f"Date: {formatdate(self._now(), usegmt=True)}",
            f"Content-Type: {response.content_type}",
            length,
            *(f"{name}: {value}" for name, value in response.headers.items()),
        ]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _parts(response: Response) -> list[bytes]:
    """Cut a body into the parts that are sent one by one."""
    body = response.body if response.cut_at is None else response.body[: response.cut_at]
    if response.pieces == 1 and not response.chunked:
        return [body]
    size = max(1, -(-len(body) // response.pieces))
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    if not response.chunked:
        return parts
    return [*(b"%x\r\n%b\r\n" % (len(part), part) for part in parts), b"0\r\n\r\n"]


def _not_ready(_: Request) -> Response:
    return Response(503, b"not ready", "text/plain")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def _reset(writer: asyncio.StreamWriter) -> None:
    """Make close send RST instead of FIN: the client sees a connection reset."""
    connection = writer.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if writer.get_extra_info("ssl_object") is not None:
            writer.transport.abort()  # TLS would say good-bye first


async def _read_request(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = await _read_head(reader)
    except asyncio.IncompleteReadError as problem:
        if problem.partial:
            raise
        return None
    except asyncio.LimitOverrunError as problem:
        raise _too_large(await reader.read(problem.consumed)) from None
    first, *lines = head.split("\r\n")
    parts = first.split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        msg = "malformed request line"
        raise BadRequestError(msg)
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in lines if line)
    }
    path, _, query = parts[1].partition("?")
    asked = headers.get("connection", "").lower()
    keeps_open = asked == "keep-alive" if parts[2] == "HTTP/1.0" else asked != "close"
    body = await _read_body(reader, headers)
    return Request(parts[0], path, query, headers, body, keeps_open=keeps_open)


async def _read_head(reader: asyncio.StreamReader) -> str:
    """Wait for a request as long as it takes, but not for the rest of one that has begun.

    Raises:
        BadRequestError: it is TLS, or did not end in time.
    """
    first = await reader.readexactly(1)
    if first == TLS_HELLO:
        msg = "this port speaks plain HTTP, not TLS"
        raise BadRequestError(msg)
    try:
        async with asyncio.timeout(HEAD_SECONDS):
            return (first + await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except TimeoutError:
        msg = "the head of the request did not end in time"
        raise BadRequestError(msg, HTTPStatus.REQUEST_TIMEOUT) from None


def _too_large(head: bytes) -> BadRequestError:
    """Say whether it is the address or the headers."""
    if b"\r\n" in head:
        return BadRequestError("headers are too large", HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
    return BadRequestError("the address is too long", HTTPStatus.REQUEST_URI_TOO_LONG)


async def _drain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read on for a moment what the client still sends.

    Closing with unread bytes would reset the connection, and the client might never see the answer.
    """
    with contextlib.suppress(OSError):  # of a client that has gone, and TimeoutError
        if writer.can_write_eof():  # TLS has no half-closed connections
            writer.write_eof()
        async with asyncio.timeout(LINGER):
            while await reader.read(MAX_HEAD):
                pass


async def _read_body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if "transfer-encoding" in headers:
        msg = "send a Content-Length instead of a chunked body"
        raise BadRequestError(msg)
    text = headers.get("content-length", "0")
    if not text.isascii() or not text.isdigit() or int(text) > MAX_BODY:
        msg = "Content-Length is not a number or too large"
        raise BadRequestError(msg)
    return await reader.readexactly(int(text))
