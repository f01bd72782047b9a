"""Commands on what the REST side of a site is like: classes, representations, filters, sharp edges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET, UnsetType

from local_x3.control.registry import Command
from local_x3.errors import ControlError
from local_x3.rest.site import Site

if TYPE_CHECKING:
    from local_x3.control.state import State


class SetRestSite(Command, tag="rest_site"):
    """Change what is given of the REST site; return all of it, and how many documents were built so far."""

    absent: list[str] | UnsetType = UNSET
    prototypes: bool | UnsetType = UNSET
    both_kinds: bool | UnsetType = UNSET
    representations: dict[str, dict[str, list[str]]] | UnsetType = UNSET
    stamps: dict[str, list[str]] | UnsetType = UNSET
    filters: dict[str, dict[str, str]] | UnsetType = UNSET
    quirks: dict[str, Any] | UnsetType = UNSET
    utc_offset: str | UnsetType = UNSET
    licences: int | UnsetType = UNSET
    bare_last_page: bool | UnsetType = UNSET
    line_classes: dict[str, str] | UnsetType = UNSET

    def run(self, state: State) -> object:
        """Be that site from now on."""
        given = msgspec.to_builtins(self)
        del given["do"]
        try:
            state.rest.use_site(msgspec.convert({**msgspec.to_builtins(state.rest.site), **given}, Site))
        except ValueError as problem:
            raise ControlError(str(problem)) from None
        built = {store.source.rest_class: store.built for store in state.rest.stores.values()}
        return {"site": state.rest.site, "documents_built": built}


COMMANDS = (SetRestSite,)
