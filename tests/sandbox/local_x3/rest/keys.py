"""Keys in URLs: parts joined with `~` [D].

How X3 reads a `~` inside a value is unknown [?]. Here a key is split into as many parts as are declared, and
the last part takes the rest: `GEN~A~1` is ("GEN", "A~1"). A `~` inside an earlier part therefore cannot be
written, and a link that would need one is refused rather than guessed at.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from local_x3.errors import RestError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from local_x3.model import Value

NUMBER = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?")


def parse_key(text: str, columns: Sequence[str], kinds: Mapping[str, str]) -> tuple[Value, ...]:
    """Split `text` into values of `columns`.

    Raises:
        RestError: 400 when parts are missing or a number is not one.
    """
    parts = text.split("~", len(columns) - 1)
    if len(parts) != len(columns):
        raise RestError(
            400, f"Key {text!r} has {len(parts)} parts, expected {len(columns)}: {'~'.join(columns)}"
        )
    return tuple(_value(part, kinds[column]) for part, column in zip(parts, columns, strict=True))


def write_key(values: Sequence[Value]) -> str:
    """Join values for a `key=` parameter.

    Raises:
        RestError: 500 when a part before the last holds `~`, so that the link could not be followed.
    """
    for value in values[:-1]:
        if isinstance(value, str) and "~" in value:
            raise RestError(
                500, f"Sort value {value!r} holds ~ and is not the last one: no $next link can be made"
            )
    return "~".join(str(value) for value in values)


def _value(text: str, kind: str) -> Value:
    if kind != "number":
        return text
    if not NUMBER.fullmatch(text):  # Decimal() takes NaN and Infinity, too
        raise RestError(400, f"{text!r} is not a number")
    return Decimal(text)
