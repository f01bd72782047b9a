"""Verifies the chains of the audit schema, in Snowflake, from the stored rows alone.

What it can prove: no row of the chains was changed, taken out or added since it was written, unless whoever
did it computed everything after it again. What it cannot: that the end of a chain was not cut off, or all of
it not computed again from some place on. Tips show those: the ones that later runs stored, the ones that
were kept elsewhere (`anchors`), and, with the key, signed ones.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from target_snowflake_audit.audit.tables import BATCHES, BY_NAME, RUNS, TABLES
from target_snowflake_audit.audit.tips import Tip
from target_snowflake_audit.sql import chain, verify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from target_snowflake_audit.session import Session
    from target_snowflake_audit.sql.quoting import TableName

CHANGED, ERASED, NOT_CHAINED = "changed", "erased", "not_chained"
MISSING, ADDED, REPLACED = "missing", "added", "replaced"
GAP, LINK, CUT, SIGNATURE = "gap", "link", "cut", "signature"
_PLACES = 200
"""Tips looked up in one statement."""


@dataclass(frozen=True, order=True)
class Finding:
    """Something that is not as it was written. `erased` alone is no fault: the values are gone, as asked."""

    kind: str
    table: str
    where: str
    what: str


class Verifier:
    """Looks at all chains of one audit schema."""

    def __init__(self, session: Session, name: Callable[[str], TableName], key: bytes | None = None) -> None:
        """`name` gives the full name of an audit table; `key` is that of `audit_hmac_key`."""
        self._session = session
        self._name = name
        self._key = key
        chained = [table for table in TABLES if chain.CHAIN in table.names and table is not BATCHES]
        self._runs = [name(table.name) for table in chained]

    def findings(self, anchors: Sequence[Tip] = ()) -> list[Finding]:
        """Give everything that is wrong; `anchors` are tips that were kept elsewhere.

        Raises:
            StatementError: Snowflake refused a query.
        """
        tips, found = self._runs_that_ended()
        found += [*self._rows(), *self._sets(), *self._links(), *self._strays()]
        found += self._tips([*tips, *anchors])
        return sorted(set(found))

    def _ask(self, sql: str) -> list[tuple[Any, ...]]:
        return self._session.execute(sql, "verify").rows

    def _rows(self) -> Iterator[Finding]:
        for table in (table for table in TABLES if table.digest):
            names = verify.identity(table)
            for wrong, *values in self._ask(verify.changed_rows(self._name(table.name), table)):
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

    def _sets(self) -> Iterator[Finding]:
        for column, table in chain.SETS.items():
            sql = verify.sets(self._name(BATCHES.name), column, self._name(table), BY_NAME[table])
            for batch, rows_of, stored, found in self._ask(sql):
                if batch is None:
                    yield Finding(MISSING, BATCHES.name, f"batch {rows_of}", f"{table} has rows of it")
                    continue
                before, now = _count(stored), _count(found)
                kind = MISSING if now < before else ADDED if now > before else REPLACED
                yield Finding(
                    kind, table, f"batch {batch}", f"{now} rows, {before} when the batch was committed"
                )

    def _links(self) -> Iterator[Finding]:
        sources = (
            (BATCHES.name, verify.table_links(self._name(BATCHES.name))),
            ("", verify.run_links(self._runs)),
        )
        for table, sql in sources:
            for name, number, before, previous, digest, _, target in self._ask(sql):
                where = f"chain {name}, number {number}"
                if number is None or int(number) != int(before or 0) + 1:
                    what = f"follows on number {before or 'none'}"
                    yield Finding(GAP, table, where, what)
                if previous != digest:
                    yield Finding(LINK, table, where, "does not name the digest of what is before it")
                if name != target:
                    yield Finding(LINK, table, where, f"a batch of {target} is in another chain")

    def _strays(self) -> Iterator[Finding]:
        for name in self._runs:
            for (text,) in self._ask(verify.stray(name)):
                yield Finding(NOT_CHAINED, name.table, f"chain {text}", "there is no such chain")

    def _runs_that_ended(self) -> tuple[list[Tip], list[Finding]]:
        """Tips that runs stored when they ended, and runs whose rows do not agree with their batches."""
        tips: list[Tip] = []
        wrong: list[Finding] = []
        sql = verify.run_ends(self._name(RUNS.name), self._name(BATCHES.name))
        for run, said, found, rows, text in self._ask(sql):
            where = f"run {run}"
            if rows is None:
                wrong.append(Finding(MISSING, RUNS.name, where, f"the run wrote {found} batches"))
            elif said is not None and int(said) != int(found):
                what = f"{found} batches, {said} when the run ended"
                wrong.append(Finding(CUT, BATCHES.name, where, what))
            for name, tip in (json.loads(text) if text else {}).items():
                known = Tip(str(name), int(tip["number"]), str(tip["digest"]))
                tips.append(known)
                if self._key and not known.signed_by(self._key, str(tip.get("hmac", ""))):
                    wrong.append(
                        Finding(SIGNATURE, RUNS.name, where, f"the tip of {name} is not signed by the key")
                    )
        return tips, wrong

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
                    if digest != tip.digest:
                        what = "is gone" if digest is None else "was computed again"
                        yield Finding(CUT, BATCHES.name, f"chain {tip.chain}, number {tip.number}", what)


def _count(digest: str | None) -> int:
    """Rows of a set digest, `1:ROWS:SHA-256`; null = no row."""
    return int(digest.split(":")[1]) if digest else 0
