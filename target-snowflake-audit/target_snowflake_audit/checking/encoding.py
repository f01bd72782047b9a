"""Text that UTF-8 cannot hold: bytes of another encoding and lone surrogates, found value by value.

The reader gives a byte that is no UTF-8 as a lone surrogate (U+DC80 to U+DCFF), so that it stays visible;
records without one never come near this module's slow path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from target_snowflake_audit.checking import problems
from target_snowflake_audit.checking.converters import encoder
from target_snowflake_audit.checking.problems import Problem, shown, utf8

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from target_snowflake_audit.values import Json

_BACKSLASH = b"\\"
_ESCAPES = (b"\\ud", b"\\uD")


def escaped(raw: Sequence[bytes]) -> list[int]:
    """Give the rows whose text has an escape that may be half of a character."""
    return [
        at
        for at, text in enumerate(raw)
        if _BACKSLASH in text and (_ESCAPES[0] in text or _ESCAPES[1] in text)  # one byte is found faster
    ]


def odd_rows(records: Sequence[dict[str, Any]], raw: Sequence[bytes]) -> list[int]:
    """Give the rows whose record holds text that is no UTF-8; `raw` are the records as received.

    A lone surrogate is always an escape in the received text; so is half of many an honest character.
    """
    return [at for at in escaped(raw) if not encodes(records[at])]


def split(record: dict[str, Any], columns: Mapping[str, str]) -> tuple[dict[str, Any], list[Problem]]:
    """Give the record with its odd values null, and a problem for each; `columns` are names by property.

    Values that have no column are shown as text, so that the schema can be asked about the rest. Properties
    with an odd name are left out: no column has such a name.
    """
    found: list[Problem] = []
    clean: dict[str, Any] = {}
    for name, value in record.items():
        if not encodes(name):
            continue
        odd = not encodes(value)
        clean[name] = utf8(value if isinstance(value, str) else repr(value)) if odd else value
        if odd and name in columns:
            text = shown(value if isinstance(value, str) else repr(value))
            found.append(Problem(name, columns[name], text, problems.NOT_UTF8, "text in UTF-8"))
            clean[name] = None
    return clean, found


def encodes(value: Json) -> bool:
    """Whether UTF-8 can hold all text in a value."""
    try:
        encoder.encode(value)
    except UnicodeEncodeError:
        return False
    except RecursionError:  # told by the value's converter
        return True
    return True
