"""One value has one digest, in dead letters as in the history."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from target_snowflake_audit.checking.audited import audited_text
from target_snowflake_audit.checking.converters import converter
from target_snowflake_audit.columntypes import parse

if TYPE_CHECKING:
    from target_world import World

VALUES: dict[str, tuple[dict[str, Any], Any]] = {
    "amount": ({"type": ["number", "null"], "multipleOf": 0.01}, Decimal("12.3")),
    "whole": ({"type": ["number", "null"], "multipleOf": 1}, Decimal("5.0")),
    "rate": ({"type": ["number", "null"]}, Decimal("2.50")),
    "floats": ({"type": ["number", "null"]}, Decimal("7.0")),
    "at": ({"type": ["string", "null"], "format": "date-time"}, "2026-01-31T09:30:00.25+01:00"),
    "clock": ({"type": ["string", "null"], "format": "time"}, "08:15"),
    "day": ({"type": ["string", "null"], "format": "date"}, "2026-01-31T00:00:00Z"),
    "flag": ({"type": ["boolean", "null"]}, True),
    "word": ({"type": ["string", "null"]}, 'Grüße, "Du"'),
    "bytes": ({"type": ["string", "null"], "contentEncoding": "base64"}, "q80="),
}


def test_letters_and_history_have_the_same_digests(world: World) -> None:
    schema = {
        "type": "object",
        "properties": {"documentId": {"type": "string"}, "wrong": {"type": ["integer", "null"]}}
        | {name: part for name, (part, _) in VALUES.items()},
    }
    record = {name: value for name, (_, value) in VALUES.items()}
    rules = dict.fromkeys([*VALUES, "documentId"], "hash")
    messages = [world.schema_message(schema, key=["documentId"], bookmark_properties=[])]
    messages += [world.record({"documentId": "A", **record})]
    messages += [world.record({"documentId": "A", **record, "wrong": "x"})]
    world.run(messages, redact_columns={"*": rules}, max_dead_letter_percent=100)
    [(_, _, after)] = world.history()
    [letter] = world.letters()
    kept = json.loads(letter["RECORD_TEXT"])
    assert all(value.startswith("sha256:") for name, value in kept.items() if name != "wrong")
    for name in VALUES:
        assert (name, kept[name]) == (name, after[name.upper()])
    [row] = world.audit("RECORD_HISTORY")
    assert json.loads(letter["KEY"]) == json.loads(row["KEY"])


def test_a_value_that_does_not_convert_is_digested_as_received(world: World) -> None:
    schema = {"type": "object", "properties": {"documentId": {"type": "string"}, "day": VALUES["day"][0]}}
    told = world.schema_message(schema, key=["documentId"], bookmark_properties=[])
    settings: dict[str, Any] = {"redact_columns": {"*": {"day": "hash"}}, "max_dead_letter_percent": 100}
    world.run([told, world.record({"documentId": "A", "day": "31.1.2026"})], **settings)
    [letter] = world.letters()
    kept = json.loads(letter["RECORD_TEXT"])["day"]
    [salted] = world.query(
        "SELECT 'sha256:' || SHA2(\"SALT\" || '31.1.2026', 256) AS D FROM ANALYTICS.AUDIT_LOCK.REDACTION_SALT"
    )
    assert kept == salted["D"]
    assert letter["ERRORS"][0]["value"] == kept


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("NUMBER(38,2)", Decimal("12.3"), "12.30"),
        ("NUMBER(38,2)", Decimal("12.345"), None),
        ("TIMESTAMP_TZ", "2026-01-31T09:30:00+01:00", "2026-01-31 08:30:00.000000000"),
        ("TIME", "08:15:01.5", "08:15:01.500000000"),
        ("TIME", "8 o'clock", None),
        ("FLOAT", Decimal("-0.0"), "0"),
        ("FLOAT", Decimal("1E+3"), "1000"),
        ("FLOAT", Decimal("0.12345678901234567"), None),
        ("FLOAT", Decimal("1E+20"), None),
        ("VARIANT", {"b": 1, "a": "x"}, '{"a":"x","b":1}'),
        ("VARCHAR", "", ""),
        ("VARCHAR", None, None),
    ],
)
def test_audited_texts(kind: str, value: Any, text: str | None) -> None:  # noqa: ANN401 - any JSON value
    assert audited_text(parse(kind), converter(parse(kind)), value) == text
