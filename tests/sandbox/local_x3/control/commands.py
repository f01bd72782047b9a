"""`POST /_control`: what tests change and ask. Loopback only, no credentials; not part of Sage X3."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, ClassVar

import msgspec

from local_x3.control import (
    graphql_site,
    logins,
    mass,
    records,
    rest_site,
    site,
    time,
    traffic,
    transactions,
)
from local_x3.control.registry import Command, Commands, by_name, describe, perform
from local_x3.errors import ControlError

if TYPE_CHECKING:
    from local_x3.control.state import State


class Help(Command, tag="help"):
    """List all commands with their arguments."""

    reads_only: ClassVar[bool] = True

    def run(self, state: State) -> object:  # noqa: ARG002 - as every command
        """Return the list."""
        return {name: describe(command) for name, command in COMMANDS.items()}


COMMANDS: Commands = by_name(
    (Help,),
    records.COMMANDS,
    mass.COMMANDS,
    transactions.COMMANDS,
    time.COMMANDS,
    site.COMMANDS,
    rest_site.COMMANDS,
    graphql_site.COMMANDS,
    logins.COMMANDS,
    traffic.COMMANDS,
)  # a module more is a line more here


class _Head(msgspec.Struct):
    do: str


def parse(body: bytes | msgspec.Raw) -> Command:
    """Read one command and check its arguments.

    Raises:
        ControlError: the command or one of its arguments is not known, or of another type.
    """
    try:
        name = msgspec.json.decode(body, type=_Head).do
    except msgspec.ValidationError:
        name = ""
    except msgspec.DecodeError as problem:
        raise ControlError(str(problem)) from None
    if name not in COMMANDS:
        msg = f"do must be one of {', '.join(COMMANDS)}"
        raise ControlError(msg)
    try:
        return _decoder(name).decode(body)
    except msgspec.DecodeError as problem:
        msg = f"{name}: {problem}"
        raise ControlError(msg) from None


@cache
def _decoder(name: str) -> msgspec.json.Decoder[Command]:
    return msgspec.json.Decoder(COMMANDS[name], float_hook=Decimal)


def control(state: State, body: bytes) -> object:
    """Run one command and return its result.

    Raises:
        ControlError: as `parse`; or the command makes no sense with this data.
    """
    return perform(parse(body), state)
