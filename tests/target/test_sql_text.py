"""Every statement parses in sqlglot's Snowflake dialect, whatever the names are, and keeps to our rules."""

from __future__ import annotations

import dataclasses
from functools import partial
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp
from target_snowflake_audit.audit.setup_sql import Setup, statements
from target_snowflake_audit.audit.tables import BY_NAME, PAYLOAD_DIGEST, TABLES
from target_snowflake_audit.checking.plan import StreamPlan, make_plan
from target_snowflake_audit.session import Answer, DdlInTransactionError, Session
from target_snowflake_audit.sql import (
    aside,
    audit_rows,
    classify,
    ddl,
    erasure,
    fence,
    keep,
    later,
    newer,
    overwrite,
    retention,
    salt,
    staging,
    write,
)
from target_snowflake_audit.sql.quoting import TableName

ODD = ['quote"inside', "semi;--", "dollar$$", "sp ace", "emoji 🙂", "select", "'apostrophe'"]
SCHEMA = {
    "type": "object",
    "properties": {
        **{name: {"type": "string", "description": f"about {name}"} for name in ODD},
        "id": {"type": "integer"},
        "doc": {"type": "string", "maxLength": 5},
        "amount": {"type": "number", "multipleOf": 0.01},
        "on": {"type": "string", "format": "date"},
        "at": {"type": "string", "format": "date-time"},
        "open": {"type": "boolean"},
        "rate": {"type": "number"},
        "more": {"type": "object"},
    },
    "x-replace-scope": ["doc"],
}


def plan_of(key: tuple[str, ...] = ("doc", "id"), **settings: object) -> StreamPlan:
    schema = SCHEMA if key else {name: part for name, part in SCHEMA.items() if name != "x-replace-scope"}
    message = {"stream": 'odd"stream;--', "schema": SCHEMA, "bookmark_properties": ["at"]}
    options = {"column_naming": "preserve", "default_target_schema": 'S"1', **settings}
    return make_plan(options, 'odd"stream;--', schema, key, message, "D'B")


def tables(plan: StreamPlan) -> classify.Tables:
    return classify.Tables(TableName("D'B", "LOCK", "STG"), TableName("D'B", "LOCK", "TYPED"), plan.table)


