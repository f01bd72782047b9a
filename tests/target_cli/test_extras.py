"""`init-sql --with`: what it prints parses, and what tasks would run does run.

The local Snowflake has no tasks, alerts, streams or integrations, so their own DDL is only parsed; sqlglot
knows most of it as a command without parts, which is listed here.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import re
from typing import TYPE_CHECKING, Any

import pytest
import sqlglot
from audit_rows import Writer
from processes import run_command
from sqlglot import exp
from target_snowflake_audit.audit.extras import KINDS, MAILED_LETTERS, NEW_LETTERS, notice
from target_snowflake_audit.audit.setup_sql import Setup
from target_snowflake_audit.session import connect
from target_snowflake_audit.sql.quoting import TableName

if TYPE_CHECKING:
    from audit_console import Console

NAMES = ("--database", "ANALYTICS", "--warehouse", "LOAD_WH", "--user", "LOADER")
ALL = (
    "--with",
    ",".join(KINDS),
    "--table",
    "FINANCE.GL_LINES",
    "--email",
    "ann@example.com",
    "--keep-days",
    "30",
)
WHOLE = re.compile(
    r"CREATE (STREAM|ALERT|NOTIFICATION INTEGRATION) IF NOT EXISTS |CREATE OR ALTER TASK "
    r"|ALTER (ALERT|TASK|NOTIFICATION INTEGRATION) |GRANT (OWNERSHIP|SELECT) ON (ALERT|TASK|STREAM) "
)
"""Forms that sqlglot's Snowflake dialect keeps as text."""


def extras(*arguments: str) -> tuple[int, str, str]:
    ended = run_command(["snowflake-audit", "init-sql", *NAMES, *arguments])
    return ended.returncode, ended.stdout.decode(), ended.stderr.decode()


@pytest.fixture(scope="module")
def statements() -> list[str]:
    code, document, errors = extras(*ALL, "--json")
    assert (code, errors) == (0, "")
    found: list[str] = json.loads(document)["statements"]
    return found


def body(statements: list[str], name: str, starts: str = "CREATE OR ALTER TASK ") -> list[str]:
    """The statements of a task's script, or of an alert's."""
    (task,) = [one for one in statements if one.startswith(starts) and f'"{name}"' in one]
    script = task[task.index("$$") + 2 : task.rindex("$$")]
    inner = script[script.index("BEGIN ") + 6 : script.index("; EXCEPTION")]
    assert script.endswith("EXCEPTION WHEN OTHER THEN ROLLBACK; RAISE; END")
    return inner.split("; ")


def compared(inner: list[str]) -> list[str]:
    """The statements of the retention task without what compares their counts, which is looked at here.

    Scripts run on a real account only.
    """
    parts = [inner[at : at + 5] for at in range(0, len(inner), 5)]
    for checkpoint, noted, delete, check, end in parts:
        assert (checkpoint[:11], delete[:11]) == ("INSERT INTO", "DELETE FROM")
        assert noted.startswith("noted := (SELECT ")
        assert noted.endswith(")")
        assert (check, end) == ("IF (SQLROWCOUNT <> noted) THEN RAISE changed", "END IF")
    return [one for part in parts for one in (part[0], part[1].removeprefix("noted := "), part[2])]


def test_every_statement_parses_and_whole_ones_are_those_known(
    statements: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR, logger="sqlglot")
    assert len(statements) > 15
    for one in statements:
        (tree,) = sqlglot.parse(one, dialect="snowflake")
        assert isinstance(tree, exp.Command) == bool(WHOLE.match(one)), one
    for one in (*compared(body(statements, "RETENTION_TASK")[1:-1]), *body(statements, "DEAD_LETTER_TASK")):
        assert len(sqlglot.parse(one, dialect="snowflake")) == 1


def test_a_script_is_printed_in_which_nothing_starts_by_itself() -> None:
    code, text, errors = extras(*ALL)
    assert (code, errors) == (0, "")
    resumed = [line for line in text.splitlines() if "RESUME" in line]
    assert len(resumed) == 3
    assert all(line.startswith("-- ALTER ") for line in resumed)
    assert 'ALTER TABLE "ANALYTICS"."FINANCE"."GL_LINES" SET CHANGE_TRACKING = TRUE;' in text
    assert "CREATE ROLE" not in text
    _, plain, _ = extras()
    assert " TASK " not in plain
    assert "CREATE STREAM" not in plain


