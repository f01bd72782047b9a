"""Command-line options of the GraphQL API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from local_x3.graphql.names import RELEASES, Names

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

NEW = Names()
DEFAULT_SECONDS = (
    120.0  # no limit is published; web servers in front have one, 120 s is a client's choice [C]
)


@dataclass(frozen=True, slots=True)
class Options:
    """How the API shows itself."""

    names: Names = NEW
    seconds: float = DEFAULT_SECONDS

    @staticmethod
    def of(found: argparse.Namespace) -> Options:
        """Take what `add_arguments` added."""
        return Options(Names(found.graphql_names), found.graphql_timeout)


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
    ]  # fmt: skip


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < 1e6:
        raise ValueError(text)
    return value
