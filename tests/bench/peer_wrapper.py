"""Runs meltanolabs-target-snowflake against the local Snowflake: `peer_wrapper.py HOST PORT CONFIG < singer`.

It runs in the peer's own environment. The peer has no setting for another host, port or protocol, so this
adds them to what it hands to the connector; nothing else of it is touched.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any


def main() -> None:
    """Point the peer's connector to HOST and PORT, then run its own command line with CONFIG."""
    host, port, config = sys.argv[1:]
    connector = importlib.import_module("target_snowflake.connector").SnowflakeConnector
    original = connector.get_connect_args

    def with_address(self: object) -> dict[str, Any]:
        arguments: dict[str, Any] = original(self)
        return arguments | {"host": host, "port": int(port), "protocol": "http"}

    connector.get_connect_args = with_address
    sys.argv = ["target-snowflake", "--config", config]
    importlib.import_module("target_snowflake.target").TargetSnowflake.cli()


if __name__ == "__main__":
    main()
