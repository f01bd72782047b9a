"""What is told of fields of a stream that a site, or their own declaration, does not give."""

from __future__ import annotations

import logging
import typing as t

from tap_sagex3.discovery.site import missing_everywhere

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_sagex3.declarations import Field, StreamDeclaration
    from tap_sagex3.sources import Reading

logger = logging.getLogger("tap-sagex3")


def missing_fields(stream: StreamDeclaration, reading: Reading) -> list[str]:
    """Fields of a stream that this site does not have; warns of them, and of own fields without a name."""
    setting = reading.sources[0].source.rest.setting
    names = missing_everywhere(stream, {site.source.kind: site.resolution for site in reading.sources})
    outside = _on_document(stream, reading)
    elsewhere = [name for name in names if name not in outside]
    if elsewhere:
        logger.warning(
            "%s: this site has no %s; the catalog leaves them out. If it has them under other names, "
            "give these in %s.",
            stream.name,
            ", ".join(elsewhere),
            setting,
        )
    if outside:
        logger.warning(
            '%s: %s not in the lines but on the document: add "level": 0 in %s.',
            stream.name,
            _counted(outside, "is", "are"),
            setting,
        )
    _warn_of_nameless(stream, reading, setting)
    return names


def _on_document(stream: StreamDeclaration, reading: Reading) -> list[str]:
    """Fields of settings that are declared on lines, but are on the document there."""
    found = {
        name
        for site in reading.sources
        if site.resolution is not None
        for name in site.resolution.on_document(stream)
    }
    return [item.name for item in stream.fields if item.name in found]


def _warn_of_nameless(stream: StreamDeclaration, reading: Reading, setting: str) -> None:
    """Say which fields of settings cannot be read, as they have no name in the API in use."""
    rest = reading.api == "rest"
    nameless = [
        item.name
        for item in stream.fields
        if item.own
        and item.dimensions is None
        and item.type != "constant(kind)"
        and not any(_name(item, site.source.kind, rest=rest) for site in reading.sources)
    ]
    if nameless:
        logger.warning(
            "stream %s: %s no `%s` name, so %s null through %s: add it in %s.",
            stream.name,
            _counted(nameless, "has", "have"),
            "x3" if rest else "graphql",
            "it stays" if len(nameless) == 1 else "they stay",
            "REST" if rest else "GraphQL",
            setting,
        )


def _name(item: Field, kind: str | None, *, rest: bool) -> str | None:
    return item.x3_column(kind) if rest else item.graphql_path(kind)


def _counted(names: Sequence[str], one: str, many: str) -> str:
    """Fields with the verb for their number."""
    return f"{'field' if len(names) == 1 else 'fields'} {', '.join(names)} {one if len(names) == 1 else many}"
