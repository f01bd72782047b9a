"""The command line of `python -m local_x3`; `sandbox up` and `sandbox run` take most of it too."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from local_x3.access.credentials import TOKENS_VALIDITY
from local_x3.cache import CACHED_VALUES
from local_x3.declarations import DEFAULT_FOLDER, DEFAULT_SITE
from local_x3.graphql import options as graphql_options
from local_x3.rest.site import read_site

TLS_FILES = 2  # certificate and key
Add = Callable[..., argparse.Action]


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="local_x3", description="A local Sage X3 for tests: api1 and Xtrem."
    )
    parser.add_argument("--port", type=int, default=0, help="0: chosen by the system")
    server_options(parser.add_argument)
    parser.add_argument("--stop-with-stdin", action="store_true", help="end when stdin is closed")
    options = parser.parse_args(argv)
    if problem := problem_of(options):
        parser.error(problem)
    return options


def server_options(add: Add) -> list[argparse.Action]:
    """Add what a server can be told; return the options, for `written`."""
    return [
        add("--x3-version", choices=("V11", "V12"), default="V12", help="V11 has no GraphQL API"),
        add("--folder", default="SEED", help="name of the endpoint (default SEED)"),
        *data_options(add),
        add(
            "--tokens-validity", type=positive, default=TOKENS_VALIDITY, metavar="S",
            help="longest life of a connected application's token, in seconds",
        ),
        add(
            "--link-origin", type=origin, metavar="URL",
            help="http://HOST:PORT that links name instead of this server, as behind a reverse proxy",
        ),
        add(
            "--replay", action="store_true",
            help="give an answer that was computed before, while no data change: for benchmarks",
        ),
        add(
            "--latency", type=milliseconds, default=0, metavar="MS",
            help="milliseconds before each answer, as of a distant server; they do not wait for one another",
        ),
        add(
            "--rest-site", type=site_file, metavar="FILE",
            help="TOML: REST side of a site, see tests/sandbox/local_x3/README.md",
        ),
        add(
            "--tls", type=Path, nargs=TLS_FILES, metavar=("CERT", "KEY"),
            help="PEM files of a certificate and its key: HTTPS in the place of HTTP",
        ),
        add(
            "--client-ca", type=Path, metavar="FILE",
            help="with --tls: PEM file of certificates, one of which must have signed the client's",
        ),
        *graphql_options.add_arguments(add),
    ]  # fmt: skip


def data_options(add: Add) -> list[argparse.Action]:
    """Add where data come from, what generated data may have besides, and how much is kept in memory."""
    return [
        add(
            "--scale", type=positive, default=200, metavar="N",
            help="number of GL entries (default 200); the rest is in proportion",
        ),
        add("--seed", type=int, default=1, metavar="S", help="seed of the generated data (default 1)"),
        add(
            "--fixture", type=Path, metavar="DIR",
            help="folder of raw REST answers to serve instead of generated data",
        ),
        add(
            "--entities", type=Path, default=DEFAULT_FOLDER, metavar="DIR",
            help="folder of the entity declarations",
        ),
        add(
            "--site", type=Path, default=DEFAULT_SITE, metavar="DIR",
            help="folder of the site's own columns and entities",
        ),
        add("--long-invoice", action="store_true", help="an invoice of 1,500 lines at any scale"),
        add(
            "--mass-update", type=positive, default=0, metavar="N",
            help="the last N GL entries share one second",
        ),
        add(
            "--unstamped", action="store_true",
            help="one document in 31 has no change stamp, as after an import",
        ),
        add(
            "--cached-values", type=positive, default=CACHED_VALUES, metavar="N",
            help="column values of built rows that are kept in memory, about 60 bytes each",
        ),
    ]  # fmt: skip


def problem_of(options: argparse.Namespace) -> str:
    """Say which folder or file is missing; nothing when all are there."""
    for name in ("fixture", "entities", "site"):
        folder = getattr(options, name)
        if folder is not None and not folder.is_dir():
            return f"--{name}: {folder} is not a folder"
    if options.client_ca and not options.tls:
        return "--client-ca needs --tls"
    for file in (*(options.tls or ()), *([options.client_ca] if options.client_ca else ())):
        if not file.is_file():
            return f"--tls, --client-ca: {file} is not a file"
    return ""


def written(options: argparse.Namespace, actions: list[argparse.Action]) -> list[str]:
    """Write options as a command line again, those that are not at their default."""
    found: list[str] = []
    for action in actions:
        value = getattr(options, action.dest)
        if value != action.default:
            found.append(action.option_strings[0])
            values = value if action.nargs == TLS_FILES else [value]
            found.extend([] if action.nargs == 0 else map(str, values))
    return found


def site_file(text: str) -> Path:
    """Check that a file describes a site."""
    try:
        read_site(Path(text).read_bytes())
    except (OSError, ValueError) as problem:
        message = f"{text}: {problem}"
        raise argparse.ArgumentTypeError(message) from None
    return Path(text)


def positive(text: str) -> int:
    """Read a number of at least 1."""
    value = int(text)
    if value < 1:
        raise ValueError(text)
    return value


def milliseconds(text: str) -> int:
    """Read a number of at least 0."""
    value = int(text)
    if value < 0:
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
