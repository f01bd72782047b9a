"""`python -m local_x3`: start the server, print one JSON line when ready, run until told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import secrets
import signal
import sys
import threading
import uuid
from typing import TYPE_CHECKING

from local_x3.access.cloud import Application, Gateway
from local_x3.access.cloud_http import AUTHORISE, TOKEN
from local_x3.access.credentials import Credentials
from local_x3.app import App
from local_x3.cache import Cache
from local_x3.clock import Clock
from local_x3.control.logins import CUSTOMER, SCOPES
from local_x3.data.fixture import FixtureData
from local_x3.data.generate import GeneratedData
from local_x3.data.world import Extras
from local_x3.declarations import load_sources
from local_x3.graphql import options as graphql_options
from local_x3.graphql.api import PATH
from local_x3.http_server import HttpServer
from local_x3.options import arguments
from local_x3.rest.site import read_site
from local_x3.store import Dataset, Store
from local_x3.tls import tls_context

if TYPE_CHECKING:
    from argparse import Namespace

REDIRECT_URI = "http://127.0.0.1/callback"


async def serve(options: Namespace) -> None:
    """Run the server until SIGTERM, SIGINT or the end of stdin."""
    clock = Clock()
    site = read_site(options.rest_site.read_bytes()) if options.rest_site else None
    if site is not None:
        clock.zone = site.zone
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
    tls = tls_context(options.tls, options.client_ca) if options.tls else None
    port = await server.bind(options.port, tls)
    url = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
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
            site=site,
            options=graphql_options.Options.of(options),
        )
    except ValueError as problem:  # a file of a site names something that there is not
        sys.exit(f"--rest-site or --graphql-site: {problem}")
    app.origin = url
    app.state.link_origin = app.state.link_origin_at_start = options.link_origin or ""
    app.state.replay.enabled = options.replay
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
        watch = threading.Thread(target=_until_end, args=(asyncio.get_running_loop(), stop), daemon=True)
        watch.start()
    await stop.wait()


def _until_end(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """Read stdin to its end, whatever it is: the event loop could not watch a file or /dev/null."""
    while os.read(sys.stdin.fileno(), 4096):
        pass
    with contextlib.suppress(RuntimeError):  # the loop has ended by itself
        loop.call_soon_threadsafe(stop.set)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(arguments()))
