"""What a batch's transaction works with; kept over its attempts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from target_snowflake_audit.counts import Counts, Refusals
from target_snowflake_audit.sql.aside import WHOLE_ROW

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_snowflake_audit.batch import Batch
    from target_snowflake_audit.checking.letters import Letter
    from target_snowflake_audit.session import Session, StatementError
    from target_snowflake_audit.sql import classify

LOAD, REPLAY, ACTIVATE = "load", "replay", "activate_version"
GATHER, OVERWRITE = "gather", "overwrite"
"""Load method overwrite: batches into the shadow table, and what replaces the table by it."""
NO_REFUSALS = Refusals({}, (), 0)


@dataclass
class Work:
    """A batch with what its transaction needs beside it; kept over the attempts.

    `judge` may raise before COMMIT, with the counts as they would be: breakers live there. `letters` makes
    dead letters of refused arrival numbers. `after_fence`, `after_classify` and `before_commit` run more
    statements in the same transaction.
    """

    batch: Batch
    operation: str = LOAD
    judge: Callable[[Counts], None] = lambda _counts: None
    letters: Callable[[Refusals], list[tuple[Letter, list[str]]]] = lambda _refusals: []
    after_fence: Callable[[Session], None] = lambda _session: None
    after_classify: Callable[[Session, classify.Tables], None] = lambda *_: None
    before_commit: Callable[[Session, Refusals, classify.Tables, Counts], None] = lambda *_: None
    watermark: dict[str, Any] = field(default_factory=dict)
    note: str = ""
    classify: Callable[[classify.Tables], str] | None = None
    """Statement that classifies rows which do not come from the batch's file."""
    live: int = 0
    """Live rows that the table had; known where a share of them may be deleted at most."""
    refused: dict[int, StatementError] = field(default_factory=dict)
    attempt: int = 1
    tip: tuple[int, str | None] = (0, None)
    """Number and digest of the last link of the table's chain, read under its fence."""
    open_letters: int = 0
    """Letters of its stream or table that were open before it."""
    letters_folder: str = ""
    """Stage folder of the letters that the last attempt made; '' = it made none."""
    letters_staged: int = 0
    """Number of them."""
    refusals: Refusals = NO_REFUSALS
    """What the last attempt did not load."""
    counts: Counts | None = None

    @property
    def all_refusals(self) -> Refusals:
        """With the rows that were found since to be refused as a whole."""
        whole = dict.fromkeys(self.refused, (WHOLE_ROW,))
        return Refusals({**self.refusals.bad, **whole}, self.refusals.stale, 0)
