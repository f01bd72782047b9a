"""Any interleaving of changes, late commits, ties, page sizes, crashes and runs ends with equal sides."""

from __future__ import annotations

import random
import typing as t
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from interleaving_families import FAMILIES
from interleavings import Site, World
from tap_runs import catalog_of, config_for
from tap_sagex3 import tap
from tap_sagex3.entity_files import load_entities
from tap_sagex3.graphql.client import GraphqlClient
from tap_sagex3.sync import context as pace
from x3_control import X3Control
from x3_servers import local_x3

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from interleavings import Action
    from processes import Server
    from tap_runs import Config, Record
    from tap_sagex3.declarations import Entity

    Answer = dict[str, t.Any]

SOME, MANY = 25, 500
CHANGES = ["header", "line", "new", "add", "remove"]
NAMES = [
    *(f"{when} {change}".strip() for when in ("", "late", "amid") for change in CHANGES),
    *["run", "run", "run", "cut", "cut", "break", "break", "ties", "commit", "rollback", "tick", "tick"],
]


def drawn(number: int) -> tuple[Site, list[Action]]:
    """An interleaving by its number: lists that hypothesis makes of single actions are much alike."""
    chance = random.Random(number)  # noqa: S311 - test data
    site = Site(
        chance.choice(["rest", "graphql"]), chance.choice(sorted(FAMILIES)), told=chance.random() < 1 / 2
    )
    names = chance.choices(NAMES, k=chance.randint(8, 18))
    return site, [(name, chance.randint(0, 400), chance.randint(0, 12)) for name in names]


INTERLEAVINGS = st.integers(0, 2**32 - 1).map(drawn)


class Source:
    """A local X3 of its own: its clock stands still and its data are put back for each interleaving."""

    def __init__(self, running: Server, control: X3Control) -> None:
        """Nothing is asked yet."""
        self._running = running
        self._control = control
        self._schema: dict[str, Answer] = {}
        self._catalogs: dict[tuple[str, str], Record] = {}
        self._ask = GraphqlClient.introspect

    def check(self, site: Site, actions: list[Action]) -> None:
        """Do all that happens, and look at both sides."""
        config = config_for(self._running, site.api)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pace, "STATE_EVERY", 5)
            patch.setattr(tap, "load_entities", lambda: _entities(FAMILIES[site.family].streams))
            patch.setattr(GraphqlClient, "introspect", self._asking_once())
            world = World(self._control, config, self._catalog(config, site), site)
            for action in actions:
                world.act(action)
            world.finish()

    def _asking_once(self) -> Callable[[GraphqlClient, str], Answer]:
        """The schema is asked for once: it takes most of the time, and faults should strike reads."""

        def introspect(client: GraphqlClient, query: str) -> Answer:
            if query not in self._schema:
                self._schema[query] = self._ask(client, query)
            return self._schema[query]

        return introspect

    def _catalog(self, config: Config, site: Site) -> Record:
        streams = FAMILIES[site.family].streams
        if (site.api, site.family) not in self._catalogs:
            whole = catalog_of(config, *streams)
            entries = [entry for entry in whole["streams"] if entry["stream"] in streams]
            self._catalogs[site.api, site.family] = {**whole, "streams": entries}
        return self._catalogs[site.api, site.family]


def _entities(streams: tuple[str, ...]) -> list[Entity]:
    """Those of the streams alone: each run would prepare all others, too, which takes half of its time."""
    needed = {*streams, "dimension_types"}
    return [
        entity for entity in load_entities() if needed.intersection(stream.name for stream in entity.streams)
    ]


@contextmanager
def source_of(scale: int) -> Iterator[Source]:
    with (
        local_x3("--port", "0", "--scale", str(scale), "--seed", "5") as running,
        X3Control(running.ready["url"]) as control,
    ):
        yield Source(running, control)
        control.reset()


@pytest.fixture(scope="module")
def source() -> Iterator[Source]:
    with source_of(12) as source:
        yield source


@pytest.fixture(scope="module")
def long_source() -> Iterator[Source]:
    """A source with more of everything, so that lists without lines are divided."""
    with source_of(3000) as source:
        yield source


def interleavings(number: int) -> settings:
    """So many interleavings, the same in each run; a failing one is printed."""
    return settings(
        max_examples=number,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


@interleavings(SOME)
@given(interleaving=INTERLEAVINGS)
def test_some_interleavings_end_with_equal_sides(
    source: Source, long_source: Source, interleaving: tuple[Site, list[Action]]
) -> None:
    check(source, long_source, interleaving)


@pytest.mark.full
@pytest.mark.timeout(1800)
@interleavings(MANY)
@given(interleaving=INTERLEAVINGS)
def test_many_interleavings_end_with_equal_sides(
    source: Source, long_source: Source, interleaving: tuple[Site, list[Action]]
) -> None:
    check(source, long_source, interleaving)


def check(source: Source, long_source: Source, interleaving: tuple[Site, list[Action]]) -> None:
    site, actions = interleaving
    note(f"{site}, {actions}")
    (long_source if FAMILIES[site.family].flat else source).check(site, actions)
