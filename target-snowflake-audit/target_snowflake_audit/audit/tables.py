"""The audit tables, declared once: the set-up SQL, the loader and the command line all read this.

Rows are only ever inserted: the loading role has INSERT and SELECT here, nothing else. Role PURGER deletes
by retention and blanks payloads by request; CHECKPOINTS tells of both. What changes over time (a run ends, a
letter is replayed) is a further row, and a view shows the latest. Times are Snowflake's own (UTC)
unless the comment names another clock; hashes and digests are lower-case hexadecimal.
"""

from __future__ import annotations

from dataclasses import replace

from target_snowflake_audit.audit.columns import (
    ACTOR_COLUMNS,
    CHAIN_COLUMNS,
    CHAIN_DIGEST,
    ERASURE_COLUMN,
    JSON,
    LONG_TEXT,
    PAYLOAD_DIGEST,
    PAYLOAD_DIGEST_COLUMN,
    ROW_DIGEST,
    ROW_DIGEST_COLUMN,
    SET_FORM,
    TEXT,
    TIME,
    WHOLE,
    Column,
    Table,
)
from target_snowflake_audit.audit.letter_tables import DEAD_LETTER_EVENTS, DEAD_LETTERS

__all__ = [
    "BATCHES",
    "BY_NAME",
    "CHAIN_DIGEST",
    "CHECKPOINTS",
    "DEAD_LETTERS",
    "DEAD_LETTER_EVENTS",
    "JSON",
    "LONG_TEXT",
    "PAYLOAD_DIGEST",
    "RECORD_HISTORY",
    "RETRIES",
    "ROW_DIGEST",
    "RUNS",
    "SCHEMA_CHANGES",
    "TABLES",
    "TEXT",
    "TIME",
    "WATERMARKS",
    "WHOLE",
    "Column",
    "Table",
]

RUNS = Table(
    "RUNS",
    "One row when a run starts to load and one when it ends; RUNS_CURRENT shows the latest of each run.",
    (
        Column("RUN_ID", TEXT, "Identifier of the run, made by the target at its start", required=True),
        Column("EVENT", TEXT, "started or ended", required=True),
        Column("STATUS", TEXT, "running, completed, failed or interrupted", required=True),
        Column("AT", TIME, "When the row was written", required=True),
        Column("PROGRAM", TEXT, "target-snowflake-audit or snowflake-audit"),
        Column("PROGRAM_VERSION", TEXT, "Version of the program"),
        Column("SDK_VERSION", TEXT, "Version of singer-sdk"),
        Column("CONNECTOR_VERSION", TEXT, "Version of snowflake-connector-python"),
        Column("CONFIG_SHA256", TEXT, "Digest of the settings without secrets"),
        Column("MAPPING_SHA256", TEXT, "Digest of stream_maps, schema_mapping and column_types"),
        Column("MELTANO_ENVIRONMENT", TEXT, "Meltano's environment, if it started the run"),
        Column("MELTANO_RUN_ID", TEXT, "Meltano's run id, if it started the run"),
        Column("MELTANO_STATE_ID", TEXT, "Meltano's state id, if known"),
        Column("SESSION_ID", TEXT, "Snowflake session that wrote the row"),
        Column("RECORDS", WHOLE, "Records received in the run (ended rows)"),
        Column("DEAD_LETTERS", WHOLE, "Records of them that became dead letters (ended rows)"),
        Column("BATCHES", WHOLE, "Batches committed (ended rows)"),
        Column("STREAMS", JSON, "Counts by stream (ended rows)"),
        Column(
            "STATEMENT_MS", WHOLE, "Time spent in statements that need a warehouse, milliseconds (ended rows)"
        ),
        Column("ERROR", TEXT, "Why the run failed or was interrupted"),
        Column(
            "TIPS",
            JSON,
            "Last link of each chain that the run wrote to: {chain: {number, digest, hmac}} (ended rows)",
            added="0.2.0",
        ),
        *ACTOR_COLUMNS,
        *CHAIN_COLUMNS,
    ),
)

