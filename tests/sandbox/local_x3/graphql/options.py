"""Command-line options of the GraphQL API."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from local_x3.graphql.names import RELEASES, Names
from local_x3.graphql.site import GraphqlSite, read_site

if TYPE_CHECKING:
    from collections.abc import Callable

NEW = Names()
STANDARD = GraphqlSite()
DEFAULT_SECONDS = (
    120.0  # no limit is published; web servers in front have one, 120 s is a client's choice [C]
)


@dataclass(frozen=True, slots=True)
class Options:
    """How the API shows itself."""

    names: Names = NEW
    seconds: float = DEFAULT_SECONDS
    site: GraphqlSite = STANDARD

    @staticmethod
    def of(found: argparse.Namespace) -> Options:
        """Take what `add_arguments` added."""
        site = read_site(found.graphql_site.read_bytes()) if found.graphql_site else STANDARD
        return Options(Names(found.graphql_names), found.graphql_timeout, site)


def add_arguments(add: Callable[..., argparse.Action]) -> list[argparse.Action]:
    """Add the options to a command line and return them."""
    return [
        add(
            "--graphql-names", choices=RELEASES, default="new",
            help="names of GraphQL packages and properties: since 2023 R2 (new), 2022 R3, or before (old)",
        ),
        add(
            "--graphql-timeout", type=_seconds, default=DEFAULT_SECONDS, metavar="S",
            help="seconds of computing after which a GraphQL request ends with 504",
        ),
        add(
            "--graphql-site", type=_site_file, metavar="FILE",
            help="TOML: GraphQL side of a site, see tests/sandbox/local_x3/README.md",
        ),
    ]  # fmt: skip


def _site_file(text: str) -> Path:
    """Check that a file describes a site."""
    try:
        read_site(Path(text).read_bytes())
    except (OSError, ValueError) as problem:
        message = f"{text}: {problem}"
        raise argparse.ArgumentTypeError(message) from None
    return Path(text)


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < 1e6:
        raise ValueError(text)
    return value
