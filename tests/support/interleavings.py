"""A source that changes, a tap that is run and crashes at any point, and a receiver: they must end alike.

The declared model: a change commits no later than the look-back after its stamp, stamps are not empty,
documents are not deleted and keep a line, and a line changes without its document only where the tap can see
that.
"""

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from interleaving_families import FAMILIES
from source_changes import Changes
from tap_runs import Run, copy_of, read_messages_of_run

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from source_changes import Change, Key
    from tap_runs import Config, Record
    from tap_sagex3.errors import TapError
    from x3_control import X3Control

LOOKBACK = 3600
TICKS = (0, 1, 60, 900, 1800, 3500, 3601, 12_000)
WORKERS = (1, 2, 4)
REQUESTS = {"rest": 16, "graphql": 6}
"""Something happens amid a run at one of so many first requests."""
Action = tuple[str, int, int]
"""What happens, which row it happens to, and how much."""


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


@dataclass(frozen=True)
class Site:
    """How a family is read: through which API, and whether REST has classes that list lines."""

    api: str
    family: str
    told: bool

    @property
    def lists_lines(self) -> bool:
        """Whether REST has classes that list the family's lines."""
        return self.told and self.api == "rest" and bool(FAMILIES[self.family].line_tables)

    @property
    def lines_alone(self) -> bool:
        """Whether the tap sees lines that changed without their document, whenever that changed."""
        return self.lists_lines or self.api == "graphql"


class World:
    """The local X3, the receiver, and what happens to them."""

    def __init__(self, x3: X3Control, config: Config, catalog: Record, site: Site) -> None:
        """Start from the data as they are at the start."""
        self._x3 = x3
        self._site = site
        self._family = FAMILIES[site.family]
        self._config = {**config, "auth": "basic", "lookback_seconds": LOOKBACK, "max_retries": 0}
        self._catalog = catalog
        self._changes = Changes(x3, self._family)
        self._stamped: set[Key] = set()
        self._open: list[tuple[str, int, Change]] = []
        self._clock = 0
        self.receiver = Receiver()
        x3.reset()
        x3.set_clock((datetime.now(UTC) - timedelta(days=5)).strftime("%Y-%m-%dT%H:%M:%SZ"), frozen=True)
        if site.lists_lines:
            self._config["line_lookback_days"] = 0
            x3.rest_site(line_classes={name: name for name in self._family.line_tables})

    def act(self, action: Action) -> None:
        """Let one thing happen."""
        name, which, amount = action
        change = self._changes.names.get(name.rpartition(" ")[2])
        if change is not None:
            self._change(name.rpartition(" ")[0], change(which, amount), (which, amount))
            return
        do: dict[str, Callable[[int, int], None]] = {
            "ties": self._tie,
            "commit": self._commit_oldest,
            "rollback": self._roll_back_newest,
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
        for _ in range(2):
            messages, error = self._read(100)
            assert error is None, error
            self.receiver.take(messages)
        for stream in self._family.streams:
            found = list(self.receiver.tables[stream].values())
            expected = self._x3.expected(stream, self._site.api)
            assert _sorted(found) == _sorted(expected), stream
        before = copy_of(self.receiver.state)
        quiet = self._read(100)[0]
        assert [m for m in quiet if m["type"] == "RECORD"] == []
        assert Run([{"type": "STATE", "value": before}]).settled_state == Run(quiet).settled_state

    # Changes

    def _change(self, when: str, change: Change | None, numbers: tuple[int, int]) -> None:
        """Make a change now, or late: stamped now and seen later; or amid a run."""
        if change is None or change.document in [held.document for _, _, held in self._open]:
            return  # an open transaction holds the document
        # Through GraphQL, and where REST lists lines, they tell themselves; else their document must have
        # changed within the look-back for lines.
        if not (change.stamps or self._site.lines_alone or change.document in self._stamped):
            return
        if when == "amid":
            self._run_amid(numbers, change.commands)
        elif when == "late":
            transaction = self._x3.begin()
            for command in change.commands:
                self._x3.call(**command, transaction=transaction)
            self._open.append((transaction, self._clock, change))
        else:
            for command in change.commands:
                self._x3.call(**command)
            self._note(change)

    def _note(self, change: Change) -> None:
        if change.stamps:
            self._stamped.add(change.document)

    def _tie(self, _which: int, amount: int) -> None:
        if not self._open:  # X3 would wait for the documents that are held
            self._x3.call(**self._changes.ties(amount))

    def _commit_oldest(self, _which: int, _amount: int) -> None:
        if self._open:
            transaction, _, change = self._open.pop(0)
            self._x3.commit(transaction)
            self._note(change)

    def _roll_back_newest(self, _which: int, _amount: int) -> None:
        if self._open:
            self._x3.rollback(self._open.pop()[0])

    def _tick(self, _which: int, amount: int) -> None:
        """Time goes on, but no transaction stays open for longer than the look-back."""
        seconds = TICKS[amount % len(TICKS)]
        while self._open and self._clock + seconds - self._open[0][1] >= LOOKBACK:
            self._commit_oldest(0, 0)
        self._clock += seconds
        self._x3.advance(seconds)

    # Runs

    def _run(self, which: int, amount: int) -> None:
        self.receiver.take(self._messages(which, amount))

    def _run_and_cut(self, which: int, amount: int) -> None:
        """The process is killed after some lines."""
        messages = self._messages(which, amount)
        self.receiver.take(messages[: which % (len(messages) + 1)])

    def _run_and_break(self, which: int, amount: int) -> None:
        """A request fails."""
        self._with_fault(which, amount, {"fault": "status", "status": 503})

    def _run_amid(self, numbers: tuple[int, int], commands: tuple[Record, ...]) -> None:
        """A change comes between two requests of a run, and the oldest transaction ends there."""
        which, amount = numbers
        held = self._open.pop(0) if self._open else None
        commit = [] if held is None else [{"do": "commit", "transaction": held[0]}]
        self._with_fault(which, amount, {"fault": "none", "before": [*commands, *commit]})
        if held is not None:
            with contextlib.suppress(ValueError):  # ended amid the run
                self._x3.commit(held[0])
            self._note(held[2])

    def _with_fault(self, which: int, amount: int, rule: Record) -> None:
        self._x3.faults({**rule, "nth": 1 + which % REQUESTS[self._site.api]})
        messages = self._messages(which, amount)
        self._x3.faults()
        self.receiver.take(messages)

    def _messages(self, which: int, amount: int) -> list[Record]:
        return self._read(amount, WORKERS[which % len(WORKERS)])[0]

    def _read(self, amount: int, workers: int = 4) -> tuple[list[Record], TapError | None]:
        config = {**self._config, "page_size": 1 + amount, "detail_workers": workers}
        return read_messages_of_run(config, self._catalog, self.receiver.state)


def _sorted(rows: list[Record]) -> list[str]:
    """Rows in one order and form."""
    return sorted(repr(sorted((name, _plain(value)) for name, value in row.items())) for row in rows)


def _plain(value: t.Any) -> str:  # noqa: ANN401 - JSON
    return format(value.normalize(), "f") if hasattr(value, "normalize") else str(value)
