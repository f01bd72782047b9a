"""Where the time of a load goes: statements by the target's own audit, the client by samples of its stack."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING

from .warehouse import connect

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .candidates import Candidate

_STEPS = {"classify": "split"}
"""Names that are clearer here than in the audit."""


def show_statements(candidate: Candidate) -> None:
    """Print the milliseconds of each step of the last run's batches, if the candidate has an audit."""
    if candidate.name != "ours":
        return
    sql = (
        'SELECT "STEP_MS" FROM "ANALYTICS"."AUDIT"."BATCHES" WHERE "RUN_ID" = '
        '(SELECT MAX_BY("RUN_ID", "LOADED_AT") FROM "ANALYTICS"."AUDIT"."BATCHES")'
    )
    found: Counter[str] = Counter()
    with connect(candidate.ready) as connection, closing(connection.cursor()) as cursor:
        cursor.execute(sql)
        for row in cursor.fetchall():
            found.update(json.loads(str(next(iter(row)))))
    show("statements, ms", {_STEPS.get(name, name): value for name, value in found.items()})


def show(title: str, parts: Mapping[str, float]) -> None:
    """Print parts of a whole, the largest first."""
    listed = sorted(parts.items(), key=lambda part: -part[1])
    print(f"    {title}: " + ", ".join(f"{name} {value:.0f}" for name, value in listed), flush=True)
