"""Values as a person reads them: exact numbers, UTC times, nothing that a terminal would obey."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from decimal import Decimal

import msgspec

NOTHING = "-"
# Unicode categories that a terminal acts on or hides: controls, formats (direction overrides, zero widths),
# surrogates, and line and paragraph separators.
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_encode = msgspec.json.Encoder(enc_hook=str, decimal_format="number")


def safe(text: str) -> str:
    r"""Write characters that could steer a terminal as escapes, so that a record cannot forge the screen.

    `"a\x1b[2J"` becomes `a\\x1b[2J` in visible characters; a newline becomes a visible `\\n`.
    """
    if text.isprintable():
        return text
    return "".join(_safe_character(character) for character in text)


def _safe_character(character: str) -> str:
    if unicodedata.category(character) not in _UNSAFE:
        return character
    if character in _NAMED:
        return _NAMED[character]
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def shown(value: object) -> str:
    """Show one value on one line: numbers digit by digit, times as UTC ISO, objects as JSON, null as `-`."""
    match value:
        case None:
            return NOTHING
        case bool() | dict() | list():
            return safe(json_text(value))
        case Decimal():
            return format(value, "f")
        case datetime():
            return utc(value)
        case _:
            return safe(str(value))


def quoted(value: object) -> str:
    """Show a JSON value so that text, number, empty text and null cannot be confused."""
    return safe(json_text(value))


def utc(moment: datetime) -> str:
    """Write a time as `2026-01-02T03:04:05Z`; Snowflake's TIMESTAMP_NTZ columns hold UTC.

    With milliseconds where there are any, and with microseconds where milliseconds would cut it.
    """
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    if not moment.microsecond:
        return moment.isoformat(timespec="seconds") + "Z"
    precision = "microseconds" if moment.microsecond % 1000 else "milliseconds"
    return moment.isoformat(timespec=precision) + "Z"


def utc_of_text(text: str) -> str:
    """Write `2026-01-02 03:04:05.000000000` as `utc` does, with nanoseconds where there are any."""
    moment, _, fraction = text.replace(" ", "T", 1).partition(".")
    while fraction.endswith("000"):
        fraction = fraction[:-3]
    return f"{moment}.{fraction}Z" if fraction else f"{moment}Z"


def json_text(value: object) -> str:
    """Write JSON on one line; decimals keep each digit, times are UTC."""
    return _encode.encode(plain(value)).decode()


def plain(value: object) -> object:
    """Replace times by their UTC text, at any depth; leave the rest as it is."""
    match value:
        case datetime():
            return utc(value)
        case dict():
            return {str(name): plain(part) for name, part in value.items()}
        case list() | tuple():
            return [plain(part) for part in value]
        case _:
            return value


def exact_json(text: str) -> object:
    """Read JSON with every number that has a point or an exponent as Decimal, never as float.

    Raises:
        ValueError: the text is not JSON.
    """
    return _decode.decode(text.encode())


_decode = msgspec.json.Decoder(float_hook=Decimal)
