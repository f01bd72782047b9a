"""`POST /_control`: what tests change and ask. Loopback only, no credentials; not part of Sage X3."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec

from local_x3.clock import Clock, parse_stamp
from local_x3.control.expected import expected_records
from local_x3.data.filler import complete
from local_x3.errors import ControlError
from local_x3.faults import Faults, Rule
from local_x3.model import STAMP, Document, Entry, Key, Row, pick, set_stamp
from local_x3.store import Store, walk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from local_x3.declarations import Level
    from local_x3.rest.api import RestApi

DECODER = msgspec.json.Decoder(float_hook=Decimal)
STAMP_CHOICES = ("UPDDATTIM", "UPDDAT")


@dataclass(slots=True)
class State:
    """What the control commands work on."""

    stores: list[Store]
    clock: Clock
    rest: RestApi
    faults: Faults = field(default_factory=lambda: Faults([]))
    counters: Counter[str] = field(default_factory=Counter)
    link_origin: str = ""  # when set, absolute links name this origin, as behind a reverse proxy


@dataclass(frozen=True, slots=True)
class Place:
    """A row of a table: its store, entry, level and the documents from the outermost down to it."""

    store: Store
    entry: Entry
    level: Level
    chain: list[Document]


def control(state: State, body: bytes) -> object:
    """Run one command.

    Raises:
        ControlError: the command or one of its arguments is not known.
    """
    try:
        command = DECODER.decode(body)
    except msgspec.DecodeError as problem:
        raise ControlError(str(problem)) from None
    if not isinstance(command, dict) or command.get("do") not in COMMANDS:
        msg = f"do must be one of {', '.join(COMMANDS)}"
        raise ControlError(msg)
    return COMMANDS[command["do"]](state, command)


def _stores_of(state: State, command: dict[str, Any]) -> list[Store]:
    wanted = command.get("class") or command.get("table")
    stores = [
        store
        for store in state.stores
        if wanted == store.source.rest_class
        or any(wanted == level.table for level in _levels(store.source.level))
    ]
    if not stores:
        tables = sorted({level.table for store in state.stores for level in _levels(store.source.level)})
        msg = f"class or table {wanted!r} not found; tables: {', '.join(tables)}"
        raise ControlError(msg)
    return stores


def _levels(level: Level) -> Iterator[Level]:
    yield level
    for child in level.children.values():
        yield from _levels(child)


def _level_of(store: Store, command: dict[str, Any]) -> Level:
    wanted = command.get("table")
    return next((level for level in _levels(store.source.level) if level.table == wanted), store.source.level)


def _full_key(store: Store, level: Level) -> tuple[str, ...]:
    """Return the key columns of a level, the document's first."""

    def search(here: Level, above: tuple[str, ...]) -> tuple[str, ...] | None:
        names = (*above, *here.key)
        if here is level:
            return names
        found = (search(child, names) for child in here.children.values())
        return next((item for item in found if item), None)

    return search(store.source.level, ()) or store.source.key


def _find(state: State, command: dict[str, Any]) -> Place:
    """Find one row by `key`: a list of values, the document's key first; or one text for a single key."""
    raw = command.get("key")
    key: Key = tuple(raw) if isinstance(raw, list) else (raw,) if isinstance(raw, (str, int)) else ()
    for store in _stores_of(state, command):
        level = _level_of(store, command)
        entry = store.by_key.get(key[: len(store.source.key)])
        if entry is None:
            continue
        names = _full_key(store, level)
        for here, chain in walk(store.document(entry), store.source.level):
            if here is level and pick(chain[-1].row, names) == key:
                return Place(store, entry, level, chain)
    msg = f"no row with key {raw!r} in {command.get('table') or command.get('class')}"
    raise ControlError(msg)


def _opened(place: Place, state: State, command: dict[str, Any]) -> Place:
    """Open the document for a change and find the row in it again."""
    place.store.open(place.entry)
    return _find(state, command)


