"""Numbers inside of JSON that is kept as a whole: one text a number, digits as they came.

A number with an exponent is read as a DOUBLE where it stands in a VARIANT, and one of more than 38 digits as
well (docs.snowflake.com/en/sql-reference/data-types-semistructured); so what NUMBER can hold is written out.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from target_snowflake_audit.columntypes import PRECISION

if TYPE_CHECKING:
    from target_snowflake_audit.values import Json

_DOUBLE_DIGITS = 15
"""Decimal digits that every DOUBLE gives back as they were."""
_DOUBLE_RANGE = range(-307, 308)
_LIMIT = 10**PRECISION


def exact(value: Json) -> Any:  # noqa: ANN401 - a value that msgspec encodes
    """Give a value whose numbers are encoded without exponent and without zeros at the end.

    Numbers of few digits that are too large or too small for NUMBER stay as they are: a DOUBLE keeps them.

    Raises:
        ValueError: a number is not finite, or nothing that Snowflake has keeps its digits.
    """
    if isinstance(value, dict):
        return {name: exact(part) for name, part in value.items()}
    if isinstance(value, list):
        return [exact(part) for part in value]
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, int) and not -_LIMIT < value < _LIMIT:
        message = "a whole number of more digits than NUMBER has, all of them written out"
        raise ValueError(message)
    return value


def _number(value: Decimal) -> Decimal | int | msgspec.Raw:
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        message = "not finite"
        raise ValueError(message)  # noqa: TRY004 - of a value, not of a type
    text = "".join(map(str, digits)).lstrip("0")
    kept = text.rstrip("0")
    if not kept:
        return 0
    exponent += len(text) - len(kept)
    whole, decimals = max(len(kept) + exponent, 0), max(-exponent, 0)
    if whole + decimals <= PRECISION and decimals < PRECISION:
        plain = Decimal((sign, tuple(map(int, kept)), exponent))
        return msgspec.Raw(format(plain, "f").encode())
    if len(kept) <= _DOUBLE_DIGITS and len(kept) - 1 + exponent in _DOUBLE_RANGE:
        return Decimal((sign, tuple(map(int, kept)), exponent))
    message = "too many digits"
    raise ValueError(message)
