"""Command line of `sandbox`: two commands that share their options."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from local_x3.options import origin

LOGINS = ("basic", "connected_app", "cloud")
DEFAULT_LOGIN = {"V11": "basic", "V12": "connected_app"}


@dataclass(frozen=True)
class Options:
    """What the person asked for; `command` is empty for `sandbox up`."""

    scale: int
    seed: int
    x3_version: str
    persist: Path | None
    fixture: Path | None
    contract: str
    login: str
    link_origin: str | None
    replay: bool
    command: tuple[str, ...]


def parse(arguments: list[str]) -> Options:
    """Read the command line; argparse prints usage and exits with 2 on a mistake."""
    own, command = _split(arguments)
    parser = argparse.ArgumentParser(
        prog="sandbox",
        description="Starts a local Sage X3 and a local Snowflake. `up` runs them until interrupted and "
        "prints their environment; `run -- COMMAND` runs COMMAND with it and returns its exit code.",
    )
    parser.add_argument("action", choices=["up", "run"])
    parser.add_argument(
        "--scale", type=int, default=200, metavar="N", help="number of GL entries (default 200)"
    )
    parser.add_argument(
        "--seed", type=int, default=1, metavar="S", help="seed of the generated data (default 1)"
    )
    parser.add_argument("--persist", type=Path, metavar="DIR", help="keep warehouse, keys and state in DIR")
    parser.add_argument("--x3-version", choices=["V11", "V12"], default="V12", help="V11 has REST only")
    parser.add_argument(
        "--fixture", type=Path, metavar="DIR", help="serve hand-written rows instead of generated ones"
    )
    parser.add_argument(
        "--contract",
        choices=["on", "off"],
        default="on",
        help="`off` lets the local Snowflake run statements outside the SQL contract, for other loaders",
    )
    parser.add_argument(
        "--login", choices=LOGINS, metavar="KIND",
        help="how the tap logs in: basic (V11 has no other), connected_app (default of V12) or cloud: OAuth2 "
        "through the gateway. SANDBOX_X3_CLOUD_* tell of the gateway in any case",
    )  # fmt: skip
    parser.add_argument(
        "--link-origin", type=origin, metavar="URL",
        help="http://HOST:PORT that links in X3's answers name, as behind a reverse proxy",
    )  # fmt: skip
    parser.add_argument(
        "--replay", action="store_true", help="let X3 repeat answers that it has computed: for benchmarks"
    )
    known = parser.parse_args(own)
    if known.x3_version == "V11" and known.login not in {None, "basic"}:
        parser.error(f"--login {known.login} needs --x3-version V12: V11 has Basic only")
    if known.action == "run" and not command:
        parser.error(
            "`run` needs a command after `--`, for example: sandbox run -- meltano run tap-sagex3 ..."
        )
    if known.action == "up" and command:
        parser.error("`up` takes no command; use `sandbox run -- COMMAND`")
    if known.scale < 1:
        parser.error(f"--scale must be 1 or more, got {known.scale}")
    return Options(
        scale=known.scale,
        seed=known.seed,
        x3_version=known.x3_version,
        persist=known.persist,
        fixture=known.fixture,
        contract=known.contract,
        login=known.login or DEFAULT_LOGIN[known.x3_version],
        link_origin=known.link_origin,
        replay=known.replay,
        command=tuple(command),
    )


def _split(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Part the sandbox's own arguments from the command behind the first `--`."""
    if "--" not in arguments:
        return arguments, []
    at = arguments.index("--")
    return arguments[:at], arguments[at + 1 :]