def _change(state: State, command: dict[str, Any]) -> object:
    """`set`, `touch`: new values and stamp on one row only, as X3 stamps header and lines apart [D]."""
    place = _opened(_find(state, command), state, command)
    row = place.chain[-1].row
    values = command.get("values", {})
    unknown = sorted(set(values) - set(row))
    if unknown:
        msg = f"{place.level.table} has no column {unknown[0]}"
        raise ControlError(msg)
    row.update(values)
    _stamp(row, state, command)
    place.store.changed(place.entry)
    return row


def _stamp(row: Row, state: State, command: dict[str, Any]) -> None:
    stamp = command.get("stamp", state.clock.stamp())
    if stamp is not None:  # null: the change leaves no stamp, as after an import or SQL [I]
        set_stamp(row, str(stamp))


def _bad_value(state: State, command: dict[str, Any]) -> object:
    """Put a value that does not fit its column's type into it."""
    column = command.get("column")
    if not isinstance(column, str) or "value" not in command:
        msg = "bad_value needs column and value"
        raise ControlError(msg)
    return _change(state, {**command, "values": {column: command["value"]}})


def _remove(state: State, command: dict[str, Any]) -> object:
    """Delete a document, or one line; a removed line leaves no trace but the stamp of its document."""
    place = _opened(_find(state, command), state, command)
    if len(place.chain) == 1:
        place.store.remove(place.entry.key)
        return {}
    parent = place.chain[-2]
    for children in parent.children.values():
        children[:] = [child for child in children if child is not place.chain[-1]]
    _stamp(place.chain[0].row, state, command)
    place.store.changed(place.entry)
    return {}


def _add(state: State, command: dict[str, Any]) -> object:
    """Add a document (`values`, lines under their collection's name) or a line (`key`: the row above)."""
    store = _stores_of(state, command)[0]
    stamp = str(command.get("stamp") or state.clock.stamp())
    if "key" in command:
        return _add_line(state, command, stamp)
    document = _document(command.get("values", {}), store.source.level)
    missing = [column for column in store.source.key if column not in document.row]
    if missing:
        msg = f"values lack the key column {missing[0]}"
        raise ControlError(msg)
    if pick(document.row, store.source.key) in store.by_key:
        msg = f"{store.source.rest_class} has a record {pick(document.row, store.source.key)!r} already"
        raise ControlError(msg)
    complete(document, store.source.level, _rng(document.row), stamp)
    return store.add(document).document


def _add_line(state: State, command: dict[str, Any], stamp: str) -> object:
    parent_command = {**command, "table": command.get("parent")}
    place = _opened(_find(state, parent_command), state, parent_command)
    for name, child in place.level.children.items():
        if child.table == command.get("table"):
            line = _document(command.get("values", {}), child)
            complete(line, child, _rng(line.row), stamp)
            _inherit(place, line)
            place.chain[-1].children.setdefault(name, []).append(line)
            place.store.changed(place.entry)
            return line.row
    msg = f"{command.get('parent')} has no lines {command.get('table')}"
    raise ControlError(msg)


def _rng(row: Row) -> Random:
    """Return random numbers for the columns that a test does not give, the same ones for the same row."""
    return Random(repr(sorted(row.items())))  # noqa: S311 - test data


def _inherit(place: Place, line: Document) -> None:
    for name in _full_key(place.store, place.level):
        line.row.setdefault(name, place.chain[-1].row[name])


def _document(values: dict[str, Any], level: Level) -> Document:
    children = {
        name: [_document(item, level.children[name]) for item in values[name]]
        for name in level.children
        if name in values
    }
    row = {name: value for name, value in values.items() if name not in level.children}
    unknown = sorted(set(row) - set(level.columns) - {STAMP, "UPDDAT", "CREDATTIM", "CREDAT", "AUUID"})
    if unknown:
        msg = f"{level.table} has no column {unknown[0]}"
        raise ControlError(msg)
    return Document(row, children)


