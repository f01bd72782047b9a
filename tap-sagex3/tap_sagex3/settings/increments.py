"""What each run reads, and how fast."""

from __future__ import annotations

from tap_sagex3.settings.declare import Property, number, text

INCREMENTS: dict[str, Property] = {
    "start_date": text(
        "Start date",
        "Read documents changed at or after this time only (RFC 3339, UTC when no offset is given). "
        "Without it the first run reads everything.",
        format="date-time",
    ),
    "end_date": text(
        "End date",
        "Read documents changed before this time only (RFC 3339, not included), for backfills. "
        "Give such a run a state of its own.",
        format="date-time",
    ),
    "lookback_seconds": number(
        "Look back",
        "Seconds that each run reads again before the last change it saw, since X3 postings and imports "
        "commit later than they are stamped.",
        3600,
        0,
    ),
    "line_lookback_days": number(
        "Line look back",
        "Days before the last change whose documents are read again, to find lines that changed without "
        "their document, where the site does not tell such changes. Unchanged documents are not sent again "
        "as far as overlap_memory remembers them.",
        7,
        0,
    ),
    "overlap_memory": number(
        "Overlap memory",
        "Documents of the look-back window remembered in state, per stream, so that unchanged ones are not "
        "sent again.",
        1000,
        0,
    ),
    "page_size": number("Page size", "Documents asked for in one page; the server may give fewer.", 500, 1),
    "prefetch_pages": number(
        "Prefetched pages",
        "Pages of a list that are fetched while the one before is converted; 0 fetches none ahead.",
        1,
        0,
    ),
    "detail_workers": number(
        "Detail workers",
        "REST requests made at the same time: $details of documents, parts of a long list in a first load; "
        "1 makes them one by one.",
        4,
        1,
        64,
    ),
}
