"""Text of a value as the history keeps it, for letters: one value has one digest in the whole audit trail."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from target_snowflake_audit.columntypes import MOST_DIGITS, TIMESTAMPS
from target_snowflake_audit.staging.fields import text_of

if TYPE_CHECKING:
    from target_snowflake_audit.checking.converters import Converter
    from target_snowflake_audit.columntypes import ColumnType
    from target_snowflake_audit.values import Json

_TIME_OF_DAY = re.compile(r"\d\d:\d\d:\d\d(\.\d+)?", re.ASCII)
_FLOAT_DIGITS = 15
_LEAST, _MOST = Decimal("0.0001"), Decimal(10) ** _FLOAT_DIGITS


def audited_text(kind: ColumnType, convert: Converter, value: Json) -> str | None:
    """Text that `sql.conversion.audited` gives of the value once stored; None where it cannot be told."""
    try:
        read = convert([value])[0]
    except (RecursionError, UnicodeEncodeError):
        return None
    text = text_of(read) if isinstance(read, str) else None
    if text is None:
        return None
    if kind.family in TIMESTAMPS:
        return _with_fraction(text)
    if kind.family == "TIME":
        return _with_fraction(text) if _TIME_OF_DAY.fullmatch(text) else None
    return _float(text) if kind.family == "FLOAT" else text


def _with_fraction(text: str) -> str:
    """With all digits of a second."""
    whole, _, fraction = text.partition(".")
    return f"{whole}.{fraction.ljust(MOST_DIGITS, '0')}"


def _float(text: str) -> str | None:
    """A number as Snowflake writes it, where it writes all of its digits and no exponent."""
    number = Decimal(text).normalize()
    if number == 0:
        return "0"
    if len(number.as_tuple().digits) > _FLOAT_DIGITS or not _LEAST <= abs(number) < _MOST:
        return None
    return f"{number:f}"
