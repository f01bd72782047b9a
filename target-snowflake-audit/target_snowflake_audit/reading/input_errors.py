"""Errors about lines of the input: which one, and what was expected; what records hold stays out of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from singer_sdk.exceptions import RecordsWithoutSchemaException
from singer_sdk.singerlib.encoding.base import SingerMessageType
from singer_sdk.singerlib.exceptions import InvalidInputLine

from target_snowflake_audit.checking.problems import utf8
from target_snowflake_audit.errors import TargetError
from target_snowflake_audit.values import kind_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from target_snowflake_audit.values import Json

MAX_SHOWN = 120
_TYPES = tuple(kind.value for kind in SingerMessageType)
_KNOWN = f"expected one of {', '.join(_TYPES)}"
_RECORD_KEY = re.compile(r'"record"\s*:')
_MESSAGE = re.compile(rf'\{{.*"type"\s*:\s*"({"|".join(_TYPES)})"', re.DOTALL)
_DATA = re.compile(r'["{}\[\]]')
"""What words that a tap prints rarely have, and pieces of a record do."""
_MOST_STREAMS = 10


class RecordBeforeSchemaError(TargetError, RecordsWithoutSchemaException):
    """A message of a stream came before its SCHEMA: the SDK's error for it, and ours."""


OF_A_LINE = (InvalidInputLine, RecordBeforeSchemaError)


def numbered(error: Exception, line: int) -> Exception:
    """Give an error of `OF_A_LINE` with the number of its line, from 1."""
    return type(error)(f"line {line} of the input: {error}")


def said(problem: str, text: str) -> str:
    """Words of an error, with the beginning of the line where that is no piece of a record."""
    head, record, _ = _parted(text.strip())
    if not _MESSAGE.match(head) and _DATA.search(text):
        return f"{problem}; it is not shown, as it may be a piece of a record"
    shown = utf8(head[:MAX_SHOWN]) + (f"{record}..." if record else "")
    return f"{problem}: {shown}" if shown else problem


def _parted(text: str) -> tuple[str, str, str]:
    found = _RECORD_KEY.search(text)
    return (text[: found.start()], found[0], text[found.end() :]) if found else (text, "", "")


def typed(message: Json) -> dict[str, Any]:
    """Give a message; what is none at all is refused.

    Raises:
        InvalidInputLine: it is no object, or its type is no text.
    """
    if not isinstance(message, dict):
        problem = f"expected a JSON object in each line, got {kind_of(message)}"
        raise InvalidInputLine(problem)
    kind = message.get("type", "")
    if not isinstance(kind, str):
        problem = f"`type` of the message is {kind_of(kind)}, {_KNOWN}"
        raise InvalidInputLine(problem)
    return message


def unknown_type(kind: str) -> str:
    """Words of an error about a message of a type that Singer does not have."""
    return f"message of type `{utf8(kind[:MAX_SHOWN])}` is not known, {_KNOWN}"


def without_schema(stream: str, known: Collection[Any]) -> RecordBeforeSchemaError:
    """Give the error of a message whose stream had no SCHEMA; `known` are those that had one."""
    some = ", ".join(f"`{one}`" for one in list(known)[:_MOST_STREAMS]) or "none"
    more = ", ..." if len(known) > _MOST_STREAMS else ""
    return RecordBeforeSchemaError(
        f"a message of stream `{stream[:MAX_SHOWN]}` came before any SCHEMA message of that stream, expected "
        f"its SCHEMA first (streams with one so far: {some}{more})"
    )
