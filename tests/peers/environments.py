"""The peer's environments, from pinned requirements; the first is the one that `make bench` uses too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pinned_environment
from processes import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PINS = ROOT / "requirements"
CONNECTOR = "snowflake-connector-python"
PEER = "meltanolabs-target-snowflake"


def peer() -> Path:
    """Give the peer as it comes: connector 4.x."""
    return pinned_environment.pinned(
        ROOT / "build" / "bench" / "environments" / "peer", PINS / "bench-peer.txt"
    )


def peer_on_connector_5() -> Path:
    """Give the peer with the newest connector 5.x, against its own pin."""
    return pinned_environment.pinned(ROOT / "build" / "peers" / "connector5", PINS / "peer-connector5.txt")


def versions(environment: Path) -> str:
    """Say which peer, SDK and connector an environment has."""
    packages = (PEER, "singer-sdk", CONNECTOR)
    return ", ".join(f"{name} {pinned_environment.version(environment, name)}" for name in packages)
