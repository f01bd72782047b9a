"""Reads Singer lines with msgspec: numbers become Decimal, and a record keeps its own text."""

from __future__ import annotations

import json
import sys
from collections import Counter
from decimal import Decimal, DecimalException
from functools import partial
from operator import length_hint
from typing import IO, TYPE_CHECKING, Any, cast

import msgspec
from singer_sdk.singerlib.encoding.base import GenericSingerReader
from singer_sdk.singerlib.exceptions import InvalidInputLine
from typing_extensions import override

from target_snowflake_audit.checking.problems import utf8
from target_snowflake_audit.reading import deep
from target_snowflake_audit.reading.blocks import RECORD_TEXT, Records, binary, blocks, decode_envelope, runs
from target_snowflake_audit.reading.input_errors import (
    MAX_SHOWN,
    OF_A_LINE,
    numbered,
    said,
    typed,
    unknown_type,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from target_snowflake_audit.checking.rows import Row
    from target_snowflake_audit.reading.blocks import Envelope
    from target_snowflake_audit.values import Json

    Callbacks = dict[str, Callable[[dict[str, Any]], None]]

_OBJECT = ord("{")


_any = msgspec.json.Decoder(float_hook=Decimal)
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, DecimalException)
"""What strict decoding raises for lines that taps do send."""
_MOST_DIGITS = 4_000
"""Python reads whole numbers of up to 4,300 digits from text."""


def _whole(text: str) -> int | Decimal:
    return int(text) if len(text) <= _MOST_DIGITS else Decimal(text)


def _number(text: str) -> Decimal:
    """A number; one with an exponent that nobody can hold is no finite number to anybody."""
    try:
        return Decimal(text)
    except DecimalException:
        return Decimal("Infinity")


_lenient_decoder = json.JSONDecoder(parse_float=_number, parse_int=_whole, parse_constant=Decimal)
_VISIBLE = "surrogateescape"
"""Each byte that is no UTF-8 becomes a lone surrogate, and stays to be seen by `checking.encoding`."""


class MessageReader(GenericSingerReader[bytes]):
    """Public reader of singer-sdk, fed from the binary standard input; text input works as well."""

    def __init__(self) -> None:
        """Records of every stream are dictionaries until `decode_as` says otherwise."""
        super().__init__()
        self._decoders: dict[str, Callable[[msgspec.Raw | bytes], Row]] = {}
        self._latest = ""
        """Stream of the latest line: where it is not decoded as rows, blocks are not looked at as a whole."""
        self.take_records: Callable[[Records], None] | None = None
        """Takes records of a stream that is decoded as rows; None = each comes as a message of its own."""

    def decode_as(self, stream: str, decode: Callable[[msgspec.Raw | bytes], Row] | None) -> None:
        """Set how records of a stream are decoded; what `decode` refuses becomes a dictionary."""
        if decode is None:
            self._decoders.pop(stream, None)
        else:
            self._decoders[stream], self._latest = decode, stream

    @override
    def process_lines(self, file_input: IO[bytes] | None, callbacks: Callbacks) -> Counter[str]:
        """Process all messages; records of streams that are decoded as rows are handed over together.

        Raises:
            InvalidInputLine: a line is no Singer message.
        """
        source = binary(file_input or self.default_input)
        if source is None:
            return self._numbered(file_input or self.default_input, callbacks)
        counts: Counter[str] = Counter()
        before = 0
        for lines in blocks(source):
            if self._latest in self._decoders and self.take_records is not None:
                for stream, first, end, found in runs(lines):
                    if (records := self._records(stream, found)) is None:
                        counts += self._one_by_one(lines[first:end], before + first, callbacks)
                    else:
                        self._latest = stream
                        self.take_records(records)
                        counts["RECORD"] += len(records)
            else:
                counts += self._one_by_one(lines, before, callbacks)
            before += len(lines)
        return counts

    def _one_by_one(self, lines: list[bytes], before: int, callbacks: Callbacks) -> Counter[str]:
        """Process lines as the SDK does; so many came `before`, and only an error needs to be numbered."""
        left = iter(lines)
        try:
            return super().process_lines(cast("IO[bytes]", left), callbacks)  # it only iterates over them
        except OF_A_LINE as error:
            raise numbered(error, before + len(lines) - length_hint(left)) from error

    def _numbered(self, source: Iterable[bytes], callbacks: Callbacks) -> Counter[str]:
        """As `_one_by_one`, for an input that is no stream of bytes."""
        at = 0

        def counted() -> Iterator[bytes]:
            nonlocal at
            for at, line in enumerate(source, 1):  # noqa: B007 - what it is at the end counts
                yield line

        try:
            return super().process_lines(cast("IO[bytes]", counted()), callbacks)
        except OF_A_LINE as error:
            raise numbered(error, at) from error

    @override
    def _process_unknown_message(self, message_dict: dict[str, Any]) -> None:
        raise InvalidInputLine(unknown_type(str(message_dict["type"])))

    def _records(self, stream: str, found: list[Envelope]) -> Records | None:
        """Give records that came together; None where each must be looked at by itself."""
        decode = self._decoders.get(stream)
        if decode is None:
            return None
        raw = [bytes(envelope.record) for envelope in found]
        if not _are_objects(raw):
            return None
        return Records(
            stream,
            raw,
            [envelope.time_extracted for envelope in found],
            [envelope.version for envelope in found],
            partial(as_received, decode=decode),
        )

    @property
    @override
    def default_input(self) -> IO[bytes]:
        return sys.stdin.buffer

    @staticmethod
    @override
    def assert_line_requires(line_dict: dict[str, Any], requires: set[str]) -> None:
        """As in the SDK, but the line itself is not shown: it may hold what must not be in a log.

        Raises:
            InvalidInputLine: required names are missing.
        """
        missing = requires - set(line_dict)
        if missing:
            kind, stream = str(line_dict.get("type", "")), str(line_dict.get("stream", ""))
            # A record that was printed as it is has no `type` for certain, but may well have a `stream`.
            where = f"{kind} of stream {stream}" if kind and stream else kind or "a message"
            message = f"{utf8(where[:MAX_SHOWN])} lacks {', '.join(sorted(missing))}"
            raise InvalidInputLine(message)

    @override
    def deserialize_json(self, line: bytes) -> dict[str, Any]:
        """Decode one line.

        Raises:
            InvalidInputLine: the line is no JSON object.
        """
        message = self._message(line)
        self._latest = str(message.get("stream") or self._latest)
        return message

    def _message(self, line: bytes) -> dict[str, Any]:
        try:
            return _decode(line, self._decoders)
        except (msgspec.DecodeError, UnicodeDecodeError, DecimalException):
            return _lenient(line)
        except RecursionError:
            return _deep(line)


