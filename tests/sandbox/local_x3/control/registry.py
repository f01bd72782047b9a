"""What a control command is: a struct whose fields are its arguments, checked by their types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, get_args

import msgspec

if TYPE_CHECKING:
    from local_x3.control.state import State


class Command(msgspec.Struct, tag_field="do", forbid_unknown_fields=True, kw_only=True):
    """One command. Its tag is the `do` of the request; its docstring is what `help` shows."""

    reads_only: ClassVar[bool] = False
    """Says that answers of the APIs are the same before and after it."""

    def run(self, state: State) -> object:
        """Do it and return what the client gets.

        Raises:
            ControlError: the command makes no sense with this data.
        """
        raise NotImplementedError


Commands = dict[str, type[Command]]


def perform(command: Command, state: State) -> object:
    """Run a command; answers that were computed before it are not given again, unless it only reads."""
    if not command.reads_only:
        state.site += 1
    return command.run(state)


def by_name(*groups: tuple[type[Command], ...]) -> Commands:
    """Return all commands of several groups by their `do`; two with one name are a mistake of ours."""
    found: Commands = {}
    for command in (item for group in groups for item in group):
        name = name_of(command)
        if name in found:
            msg = f"two control commands are named {name}"
            raise ValueError(msg)
        found[name] = command
    return found


def name_of(command: type[Command]) -> str:
    """Return the `do` of a command."""
    return str(command.__struct_config__.tag)


def describe(command: type[Command]) -> dict[str, Any]:
    """Return what a command does and its arguments with their types."""
    text = " ".join((command.__doc__ or "").split())
    return {"what": text, "arguments": _arguments(command)}


def _arguments(struct: type[msgspec.Struct]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in msgspec.structs.fields(struct):
        inner = next((kind for kind in get_args(field.type) if isinstance(kind, type)), None)
        if inner and issubclass(inner, msgspec.Struct):  # a list of rules: each has arguments of its own
            found[field.encode_name] = [_arguments(inner)]
            continue
        shown = _type_text(field.type)
        found[field.encode_name] = f"{shown}, required" if field.required else shown
    return found


def _type_text(kind: object) -> str:
    text = kind.__name__ if isinstance(kind, type) and not hasattr(kind, "__args__") else str(kind)
    for removed in ("typing.", "msgspec.", "local_x3.faults.rules.", " | UnsetType", "_core."):
        text = text.replace(removed, "")
    return text
