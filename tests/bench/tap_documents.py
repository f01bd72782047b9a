"""GraphQL documents with their lines, from answers that are replayed."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from .figures import Figure, median
from .measure import BenchError
from .replayed_x3 import local_x3, our_tap, read_output

if TYPE_CHECKING:
    from pathlib import Path

    from .options import Options

NAME = "tap_graphql_docs_per_s"
STREAMS = ("gl_entries", "gl_entry_lines")


def measure(options: Options, folder: Path) -> Figure:
    """Read GL entries, which have about eight lines each; the whole run counts, start included."""
    documents, file = options.tap.documents_scale, folder / "records.jsonl"
    with local_x3(documents, "--replay") as (ready, control):
        tap = our_tap(ready, "graphql", STREAMS, folder)
        tap.run(file)
        entries, lines = (read_output(file, stream=stream).records for stream in STREAMS)
        if entries != documents:
            message = f"{NAME}: {entries} documents of {documents}"
            raise BenchError(message)
        measured = [tap.run() for _ in range(options.tap.rounds)]
        if control.counters().get("replayed", 0) < len(measured):
            message = f"{NAME}: the answers were not replayed"
            raise BenchError(message)
    return median(
        NAME,
        [documents / one.seconds for one in measured],
        documents=documents,
        lines_a_document=round(lines / documents, 1),
        records_per_s=round((documents + lines) / statistics.median(one.seconds for one in measured)),
        cpu_s=round(statistics.median(one.cpu_seconds for one in measured), 2),
    )
