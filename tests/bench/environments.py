"""Clean environments: our two plugins from their wheels, the peer from its pinned requirements.

They stay in `build/bench/` and are made again only when the wheels or the requirements change.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pinned_environment

from .options import ROOT

HOME = ROOT / "build" / "bench"
MEMBERS = ("tap-sagex3", "target-snowflake-audit")
OUR_PINS = ROOT / "requirements" / "dev.txt"
PLAIN_TAP = Path(__file__).with_name("plain_tap.py")
"""The peer of our tap: it needs the SDK only, and runs with the one that our tap runs with."""
PEER_PINS = ROOT / "requirements" / "bench-peer.txt"


def ours() -> Path:
    """Give the environment with both plugins as a user would install them, at the pinned versions."""
    wheels = [_wheel(member) for member in MEMBERS]
    install: list[str | Path] = ["pip", "install", "--quiet", "--constraint", OUR_PINS, *wheels]
    return pinned_environment.environment(HOME / "environments" / "ours", [OUR_PINS, *wheels], install)


def peer() -> Path:
    """Give the environment of meltanolabs-target-snowflake."""
    return pinned_environment.pinned(HOME / "environments" / "peer", PEER_PINS)


def _wheel(member: str) -> Path:
    folder = HOME / "wheels" / member
    shutil.rmtree(folder, ignore_errors=True)
    pinned_environment.uv(["build", "--quiet", "--wheel", "--out-dir", folder, ROOT / member])
    (wheel,) = folder.glob("*.whl")
    return wheel
