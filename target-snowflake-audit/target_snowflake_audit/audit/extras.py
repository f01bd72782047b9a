"""What `init-sql --with ...` prints on demand and nothing runs by itself: streams, an alert, tasks.

Tasks and alerts are made suspended (docs.snowflake.com/en/sql-reference/sql/create-task and create-alert), so
even after the script is run nothing runs until somebody resumes them; the statements for that are printed as
comments. They run with the rights of the role that owns them, so each is handed to the role that may do it.

Run again with other options, the script brings what is there to what it says now: it suspends a task or
alert, since one that is started may not take a change, and alters it. It never replaces it, which would drop
the grants on it (sql-reference/sql/create-or-alter, /alter-alert, /alter-notification-integration-email).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_snowflake_audit.audit.rights import PURGER, REVIEWER
from target_snowflake_audit.audit.tables import DEAD_LETTERS, TIME
from target_snowflake_audit.sql import retention
from target_snowflake_audit.sql.quoting import TableName, identifier, literal, words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from target_snowflake_audit.audit.setup_sql import Setup

CHANGE_TRACKING, STREAMS, ALERT, TASK, RETENTION = "change-tracking", "streams", "alert", "task", "retention"
KINDS = (CHANGE_TRACKING, STREAMS, ALERT, TASK, RETENTION)
NEW_LETTERS = "NEW_DEAD_LETTERS"
MAILED_LETTERS = "MAILED_DEAD_LETTERS"
_SUBJECT, _TEXT = "New dead letters", "Look at them: snowflake-audit dead-letters list"
_SECONDS_BETWEEN_RUNS = 600
"""A task whose mail fails has its rows still in the stream; without a pause it would try again at once."""


@dataclass(frozen=True)
class Extras:
    """What to print: kinds, target tables for change tracking and streams, and who gets mail.

    `recipients` must be verified addresses of users of the account. `keep_days` is the age at which the
    retention task deletes.
    """

    kinds: tuple[str, ...]
    tables: tuple[TableName, ...] = ()
    recipients: tuple[str, ...] = ()
    keep_days: int | None = None


@dataclass(frozen=True)
class Section:
    """One part of the script: what it is for, its statements, and those that are left to a person."""

    purpose: str
    statements: tuple[str, ...]
    later: tuple[str, ...] = ()


def sections(setup: Setup, extras: Extras) -> Iterator[Section]:
    """Give the parts that were asked for, in a fixed order.

    Raises:
        ValueError: no table, address or age was named for what needs one, or a name holds `$$`, which would
            end a script.
    """
    for kind, make in _MAKERS.items():
        if kind in extras.kinds:
            yield make(setup, extras)


def script(setup: Setup, extras: Extras) -> str:
    """Give the extras as text to read, keep and run."""
    parts = []
    for section in sections(setup, extras):
        lines = [f"-- {line}\n" for line in section.purpose.splitlines()]
        lines += [f"{statement};\n" for statement in section.statements]
        lines += [f"-- {statement};\n" for statement in section.later]
        parts.append("".join(lines))
    return "\n".join(parts)


def _change_tracking(_setup: Setup, extras: Extras) -> Section:
    return Section(
        "Change tracking, for CHANGES queries and streams of others; it costs some storage.",
        tuple(f"ALTER TABLE {table.sql} SET CHANGE_TRACKING = TRUE" for table in _tables(extras)),
    )


def _streams(_setup: Setup, extras: Extras) -> Section:
    """One standard stream a table, beside it; the loader never replaces a table, which would end it."""
    statements = []
    for table in _tables(extras):
        stream = TableName(table.database, table.schema, f"{table.table}_STREAM")
        comment = literal(f"Changes of {table.table}; target-snowflake-audit never replaces the table")
        statements.append(
            f"CREATE STREAM IF NOT EXISTS {stream.sql} ON TABLE {table.sql} COMMENT = {comment}"
        )
    return Section(
        "A stream a table: rows inserted, updated and deleted since it was read last in a DML statement.\n"
        "A stream nobody reads goes stale after the table's retention time (at most 14 days more).",
        tuple(statements),
    )


def _alert(setup: Setup, extras: Extras) -> Section:
    """An alert looks every hour; its condition and action run as REVIEWER, who may read the letters."""
    name, mailed = _lock(setup, "DEAD_LETTER_ALERT"), _lock(setup, MAILED_LETTERS)
    role, warehouse = identifier(setup.role(REVIEWER)), identifier(setup.warehouse)
    columns = '"DEAD_LETTER_ID" VARCHAR, "BATCH_ID" VARCHAR, "MAILED_AT" TIMESTAMP_NTZ(9)'
    action = _noted_and_mailed(mailed_letters(setup), extras, _integration_name(setup, ALERT))
    when = f"WAREHOUSE = {warehouse} SCHEDULE = '60 MINUTE'"
    found = f"EXISTS ({unmailed(setup)})"
    return Section(
        "An alert that looks every hour for dead letters that it has not mailed about, and mails.\n"
        "Run again, this suspends the alert and changes it; it runs on when it is resumed.",
        (
            *_integration(setup, extras, ALERT, role),
            f"GRANT EXECUTE ALERT ON ACCOUNT TO ROLE {role}",
            f"CREATE TABLE IF NOT EXISTS {mailed.sql} ({columns})",
            f"GRANT SELECT, INSERT ON TABLE {mailed.sql} TO ROLE {role}",
            f"ALTER ALERT IF EXISTS {name.sql} SUSPEND",
            f"CREATE ALERT IF NOT EXISTS {name.sql} {when} IF ({found}) THEN {action}",
            f"ALTER ALERT {name.sql} SET {when}",
            f"ALTER ALERT {name.sql} MODIFY CONDITION {found}",
            f"ALTER ALERT {name.sql} MODIFY ACTION {action}",
            _handed_over("ALERT", name, role),
        ),
        (f"ALTER ALERT {name.sql} RESUME",),
    )


def unmailed(setup: Setup, columns: str = 'd."DEAD_LETTER_ID", d."BATCH_ID"') -> str:
    """SELECT of the letters that no mail was sent about.

    By what was written down, not by time: a letter's AT is the time of its INSERT, and it is seen from its
    COMMIT on, which comes after a MERGE and waits for locks: minutes or hours later, with no bound that could
    be relied on. A letter that was purged and is refused again is another one, of another batch.
    """
    return words(
        f"SELECT {columns} FROM",
        _audit(setup)(DEAD_LETTERS.name).sql,
        "AS d LEFT JOIN",
        _lock(setup, MAILED_LETTERS).sql,
        'AS m ON m."DEAD_LETTER_ID" = d."DEAD_LETTER_ID" AND m."BATCH_ID" = d."BATCH_ID"',
        'WHERE m."DEAD_LETTER_ID" IS NULL',
    )


def mailed_letters(setup: Setup) -> str:
    """INSERT of the letters that the mail after it is about."""
    return words(
        "INSERT INTO",
        _lock(setup, MAILED_LETTERS).sql,
        '("DEAD_LETTER_ID", "BATCH_ID", "MAILED_AT")',
        unmailed(setup, 'd."DEAD_LETTER_ID", d."BATCH_ID", SYSDATE()'),
    )


def _noted_and_mailed(note: str, extras: Extras, integration: str) -> str:
    """A script that writes down what is new and mails, in one transaction.

    A mail that fails undoes the note, so that it is tried again. A COMMIT that fails after a mail brings the
    same mail twice, never none; what is committed between the two is not in the note and gets the next mail.
    """
    parts = (integration, ", ".join(extras.recipients), _SUBJECT, _TEXT)
    mail = f"CALL SYSTEM$SEND_EMAIL({', '.join(map(literal, parts))})"
    return _block("", ("BEGIN TRANSACTION", note, mail, "COMMIT"))


def _task(setup: Setup, extras: Extras) -> Section:
    """A triggered task: no schedule, and no warehouse time while there is nothing new."""
    letters = _audit(setup)(DEAD_LETTERS.name)
    stream, notices = _lock(setup, "DEAD_LETTERS_STREAM"), _lock(setup, NEW_LETTERS)
    task, role = _lock(setup, "DEAD_LETTER_TASK"), identifier(setup.role(REVIEWER))
    columns = (
        '"STREAM" VARCHAR, "TARGET_TABLE" VARCHAR, "LETTERS" NUMBER(38,0), "FIRST_AT" TIMESTAMP_NTZ(9), '
        '"NOTICED_AT" TIMESTAMP_NTZ(9)'
    )
    body = _noted_and_mailed(notice(setup), extras, _integration_name(setup, TASK))
    when = f"WHEN SYSTEM$STREAM_HAS_DATA({literal(stream.sql)})"
    pause = f"USER_TASK_MINIMUM_TRIGGER_INTERVAL_IN_SECONDS = {_SECONDS_BETWEEN_RUNS}"
    return Section(
        "A task that runs when dead letters came: it notes how many of which stream, and mails.\n"
        "Run again, this suspends the task and changes it; it runs on when it is resumed.",
        (
            *_integration(setup, extras, TASK, role),
            f"GRANT EXECUTE TASK ON ACCOUNT TO ROLE {role}",
            f"ALTER TABLE {letters.sql} SET CHANGE_TRACKING = TRUE",
            f"CREATE STREAM IF NOT EXISTS {stream.sql} ON TABLE {letters.sql} APPEND_ONLY = TRUE",
            f"GRANT SELECT ON STREAM {stream.sql} TO ROLE {role}",
            f"CREATE TABLE IF NOT EXISTS {notices.sql} ({columns})",
            f"GRANT SELECT, INSERT ON TABLE {notices.sql} TO ROLE {role}",
            *_made_task(setup, task, when, body),
            f"ALTER TASK {task.sql} SET {pause}",
            _handed_over("TASK", task, role),
        ),
        (f"ALTER TASK {task.sql} RESUME",),
    )


def notice(setup: Setup, source: TableName | None = None) -> str:
    """INSERT that reads the stream of new letters; only DML in a committed transaction moves a stream on."""
    stream = source or _lock(setup, "DEAD_LETTERS_STREAM")
    return words(
        "INSERT INTO",
        _lock(setup, NEW_LETTERS).sql,
        '("STREAM", "TARGET_TABLE", "LETTERS", "FIRST_AT", "NOTICED_AT")',
        'SELECT n."STREAM", n."TARGET_TABLE", COUNT(*), MIN(n."AT"), SYSDATE() FROM',
        stream.sql,
        'AS n GROUP BY n."STREAM", n."TARGET_TABLE"',
    )


def _retention(setup: Setup, extras: Extras) -> Section:
    """The statements of `purge`, once a week."""
    if extras.keep_days is None:
        message = "retention deletes: say after how many days, as your rules for ledgers want it: --keep-days"
        raise ValueError(message)
    task, role = _lock(setup, "RETENTION_TASK"), identifier(setup.role(PURGER))
    declared = (
        f"DECLARE cutoff {TIME} DEFAULT DATEADD('day', -{extras.keep_days}, SYSDATE()); "
        "mark VARCHAR DEFAULT UUID_STRING(); noted NUMBER DEFAULT 0; "
        "changed EXCEPTION (-20001, 'rows changed between counting and deleting; nothing was deleted'); "
    )
    body = _block(declared, ("BEGIN TRANSACTION", *retention_statements(setup, extras), "COMMIT"))
    return Section(
        f"A task that deletes audit rows older than {extras.keep_days} days, each Sunday at 3, after\n"
        "writing down in CHECKPOINTS what they were. It is what `snowflake-audit purge --yes` does.\n"
        "Run again, this suspends the task and changes it; it runs on when it is resumed.",
        (
            f"GRANT EXECUTE TASK ON ACCOUNT TO ROLE {role}",
            *_made_task(setup, task, "SCHEDULE = 'USING CRON 0 3 * * SUN UTC'", body),
            _handed_over("TASK", task, role),
        ),
        (f"ALTER TASK {task.sql} RESUME",),
    )


def retention_statements(
    setup: Setup, extras: Extras, *, cutoff: str = ":cutoff", mark: str = ":mark"
) -> tuple[str, ...]:
    """The statements inside the retention task; `cutoff` and `mark` are its variables."""
    audit, reason = _audit(setup), literal(f"retention task: {extras.keep_days} days")
    made = []
    for due in retention.doomed(audit, cutoff):
        made += [
            retention.checkpoint(audit, due, cutoff=cutoff, mark=mark, reason=reason),
            f"noted := ({retention.noted(audit, due, mark)})",
            retention.delete(audit, due),
            # Each statement sees what was committed before it: a checkpoint that tells of other rows than
            # are gone would be a fault for ever.
            "IF (SQLROWCOUNT <> noted) THEN RAISE changed; END IF",
        ]
    return tuple(made)


def _made_task(setup: Setup, task: TableName, when: str, body: str) -> tuple[str, str]:
    warehouse = identifier(setup.warehouse)
    return (
        f"ALTER TASK IF EXISTS {task.sql} SUSPEND",
        f"CREATE OR ALTER TASK {task.sql} WAREHOUSE = {warehouse} {when} AS {body}",
    )


def _handed_over(kind: str, name: TableName, role: str) -> str:
    """Without COPY this would fail where somebody else was granted MONITOR or OPERATE (grant-ownership)."""
    return f"GRANT OWNERSHIP ON {kind} {name.sql} TO ROLE {role} COPY CURRENT GRANTS"


def _block(declared: str, statements: tuple[str, ...]) -> str:
    """A script as a task's body. In `$$`, so that clients which cut at semicolons leave it whole.

    A statement that fails undoes the transaction and fails the task.
    """
    text = "; ".join(statements)
    if "$$" in text:
        message = "a name with $$ cannot stand in a task's script; write that task by hand"
        raise ValueError(message)
    return f"EXECUTE IMMEDIATE $${declared}BEGIN {text}; EXCEPTION WHEN OTHER THEN ROLLBACK; RAISE; END$$"


def _integration_name(setup: Setup, kind: str) -> str:
    """One for alert and one for task: each lets mail go to the addresses that were named for it last."""
    return f"{setup.role_prefix}{kind.upper()}_EMAIL"


def _integration(setup: Setup, extras: Extras, kind: str, role: str) -> tuple[str, ...]:
    if not extras.recipients:
        message = "alert and task send mail: --email ADDRESS, a verified one of a user of the account"
        raise ValueError(message)
    allowed = f"ALLOWED_RECIPIENTS = ({', '.join(map(literal, extras.recipients))})"
    name = identifier(_integration_name(setup, kind))
    return (
        f"CREATE NOTIFICATION INTEGRATION IF NOT EXISTS {name} TYPE = EMAIL ENABLED = TRUE {allowed}",
        f"ALTER NOTIFICATION INTEGRATION {name} SET {allowed}",
        f"GRANT USAGE ON INTEGRATION {name} TO ROLE {role}",
    )


def _audit(setup: Setup) -> Callable[[str], TableName]:
    return lambda name: TableName(setup.database, setup.audit_schema, name)


def _lock(setup: Setup, name: str) -> TableName:
    return TableName(setup.database, setup.lock_schema, name)


def _tables(extras: Extras) -> tuple[TableName, ...]:
    if not extras.tables:
        message = "change-tracking and streams need the tables: --table SCHEMA.TABLE"
        raise ValueError(message)
    return extras.tables


_MAKERS: dict[str, Callable[[Setup, Extras], Section]] = {
    ALERT: _alert,
    TASK: _task,
    RETENTION: _retention,
    # Last: they fail before the first load has made the table, and a client may stop at the first error.
    CHANGE_TRACKING: _change_tracking,
    STREAMS: _streams,
}
