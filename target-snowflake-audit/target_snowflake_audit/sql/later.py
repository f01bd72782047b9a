"""The statements about open letters whose row, or whose document without it, came later.

Events `sent_since`, `left_out` and `outdated` leave a letter's status alone: a replay compares their time
with the letter's, since stamps may say more than arrival does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_snowflake_audit.audit.tables import BATCHES, DEAD_LETTER_EVENTS, DEAD_LETTERS
from target_snowflake_audit.sql import audit_rows, chain, conversion
from target_snowflake_audit.sql.classify import DELETE, OUTDATED, UNCHANGED
from target_snowflake_audit.sql.quoting import identifier, literal, words
from target_snowflake_audit.sql.staging import value_column

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_snowflake_audit.checking.plan import StreamPlan
    from target_snowflake_audit.sql.classify import Tables
    from target_snowflake_audit.sql.quoting import TableName

OPEN_LETTERS = "#open letters"
"""Name of the row that tells their number among the counts of a batch: no operation, and no table."""
SENT_SINCE, LEFT_OUT = audit_rows.SENT_SINCE, audit_rows.LEFT_OUT


def open_letters(letters: TableName, events: TableName, plan: StreamPlan) -> str:
    """SELECT of the number of open letters with a readable key, as a row like those of `chain.with_tip`."""
    chosen = _of(plan, "d")
    ids = words('SELECT d."DEAD_LETTER_ID" FROM', letters.sql, "AS d WHERE", chosen)
    latest = audit_rows.latest_events(events, ids)
    return words(
        "SELECT",
        f"{literal(OPEN_LETTERS)}, COUNT(*), 0, {chain.typed_null('VARCHAR')} FROM {letters.sql} AS d",
        f'LEFT JOIN ({latest}) AS e ON e."DEAD_LETTER_ID" = d."DEAD_LETTER_ID"',
        f"WHERE {chosen} AND {_OPEN}",
    )


@dataclass(frozen=True)
class Notes:
    """Writes a batch's events, and tells a replay of those that there are."""

    audit: Callable[[str], TableName]
    plan: StreamPlan
    tables: Tables
    run_id: str
    batch_id: str

    def insert(self, documents: str, *, outdated: bool) -> str:
        """INSERT of the events; `documents` selects the documents that came whole, '' = none is known.

        With `outdated` there may be letters of the batch itself whose document is older than the stored one.

        One that the letter's last event says already is not written again.
        """
        events = self.audit(DEAD_LETTER_EVENTS.name)
        selects = [self._sent()]
        if documents:
            selects.append(self._left_out(documents))
        if outdated:
            selects.append(self._outdated())
        found = " UNION ALL ".join(selects)
        came = words('SELECT DISTINCT f."ID", f."EVENT" FROM', f"({found})", "AS f")
        batch = literal(self.batch_id)
        columns = {
            "EVENT_ID": f"SHA2(CONCAT(c.\"ID\", ':', {batch}, ':', c.\"EVENT\"), 256)",
            "DEAD_LETTER_ID": 'c."ID"',
            "EVENT": 'c."EVENT"',
            "RUN_ID": literal(self.run_id),
            "BATCH_ID": batch,
            **audit_rows.facts_of_snowflake(events),
            chain.CHAIN: literal(chain.of_batch(self.batch_id)),
        }
        ids = words('SELECT i."ID" FROM', f"({came})", "AS i")
        source = words(
            f"FROM ({came}) AS c",
            f'LEFT JOIN ({audit_rows.latest_events(events, ids)}) AS e ON e."DEAD_LETTER_ID" = c."ID"',
            f'LEFT JOIN ({self._last(events, ids)}) AS l ON l."DEAD_LETTER_ID" = c."ID"',
            f'AND l."EVENT" = c."EVENT" AND l."TARGET_TABLE" = {literal(str(self.plan.table))}',
            f'WHERE {_OPEN} AND l."DEAD_LETTER_ID" IS NULL',
        )
        return chain.insert(events, columns, source)

    def _sent(self) -> str:
        """Letters whose key came in a row that is not written, or deleted; after them, where both came."""
        operations = ", ".join(map(literal, (UNCHANGED, DELETE)))
        quiet = words(
            'SELECT y."KEY_HASH", MAX(y."SEQ") AS "SEQ" FROM',
            self.tables.typed.sql,
            f'AS y WHERE y."OP" IN ({operations}) GROUP BY y."KEY_HASH"',
        )
        refused = words(
            'SELECT n."ID", MAX(n."SEQ") AS "SEQ" FROM', f"({self._refused})", 'AS n GROUP BY n."ID"'
        )
        return words(
            f'SELECT d."DEAD_LETTER_ID" AS "ID", {literal(SENT_SINCE)} AS "EVENT"',
            f'FROM {self._letters} AS d JOIN ({quiet}) AS q ON q."KEY_HASH" = d."KEY_HASH"',
            f'LEFT JOIN ({refused}) AS m ON m."ID" = d."DEAD_LETTER_ID"',
            f'WHERE {_of(self.plan, "d")} AND (m."SEQ" IS NULL OR q."SEQ" > m."SEQ")',
        )

    def _left_out(self, documents: str) -> str:
        """Letters whose key did not come with their document."""
        plan = self.plan
        same = " AND ".join(
            f"{conversion.typed(plan.columns[at].type, f'x.{identifier(value_column(at))}')} = "
            f"{conversion.typed(plan.columns[at].type, self._scope_value(at))}"
            for at in plan.scope or ()
        )
        return words(
            f'SELECT d."DEAD_LETTER_ID" AS "ID", {literal(LEFT_OUT)} AS "EVENT"',
            f"FROM {self._letters} AS d JOIN ({documents}) AS x ON {same}",
            f'LEFT JOIN {self.tables.staging.sql} AS s ON s."KEY_HASH" = d."KEY_HASH"',
            f'WHERE {_of(plan, "d")} AND s."SEQ" IS NULL',
        )

    def _outdated(self) -> str:
        """Letters of the batch whose document, without them, came before it."""
        rows = words('SELECT y."SEQ" FROM', self.tables.typed.sql, f'AS y WHERE y."OP" = {literal(OUTDATED)}')
        return words(
            f'SELECT n."ID", {literal(audit_rows.OUTDATED)} AS "EVENT"',
            f'FROM ({self._refused}) AS n JOIN ({rows}) AS y ON y."SEQ" = n."SEQ"',
        )

    @property
    def _refused(self) -> str:
        """SELECT of the letters of the batch: SEQ and ID."""
        body = words(
            'SELECT s."SEQ", PARSE_JSON(s."LETTER") AS "BODY" FROM',
            self.tables.staging.sql,
            "AS s WHERE s.\"STATE\" = 'D'",
        )
        named = audit_rows.with_ids(body, self.audit(DEAD_LETTERS.name), str(self.plan.table))
        return words('SELECT i."SEQ", i."ID" FROM', f"({named})", "AS i")

    def _scope_value(self, at: int) -> str:
        """A letter's value of a column that names documents; null where it does not hold it as it was."""
        column = self.plan.columns[at]
        if at in self.plan.key:
            return f'd."KEY":{identifier(column.name)}::VARCHAR'
        return f'd."RECORD":{identifier(column.property)}::VARCHAR'

    def _last(self, events: TableName, ids: str) -> str:
        """SELECT of the last event of each letter, of whatever kind, with the table that it was about."""
        order = 'PARTITION BY v."DEAD_LETTER_ID" ORDER BY v."AT" DESC, v."EVENT_ID" DESC'
        last = words(
            'SELECT v."DEAD_LETTER_ID", v."EVENT", v."BATCH_ID" FROM',
            f'{events.sql} AS v WHERE v."DEAD_LETTER_ID" IN ({ids})',
            f"QUALIFY ROW_NUMBER() OVER ({order}) = 1",
        )
        return words(
            'SELECT u."DEAD_LETTER_ID", u."EVENT", b."TARGET_TABLE" FROM',
            f'({last}) AS u JOIN {self.audit(BATCHES.name).sql} AS b ON b."BATCH_ID" = u."BATCH_ID"',
        )

    @property
    def _letters(self) -> str:
        return self.audit(DEAD_LETTERS.name).sql