def all_statements() -> dict[str, str]:
    plan, append, parts = plan_of(), plan_of(load_method="append-only"), plan_of(absent_fields="keep")
    t = tables(plan)
    history = TableName("D'B", "AUDIT", "RECORD_HISTORY")
    facts = {"run": "'r'", "batch": "'b'", "table": "'t'", "stream": "'s'", "inserts": "yes", "replay": "no"}
    facts |= {"removal": "'replace_scope'", "salt": TableName("D'B", "LOCK", "SALT").sql}
    redacted = plan_of(redact_columns={"*": {"*": "hash"}})
    letters = TableName("D'B", "AUDIT", "DEAD_LETTERS")
    shared = {"RUN_ID": "r", "BATCH_ID": "b", "STREAM": "s'", "TARGET_TABLE": "t", "SINGER_SCHEMA": SCHEMA}
    locks = TableName("D'B", "LOCK", "")
    carrying = dataclasses.replace(plan, foreign=(("O'x", "NUMBER(3,1)"),))
    found = {
        "create staging": staging.create_staging(plan, t.staging),
        "create typed": staging.create_typed(plan, t.typed),
        "empty": staging.empty(t.staging),
        "fence": fence.create(fence.fence_of(plan.table, locks)),
        "take": fence.take(fence.fence_of(plan.table, locks)),
        "classify": classify.classify(plan, t),
        "classify scope": classify.classify(plan, t, removal="scope"),
        "classify doubtful": classify.classify(plan, t, removal="scope", doubtful=[(1, 5), (9, None)]),
        "classify all": classify.classify(plan, t, removal="all"),
        "classify append": classify.classify(append, t),
        "classify keep": classify.classify(parts, t, received=keep.received(parts, t)),
        "refused keep": keep.refused(parts, t, history, "x'y"),
        "counts": classify.counts(t),
        "told since": newer.told_since(plan, t, TableName("D'B", "AUDIT", "BATCHES")),
        "fates": classify.fates(t),
        "live": classify.live_rows(t),
        "refused": classify.refused(t, history, "x'y"),
        "classify aside": classify.classify(plan, t, aside=True),
        "set aside": aside.refused(t, [1, 2]),
        "set aside unconvertible": aside.unconvertible(plan, t),
        "mark": aside.mark(t, [1, 2]),
        "history": write.history(plan, t, history, facts),
        "history of new rows": write.history(plan, t, history, facts, {"insert"}),
        "history of changed rows": write.history(
            plan, t, history, facts | {"inserts": "no"}, {"insert", "update"}
        ),
        "history of rows that are gone": write.history(plan, t, history, facts, {"remove"}),
        "history redacted": write.history(redacted, t, history, facts),
        "create salt": salt.create(TableName("D'B", "LOCK", "SALT")),
        "read salt": salt.read(TableName("D'B", "LOCK", "SALT")),
        "history append": write.history(append, t, history, facts),
        "merge": write.merge(plan, t, "b", hard_delete=False),
        "merge new rows": write.merge(plan, t, "b", hard_delete=False, kinds={"insert"}),
        "merge changed rows": write.merge(plan, t, "b", hard_delete=False, kinds={"update"}),
        "merge rows that are gone": write.merge(plan, t, "b", hard_delete=True, kinds={"remove"}),
        "merge hard": write.merge(plan, t, "b", hard_delete=True, within=(1, 2)),
        "append": write.append(append, t, "b"),
        "shadow": overwrite.create(plan, t.typed),
        "compare": overwrite.compare(plan, t, TableName("D'B", "LOCK", "SHADOW"), "SELECT 1"),
        "compare without key": overwrite.compare(plan_of(key=()), t, TableName("D'B", "LOCK", "SHADOW")),
        "kept letters": overwrite.kept_letters(letters, history, "t'", "r"),
        "replace": overwrite.replace(plan, t, "b"),
        "replace and carry over": overwrite.replace(carrying, t, "b"),
        "compare and carry over": overwrite.compare(carrying, t, TableName("D'B", "LOCK", "SHADOW")),
        "create typed and carry over": staging.create_typed(carrying, t.typed),
        "add to what was carried over": overwrite.add(carrying, t, "b"),
        "count values": overwrite.count_values(plan.table, ["O'x"]),
        "dead letters": audit_rows.dead_letters(letters, t.staging, {**shared, "SCHEMA_SHA256": "x"}),
        "create table": ddl.create_table(plan),
        "create schema": ddl.create_schema(plan.table),
        "add": ddl.add_columns(plan.table, [ddl.column(column) for column in plan.columns]),
        "widen": ddl.widen(plan.table, 'a"b', "VARCHAR(20)"),
        "describe": ddl.describe(plan.table),
    }
    audit = partial(TableName, "D'B", "AUDIT")
    for due in retention.doomed(audit, "SYSDATE()"):
        name = due.table.name
        found[f"checkpoint {name}"] = retention.checkpoint(
            audit, due, cutoff="SYSDATE()", mark="'m'", reason="'r'"
        )
        found[f"delete {name}"] = retention.delete(audit, due)
    notes = later.Notes(audit, plan, t, "r'", "b'")
    found |= {
        "open letters": later.open_letters(letters, audit("DEAD_LETTER_EVENTS"), plan),
        "sent since": notes.insert("", outdated=False),
        "sent since, or left out": notes.insert(classify.documents(plan, t, []), outdated=True),
        "noted": later.noted(audit, plan, t, "'l'"),
    }
    subject = erasure.Subject("D'B.T", ("a'b",), tuple((name, (name, "x")) for name in ODD), ("l'",))
    found |= {
        "erase history": erasure.history(audit, subject, "m'"),
        "erase letter": erasure.letter(audit, "l'", "[]", "m'"),
        "erase events": erasure.events(audit, ["l'"], "m'"),
        "letters to erase": erasure.letters(audit, subject),
        "counted": retention.counted(audit, "'m'"),
    }
    for table in TABLES:
        made = {"AT", "ACTOR", "ACTOR_ROLE", PAYLOAD_DIGEST, table.digest}
        row = {column.name: "1" for column in table.columns if column.name not in made}
        found[f"insert {table.name}"] = audit_rows.insert(TableName("D", "AUDIT", table.name), [row, row])
    return found


SNAPSHOT = Path(__file__).parent / "snapshots" / "statements.sql"


