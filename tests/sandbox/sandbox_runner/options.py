"""Command line of `sandbox`: two commands that share their options, those of the local X3 among them."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from local_x3.options import problem_of, server_options, written

LOGINS = ("basic", "connected_app", "cloud")
DEFAULT_LOGIN = {"V11": "basic", "V12": "connected_app"}


@dataclass(frozen=True)
class Options:
    """What the person asked for; `x3` is for the local X3, `command` is empty for `sandbox up`."""

    x3_version: str
    x3: tuple[str, ...]
    persist: Path | None
    contract: str
    login: str
    command: tuple[str, ...]


def parse(arguments: list[str]) -> Options:
    """Read the command line; argparse prints usage and exits with 2 on a mistake."""
    own, command = _split(arguments)
    parser = argparse.ArgumentParser(
        prog="sandbox",
        usage="sandbox up [options] | sandbox run [options] -- COMMAND",
        description="Starts a local Sage X3 and a local Snowflake. `up` runs them until interrupted and "
        "prints their environment; `run -- COMMAND` runs COMMAND with it and returns its exit code.",
    )
    parser.add_argument("action", choices=["up", "run"])
    parser.add_argument("--persist", type=Path, metavar="DIR", help="keep warehouse, keys and state in DIR")
    parser.add_argument(
        "--contract",
        choices=["on", "off"],
        default="on",
        help="`off` lets the local Snowflake run statements outside the SQL contract, for other loaders",
    )
    parser.add_argument(
        "--login", choices=LOGINS, metavar="KIND",
        help="how the tap logs in: basic (V11 has no other), connected_app (default of V12) or cloud: OAuth2 "
        "through the gateway, of which SANDBOX_X3_CLOUD_* tell with V12 in any case",
    )  # fmt: skip
    x3 = server_options(parser.add_argument_group("local X3").add_argument)
    known = parser.parse_args(own)
    problem = problem_of(known) or _problem(known, command)
    if problem:
        parser.error(problem)
    return Options(
        x3_version=known.x3_version,
        x3=tuple(written(known, x3)),
        persist=known.persist,
        contract=known.contract,
        login=known.login or DEFAULT_LOGIN[known.x3_version],
        command=tuple(command),
    )


def _problem(known: argparse.Namespace, command: list[str]) -> str:
    if known.x3_version == "V11" and known.login not in {None, "basic"}:
        return f"--login {known.login} needs --x3-version V12: V11 has Basic only"
    if known.action == "run" and not command:
        return "`run` needs a command after `--`, for example: sandbox run -- meltano run tap-sagex3 ..."
    if known.action == "up" and command:
        return "`up` takes no command; use `sandbox run -- COMMAND`"
    return ""


def _split(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Part the sandbox's own arguments from the command behind the first `--`."""
    if "--" not in arguments:
        return arguments, []
    at = arguments.index("--")
    return arguments[:at], arguments[at + 1 :]
