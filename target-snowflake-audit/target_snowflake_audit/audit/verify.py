"""Verifies the chains of the audit schema, in Snowflake, from the stored rows alone.

What it can prove: no row of the chains was changed, taken out or added since it was written, unless whoever
did it computed everything after it again. What it cannot: that the end of a chain was not cut off, or all of
it not computed again from some place on. Tips show those: the ones that later runs stored, the ones that
were kept elsewhere (`anchors`), and, with the key, signed ones.

What `purge` deleted is told by CHECKPOINTS and is no fault, as far as the two agree: a chain then starts
where its checkpoint ends. Of a batch that lost rows by purge, those that are left are verified one by one,
and how many are gone in all.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from target_snowflake_audit.audit.checkpoints import NOT_AS_WRITTEN, Checkpoints, purge_of
from target_snowflake_audit.audit.tables import (
    BATCHES,
    BY_NAME,
    CHECKPOINTS,
    DEAD_LETTER_EVENTS,
    RUNS,
    TABLES,
)
from target_snowflake_audit.audit.tips import Tip
from target_snowflake_audit.sql import chain, verify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from target_snowflake_audit.session import Session
    from target_snowflake_audit.sql.quoting import TableName

CHANGED, ERASED, NOT_CHAINED = "changed", "erased", "not_chained"
MISSING, ADDED, REPLACED = "missing", "added", "replaced"
GAP, LINK, CUT, SIGNATURE, UNSIGNED = "gap", "link", "cut", "signature", "unsigned"
CHECKPOINT = "checkpoint"
_SET = re.compile(r"\d+:(\d+):")
_PLACES = 200
"""Tips looked up in one statement."""


@dataclass(frozen=True, order=True)
class Finding:
    """Something that is not as it was written.

    `erased` is no fault: the values are gone, as asked. Nor is `unsigned`: tips of before there was a key.
    """

    kind: str
    table: str
    where: str
    what: str

    @property
    def is_fault(self) -> bool:
        """Whether somebody must look at it."""
        return self.kind not in {ERASED, UNSIGNED}


class Verifier:
    """Looks at all chains of one audit schema."""

    def __init__(
        self, session: Session, name: Callable[[str], TableName], keys: Sequence[bytes] = ()
    ) -> None:
        """`name` gives the full name of an audit table; `keys` are those of `audit_hmac_key`."""
        self._session = session
        self._name = name
        self._keys = keys
        chained = [table for table in TABLES if chain.CHAIN in table.names and table is not BATCHES]
        self._runs = [name(table.name) for table in chained]
        self.checkpoints = Checkpoints(())

    def findings(self, anchors: Sequence[Tip] = ()) -> list[Finding]:
        """Give everything that is wrong; `anchors` are tips that were kept elsewhere.

        Raises:
            StatementError: Snowflake refused a query.
        """
        self.checkpoints = self._purges()
        tips, found = self._runs_that_ended()
        found += [*self._of_checkpoints(), *self._rows(), *self._erasures()]
        found += [*self._sets(), *self._links(), *self._strays()]
        found += self._tips([*tips, *anchors])
        return sorted(set(found))

    def _ask(self, sql: str) -> list[tuple[Any, ...]]:
        return self._session.execute(sql, "verify").rows

    def _purges(self) -> Checkpoints:
        rows = self._ask(verify.checkpoints(self._name(CHECKPOINTS.name)))
        return Checkpoints(purge_of(row) for row in rows)

    def _of_checkpoints(self) -> Iterator[Finding]:
        """Checkpoints that disagree with each other, or with what is left."""
        if self.checkpoints.purges:
            rows = self._ask(verify.firsts(self._name(BATCHES.name)))
            firsts = {
                str(name): int(number) for name, number in rows if name is not None and number is not None
            }
            for purge in self.checkpoints.purges:
                if purge.unreadable:
                    where = f"checkpoint {purge.checkpoint}"
                    yield Finding(CHANGED, CHECKPOINTS.name, where, "LINKS holds what no purge writes")
            for name, what in self.checkpoints.wrong(firsts):
                yield Finding(CHECKPOINT, CHECKPOINTS.name, f"chain {name}", what)
            sql = verify.beside_purged(self._runs, self._name(CHECKPOINTS.name))
            left = {(str(name), int(number)): digest for name, number, digest in self._ask(sql)}
            for name, number, stated in self.checkpoints.named():
                digest = left.get((name, number))
                if digest != stated and not self._lost(name, number, stated, digest):
                    what = "is not what the purged link after it named"
                    yield Finding(LINK, "", f"chain {name}, number {number}", what)

    def _rows(self) -> Iterator[Finding]:
        for table in (table for table in TABLES if table.digest):
            names = verify.identity(table)
            sql = verify.changed_rows(self._name(table.name), table, self._name(CHECKPOINTS.name))
            for wrong, *values in self._ask(sql):
                shown = ", ".join(
                    f"{name} {value}" for name, value in zip(names, values, strict=True) if value is not None
                )
                if wrong == verify.NOT_CHAINED:
                    yield Finding(NOT_CHAINED, table.name, shown, "the row has no digest")
                elif wrong == verify.ERASED:
                    yield Finding(ERASED, table.name, shown, "the values of the record were erased")
                else:
                    part = "values of the record" if wrong == verify.PAYLOAD else "columns"
                    yield Finding(CHANGED, table.name, shown, f"{part} differ from what was written")

    def _erasures(self) -> Iterator[Finding]:
        """Erasures that took more than was told when they were made."""
        for table in (table for table in TABLES if verify.ERASURE in table.names):
            sql = verify.erasures(self._name(table.name), table, self._name(CHECKPOINTS.name))
            for mark, found, told in self._ask(sql):
                what = f"{found} rows are marked as erased, checkpoints tell of {told}"
                yield Finding(CHANGED, table.name, f"erasure {mark}", what)

    def _sets(self) -> Iterator[Finding]:
        for column, table in chain.SETS.items():
            purged: Counter[str] = Counter()
            sql = verify.sets(self._name(BATCHES.name), column, self._name(table), BY_NAME[table])
            for batch, rows_of, stored, found, target, moment in self._ask(sql):
                gone = _count(stored) - _count(found)
                if batch is None:
                    if not self.checkpoints.due(BATCHES.name, target or "", moment):
                        yield Finding(MISSING, BATCHES.name, f"batch {rows_of}", f"{table} has rows of it")
                elif self._may_be_gone(table, batch, gone, target or "", moment):
                    purged[target or ""] += gone
                else:
                    kind = MISSING if gone > 0 else ADDED if gone < 0 else REPLACED
                    what = f"{_count(found)} rows, {_count(stored)} when the batch was committed"
                    yield Finding(kind, table, f"batch {batch}", what)
            if table != DEAD_LETTER_EVENTS.name:
                yield from self._sums(table, purged)

    def _may_be_gone(self, table: str, batch: str, gone: int, target: str, moment: datetime) -> bool:
        """Whether so many rows of a batch may have been purged."""
        if table == DEAD_LETTER_EVENTS.name:
            return 0 < gone <= self.checkpoints.rows_of(chain.of_batch(batch))
        return gone > 0 and self.checkpoints.due(table, target, moment)

    def _sums(self, table: str, gone: Counter[str]) -> Iterator[Finding]:
        """Rows that are gone beside the rows that checkpoints tell of.

        Where batches were purged too, nobody knows any more how many of the rows were theirs.
        """
        purges = [one for one in self.checkpoints.purges if one.audit_table == table]
        for target in {one.target_table for one in purges} | gone.keys():
            told = self.checkpoints.rows(table, target)
            enough = gone[target] <= told if self.checkpoints.reaches(target)[0] else gone[target] == told
            if not enough:
                what = f"{gone[target]} rows are gone, checkpoints tell of {told}"
                yield Finding(MISSING, table, f"table {target}", what)

    def _links(self) -> Iterator[Finding]:
        sources = (
            (BATCHES.name, verify.table_links(self._name(BATCHES.name))),
            ("", verify.run_links(self._runs)),
        )
        for table, sql in sources:
            for name, number, before, previous, digest, _, target in self._ask(sql):
                where = f"chain {name}, number {number}"
                purged = self._purged_before(table, name, number, before, previous, digest)
                follows = self._follows(table, name, number, before) or (bool(table) and purged)
                if not follows:
                    what = f"follows on number {before or 'none'}"
                    yield Finding(GAP, table, where, what)
                if previous != digest and not purged:
                    yield Finding(LINK, table, where, "does not name the digest of what is before it")
                if name != target:
                    yield Finding(LINK, table, where, f"a batch of {target} is in another chain")

    def _follows(self, table: str, name: str, number: int | None, before: int | None) -> bool:
        """Whether a link is the next one; in a run's chain, but for links that were purged as a whole."""
        if number is None:
            return False
        last = int(before or 0)
        if table:
            return int(number) == last + 1
        missing = range(last + 1, int(number))
        return int(number) > last and all(self.checkpoints.gone(name, one) for one in missing)

    def _purged_before(
        self,
        table: str,
        name: str,
        number: int | None,
        before: int | None,
        previous: str | None,
        digest: str | None,
    ) -> bool:
        """Whether the predecessor of a link was purged, so that nothing is left which the link could name."""
        if number is None:
            return False
        wanted = int(number) - 1
        if table:
            return before is None and self.checkpoints.reaches(name) == (wanted, previous)
        return self._lost(name, wanted, previous, digest if before == wanted else None)

    def _lost(self, name: str, number: int, stated: str | None, found: str | None) -> bool:
        """Whether purge took from a link of a run's chain just the rows that it lacks."""
        gone = self.checkpoints.gone(name, number)
        return gone > 0 and _count(stated) == _count(found) + gone

    def _strays(self) -> Iterator[Finding]:
        for name in self._runs:
            for (text,) in self._ask(verify.stray(name)):
                yield Finding(NOT_CHAINED, name.table, f"chain {text}", "a row of it is no link")

    def _runs_that_ended(self) -> tuple[list[Tip], list[Finding]]:
        """Tips that runs stored when they ended, and runs whose rows do not agree with their batches."""
        ends = _Ends(self._keys)
        wrong: list[Finding] = []
        sql = verify.run_ends(self._name(RUNS.name), self._name(BATCHES.name))
        for run, said, found, rows, text, began, chains in self._ask(sql):
            where = f"run {run}"
            if rows is None:
                wrong.append(Finding(MISSING, RUNS.name, where, f"the run wrote {found} batches"))
            elif said is not None and not self._as_many(int(said), int(found), began):
                what = f"{found} batches, {said} when the run ended"
                wrong.append(Finding(CUT, BATCHES.name, where, what))
            ends.add(where, text, began, 0 if said is None else int(chains))
        return ends.tips, [*wrong, *ends.wrong()]

    def _as_many(self, said: int, found: int, began: datetime) -> bool:
        """Whether a run has its batches, but those that were purged; the chains tell which."""
        return said == found or (said > found and self.checkpoints.due(BATCHES.name, "", began))

    def _tips(self, tips: Sequence[Tip]) -> Iterator[Finding]:
        wanted = sorted(set(tips))
        own = [tip for tip in wanted if tip.chain.startswith(chain.of_run(""))]
        others = [tip for tip in wanted if not tip.chain.startswith(chain.of_run(""))]
        for group in (own, others):
            for start in range(0, len(group), _PLACES):
                part = group[start : start + _PLACES]
                places = [(tip.chain, tip.number) for tip in part]
                sql = (
                    verify.run_digests_at(self._runs, places)
                    if group is own
                    else verify.digests_at(self._name(BATCHES.name), places)
                )
                found = {(str(name), int(number)): digest for name, number, digest in self._ask(sql)}
                for tip in part:
                    digest = found.get((tip.chain, tip.number))
                    if digest != tip.digest and not self._purged(tip, digest):
                        what = "is gone" if digest is None else "was computed again"
                        yield Finding(CUT, BATCHES.name, f"chain {tip.chain}, number {tip.number}", what)

    def _purged(self, tip: Tip, found: str | None) -> bool:
        """Whether a tip's link was purged, with the digest that the checkpoint tells, where it tells one."""
        if tip.chain.startswith(chain.of_run("")):
            return self._lost(tip.chain, tip.number, tip.digest, found)
        return self.checkpoints.agrees(tip.chain, tip.number, tip.digest) is not False


