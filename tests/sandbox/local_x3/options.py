"""The command line of `python -m local_x3`."""

from __future__ import annotations

import argparse
from pathlib import Path
from urllib.parse import urlsplit

from local_x3.access.credentials import TOKENS_VALIDITY
from local_x3.cache import CACHED_VALUES
from local_x3.declarations import DEFAULT_FOLDER, DEFAULT_SITE
from local_x3.graphql import options as graphql_options
from local_x3.rest.site import Site, read_site


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