BATCHES = Table(
    "BATCHES",
    "One row a committed batch, written in the batch's own transaction."
    " RECEIVED = INSERTED + UPDATED + UNCHANGED + DEDUPLICATED + DELETED + DEAD.",
    (
        Column("BATCH_ID", TEXT, "Digest of run, table, number and content", required=True),
        Column("RUN_ID", TEXT, "Run that wrote it", required=True),
        Column(
            "OPERATION",
            TEXT,
            "load, replay, activate_version; gather and overwrite of load method overwrite; "
            "refused = it breached a limit, only its dead letters were kept",
            required=True,
        ),
        Column("STREAM", TEXT, "Singer stream", required=True),
        Column("TARGET_TABLE", TEXT, "Full name of the table", required=True),
        Column("BATCH_NUMBER", WHOLE, "Number of the batch in the run, from 1", required=True),
        Column("RECEIVED", WHOLE, "Records received", required=True),
        Column("INSERTED", WHOLE, "Rows that are new", required=True),
        Column("UPDATED", WHOLE, "Rows that changed, or came back after a soft delete", required=True),
        Column(
            "UNCHANGED",
            WHOLE,
            "Records equal to the stored row, or re-deliveries of an older one",
            required=True,
        ),
        Column(
            "DEDUPLICATED", WHOLE, "Records superseded by another of the same key in the batch", required=True
        ),
        Column("DELETED", WHOLE, "Records that said the row is deleted", required=True),
        Column("DEAD", WHOLE, "Records that became dead letters", required=True),
        Column("STALE", WHOLE, "Dead letters of them that are older than the stored row", required=True),
        Column(
            "REMOVED",
            WHOLE,
            "Rows deleted because the source no longer has them (no record came)",
            required=True,
        ),
        Column("LOAD_METHOD", TEXT, "upsert, append-only or overwrite"),
        Column("CONTENT_SHA256", TEXT, "Digest of the staged content before compression"),
        Column("SCHEMA_SHA256", TEXT, "Digest of the Singer schema"),
        Column("FILE_BYTES", WHOLE, "Size of the staged file, compressed"),
        Column("SOURCE_FROM", TIME, "Lowest source stamp in the batch (UTC, source clock)"),
        Column("SOURCE_TO", TIME, "Highest source stamp in the batch (UTC, source clock)"),
        Column("EXTRACTED_FROM", TIME, "Earliest time_extracted (UTC, the tap's clock)"),
        Column("EXTRACTED_TO", TIME, "Latest time_extracted (UTC, the tap's clock)"),
        Column("STARTED_AT", TIME, "When the transaction began", required=True),
        Column("LOADED_AT", TIME, "When this row was written", required=True),
        Column("ATTEMPT", WHOLE, "Which attempt succeeded, from 1", required=True),
        Column("QUERY_IDS", JSON, "Snowflake query id of each statement, by step"),
        Column("STEP_MS", JSON, "Milliseconds of each statement as the client saw it, by step"),
        Column("NOTE", TEXT, "What else a reader should know"),
        Column(
            "HISTORY_DIGEST", TEXT, f"Digest of the batch's rows in RECORD_HISTORY, {SET_FORM}", added="0.2.0"
        ),
        Column(
            "LETTERS_DIGEST", TEXT, f"Digest of the batch's rows in DEAD_LETTERS, {SET_FORM}", added="0.2.0"
        ),
        Column(
            "EVENTS_DIGEST",
            TEXT,
            f"Digest of the batch's rows in DEAD_LETTER_EVENTS, {SET_FORM}",
            added="0.2.0",
        ),
        Column(
            "WATERMARK_DIGEST", TEXT, f"Digest of the batch's row in WATERMARKS, {SET_FORM}", added="0.2.0"
        ),
        Column(
            "WAREHOUSE_MS",
            WHOLE,
            "Milliseconds of STEP_MS spent in statements that need a warehouse",
            added="0.2.0",
        ),
        *ACTOR_COLUMNS,
        *CHAIN_COLUMNS,
    ),
)

