"""Audit tables of dead letters: what was refused, and what became of it; see `audit.tables`."""

from __future__ import annotations

from target_snowflake_audit.audit.columns import (
    ACTOR_COLUMNS,
    CHAIN_COLUMNS,
    ERASURE_COLUMN,
    JSON,
    LONG_TEXT,
    PAYLOAD_DIGEST_COLUMN,
    ROW_DIGEST_COLUMN,
    TEXT,
    TIME,
    WHOLE,
    Column,
    Table,
)

DEAD_LETTERS = Table(
    "DEAD_LETTERS",
    "One row a refused record, as received. DEAD_LETTERS_CURRENT adds what became of it.",
    (
        Column(
            "DEAD_LETTER_ID",
            TEXT,
            "Digest of stream, record and reasons: the same when sent again",
            required=True,
        ),
        Column("RUN_ID", TEXT, "Run that refused it", required=True),
        Column("BATCH_ID", TEXT, "Batch that refused it", required=True),
        Column("STREAM", TEXT, "Singer stream", required=True),
        Column("TARGET_TABLE", TEXT, "Full name of the table", required=True),
        Column("KEY", JSON, "Key columns and their values as received", payload=True),
        Column("KEY_HASH", TEXT, "Digest of the key; null when the key itself is bad"),
        Column("PHASE", TEXT, "validate, split, load or merge: which net caught it", required=True),
        Column("REASON", TEXT, "First reason code", required=True),
        Column(
            "ERRORS",
            JSON,
            "Every bad column: [{column, property, value, reason, expected}]",
            required=True,
            payload=True,
        ),
        Column("RECORD", JSON, "The record as received, for queries; null when it is not JSON", payload=True),
        Column(
            "RECORD_TEXT",
            LONG_TEXT,
            "The record as received, as text: this form is exact, but for values named in REDACTED",
            required=True,
            payload=True,
        ),
        Column("RECORD_SHA256", TEXT, "Digest of the record's text as received", required=True),
        Column(
            "SINGER_SCHEMA",
            JSON,
            "SCHEMA message of the stream without its type: {schema, key_properties, ...}",
        ),
        Column("SCHEMA_SHA256", TEXT, "Digest of the Singer schema"),
        Column("ERRNO", WHOLE, "Snowflake's error number, when Snowflake refused it"),
        Column("SQLSTATE", TEXT, "SQLSTATE, when Snowflake refused it"),
        Column("QUERY_ID", TEXT, "Query id of the statement that refused it"),
        Column("SOURCE_TIME", TIME, "Source stamp of the record, when it could be read (UTC, source clock)"),
        Column("EXTRACTED_AT", TIME, "time_extracted of the record (UTC, the tap's clock)"),
        Column("SEQ", WHOLE, "Arrival number of the record in its run"),
        Column("AT", TIME, "When the row was written", required=True),
        PAYLOAD_DIGEST_COLUMN,
        ROW_DIGEST_COLUMN,
        Column(
            "REDACTED",
            JSON,
            "Properties whose values `redact_columns` replaced: {property: hash|mask|drop}; null = none",
            added="0.2.0",
        ),
        ERASURE_COLUMN,
    ),
)

DEAD_LETTER_EVENTS = Table(
    "DEAD_LETTER_EVENTS",
    "What people and replays did with dead letters.",
    (
        Column("EVENT_ID", TEXT, "Identifier of the event", required=True),
        Column("DEAD_LETTER_ID", TEXT, "Letter", required=True),
        Column(
            "EVENT",
            TEXT,
            "replayed, replay_failed, replay_skipped, erased, refused_again (open again), seen_again (sent "
            "again; the status stays), sent_since (its row came later as it is stored, or was deleted; the "
            "status stays), left_out (its document came whole without it; the status stays), outdated (its "
            "document is older than the stored one, which is without it; the status stays); reviewed, "
            "edited, approved, discarded and retry_scheduled are for later commands, nothing writes them yet",
            required=True,
        ),
        Column("NOTE", TEXT, "What the person, or the replay, said about it", payload=True),
        Column("PATCH", JSON, "Edited values: {property: value}", payload=True),
        Column("ERRORS", JSON, "Reasons of a failed replay, as in DEAD_LETTERS", payload=True),
        Column("RETRY_AT", TIME, "When the next automatic retry is due"),
        Column("RUN_ID", TEXT, "Run of the replay"),
        Column("BATCH_ID", TEXT, "Batch of the replay"),
        Column("AT", TIME, "When the row was written", required=True),
        *ACTOR_COLUMNS,
        PAYLOAD_DIGEST_COLUMN,
        *CHAIN_COLUMNS,
        ERASURE_COLUMN,
    ),
)
