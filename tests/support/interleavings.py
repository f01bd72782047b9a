"""A source that changes, a tap that is run and crashes at any point, and a receiver: they must end alike.

The declared model: a change commits no later than the look-back after its stamp, stamps are not empty,
documents are not deleted, and a line changes without its document only where the tap can see that.
"""

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tap_runs import Run, copy_of, read_messages_of_run
from tap_sagex3.tap import TapSageX3

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from tap_runs import Config, Record
    from x3_control import X3Control

LOOKBACK = 3600
Key = tuple[t.Any, ...]
Action = tuple[str, int, int]
"""What happens, which row it happens to, and how much."""


@dataclass(frozen=True)
class Level:
    """A table of a family: its key columns, and a text column that may change."""

    table: str
    key: tuple[str, ...]
    column: str


@dataclass(frozen=True)
class Family:
    """Documents of one kind: tables from the document inwards, and the streams that come from them."""

    levels: tuple[Level, ...]
    streams: tuple[str, ...]


FAMILIES = {
    "orders": Family(
        (
            Level("PORDER", ("POHNUM",), "ORDREF"),
            Level("PORDERQ", ("POHNUM", "POPLIN", "POQSEQ"), "RCPQTYSTU"),
        ),
        ("purchase_orders", "purchase_order_lines"),
    ),
    "purchasing invoices": Family(
        (Level("PINVOICE", ("NUM",), "INVREF"), Level("PINVOICED", ("NUM", "PIDLIN"), "QTYUOM")),
        ("supplier_invoices", "supplier_invoice_lines"),
    ),
    "financial invoices": Family(
        (Level("BPSINV", ("NUM",), "INVREF"), Level("BPSINVLIG", ("NUM", "LIG"), "QTY")),
        ("supplier_invoices", "supplier_invoice_lines"),
    ),
    "sales invoices": Family(
        (Level("SINVOICEV", ("NUM",), "INVREF"), Level("SINVOICED", ("NUM", "SIDLIN"), "QTY")),
        ("sales_invoices", "sales_invoice_lines"),
    ),
    "ledger": Family(
        (
            Level("GACCENTRY", ("TYP", "NUM"), "REF"),
            Level("GACCENTRYD", ("TYP", "NUM", "LIN", "LEDTYP"), "QTY"),
            Level("GACCENTRYA", ("TYP", "NUM", "LIN", "LEDTYP", "ANALIN"), "QTY"),
        ),
        ("gl_entries", "gl_entry_lines", "gl_cost_allocations"),
    ),
}


@dataclass
class Receiver:
    """Keeps the last record of each key; rows of a document that do not come again with it go."""

    tables: dict[str, dict[Key, Record]] = field(default_factory=dict)
    state: Record = field(default_factory=dict)

    def take(self, messages: list[Record]) -> None:
        """Take the messages of a run, or the first of them."""
        keys: dict[str, list[str]] = {}
        scopes: dict[str, list[str]] = {}
        open_documents: dict[str, tuple[Key, set[Key]]] = {}
        for message in messages:
            stream = message.get("stream", "")
            if message["type"] == "SCHEMA":
                keys[stream] = message["key_properties"]
                scopes[stream] = message["schema"].get("x-replace-scope", [])
                self.tables.setdefault(stream, {})
            elif message["type"] == "RECORD":
                record = message["record"]
                key = tuple(record[name] for name in keys[stream])
                scope = tuple(record[name] for name in scopes[stream])
                if open_documents.get(stream, (None,))[0] != scope:
                    self._close(stream, len(scope), open_documents)
                    open_documents[stream] = (scope, set())
                open_documents[stream][1].add(key)
                self.tables[stream][key] = record
            elif message["type"] == "STATE":
                self.state = message["value"]
        for stream in list(open_documents):
            self._close(stream, len(open_documents[stream][0]), open_documents)

    def _close(self, stream: str, length: int, open_documents: dict[str, tuple[Key, set[Key]]]) -> None:
        """A document is complete: take out its rows that did not come with it."""
        scope, received = open_documents.pop(stream, ((), set()))
        if not length or not received:
            return
        table = self.tables[stream]
        for key in [key for key in table if key[:length] == scope and key not in received]:
            del table[key]


