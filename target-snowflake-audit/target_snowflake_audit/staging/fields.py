"""CSV fields as COPY reads them: null, empty text and any text stay apart.

With `EMPTY_FIELD_AS_NULL = TRUE`, `NULL_IF = ()` and `FIELD_OPTIONALLY_ENCLOSED_BY = '"'` an empty field is
null and `""` is empty text; `null`, `NULL` and a backslash followed by N are text like any other
(docs.snowflake.com/en/sql-reference/sql/copy-into-table). Whether a value is quoted depends on that value
alone, because row hashes are taken over fields.
"""

from __future__ import annotations

NULL = ""
EMPTY_TEXT = '""'

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


def fields(texts: list[str | None]) -> list[str]:
    """Give the fields of a column; as `field`, made fast for columns without special characters."""
    joined = "".join(filter(None, texts))
    if any(special in joined for special in _SPECIAL):
        return [field(text) for text in texts]
    return [text or _FALSY[text] for text in texts]


def text_of(read: str) -> str | None:
    """Give back the text, or null, that `field` was made from."""
    if read == NULL:
        return None
    return read[1:-1].replace('""', '"') if read[0] == '"' else read


_FALSY = {None: NULL, "": EMPTY_TEXT}
