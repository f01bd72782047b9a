"""Query tags: which statements carry which, and what a tag of one's own may hold."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from target_snowflake_audit.errors import SettingError
from target_snowflake_audit.query_tag import MAX_CHARACTERS, QueryTag, read_query_tag

if TYPE_CHECKING:
    from target_world import Message, World

_IN_BATCH = ("PUT", "BEGIN", "COPY", "MERGE", "COMMIT")


def tags(world: World, messages: list[Message], **settings: Any) -> list[tuple[str, str]]:  # noqa: ANN401
    """Kind and tag of every statement of a run."""
    world.control.clear_log()
    world.run(messages, **settings)
    return [(e["kind"], e["query_tag"]) for e in world.control.query_log(user="LOADER")]


def test_the_statements_of_a_batch_name_run_stream_and_batch(world: World) -> None:
    messages = [world.schema_message(), world.line("A", 1), world.line("B", 1)]
    found = tags(world, messages, batch_size_rows=1)
    batches = world.audit("BATCHES", '"LOADED_AT"')
    expected = [
        f"target-snowflake-audit run={b['RUN_ID']} stream={world.stream} batch={b['BATCH_ID']}"
        for b in batches
    ]
    assert {tag for _, tag in found if " batch=" in tag} == set(expected)
    for kind in _IN_BATCH:
        assert [tag for name, tag in found if name == kind and " batch=" in tag] == expected, kind
    plain = {tag for _, tag in found if tag not in expected}
    assert plain == {f"target-snowflake-audit run={batches[0]['RUN_ID']}"}
    assert "ALTER SESSION" not in {kind for kind, _ in found}
    queries = {e["query_id"]: e["query_tag"] for e in world.control.query_log(user="LOADER")}

    for batch, tag in zip(batches, expected, strict=True):
        assert {queries[q] for q in json.loads(batch["QUERY_IDS"]).values()} == {tag}


def test_letters_and_the_search_for_refused_rows_are_tagged_too(world: World) -> None:
    messages = [world.schema_message(), world.line("A", 1), world.record({"documentId": "B"})]
    found = tags(world, messages, query_tag="cost centre 7, {stream}, {{as is}} {batch_id}")
    inside = {tag for kind, tag in found if kind in {"MERGE", "COPY"}}  # 4.8 repeats PUT, without the tag
    [batch] = world.audit("BATCHES")
    assert inside == {f"cost centre 7, {world.stream}, {{as is}} {batch['BATCH_ID']}"}
    assert {tag for _, tag in found} - inside == {"cost centre 7, , {as is} "}


def test_a_refused_row_is_looked_for_under_the_same_tag(world: World) -> None:
    world.control.fault("error", pattern="^MERGE INTO", code=100078, sqlstate="22000", user="LOADER", times=1)
    world.control.clear_log()
    with pytest.raises(Exception, match="cannot be converted"):
        world.run([world.schema_message(), world.line("A", 1)])
    merges = world.control.query_log(user="LOADER", kind="MERGE")
    assert len(merges) > 1
    assert all(f"stream={world.stream} batch=" in entry["query_tag"] for entry in merges)


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        (
            "{run_id} {strem}",
            r"`query_tag`: has the unknown placeholder {strem}; there are {run_id}, {stream}",
        ),
        ("{}", r"has the unknown placeholder {}"),
        ("{run_id!r}", r"has the unknown placeholder {run_id}"),
        ("{run_id:>400}", r"has the unknown placeholder {run_id}"),
        ("{stream.__class__}", r"has the unknown placeholder {stream.__class__}"),
        ("a {", r"`query_tag`: .*; write a brace twice"),
        ("x" * 2001, "has 2001 characters; Snowflake takes at most 2000"),
        ("run with hush-hush", "holds the value of `token`"),
    ],
)
def test_tags_that_are_refused(own: str, expected: str) -> None:
    with pytest.raises(SettingError, match=expected) as raised:
        read_query_tag({"query_tag": own, "token": "hush-hush"})
    assert "hush" not in str(raised.value)


def test_a_tag_is_never_longer_than_snowflake_takes(world: World) -> None:
    assert len(QueryTag("p", "r").text("s" * 3000, "b")) == MAX_CHARACTERS
    own = read_query_tag({"query_tag": "{stream}" + "y" * 1990}, run_id="r")
    assert len(own.text("s" * 20)) == MAX_CHARACTERS
    world.run([world.schema_message(), world.line("A", 1)], query_tag="{stream}" + "y" * 1990)
    assert len(world.rows()) == 1