class World:
    """The local X3, the receiver, and what happens to them."""

    def __init__(self, x3: X3Control, config: Config, api: str, family: str, *, lines_alone: bool) -> None:
        """Start from the data as they are at the start; `lines_alone` says that the tap sees such changes."""
        self._x3 = x3
        self._api = api
        self._family = FAMILIES[family]
        self._config = {**config, "auth": "basic", "lookback_seconds": LOOKBACK, "max_retries": 0}
        self._lines_alone = lines_alone
        self._changed: set[Key] = set()
        self._number = 0
        self._open: list[tuple[str, int]] = []
        self._clock = 0
        self.receiver = Receiver()
        x3.reset()
        x3.set_clock((datetime.now(UTC) - timedelta(days=5)).strftime("%Y-%m-%dT%H:%M:%SZ"), frozen=True)
        self._keys = [
            [tuple(row[name] for name in level.key) for row in x3.rows(level.table)]
            for level in self._family.levels
        ]
        self._catalog = self._catalog_of(self._family.streams)

    def act(self, action: Action) -> None:
        """Let one thing happen."""
        name, which, amount = action
        do: dict[str, Callable[[int, int], None]] = {
            "header": self._change_header,
            "line": self._change_line,
            "late": self._change_late,
            "commit": self._commit_oldest,
            "tick": self._tick,
            "run": self._run,
            "cut": self._run_and_cut,
            "break": self._run_and_break,
        }
        do[name](which, amount)

    def finish(self) -> None:
        """End everything that is open, and run to the end.

        Raises:
            AssertionError: source and receiver differ, or a run over an unchanged source sends a record.
        """
        while self._open:
            self._commit_oldest(0, 0)
        self._run(0, 100)
        self._run(0, 100)
        for stream in self._family.streams:
            found = list(self.receiver.tables[stream].values())
            expected = self._x3.expected(stream, self._api)
            assert _sorted(found) == _sorted(expected), stream
        before = copy_of(self.receiver.state)
        quiet = self._messages(100)
        assert [m for m in quiet if m["type"] == "RECORD"] == []
        assert Run([{"type": "STATE", "value": before}]).settled_state == Run(quiet).settled_state

    # What happens

    def _change_header(self, which: int, amount: int) -> None:
        self._set(0, which, f"H{amount}")

    def _change_line(self, which: int, amount: int) -> None:
        level = 1 + amount % (len(self._keys) - 1)
        key = self._keys[level][which % len(self._keys[level])]
        document = key[: len(self._family.levels[0].key)]
        if self._lines_alone or document in self._changed:
            with contextlib.suppress(ValueError):  # an open transaction holds the document
                self._x3.set(self._family.levels[level].table, list(key), self._quantity(level))

    def _change_late(self, which: int, _amount: int) -> None:
        """A change that is stamped now and seen later."""
        level = self._family.levels[0]
        key = self._keys[0][which % len(self._keys[0])]
        transaction = self._x3.begin()
        try:
            self._number += 1
            self._x3.set(level.table, list(key), {level.column: f"L{self._number}"}, transaction=transaction)
        except ValueError:  # another open transaction holds the document
            self._x3.rollback(transaction)
            return
        self._open.append((transaction, self._clock))
        self._changed.add(key)

    def _commit_oldest(self, _which: int, _amount: int) -> None:
        if self._open:
            self._x3.commit(self._open.pop(0)[0])

    def _tick(self, _which: int, amount: int) -> None:
        """Time goes on, but no transaction stays open for longer than the look-back."""
        seconds = amount * 13
        while self._open and self._clock + seconds - self._open[0][1] >= LOOKBACK:
            self._commit_oldest(0, 0)
        self._clock += seconds
        self._x3.advance(seconds)

    def _set(self, number: int, which: int, text: str) -> None:
        level = self._family.levels[number]
        key = self._keys[number][which % len(self._keys[number])]
        with contextlib.suppress(ValueError):  # an open transaction holds it
            self._x3.set(level.table, list(key), {level.column: text})
            self._changed.add(key)

    def _quantity(self, level: int) -> Record:
        self._number += 1
        return {self._family.levels[level].column: self._number}

    # Runs

    def _run(self, _which: int, amount: int) -> None:
        self.receiver.take(self._messages(amount))

    def _run_and_cut(self, which: int, amount: int) -> None:
        """The process is killed after some lines."""
        messages = self._messages(amount)
        self.receiver.take(messages[: which % (len(messages) + 1)])

    def _run_and_break(self, which: int, amount: int) -> None:
        """A request fails."""
        self._x3.faults({"fault": "status", "status": 503, "nth": 1 + which % 25})
        messages = self._messages(amount)
        self._x3.faults()
        self.receiver.take(messages)

    def _messages(self, page_size: int) -> list[Record]:
        config = {**self._config, "page_size": 1 + page_size}
        return read_messages_of_run(config, self._catalog, self.receiver.state)[0]

    def _catalog_of(self, streams: tuple[str, ...]) -> Record:
        catalog: Record = copy_of(TapSageX3(config=copy_of(self._config)).catalog_dict)
        for entry in catalog["streams"]:
            for metadata in entry["metadata"]:
                if metadata["breadcrumb"] == []:
                    metadata["metadata"]["selected"] = entry["stream"] in streams
        return catalog


def _sorted(rows: list[Record]) -> list[str]:
    """Rows in one order and form."""
    return sorted(repr(sorted((name, _plain(value)) for name, value in row.items())) for row in rows)


def _plain(value: t.Any) -> str:  # noqa: ANN401 - JSON
    return format(value.normalize(), "f") if hasattr(value, "normalize") else str(value)
