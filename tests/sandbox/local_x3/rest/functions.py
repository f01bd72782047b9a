"""The functions of the `where` language (SData 2.0 grammar [D])."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_PAD = 4000  # no X3 text is longer; keeps lpad(…, 1e9) from eating the memory


@dataclass(frozen=True, slots=True)
class Function:
    """What a function takes (any of the signatures), gives and does."""

    signatures: tuple[tuple[str, ...], ...]
    result: str
    action: Callable[..., Any]


def _pad(text: str, length: Decimal, *, left: bool, fill: str = " ") -> str:
    wanted = min(int(length), MAX_PAD)
    missing = max(wanted - len(text), 0)
    padding = (fill * missing)[:missing] if fill else ""
    return (padding + text if left else text + padding)[:wanted]


def _substring(text: str, start: Decimal, length: Decimal | None = None) -> str:
    first = max(int(start) - 1, 0)
    return text[first:] if length is None else text[first : first + max(int(length), 0)]


def _shift(day: str, days: Decimal, sign: int) -> str:
    return (dt.date.fromisoformat(day[:10]) + dt.timedelta(days=sign * int(days))).isoformat()


def _replace(text: str, old: str, new: str) -> str:
    return text.replace(old, new) if old else text


def _round(value: Decimal | int, digits: Decimal = Decimal(0)) -> Decimal:
    return Decimal(value).quantize(Decimal(1).scaleb(-int(digits)), rounding=ROUND_HALF_UP)


def _sign(value: Decimal) -> Decimal:
    return Decimal((value > 0) - (value < 0))


def _number(action: Callable[[Decimal], object]) -> Callable[[object], Decimal]:
    return lambda value: Decimal(str(action(Decimal(str(value)))))


TEXT, NUMBER, DATE, DATETIME = "text", "number", "date", "datetime"
ONE_DATE = ((DATE,), (DATETIME,))

FUNCTIONS: dict[str, Function] = {
    "left": Function(((TEXT, NUMBER),), TEXT, lambda text, n: text[: max(int(n), 0)]),
    "right": Function(((TEXT, NUMBER),), TEXT, lambda text, n: text[max(len(text) - max(int(n), 0), 0) :]),
    "substring": Function(((TEXT, NUMBER), (TEXT, NUMBER, NUMBER)), TEXT, _substring),
    "lower": Function(((TEXT,),), TEXT, str.lower),
    "upper": Function(((TEXT,),), TEXT, str.upper),
    "concat": Function(((TEXT, TEXT), (TEXT, TEXT, TEXT)), TEXT, lambda *parts: "".join(parts)),
    "trim": Function(((TEXT,),), TEXT, str.strip),
    "length": Function(((TEXT,),), NUMBER, lambda text: Decimal(len(text))),
    "locate": Function(((TEXT, TEXT),), NUMBER, lambda part, text: Decimal(text.find(part) + 1)),
    "replace": Function(((TEXT, TEXT, TEXT),), TEXT, _replace),
    "lpad": Function(((TEXT, NUMBER), (TEXT, NUMBER, TEXT)), TEXT,
                     lambda text, n, fill=" ": _pad(text, n, left=True, fill=fill)),
    "rpad": Function(((TEXT, NUMBER), (TEXT, NUMBER, TEXT)), TEXT,
                     lambda text, n, fill=" ": _pad(text, n, left=False, fill=fill)),
    "abs": Function(((NUMBER,),), NUMBER, _number(abs)),
    "sign": Function(((NUMBER,),), NUMBER, _number(_sign)),
    "round": Function(((NUMBER,), (NUMBER, NUMBER)), NUMBER, _round),
    "trunc": Function(((NUMBER,),), NUMBER, _number(math.trunc)),
    "floor": Function(((NUMBER,),), NUMBER, _number(math.floor)),
    "ceil": Function(((NUMBER,),), NUMBER, _number(math.ceil)),
    "pow": Function(((NUMBER, NUMBER),), NUMBER, lambda a, b: Decimal(str(a)) ** b),
    "year": Function(ONE_DATE, NUMBER, lambda day: Decimal(day[:4])),
    "month": Function(ONE_DATE, NUMBER, lambda day: Decimal(day[5:7])),
    "day": Function(ONE_DATE, NUMBER, lambda day: Decimal(day[8:10])),
    "dateAdd": Function(((DATE, NUMBER),), DATE, lambda day, n: _shift(day, n, 1)),
    "dateSub": Function(((DATE, NUMBER),), DATE, lambda day, n: _shift(day, n, -1)),
}  # fmt: skip
