"""What `init-sql --with ...` prints on demand and nothing runs by itself: streams, an alert, tasks.

Tasks and alerts are made suspended (docs.snowflake.com/en/sql-reference/sql/create-task and create-alert), so
even after the script is run nothing runs until somebody resumes them; the statements for that are printed as
comments. They run with the rights of the role that owns them, so each is handed to the role that may do it.
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
_LOOKED_LAST = (
    "CONVERT_TIMEZONE('UTC', COALESCE(SNOWFLAKE.ALERT.LAST_SUCCESSFUL_SCHEDULED_TIME(), "
    "DATEADD('hour', -1, CURRENT_TIMESTAMP())))::TIMESTAMP_NTZ"
)
NEW_LETTERS = "NEW_DEAD_LETTERS"
INTEGRATION = "AUDIT_EMAIL"


@dataclass(frozen=True)
class Extras:
    """What to print: kinds, target tables for change tracking and streams, and who gets mail.

    `recipients` must be verified addresses of users of the account. `keep_days` is the age at which the
    retention task deletes.
    """

    kinds: tuple[str, ...]
    tables: tuple[TableName, ...] = ()
    recipients: tuple[str, ...] = ()
    keep_days: int = 1095


@dataclass(frozen=True)
class Section:
    """One part of the script: what it is for, its statements, and those that are left to a person."""

    purpose: str
    statements: tuple[str, ...]
    later: tuple[str, ...] = ()


def sections(setup: Setup, extras: Extras) -> Iterator[Section]:
    """Give the parts that were asked for, in a fixed order.

    Raises:
        ValueError: no table or address was named for what needs one, or a name holds `$$`, which would end a
            script.
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
    name = _lock(setup, "DEAD_LETTER_ALERT")
    letters = _audit(setup)(DEAD_LETTERS.name)
    found = words('SELECT d."DEAD_LETTER_ID" FROM', letters.sql, 'AS d WHERE d."AT" >', _LOOKED_LAST)
    head = f"CREATE ALERT IF NOT EXISTS {name.sql} WAREHOUSE = {identifier(setup.warehouse)}"
    action = f"THEN {_mail(extras, 'New dead letters', 'Look at them: snowflake-audit dead-letters list')}"
    role = identifier(setup.role(REVIEWER))
    return Section(
        "An alert that looks every hour for dead letters that came since it looked last, and mails.",
        (
            *_integration(extras, role),
            f"GRANT EXECUTE ALERT ON ACCOUNT TO ROLE {role}",
            f"GRANT DATABASE ROLE SNOWFLAKE.ALERT_VIEWER TO ROLE {role}",
            f"{head} SCHEDULE = '60 MINUTE' IF (EXISTS ({found})) {action}",
            f"GRANT OWNERSHIP ON ALERT {name.sql} TO ROLE {role}",
        ),
        (f"ALTER ALERT {name.sql} RESUME",),
    )


def _task(setup: Setup, extras: Extras) -> Section:
    """A triggered task: no schedule, and no warehouse time while there is nothing new."""
    letters = _audit(setup)(DEAD_LETTERS.name)
    stream, notices = _lock(setup, "DEAD_LETTERS_STREAM"), _lock(setup, NEW_LETTERS)
    task, role = _lock(setup, "DEAD_LETTER_TASK"), identifier(setup.role(REVIEWER))
    columns = (
        '"STREAM" VARCHAR, "TARGET_TABLE" VARCHAR, "LETTERS" NUMBER(38,0), "FIRST_AT" TIMESTAMP_NTZ(9), '
        '"NOTICED_AT" TIMESTAMP_NTZ(9)'
    )
    mail = _mail(extras, "New dead letters", "Look at them: snowflake-audit dead-letters list")
    body = _block("", (notice(setup), mail))
    when = literal(stream.sql)
    head = f"CREATE TASK IF NOT EXISTS {task.sql} WAREHOUSE = {identifier(setup.warehouse)}"
    return Section(
        "A task that runs when dead letters came: it notes how many of which stream, and mails.",
        (
            *_integration(extras, role),
            f"GRANT EXECUTE TASK ON ACCOUNT TO ROLE {role}",
            f"ALTER TABLE {letters.sql} SET CHANGE_TRACKING = TRUE",
            f"CREATE STREAM IF NOT EXISTS {stream.sql} ON TABLE {letters.sql} APPEND_ONLY = TRUE",
            f"GRANT SELECT ON STREAM {stream.sql} TO ROLE {role}",
            f"CREATE TABLE IF NOT EXISTS {notices.sql} ({columns})",
            f"GRANT SELECT, INSERT ON TABLE {notices.sql} TO ROLE {role}",
            f"{head} WHEN SYSTEM$STREAM_HAS_DATA({when}) AS {body}",
            f"GRANT OWNERSHIP ON TASK {task.sql} TO ROLE {role}",
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
    task, role = _lock(setup, "RETENTION_TASK"), identifier(setup.role(PURGER))
    declared = (
        f"DECLARE cutoff {TIME} DEFAULT DATEADD('day', -{extras.keep_days}, SYSDATE()); "
        "mark VARCHAR DEFAULT UUID_STRING(); noted NUMBER DEFAULT 0; "
        "changed EXCEPTION (-20001, 'rows changed between counting and deleting; nothing was deleted'); "
    )
    body = _block(declared, ("BEGIN TRANSACTION", *retention_statements(setup, extras), "COMMIT"))
    head = f"CREATE TASK IF NOT EXISTS {task.sql} WAREHOUSE = {identifier(setup.warehouse)}"
    return Section(
        f"A task that deletes audit rows older than {extras.keep_days} days, each Sunday at 3, after\n"
        "writing down in CHECKPOINTS what they were. It is what `snowflake-audit purge --yes` does.",
        (
            f"GRANT EXECUTE TASK ON ACCOUNT TO ROLE {role}",
            f"{head} SCHEDULE = 'USING CRON 0 3 * * SUN UTC' AS {body}",
            f"GRANT OWNERSHIP ON TASK {task.sql} TO ROLE {role}",
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


def _block(declared: str, statements: tuple[str, ...]) -> str:
    """A script as a task's body. In `$$`, so that clients which cut at semicolons leave it whole.

    A statement that fails undoes the transaction and fails the task.
    """
    text = "; ".join(statements)
    if "$$" in text:
        message = "a name with $$ cannot stand in a task's script; write that task by hand"
        raise ValueError(message)
    return f"EXECUTE IMMEDIATE $${declared}BEGIN {text}; EXCEPTION WHEN OTHER THEN ROLLBACK; RAISE; END$$"


def _integration(extras: Extras, role: str) -> tuple[str, str]:
    if not extras.recipients:
        message = "alert and task send mail: --email ADDRESS, a verified one of a user of the account"
        raise ValueError(message)
    allowed = ", ".join(map(literal, extras.recipients))
    name = identifier(INTEGRATION)
    head = f"CREATE NOTIFICATION INTEGRATION IF NOT EXISTS {name} TYPE = EMAIL ENABLED = TRUE"
    return (
        f"{head} ALLOWED_RECIPIENTS = ({allowed})",
        f"GRANT USAGE ON INTEGRATION {name} TO ROLE {role}",
    )


def _mail(extras: Extras, subject: str, text: str) -> str:
    parts = (INTEGRATION, ", ".join(extras.recipients), subject, text)
    return f"CALL SYSTEM$SEND_EMAIL({', '.join(map(literal, parts))})"


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
    CHANGE_TRACKING: _change_tracking,
    STREAMS: _streams,
    ALERT: _alert,
    TASK: _task,
    RETENTION: _retention,
}