def noted(audit: Callable[[str], TableName], plan: StreamPlan, tables: Tables, ids: str) -> str:
    """SELECT of the events of letters, given as literals, about rows of the keys that are staged.

    Gives SEQ of the staged row, the letter, what would become of the row (null: it is not classified), the
    event, its time and its batch.
    """
    letters, events, batches = (
        audit(table.name).sql for table in (DEAD_LETTERS, DEAD_LETTER_EVENTS, BATCHES)
    )
    kinds = ", ".join(map(literal, (SENT_SINCE, LEFT_OUT, audit_rows.OUTDATED)))
    return words(
        'SELECT s."SEQ", v."DEAD_LETTER_ID", y."OP", v."EVENT", v."AT", v."BATCH_ID" FROM',
        f'{events} AS v JOIN {letters} AS d ON d."DEAD_LETTER_ID" = v."DEAD_LETTER_ID"',
        f'JOIN {batches} AS b ON b."BATCH_ID" = v."BATCH_ID"',
        f'AND b."TARGET_TABLE" = {literal(str(plan.table))}',
        f'JOIN {tables.staging.sql} AS s ON s."KEY_HASH" = d."KEY_HASH"',
        f'LEFT JOIN {tables.typed.sql} AS y ON y."SEQ" = s."SEQ"',
        f'WHERE v."EVENT" IN ({kinds}) AND v."DEAD_LETTER_ID" IN ({ids})',
    )


_OPEN = f'(e."EVENT" IS NULL OR NOT (e."EVENT" IN ({", ".join(map(literal, audit_rows.CLOSED))})))'


def _of(plan: StreamPlan, alias: str) -> str:
    """Condition on letters of a stream, whatever table they were refused by, or of its table."""
    stream, table = literal(plan.source_stream), literal(str(plan.table))
    mine = f'{alias}."STREAM" = {stream} OR {alias}."TARGET_TABLE" = {table}'
    return f'({mine}) AND {alias}."KEY_HASH" IS NOT NULL'
