"""Input that is read in blocks of lines, with records handed over together, is taken as line by line."""

from __future__ import annotations

import io
import os
import threading
from itertools import pairwise
from typing import IO, TYPE_CHECKING, Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st
from singer_sdk.singerlib.exceptions import InvalidInputLine
from target_snowflake_audit.checking.chunks import Checker
from target_snowflake_audit.checking.plan import make_plan
from target_snowflake_audit.checking.rows import Row
from target_snowflake_audit.reading import blocks as reading
from target_snowflake_audit.reading.blocks import RECORD_TEXT, Records, blocks
from target_snowflake_audit.reading.reader import MessageReader

if TYPE_CHECKING:
    import pytest

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "k": {"type": "integer"},
        "text": {"type": ["string", "null"]},
        "amount": {"type": ["number", "null"]},
    },
}
MESSAGE = {"stream": "s", "schema": SCHEMA}
LINES = [
    b'{"type":"RECORD","stream":"s","record":{"k":1,"text":"a","amount":1.50},"time_extracted":"2026-01-01"}',
    b'{"type": "RECORD", "stream": "s", "record": {"k": 2, "text": "\\u00e9\\n"}, "version": 3}',
    b'{"type":"RECORD","stream":"s","record":{"k":"x","text":"a"}}',
    b'{"type":"RECORD","stream":"s","record":{"k":4,"amount":NaN}}',
    b'{"type":"RECORD","stream":"s","record":{"k":5,"text":"\\ud800"}}',
    b'{"type":"RECORD","stream":"s","record":{"k":6,"text":"\xff"}}',
    b'{"type":"RECORD","stream":"s","record":[1]}',
    b'{"type":"RECORD","stream":"other","record":{"k":7}}',
    b'{"type":"STATE","value":{"bookmarks":{"s":1.10}}}',
    b' {"stream":"s","record":{"k":8,"text":"z"},"type":"RECORD"}\r',
]
BROKEN = [b"", b"no JSON", b'{"type":"RECORD","stream":"s","record":{"k":1}', b"[]", b'{"type":"NEWS"}']


class Pieces:
    """An input that comes in pieces, like a pipe."""

    def __init__(self, pieces: list[bytes]) -> None:
        """Give them in this order."""
        self._pieces = pieces

    def read1(self, most: int) -> bytes:
        """Give the next piece, or its beginning."""
        if not self._pieces:
            return b""
        piece, rest = self._pieces[0][:most], self._pieces[0][most:]
        self._pieces[:1] = [rest] if rest else []
        return piece


def cut(data: bytes, places: list[int]) -> IO[bytes]:
    """Cut data at places, counted from its beginning."""
    edges = [0, *sorted({place % (len(data) + 1) for place in places}), len(data)]
    found = [data[a:b] for a, b in pairwise(edges)]
    return cast("IO[bytes]", Pieces([piece for piece in found if piece]))


def simple(message: dict[str, Any]) -> tuple[Any, ...]:
    """A RECORD in a form that can be compared, whatever it was decoded as."""
    record = message["record"]
    if isinstance(record, Row):
        record = {name: record.get(name) for name in record.field_of if record.get(name) is not None}
    elif isinstance(record, dict):
        record = {name: value for name, value in record.items() if value is not None}
    raw, at, version = message[RECORD_TEXT], message.get("time_extracted"), message.get("version")
    return message["stream"], repr(record), bytes(raw), at, version


def taken(source: Any, *, together: bool) -> tuple[list[Any], str, int]:  # noqa: ANN401 - any input
    """Read an input: what came in which order, the error that ended it, and how many came together."""
    reader, rows = MessageReader(), 0
    found: list[Any] = []
    form = Checker(make_plan({"number_type": "NUMBER(38,2)"}, "s", SCHEMA, ["k"], MESSAGE, "DB")).form
    assert form is not None
    reader.decode_as("s", form.decode)

    def take(records: Records) -> None:
        nonlocal rows
        rows += len(records)
        found.extend(simple(message) for message in records.messages())

    if together:
        reader.take_records = take
    callbacks = {"RECORD": lambda m: found.append(simple(m)), "STATE": lambda m: found.append(m["value"])}
    try:
        counts = reader.process_lines(source, callbacks)
    except (InvalidInputLine, ValueError) as error:
        return found, f"{type(error).__name__}: {str(error).split(' (')[0]}", rows  # where in it may differ
    found.append(dict(counts))
    return found, "", rows


@given(
    lines=st.lists(st.sampled_from(LINES), max_size=30),
    broken=st.lists(st.tuples(st.integers(0, 30), st.sampled_from(BROKEN)), max_size=1),
    places=st.lists(st.integers(0, 3000), max_size=8),
    end=st.booleans(),
)
@settings(deadline=None, max_examples=200)
def test_blocks_bring_what_lines_bring(
    lines: list[bytes], broken: list[tuple[int, bytes]], places: list[int], *, end: bool
) -> None:
    for at, line in broken:
        lines.insert(at, line)
    data = b"\n".join(lines) + (b"\n" if end and lines else b"")
    by_line = taken(iter(io.BytesIO(data).readlines()), together=False)
    together = taken(cut(data, places), together=True)
    assert together[:2] == by_line[:2]


def test_plain_records_come_together() -> None:
    data = b"\n".join([LINES[0]] * 1000) + b"\n"
    found, error, rows = taken(io.BytesIO(data), together=True)
    assert (len(found), error, rows) == (1001, "", 1000)


@given(
    lines=st.lists(st.binary(max_size=40).map(lambda data: data.replace(b"\n", b"")), max_size=20),
    places=st.lists(st.integers(0, 800), max_size=10),
)
@settings(deadline=None)
def test_lines_are_whole_wherever_the_input_is_cut(lines: list[bytes], places: list[int]) -> None:
    data = b"\n".join(lines)
    expected = data.split(b"\n")
    if not expected[-1]:
        expected.pop()
    assert [line for block in blocks(cut(data, places)) for line in block] == expected


def test_a_line_longer_than_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BLOCK", 16)
    data = b"short\n" + b"x" * 100 + b"\nend"
    assert [line for block in blocks(io.BytesIO(data)) for line in block] == data.split(b"\n")


def test_a_slow_input_is_not_waited_for() -> None:
    out, into = os.pipe()
    found = threading.Event()
    seen: list[bytes] = []

    def read() -> None:
        with os.fdopen(out, "rb") as source:
            for block in blocks(source):
                seen.extend(block)
                found.set()

    thread = threading.Thread(target=read)
    thread.start()
    os.write(into, b"first\nhalf")
    assert found.wait(10)
    assert seen == [b"first"]
    os.write(into, b" and half\n")
    os.close(into)
    thread.join(10)
    assert seen == [b"first", b"half and half"]


def test_two_messages_on_a_line_are_an_error_also_beside_an_empty_line() -> None:
    """As two threads write that do not wait for each other: no line may be taken for another."""
    first, other, state = LINES[0], LINES[7], LINES[8]
    for lines in ([first + first, other, first, b""], [first + first, state, b"", first]):
        found, error, _ = taken(io.BytesIO(b"\n".join(lines)), together=True)
        assert (found, error.split(":")[0]) == ([], "InvalidInputLine")
