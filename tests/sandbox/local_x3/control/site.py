"""Commands on what differs from site to site."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from local_x3.control.places import stores_of
from local_x3.control.registry import Command

if TYPE_CHECKING:
    from local_x3.control.state import State

StampColumn = Literal["UPDDATTIM", "UPDDAT"]


class Expose(Command, tag="expose"):
    """Choose which `stamps` a class shows in REST: UPDDATTIM, UPDDAT, both or none."""

    rest_class: str = msgspec.field(name="class")
    stamps: list[StampColumn]

    def run(self, state: State) -> object:
        """Keep the choice."""
        shown = tuple(stamp for stamp in ("UPDDATTIM", "UPDDAT") if stamp in self.stamps)
        for store in stores_of(state, self.rest_class):
            state.rest.stamps[store.source.rest_class] = shown
        return {}


class Reset(Command, tag="reset"):
    """Undo everything that tests have changed: data, clock, faults, counters, logins, site, links.

    Open transactions are rolled back. The writes that were refused stay counted, and so do pairings.
    """

    def run(self, state: State) -> object:
        """Set back."""
        state.transactions.clear()
        state.locked.clear()
        state.transactions_begun = 0
        for store in state.stores:
            store.reset()
        state.clock.reset()
        state.faults.set([])
        state.counters.clear()
        state.credentials.reset()
        if state.gateway is not None:
            state.gateway.reset()
        state.link_origin = state.link_origin_at_start
        state.rest.reset()
        if state.graphql is not None:
            state.graphql.reset()
        return {}


COMMANDS = (Expose, Reset)
