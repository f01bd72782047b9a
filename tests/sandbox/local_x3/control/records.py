"""Commands that change, add and remove records, and show them."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import msgspec

from local_x3.control.expected import expected_records
from local_x3.control.places import check_lock, find, full_key, level_of, opened, stores_of
from local_x3.control.registry import Command
from local_x3.control.transactions import inside
from local_x3.data.filler import complete
from local_x3.errors import ControlError
from local_x3.model import STAMP, Document, Row, pick, set_days, set_stamp
from local_x3.store import walk

if TYPE_CHECKING:
    from local_x3.control.places import Place
    from local_x3.control.state import State
    from local_x3.declarations import Level

STAMP_FORM = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"
Stamp = Annotated[str, msgspec.Meta(pattern=STAMP_FORM)] | None | msgspec.UnsetType
TECHNICAL = (STAMP, "UPDDAT", "CREDATTIM", "CREDAT", "AUUID")
RowKey = str | int | list[str | int]


class Change(Command, kw_only=True):
    """A command on one table or class; it stamps with `stamp`, else by the clock; null: not at all.

    With `transaction` the change is seen by nobody else before that transaction is committed.
    """

    table: str = ""
    rest_class: str = msgspec.field(name="class", default="")
    stamp: Stamp = msgspec.UNSET
    transaction: str = ""

    def run(self, state: State) -> object:
        """Make the change, in the transaction that is named."""
        return self.apply(inside(state, self.transaction) if self.transaction else state)

    def apply(self, state: State) -> object:
        """Make the change and return what it changed."""
        raise NotImplementedError

    @property
    def place(self) -> str:
        """The table, or the class."""
        return self.table or self.rest_class

    def mark(self, row: Row, state: State) -> None:
        """Stamp a row."""
        put_stamp(row, self.moment(state), state)

    def moment(self, state: State) -> str | None:
        """Return the stamp that this change leaves."""
        return state.clock.stamp() if self.stamp is msgspec.UNSET else self.stamp


class RowChange(Change, kw_only=True):
    """A change of one row, found by its key."""

    key: RowKey

    def change(self, state: State, values: dict[str, Any]) -> Row:
        """Put values into the row and stamp it alone, as X3 stamps header and lines apart [D]."""
        found = find(state, self.place, self.key)
        check_values(found.level, values, set(found.chain[-1].row), full_key(found.store, found.level))
        place = opened(state, self.place, self.key)
        row = place.chain[-1].row
        row.update(values)
        self.mark(row, state)
        place.store.changed(place.entry)
        return row


class Set(RowChange, tag="set", kw_only=True):
    """Change columns of one row (`table` or `class`, `key`).

    Its stamp becomes the clock's, or `stamp`; null leaves it as it was.
    """

    values: dict[str, Any]

    def apply(self, state: State) -> object:
        """Return the changed row."""
        return self.change(state, self.values)


class Touch(RowChange, tag="touch", kw_only=True):
    """Stamp one row without changing its values."""

    def apply(self, state: State) -> object:
        """Return the row."""
        return self.change(state, {})


class BadValue(RowChange, tag="bad_value", kw_only=True):
    """Put a value that does not fit its column's type into it."""

    column: str
    value: Any

    def apply(self, state: State) -> object:
        """Return the changed row."""
        return self.change(state, {self.column: self.value})


class Remove(RowChange, tag="remove", kw_only=True):
    """Delete a document, or one line; a removed line leaves no trace but the stamp of its document."""

    def apply(self, state: State) -> object:
        """Remove it."""
        place = opened(state, self.place, self.key)
        if len(place.chain) == 1:
            place.store.remove(place.entry.key)
            return {}
        parent = place.chain[-2]
        for children in parent.children.values():
            children[:] = [child for child in children if child is not place.chain[-1]]
        self.mark(place.chain[0].row, state)
        place.store.changed(place.entry)
        return {}


