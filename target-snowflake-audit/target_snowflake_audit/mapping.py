"""Applies a stream map to a record; one that cannot be mapped becomes a dead letter, not a stop."""

from __future__ import annotations

import datetime as dt
import decimal
import math
from typing import TYPE_CHECKING, Any

from singer_sdk import mapper
from singer_sdk.exceptions import MapExpressionError
from singer_sdk.mapper import CustomStreamMap, SameRecordTransform

from target_snowflake_audit.checking import problems
from target_snowflake_audit.checking.problems import Problem
from target_snowflake_audit.checking.rows import Row
from target_snowflake_audit.errors import SettingError, TargetError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from singer_sdk.mapper import StreamMap

    from target_snowflake_audit.values import Json

    Mapped = tuple[dict[str, Any] | Row | None, list[Problem] | None]
    Remap = Callable[[Json], Mapped]
    """`mapped` of one stream, for records read back from their text."""

_DIGITS = 100
"""Arithmetic in expressions is exact for numbers of 38 digits; Python's own default rounds to 28."""
_PLAIN = frozenset({str, int, bool, type(None), decimal.Decimal})

STREAM_MAPS = "stream_maps"

FILTER = "__filter__"
"""What `stream_maps` call the expression that says which records are loaded."""


def mapped(stream_map: StreamMap, record: Json, turn: AbstractContextManager[object]) -> Mapped:
    """Give the mapped record (None = filtered out) and the problems found.

    `turn` is held while an expression is evaluated: the evaluator keeps the record that it works on.
    """
    if isinstance(record, Row):
        return record, None  # only streams without a map are decoded so
    if not isinstance(record, dict):
        return {}, [problems.no_object(record)]
    if type(stream_map) is SameRecordTransform and not stream_map.flattening_enabled:
        return record, None
    try:
        with turn, decimal.localcontext(prec=_DIGITS):
            made = _made(stream_map, dict(record))
    except (TargetError, MemoryError):  # a signal that ends the run, among others: not the record's fault
        raise
    except Exception as error:  # noqa: BLE001 - an expression may raise anything
        return record, [_failed(error)]
    if made is None or _PLAIN.issuperset(map(type, made.values())):
        return made, None
    return _as_json(record, made)


def _made(stream_map: StreamMap, record: dict[str, Any]) -> dict[str, Any] | None:
    """The record as a map makes it; None = filtered out.

    The SDK gives None for a record without properties, too, which is not told apart from one that is left
    out on purpose then: it would vanish.
    """
    if not isinstance(stream_map, CustomStreamMap):
        return stream_map.transform(record)
    made = stream_map._transform_fn(record)  # noqa: SLF001 - pinned by a test
    return None if made is None else stream_map.flatten_record(made)


def _as_json(record: dict[str, Any], made: dict[str, Any]) -> Mapped:
    """The mapped record with times as text; the record as received where a value is none of JSON."""
    found: dict[str, Any] = {}
    for name, value in made.items():
        try:
            found[name] = _json(value)
        except (TypeError, RecursionError) as error:
            expected = f"stream_maps: an expression that gives a JSON value, not {error}"
            return record, [Problem(name, "", "", problems.MAPPING, expected)]
    return found, None


def _json(value: Any) -> Json:  # noqa: ANN401 - whatever an expression gives
    """Give a value as JSON has it.

    Raises:
        TypeError: it has none.
    """
    if isinstance(value, dict) and all(isinstance(name, str) for name in value):
        return {name: _json(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_json(part) for part in value]
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        raise TypeError(value)
    if value is None or isinstance(value, (str, int, float, decimal.Decimal)):
        return value
    raise TypeError(type(value).__name__)


def check_aliases(stream_maps: Mapping[str, Sequence[StreamMap]], stream: str, known: Iterable[str]) -> None:
    """Refuse that two streams of the input become one: its columns and letters belong to one of them.

    Raises:
        SettingError: one of the streams that are `known` has an alias of this one.
    """
    aliases = {one.stream_alias for one in stream_maps.get(stream, ())}
    for other in known:
        shared = {one.stream_alias for one in stream_maps.get(other, ())} & aliases
        if other != stream and shared:
            message = (
                f"streams `{other}` and `{stream}` both become `{min(shared)}`, a name that no other stream "
                "of the input may have, also not one that is left out; give one another `__alias__` (`table` "
                "in `schema_mapping` loads both into one table)"
            )
            raise SettingError(STREAM_MAPS, message)


def of_the_mapper(error: Exception) -> bool:
    """Whether the SDK's mapper raised an error: NotImplementedError may come from anywhere else as well."""
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    return at is not None and at.tb_frame.f_globals.get("__name__") == mapper.__name__


def _failed(error: Exception) -> Problem:
    """Name the property and its expression, and what the evaluator met: the SDK's own error names neither."""
    name = expression = ""
    at = error.__traceback__
    while at is not None:
        known = at.tb_frame.f_locals
        if at.tb_frame.f_code.co_name == "_eval" and "property_name" in known:
            name, expression = str(known["property_name"] or FILTER), str(known["expr"])
        at = at.tb_next
    cause = error.__cause__ if isinstance(error, MapExpressionError) and error.__cause__ else error
    fails = f"`{problems.shown(expression)}` fails with " if expression else ""
    expected = f"stream_maps: {fails}{type(cause).__name__}"
    # `stream_map_config` may hold a secret, which the message could repeat.
    message = "" if "config" in expression else problems.shown(str(cause))
    return Problem(name, "", message, problems.MAPPING, expected)
