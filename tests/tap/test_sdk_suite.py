"""The SDK's standard tests for taps, with both APIs, against the hand-written fixture."""

from __future__ import annotations

import atexit
import functools
import json
import typing as t
from decimal import Decimal
from types import SimpleNamespace

import pytest
from processes import ROOT, start_server
from singer_sdk.testing import SuiteConfig, get_tap_test_class, runners
from tap_runs import config_for
from tap_sagex3.tap import TapSageX3
from x3_servers import check_read_only

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from singer_sdk import Stream

# The SDK asks the tap for its streams while tests are collected, so the server has to run by then.
SERVER = start_server("local_x3", "--port", "0", "--fixture", str(ROOT / "tests" / "support" / "fixture"))
atexit.register(SERVER.stop)


@pytest.fixture(scope="module", autouse=True)
def _nothing_is_written() -> Iterator[None]:
    yield
    check_read_only(SERVER.ready["url"])


class WholeTap(TapSageX3):
    """The tap with all of its streams selected: the suite takes them so."""

    def discover_streams(self) -> Sequence[Stream]:
        """Select the control streams too."""
        streams = super().discover_streams()
        for stream in streams:
            stream.selected_by_default = True
        return streams


class ExactNumber(float):
    """A JSON number that the suite sees as float, and whose remainder is exact.

    The suite reads records as binary floats, with which `0.3` is no multiple of `0.0001`.
    """

    def __new__(cls, text: str) -> t.Self:
        """Keep the digits beside the float."""
        self = super().__new__(cls, text)
        self.exact = Decimal(text)
        return self

    exact: Decimal

    def __mod__(self, other: t.Any) -> t.Any:  # noqa: ANN401 - any number
        """Remainder of the digits."""
        return self.exact % other


@pytest.fixture(scope="module", autouse=True)
def _exact_numbers() -> Iterator[None]:
    patch = pytest.MonkeyPatch()
    loads = functools.partial(json.loads, parse_float=ExactNumber)
    patch.setattr(runners, "json", SimpleNamespace(loads=loads))
    yield
    patch.undo()


def suite_for(api: str) -> type:
    return get_tap_test_class(
        WholeTap,
        config=config_for(SERVER, api),
        suite_config=SuiteConfig(),
        parse_env_config=False,
    )


class TestRest(suite_for("rest")):  # type: ignore[misc]
    """REST with Basic authentication."""


class TestGraphql(suite_for("graphql")):  # type: ignore[misc]
    """GraphQL with a connected application."""
