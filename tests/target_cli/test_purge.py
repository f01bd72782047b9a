"""`purge`: what retention deletes, what it must leave, and the checkpoint it writes."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audit_console import Answer, Console
    from audit_rows import Writer

NOW = dt.datetime.now(dt.UTC).replace(tzinfo=None)
_numbers = itertools.count(1)


def ago(days: float) -> dt.datetime:
    return NOW - dt.timedelta(days=days)


@pytest.fixture
def table(writer: Writer) -> Iterator[str]:
    """A target table of its own; all audit rows go after the test."""
    writer.run('GRANT ROLE "SAGEX3_PURGER" TO USER "LOADER"')
    yield f"ANALYTICS.T.TABLE_{next(_numbers)}"
    for name in (
        "RECORD_HISTORY",
        "DEAD_LETTERS",
        "DEAD_LETTER_EVENTS",
        "RETRIES",
        "RUNS",
        "BATCHES",
        "WATERMARKS",
        "CHECKPOINTS",
    ):
        writer.run(f'DELETE FROM "AUDIT"."{name}"')


def purge(console: Console, *arguments: str, days: int = 30, role: str = "SAGEX3_PURGER") -> Answer:
    options = ["--older-than", str(days), "--reason", "rule 7", "--json", *arguments]
    return console("purge", *options, role=role)


def left(writer: Writer, table: str, column: str) -> list[str]:
    return [str(row[0]) for row in writer.run(f'SELECT "{column}" FROM "AUDIT"."{table}" ORDER BY 1')]


def batch(writer: Writer, table: str, days: float, name: str, **more: object) -> None:
    values: dict[str, Any] = {
        "STREAM": "s",
        "RUN_ID": f"run {name}",
        "OPERATION": "load",
        "INSERTED": 0,
        **more,
    }
    number = int("".join(filter(str.isdigit, name)) or 0)
    chain = {"CHAIN": table, "CHAIN_NUMBER": number, "CHAIN_DIGEST": f"1:digest {name}"}
    writer.audit("BATCHES", TARGET_TABLE=table, BATCH_ID=name, LOADED_AT=ago(days), **chain, **values)


def test_history_keeps_the_newest_version_of_each_record_that_is_there(
    console: Console, writer: Writer, table: str
) -> None:
    def version(key: str, days: float, operation: str, mark: str) -> None:
        writer.audit(
            "RECORD_HISTORY",
            TARGET_TABLE=table,
            KEY_HASH=key,
            LOADED_AT=ago(days),
            OPERATION=operation,
            BATCH_ID=mark,
        )

    version("kept", 100, "insert", "1 superseded")
    version("kept", 90, "update", "2 newest")
    version("gone", 100, "insert", "3 superseded")
    version("gone", 90, "delete", "4 deleted")
    version("fresh", 40, "insert", "5 superseded long ago")
    version("fresh", 10, "update", "6 young")
    version("back", 100, "delete", "7 deleted")
    version("back", 5, "insert", "8 back")

    dry = purge(console)
    assert dry.code == 0, dry.err
    assert (dry.json["dry_run"], dry.json["rows"], dry.json["checkpoint_id"]) == (True, 5, None)
    assert len(left(writer, "RECORD_HISTORY", "BATCH_ID")) == 8
    assert left(writer, "CHECKPOINTS", "KIND") == []

    done = purge(console, "--yes")
    assert done.code == 0, done.err
    assert left(writer, "RECORD_HISTORY", "BATCH_ID") == ["2 newest", "6 young", "8 back"]
    (row,) = writer.run(
        'SELECT "CHECKPOINT_ID", "KIND", "AUDIT_TABLE", "TARGET_TABLE", "ROW_COUNT", "REASON", "ACTOR",'
        ' "ACTOR_ROLE", "FIRST_AT", "LAST_AT", "CUTOFF" FROM "AUDIT"."CHECKPOINTS"'
    )
    told = (
        done.json["checkpoint_id"],
        "purge",
        "RECORD_HISTORY",
        table,
        5,
        "rule 7",
        "LOADER",
        "SAGEX3_PURGER",
    )
    assert row[:8] == told
    assert (row[8], row[9]) == (ago(100), ago(40))
    assert abs(row[10] - ago(30)) < dt.timedelta(hours=1)
    assert purge(console, "--yes").json["rows"] == 0


def test_letters_go_when_they_are_closed_for_long_and_their_events_with_them(
    console: Console, writer: Writer, table: str
) -> None:
    def letter(name: str, *events: tuple[float, str], days: float = 100) -> None:
        writer.audit("DEAD_LETTERS", DEAD_LETTER_ID=name, TARGET_TABLE=table, AT=ago(days))
        for at, event in events:
            writer.audit(
                "DEAD_LETTER_EVENTS", EVENT_ID=f"{name} {event}", DEAD_LETTER_ID=name, EVENT=event, AT=ago(at)
            )

    letter("a open")
    letter("b replayed", (90, "replay_failed"), (80, "replayed"))
    letter("c open again", (90, "replayed"), (80, "refused_again"))
    letter("d closed lately", (10, "replayed"))
    letter("e discarded and seen lately", (90, "discarded"), (3, "seen_again"))
    letter("f erased", (90, "erased"))
    letter("g failed", (90, "replay_failed"))
    letter("h young", (9, "replayed"), days=10)
    done = purge(console, "--yes")
    assert done.code == 0, done.err
    stay = [
        "a open",
        "c open again",
        "d closed lately",
        "e discarded and seen lately",
        "g failed",
        "h young",
    ]
    assert left(writer, "DEAD_LETTERS", "DEAD_LETTER_ID") == stay
    assert set(left(writer, "DEAD_LETTER_EVENTS", "DEAD_LETTER_ID")) == set(stay[1:])
    counts = {part["audit_table"]: part["rows"] for part in done.json["parts"]}
    assert counts == {"DEAD_LETTERS": 2, "DEAD_LETTER_EVENTS": 3}


def test_batches_lose_their_oldest_only_and_the_chain_goes_on(
    console: Console, writer: Writer, table: str
) -> None:
    for number, days in ((8, 100), (9, 90), (10, 80), (11, 70)):
        batch(writer, table, days, f"b{number}")
        writer.audit("RUNS", RUN_ID=f"run b{number}", EVENT="started", AT=ago(days))
    writer.audit("WATERMARKS", STREAM="s", TARGET_TABLE=table, BATCH_ID="b10", AT=ago(80))
    writer.audit("WATERMARKS", STREAM="s", TARGET_TABLE=table, BATCH_ID="b11", AT=ago(70))
    writer.audit("RETRIES", RUN_ID="run b8", AT=ago(100))
    writer.audit("RETRIES", RUN_ID="run b11", AT=ago(10))
    done = purge(console, "--yes")
    assert done.code == 0, done.err
    assert left(writer, "BATCHES", "BATCH_ID") == ["b11"]
    assert left(writer, "RUNS", "RUN_ID") == ["run b11"]
    assert left(writer, "WATERMARKS", "BATCH_ID") == ["b11"]
    assert left(writer, "RETRIES", "RUN_ID") == ["run b11"]
    (row,) = writer.run(
        'SELECT "OF_CHAIN", "FIRST_NUMBER", "LAST_NUMBER", "LAST_DIGEST", "ROW_COUNT"'
        ' FROM "AUDIT"."CHECKPOINTS"'
        " WHERE \"AUDIT_TABLE\" = 'BATCHES'"
    )
    assert row == (table, 8, 10, "1:digest b10", 3)


@pytest.mark.parametrize(
    ("needed", "stays"),
    [
        ({"OPERATION": "activate_version"}, ["b2", "b3"]),
        ({"STREAM": "other", "INSERTED": 1}, ["b2", "b3"]),
        ({"INSERTED": 1}, ["b3"]),
    ],
)
def test_batches_that_somebody_still_looks_at_stay(
    console: Console, writer: Writer, table: str, needed: dict[str, object], stays: list[str]
) -> None:
    batch(writer, table, 100, "b1")
    batch(writer, table, 90, "b2", **needed)
    batch(writer, table, 80, "b3")
    assert purge(console, "--yes", "--only", "batches").code == 0
    assert left(writer, "BATCHES", "BATCH_ID") == stays


def test_batches_since_the_oldest_open_letter_stay(console: Console, writer: Writer, table: str) -> None:
    for number, days in ((1, 100), (2, 90), (3, 80)):
        batch(writer, table, days, f"b{number}")
    writer.audit("DEAD_LETTERS", DEAD_LETTER_ID="x", TARGET_TABLE=table, AT=ago(95))
    assert purge(console, "--yes").code == 0
    assert left(writer, "BATCHES", "BATCH_ID") == ["b2", "b3"]


def test_the_loader_may_not_purge(console: Console, writer: Writer, table: str) -> None:
    writer.audit("RETRIES", RUN_ID=table, AT=ago(100))
    refused = purge(console, "--yes", role="SAGEX3_LOADER")
    assert (refused.code, refused.out) == (2, "")
    assert "role PURGER" in refused.err
    assert left(writer, "RETRIES", "RUN_ID") == [table]


def test_people_read_counts_and_that_it_was_a_dry_run(console: Console, writer: Writer, table: str) -> None:
    writer.audit("RETRIES", RUN_ID="r", TARGET_TABLE=table, AT=ago(100))
    options = ["--older-than", "30", "--reason", "x"]
    shown = console("purge", *options, role="SAGEX3_PURGER")
    assert "RETRIES" in shown.out
    assert "Nothing was changed: a dry run. With --yes, 1 rows are deleted." in shown.out
    done = console("purge", *options, "--yes", role="SAGEX3_PURGER")
    assert "1 rows deleted; checkpoint " in done.out
    assert "Nothing to be deleted." in console("purge", *options, role="SAGEX3_PURGER").out
    assert console("purge", "--older-than", "0", "--reason", "x").code == 2
