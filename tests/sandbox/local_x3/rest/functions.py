"""The functions of the `where` language: the table of the SData 2.0 text [D].

`tzHour` and `tzMinute` are not offered: moments are kept in UTC, so the offset that a client wrote is gone.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING, Any

from local_x3.rest.moments import date_of, moment_of, written
from local_x3.rest.numbers import CONTEXT, cut_off, half_up, number, rounded, sign, whole

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_TEXT = 4000  # no X3 text is longer; keeps lpad(…, 1e9) from eating the memory
MAX_DAYS = 4_000_000
MAX_MILLISECONDS = MAX_DAYS * 86_400_000
ASCII = 127
TEXT, NUMBER, DATE, DATETIME, TIME = "text", "number", "date", "datetime", "time"


@dataclass(frozen=True, slots=True)
class Function:
    """What a function takes (any of the signatures), gives and does; `variadic` repeats the last argument."""

    signatures: tuple[tuple[str, ...], ...]
    result: str
    action: Callable[..., Any]
    variadic: bool = False

    def takes(self, kinds: list[str]) -> bool:
        """Say whether it can be called with values of these types."""
        for signature in self.signatures:
            more = len(kinds) - len(signature)
            if kinds == list(signature) + [signature[-1]] * max(more if self.variadic else 0, 0):
                return True
        return False


def _length(value: Decimal) -> int:
    """Return a length; what X3 makes of a negative or broken one is unknown [?]: it fails."""
    return whole(value, 0, MAX_TEXT)


def _left(text: str, length: Decimal) -> str:
    return text[: _length(length)]


def _right(text: str, length: Decimal) -> str:
    return text[max(len(text) - _length(length), 0) :]


def _substring(text: str, start: Decimal, length: Decimal) -> str:
    first = whole(start, 1, MAX_TEXT) - 1  # 1-based, as in SQL [D]
    return text[first : first + _length(length)]


def _concat(*parts: str) -> str:
    return _short("".join(parts))


def _replace(text: str, old: str, new: str) -> str:
    if not old:
        raise ValueError(old)
    if len(text) + text.count(old) * (len(new) - len(old)) > MAX_TEXT:
        raise ValueError(new)
    return text.replace(old, new)


def _padding(text: str, length: Decimal, fill: str) -> str:
    missing = max(_length(length) - len(text), 0)
    if not fill:
        raise ValueError(fill)
    return (fill * missing)[:missing]


def _lpad(text: str, length: Decimal, fill: str = " ") -> str:
    return (_padding(text, length, fill) + text)[: _length(length)]


def _rpad(text: str, length: Decimal, fill: str = " ") -> str:
    return (text + _padding(text, length, fill))[: _length(length)]


def _short(text: str) -> str:
    if len(text) > MAX_TEXT:
        raise ValueError(text[:20])
    return text


def _change_case(action: Callable[[str], str]) -> Callable[[str], str]:
    return lambda text: _short(action(text))


def _ascii(text: str) -> Decimal:
    if not text:
        raise ValueError(text)
    return Decimal(whole(ord(text[0]), 0, ASCII))


def _to_integer(rounding: str) -> Callable[[Decimal], Decimal]:
    return lambda value: rounded(value, Decimal(0), rounding)


def _shift_days(sign_: int) -> Callable[[str, Decimal], str]:
    def shift(day: str, days: Decimal) -> str:
        return (date_of(day) + dt.timedelta(days=sign_ * whole(days, -MAX_DAYS, MAX_DAYS))).isoformat()

    return shift


def _shift_stamp(sign_: int) -> Callable[[str, Decimal], str]:
    def shift(stamp: str, milliseconds: Decimal) -> str:
        count = whole(milliseconds, -MAX_MILLISECONDS, MAX_MILLISECONDS)
        return written(moment_of(stamp) + dt.timedelta(milliseconds=sign_ * count))

    return shift


def _day_part(name: str) -> Function:
    return Function(((DATE,), (DATETIME,)), NUMBER, lambda text: Decimal(getattr(date_of(text), name)))


def _time_of(text: str) -> dt.time:
    return dt.time.fromisoformat(text) if text[2:3] == ":" else moment_of(text).time()


def _time_part(name: str) -> Function:
    return Function(((DATETIME,), (TIME,)), NUMBER, lambda text: Decimal(getattr(_time_of(text), name)))


FUNCTIONS: dict[str, Function] = {
    "concat": Function(((TEXT, TEXT),), TEXT, _concat, variadic=True),
    "left": Function(((TEXT, NUMBER),), TEXT, _left),
    "right": Function(((TEXT, NUMBER),), TEXT, _right),
    "substring": Function(((TEXT, NUMBER, NUMBER),), TEXT, _substring),
    "lower": Function(((TEXT,),), TEXT, _change_case(str.lower)),
    "upper": Function(((TEXT,),), TEXT, _change_case(str.upper)),
    "replace": Function(((TEXT, TEXT, TEXT),), TEXT, _replace),
    "length": Function(((TEXT,),), NUMBER, lambda text: Decimal(len(text))),
    "locate": Function(((TEXT, TEXT),), NUMBER, lambda part, text: Decimal(text.find(part) + 1)),
    "lpad": Function(((TEXT, NUMBER), (TEXT, NUMBER, TEXT)), TEXT, _lpad),
    "rpad": Function(((TEXT, NUMBER), (TEXT, NUMBER, TEXT)), TEXT, _rpad),
    "trim": Function(((TEXT,),), TEXT, lambda text: text.strip(" ")),
    "ascii": Function(((TEXT,),), NUMBER, _ascii),
    "char": Function(((NUMBER,),), TEXT, lambda code: chr(whole(code, 1, ASCII))),
    "abs": Function(((NUMBER,),), NUMBER, CONTEXT.abs),
    "sign": Function(((NUMBER,),), NUMBER, sign),
    "round": Function(((NUMBER,), (NUMBER, NUMBER)), NUMBER, half_up),
    "trunc": Function(((NUMBER,), (NUMBER, NUMBER)), NUMBER, cut_off),
    "floor": Function(((NUMBER,),), NUMBER, _to_integer(ROUND_FLOOR)),
    "ceil": Function(((NUMBER,),), NUMBER, _to_integer(ROUND_CEILING)),
    "pow": Function(((NUMBER, NUMBER),), NUMBER, CONTEXT.power),
    "year": _day_part("year"),
    "month": _day_part("month"),
    "day": _day_part("day"),
    "hour": _time_part("hour"),
    "minute": _time_part("minute"),
    "second": _time_part("second"),
    "millisecond": Function(((DATETIME,), (TIME,)), NUMBER,
                            lambda text: Decimal(_time_of(text).microsecond // 1000)),
    "dateAdd": Function(((DATE, NUMBER),), DATE, _shift_days(1)),
    "dateSub": Function(((DATE, NUMBER),), DATE, _shift_days(-1)),
    "timestampAdd": Function(((DATETIME, NUMBER),), DATETIME, _shift_stamp(1)),
    "timestampSub": Function(((DATETIME, NUMBER),), DATETIME, _shift_stamp(-1)),
}  # fmt: skip

CLOCK_FUNCTIONS: dict[str, tuple[str, Callable[[dt.datetime], str]]] = {
    "currentDate": (DATE, lambda now: now.date().isoformat()),
    "currentTime": (TIME, lambda now: now.time().replace(microsecond=0).isoformat()),
    "currentTimestamp": (DATETIME, lambda now: written(now.replace(microsecond=0))),
}  # by the server's clock; date and time of day in its own zone, as UPDDAT is [D]


def call(function: Function, values: list[object]) -> object:
    """Call a function with values of the right declared types.

    Raises:
        ValueError, ArithmeticError, TypeError, OverflowError: it fails on these values, which may also be
            values that do not fit their declared type.
    """
    checked = [value if isinstance(value, str) else number(value) for value in values]
    found = function.action(*checked)
    return number(found) if function.result == NUMBER else found  # pow(0, -1) is infinite
