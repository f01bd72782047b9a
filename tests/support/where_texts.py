"""Generated `where` texts with what they mean, computed here and not by the server."""

from __future__ import annotations

import datetime as dt
import operator
import re
import typing as t
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from hypothesis import strategies as st

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from x3_control import Record

COMPARISONS: dict[str, Callable[[t.Any, t.Any], bool]] = {
    "eq": operator.eq, "ne": operator.ne, "lt": operator.lt,
    "le": operator.le, "gt": operator.gt, "ge": operator.ge,
}  # fmt: skip
SPOILERS = ("'", '"', "@", "(", ")", " not ", " and ", " div 0", "-1", "99999999999", "NOPE", "pow(", ".",
            "[", "\\", "%", "\x00", "\n")  # fmt: skip
TEXTS = ("CUR", "BPSNUM", "BPSNAM", "BPSSHO")
NUMBERS = ("OSTAUZAMT", "ORDMINAMT", "ABCCLS", "ENAFLG")


@dataclass(frozen=True)
class Said:
    """A piece of text, and the value it has for a record."""

    text: str
    value: Callable[[Record], t.Any]


def quoted(text: str, quote: str) -> str:
    return quote + text.replace(quote, quote * 2) + quote


def literal_texts() -> st.SearchStrategy[Said]:
    words = st.one_of(
        st.sampled_from(["EUR", "USD", "S00", "O'Brien", '"P', "ö", "%", "", "~"]), st.text(max_size=4)
    )
    return st.builds(
        lambda word, quote: Said(quoted(word, quote), lambda _: word), words, st.sampled_from("'\"")
    )


def columns(names: tuple[str, ...]) -> st.SearchStrategy[Said]:
    return st.sampled_from(names).map(lambda name: Said(name, lambda row: row[name]))


def lengths() -> st.SearchStrategy[int]:
    return st.integers(min_value=0, max_value=12)


@cache
def text_values(depth: int) -> st.SearchStrategy[Said]:
    simple = st.one_of(columns(TEXTS), columns(TEXTS), literal_texts())
    if depth == 0:
        return simple
    inner = text_values(depth - 1)
    return st.one_of(
        simple,
        st.builds(lambda a, n: Said(f"left({a.text}, {n})", lambda r: a.value(r)[:n]), inner, lengths()),
        st.builds(
            lambda a, n: Said(f"right({a.text},{n})", lambda r: a.value(r)[-n:] if n else ""),
            inner, lengths(),
        ),
        st.builds(
            lambda a, i, n: Said(f"substring({a.text}, {i + 1}, {n})", lambda r: a.value(r)[i : i + n]),
            inner, lengths(), lengths(),
        ),
        inner.map(lambda a: Said(f"upper({a.text})", lambda r: a.value(r).upper())),
        inner.map(lambda a: Said(f"lower( {a.text} )", lambda r: a.value(r).lower())),
        inner.map(lambda a: Said(f"trim({a.text})", lambda r: a.value(r).strip(" "))),
        st.builds(
            lambda a, b: Said(f"concat({a.text}, '-', {b.text})", lambda r: f"{a.value(r)}-{b.value(r)}"),
            inner, inner,
        ),
        inner.map(lambda a: Said(f"replace({a.text}, 'S', 'zz')", lambda r: a.value(r).replace("S", "zz"))),
        st.builds(
            lambda a, n: Said(f"lpad({a.text}, {n}, '*')", lambda r: a.value(r).rjust(n, "*")[:n]),
            columns(("CUR",)), lengths(),
        ),
    )  # fmt: skip


@cache
def number_values(depth: int) -> st.SearchStrategy[Said]:
    literals = st.decimals(min_value=0, max_value=9_000_000, places=2).map(
        lambda n: Said(format(n, "f"), lambda _: n)
    )
    simple = st.one_of(columns(NUMBERS), columns(NUMBERS), literals)
    if depth == 0:
        return simple
    inner = number_values(depth - 1)
    return st.one_of(
        simple,
        inner.map(lambda a: Said(f"-({a.text})", lambda r: -a.value(r))),
        st.builds(
            lambda a, b: Said(f"({a.text} + {b.text})", lambda r: a.value(r) + b.value(r)), inner, inner
        ),
        st.builds(
            lambda a, b: Said(f"({a.text} - {b.text})", lambda r: a.value(r) - b.value(r)), inner, inner
        ),
        inner.map(lambda a: Said(f"({a.text} mul 3)", lambda r: a.value(r) * 3)),
        inner.map(lambda a: Said(f"({a.text} div 4)", lambda r: Decimal(a.value(r)) / 4)),
        inner.map(lambda a: Said(f"abs({a.text})", lambda r: abs(a.value(r)))),
        inner.map(lambda a: Said(f"trunc({a.text})", lambda r: int(a.value(r)))),
        text_values(depth - 1).map(lambda a: Said(f"length({a.text})", lambda r: len(a.value(r)))),
        text_values(depth - 1).map(
            lambda a: Said(f"locate('0', {a.text})", lambda r: a.value(r).find("0") + 1)
        ),
        day_values().map(lambda a: Said(f"month({a.text})", lambda r: int(a.value(r)[5:7]))),
    )


