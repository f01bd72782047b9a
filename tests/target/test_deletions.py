"""Rows the source no longer has: documents that lost lines, and versions."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from target_snowflake_audit import loader
from target_snowflake_audit.deletions import doubtful
from target_snowflake_audit.errors import DeletionLimitError, SchemaError, VersionError
from target_world import LINE_SCHEMA

if TYPE_CHECKING:
    from target_world import Message, World

SCOPED = {**LINE_SCHEMA, "x-replace-scope": ["documentId"]}


def keys(world: World) -> list[tuple[str, int]]:
    return [(row["DOCUMENT_ID"], row["LINE_NUMBER"]) for row in world.rows()]


def activate(world: World, version: int) -> Message:
    return {"type": "ACTIVATE_VERSION", "stream": world.stream, "version": version}


def test_lines_that_did_not_come_with_their_document_are_soft_deleted(world: World) -> None:
    world.run([world.schema_message(SCOPED), *(world.line("A", n) for n in (1, 2, 3)), world.line("B", 1)])
    world.run([world.schema_message(SCOPED), world.line("A", 1), world.line("A", 3, "9.00")])
    assert keys(world) == [("A", 1), ("A", 3), ("B", 1)]
    assert world.counts()[1] == {"received": 2, "updated": 1, "unchanged": 1, "removed": 1}
    [(_, before, after)] = world.history("OPERATION = 'delete'")
    assert (before["LINE_NUMBER"], before["AMOUNT"], after) == ("2", "1.00", None)
    [row] = world.audit("RECORD_HISTORY", where="OPERATION = 'delete'")
    [inserted] = world.audit(
        "RECORD_HISTORY", where=f"OPERATION = 'insert' AND KEY_HASH = '{row['KEY_HASH']}'"
    )
    assert inserted["CAUSE"] == "record"
    assert row["CAUSE"] == "replace_scope"


def test_row_that_comes_back_is_live_again(world: World) -> None:
    world.run([world.schema_message(SCOPED), world.line("A", 1), world.line("A", 2)])
    world.run([world.schema_message(SCOPED), world.line("A", 1)])
    world.run([world.schema_message(SCOPED), world.line("A", 1), world.line("A", 2)])
    assert keys(world) == [("A", 1), ("A", 2)]
    assert [operation for operation, _, _ in world.history()] == ["insert", "insert", "delete", "update"]


def test_batch_never_ends_inside_a_document(world: World) -> None:
    documents = [world.line(d, n) for d in "ABC" for n in range(4)]
    world.run([world.schema_message(SCOPED), *documents], batch_size_rows=3)
    assert [count["received"] for count in world.counts()] == [4, 4, 4]
    world.run([world.schema_message(SCOPED), *documents], batch_size_rows=3)
    assert len(keys(world)) == 12


def test_document_that_comes_twice_in_a_run_ends_as_its_second_version(world: World) -> None:
    first = [world.line("A", n) for n in (1, 2, 3)]
    second = [world.line("A", n, "2.00", updatedDate="2026-01-02T00:00:00Z") for n in (1, 2)]
    world.run([world.schema_message(SCOPED), *first, world.line("B", 1), *second])
    assert keys(world) == [("A", 1), ("A", 2), ("B", 1)]
    assert [row["AMOUNT"] for row in world.rows()][:2] == [Decimal("2.00")] * 2


def test_bad_line_is_not_taken_for_deleted(world: World) -> None:
    world.run([world.schema_message(SCOPED), world.line("A", 1), world.line("A", 2), world.line("A", 3)])
    world.run([world.schema_message(SCOPED), world.line("A", 1), world.line("A", 2, text="x" * 11)])
    assert keys(world) == [("A", 1), ("A", 2)]


def test_document_with_an_unreadable_key_loses_no_line(world: World) -> None:
    world.run([world.schema_message(SCOPED), world.line("A", 1), world.line("A", 2)])
    bad = world.line("A", 2)
    bad["record"]["lineNumber"] = "two"
    world.run([world.schema_message(SCOPED), world.line("A", 1), bad])
    assert keys(world) == [("A", 1), ("A", 2)]


def test_version_deletes_what_did_not_come_and_keeps_unchanged_rows(world: World) -> None:
    first = [world.line("A", n, version=1) for n in range(10)]
    world.run([world.schema_message(), *first, activate(world, 1)])
    second = [world.line("A", n, version=2) for n in range(9)]
    world.run([world.schema_message(), *second, activate(world, 2)], batch_size_rows=4)
    assert len(keys(world)) == 9
    assert world.counts()[-1] == {"removed": 1}
    assert world.audit("RECORD_HISTORY", where="OPERATION = 'delete'")[0]["CAUSE"] == "activate_version"
    world.run(
        [world.schema_message(), *(world.line("A", n, version=3) for n in range(10)), activate(world, 3)]
    )
    assert len(keys(world)) == 10


def test_version_that_would_delete_too_much_is_refused(world: World) -> None:
    world.run(
        [world.schema_message(), *(world.line("A", n, version=1) for n in range(10)), activate(world, 1)]
    )
    half = [world.line("A", n, version=2) for n in range(5)]
    with pytest.raises(DeletionLimitError, match=r"delete 5 of 10 live rows.*max_deleted_percent"):
        world.run([world.schema_message(), *half, activate(world, 2)])
    assert len(keys(world)) == 10
    world.run([world.schema_message(), *half, activate(world, 2)], max_deleted_percent=50)
    assert len(keys(world)) == 5


def test_bad_record_of_a_version_keeps_its_row(world: World) -> None:
    world.run(
        [world.schema_message(), *(world.line("A", n, version=1) for n in range(3)), activate(world, 1)]
    )
    again = [
        world.line("A", 0, version=2),
        world.line("A", 1, version=2),
        world.line("A", 2, version=2, text="x" * 11),
    ]
    again[2] = {**world.line("A", 2, text="x" * 11), "version": 2}
    world.run([world.schema_message(), *again, activate(world, 2)])
    assert len(keys(world)) == 3


def test_hard_delete(world: World) -> None:
    world.run([world.schema_message(SCOPED), world.line("A", 1), world.line("A", 2)])
    world.run([world.schema_message(SCOPED), world.line("A", 1)], hard_delete=True)
    assert world.query(f'SELECT COUNT(*) AS "N" FROM {world.table}') == [{"N": 1}]
    assert [operation for operation, _, _ in world.history()] == ["insert", "insert", "delete"]


def test_record_that_says_deleted(world: World) -> None:
    world.run([world.schema_message(), world.line("A", 1), world.line("A", 2)])
    gone = world.line("A", 2, _sdc_deleted_at="2026-01-02T00:00:00Z")
    world.run([world.schema_message(), gone])
    assert keys(world) == [("A", 1)]
    assert world.counts()[1] == {"received": 1, "deleted": 1}


def other(world: World, **more: Message) -> Message:
    properties: Message = {"id": {"type": "integer"}, **more}
    schema = {"type": "object", "properties": properties}
    return {"type": "SCHEMA", "stream": f"{world.stream}_o", "schema": schema, "key_properties": ["id"]}


def test_document_that_another_schema_comes_into_keeps_its_first_lines(world: World) -> None:
    start = [world.schema_message(SCOPED), other(world), world.line("A", 1), world.line("A", 2)]
    world.run([*start, other(world, b={"type": "string"}), world.line("A", 3)])
    assert keys(world) == [("A", 1), ("A", 2), ("A", 3)]
    assert world.counts() == [{"received": 3, "inserted": 3}]


def test_document_that_its_own_schema_comes_into_keeps_its_first_lines(world: World) -> None:
    more = {**SCOPED, "properties": {**SCOPED["properties"], "more": {"type": ["string", "null"]}}}
    world.run([world.schema_message(SCOPED), world.line("B", 1), world.line("B", 2)])
    start = [world.schema_message(SCOPED), world.line("A", 1), world.line("A", 2)]
    world.run([*start, world.schema_message(more), world.line("A", 3), world.line("B", 1)])
    # The rest of document A removes nothing; document B after it does.
    assert keys(world) == [("A", 1), ("A", 2), ("A", 3), ("B", 1)]


def test_document_that_waits_too_long_inside_keeps_its_first_lines(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loader.StreamLoader, "age", property(lambda one: 999.0 if one.waiting else 0.0))
    monkeypatch.setattr("target_snowflake_audit.loading_target._LOOK_EVERY_SECONDS", 0.0)
    monkeypatch.setattr("target_snowflake_audit.reading.blocks.BLOCK", 64)  # the clock runs between them
    between = [{"type": "RECORD", "stream": f"{world.stream}_o", "record": {"id": n}} for n in range(3)]
    start = [world.schema_message(SCOPED), other(world), world.line("A", 1), world.line("A", 2)]
    world.run([*start, *between, world.line("A", 3)])
    assert keys(world) == [("A", 1), ("A", 2), ("A", 3)]
    assert [count["received"] for count in world.counts()] == [2, 1]


NEWER = "2026-02-01T00:00:00Z"


def test_document_read_before_the_stored_one_removes_nothing(world: World) -> None:
    newer = [world.line("A", n, "2.00", updatedDate=NEWER) for n in (1, 2, 3)]
    world.run([world.schema_message(SCOPED), *newer, world.line("B", 1), world.line("B", 2)])
    world.run([world.schema_message(SCOPED), world.line("A", 1), world.line("A", 2), world.line("B", 1)])
    assert keys(world) == [("A", 1), ("A", 2), ("A", 3), ("B", 1)]
    assert {letter["REASON"] for letter in world.letters()} == {"stale"}


def test_line_that_changed_last_is_gone_when_its_document_comes_without_it(world: World) -> None:
    world.run([world.schema_message(SCOPED), world.line("A", 1), world.line("A", 2, updatedDate=NEWER)])
    world.run([world.schema_message(SCOPED), world.line("A", 1)])
    assert keys(world) == [("A", 1)]


def test_record_that_says_deleted_does_not_delete_a_newer_row(world: World) -> None:
    world.run([world.schema_message(), world.line("A", 1, "5.00", updatedDate=NEWER)])
    world.run([world.schema_message(), world.line("A", 1, _sdc_deleted_at="2026-01-01T00:00:00Z")])
    assert keys(world) == [("A", 1)]
    assert [letter["REASON"] for letter in world.letters()] == ["stale"]


def test_deleted_row_that_comes_back_with_an_older_stamp_is_said_so(world: World) -> None:
    world.run([world.schema_message(SCOPED), world.line("A", 1), world.line("A", 2)])
    newer = world.line("A", 2, "2.00", updatedDate=NEWER)
    world.run([world.schema_message(SCOPED), world.line("A", 1), newer])
    world.run([world.schema_message(SCOPED), world.line("A", 1)])
    world.run([world.schema_message(SCOPED), world.line("A", 1), world.line("A", 2)])
    assert world.counts()[-1] == {"received": 2, "unchanged": 1, "dead": 1, "stale": 1}
    assert [letter["REASON"] for letter in world.letters()] == ["stale"]


def versioned(world: World, version: int, count: int) -> list[Message]:
    return [world.line("A", n, version=version) for n in range(count)]


def test_version_that_is_activated_before_its_records(world: World) -> None:
    world.run([world.schema_message(), activate(world, 1), *versioned(world, 1, 10), state_of(1)])
    again = [activate(world, 2), *versioned(world, 2, 9), activate(world, 2), activate(world, 2)]
    world.run([world.schema_message(), *again], batch_size_rows=4)
    assert len(keys(world)) == 9
    world.run([world.schema_message(), activate(world, 3), *versioned(world, 3, 8), state_of(3)])
    assert len(keys(world)) == 8


def test_version_without_any_record_empties_the_table_where_that_is_allowed(world: World) -> None:
    world.run([world.schema_message(), *versioned(world, 1, 5), activate(world, 1)])
    with pytest.raises(DeletionLimitError, match="delete 5 of 5 live rows"):
        world.run([world.schema_message(), activate(world, 2)])
    world.run([world.schema_message(), activate(world, 3)], max_deleted_percent=100)
    assert keys(world) == []
    assert world.counts()[-1] == {"removed": 5}


def test_version_of_which_records_do_not_speak_deletes_nothing(world: World) -> None:
    start = [world.schema_message(), activate(world, 1), world.line("A", 1), state_of(1)]
    ended = world.run(start, max_deleted_percent=100)
    assert keys(world) == [("A", 1)]
    assert "version 1 is not activated" in ended.log


def test_version_of_a_table_with_rows_of_another_stream_deletes_nothing(world: World) -> None:
    mapping = [{"stream": f"{world.stream}*", "table": world.stream.upper()}]
    second: dict[str, Any] = {"stream": f"{world.stream}_o"}
    world.run([world.schema_message(), *versioned(world, 1, 3), activate(world, 1)], schema_mapping=mapping)
    b = [{**world.line("B", n, version=1), **second} for n in range(9)]
    with pytest.raises(SchemaError, match=f"rows of other streams.*{world.stream}"):
        world.run([world.schema_message(**second), *b, activate(world, 1) | second], schema_mapping=mapping)
    with pytest.raises(SchemaError, match=f"rows of other streams.*{world.stream}_o"):
        world.run(
            [world.schema_message(), *versioned(world, 2, 3), activate(world, 2)],
            schema_mapping=mapping,
            max_deleted_percent=100,
        )
    assert len(keys(world)) == 12


def test_version_older_than_the_one_activated_is_refused_in_a_later_run(world: World) -> None:
    world.run([world.schema_message(), *versioned(world, 9, 5), activate(world, 9)])
    with pytest.raises(
        VersionError, match=r"ACTIVATE_VERSION 8 is older than version 9.*nothing was deleted"
    ):
        world.run([world.schema_message(), *versioned(world, 8, 4), activate(world, 8)])
    assert len(keys(world)) == 5
    assert [row["NOTE"] for row in world.audit("BATCHES", where="OPERATION = 'activate_version'")] == [
        "version 9"
    ]


@pytest.mark.parametrize("hard", [False, pytest.param(True, marks=pytest.mark.full)])
def test_version_that_is_active_already_deletes_nothing(world: World, *, hard: bool) -> None:
    """Taps say the version of a table again with each run's few new records."""
    world.run([world.schema_message(), *versioned(world, 1, 6), activate(world, 1)])
    world.run([world.schema_message(), *versioned(world, 2, 5), activate(world, 2)], hard_delete=hard)
    ended = world.run(
        [world.schema_message(), activate(world, 2), *versioned(world, 2, 1), activate(world, 2)],
        hard_delete=hard,
        max_deleted_percent=100,
    )
    assert len(keys(world)) == 5
    assert world.query(f'SELECT COUNT(*) AS "N" FROM {world.table}') == [{"N": 5 if hard else 6}]
    assert "version 2 of" in ended.log


