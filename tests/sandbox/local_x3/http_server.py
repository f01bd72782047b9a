"""A small HTTP/1.1 server on asyncio streams: keep-alive, bodies by Content-Length, and faults at the socket."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus

MAX_HEAD = 64 * 1024
MAX_BODY = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Request:
    """A request; header names are lower case, `path` is as sent, without the query."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class Response:
    """An answer, and how to spoil its way: cut it off, send it slowly, or reset the connection."""

    status: int
    body: bytes
    content_type: str = "application/json; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)
    cut_at: int | None = None  # send only so many bytes of the body, then reset
    delay: float = 0.0  # seconds before the answer
    reset: bool = False  # no answer at all


Handler = Callable[[Request], Response]


class BadRequest(Exception):
    """Something that is not an HTTP request."""


class HttpServer:
    """Serves one handler; it is called in the event loop, one request at a time."""

    def __init__(self, handler: Handler, now: Callable[[], float]) -> None:
        """Keep the handler and the clock of the Date header."""
        self._handler = handler
        self._now = now
        self._server: asyncio.Server | None = None

    async def start(self, port: int) -> int:
        """Listen on the loopback interface only; return the port (chosen by the system when 0)."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port, limit=MAX_HEAD)
        return int(self._server.sockets[0].getsockname()[1])

    def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (request := await _read_request(reader)) is not None:
                response = self._handler(request)
                await self._write(writer, response, head_only=request.method == "HEAD")
                if response.reset or response.cut_at is not None:
                    _reset(writer)
                    return
                if request.headers.get("connection", "").lower() == "close":
                    return
        except BadRequest as problem:
            writer.write(
                self._head(Response(400, str(problem).encode(), "text/plain")) + str(problem).encode()
            )
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return  # the client went away
        finally:
            writer.close()

    async def _write(self, writer: asyncio.StreamWriter, response: Response, *, head_only: bool) -> None:
        if response.delay:
            await asyncio.sleep(response.delay)
        if response.reset:
            return
        body = response.body if response.cut_at is None else response.body[: response.cut_at]
        writer.write(self._head(response) + (b"" if head_only else body))
        await writer.drain()

    def _head(self, response: Response) -> bytes:
        lines = [
            f"HTTP/1.1 {response.status} {_phrase(response.status)}",
            f"Date: {formatdate(self._now(), usegmt=True)}",
            f"Content-Type: {response.content_type}",
            f"Content-Length: {len(response.body)}",
            *(f"{name}: {value}" for name, value in response.headers.items()),
        ]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


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


async def _read_request(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError as problem:
        if problem.partial:
            raise
        return None
    first, *lines = head.split("\r\n")
    parts = first.split(" ")
    if len(parts) != 3:
        msg = "malformed request line"
        raise BadRequest(msg)
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in lines if line)
    }
    path, _, query = parts[1].partition("?")
    return Request(parts[0], path, query, headers, await _read_body(reader, headers))


async def _read_body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if "transfer-encoding" in headers:
        msg = "send a Content-Length instead of a chunked body"
        raise BadRequest(msg)
    text = headers.get("content-length", "0")
    if not text.isascii() or not text.isdigit() or int(text) > MAX_BODY:
        msg = "Content-Length is not a number or too large"
        raise BadRequest(msg)
    return await reader.readexactly(int(text))
