"""`redact_columns`: whose values the audit trail keeps only as a digest, as a mask, or not at all.

Rules look at names alone. A name is compared without case and without `_`, `-` and spaces, so `bankAccount`,
`bank_account` and `BANK_ACCOUNT` are one. A property is redacted when a rule matches its name, its column's
name, a part of its flattened name, or a name inside its declared schema (then as a whole: SQL cannot reach
into a VARIANT to change a part of it).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from target_snowflake_audit.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

SETTING = "redact_columns"
HASH, MASK, DROP, KEEP = "hash", "mask", "drop", "keep"
WAYS = (HASH, MASK, DROP, KEEP)
MASKED = "***"
HASHED = "sha256:"
SALT_TABLE = "REDACTION_SALT"
"""Table of one row beside the fences; readers of the audit schema cannot read it, nor try values with it."""

_BANK = ("*iban*", "bic", "biccode", "biccod", "swift", "swiftcode", "bank", "bankaccount*", "bidnum", "rib")
_CONTACT = (
    "*email*",
    "*phone*",
    "mobile",
    "mobilenumber",
    "tel",
    "fax",
    "faxnumber",
    "defaultcontact",
    "contactname",
    "cntnam",
)
DEFAULTS = tuple(("*", name, HASH) for name in (*_BANK, *_CONTACT))
"""Bank and contact fields, as Sage X3 and others name them; `keep` in the setting takes one out."""

_SIGNS = re.compile(r"[^\w$*?!\[\]]")


def squeezed(name: str) -> str:
    """`bankAccount`, `bank_account` and `BANK-ACCOUNT` are one name."""
    return name.replace("_", "").replace("-", "").replace(" ", "").lower()


@dataclass(frozen=True)
class Rules:
    """Rules in order, the first that matches counts: (stream pattern, squeezed name pattern, way)."""

    rules: tuple[tuple[str, str, str], ...]
    separator: str = "__"

    def of_name(self, streams: Iterable[str], name: str) -> str:
        """How values under a name are redacted; '' = not, `keep` = expressly not."""
        wanted, among = squeezed(name), tuple(streams)
        for stream, pattern, way in self.rules:
            if fnmatchcase(wanted, pattern) and any(fnmatchcase(one, stream) for one in among):
                return way
        return ""

    def of_property(self, streams: Iterable[str], name: str, column: str, schema: Mapping[str, Any]) -> str:
        """How a property is redacted; '' = not.

        `streams` are its stream's names as received and after `stream_maps`.
        """
        return self._of_first(tuple(streams), name, column, _names_in(schema))

    def of_left(self, streams: Iterable[str], column: str) -> str:
        """How a column is redacted whose property is not known any more; '' = not.

        Its name does not tell where the name of an object ended (`contact.bic` has become CONTACT_BIC), so
        rules count that match any run of its words; since they may be written as the property was, signs
        that no column's name has are left out of them. Rather a mask too many than a bank account shown.
        """
        among = tuple(streams)
        if self.of_name(among, column) == KEEP:
            return ""
        bare = replace(self, rules=tuple((one, _bare(pattern), way) for one, pattern, way in self.rules))
        ways = {rules.of_name(among, run) for run in _runs(column) for rules in (self, bare)}
        return DROP if DROP in ways else MASK if ways - {"", KEEP} else ""

    def of_value(self, stream: str, name: str, value: object) -> str:
        """How a stored value is redacted where its schema is not at hand; '' = not.

        Names inside an object count, as those inside a schema do.
        """
        return self._of_first((stream,), name, name, _names_inside(value))

    def _of_first(self, streams: tuple[str, ...], name: str, column: str, inside: Iterable[str]) -> str:
        for one in (name, column, *name.split(self.separator), *inside):
            way = self.of_name(streams, one)
            if way:
                return "" if way == KEEP else way
        return ""


def rules_of(settings: Mapping[str, Any]) -> Rules:
    """Read the setting; the default list follows what it says.

    Raises:
        SettingError: it is not `{stream pattern: {name: hash|mask|drop|keep}}`.
    """
    given = settings.get(SETTING) or {}
    rules = []
    for stream, names in given.items() if isinstance(given, dict) else [("", None)]:
        for name, way in names.items() if isinstance(names, dict) else [("", None)]:
            if way not in WAYS:
                problem = (
                    f"expected {{stream pattern: {{property: {'|'.join(WAYS)}}}}}, got {way!r} in {stream!r}"
                )
                raise SettingError(SETTING, problem)
            rules.append((str(stream), squeezed(str(name)), str(way)))
    return Rules((*rules, *DEFAULTS), str(settings.get("flattening_separator") or "__"))


def digest(salt: str, text: str) -> str:
    """The digest that stands for a value: equal for equal values under one salt.

    SHA-256 over salt and text; the SQL of RECORD_HISTORY makes the same.
    """
    return HASHED + sha256((salt + text).encode("utf-8", "backslashreplace")).hexdigest()


def is_redacted(value: object) -> bool:
    """Whether a value in the audit trail is a mask or looks like a digest of ours."""
    return isinstance(value, str) and (value == MASKED or value.startswith(HASHED))


def shown_row(rules: Rules, stream: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """Give a row of a target table as the console may show it: redacted columns masked or left out."""
    ways = {name: rules.of_value(stream, name, value) for name, value in row.items()}
    return {
        name: MASKED if ways[name] and value is not None else value
        for name, value in row.items()
        if ways[name] != DROP
    }


def _bare(pattern: str) -> str:
    """A pattern without what becomes `_` in a column's name; `*`, `?` and sets of signs stay."""
    return _SIGNS.sub("", pattern)


def _runs(column: str) -> Iterator[str]:
    """A column's name and every run of its words."""
    words = [word for word in column.split("_") if word]
    for first in range(len(words)):
        for end in range(first + 1, len(words) + 1):
            yield "_".join(words[first:end])


def _names_inside(value: object) -> Iterator[str]:
    """Names inside a JSON value, at any depth."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield str(name)
            yield from _names_inside(part)
    elif isinstance(value, list):
        for part in value:
            yield from _names_inside(part)


def _names_in(schema: Any) -> Iterator[str]:  # noqa: ANN401 - any part of a JSON schema
    """Names of properties inside a schema, at any depth."""
    if isinstance(schema, dict):
        for key, part in schema.items():
            if key == "properties" and isinstance(part, dict):
                yield from part
            yield from _names_in(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from _names_in(part)
