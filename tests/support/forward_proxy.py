"""A small forward proxy: tunnels (CONNECT) and absolute addresses, and a note of what came."""

from __future__ import annotations

import http.client
import select
import socket
import threading
import typing as t
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

if t.TYPE_CHECKING:
    from collections.abc import Iterator

HOP_BY_HOP = {"connection", "proxy-authorization", "proxy-connection", "keep-alive", "transfer-encoding"}


@dataclass
class ForwardProxy:
    """A running proxy. `seen` holds method, target and header names of each request that it read itself."""

    url: str
    login: str = ""  # the Proxy-Authorization that is needed, when any
    seen: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: ForwardProxy

    def do_CONNECT(self) -> None:
        """Tunnel bytes both ways until one side ends."""
        if not self._allowed():
            return
        host, _, port = self.path.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=10) as there:
            self.send_response(200)
            self.end_headers()
            self._tunnel(there)
        self.close_connection = True

    def do_GET(self) -> None:
        """Forward a request with an absolute address."""
        if not self._allowed():
            return
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
        connection.request(
            self.command, f"{parts.path}?{parts.query}" if parts.query else parts.path, body, headers
        )
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def do_POST(self) -> None:
        """Forward a request with a body."""
        self.do_GET()

    def _allowed(self) -> bool:
        self.proxy.seen.append((self.command, self.path, dict(self.headers)))
        if self.proxy.login in {"", self.headers.get("Proxy-Authorization")}:
            return True
        self.send_response(407)
        self.send_header("Proxy-Authenticate", "Basic")
        self.send_header("Content-Length", "0")
        self.end_headers()
        return False

    def _tunnel(self, there: socket.socket) -> None:
        here = self.connection
        while True:
            for ready in select.select([here, there], [], [], 20)[0]:
                data = ready.recv(65536)
                if not data:
                    return
                (there if ready is here else here).sendall(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - signature of the library
        """Say nothing."""


@contextmanager
def forward_proxy(login: str = "") -> Iterator[ForwardProxy]:
    """Run a proxy on a free port of the loopback interface."""

    class Handler(_Handler):
        """The handler of this proxy."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        proxy = ForwardProxy(f"http://127.0.0.1:{server.server_port}", login)
        Handler.proxy = proxy
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield proxy
        server.shutdown()
        thread.join()
