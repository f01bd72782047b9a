"""What must not be taken for done: STATE stays, and nothing is deleted that may only not have come yet."""

from __future__ import annotations

import json
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.mapper import CustomStreamMap
from singer_sdk.singerlib.exceptions import InvalidInputLine
from target_snowflake_audit.errors import (
    CutInputError,
    DeadLetterLimitError,
    InterruptedRunError,
    SchemaError,
    SettingError,
)
from target_snowflake_audit.mapping import mapped
from target_snowflake_audit.retry_classes import NETWORK
from target_snowflake_audit.session import Session, StatementError
from target_world import LINE_SCHEMA, lines

if TYPE_CHECKING:
    from target_world import Message, World

SCOPED: Message = {**LINE_SCHEMA, "x-replace-scope": ["documentId"]}
ANY_SHARE: dict[str, Any] = {"max_dead_letter_percent": 100, "max_deleted_percent": 100}


def state(number: int) -> Message:
    """A STATE."""
    return {"type": "STATE", "value": {"n": number}}


def activate(world: World, version: int) -> Message:
    """An ACTIVATE_VERSION."""
    return {"type": "ACTIVATE_VERSION", "stream": world.stream, "version": version}


def keys(world: World) -> list[tuple[str, int]]:
    """Live lines."""
    return [(row["DOCUMENT_ID"], int(row["LINE_NUMBER"])) for row in world.rows()]


def other_key(world: World) -> Message:
    """A SCHEMA that is refused: another key within the run."""
    return world.schema_message(SCOPED, ["documentId"])


def test_a_signal_while_an_expression_is_evaluated_is_no_fault_of_the_record() -> None:
    class Told(CustomStreamMap):
        def __init__(self, error: Exception) -> None:
            self.error = error
            self._transform_fn = self.evaluate

        def evaluate(self, record: dict[str, Any]) -> dict[str, Any] | None:
            del record
            raise self.error

    for error in (InterruptedRunError("SIGTERM"), MemoryError()):
        with pytest.raises(type(error)):
            mapped(Told(error), {"a": 1}, nullcontext())
    assert mapped(Told(ValueError()), {"a": 1}, nullcontext())[1]


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("left_out", [True, False])
def test_two_streams_that_become_one_are_refused(world: World, first: int, *, left_out: bool) -> None:
    """Records vanished, and STATE left, where the name of one that is left out is another's alias."""
    old, new = world.stream, f"{world.stream}_v2"
    own = None if left_out else {"__alias__": old}
    maps = {old: own, new: {"__alias__": old}}
    schemas = [world.schema_message(), world.schema_message(stream=new)]
    record = {**world.line("A", 1), "stream": new}
    messages = [schemas[first], schemas[1 - first], record, state(1)]
    with pytest.raises(SettingError, match="both become") as caught:
        world.run(messages, stream_maps=maps)
    assert caught.value.__notes__ == [""]


@pytest.mark.parametrize("rest", [[], ["INFO done"]])
def test_a_line_that_is_no_message_spares_no_line_of_documents_before_the_state(
    world: World, rest: list[str]
) -> None:
    world.run([world.schema_message(SCOPED), *(world.line("A", n) for n in (1, 2, 3)), state(1)])
    text = lines([world.schema_message(SCOPED), world.line("A", 1), world.line("A", 2), state(2)])
    text += "".join(f"{line}\n" for line in rest)
    if rest:
        with pytest.raises(InvalidInputLine):
            world.run_text(text)
    else:
        world.run_text(text)
    assert keys(world) == [("A", 1), ("A", 2)]


def test_no_state_leaves_after_a_version_of_a_stream_whose_schema_was_refused(world: World) -> None:
    messages = [
        world.schema_message(),
        world.line("A", 1, version=8),
        other_key(world),
        activate(world, 8),
        state(8),
    ]
    with pytest.raises(SchemaError) as caught:
        world.run(messages)
    assert caught.value.__notes__ == [""]


def test_no_state_leaves_after_a_document_that_was_torn_by_a_schema_that_is_refused(world: World) -> None:
    world.run([world.schema_message(SCOPED), *(world.line("A", n) for n in (1, 2, 3)), state(1)])
    with pytest.raises(SchemaError) as caught:
        world.run(
            [world.schema_message(SCOPED), world.line("A", 1), world.line("A", 2), other_key(world), state(2)]
        )
    assert caught.value.__notes__ == [""]
    assert keys(world) == [("A", 1), ("A", 2), ("A", 3)]


@pytest.mark.parametrize("rows", [2, 3, 100])
def test_a_line_without_its_document_spares_the_next_one_in_another_batch_too(
    world: World, rows: int
) -> None:
    stored = [world.line(d, n) for d in "ABC" for n in (1, 2, 3)]
    world.run([world.schema_message(SCOPED), *stored, state(1)])
    lost = world.record({"documentId": None, "lineNumber": 1})
    again = [world.line("A", 1), world.line("A", 2), lost, world.line("B", 2), world.line("B", 3)]
    more = [world.line("C", 1), world.line("D", 1)]
    world.run([world.schema_message(SCOPED), *again, *more, state(2)], batch_size_rows=rows, **ANY_SHARE)
    assert [number for document, number in keys(world) if document == "B"] == [1, 2, 3]
    assert [number for document, number in keys(world) if document == "C"] == [1]


