"""CSV fields as COPY reads them: null, empty text and any text stay apart.

With `EMPTY_FIELD_AS_NULL = TRUE`, `NULL_IF = ()` and `FIELD_OPTIONALLY_ENCLOSED_BY = '"'` an empty field is
null and `""` is empty text; `null`, `NULL` and a backslash followed by N are text like any other
(docs.snowflake.com/en/sql-reference/sql/copy-into-table). Whether a value is quoted depends on that value
alone, because row hashes are taken over fields.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Sequence

NULL = ""
EMPTY_TEXT = '""'
EMPTY_FIELDS: dict[str | None, str] = {None: NULL, "": EMPTY_TEXT}

_SPECIAL = ('"', ",", "\n", "\r")


def quoted(text: str) -> str:
    """Give a text as a quoted field."""
    return '"' + text.replace('"', '""') + '"'


def field(text: str | None) -> str:
    """Give the field of one text or null."""
    if text is None:
        return NULL
    if not text or any(special in text for special in _SPECIAL):
        return quoted(text)
    return text


def fields(texts: Sequence[str | None], joined: str) -> list[str]:
    """Give the fields of a column; as `field`, made fast for columns without special characters.

    Args:
        texts: the column.
        joined: all its texts, one after another.

    Raises:
        KeyError: a value that is neither text nor null.
    """
    if any(special in joined for special in _SPECIAL):
        return [field(text) if text else EMPTY_FIELDS[text] for text in texts]
    if all(texts):
        return list(cast("Sequence[str]", texts))
    return [text or EMPTY_FIELDS[text] for text in texts]


def text_of(read: str) -> str | None:
    """Give back the text, or null, that `field` was made from."""
    if read == NULL:
        return None
    return read[1:-1].replace('""', '"') if read[0] == '"' else read