def test_records_of_an_older_version_do_not_belong_to_the_newer_one(world: World) -> None:
    late = [{**world.line("A", n, "7.00"), "version": 1} for n in (2, 3)]
    messages = [*versioned(world, 1, 2), *versioned(world, 2, 3), *late]
    world.run([world.schema_message(), *messages, activate(world, 2)], max_deleted_percent=50)
    assert keys(world) == [("A", 0), ("A", 1), ("A", 2)]
    with pytest.raises(VersionError, match="older than version 4, which its records have in this run"):
        world.run([world.schema_message(), *versioned(world, 4, 1), *late, activate(world, 3)])


def test_version_of_an_append_only_stream_deletes_nothing(world: World) -> None:
    for version in (1, 2):
        messages = [*versioned(world, version, 2), activate(world, version)]
        ended = world.run([world.schema_message(), *messages], load_method="append-only")
    assert len(keys(world)) == 4
    assert "version 2 deletes nothing, for it is append-only" in ended.log
    keyless = world.schema_message(key=[], stream=f"{world.stream}_k")
    with pytest.raises(SchemaError, match="the stream has no key"):
        world.run([keyless, {**activate(world, 1), "stream": f"{world.stream}_k"}])


def test_version_older_than_its_deletion_does_not_bring_a_row_back(world: World) -> None:
    def line(day: int, amount: str, **more: str) -> Message:
        return world.line("A", 1, amount, updatedDate=f"2026-01-0{day}T00:00:00Z", **more)

    world.run([world.schema_message(), line(1, "1.00")])
    world.run([world.schema_message(), line(5, "1.00", _sdc_deleted_at="2026-01-05T00:00:00Z")])
    world.run([world.schema_message(), line(3, "2.00")])
    assert world.rows() == []
    assert [letter["REASON"] for letter in world.letters()] == ["stale"]
    world.run([world.schema_message(), line(6, "3.00")])
    assert [row["AMOUNT"] for row in world.rows()] == [Decimal("3.00")]
    assert [operation for operation, _, _ in world.history()] == ["insert", "delete", "update"]


