"""A request to the REST side and its answer, apart from HTTP."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Call:
    """A request: header names in lower case, path and query as sent; absolute links begin with `origin`."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    origin: str


@dataclass(slots=True)
class Reply:
    """An answer: the body still as an object, and the names of the counters that it moves."""

    status: int
    body: dict[str, object]
    headers: dict[str, str] = field(default_factory=dict)
    counted: tuple[str, ...] = ()
    lasting: bool = True  # does not depend on the time
