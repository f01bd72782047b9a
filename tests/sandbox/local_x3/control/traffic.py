"""Commands on requests and answers: faults, counters, links."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, ClassVar

import msgspec

from local_x3.control.registry import Command, perform
from local_x3.faults.rules import Armed, Rule

if TYPE_CHECKING:
    from local_x3.control.state import State


class SetFaults(Command, tag="faults", kw_only=True):
    """Replace all rules in force; an empty list ends every fault."""

    reads_only: ClassVar[bool] = True
    rules: list[Rule] = msgspec.field(default_factory=list)

    def run(self, state: State) -> object:
        """Return the number of rules."""
        state.faults.set([_armed(rule, state) for rule in self.rules])
        return {"rules": len(self.rules)}


def _armed(rule: Rule, state: State) -> Armed:
    """Check the commands of a rule now, not when it strikes."""
    before, after = (
        [partial(perform, state.parse(raw), state) for raw in group] for group in (rule.before, rule.after)
    )
    return Armed(rule, before, after)


class Counters(Command, tag="counters"):
    """Return requests by kind and by status, `requests`, `replayed`, `writes_refused` (by kind, too)."""

    reads_only: ClassVar[bool] = True

    def run(self, state: State) -> object:
        """Return the counters."""
        return dict(state.counters)


class ResetCounters(Command, tag="reset_counters"):
    """Start counting from zero."""

    reads_only: ClassVar[bool] = True

    def run(self, state: State) -> object:
        """Forget the counts."""
        state.counters.clear()
        return {}


class WritesRefused(Command, tag="writes_refused"):
    """Return the attempts to write since the server started, by kind and method; nothing resets them."""

    reads_only: ClassVar[bool] = True

    def run(self, state: State) -> object:
        """Return the counts."""
        return dict(state.writes_refused)


class Replay(Command, tag="replay", kw_only=True):
    """Switch the replay of computed answers on or off; with nothing given, only tell how much is kept."""

    reads_only: ClassVar[bool] = True
    enabled: bool | None = None

    def run(self, state: State) -> object:
        """Return what is kept now."""
        replay = state.replay
        if self.enabled is not None:
            replay.enabled = self.enabled
            replay.clear()
        return {"enabled": replay.enabled, "answers": len(replay.bodies), "bytes": replay.size}


class Latency(Command, tag="latency"):
    """Answer each request `milliseconds` later; 0 ends it."""

    reads_only: ClassVar[bool] = True
    milliseconds: Annotated[int, msgspec.Meta(ge=0)] = 0

    def run(self, state: State) -> object:
        """Keep it."""
        state.latency = self.milliseconds / 1000
        return {}


class Links(Command, tag="links"):
    """Make absolute links name another `origin` (`http://host:port`); an empty one ends it."""

    origin: str = ""

    def run(self, state: State) -> object:
        """Keep the origin."""
        state.link_origin = self.origin
        return {}


COMMANDS = (SetFaults, Counters, ResetCounters, WritesRefused, Replay, Latency, Links)