def state_of(n: int) -> Message:
    return {"type": "STATE", "value": {"n": n}}


def test_no_state_leaves_after_a_version_that_was_refused(world: World) -> None:
    """Else the tap would take the deletions for done, and never tell them again."""
    first = [world.line("A", n, version=1) for n in range(10)]
    world.run([world.schema_message(), *first, activate(world, 1), state_of(1)])
    second = [world.line("A", n, version=2) for n in range(5)]
    messages = [world.schema_message(), *second, state_of(2), activate(world, 2), state_of(3)]
    with pytest.raises(DeletionLimitError) as caught:
        world.run(messages)
    assert caught.value.__notes__ == ['{"n":2}\n']
    ended = world.run(messages, max_deleted_percent=60)
    assert ended.states[-1] == {"n": 3}
    assert len(world.rows()) == 5


def test_no_state_leaves_after_a_version_whose_keys_are_not_all_known(world: World) -> None:
    bad = world.record({"documentId": None, "lineNumber": 9}, version=1)
    messages = [world.schema_message(), world.line("A", 1, version=1), bad, activate(world, 1), state_of(1)]
    ended = world.run(messages, max_dead_letter_percent=100)
    assert ended.states == []
    assert "is not activated" in ended.log


def test_no_state_leaves_after_a_postponed_version_that_was_refused(world: World) -> None:
    """Batches that are committed while the version waits for the end of the input do not set it free."""
    first = [world.line("A", n, version=1) for n in range(10)]
    world.run([world.schema_message(), *first, activate(world, 1), state_of(1)])
    second = [world.line("A", n, version=2) for n in range(5)]
    messages = [world.schema_message(), activate(world, 2), *second, state_of(2)]
    with pytest.raises(DeletionLimitError) as caught:
        world.run(messages, batch_size_rows=2)
    assert caught.value.__notes__ == [""]
    assert world.run(messages, max_deleted_percent=60).states == [{"n": 2}]
    assert len(world.rows()) == 5


