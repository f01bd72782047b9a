"""Staged lines of good rows, with the digests of row and key: made from columns of fields."""

from __future__ import annotations

from hashlib import sha256
from itertools import compress, groupby
from typing import TYPE_CHECKING

from target_snowflake_audit import hashing
from target_snowflake_audit.staging.fields import text_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from target_snowflake_audit.checking.plan import StreamPlan

    Columns = Sequence[Sequence[str]]

_QUOTE = '"'


class Liner:
    """Makes the lines of one plan."""

    def __init__(self, plan: StreamPlan) -> None:
        """Prepare for a plan."""
        self._key = plan.key
        self._hashed = [at for at, column in enumerate(plan.columns) if column.hashed]
        self._names = [column.name for column in plan.columns]
        self._all = len(self._hashed) == len(self._names)

    def lines(
        self,
        columns: Columns,
        seqs: Sequence[int],
        states: Sequence[str],
        extracted: Sequence[str],
        staged: Columns,
    ) -> tuple[list[str], list[str]]:
        """Give the lines and the digests of their keys.

        Args:
            columns: fields by column.
            seqs: arrival numbers of the rows.
            states: states of the rows.
            extracted: fields of `time_extracted`.
            staged: the columns as they are staged, where that differs from what digests are taken of.
        """
        parts, holes = self._parts(columns)
        texts = list(map(",".join, zip(*parts, strict=True))) if parts else [""] * len(seqs)
        digests = [
            sha256(text.encode()).hexdigest() for text in self._row_texts(columns, parts, holes, texts)
        ]
        keys = self._key_digests(columns) if self._key else digests
        if staged is not columns:
            texts = list(map(",".join, zip(*staged, strict=True)))
        version = hashing.ROW_HASH_VERSION
        lines = [
            f"{seq},{state},{key},{version}:{digest},{at},,,{text}\n"
            for seq, state, key, digest, at, text in zip(
                seqs, states, keys, digests, extracted, texts, strict=True
            )
        ]
        return lines, keys

    def _parts(self, columns: Columns) -> tuple[list[Sequence[str]], list[int]]:
        """Join neighbouring columns that have a value in every row: two texts of each row are made of them.

        Also gives the columns with holes. Only where all columns are hashed: else the texts differ in more.
        """
        holes = [at for at in self._hashed if not all(columns[at])]
        if not self._all:
            return list(columns), holes
        parts: list[Sequence[str]] = []
        for is_hole, places in groupby(range(len(columns)), set(holes).__contains__):
            found = [columns[at] for at in places]
            parts += found if is_hole or len(found) == 1 else [list(map(",".join, zip(*found, strict=True)))]
        return parts, holes

    def _row_texts(
        self, columns: Columns, parts: Columns, holes: list[int], texts: list[str]
    ) -> Iterator[str]:
        """Texts that row hashes are taken of: as `hashing.row_digest`."""
        if not holes and self._all:
            names = ",".join(self._names)
            return (f"{names}\n{text}" for text in texts)
        hashed = parts if self._all else [columns[at] for at in self._hashed]
        return self._with_holes(columns, hashed, holes, len(texts))

    def _with_holes(self, columns: Columns, hashed: Columns, holes: list[int], count: int) -> Iterator[str]:
        known: dict[tuple[bool, ...], str] = {}
        shapes = zip(*[map(bool, columns[at]) for at in holes], strict=True) if holes else [()] * count
        rows = zip(*hashed, strict=True) if hashed else [()] * count
        for shape, row in zip(shapes, rows, strict=True):
            names = known.get(shape)
            if names is None:
                filled = dict(zip(holes, shape, strict=True))
                chosen = compress(self._hashed, (filled.get(at, True) for at in self._hashed))
                names = known[shape] = ",".join(self._names[at] for at in chosen)
            yield f"{names}\n{','.join(filter(None, row))}"

    def _key_digests(self, columns: Columns) -> list[str]:
        """Digests of keys: as `hashing.key_hash`."""
        parts = []
        for at in self._key:
            fields = columns[at]
            if _QUOTE in "".join(fields):
                fields = [text_of(field) or "" for field in fields]
            parts.append([f"{len(text)}:{text}," for text in fields])
        return [sha256("".join(part).encode()).hexdigest() for part in zip(*parts, strict=True)]
