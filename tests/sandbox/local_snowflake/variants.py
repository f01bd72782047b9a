"""The text of a VARIANT.

Rules restored (parse_json and to_json pages): an object's names are unique and come back in order, spaces
between its parts do not; what is no JSON fails with 100069; a client gets the text of an object or array on
several lines. Numbers keep the digits they were written with.
"""

from __future__ import annotations

import json
import re
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, NoReturn

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Callable

    from duckdb import DuckDBPyConnection


_HALF = re.compile("[\ud800-\udfff]")


class _Number(str):
    """The digits of a number."""

    __slots__ = ()


def _constant(name: str) -> NoReturn:
    message = f"{name} is no JSON"
    raise ValueError(message)


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        message = f'duplicate object attribute "{twice}"'
        raise ValueError(message)
    return dict(sorted(found.items()))


_DECODER = json.JSONDecoder(
    object_pairs_hook=_members, parse_float=_Number, parse_int=_Number, parse_constant=_constant
)


def _quoted(text: str) -> str:
    """A JSON text; half of a surrogate pair makes it none, since no UTF-8 text can hold it [I]."""
    if _HALF.search(text):
        message = "half of a surrogate pair"
        raise ValueError(message)
    return encode_basestring(text)


def _written(value: object, line: str = "", step: str = "") -> str:
    """JSON text; `line` starts a new line inside the value, empty for everything on one line."""
    if isinstance(value, _Number):
        return value
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, dict):
        gap = ": " if line else ":"
        parts = [_quoted(k) + gap + _written(v, line + step, step) for k, v in value.items()]
        return _enclosed("{", parts, "}", line, step)
    if isinstance(value, list):
        return _enclosed("[", [_written(v, line + step, step) for v in value], "]", line, step)
    return {None: "null", True: "true", False: "false"}[value]  # type: ignore[index]


def _enclosed(start: str, parts: list[str], end: str, line: str, step: str) -> str:
    if not line or not parts:
        return start + ",".join(parts) + end
    inner = line + step
    return start + inner + ("," + inner).join(parts) + line + end


def canonical(text: str) -> str | None:
    """A JSON text as a VARIANT gives it back; None for an empty one.

    Raises:
        ValueError: when it is no JSON, or names one member twice.
    """
    if not text.strip():
        return None
    return _written(_DECODER.decode(text))


def pretty(text: str | None) -> str | None:
    """A VARIANT's text as clients get it."""
    if not text or text[0] not in "{[":
        return text
    return _written(_DECODER.decode(text), "\n", "  ")


_COMMA = re.compile(r",(?=\s*[,\]}])")
_WORD = re.compile(r"(?i)-?\b(true|false|null|undefined|nan|inf|infinity)\b")
_STRINGS = re.compile(r'("(?:[^"\\]|\\.)*")')


def _nearly(text: str) -> bool:
    """Whether the real one reads it though it is no JSON: elements left out, TRUE, NaN, undefined."""
    parts = _STRINGS.split(text)
    parts[::2] = [_COMMA.sub("", _WORD.sub("null", part)) for part in parts[::2]]
    try:
        return canonical("".join(parts)) is not None
    except (ValueError, RecursionError):
        return False


def _refuse_nearly(text: str) -> None:
    if _nearly(text):
        message = "LOCAL:2:0A000:Unsupported feature: the local Snowflake cannot read JSON with elements "
        message += f"left out or with words that JSON has not: {text[:40]}"
        raise ValueError(message) from None


def _parse(text: str) -> str | None:
    try:
        return canonical(text)
    except (ValueError, RecursionError) as error:
        _refuse_nearly(text)
        reason = str(error).split("\n", 1)[0]
        message = f"LOCAL:100069:22P02:Error parsing JSON: {reason}: {text[:40]}"
        raise ValueError(message) from None


def _try_parse(text: str) -> str | None:
    try:
        return canonical(text)
    except (ValueError, RecursionError):
        _refuse_nearly(text)
        return None


def _column(one: Callable[[str], str | None]) -> Callable[[pa.ChunkedArray], pa.Array]:
    def every(texts: pa.ChunkedArray) -> pa.Array:
        return pa.array([None if text is None else one(text) for text in texts.to_pylist()], pa.string())

    return every


def register(duck: DuckDBPyConnection) -> None:
    """Make `_ls_json_of(text)` and `_ls_try_json_of(text)` known to a DuckDB instance."""
    for name, one in (("_ls_json_of", _parse), ("_ls_try_json_of", _try_parse)):
        duck.create_function(
            name,
            _column(one),
            ["VARCHAR"],
            "VARCHAR",
            type="arrow",
            null_handling="special",
        )