def test_state_waits_for_a_version_that_is_told_before_its_records(world: World) -> None:
    world.run([world.schema_message(), world.line("A", 1, version=1), world.line("A", 2, version=1)])
    head = [world.schema_message(), activate(world, 2), state_of(1)]
    ended = world.run([*head, world.line("A", 1, version=2), state_of(2)], max_deleted_percent=60)
    assert ended.states[-1] == {"n": 2}
    assert keys(world) == [("A", 1)]


def test_only_the_last_document_is_spared_when_the_input_was_cut(world: World) -> None:
    lines = [world.line(d, n) for d in "ABC" for n in (1, 2, 3)]
    world.run([world.schema_message(SCOPED), *lines, state_of(1)])
    again = [world.line(d, n, "2.00") for d in "ABC" for n in (1, 2)]
    world.run([world.schema_message(SCOPED), state_of(1), *again])
    assert keys(world) == [("A", 1), ("A", 2), ("B", 1), ("B", 2), ("C", 1), ("C", 2), ("C", 3)]


def test_line_without_its_document_spares_only_the_documents_beside_it(world: World) -> None:
    lines = [world.line(d, n) for d in "ABCDE" for n in (1, 2, 3)]
    world.run([world.schema_message(SCOPED), *lines])
    again = {d: [world.line(d, n, "2.00") for n in (1, 2)] for d in "ABCDE"}
    lost = world.record({"documentId": None, "lineNumber": 3})
    messages = [*again["A"], *again["B"], lost, *again["C"], *again["D"], *again["E"]]
    ended = world.run([world.schema_message(SCOPED), *messages], max_dead_letter_percent=100)
    assert [d for d, n in keys(world) if n == 3] == ["B", "C"]
    assert "no line of the documents beside them was taken for deleted" in ended.log