RETRIES = Table(
    "RETRIES",
    "One row a failed attempt, whether it was tried again or not.",
    (
        Column("RUN_ID", TEXT, "Run", required=True),
        Column("BATCH_ID", TEXT, "Batch that was tried; null for a login"),
        Column("STREAM", TEXT, "Singer stream"),
        Column("TARGET_TABLE", TEXT, "Full name of the table"),
        Column("ATTEMPT", WHOLE, "Attempt that failed, from 1", required=True),
        Column(
            "STEP",
            TEXT,
            "Step that failed: connect, put, begin, fence, copy, merge, commit ...",
            required=True,
        ),
        Column(
            "ERROR_CLASS", TEXT, "network, stage, internal, contention, session, data, ...", required=True
        ),
        Column("ERRNO", WHOLE, "Snowflake's error number"),
        Column("SQLSTATE", TEXT, "SQLSTATE"),
        Column("QUERY_ID", TEXT, "Snowflake's query id"),
        Column("MESSAGE", TEXT, "Snowflake's message, without record values"),
        Column("WAIT_MS", WHOLE, "How long was waited before the next attempt, milliseconds"),
        Column("OUTCOME", TEXT, "retried, split or gave_up", required=True),
        Column("FAILED_AT", TIME, "When it failed (UTC, the target's clock)"),
        Column("AT", TIME, "When the row was written", required=True),
        *ACTOR_COLUMNS,
        *CHAIN_COLUMNS,
    ),
)

RECORD_HISTORY = Table(
    "RECORD_HISTORY",
    "One row a version of a record, written in the transaction that wrote the record.",
    (
        Column("TARGET_TABLE", TEXT, "Full name of the table", required=True),
        Column("STREAM", TEXT, "Singer stream", required=True),
        Column("KEY", JSON, "Key columns and their values", payload=True),
        Column("KEY_HASH", TEXT, "Digest of the key, to look a record up by", required=True),
        Column("OPERATION", TEXT, "insert, update, delete or replay", required=True),
        Column("CAUSE", TEXT, "record, replace_scope, activate_version, overwrite or replay", required=True),
        Column("BEFORE", JSON, "The row before; null for an insert", payload=True),
        Column("AFTER", JSON, "The row after; null for a delete", payload=True),
        Column(
            "CHANGED_COLUMNS",
            JSON,
            "Columns whose values differ, of an update; [] = it was deleted and came back",
        ),
        Column("ROW_HASH_BEFORE", TEXT, "Digest of the values before"),
        Column("ROW_HASH", TEXT, "Digest of the values after"),
        Column("SOURCE_TIME", TIME, "Source stamp of the record (UTC, source clock)"),
        Column("EXTRACTED_AT", TIME, "time_extracted of the record (UTC, the tap's clock)"),
        Column("LOADED_AT", TIME, "When the row was written", required=True),
        Column("RUN_ID", TEXT, "Run", required=True),
        Column("BATCH_ID", TEXT, "Batch", required=True),
        Column("SEQ", WHOLE, "Arrival number of the record in its run"),
        PAYLOAD_DIGEST_COLUMN,
        ROW_DIGEST_COLUMN,
        ERASURE_COLUMN,
    ),
    # The date first: clustering looks only at the first bytes of a text, which all these tables share.
    cluster_by=("TO_DATE(LOADED_AT)", "TARGET_TABLE"),
)