def test_the_retention_task_does_what_purge_does(
    console: Console, writer: Writer, statements: list[str]
) -> None:
    old = dt.datetime.now(dt.UTC).replace(tzinfo=None) - dt.timedelta(days=40)
    writer.audit("RETRIES", RUN_ID="old", AT=old, TARGET_TABLE="T")
    writer.audit("RETRIES", RUN_ID="young", AT=old + dt.timedelta(days=20), TARGET_TABLE="T")
    writer.run('GRANT ROLE "SAGEX3_PURGER" TO USER "LOADER"')
    first, *inner, last = body(statements, "RETENTION_TASK")
    assert (first, last) == ("BEGIN TRANSACTION", "COMMIT")
    inner = [one for one in compared(inner) if not one.startswith("(")]
    assert len(inner) == 14
    with_values = {":cutoff": "DATEADD('day', -30, SYSDATE())", ":mark": "'task 1'"}
    run(console, "SAGEX3_PURGER", [first, *(filled(one, with_values) for one in inner), last])
    assert writer.run('SELECT "RUN_ID" FROM "AUDIT"."RETRIES"') == [("young",)]
    [counted] = [one for one in compared(body(statements, "RETENTION_TASK")[1:-1]) if "'RETRIES')" in one]
    assert writer.run(filled(counted[1:-1], with_values)) == [(1,)]
    told = writer.run(
        'SELECT "AUDIT_TABLE", "ROW_COUNT", "REASON", "ACTOR_ROLE" FROM "AUDIT"."CHECKPOINTS"'
        " WHERE \"CHECKPOINT_ID\" = 'task 1'"
    )
    assert told == [("RETRIES", 1, "retention task: 30 days", "SAGEX3_PURGER")]


def test_the_letters_task_counts_new_letters_by_stream(
    console: Console, writer: Writer, statements: list[str]
) -> None:
    at = dt.datetime(2026, 1, 2)  # noqa: DTZ001 - TIMESTAMP_NTZ has no zone
    for name in ("a", "b"):
        writer.audit("DEAD_LETTERS", DEAD_LETTER_ID=name, STREAM="s", TARGET_TABLE="T", AT=at)
    for one in statements:
        if NEW_LETTERS in one and not one.startswith("CREATE OR ALTER TASK"):
            writer.run(one)
    writer.run('GRANT ROLE "SAGEX3_REVIEWER" TO USER "LOADER"')
    setup = Setup()
    first, sql, mail, last = body(statements, "DEAD_LETTER_TASK")
    # The stream moves on with the COMMIT only, so that a mail that fails is tried again.
    assert (first, sql, last) == ("BEGIN TRANSACTION", notice(setup), "COMMIT")
    assert mail.startswith("CALL SYSTEM$SEND_EMAIL('SAGEX3_TASK_EMAIL', 'ann@example.com', ")
    # A stream has the columns of its table.
    run(console, "SAGEX3_REVIEWER", [notice(setup, TableName("ANALYTICS", "AUDIT", "DEAD_LETTERS"))])
    noticed = writer.run(f'SELECT "STREAM", "LETTERS", "FIRST_AT" FROM "AUDIT_LOCK"."{NEW_LETTERS}"')
    assert noticed == [("s", 2, at)]


def test_the_alert_misses_no_letter_whatever_its_time(
    console: Console, writer: Writer, statements: list[str]
) -> None:
    """A letter's AT is its INSERT's time: when it is committed an alert may have looked since."""
    for one in statements:
        if MAILED_LETTERS in one and " TABLE " in one.partition("(")[0]:
            writer.run(one)
    writer.run('GRANT ROLE "SAGEX3_REVIEWER" TO USER "LOADER"')
    writer.run('DELETE FROM "AUDIT"."DEAD_LETTERS"')
    (alert,) = [one for one in statements if one.startswith("CREATE ALERT")]
    found = re.search(r"IF \(EXISTS \((SELECT .+)\)\) THEN EXECUTE IMMEDIATE ", alert)
    assert found
    first, note, mail, last = body(statements, "DEAD_LETTER_ALERT", "CREATE ALERT ")
    assert (first, mail.partition("(")[0], last) == ("BEGIN TRANSACTION", "CALL SYSTEM$SEND_EMAIL", "COMMIT")
    assert "'SAGEX3_ALERT_EMAIL'" in mail
    at = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    loading = Writer(console.ready)
    loading.run("BEGIN TRANSACTION")
    loading.audit("DEAD_LETTERS", DEAD_LETTER_ID="late", BATCH_ID="1", AT=at - dt.timedelta(hours=3))
    writer.audit("DEAD_LETTERS", DEAD_LETTER_ID="soon", BATCH_ID="2", AT=at)
    assert writer.run(found[1]) == [("soon", "2")]
    run(console, "SAGEX3_REVIEWER", [first, note, "ROLLBACK"])
    assert writer.run(found[1]) == [("soon", "2")], "the mail failed: it is tried again"
    run(console, "SAGEX3_REVIEWER", [first, note, last])
    assert writer.run(found[1]) == []
    loading.run("COMMIT")
    loading.close()
    assert writer.run(found[1]) == [("late", "1")]
    run(console, "SAGEX3_REVIEWER", [first, note, last])
    writer.run('DELETE FROM "AUDIT"."DEAD_LETTERS"')
    writer.audit("DEAD_LETTERS", DEAD_LETTER_ID="late", BATCH_ID="3", AT=at)
    assert writer.run(found[1]) == [("late", "3")], "purged and refused again"


