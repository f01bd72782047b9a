"""The hand-written fixture: from its REST text the server must make its GraphQL text and its records."""

from __future__ import annotations

import json
import re
import typing as t
from decimal import Decimal
from pathlib import Path

import pytest
from processes import server
from x3_client import JsonObject, X3Client
from x3_control import X3Control

if t.TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parents[1] / "support" / "fixture"
STREAMS = sorted(path.stem for path in FOLDER.glob("*/expected/*.jsonl"))
ANSWERS = sorted(FOLDER.glob("**/graphql*.json"))
DAY_ONLY_OR_NONE = {"gl_accounts", "stock"}  # the server hides their UPDDATTIM in REST


@pytest.fixture(scope="module")
def fixture_x3() -> Iterator[X3Client]:
    """A server of the fixture."""
    with server("local_x3", "--fixture", str(FOLDER)) as running:
        client = X3Client(running.ready)
        yield client
        client.close()


def load(text: str) -> t.Any:  # noqa: ANN401 - JSON
    return json.loads(text, parse_float=Decimal)


def by_key(records: list[JsonObject]) -> list[str]:
    """Records as comparable texts, in an order that does not depend on their keys' order."""
    return sorted(json.dumps(normal(record), sort_keys=True, ensure_ascii=False) for record in records)


def normal(value: t.Any) -> t.Any:  # noqa: ANN401 - JSON
    """Numbers by value: 2500.0 equals 2500."""
    if isinstance(value, dict):
        return {name: normal(item) for name, item in value.items()}
    if isinstance(value, list):
        return [normal(item) for item in value]
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return f"#{Decimal(value).normalize()}"
    return value


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("api", ["rest", "graphql"])
def test_expected_records_are_those_written_by_hand(fixture_x3: X3Client, stream: str, api: str) -> None:
    path = next(FOLDER.glob(f"*/expected/{stream}.jsonl"))
    wanted = [load(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
    with X3Control(fixture_x3.url) as control:
        found = control.expected(stream, api)
    if api == "rest" and stream in DAY_ONLY_OR_NONE:
        for record in (*wanted, *found):
            del record["updatedDate"]
    assert len(wanted) > 2
    assert by_key(found) == by_key(wanted)


@pytest.mark.parametrize("path", ANSWERS, ids=lambda path: str(path.relative_to(FOLDER)))
def test_graphql_shows_what_the_fixture_says(fixture_x3: X3Client, path: Path) -> None:
    ((package, inner),) = load(path.read_text("utf-8"))["data"].items()
    ((node, operation),) = inner.items()
    wanted = [edge["node"] for edge in operation["query"]["edges"]]
    answer = fixture_x3.nodes(package, node, selection(wanted))
    found = {record["_id"]: record for record in answer}
    for record in wanted:
        assert plain(found[record["_id"]]) == plain(record)


def selection(samples: list[JsonObject]) -> str:
    """The GraphQL selection that asks for everything the samples have."""
    merged: dict[str, list[t.Any]] = {}
    for sample in samples:
        for name, value in sample.items():
            merged.setdefault(name, []).append(value)
    return " ".join(part(name, values) for name, values in merged.items() if shown(values))


def shown(values: list[t.Any]) -> bool:
    """A property that is null everywhere does not say whether it is a reference."""
    return any(value is not None for value in values)


def part(name: str, values: list[t.Any]) -> str:
    objects = [value for value in values if isinstance(value, dict)]
    if not objects:
        return name
    if any("query" in value for value in objects):
        inner = [edge["node"] for value in objects for edge in value["query"]["edges"]]
        inner = [{key: value for key, value in item.items() if key != "_id"} for item in inner]
        return f"{name} {{ query(first: 100) {{ edges {{ node {{ {selection(inner)} }} }} }} }}"
    return f"{name} {{ {selection(objects)} }}"


def plain(value: t.Any) -> t.Any:  # noqa: ANN401 - JSON
    """Drop what neither side promises: cursors, page infos, ids and order of lines, zero milliseconds."""
    if isinstance(value, dict):
        if "query" in value:
            return sorted((plain(edge["node"]) for edge in value["query"]["edges"]), key=str)
        return {
            name: plain(item) for name, item in sorted(value.items()) if name != "_id" and item is not None
        }
    if isinstance(value, str):
        return re.sub(r"(:\d\d)\.000Z$", r"\1Z", value)
    return value