@cache
def day_values() -> st.SearchStrategy[Said]:
    days = st.dates(min_value=dt.date(2023, 1, 1), max_value=dt.date(2027, 12, 31)).map(dt.date.isoformat)
    column = st.just(Said("UPDDAT", lambda row: row["UPDDAT"]))
    return st.one_of(
        column,
        days.map(lambda day: Said(f"@{day}@", lambda _: day)),
        days.map(lambda day: Said(f"[{day.replace('-', '')}]", lambda _: day)),
        st.integers(min_value=-400, max_value=400).map(
            lambda n: Said(
                f"dateAdd(UPDDAT, {n})",
                lambda r: (dt.date.fromisoformat(r["UPDDAT"]) + dt.timedelta(days=n)).isoformat(),
            )
        ),
    )


@cache
def stamp_values() -> st.SearchStrategy[Said]:
    first, last = dt.datetime(2023, 1, 1, tzinfo=dt.UTC), dt.datetime(2028, 1, 1, tzinfo=dt.UTC)
    seconds = st.integers(min_value=int(first.timestamp()), max_value=int(last.timestamp()))
    moments = seconds.map(lambda number: dt.datetime.fromtimestamp(number, dt.UTC).replace(tzinfo=None))
    column = st.just(Said("UPDDATTIM", lambda row: row["UPDDATTIM"]))

    def literal(moment: dt.datetime, hours: int) -> Said:
        shown = (moment + dt.timedelta(hours=hours)).isoformat()
        return Said(f"@{shown}{hours:+03d}:00@", lambda _: f"{moment.isoformat()}Z")

    return st.one_of(column, st.builds(literal, moments, st.integers(min_value=-11, max_value=11)))


def compared(values: st.SearchStrategy[Said]) -> st.SearchStrategy[Said]:
    def compare(left: Said, name: str, right: Said) -> Said:
        test = COMPARISONS[name]
        return Said(f"{left.text} {name} {right.text}", lambda r: test(left.value(r), right.value(r)))

    def between(value: Said, low: Said, high: Said) -> Said:
        text = f"{value.text} between {low.text} and {high.text}"
        return Said(text, lambda r: low.value(r) <= value.value(r) <= high.value(r))

    def member(value: Said, choices: list[Said]) -> Said:
        text = f"{value.text} in ({', '.join(choice.text for choice in choices)})"
        return Said(text, lambda r: any(value.value(r) == choice.value(r) for choice in choices))

    return st.one_of(
        st.builds(compare, values, st.sampled_from(sorted(COMPARISONS)), values),
        st.builds(between, values, values, values),
        st.builds(member, values, st.lists(values, min_size=1, max_size=3)),
    )


def likes() -> st.SearchStrategy[Said]:
    def said(value: Said, pattern: str) -> Said:
        parts = [".*" if char == "%" else "." if char == "_" else re.escape(char) for char in pattern]
        wanted = re.compile("".join(parts), re.DOTALL)
        return Said(f"{value.text} like '{pattern}'", lambda r: wanted.fullmatch(value.value(r)) is not None)

    return st.builds(said, text_values(1), st.text("%_S0EUR", max_size=6))


@cache
def conditions(depth: int = 2) -> st.SearchStrategy[Said]:
    """Conditions whose value is certain: exact numbers, no call that fails."""
    simple = st.one_of(
        compared(text_values(2)),
        compared(number_values(2)),
        compared(day_values()),
        compared(stamp_values()),
        likes(),
    )
    if depth == 0:
        return simple
    inner = conditions(depth - 1)
    return st.one_of(
        simple,
        st.builds(
            lambda a, b: Said(f"{a.text} and ({b.text})", lambda r: a.value(r) and b.value(r)), simple, inner
        ),
        st.builds(
            lambda a, b: Said(f"{a.text} or {b.text}", lambda r: a.value(r) or b.value(r)), simple, inner
        ),
        inner.map(lambda a: Said(f"not ({a.text})", lambda r: not a.value(r))),
    )


@st.composite
def spoiled(draw: st.DrawFn) -> str:
    """A generated text with pieces left out, doubled or put in: some of it still means something."""
    text = draw(conditions(1)).text
    for _ in range(draw(st.integers(min_value=1, max_value=3))):
        start = draw(st.integers(min_value=0, max_value=len(text)))
        stop = draw(st.integers(min_value=start, max_value=min(start + 8, len(text))))
        piece = draw(
            st.one_of(
                st.just(""), st.just(text[start:stop] * 2), st.text(max_size=3),
                st.sampled_from(SPOILERS),
            )
        )  # fmt: skip
        text = text[:start] + piece + text[stop:]
    return text