def test_a_version_told_before_its_records_needs_a_state_after_them(world: World) -> None:
    world.run([world.schema_message(), *(world.line("A", n, version=1) for n in range(10)), state(1)])
    cut = [world.schema_message(), activate(world, 2), *(world.line("A", n, version=2) for n in range(9))]
    for messages in (cut, [*cut[:3], state(2), *cut[3:]]):
        with pytest.raises(CutInputError, match="no STATE came after"):
            world.run(messages)
        assert len(keys(world)) == 10
    world.run([*cut, state(3)])
    assert len(keys(world)) == 9


def test_a_session_whose_rollback_failed_is_not_used_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Session] = []
    execute, start = Session.execute, Session.__init__

    def noted(session: Session, *arguments: Any, **more: Any) -> None:  # noqa: ANN401
        opened.append(session)
        start(session, *arguments, **more)

    def failing(session: Session, sql: str, step: str, *arguments: Any) -> Any:  # noqa: ANN401
        if step == "rollback":
            raise StatementError(step, "no answer", NETWORK)
        return execute(session, sql, step, *arguments)

    monkeypatch.setattr(Session, "__init__", noted)
    monkeypatch.setattr(Session, "execute", failing)
    bad = [world.line(str(n), n, text="x" * 11) for n in range(2)]
    with pytest.raises(Exception, match="max_dead_letters"):
        world.run([world.schema_message(), world.line("A", 1), *bad, state(1)], max_dead_letters=0)
    torn = [session for session in opened if session._torn]  # noqa: SLF001 - nobody else may see it
    assert torn
    assert not any(session.is_alive() for session in torn)


def test_the_bookmark_of_a_stream_under_another_name(world: World) -> None:
    maps = {world.stream: {"__alias__": f"{world.stream}_as"}}
    bookmark = {"type": "STATE", "value": {"bookmarks": {world.stream: {"replication_key_value": "x"}}}}
    world.run([world.schema_message(), world.line("A", 1), bookmark], stream_maps=maps)
    table = f"{world.table}_AS"
    [row] = world.query(f"SELECT BOOKMARK FROM ANALYTICS.AUDIT.WATERMARKS WHERE TARGET_TABLE = '{table}'")
    assert "replication_key_value" in (row["BOOKMARK"] or "")


@pytest.mark.parametrize("cut_first", [True, False])
def test_a_stream_that_was_cut_keeps_no_other_from_being_replaced(world: World, *, cut_first: bool) -> None:
    """The STATE that covers only the whole stream leaves, the one after the cut stream's first record not."""
    way: dict[str, Any] = {"load_method": "overwrite", "max_deleted_percent": 100}
    other: dict[str, Any] = {"stream": f"{world.stream}_o"}
    schemas = [world.schema_message(), world.schema_message(**other)]
    before = [world.line("A", 1), {**world.line("A", 1), **other}]
    world.run([*schemas, *before, state(0)], **way)
    whole = [world.line("B", 1), state(1)]
    cut = [{**world.line("B", 1), **other}, state(2), {**world.line("B", 2), **other}]
    with pytest.raises(CutInputError, match=f"stream {world.stream}_o: the input ended without") as caught:
        world.run([*(reversed(schemas) if cut_first else schemas), *whole, *cut], **way)
    assert keys(world) == [("B", 1)]
    assert [row["DOCUMENT_ID"] for row in world.rows(f"{world.table}_O")] == ["A"]
    assert caught.value.__notes__ == ['{"n":1}\n']


@pytest.mark.parametrize("more", [False, True])
def test_the_last_safe_state_leaves_though_a_stream_failed(world: World, *, more: bool) -> None:
    """Overwrite: a STATE is safe only when the table is replaced, after the failure of the other stream.

    One that covers a part of the table never is: a tap that goes on from there sends the rest alone, and the
    next run would take that for the whole.
    """
    mapping = [{"stream": world.stream, "load_method": "overwrite"}]
    other: dict[str, Any] = {"stream": f"{world.stream}_o"}
    schemas = [world.schema_message(), world.schema_message(**other)]
    bad = [{**world.line("B", n, "1.005"), **other} for n in range(2)]
    rest = [world.line("A", 2)] if more else []
    with pytest.raises(DeadLetterLimitError) as caught:
        world.run(
            [*schemas, state(0), world.line("A", 1), state(1), *bad, *rest, state(2)],
            schema_mapping=mapping,
            max_dead_letters=0,
        )
    assert keys(world) == [("A", 1), *([("A", 2)] if more else [])]
    left = [json.loads(line) for note in caught.value.__notes__ for line in note.splitlines()]
    assert left[-1] == {"n": 0 if more else 1}


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "utf-8"])
def test_state_with_any_letter_leaves_in_every_encoding(
    world: World, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    value = {"at": "Zürich €\u2028 \U0001f600", "ключ": [1.50, "\\", '"']}
    message = {"type": "STATE", "value": value}
    ended = world.command(lines([world.schema_message(), world.line("A", 1), message]))
    assert (ended.code, ended.states) == (0, [value]), ended.log
