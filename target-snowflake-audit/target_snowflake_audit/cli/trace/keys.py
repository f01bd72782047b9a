"""From the key that a person typed to the digest that finds its record in the audit tables."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING, Any

from target_snowflake_audit.checking.converters import converter
from target_snowflake_audit.checking.problems import Bad
from target_snowflake_audit.cli.errors import CommandError
from target_snowflake_audit.columntypes import parse
from target_snowflake_audit.hashing import key_hash
from target_snowflake_audit.redaction import is_redacted
from target_snowflake_audit.staging.fields import text_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class Example:
    """The key of any record of the table, with its digest: it tells the key columns and their order."""

    key: Mapping[str, Any]
    digest: str


def key_order(example: Example, types: Mapping[str, str]) -> tuple[str, ...]:
    """Give the key columns in the order of the stream's key properties, over which the digest is taken.

    A stored VARIANT object does not keep the order of its members, so the order is the one that gives the
    example's digest again.

    Raises:
        CommandError: no order does, as after the columns got other types; types are not known; or values
            are redacted.
    """
    redacted = [name for name, value in example.key.items() if is_redacted(value)]
    if redacted and len(example.key) == 1:
        return tuple(example.key)
    if redacted:
        message = f"key column {', '.join(redacted)} is redacted in the audit trail; give KEY_HASH instead"
        raise CommandError(message)
    texts = {name: _text(name, value, types) for name, value in example.key.items()}
    for names in permutations(texts):
        if key_hash([texts[name] for name in names]) == example.digest:
            return names
    if not types:
        message = (
            f"the types of the key columns {', '.join(texts)} are not known: this role cannot see the table, "
            "or it is gone; with any right on the table, such as SELECT, the role sees them"
        )
        raise CommandError(message)
    message = f"cannot tell the order of the key columns {', '.join(texts)}: their types have changed"
    raise CommandError(message)


def digest(key: Mapping[str, str], order: Sequence[str], types: Mapping[str, str]) -> str:
    """Digest of a typed key: each value is first made canonical for its column, so `1000.0` finds 1000.

    Raises:
        CommandError: a value cannot be a value of its column.
    """
    return key_hash([_text(name, typed(key[name], types.get(name, "")), types) for name in order])


def in_utc(key: Mapping[str, str], types: Mapping[str, str]) -> dict[str, str]:
    """Key values as the table has them: a text with an offset is another time to a column without a zone."""
    stamps = {name for name, type_ in types.items() if type_.upper().startswith("TIMESTAMP")}
    return {name: _text(name, value, types) if name in stamps else value for name, value in key.items()}


def same_values(wanted: str, stored: Sequence[str], type_: str) -> tuple[str, ...]:
    """Those of some texts that are one value with a typed one in a column: `12.10` is `12.1` in a NUMBER.

    Letters keep keys as received, and a VARIANT writes numbers and times in its own way. The text itself is
    always among them: a letter may be about a value that the column cannot hold.
    """
    canonical = converter(parse(type_))
    [value] = canonical([typed(wanted, type_)])
    same = [text for text in stored if canonical([typed(text, type_)])[0] == value]
    return tuple(dict.fromkeys([wanted, *([] if isinstance(value, Bad) else same)]))


def typed(text: str, type_: str) -> object:
    """The JSON value that a person means by a text: of BOOLEAN only true and false themselves are values."""
    return _BOOLEANS.get(text.lower(), text) if type_.upper() == "BOOLEAN" else text


_BOOLEANS: dict[str, object] = {"true": True, "false": False}


def _text(name: str, value: object, types: Mapping[str, str]) -> str:
    made = converter(parse(types.get(name, "VARCHAR")))([value])[0]
    if isinstance(made, Bad):
        message = f"{name}={value}: expected {made.expected}"
        raise CommandError(message)
    return text_of(made) or ""
