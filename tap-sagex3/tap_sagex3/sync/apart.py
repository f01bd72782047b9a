"""Kinds of documents must be apart: a document that two sources give would be sent as either kind.

Which invoices a class lists, and which number or name its module has, differs from site to site and is not
public, so that it is looked at before anything is read.
"""

from __future__ import annotations

import json
import typing as t
from itertools import permutations

from tap_sagex3.errors import NotReadableError

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_sagex3.reading import SourceReader
    from tap_sagex3.sources import Reading, SiteSource


def check_apart(names: str, reading: Reading, readers: Sequence[SourceReader]) -> None:
    """Look whether the first document of each source is in another one, too: four requests for two sources.

    Raises:
        NotReadableError: it is.
    """
    for (site, reader), (other, its_reader) in permutations(zip(reading.sources, readers, strict=True), 2):
        first = reader.first_key()
        if first is None or not its_reader.has(first):
            continue
        key = "~".join(map(str, first))
        msg = (
            f"{key} is found both as {site.source.kind} and as {other.source.kind} document "
            f"({_place(site, reading.api)}, {_place(other, reading.api)}): kinds cannot be told apart. "
            f"Tell them by the values of your site in stream_options of {names}, for example "
            f"{_example(site, other, reading.api)}"
        )
        raise NotReadableError(msg)


def _place(site: SiteSource, api: str) -> str:
    graphql, rest = site.source.graphql, site.source.rest
    return rest.of("$query") if api == "rest" else f"{graphql.package}.{graphql.node}"


def _example(site: SiteSource, other: SiteSource, api: str) -> str:
    """Settings that tell two kinds apart by the module that a document comes from."""
    both = (
        ({"where": "ORIMOD eq 4"}, {"where": "ORIMOD ne 4"})
        if api == "rest"
        else ({"filter": {"sourceModule": "purchasing"}}, {"filter": {"sourceModule": {"_ne": "purchasing"}}})
    )
    return json.dumps(dict(zip((site.source.kind or "", other.source.kind or ""), both, strict=True)))
