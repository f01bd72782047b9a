"""What differs from site to site: classes, representations, stamps, filters, licences, sharp edges."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Literal

import msgspec

STAMPS = ("UPDDATTIM", "UPDDAT")
Stamp = Literal["UPDDATTIM", "UPDDAT"]
LISTS = frozenset({"$query", "$lookup"})
RECORDS = frozenset({"$details", "$summary"})
READING = (*sorted(LISTS), *sorted(RECORDS), "$template")
Facet = Literal["$query", "$lookup", "$details", "$summary", "$template"]
Representations = dict[str, list[Facet]]


class Quirks(msgspec.Struct, forbid_unknown_fields=True):
    """Sharp edges that one production user met [C]. All off at first: faults of a site, not rules."""

    two_conditions: bool = False
    """Two or more conditions on columns other than key and stamps: 500."""
    above_zero: list[str] = []
    """`COLUMN gt 0` on one of these columns: 500."""
    long_not_in: Annotated[int, msgspec.Meta(ge=0)] = 0
    """`not (X in (...))` with more values than this: 400; 0: never."""


class Site(msgspec.Struct, forbid_unknown_fields=True):
    """One site. Where a class is not named, it has its standard representation with every facet."""

    absent: list[str] = []
    """Classes that the site does not have; with a path behind it, a column or a collection of a class."""
    prototypes: bool = True
    """Whether `$prototypes` are served; else 404."""
    both_kinds: bool = False
    """A class that shares its table with another one lists the records of both."""
    representations: dict[str, Representations] = {}
    """Class -> representation -> facets, in place of the standard representation."""
    stamps: dict[str, list[Stamp]] = {}
    """Class -> change stamps that its lists and records show."""
    filters: dict[str, dict[str, str]] = {}
    """Class -> code of a predefined filter -> its condition, in the `where` language."""
    quirks: Quirks = msgspec.field(default_factory=Quirks)
    utc_offset: Annotated[str, msgspec.Meta(pattern=r"^[+-]([01]\d|2[0-3]):[0-5]\d$")] = "+00:00"
    """Where the server stands: timestamps without an offset, currentDate() and UPDDAT are in this zone."""
    licences: Annotated[int, msgspec.Meta(ge=0)] = 10
    """Licence tokens that sessions of /sdata/ can take."""
    bare_last_page: bool = False
    """The last page has no `$links` at all."""
    line_classes: dict[str, str] = {}
    """Class -> table of lines that it lists (see `line_lists`)."""

    @property
    def zone(self) -> dt.timezone:
        """The server's zone."""
        sign, hours, minutes = re.fullmatch(r"([+-])(\d\d):(\d\d)", self.utc_offset).groups()  # type: ignore[union-attr]
        offset = dt.timedelta(hours=int(hours), minutes=int(minutes))
        return dt.timezone(-offset if sign == "-" else offset)

    def facets(self, rest_class: str, standard: str) -> Representations:
        """Return the representations of a class with their facets."""
        return self.representations.get(rest_class, {standard: list(READING)})  # type: ignore[arg-type]

    def classes(self) -> set[str]:
        """Return every class that the site names."""
        absent = (path.partition(".")[0] for path in self.absent)
        return {*absent, *self.representations, *self.stamps, *self.filters}


def read_site(text: bytes) -> Site:
    """Read a site from TOML.

    Raises:
        ValueError: it is not TOML or names something that there is not.
    """
    return msgspec.toml.decode(text, type=Site)
