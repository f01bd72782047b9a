"""Whatever a tap sends, the table is what a plain-Python model says, and the history alone tells it too."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import audit_model
import pytest
import random_streams
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from target_snowflake_audit.naming import conform
from target_world import encode

if TYPE_CHECKING:
    from random import Random

    from target_world import Row, World

EXAMPLES = {"some": 5, "many": 400}


def _options(examples: int) -> settings:
    ignored = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
    # Not made smaller where one fails: each try is several runs over the wire.
    return settings(
        phases=(Phase.generate,),
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=ignored,
    )


@_options(EXAMPLES["some"])
@given(chance=st.randoms(use_true_random=False))
def test_table_is_what_the_model_says(world: World, chance: Random) -> None:
    check(world, random_streams.draw(chance))


@pytest.mark.full
@pytest.mark.timeout(3600)
@_options(EXAMPLES["many"])
@given(chance=st.randoms(use_true_random=False))
def test_table_is_what_the_model_says_of_many_streams(world: World, chance: Random) -> None:
    check(world, random_streams.draw(chance))


def check(world: World, stream: random_streams.Stream) -> None:
    """Send a stream's runs; after each compare table, dead letters and history with the model."""
    number = world.shared["examples"] = world.shared.get("examples", 0) + 1
    own = world.for_test(f"example {number} {world.schema}")  # the suite for an account runs here, too
    model, rules = audit_model.Table(stream.rules), stream.rules
    message = own.schema_message(
        stream.schema, rules.key, bookmark_properties=[rules.stamp] if rules.stamp else []
    )
    for arrivals, rows in zip(stream.runs, stream.batch_rows, strict=True):
        records = [own.record(one.record) for one in arrivals]
        before = len(own.audit("BATCHES"))
        own.run([message, *records], batch_size_rows=rows, column_naming=stream.naming)
        model.run(arrivals, [one["RECEIVED"] for one in own.audit("BATCHES", '"LOADED_AT"')[before:]])
        stored = _comparable(_live(own), stream)
        assert stored == _comparable(_named(model.live, stream), stream)
        assert _letters(own) == {encode(one.record): one.bad for one in model.letters}
        assert _comparable(_rebuilt(own), stream) == stored
    own.tidy()


def _live(world: World) -> list[Row]:
    sql = f'SELECT * FROM {world.table} WHERE "_AUDIT_DELETED_AT" IS NULL'
    return [{k: v for k, v in row.items() if not k.startswith("_AUDIT_")} for row in world.query(sql)]


def _rebuilt(world: World) -> list[Row]:
    """The live rows as the history alone tells them."""
    rows: dict[str, Row] = {}
    for entry in world.audit("RECORD_HISTORY", '"LOADED_AT", "SEQ"'):
        if entry["AFTER"] is None:
            del rows[entry["KEY_HASH"]]
        else:
            rows[entry["KEY_HASH"]] = json.loads(entry["AFTER"], parse_float=Decimal)
    return list(rows.values())


def _letters(world: World) -> dict[str, frozenset[str]]:
    """Bad properties by record; whether a record comes too late is decided by where batches end."""
    letters = [letter for letter in world.letters() if letter["REASON"] != "stale"]
    return {one["RECORD_TEXT"]: frozenset(e["property"] for e in one["ERRORS"]) for one in letters}


def _named(rows: list[Row], stream: random_streams.Stream) -> list[Row]:
    return [{conform(name, stream.naming): value for name, value in row.items()} for row in rows]


def _comparable(rows: list[Row], stream: random_streams.Stream) -> list[str]:
    """Rows of table, history or model as texts, sorted, each value in the form of its kind."""
    kinds = {conform(name, stream.naming): kind for name, kind in stream.kinds.items()}
    return sorted(
        str(sorted((n, _value(v, kinds.get(n, "time"))) for n, v in row.items() if v is not None))
        for row in rows
    )


def _value(value: Any, kind: str) -> str:  # noqa: ANN401 - any value of a row
    if kind == "time":
        moment = dt.datetime.fromisoformat(value) if isinstance(value, str) else value
        return str(moment.astimezone(dt.UTC).replace(tzinfo=None) if moment.tzinfo else moment)
    if kind in {"whole", "exact"}:
        return str(Decimal(value).normalize())
    if kind == "float":
        return repr(float(value))
    if kind == "json":
        decoded = json.loads(value, parse_float=Decimal) if isinstance(value, str) else value
        return json.dumps(decoded, sort_keys=True, default=float)
    return str(value)