def _rows(state: State, command: dict[str, Any]) -> object:
    """Return the native rows of a table, all of them or the first `limit`."""
    limit = command.get("limit")
    found: list[Row] = []
    for store in _stores_of(state, command):
        level = _level_of(store, command)
        for entry in store.by_key.values():
            if limit is not None and len(found) >= limit:
                return found[:limit]
            document = store.document(entry)
            found.extend(chain[-1].row for here, chain in walk(document, store.source.level) if here is level)
    return found if limit is None else found[:limit]


def _expected(state: State, command: dict[str, Any]) -> object:
    """Return the records of `stream` that the tap must emit, as read through `api` (graphql or rest)."""
    stream = command.get("stream")
    known = sorted({view.name for store in state.stores for view in store.source.streams})
    if stream not in known:
        msg = f"stream must be one of {', '.join(known)}"
        raise ControlError(msg)
    stamps = state.rest.stamps if command.get("api") == "rest" else None
    return list(expected_records(state.stores, stream, stamps))


def _clock(state: State, command: dict[str, Any]) -> object:
    try:
        if "set" in command:
            state.clock.set(parse_stamp(str(command["set"])), frozen=bool(command.get("frozen")))
        if "advance" in command:
            state.clock.advance(float(command["advance"]))
    except ValueError as problem:
        raise ControlError(str(problem)) from None
    if command.get("reset"):
        state.clock.reset()
    return {"now": state.clock.stamp()}


def _faults(state: State, command: dict[str, Any]) -> object:
    """Replace all rules in force; an empty list ends every fault."""
    try:
        state.faults.rules = msgspec.convert(command.get("rules", []), list[Rule])
    except msgspec.ValidationError as problem:
        raise ControlError(str(problem)) from None
    return {"rules": len(state.faults.rules)}


def _expose(state: State, command: dict[str, Any]) -> object:
    """Choose which stamps a class shows in REST: UPDDATTIM, UPDDAT, both or none."""
    stamps = command.get("stamps")
    if not isinstance(stamps, list) or not set(stamps) <= set(STAMP_CHOICES):
        msg = f"stamps must be a list out of {', '.join(STAMP_CHOICES)}"
        raise ControlError(msg)
    for store in _stores_of(state, command):
        state.rest.stamps[store.source.rest_class] = tuple(
            stamp for stamp in STAMP_CHOICES if stamp in stamps
        )
    return {}


def _counters(state: State, _: dict[str, Any]) -> object:
    return dict(state.counters)


def _reset_counters(state: State, _: dict[str, Any]) -> object:
    state.counters.clear()
    return {}


def _streams(state: State, _: dict[str, Any]) -> object:
    """Return what there is: streams with their number of documents."""
    found: Counter[str] = Counter()
    for store in state.stores:
        found.update({view.name: len(store.by_key) for view in store.source.streams})
    return found


def _links(state: State, command: dict[str, Any]) -> object:
    """Make absolute links name another `origin` (`http://host:port`); an empty one ends it."""
    state.link_origin = str(command.get("origin", ""))
    return {}


def _reset(state: State, _: dict[str, Any]) -> object:
    """Undo everything that tests have changed: data, clock, faults, counters, shown stamps."""
    for store in state.stores:
        store.reset()
    state.clock.reset()
    state.faults.rules = []
    state.counters.clear()
    state.link_origin = ""
    state.rest.stamps.update(state.rest.initial_stamps)
    return {}


COMMANDS: dict[str, Callable[[State, dict[str, Any]], object]] = {
    "set": _change, "touch": _change, "bad_value": _bad_value, "remove": _remove, "add": _add, "rows": _rows,
    "expected": _expected, "clock": _clock, "faults": _faults, "expose": _expose, "counters": _counters,
    "reset_counters": _reset_counters, "streams": _streams, "reset": _reset, "links": _links,
}  # fmt: skip