class Add(Change, tag="add", kw_only=True):
    """Add a document (`values`, lines under their collection's name), or a line below `key` in `parent`."""

    values: dict[str, Any] = msgspec.field(default_factory=dict)
    parent: str = ""
    key: RowKey | msgspec.UnsetType = msgspec.UNSET

    def apply(self, state: State) -> object:
        """Return what was added."""
        stamp = self.stamp or state.clock.stamp()
        if self.key is not msgspec.UNSET:
            return self._add_line(state, opened(state, self.parent, self.key), stamp)
        store = stores_of(state, self.place)[0]
        document = _document(self.values, store.source.level)
        missing = [column for column in store.source.key if column not in document.row]
        if missing:
            msg = f"values lack the key column {missing[0]}"
            raise ControlError(msg)
        key = pick(document.row, store.source.key)
        check_lock(state, store, key)
        if key in store.by_key:
            msg = f"{store.source.rest_class} has a record {key!r} already"
            raise ControlError(msg)
        complete(document, store.source.level, _rng(document.row), stamp)
        _set_days(document, store.source.level, state)
        return store.add(document).document

    def _add_line(self, state: State, place: Place, stamp: str) -> object:
        for name, child in place.level.children.items():
            if child.table == self.table:
                line = _document(self.values, child)
                complete(line, child, _rng(line.row), stamp)
                _set_days(line, child, state)
                _inherit(place, line)
                place.chain[-1].children.setdefault(name, []).append(line)
                place.store.changed(place.entry)
                return line.row
        msg = f"{self.parent} has no lines {self.table}"
        raise ControlError(msg)


def put_stamp(row: Row, stamp: str | None, state: State) -> None:
    """Stamp a row; None: the change leaves no stamp, as after an import or SQL [I]."""
    if stamp is not None:
        set_stamp(row, stamp, state.clock.zone)


def _set_days(document: Document, level: Level, state: State) -> None:
    for _, chain in walk(document, level):
        set_days(chain[-1].row, state.clock.zone)


def _rng(row: Row) -> Random:
    """Return random numbers for the columns that a test does not give, the same ones for the same row."""
    return Random(repr(sorted(row.items())))  # noqa: S311 - test data


def _inherit(place: Place, line: Document) -> None:
    for name in full_key(place.store, place.level):
        line.row.setdefault(name, place.chain[-1].row[name])


def _document(values: dict[str, Any], level: Level) -> Document:
    children = {
        name: [_document(item, level.children[name]) for item in _objects(name, values[name])]
        for name in level.children
        if name in values
    }
    row = {name: value for name, value in values.items() if name not in level.children}
    check_values(level, row, {*level.columns, *TECHNICAL}, ())
    return Document(row, children)


def _objects(name: str, lines: object) -> list[dict[str, Any]]:
    if not isinstance(lines, list) or not all(isinstance(line, dict) for line in lines):
        msg = f"{name} must be a list of lines, each an object with its columns"
        raise ControlError(msg)
    return lines


def check_values(level: Level, values: dict[str, Any], known: set[str], key: tuple[str, ...]) -> None:
    """Check that columns are there, may change, and get what X3 can hold: texts and numbers, no null [C].

    Raises:
        ControlError: one does not.
    """
    for name, value in values.items():
        if name not in known:
            msg = f"{level.table} has no column {name}"
        elif name in key:
            msg = f"{name} is part of the key of {level.table}: remove the row and add another"
        elif isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
            msg = f"{name} must be a text or a number, got {value!r}"
        else:
            continue
        raise ControlError(msg)


class Rows(Command, tag="rows", kw_only=True):
    """Return the native rows of a table, all of them or the first `limit`."""

    reads_only: ClassVar[bool] = True
    table: str
    limit: Annotated[int, msgspec.Meta(ge=0)] | None = None

    def run(self, state: State) -> object:
        """Return the rows."""
        found: list[Row] = []
        for store in stores_of(state, self.table):
            level = level_of(store, self.table)
            for entry in store.by_key.values():
                if self.limit is not None and len(found) >= self.limit:
                    return found[: self.limit]
                for here, chain in walk(store.document(entry), store.source.level):
                    if here is level:
                        found.append(chain[-1].row)
        return found if self.limit is None else found[: self.limit]


class Expected(Command, tag="expected", kw_only=True):
    """Return the records of `stream` that the tap must emit, as read through `api` (graphql or rest)."""

    reads_only: ClassVar[bool] = True
    stream: str
    api: str = "graphql"

    def run(self, state: State) -> object:
        """Return the records."""
        known = sorted({view.name for store in state.stores for view in store.source.streams})
        if self.stream not in known:
            msg = f"stream must be one of {', '.join(known)}"
            raise ControlError(msg)
        stamps = state.rest.stamps if self.api == "rest" else None
        return list(expected_records(state.stores, self.stream, stamps))


class Streams(Command, tag="streams", kw_only=True):
    """Return what there is: streams with their number of documents."""

    reads_only: ClassVar[bool] = True

    def run(self, state: State) -> object:
        """Return the numbers."""
        found: Counter[str] = Counter()
        for store in state.stores:
            found.update({view.name: len(store.by_key) for view in store.source.streams})
        return found


COMMANDS = (Set, Touch, BadValue, Remove, Add, Rows, Expected, Streams)
