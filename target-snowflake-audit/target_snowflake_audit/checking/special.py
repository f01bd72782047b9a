"""Converters that look at more than a column's type.

Bytes in a text encoding, a type that the table keeps although the SCHEMA says another, and columns that only
keep their old values.
"""

from __future__ import annotations

import base64
import binascii
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from target_snowflake_audit.checking import problems
from target_snowflake_audit.checking.problems import Bad
from target_snowflake_audit.staging.fields import NULL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_snowflake_audit.checking.converters import Converter
    from target_snowflake_audit.columntypes import ColumnType
    from target_snowflake_audit.values import Json

BASE64 = "base64"
_PLAIN_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?", re.ASCII)
_HEX = re.compile(r"([0-9A-Fa-f]{2})*")


def nothing(values: Sequence[Any]) -> list[str | Bad]:
    """A column that keeps what it has: rows that are written get null."""
    return [NULL] * len(values)


class BinaryConverter:
    """BINARY(n): text in base64 where the schema says so, else hexadecimal; staged as hexadecimal."""

    def __init__(self, length: int, encoding: str) -> None:
        """`length` in bytes; `encoding` is the schema's `contentEncoding`."""
        self.length = length
        self.base64 = encoding == BASE64

    def __call__(self, values: Sequence[Any]) -> list[str | Bad]:
        """Convert a column."""
        return [NULL if value is None else self._one(value) for value in values]

    def _one(self, value: Json) -> str | Bad:
        expected = f"bytes as {'base64' if self.base64 else 'hexadecimal'} text"
        if not isinstance(value, str) or (not self.base64 and not _HEX.fullmatch(value)):
            return Bad(problems.NOT_BINARY, expected)
        try:
            data = base64.b64decode(value, validate=True) if self.base64 else bytes.fromhex(value)
        except (binascii.Error, ValueError):
            return Bad(problems.NOT_BINARY, expected)
        if len(data) > self.length:
            return Bad(problems.TOO_LONG, f"at most {self.length} bytes")
        return data.hex().upper() or '""'


class StrictConverter:
    """A column whose type is not the SCHEMA's: a value passes only if it stays what it is.

    The text `007` is no NUMBER here, since it would come back as 7, and 0.1234567890123456789 no FLOAT.
    """

    def __init__(self, kind: ColumnType, wanted: str, convert: Converter) -> None:
        """`kind` is the table's type, `wanted` the SCHEMA's, in SQL; `convert` is the one for `kind`."""
        self.kind = kind
        self.wanted = wanted
        self.convert = convert

    def __call__(self, values: Sequence[Any]) -> list[str | Bad]:
        """Convert a column."""
        return [
            found if value is None else self._judged(value, found)
            for value, found in zip(values, self.convert(values), strict=True)
        ]

    def _judged(self, value: Json, found: str | Bad) -> str | Bad:
        expected = (
            found.expected if isinstance(found, Bad) else f"a value that {self.kind.sql} keeps as it is"
        )
        if isinstance(found, Bad) or not _stays(self.kind.family, value, found):
            why = f"{expected} (the column is {self.kind.sql}, the SCHEMA says {self.wanted})"
            return Bad(problems.TYPE_CONFLICT, why)
        return found


def _stays(family: str, value: Json, found: str) -> bool:
    """Whether a converted value says the same as the value that came."""
    if family not in {"NUMBER", "FLOAT"}:
        return family != "BINARY"
    if isinstance(value, str) and not _PLAIN_NUMBER.fullmatch(value):
        return False
    return family == "NUMBER" or Decimal(found) == Decimal(str(value))
