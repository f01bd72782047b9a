"""Which API and which names a stream is read with on this site: declarations and settings. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from tap_sagex3.declarations import filter_of
from tap_sagex3.errors import DeclarationError, SettingsError
from tap_sagex3.settings import STREAM_OPTION_PROPERTIES
from tap_sagex3.settings.check import wrong_members

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tap_sagex3.declarations import (
        Entity,
        Filter,
        GraphqlSource,
        RestSource,
        Source,
        StreamDeclaration,
    )
    from tap_sagex3.discovery.resolution import Resolution
    from tap_sagex3.discovery.rest_columns import RestColumns
    from tap_sagex3.settings import Settings

Options = t.Mapping[str, t.Any]


@dataclass(frozen=True, slots=True)
class SiteSource:
    """A source with the names of this site.

    `change_field` replaces the usual change stamps. `line_classes` gives the REST class that lists the lines
    of a table, where it has another name than the table. `named` says that settings name the GraphQL node, so
    that no other one is looked for. `resolution` are the names of GraphQL properties, or the columns of REST,
    once they are known.
    """

    source: Source
    change_field: str | None
    line_classes: Mapping[str, str]
    named: bool = False
    resolution: Resolution | RestColumns | None = None

    def shows_collections(self, stream: StreamDeclaration) -> bool:
        """Whether the site describes all collections of a stream."""
        return self.resolution is not None and self.resolution.shows_collections(stream)

    def declared(self, stream: StreamDeclaration) -> StreamDeclaration:
        """A stream with the names that its fields and collections have here."""
        return stream if self.resolution is None else self.resolution.apply(stream, self.source.kind)


@dataclass(frozen=True, slots=True)
class Reading:
    """How a stream is read. Streams of one entity with equal readings share one fetch."""

    api: str
    sources: tuple[SiteSource, ...]
    full_table: bool

    def of_all(self) -> Reading:
        """The same for a read of everything."""
        return replace(self, full_table=True)

    def of_keys(self) -> Reading:
        """The same for a read of keys: lists only, and no joined record."""
        sources = tuple(
            replace(
                site, source=replace(site.source, join=None, rest=replace(site.source.rest, details=False))
            )
            for site in self.sources
        )
        return replace(self, sources=sources, full_table=True)


def reading_of(
    entity: Entity, stream: str, settings: Settings, *, full_table: bool, instead: str | None = None
) -> Reading:
    """API and sources of a stream; `instead` is an API to take in place of the configured one.

    Raises:
        SettingsError: stream_options of this stream hold an unknown key or a wrong type.
    """
    options = settings.stream_options.get(stream) or {}
    kinds = {source.kind for source in entity.sources}
    common = {key: value for key, value in options.items() if key not in kinds}
    api = common.get("api") or settings.api
    sources = []
    for source in entity.sources:
        own = options.get(source.kind) if source.kind else None
        where = f"Setting stream_options, stream {stream}"
        lines = _line_classes(entity, source.kind, settings)
        sources.append(_site_source(source, {**common, **(own or {}), "line_classes": lines}, where))
    return Reading(instead or (settings.api if api == "auto" else api), tuple(sources), full_table)


def is_fixed(stream: str, settings: Settings) -> bool:
    """Whether settings name the API of a stream, so that no other one may be taken instead."""
    api = (settings.stream_options.get(stream) or {}).get("api") or "auto"
    return settings.api_fixed if api == "auto" else True


def check_options(settings: Settings, entities: Iterable[Entity], others: Iterable[str] = ()) -> None:
    """Check that settings name existing streams only, and that their options can be used.

    `others` are streams that belong to no entity.

    Raises:
        SettingsError: names the setting and the stream.
    """
    entity_of = {stream.name: entity for entity in entities for stream in entity.streams}
    names = {*entity_of, *others}
    for setting, used in (
        ("stream_options", set(settings.stream_options)),
        ("optional_streams", set(settings.optional_streams)),
    ):
        unknown = sorted(used - names)
        if unknown:
            msg = f"Setting {setting} names unknown streams {unknown}: expected some of {sorted(names)}."
            raise SettingsError(msg)
    for stream, options in settings.stream_options.items():  # each by itself, then what they say together
        sources = entity_of[stream].sources if stream in entity_of else ()
        kinds = {source.kind for source in sources if source.kind}
        _check(stream, {key: value for key, value in options.items() if key not in kinds})
        for kind in kinds & options.keys():
            _check(stream, options[kind])
    for stream in entity_of.keys() & settings.stream_options.keys():
        reading_of(entity_of[stream], stream, settings, full_table=False)


def _check(stream: str, options: Options) -> None:
    if not isinstance(options, dict):
        msg = f"Setting stream_options, stream {stream}: expected an object, found {options!r}."
        raise SettingsError(msg)
    unknown = sorted(set(options) - set(STREAM_OPTION_PROPERTIES))
    if unknown:
        known = sorted(STREAM_OPTION_PROPERTIES)
        msg = f"Setting stream_options, stream {stream}: unknown keys {unknown}, expected some of {known}."
        raise SettingsError(msg)
    wrong = wrong_members(options, STREAM_OPTION_PROPERTIES, f"Setting stream_options, stream {stream}")
    if wrong:
        raise SettingsError(" ".join(wrong))


def _line_classes(entity: Entity, kind: str | None, settings: Settings) -> dict[str, str]:
    """Classes that list lines, as the options of any stream of the entity name them: they are the document's.

    Raises:
        SettingsError: two names for one table, or a table that holds no lines of these streams.
    """
    tables = {c.table for s in entity.streams for level in s.collections for c in level.values()}
    found: dict[str, str] = {}
    for stream in entity.streams:
        options = settings.stream_options.get(stream.name) or {}
        of_kind = options.get(kind) if kind else None
        for given in (options.get("line_classes"), (of_kind or {}).get("line_classes")):
            for table, name in (given or {}).items():
                where = f"Setting stream_options, stream {stream.name}: line_classes"
                if table not in tables:
                    msg = f"{where} names table {table}, expected some of {sorted(tables)}."
                    raise SettingsError(msg)
                if found.setdefault(table, name) != name:
                    msg = f"{where} gives {name} for {table}, which is {found[table]} in another stream."
                    raise SettingsError(msg)
    return found


def _filter(options: Options, where: str) -> Filter:
    try:
        return filter_of(options.get("filter") or {}, where)
    except (AttributeError, DeclarationError) as error:
        msg = (
            f"{where}: filter must be an object of GraphQL properties and their values, or {{_ne: value}}, "
            f"for example {{sourceModule: purchasing}}, found {options['filter']!r}."
        )
        raise SettingsError(msg) from error


def _site_source(source: Source, options: Options, where: str) -> SiteSource:
    rest: RestSource = source.rest
    graphql: GraphqlSource = source.graphql
    key = tuple(options.get("key") or ())
    rest = replace(
        rest,
        class_name=options.get("class") or rest.class_name,
        representation=options.get("representation") or options.get("class") or rest.representation,
        details_representation=options.get("details_representation") or rest.details_representation,
        key=key or rest.key,
        where=options.get("where") or rest.where,
    )
    graphql = replace(
        graphql,
        package=options.get("package") or graphql.package,
        node=options.get("node") or graphql.node,
        key=key or graphql.key,
        filter=_filter(options, where) or graphql.filter,
    )
    return SiteSource(
        replace(source, rest=rest, graphql=graphql),
        options.get("change_field"),
        options.get("line_classes") or {},
        named=bool(options.get("package") or options.get("node")),
    )
