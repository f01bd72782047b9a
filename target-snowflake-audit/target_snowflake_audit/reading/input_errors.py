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
_TYPE = rf'"type"\s*:\s*"(?P<type>{"|".join(_TYPES)})"'
_STREAM = r'"stream"\s*:\s*"(?P<stream>[^"\\]*)"'
_BEGINS = tuple(
    re.compile(rf"\{{\s*{begin}\s*(?:[,}}]|$)")
    for begin in (rf"{_TYPE}\s*,\s*{_STREAM}", rf"{_STREAM}\s*,\s*{_TYPE}", _TYPE)
)
"""How messages begin: a record may have a `type` as well, among its other properties."""
_LOGGED = re.compile(
    r'(?<!")\b(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL|Traceback|Exception|Error|Warning|Usage)\b'
)
"""Words that lines of a log begin with, most often after a time; no other word is shown of such a line."""
_LOG_HEAD = 60
"""Characters in which such a word is looked for."""
_NAME_OF_TYPE = re.compile(r"[A-Z_]{1,40}")
"""Others may be a value: a record that was printed as it is may have a `type` too."""
_MOST_STREAMS = 10


class RecordBeforeSchemaError(TargetError, RecordsWithoutSchemaException):
    """A message of a stream came before its SCHEMA: the SDK's error for it, and ours."""


OF_A_LINE = (InvalidInputLine, RecordBeforeSchemaError)


def numbered(error: Exception, line: int) -> Exception:
    """Give an error of `OF_A_LINE` with the number of its line, from 1."""
    return type(error)(f"line {line} of the input: {error}")


def said(problem: str, text: str) -> str:
    """Words of an error, with what tells the line and is no piece of a record."""
    line = text.strip()
    if not line:
        return problem
    size = f"{len(line)} character{'' if len(line) == 1 else 's'}"
    if begins := next(filter(None, (one.match(line) for one in _BEGINS)), None):
        stream = begins.groupdict().get("stream")
        of_stream = f" of stream `{utf8(stream[:MAX_SHOWN])}`" if stream else ""
        return f"{problem}; it begins as a {begins['type']} message{of_stream} and has {size}"
    if not line.startswith("{") and (logged := _LOGGED.search(line[:_LOG_HEAD])):
        return f"{problem}; it has {size}, `{logged[0]}` among the first: a tap must write its log elsewhere"
    return f"{problem}; it has {size} and is not shown, as it may be a piece of a record"


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
    shown = f"type `{kind}`" if _NAME_OF_TYPE.fullmatch(kind) else "a type that is no name of one"
    return f"message of {shown} is not known, {_KNOWN}"


def without_schema(stream: str, known: Collection[Any]) -> RecordBeforeSchemaError:
    """Give the error of a message whose stream had no SCHEMA; `known` are those that had one."""
    some = utf8(", ".join(f"`{str(one)[:MAX_SHOWN]}`" for one in list(known)[:_MOST_STREAMS])) or "none"
    more = ", ..." if len(known) > _MOST_STREAMS else ""
    return RecordBeforeSchemaError(
        f"a message of stream `{utf8(stream[:MAX_SHOWN])}` came before any SCHEMA message of that stream, "
        f"expected its SCHEMA first (streams with one so far: {some}{more})"
    )