def snapshot() -> str:
    """All statements as text; names are odd on purpose."""
    made = all_statements() | {f"setup {n}": sql for n, sql in enumerate(statements(Setup(user="LOADER")))}
    return "\n\n".join(f"-- {name}\n{sql.strip()};" for name, sql in made.items()) + "\n"


@pytest.mark.parametrize("name", all_statements())
def test_statement_parses_as_one_statement(name: str) -> None:
    sql = all_statements()[name]
    parsed = sqlglot.parse(sql, read="snowflake")
    assert len(parsed) == 1
    assert not isinstance(parsed[0], exp.Command)


def test_copy_and_put_name_a_folder() -> None:
    plan = plan_of()
    copy = staging.copy(plan, tables(plan).staging, '@"D"."L"."LOAD"/run/batch/rows/')
    assert sqlglot.parse_one(copy, read="snowflake").find(exp.Copy)
    assert "/rows/ FILE_FORMAT" in copy
    put = staging.put(Path("/tmp/it's 20%/rows.csv.gz"), '@"D"."L"."LOAD"/x/')  # noqa: S108
    assert r"'file:///tmp/it\'s 20%/rows.csv.gz'" in put


def test_setup_statements_parse_and_name_every_audit_table() -> None:
    made = list(statements(Setup(user="LOADER", schemas=("PURCHASING",), role_prefix='A"B_')))
    for sql in made:
        assert len(sqlglot.parse(sql, read="snowflake")) == 1
    for table in TABLES:
        assert any(sql.startswith("CREATE TABLE") and f'"{table.name}"' in sql for sql in made)
    loader = [sql for sql in made if "LOADER" in sql and 'AUDIT"' in sql and "GRANT" in sql]
    assert not [
        sql for sql in loader if "DELETE" in sql or "UPDATE" in sql or "TRUNCATE" in sql or "OWNERSHIP" in sql
    ]


def test_unknown_audit_column_is_our_mistake() -> None:
    with pytest.raises(KeyError, match="NOPE"):
        audit_rows.insert(TableName("D", "A", "RUNS"), [{"NOPE": 1}])
    assert len(BY_NAME) == len(TABLES)


class _Connection:
    """Stands for a connection: only that DDL never reaches it matters here, which no wire can show."""

    def cursor(self) -> _Connection:
        return self


def test_ddl_in_a_transaction_never_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session(_Connection())  # type: ignore[arg-type]
    sent: list[str] = []

    def run(sql: str, *_: object) -> Answer:
        sent.append(sql)
        return Answer([("1",)] if sql.startswith("SELECT") else [], (), 0, "q", 0)

    monkeypatch.setattr(session, "_run", run)
    session.execute("BEGIN", "begin")
    for sql in (
        "CREATE TABLE x",
        " alter table x",
        "DROP TABLE x",
        "TRUNCATE TABLE x",
        "CREATE TEMPORARY TABLE y",
    ):
        with pytest.raises(DdlInTransactionError):
            session.execute(sql, "ddl")
    session.execute("COMMIT", "commit")
    session.execute("CREATE TABLE x", "ddl")
    asked = "SELECT CURRENT_TRANSACTION()"
    assert sent == ["BEGIN", asked, asked, "COMMIT", "CREATE TABLE x"]


def test_clustering_starts_with_the_date() -> None:
    """Only the first bytes of a text count for clustering, and all table names begin alike."""
    clustered = [table.cluster_by for table in TABLES if table.cluster_by]
    assert clustered
    assert all(expressions[0].startswith("TO_DATE(") for expressions in clustered)


def test_statements_are_those_that_were_reviewed() -> None:
    """A change of a statement is seen in the difference of one file: `make generate` writes it."""
    assert SNAPSHOT.read_text() == snapshot()


def test_lists_of_numbers_keep_within_what_snowflake_takes() -> None:
    """16,384 values (001795)."""
    tables = classify.Tables(*(TableName("D", "S", name) for name in "ABC"))
    for sql in (aside.refused(tables, range(40_000)), aside.mark(tables, range(40_000))):
        lists = sqlglot.parse_one(sql, read="snowflake").find_all(exp.In)
        sizes = [len(one.expressions) for one in lists]
        assert max(sizes) <= 16_384
        assert sum(sizes) == 40_000