def decode_record(text: bytes) -> Json:
    """Decode the text of a record that was read before, or of a value in it."""
    try:
        return _strictly_or_not(text)
    except RecursionError:
        return deep.TooDeep(text.decode("utf-8", "backslashreplace"))


def visible(text: bytes) -> bytes:
    """The text of a record as it is kept: bytes that are no UTF-8 are written as escapes."""
    return text.decode("utf-8", _VISIBLE).encode("utf-8", "backslashreplace")


def _strictly_or_not(text: bytes) -> Json:
    try:
        return _any.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, DecimalException):
        return _loads(text.decode("utf-8", _VISIBLE))


def as_received(text: bytes, decode: Callable[[msgspec.Raw | bytes], Row] | None) -> Row | dict[str, Any]:
    """Decode the text of a record whose line was looked at, as a row if it is one."""
    try:
        return cast("Row | dict[str, Any]", decode_row(text, decode))
    except UNREADABLE:
        return cast("dict[str, Any]", decode_record(text))


def _are_objects(raw: list[bytes]) -> bool:
    """Whether all texts are objects in UTF-8; that they are JSON was seen when their lines were decoded."""
    joined = b"".join(raw)
    if not joined.isascii():
        try:
            joined.decode()
        except UnicodeDecodeError:
            return False
    return all(text[0] == _OBJECT for text in raw)


def _deep(line: bytes | str) -> dict[str, Any]:
    """Keep a record that nests too deeply: it is a dead letter, not a stop."""
    whole = line.encode("utf-8", _VISIBLE) if isinstance(line, str) else line
    try:
        message = deep.message(whole)
    except ValueError as error:
        raise InvalidInputLine(said(f"not a JSON line ({error})", whole.decode("utf-8", _VISIBLE))) from None
    return {**message, RECORD_TEXT: message.pop("text")}


def _decode(line: bytes, decoders: Mapping[str, Callable[[msgspec.Raw | bytes], Row]]) -> dict[str, Any]:
    envelope = decode_envelope(line)
    if envelope.type != "RECORD" or not envelope.record or not envelope.stream:
        return cast("dict[str, Any]", _any.decode(line))
    record = bytes(envelope.record)
    if not record.isascii():
        record.decode()  # what a row has no field for, or keeps as text, was not looked at
    return {
        "type": "RECORD",
        "stream": envelope.stream,
        "record": decode_row(record, decoders.get(envelope.stream)),
        "time_extracted": envelope.time_extracted,
        "version": envelope.version,
        RECORD_TEXT: record,
    }


def decode_row(text: msgspec.Raw | bytes, decode: Callable[[msgspec.Raw | bytes], Row] | None) -> Json:
    """Decode the text of a record, as a row if it is one."""
    if decode is not None:
        try:
            return decode(text)
        except msgspec.ValidationError:
            pass  # the full rules say what is wrong with it, if anything is
    return _any.decode(text)


def _lenient(line: bytes | str) -> dict[str, Any]:
    """Decode what strict JSON forbids and taps send: NaN, lone surrogates, bytes that are no UTF-8.

    In a record they are dead letters, not a stop. In a SCHEMA or STATE they would change without a word.
    """
    text = line if isinstance(line, str) else line.decode("utf-8", _VISIBLE)
    try:
        message = typed(_loads(text))
    except RecursionError:
        return _deep(line)
    except ValueError as error:
        problem = f"not a JSON line ({error})" if text.strip() else "the line is empty, expected a message"
        raise InvalidInputLine(said(problem, text)) from None
    if message.get("type") == "RECORD":
        message[RECORD_TEXT] = _record_text(text).encode("utf-8", "backslashreplace")
        return message
    try:
        msgspec.json.encode(message)
    except UnicodeEncodeError:
        raise InvalidInputLine(said("text that is no UTF-8", text)) from None
    return message


def _loads(text: str) -> Json:
    return _lenient_decoder.decode(text)


def _record_text(text: str) -> str:
    """Give the text of the record in a line that is known to decode: numbers keep their digits."""
    found, at = "null", text.index("{")
    while text[at] != "}":
        name, at = _lenient_decoder.raw_decode(text, _after_space(text, at + 1))
        start = _after_space(text, _after_space(text, at) + 1)
        _, at = _lenient_decoder.raw_decode(text, start)
        if name == "record":
            found = text[start:at]
        at = _after_space(text, at)
    return found


def _after_space(text: str, at: int) -> int:
    while text[at].isspace():
        at += 1
    return at