SCHEMA_CHANGES = Table(
    "SCHEMA_CHANGES",
    "One row a change the target made to a table's definition.",
    (
        Column("RUN_ID", TEXT, "Run", required=True),
        Column("STREAM", TEXT, "Singer stream", required=True),
        Column("TARGET_TABLE", TEXT, "Full name of the table", required=True),
        Column(
            "CHANGE",
            TEXT,
            "create_schema, create_table, add_column, widen_column, drop_not_null, comment_column",
            required=True,
        ),
        Column("COLUMN_NAME", TEXT, "Column; null for a whole table"),
        Column("TYPE_BEFORE", TEXT, "Type before"),
        Column("TYPE_AFTER", TEXT, "Type after"),
        Column("CAUSE", TEXT, "Why: what the SCHEMA message or the settings said", required=True),
        Column("STATEMENT", TEXT, "SQL that was run", required=True),
        Column("QUERY_ID", TEXT, "Snowflake's query id"),
        Column("CHANGED_AT", TIME, "When it was run (UTC, the target's clock)"),
        Column("AT", TIME, "When the row was written", required=True),
        *ACTOR_COLUMNS,
        *CHAIN_COLUMNS,
    ),
)

WATERMARKS = Table(
    "WATERMARKS",
    "One row a batch: how far a stream is loaded.",
    (
        Column("STREAM", TEXT, "Singer stream", required=True),
        Column("TARGET_TABLE", TEXT, "Full name of the table", required=True),
        Column("RUN_ID", TEXT, "Run", required=True),
        Column("BATCH_ID", TEXT, "Batch", required=True),
        Column("REPLICATION_KEY", TEXT, "Property that orders the stream; null = none"),
        Column("HIGHEST_VALUE", TEXT, "Highest replication value committed up to this batch in the run"),
        Column(
            "BOOKMARK", JSON, "The stream's bookmark in the last STATE at or before the batch's last record"
        ),
        Column("AT", TIME, "When the row was written", required=True),
        replace(ROW_DIGEST_COLUMN, added="0.2.0"),
    ),
)

CHECKPOINTS = Table(
    "CHECKPOINTS",
    "What `purge` deleted and `erase` blanked: one row for each audit table, target table and chain, written"
    " in the transaction that did it.",
    (
        Column("CHECKPOINT_ID", TEXT, "One purge or erasure: all its rows share it", required=True),
        Column("KIND", TEXT, "purge or erase", required=True),
        Column("AUDIT_TABLE", TEXT, "Audit table the rows were in", required=True),
        Column("TARGET_TABLE", TEXT, "Target table the rows were about; null = the table has no such column"),
        Column("OF_CHAIN", TEXT, "Chain the rows belonged to; null = none"),
        Column("ROW_COUNT", WHOLE, "Rows deleted or blanked", required=True),
        Column("FIRST_AT", TIME, "Time of the oldest of them"),
        Column("LAST_AT", TIME, "Time of the newest of them"),
        Column("FIRST_NUMBER", WHOLE, "Lowest CHAIN_NUMBER of them"),
        Column("LAST_NUMBER", WHOLE, "Highest CHAIN_NUMBER of them"),
        Column("LAST_DIGEST", TEXT, "CHAIN_DIGEST of the row with the highest CHAIN_NUMBER"),
        Column("CUTOFF", TIME, "purge: rows before this time were due"),
        Column("KEY_HASH", TEXT, "erase: digest of the record's key; null = a dead letter without a key"),
        Column("REASON", TEXT, "Why, as the person said", required=True),
        Column("AT", TIME, "When the row was written", required=True),
        *ACTOR_COLUMNS,
        Column(
            "LINKS",
            JSON,
            "purge, of a run's chain: [{number, previous}], CHAIN_NUMBER and CHAIN_PREVIOUS of each row",
            added="0.2.0",
        ),
    ),
)

TABLES = (
    RUNS,
    BATCHES,
    RETRIES,
    RECORD_HISTORY,
    DEAD_LETTERS,
    DEAD_LETTER_EVENTS,
    SCHEMA_CHANGES,
    WATERMARKS,
    CHECKPOINTS,
)
BY_NAME = {table.name: table for table in TABLES}
