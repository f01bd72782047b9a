"""What a checker takes and what it gives: records of a stream, and the lines and letters they became."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from target_snowflake_audit.checking.letters import Letter
    from target_snowflake_audit.checking.problems import Problem
    from target_snowflake_audit.checking.rows import Row


@dataclass
class Chunk:
    """Received records of one stream, as parallel lists; `mapped` are the records after `stream_maps`.

    Records that are as received may be left out of `mapped`, all of them: they are decoded when checked.

    `raw` is the record's own JSON text as received; `found` are problems found before this check, by row.
    """

    mapped: list[dict[str, Any] | Row] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    seq: list[int] = field(default_factory=list)
    extracted: list[str | None] = field(default_factory=list)
    found: dict[int, list[Problem]] = field(default_factory=dict)

    def __len__(self) -> int:
        """Number of records."""
        return len(self.raw)

    def part(self, first: int, end: int) -> Chunk:
        """Give the records from `first` to before `end` of a chunk in which no problem was found yet."""
        within = slice(first, end)
        return Chunk(self.mapped[within], self.raw[within], self.seq[within], self.extracted[within])


@dataclass
class Part:
    """Records of a chunk that are checked one by one, as in `Chunk`."""

    mapped: list[dict[str, Any]]
    raw: list[bytes]
    found: dict[int, list[Problem]]


@dataclass
class Checked:
    """What a chunk became: lines to stage, in arrival order, and the letters among them."""

    lines: list[str]
    letters: list[Letter]
    stamps: list[str]
    extracted: list[str]
    keys: list[tuple[str, list[str]]]
    """Digest and fields of each key that could be read."""
    lost_keys: bool = False
    lost: list[int] = field(default_factory=list)
    """Numbers of the letters whose document cannot be told."""
