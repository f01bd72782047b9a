"""`python -m local_x3`: start the server, print one JSON line when ready, run until told to stop."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import secrets
import signal
import sys
import uuid
from pathlib import Path
from urllib.parse import urlsplit

from local_x3.access.cloud import Application, Gateway
from local_x3.access.cloud_http import AUTHORISE, TOKEN
from local_x3.access.credentials import TOKENS_VALIDITY, Credentials
from local_x3.app import App
from local_x3.cache import CACHED_VALUES, Cache
from local_x3.clock import Clock
from local_x3.control.logins import CUSTOMER, SCOPES
from local_x3.data.fixture import FixtureData
from local_x3.data.generate import GeneratedData
from local_x3.data.world import Extras
from local_x3.declarations import DEFAULT_FOLDER, DEFAULT_SITE, load_sources
from local_x3.graphql import options as graphql_options
from local_x3.graphql.api import PATH
from local_x3.http_server import HttpServer
from local_x3.rest.site import Site, read_site
from local_x3.store import Dataset, Store

REDIRECT_URI = "http://127.0.0.1/callback"


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="local_x3", description="A local Sage X3 for tests: api1 and Xtrem."
    )
    parser.add_argument("--port", type=int, default=0, help="0: chosen by the system")
    parser.add_argument("--x3-version", choices=("V11", "V12"), default="V12", help="V11 has no GraphQL API")
    parser.add_argument("--folder", default="SEED", help="name of the endpoint")
    data_options(parser)
    parser.add_argument(
        "--tokens-validity", type=positive, default=TOKENS_VALIDITY,
        help="longest life of a connected application's token, in seconds",
    )  # fmt: skip
    parser.add_argument(
        "--link-origin", type=origin,
        help="http://host:port that absolute links name instead of this server, as behind a reverse proxy",
    )  # fmt: skip
    parser.add_argument(
        "--replay", action="store_true", help="give an answer that was computed before, while no data change"
    )
    parser.add_argument(
        "--rest-site", type=site_file, metavar="FILE", help="TOML: what the REST side has, see README.md"
    )
    graphql_options.add_arguments(parser)
    parser.add_argument("--stop-with-stdin", action="store_true", help="end when stdin is closed")
    options = parser.parse_args(argv)
    for name in ("fixture", "entities", "site"):
        folder = getattr(options, name)
        if folder is not None and not folder.is_dir():
            parser.error(f"--{name}: {folder} is not a folder")
    return options


def data_options(parser: argparse.ArgumentParser) -> None:
    """Add where data come from, what generated data may have besides, and how much is kept in memory."""
    parser.add_argument(
        "--scale", type=positive, default=200, help="number of GL entries; the rest is in proportion"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--fixture", type=Path, help="folder of raw REST answers to serve instead of generated data"
    )
    parser.add_argument(
        "--entities", type=Path, default=DEFAULT_FOLDER, help="folder of the entity declarations"
    )
    parser.add_argument(
        "--site", type=Path, default=DEFAULT_SITE, help="folder of the site's own columns and entities"
    )
    parser.add_argument("--long-invoice", action="store_true", help="an invoice of 1,500 lines at any scale")
    parser.add_argument(
        "--mass-update", type=positive, default=0, metavar="N", help="the last N GL entries share one second"
    )
    parser.add_argument(
        "--unstamped", action="store_true", help="one document in 31 has no change stamp, as after an import"
    )
    parser.add_argument(
        "--cached-values", type=positive, default=CACHED_VALUES, metavar="N",
        help="column values of built rows that are kept in memory, about 60 bytes each",
    )  # fmt: skip


def site_file(text: str) -> Site:
    """Read what a site is like."""
    try:
        return read_site(Path(text).read_bytes())
    except (OSError, ValueError) as problem:
        message = f"{text}: {problem}"
        raise argparse.ArgumentTypeError(message) from None


def positive(text: str) -> int:
    """Read a number of at least 1."""
    value = int(text)
    if value < 1:
        raise ValueError(text)
    return value


def origin(text: str) -> str:
    """Read `http://host` or `https://host:port`, without a path."""
    parts = urlsplit(text)
    if (
        parts.scheme not in {"http", "https"}
        or not parts.hostname
        or f"{parts.scheme}://{parts.netloc}" != text
    ):
        raise ValueError(text)
    return text


async def serve(options: argparse.Namespace) -> None:
    """Run the server until SIGTERM, SIGINT or the end of stdin."""
    clock = Clock()
    sources = load_sources(options.entities, options.site)
    extras = Extras(options.long_invoice, options.mass_update, options.unstamped)
    data: Dataset = (
        FixtureData(options.fixture)
        if options.fixture
        else GeneratedData(sources, options.scale, options.seed, clock, extras)
    )
    cache = Cache(options.cached_values)
    stores = [Store(source, data, cache) for source in sources]
    server = HttpServer(clock.seconds)
    port = await server.bind(options.port)
    url = f"http://127.0.0.1:{port}"
    credentials = Credentials(
        username="INTERFACE",
        password=secrets.token_urlsafe(18),
        client_id=secrets.token_hex(16),
        client_secret=secrets.token_urlsafe(36),
        allowed_user="INTERFACE",
        audience=url + PATH,
        tokens_validity=options.tokens_validity,
    )
    xtrem = options.x3_version == "V12"
    gateway = make_gateway(port, clock) if xtrem else None
    try:
        app = App(
            stores,
            options.folder,
            credentials,
            clock,
            gateway=gateway,
            xtrem=xtrem,
            site=options.rest_site,
        )
    except ValueError as problem:  # the file names a class that there is not
        sys.exit(f"--rest-site: {problem}")
    app.origin = url
    app.state.link_origin = app.state.link_origin_at_start = options.link_origin or ""
    app.state.replay.enabled = options.replay
    if app.graphql is not None:
        app.graphql.options = graphql_options.Options.of(options)
    gc.freeze()  # what is here now stays; collecting it again and again would cost a third of the time
    gc.set_threshold(50_000, 20, 100)
    await server.serve(app.handle)
    stop = stop_on_signals()  # before the ready line: a starter may end us at once
    ready = ready_line(url, options.folder, credentials)
    print(json.dumps({**ready, "cloud": cloud_ready(url, gateway)}), flush=True)
    await stopped(stop, with_stdin=options.stop_with_stdin)
    server.stop()


def make_gateway(port: int, clock: Clock) -> Gateway:
    """Make the cloud gateway of this server, with one registered application and one customer."""
    application = Application(str(uuid.uuid4()), secrets.token_urlsafe(36), {REDIRECT_URI})
    return Gateway(f"127.0.0.1:{port}", clock, application, {CUSTOMER})


def cloud_ready(url: str, gateway: Gateway | None) -> dict[str, object] | None:
    """Return what a client of the cloud gateway needs, a first pairing included; None without a gateway."""
    if gateway is None:
        return None
    return {
        "token_url": url + TOKEN,
        "authorise_url": url + AUTHORISE,
        "customer": CUSTOMER,
        "redirect_uri": REDIRECT_URI,
        "client_id": gateway.application.client_id,
        "client_secret": gateway.application.client_secret,
        "refresh_token": gateway.pair(CUSTOMER, SCOPES)["refresh_token"],
    }


def ready_line(url: str, folder: str, credentials: Credentials) -> dict[str, object]:
    """Return what a starter needs to know."""
    return {
        "ready": True,
        "url": url,
        "folder": folder,
        "username": credentials.username,
        "password": credentials.password,
        "client_id": credentials.client_id,
        "client_secret": credentials.client_secret,
        "allowed_user": credentials.allowed_user,
        "audience": credentials.audience,
    }


def stop_on_signals() -> asyncio.Event:
    """Return an event that SIGTERM and SIGINT set."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def stopped(stop: asyncio.Event, *, with_stdin: bool) -> None:
    """Wait for the event, or for the end of stdin."""
    if with_stdin:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        watcher = asyncio.create_task(_until_end(reader, stop))
        await stop.wait()
        watcher.cancel()
        return
    await stop.wait()


async def _until_end(reader: asyncio.StreamReader, stop: asyncio.Event) -> None:
    while await reader.read(4096):
        pass
    stop.set()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(arguments()))