def test_what_needs_a_loaded_table_comes_last(statements: list[str]) -> None:
    """A client that stops at the first error has made the rest."""
    first = statements.index('ALTER TABLE "ANALYTICS"."FINANCE"."GL_LINES" SET CHANGE_TRACKING = TRUE')
    assert all('"FINANCE"."GL_LINES"' in one for one in statements[first:])
    assert not any('"FINANCE"."GL_LINES"' in one for one in statements[:first])


def test_run_again_with_other_options_the_script_changes_what_is_there() -> None:
    """What is only made IF NOT EXISTS keeps its old options; what is replaced loses its grants."""
    again = (*ALL[:4], "--email", "bob@example.com", "--keep-days", "1095", "--json")
    _, document, _ = extras(*again)
    made = json.loads(document)["statements"]
    assert not [one for one in made if "OR REPLACE" in one]
    for kind in ("ALERT", "TASK"):
        name = f'"SAGEX3_{kind}_EMAIL"'
        assert f"ALTER NOTIFICATION INTEGRATION {name} SET ALLOWED_RECIPIENTS = ('bob@example.com')" in made
    lock = '"ANALYTICS"."AUDIT_LOCK".'
    for task, role in (("DEAD_LETTER_TASK", "REVIEWER"), ("RETENTION_TASK", "PURGER")):
        name = f'{lock}"{task}"'
        (at,) = [at for at, one in enumerate(made) if one.startswith(f"CREATE OR ALTER TASK {name} ")]
        assert made[at - 1] == f"ALTER TASK IF EXISTS {name} SUSPEND"
        assert f'GRANT OWNERSHIP ON TASK {name} TO ROLE "SAGEX3_{role}" COPY CURRENT GRANTS' in made[at + 1 :]
    assert "DATEADD('day', -1095, SYSDATE())" in made[at]
    name = f'{lock}"DEAD_LETTER_ALERT"'
    (at,) = [at for at, one in enumerate(made) if one.startswith(f"CREATE ALERT IF NOT EXISTS {name} ")]
    assert made[at - 1] == f"ALTER ALERT IF EXISTS {name} SUSPEND"
    condition, _, action = made[at].partition(" IF (")[2].partition(") THEN ")
    assert made[at + 1] == f"ALTER ALERT {name} SET WAREHOUSE = \"LOAD_WH\" SCHEDULE = '60 MINUTE'"
    assert made[at + 2] == f"ALTER ALERT {name} MODIFY CONDITION {condition}"
    assert made[at + 3] == f"ALTER ALERT {name} MODIFY ACTION {action}"
    assert "bob@example.com" in action


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--with", "streams"), "--table SCHEMA.TABLE"),
        (("--with", "alert"), "--email ADDRESS"),
        (("--with", "retention"), "say after how many days, as your rules for ledgers want it: --keep-days"),
        (("--with", "snow"), "expected change-tracking, streams"),
        (("--with", "streams", "--table", "ONE"), "expected SCHEMA.TABLE"),
        (("--with", "retention", "--keep-days", "9", "--audit-schema", '"A$$B"'), "$$"),
    ],
)
def test_bad_options_end_with_code_2_and_a_reason(arguments: tuple[str, ...], complaint: str) -> None:
    code, text, errors = extras(*arguments)
    assert (code, text) == (2, "")
    assert complaint in errors
    assert "Traceback" not in errors


def filled(sql: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        sql = sql.replace(name, value)
    return sql


def run(console: Console, role: str, statements: list[str]) -> None:
    """Run statements one by one as a role, by the contract."""
    names = ("account", "host", "port", "protocol", "user", "warehouse", "database", "private_key_path")
    settings: dict[str, Any] = {name: console.ready[name] for name in names}
    session = connect({**settings, "role": role})
    try:
        for one in statements:
            session.execute(one, "test")
    finally:
        session.close()