class _Ends:
    """Gathers the tips that runs stored, and what of them the key does not vouch for."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = keys
        self.tips: list[Tip] = []
        self._unsigned: list[tuple[Tip, str]] = []
        self._silent: list[tuple[datetime, Finding]] = []
        self._signed: list[datetime] = []
        self._changed: list[Finding] = []

    def add(self, where: str, text: str | None, began: datetime, chains: int) -> None:
        """Add the TIPS of a run that wrote to so many chains."""
        told = _told(text)
        if told is None:
            self._changed.append(Finding(CHANGED, RUNS.name, where, "TIPS holds what no run writes"))
        elif len(told) < chains:
            what = f"tips of {len(told)} tables, the run wrote to {chains}"
            self._silent.append((began, Finding(SIGNATURE, RUNS.name, where, what)))
        for known, signature in told or ():
            self.tips.append(known)
            if known.signed_by(self._keys, signature):
                self._signed.append(began)
            else:
                self._unsigned.append((known, where))

    def wrong(self) -> Iterator[Finding]:
        """What is missing; without a key nothing vouches for a tip, and runs of before it may have none."""
        yield from self._changed
        if self._keys:
            first = min(self._signed, default=None)
            yield from (finding for began, finding in self._silent if first is None or began >= first)
            yield from _without_signature(self.tips, self._unsigned)


def _told(text: str | None) -> list[tuple[Tip, str]] | None:
    """Tips of a run with their signatures; None = they are not as a run writes them."""
    try:
        return [
            (Tip(str(name), int(tip["number"]), str(tip["digest"])), str(tip.get("hmac", "")))
            for name, tip in (json.loads(text) if text else {}).items()
        ]
    except NOT_AS_WRITTEN:
        return None


def _without_signature(tips: Sequence[Tip], unsigned: Sequence[tuple[Tip, str]]) -> Iterator[Finding]:
    """Tips that no key has signed. Those before the first signed one of their chain are of before the key.

    Where it begins is told all the same: who can change the tables could take the signatures out of the
    oldest tips, too.
    """
    without = {tip for tip, _ in unsigned}
    first: dict[str, int] = {}
    for tip in set(tips) - without:
        first[tip.chain] = min(tip.number, first.get(tip.chain, tip.number))
    before: dict[str, int] = {}
    for tip, where in unsigned:
        if tip.number < first.get(tip.chain, 0):
            before[tip.chain] = max(tip.number, before.get(tip.chain, 0))
        else:
            yield Finding(SIGNATURE, RUNS.name, where, f"the tip of {tip.chain} is not signed by the key")
    for name, number in before.items():
        what = f"tips to number {number} have no signature of the key; number {first[name]} has the first"
        yield Finding(UNSIGNED, RUNS.name, f"chain {name}", what)


def _count(digest: str | None) -> int:
    """Rows of a set digest, `1:ROWS:SHA-256`; null = no row, and so is a text of another form."""
    form = _SET.match(digest or "")
    return int(form[1]) if form else 0
