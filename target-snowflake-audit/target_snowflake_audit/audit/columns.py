"""What audit tables are declared with: columns, their types, and the columns that several tables share."""

from __future__ import annotations

from dataclasses import dataclass

TEXT = "VARCHAR"
LONG_TEXT = "VARCHAR(134217728)"
"""Plain VARCHAR ends at 16777216 characters, and a whole record may be longer than any value it holds."""
WHOLE = "NUMBER(38,0)"
TIME = "TIMESTAMP_NTZ(9)"
JSON = "VARIANT"
CHAIN_DIGEST, ROW_DIGEST, PAYLOAD_DIGEST = "CHAIN_DIGEST", "ROW_DIGEST", "PAYLOAD_DIGEST"


@dataclass(frozen=True)
class Column:
    """One column: name as stored, Snowflake type, what it holds.

    `added`: the version that added it to a table which was there before; such a column is never `required`,
    since rows written before have no value in it.
    """

    name: str
    type: str
    comment: str
    required: bool = False
    added: str = ""
    payload: bool = False
    """Holds values of records: `erase` may blank it, and PAYLOAD_DIGEST stands for it in the row's digest."""
    covered: bool = True
    """Whether the row's digest covers it; not what is set later, by `erase`."""


@dataclass(frozen=True)
class Table:
    """One audit table; `cluster_by` are expressions over its columns."""

    name: str
    comment: str
    columns: tuple[Column, ...]
    cluster_by: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of its columns in order."""
        return tuple(column.name for column in self.columns)

    @property
    def digest(self) -> str:
        """Column with the digest of the row itself; '' = its rows have none."""
        return next((name for name in (ROW_DIGEST, CHAIN_DIGEST) if name in self.names), "")


CHAIN_COLUMNS = (
    Column(
        "CHAIN",
        TEXT,
        "Chain this row belongs to: a target table's name, run:RUN_ID, or batch:BATCH_ID for an event that "
        "the batch's row covers",
    ),
    Column("CHAIN_NUMBER", WHOLE, "Place in the chain, from 1; rows of one statement of a run share it"),
    Column("CHAIN_PREVIOUS", TEXT, "Digest of what is before it in the chain; null at the start"),
    Column(CHAIN_DIGEST, TEXT, "Digest over this row, CHAIN_PREVIOUS included"),
)
ERASURE_COLUMN = Column(
    "ERASURE_ID",
    TEXT,
    "Set when `erase` blanked the payload: CHECKPOINT_ID of the row in CHECKPOINTS that says who and why",
    added="0.2.0",
    covered=False,
)
SET_FORM = "as 1:ROWS:SHA-256 over their digests; null = no row"
PAYLOAD_DIGEST_COLUMN = Column(
    PAYLOAD_DIGEST,
    TEXT,
    "Digest of the columns that hold values of the record; stays when those are erased",
    added="0.2.0",
)
ROW_DIGEST_COLUMN = Column(ROW_DIGEST, TEXT, "Digest of this row; the row of its batch in BATCHES covers it")
ACTOR_COLUMNS = (
    Column("ACTOR", TEXT, "CURRENT_USER() of the session that wrote the row", required=True),
    Column("ACTOR_ROLE", TEXT, "CURRENT_ROLE() of the session that wrote the row", required=True),
)
