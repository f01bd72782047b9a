"""Commands on requests and answers: faults, counters, links."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import msgspec

from local_x3.control.registry import Command
from local_x3.faults import Rule  # noqa: TC001 - msgspec reads it when it decodes

if TYPE_CHECKING:
    from local_x3.control.state import State


class SetFaults(Command, tag="faults"):
    """Replace all rules in force; an empty list ends every fault."""

    rules: list[Rule] = msgspec.field(default_factory=list)

    def run(self, state: State) -> object:
        """Return the number of rules."""
        state.faults.rules = self.rules
        return {"rules": len(self.rules)}


class Counters(Command, tag="counters"):
    """Return requests by kind and by status, `requests` and `writes_refused`."""

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


class Links(Command, tag="links"):
    """Make absolute links name another `origin` (`http://host:port`); an empty one ends it."""

    origin: str = ""

    def run(self, state: State) -> object:
        """Keep the origin."""
        state.link_origin = self.origin
        return {}


COMMANDS = (SetFaults, Counters, ResetCounters, Links)
