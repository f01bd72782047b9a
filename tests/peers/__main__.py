"""`python -m tests.peers`: the standard suite of the peer's SDK on both warehouses, as a table."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from . import environments, exceptions, servers, suite, table

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from .servers import Warehouse
    from .suite import Outcome


def main() -> int:
    """Print the table. Exit code 1 when a test on our local Snowflake is not as it must be."""
    parser = argparse.ArgumentParser(prog="python -m tests.peers", description=__doc__)
    parser.add_argument("--ours-only", action="store_true", help="leave stock fakesnow out")
    options = parser.parse_args()
    peer, peer_5 = environments.peer(), environments.peer_on_connector_5()
    runs: dict[str, tuple[Path, Callable[[], AbstractContextManager[Warehouse]]]] = {
        "local Snowflake, connector 4.8": (peer, servers.ours),
        "local Snowflake, connector 5.2": (peer_5, servers.ours),
    }
    if not options.ours_only:
        runs = {"stock fakesnow, connector 4.8": (peer, servers.stock), **runs}
    results = {}
    for name, run in runs.items():
        print(f"{name} ...", file=sys.stderr, flush=True)
        results[name] = _run(*run)
    known = exceptions.registered()
    table.show(f"Standard target suite: {environments.versions(peer)}", results, known)
    problems = [
        f"{name}: {test}: {problem}"
        for name, run in results.items()
        if not name.startswith("stock")
        for test, problem in suite.problems(run, known, suite.listed(runs[name][0])).items()
    ]
    print("\n".join(problems) or "Every test is as it must be on our local Snowflake.")
    return 1 if problems else 0


def _run(environment: Path, start: Callable[[], AbstractContextManager[Warehouse]]) -> dict[str, Outcome]:
    with start() as warehouse:
        return suite.run(environment, warehouse)


if __name__ == "__main__":
    sys.exit(main())
