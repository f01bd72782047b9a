"""The cloud gateway of a local X3, for tests of the tap: configurations, and an own token endpoint."""

from __future__ import annotations

import json
import threading
import typing as t
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tap_sagex3.auth import CloudLogin
from tap_sagex3.settings import read_settings
from tap_sagex3.transport import Transport

if t.TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from processes import Server
    from tap_runs import Config
    from x3_control import X3Control

COUNT = "{ x3MasterData { supplier { query { totalCount } } } }"


def cloud_config(running: Server, x3: X3Control, folder: Path) -> Config:
    """Configuration of a new pairing, its tokens kept in a folder."""
    names = ("token_url", "client_id", "client_secret")
    return {
        **{name: running.ready["cloud"][name] for name in names},
        "server_url": running.ready["url"],
        "folder": running.ready["folder"],
        "auth": "cloud",
        "refresh_token": x3.pair()["refresh_token"],
        "token_store": str(folder / "tokens"),
        "max_retries": 2,
    }


def login_of(config: Config, **arguments: t.Any) -> CloudLogin:  # noqa: ANN401 - what CloudLogin takes
    """The login of a configuration, as a new process would have it."""
    return CloudLogin(read_settings(config), **arguments)


def suppliers(config: Config, login: CloudLogin | None = None) -> int:
    """Number of suppliers, asked through the gateway with a login."""
    transport = Transport(read_settings(config), "graphql", login=login)
    url = f"{config['server_url']}/v1/service/X3CLOUDV2_SEED/api"
    answer = transport.post(url, {"query": COUNT}, {})
    return int(answer.body["data"]["x3MasterData"]["supplier"]["query"]["totalCount"])


@dataclass
class Endpoint:
    """A token endpoint that answers as it is told: (status, headers, body) one after the other."""

    url: str
    answers: list[tuple[int, dict[str, str], bytes]]
    asked: list[dict[str, t.Any]] = field(default_factory=list)


class _Handler(BaseHTTPRequestHandler):
    endpoint: Endpoint

    def do_POST(self) -> None:
        """Send the next answer, the last one again and again; a longer Content-Length cuts it off."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.endpoint.asked.append(json.loads(body))
        answers = self.endpoint.answers
        status, headers, content = answers.pop(0) if len(answers) > 1 else answers[0]
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - signature of the library
        """Say nothing."""


@contextmanager
def token_endpoint(*answers: tuple[int, dict[str, str], bytes]) -> Iterator[Endpoint]:
    """Run a token endpoint of our own, for what the local X3 never says."""

    class Handler(_Handler):
        """The handler of this endpoint."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        endpoint = Endpoint(f"http://127.0.0.1:{server.server_port}/v1/token", list(answers))
        Handler.endpoint = endpoint
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield endpoint
        server.shutdown()
        thread.join()
