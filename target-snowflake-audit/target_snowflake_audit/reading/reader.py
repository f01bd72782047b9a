"""Reads Singer lines with msgspec: numbers become Decimal, and a record keeps its own text."""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any, cast

import msgspec
from singer_sdk.singerlib.encoding.base import GenericSingerReader
from singer_sdk.singerlib.exceptions import InvalidInputLine
from typing_extensions import override

if TYPE_CHECKING:
    from target_snowflake_audit.values import Json

RECORD_TEXT = "record_text"
"""Key that a RECORD message carries beside Singer's own: the record's JSON text as received, bytes."""

MAX_SHOWN = 120


class Envelope(msgspec.Struct):
    """What every line is looked at for; the record is left as bytes and decoded on its own."""

    type: str = ""
    stream: str = ""
    record: msgspec.Raw = msgspec.Raw(b"")
    time_extracted: str | None = None
    version: int | None = None


_envelope = msgspec.json.Decoder(Envelope)
_any = msgspec.json.Decoder(float_hook=Decimal)


class MessageReader(GenericSingerReader[bytes]):
    """Public reader of singer-sdk, fed from the binary standard input; text input works as well."""

    @property
    @override
    def default_input(self) -> IO[bytes]:
        return sys.stdin.buffer

    @override
    def deserialize_json(self, line: bytes) -> dict[str, Any]:
        """Decode one line.

        Raises:
            InvalidInputLine: the line is no JSON object.
        """
        try:
            return _decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return _lenient(line)


def decode_record(text: bytes) -> Json:
    """Decode the text of a record that was read before."""
    return _any.decode(text)


def _decode(line: bytes) -> dict[str, Any]:
    envelope = _envelope.decode(line)
    if envelope.type != "RECORD" or not envelope.record or not envelope.stream:
        return cast("dict[str, Any]", _any.decode(line))
    record = envelope.record
    return {
        "type": "RECORD",
        "stream": envelope.stream,
        "record": _any.decode(record),
        "time_extracted": envelope.time_extracted,
        "version": envelope.version,
        RECORD_TEXT: bytes(record),
    }


def _lenient(line: bytes | str) -> dict[str, Any]:
    """Decode what strict JSON forbids and taps send (NaN, lone surrogates): a dead letter, not a stop."""
    text = line if isinstance(line, str) else line.decode("utf-8", "replace")
    try:
        message = json.loads(text, parse_float=Decimal, parse_constant=Decimal)
    except (ValueError, RecursionError) as error:
        problem = f"not a JSON line ({error}): {text.strip()[:MAX_SHOWN]}"
        raise InvalidInputLine(problem) from None
    if not isinstance(message, dict):
        problem = f"expected a JSON object in each line, got: {text.strip()[:MAX_SHOWN]}"
        raise InvalidInputLine(problem)
    if message.get("type") == "RECORD":
        message[RECORD_TEXT] = json.dumps(message.get("record"), default=str).encode()
    return message
