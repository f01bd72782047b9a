"""Digests of rows, keys, records, schemas and batches. Each says what it covers; a change needs a version.

Text of a value is its canonical cast text as staged: `12.30` for NUMBER(38,2), `2026-01-31`,
`2026-01-31 08:00:00`, `true`, JSON with sorted names for VARIANT.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from target_snowflake_audit.values import Json

ROW_HASH_VERSION = "1"

_sorted = msgspec.json.Encoder(order="sorted", decimal_format="number")


def sha256(data: bytes) -> str:
    """Lower-case hexadecimal SHA-256."""
    return hashlib.sha256(data).hexdigest()


def of_json(value: Json) -> str:
    """Digest of a JSON value, whatever the order of its names."""
    return sha256(_sorted.encode(value))


def row_hash(fields: Sequence[tuple[str, str | None]]) -> str:
    """Digest of a row from (column, staged field) pairs.

    Fields are in their staged CSV form, where null is the empty field and text `''` is `""`; null fields are
    left out, so a new column without values changes nothing. Pairs must be sorted by column.
    """
    present = [(name, field) for name, field in fields if field]
    return row_digest((name for name, _ in present), (field for _, field in present if field))


def row_digest(names: Iterable[str], fields: Iterable[str]) -> str:
    """Digest of the columns that have a value and of their staged fields, both in column order."""
    text = ",".join(names) + "\n" + ",".join(fields)
    return f"{ROW_HASH_VERSION}:{hashlib.sha256(text.encode()).hexdigest()}"


def key_hash(values: Iterable[str]) -> str:
    """Digest of a key: the canonical cast texts of its columns in the order of `key_properties`.

    `key_hash(["GTE", "FAC-0001", "10"])` finds that record in RECORD_HISTORY. Covers
    `3:GTE,8:FAC-0001,2:10,`: lengths in characters keep ("a,b", "c") and ("a", "b,c") apart, and SQL can make
    the same text.
    """
    return hashlib.sha256("".join([f"{len(value)}:{value}," for value in values]).encode()).hexdigest()


def dead_letter_id(stream: str, record_sha256: str, reasons: Iterable[tuple[str, str]]) -> str:
    """Identify a letter by stream, record and (column, reason) pairs: the same when it is sent again."""
    return of_json([stream, record_sha256, sorted(reasons)])[:32]


def batch_id(run_id: str, table: str, number: int, content_sha256: str) -> str:
    """Identify a batch: stable over the retries of one process, different in every run."""
    return of_json([run_id, table, number, content_sha256])[:32]
