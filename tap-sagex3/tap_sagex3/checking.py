"""`--check`: how each stream would be read on this site, and what keeps it from being read."""

from __future__ import annotations

import json
import typing as t
from dataclasses import asdict, dataclass, field
from itertools import islice

from tap_sagex3.discovery.own_columns import without_doubles
from tap_sagex3.discovery.site import missing_everywhere
from tap_sagex3.documents import one_by_one
from tap_sagex3.errors import TapError
from tap_sagex3.reading import Span
from tap_sagex3.sync.apart import check_apart

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_sagex3.reading import ChangeKey
    from tap_sagex3.sources import Reading, SiteSource
    from tap_sagex3.streams import X3Stream
    from tap_sagex3.tap import TapSageX3

_WHOLE = "whole table"
_SEEN = "seen"
_LOOK_BACK = "look-back"
_COLUMNS = ("stream", "readable", "api", "places", "key", "changes", "lines")


@dataclass
class Checked:
    """What was found out about one stream.

    `places` are class and representation, or package and node. `lines` says how changes of lines alone are
    found. `own` are columns of the site's own that are not read, as fields for stream_options.
    """

    stream: str
    readable: bool
    api: str
    places: list[str]
    key: list[str]
    changes: list[str] = field(default_factory=list)
    collections: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    lines: str = ""
    own: list[dict[str, t.Any]] = field(default_factory=list)
    optional: bool = False
    problem: str = ""


def check(tap: TapSageX3) -> list[Checked]:
    """Try each stream: find its node or class, its change stamp, and read its first document."""
    return [_checked(tap, stream) for stream in tap.x3_streams()]


def _checked(tap: TapSageX3, stream: X3Stream) -> Checked:
    reading = tap.reading_of(stream)
    kinds = {site.source.kind: site.resolution for site in reading.sources}
    found = Checked(
        stream=stream.name,
        readable=True,
        api=reading.api,
        places=[_place(site, reading.api) for site in reading.sources],
        key=list(stream.declaration.key),
        collections=_collections(stream, reading),
        missing=missing_everywhere(stream.declaration, kinds),
        own=without_doubles(
            snippet
            for site in reading.sources
            if site.resolution is not None
            for snippet in site.resolution.own(stream.declaration)
        ),
        optional=stream.name in tap.instance.settings.optional_streams,
    )
    try:
        readers = tap.instance.readers(reading, [stream.declaration])
        for index, reader in enumerate(readers):
            change = reader.prepare()
            found.changes.append(_change(change, full_table=reading.full_table))
            rows_of = stream.projection(index, change.fields).rows
            for document in islice(one_by_one(reader.by_key(None, 1)), 1):
                rows_of(document, lambda _row, _misfit: None)
            if stream.declaration.depth and not found.lines:
                told = reader.changed_below(Span(since=tap.instance.run_start()), 1)
                found.lines = _SEEN if told is not None else _LOOK_BACK
        check_apart(stream.name, reading, readers)
    except TapError as error:
        found.readable, found.problem = False, str(error)
    return found


def _place(site: SiteSource, api: str) -> str:
    if api == "graphql":
        return f"{site.source.graphql.package}.{site.source.graphql.node}"
    rest = site.source.rest
    details = f", {rest.of('$details')}" if rest.details else ""
    return f"{rest.class_name} ({rest.of('$query')}{details})"


def _change(change: ChangeKey, *, full_table: bool) -> str:
    if full_table:
        return _WHOLE
    if change.field is None:
        return f"no change stamp: {_WHOLE} each time"
    return f"{change.field} ({'day' if change.whole_days else 'time'})"


def _collections(stream: X3Stream, reading: Reading) -> list[str]:
    found: dict[str, None] = {}
    for site in reading.sources:
        declared = site.declared(stream.declaration)
        for level in range(1, declared.depth + 1):
            collection = declared.collection(level, site.source.kind)
            if collection is not None:
                found[collection.rest if reading.api == "rest" else collection.graphql] = None
    return list(found)


def is_good(checked: Sequence[Checked]) -> bool:
    """Whether every stream that is not optional can be read."""
    return all(item.readable or item.optional for item in checked)


def as_json(checked: Sequence[Checked]) -> str:
    """The findings for a program."""
    return json.dumps([asdict(item) for item in checked], indent=2)


def as_table(checked: Sequence[Checked]) -> str:
    """The findings for a person: a table, and below it what keeps streams from being read."""
    rows = [[_shown(item, name) for name in _COLUMNS] for item in checked]
    widths = [max(len(name), *(len(row[n]) for row in rows)) for n, name in enumerate(_COLUMNS)]
    lines = [_line(list(_COLUMNS), widths), _line(["-" * width for width in widths], widths)]
    lines.extend(_line(row, widths) for row in rows)
    lines.extend(f"\n{item.stream}: {item.problem}" for item in checked if item.problem)
    lines.extend(
        f"\n{item.stream}: this site has no {', '.join(item.missing)}" for item in checked if item.missing
    )
    if any(item.lines == _LOOK_BACK for item in checked):
        lines.append(
            f"\nlines {_LOOK_BACK}: lines that change alone are seen within line_lookback_days only. Through "
            "REST ask for a class that lists them, and name it as line_classes in stream_options."
        )
    own = {item.stream: {"fields": item.own} for item in checked if item.own}
    if own:
        lines.append(
            "\nColumns of this site that are not read; to read them, put into stream_options (names, types "
            "and lengths are guesses from what the server tells: mend them):"
        )
        lines.append(json.dumps(own, indent=2))
    return "\n".join(lines)


def _shown(item: Checked, name: str) -> str:
    if name == "readable":
        return "yes" if item.readable else "NO (optional)" if item.optional else "NO"
    value = getattr(item, name)
    return "; ".join(dict.fromkeys(map(str, value))) if isinstance(value, list) else str(value)


def _line(cells: list[str], widths: list[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
