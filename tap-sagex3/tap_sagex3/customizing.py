"""Fields and entities of the site's own, from settings: in the form of the entity files. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from tap_sagex3.declarations import CUSTOM_NAMES, Collection, entity_of, field_of
from tap_sagex3.entity_files import load_entities, load_menus
from tap_sagex3.errors import DeclarationError, SettingsError

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_sagex3.declarations import Entity, Source, StreamDeclaration
    from tap_sagex3.settings import Settings

Options = t.Mapping[str, t.Any]


def entities_with(settings: Settings, built_in: Sequence[Entity] | None = None) -> tuple[Entity, ...]:
    """The built-in entities with the fields and collections that settings add, and the entities of settings.

    Raises:
        SettingsError: names the setting, the stream and what is wrong with it.
    """
    entities = load_entities() if built_in is None else built_in
    options = settings.stream_options
    known = tuple(
        replace(entity, streams=tuple(_with(s, options.get(s.name) or {}) for s in entity.streams))
        for entity in entities
    )
    taken = {stream.name for entity in known for stream in entity.streams}
    own = []
    for number, raw in enumerate(settings.custom_streams, 1):
        named = f" ({raw['name']})" if isinstance(raw, dict) and raw.get("name") else ""
        entity = _custom(raw, f"Setting custom_streams, entity {number}{named}")
        for stream in entity.streams:
            if stream.name in taken:
                msg = f"Setting custom_streams, entity {number}: there is a stream {stream.name} already."
                raise SettingsError(msg)
            taken.add(stream.name)
        own.append(entity)
    return (*known, *own)


def _custom(raw: t.Any, where: str) -> Entity:  # noqa: ANN401 - JSON of a setting
    if not isinstance(raw, dict):
        msg = f"{where}: expected an object in the form of an entity file, found {raw!r}."
        raise SettingsError(msg)
    sources = raw.get("source")
    if any(isinstance(source, dict) and "filter" in source for source in sources or ()):
        msg = (
            f"{where}: filter of a source is of the built-in files only: give rest.where (a condition of "
            "api1) and graphql.filter (properties and values)."
        )
        raise SettingsError(msg)
    try:
        entity = entity_of(raw, where, load_menus())
    except DeclarationError as error:
        raise SettingsError(str(error)) from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        msg = f"{where}: not in the form of an entity file: {error}."
        raise SettingsError(msg) from error
    streams = tuple(
        replace(stream, fields=tuple(replace(field, own=True) for field in stream.fields))
        for stream in entity.streams
    )
    return replace(entity, sources=tuple(map(_of_settings, entity.sources)), streams=streams)


def _of_settings(source: Source) -> Source:
    """A source whose names come from custom_streams, for messages."""
    join = source.join and replace(source.join, setting=CUSTOM_NAMES)
    rest = replace(source.rest, setting=CUSTOM_NAMES)
    return replace(source, rest=rest, graphql=replace(source.graphql, setting=CUSTOM_NAMES), join=join)


def _with(stream: StreamDeclaration, options: Options) -> StreamDeclaration:
    """A stream with the fields and the names of collections that its options give."""
    where = f"Setting stream_options, stream {stream.name}"
    if not isinstance(options, dict):
        return stream  # refused with the other options
    return _with_collections(_with_fields(stream, options.get("fields"), where), options, where)


def _with_fields(stream: StreamDeclaration, raw: t.Any, where: str) -> StreamDeclaration:  # noqa: ANN401
    if not raw:
        return stream
    if not isinstance(raw, list) or not all(isinstance(item, dict) for item in raw):
        msg = f"{where}: fields must be a list of objects such as {{name, type, x3, graphql, text}}."
        raise SettingsError(msg)
    try:
        texts = ({"text": str(item.get("x3", "")), **item} for item in raw)
        added = [replace(field_of(item, where, stream.depth, load_menus()), own=True) for item in texts]
    except DeclarationError as error:
        raise SettingsError(str(error)) from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        msg = f"{where}: fields are not in the form of those in an entity file: {error}."
        raise SettingsError(msg) from error
    names = [field.name for field in (*stream.fields, *added)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        msg = f"{where}: the stream has a field {', '.join(twice)} already."
        raise SettingsError(msg)
    return replace(stream, fields=(*stream.fields, *added))


def _with_collections(stream: StreamDeclaration, options: Options, where: str) -> StreamDeclaration:
    """Collections under other names, outermost first: {rest: [...], graphql: [...]}."""
    raw = options.get("collections")
    if not raw:
        return stream
    names: dict[str, Sequence[str]] = {}
    for api in ("rest", "graphql"):
        given = raw.get(api) if isinstance(raw, dict) else None
        if given is not None and (not isinstance(given, list) or len(given) != stream.depth):
            msg = f"{where}: collections.{api} must name its {stream.depth} collections, outermost first."
            raise SettingsError(msg)
        names[api] = given or ()
    if not isinstance(raw, dict) or set(raw) - {"rest", "graphql"}:
        msg = f"{where}: collections must be an object with rest, graphql or both, found {raw!r}."
        raise SettingsError(msg)
    levels = tuple(
        {kind: _renamed(collection, level, names) for kind, collection in by_kind.items()}
        for level, by_kind in enumerate(stream.collections)
    )
    return replace(stream, collections=levels)


def _renamed(collection: Collection, level: int, names: Mapping[str, Sequence[str]]) -> Collection:
    return replace(
        collection,
        rest=names["rest"][level] if names["rest"] else collection.rest,
        graphql=names["graphql"][level] if names["graphql"] else collection.graphql,
    )
