"""Commands on the server's clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_x3.clock import parse_stamp
from local_x3.control.registry import Command
from local_x3.errors import ControlError

if TYPE_CHECKING:
    from local_x3.control.state import State

EARLIEST, LATEST = 0, 7_258_118_400  # 1970 and 2200: what a Date header and a stamp can show


class Clock(Command, tag="clock", kw_only=True):
    """`set` the clock (it stands still when `frozen`), `advance` it by seconds, or `reset` it to real time.

    Returns `now`.
    """

    set: str | None = None
    frozen: bool = False
    advance: float = 0.0
    reset: bool = False

    def run(self, state: State) -> object:
        """Return what the clock shows."""
        if self.set is not None:
            try:
                state.clock.set(parse_stamp(self.set), frozen=self.frozen)
            except ValueError as problem:
                raise ControlError(str(problem)) from None
        state.clock.advance(self.advance)
        if not EARLIEST <= state.clock.seconds() < LATEST:
            state.clock.reset()
            msg = "the clock can show 1970 to 2199; it shows real time again"
            raise ControlError(msg)
        if self.reset:
            state.clock.reset()
        return {"now": state.clock.stamp()}


COMMANDS = (Clock,)
