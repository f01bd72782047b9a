"""Lines that nest deeper than a decoder goes: the record's text is found without recursion and kept whole."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

EXPECTED = "a JSON object that nests less deeply (some 900 levels can be read)"

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{},:]', re.DOTALL)
_READ = frozenset({"type", "stream", "time_extracted", "version"})
_OPEN, _CLOSE, _MARKS = (b"[", b"{"), (b"]", b"}"), (b"{", b"}", b":", b",")


class TooDeep(str):
    """A record that nests too deeply to be read: its text, which is no JSON object to anybody."""

    __slots__ = ()
    expected = EXPECTED


def members(line: bytes) -> Iterator[tuple[str, bytes]]:
    """Give name and text of each member of the object in a line.

    Raises:
        ValueError: there is no such object, or a name that cannot be read.
    """
    name, start = "", -1
    for text, begin, end in _outermost(line):
        if text == b"{":
            start = end
        elif text == b":":
            name, start = msgspec.json.decode(line[start:begin], type=str), end
        elif start >= 0:
            if name:
                yield name, line[start:begin].strip()
            name, start = "", end


def _outermost(line: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Give the outermost brackets, and the colons and commas between them, with their places.

    Raises:
        ValueError: brackets do not match.
    """
    depth = 0
    for token in _TOKEN.finditer(line):
        text = token[0]
        depth += text in _OPEN
        if depth == 1 and text in _MARKS:
            yield text, token.start(), token.end()
        depth -= text in _CLOSE
    if depth:
        problem = "a bracket is not closed"
        raise ValueError(problem)


def message(line: bytes) -> dict[str, Any]:
    """Give a RECORD message whose record is `TooDeep`, and the record's text apart.

    Raises:
        ValueError: it is no RECORD message, or no JSON.
    """
    found = dict(members(line))
    record = found.pop("record", b"")
    if found.get("type") != b'"RECORD"' or not record:
        problem = "a message other than a RECORD nests too deeply to be read"
        raise ValueError(problem)
    shallow = {name: msgspec.json.decode(text) for name, text in found.items() if name in _READ}
    return {**shallow, "record": TooDeep(record.decode("utf-8", "backslashreplace")), "text": record}