LOST: list[Any] = [{"documentId": None, "lineNumber": 3}, {"lineNumber": 3}, ["no object"]]
NAMES: list[Any] = ["longer than 20 characters", ["B"], {}, "B\ud800"]
LOST += [{"documentId": name, "lineNumber": 3} for name in NAMES]


@pytest.mark.parametrize("lost", LOST)
@pytest.mark.parametrize("rows", [2, 3, 100_000])
def test_line_without_its_document_inside_one_leaves_its_lines_alone(
    world: World,
    lost: Any,  # noqa: ANN401 - any JSON value
    rows: int,
) -> None:
    """What comes after such a line goes on with the document: it is no second delivery of it."""
    lines = [world.line(d, n) for d in "ABCD" for n in (1, 2, 3, 4, 5)]
    world.run([world.schema_message(SCOPED), *lines])
    again = {d: [world.line(d, n, "2.00") for n in (1, 2, 4)] for d in "ABCD"}
    messages = [*again["A"], *again["B"][:2], world.record(lost), again["B"][2], *again["C"], *again["D"]]
    world.run([world.schema_message(SCOPED), *messages], max_dead_letter_percent=100, batch_size_rows=rows)
    left = {d: [n for one, n in keys(world) if one == d] for d in "ABCD"}
    assert set(left["B"]) >= {1, 2, 4}
    assert left["B"] == [1, 2, 3, 4, 5]
    assert left["D"] == [1, 2, 4]
    assert len(world.letters()) == 1


def test_doubtful_documents() -> None:
    starts = [1, 4, 7, 9, 12]
    assert doubtful(starts, [], cut=False) == []
    assert doubtful(starts, [7], cut=False) == [(7, 11)]
    assert doubtful(starts, [1], cut=False) == [(1, 6)]
    assert doubtful(starts, [12], cut=False) == [(12, None)]
    assert doubtful(starts, [6], cut=False) == [(4, 8)]
    assert doubtful(starts, [], cut=True) == [(12, None)]
