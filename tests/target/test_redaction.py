"""`redact_columns`: what the audit trail holds of bank and contact fields, and that the tables hold all."""

from __future__ import annotations

import hashlib
import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from target_snowflake_audit import replay as api
from target_snowflake_audit.checking.plan import make_plan
from target_snowflake_audit.checking.redacting import Redactor
from target_snowflake_audit.errors import SettingError
from target_snowflake_audit.redaction import DEFAULTS, rules_of, squeezed

if TYPE_CHECKING:
    from target_world import Message, World

IBAN, OTHER_IBAN, EMAIL, PHONE = (
    "FR7630006000011234567890189",
    "DE89370400440532013000",
    "a@x.example",
    "+33 1",
)
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "code": {"type": "string", "maxLength": 20},
        "name": {"type": ["string", "null"], "maxLength": 10},
        "iban": {"type": ["string", "null"], "maxLength": 34},
        "email": {"type": ["string", "null"], "maxLength": 60},
        "contact": {"type": ["object", "null"], "properties": {"phone": {"type": "string"}}},
        "taxNumber": {"type": ["string", "null"]},
        "limit": {"type": ["number", "null"], "multipleOf": 0.01},
        "updatedDate": {"type": ["string", "null"], "format": "date-time"},
    },
}
RULES = {"*": {"email": "mask", "contact": "drop", "limit": "hash"}}
SECRETS = (IBAN, OTHER_IBAN, EMAIL, PHONE)


def supplier(code: str, day: int = 1, **more: object) -> dict[str, Any]:
    body = {"code": code, "name": "Alpha", "iban": IBAN, "email": EMAIL, "contact": {"phone": PHONE}}
    return {**body, "taxNumber": "T1", "updatedDate": f"2026-01-{day:02d}T00:00:00Z", **more}


def messages(world: World, *records: dict[str, Any]) -> list[Message]:
    return [world.schema_message(SCHEMA, ["code"]), *(world.record(one) for one in records)]


def salted(world: World, value: str) -> str:
    (row,) = world.query('SELECT "SALT" FROM "ANALYTICS"."AUDIT_LOCK"."REDACTION_SALT"')
    assert len(row["SALT"]) == 64
    return "sha256:" + hashlib.sha256((row["SALT"] + value).encode()).hexdigest()


def everything(world: World) -> str:
    """All text that the audit schema holds."""
    names = (
        "RUNS",
        "BATCHES",
        "RETRIES",
        "RECORD_HISTORY",
        "DEAD_LETTERS",
        "DEAD_LETTER_EVENTS",
        "WATERMARKS",
    )
    return "".join(str(world.query(f'SELECT * FROM "ANALYTICS"."AUDIT"."{name}"')) for name in names)


def test_history_holds_digests_and_masks_and_the_table_holds_the_values(world: World) -> None:
    ended = world.run(messages(world, supplier("A", limit=5), supplier("B", iban=None)), redact_columns=RULES)
    world.run(messages(world, supplier("A", 2, iban=OTHER_IBAN, limit=5)), redact_columns=RULES)
    (row, _) = sorted(world.query(f"SELECT * FROM {world.table}"), key=lambda found: str(found["CODE"]))
    assert (row["IBAN"], row["EMAIL"], json.loads(row["CONTACT"])) == (OTHER_IBAN, EMAIL, {"phone": PHONE})
    _, other, changed = world.history()
    operation, before, after = changed
    assert operation == "update"
    assert before["IBAN"] == salted(world, IBAN)
    assert after["IBAN"] == salted(world, OTHER_IBAN)
    assert (before["EMAIL"], after["EMAIL"]) == ("***", "***")
    assert before["LIMIT"] == after["LIMIT"] == salted(world, "5.00")
    assert "CONTACT" not in after
    assert (before["NAME"], after["TAX_NUMBER"]) == ("Alpha", "T1")
    assert "IBAN" not in other[2]
    stored = everything(world)
    assert not [secret for secret in SECRETS if secret in stored + ended.log]
    statements = "".join(world.target_statements())
    assert not [secret for secret in (*SECRETS, salted(world, "")) if secret in statements]


def test_a_dead_letter_holds_no_redacted_value_and_is_not_replayed_without_them(world: World) -> None:
    bad = supplier("C", name="much too long a name", email=["not", EMAIL], extra={"mobile": PHONE})
    ended = world.run(messages(world, bad), redact_columns=RULES)
    (letter,) = world.letters()
    received = json.dumps(bad).encode()
    assert letter["RECORD_SHA256"] == hashlib.sha256(received).hexdigest()
    assert json.loads(letter["REDACTED"]) == {
        "iban": "hash",
        "email": "mask",
        "contact": "drop",
        "extra": "mask",
    }
    record = json.loads(letter["RECORD_TEXT"])
    assert record == json.loads(letter["RECORD"])
    assert record["iban"] == salted(world, IBAN)
    assert (record["email"], record["extra"], "contact" in record) == ("***", {"mobile": "***"}, False)
    values = {error["property"]: error["value"] for error in letter["ERRORS"]}
    assert values == {"name": "much too long a name", "email": "***"}
    stored = everything(world)
    assert not [secret for secret in SECRETS if secret in stored + ended.log]

    wider = world.settings(
        redact_columns=RULES, column_types={"*": {"name": "VARCHAR(40)", "email": "VARIANT"}}
    )
    row = api.LetterRow(
        letter["DEAD_LETTER_ID"],
        world.stream,
        letter["RECORD_TEXT"],
        json.loads(letter["SINGER_SCHEMA"]),
        tuple(json.loads(letter["REDACTED"])),
    )
    (outcome,) = api.replay(wider, [row])
    assert outcome.event == api.FAILED
    assert "redacted" in outcome.note
    assert "--redacted-as-null" in outcome.note
    assert world.query(f"SELECT * FROM {world.table}") == []
    said = world.query(f"""SELECT "ERRORS" FROM "ANALYTICS"."AUDIT"."DEAD_LETTER_EVENTS"
        WHERE "DEAD_LETTER_ID" = '{letter["DEAD_LETTER_ID"]}'""")
    assert {error["reason"] for error in json.loads(said[0]["ERRORS"])} >= {"redacted"}

    wider["column_types"] = {"*": {"name": "VARCHAR(40)"}}
    (outcome,) = api.replay(wider, [api.LetterRow(**{**vars(row), "redacted_as_null": True})])
    assert (outcome.event, outcome.note) == (api.REPLAYED, "inserted")
    (stored_row,) = world.query(f"SELECT * FROM {world.table}")
    assert (stored_row["NAME"], stored_row["IBAN"], stored_row["EMAIL"]) == (
        "much too long a name",
        None,
        None,
    )


def test_a_letter_without_redacted_values_stays_byte_for_byte_and_is_replayed(world: World) -> None:
    text = '{"code":"D",  "name":"much too long a name","limit":1.10,"taxNumber":null}'
    line = f'{{"type":"RECORD","stream":"{world.stream}","record":{text}}}\n'
    world.run_text(json.dumps(world.schema_message(SCHEMA, ["code"])) + "\n" + line)
    (letter,) = world.letters()
    assert (letter["RECORD_TEXT"], letter["REDACTED"]) == (text, None)


def test_a_redacted_key_is_found_by_its_hash_only(world: World) -> None:
    rules = {world.stream: {"code": "drop"}}
    world.run(messages(world, supplier("K1"), supplier("K2", name="x" * 11)), redact_columns=rules)
    (history,) = world.audit("RECORD_HISTORY")
    (letter,) = world.letters()
    digests = [hashlib.sha256(f"2:{key},".encode()).hexdigest() for key in ("K1", "K2")]
    assert [history["KEY_HASH"], letter["KEY_HASH"]] == digests
    assert (json.loads(history["KEY"]), json.loads(letter["KEY"])) == ({"CODE": "***"}, {"CODE": "***"})
    assert json.loads(history["AFTER"])["CODE"] == "***"
    assert "code" not in json.loads(letter["RECORD_TEXT"])


def test_no_reader_may_read_the_salt(world: World) -> None:
    world.run(messages(world, supplier("S")))
    for role in ("AUDITOR", "REVIEWER", "APPROVER", "PURGER"):
        world.query(f'GRANT ROLE "SAGEX3_{role}" TO USER "LOADER"')
        sql = 'SELECT "SALT" FROM "ANALYTICS"."AUDIT_LOCK"."REDACTION_SALT"'
        assert world.refused_to_loader(sql, role=f"SAGEX3_{role}"), role


# Pure parts


def plan_of(properties: dict[str, Any], **settings: Any) -> Any:  # noqa: ANN401 - settings are of any JSON type
    schema = {"properties": properties}
    return make_plan(settings, "s", schema, [], {"stream": "s", "schema": schema}, "DB")


@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("IBAN", "hash"),
        ("supplier_iban", "hash"),
        ("contact__e_mail", "hash"),
        ("contact__email", "hash"),
        ("emailAddress", "hash"),
        ("mobile-phone", "hash"),
        ("bank", "hash"),
        ("bankingDays", ""),
        ("telex", ""),
        ("amount", ""),
    ],
)
def test_names_of_the_default_list(name: str, way: str) -> None:
    (column,) = plan_of({name: {"type": "string"}}).columns
    assert column.redact == way


def test_a_name_inside_a_declared_schema_redacts_the_whole_property() -> None:
    inside = {"type": "array", "items": {"type": "object", "properties": {"email": {"type": "string"}}}}
    columns = plan_of({"people": inside, "plain": {"type": "object"}}).columns
    assert [column.redact for column in columns] == ["hash", ""]


def test_the_first_rule_that_matches_counts_and_keep_takes_a_name_out() -> None:
    rules = {"other": {"*": "drop"}, "s*": {"email": "keep", "e*": "mask"}, "*": {"*": "drop"}}
    found = plan_of({name: {} for name in ("email", "extra", "zip")}, redact_columns=rules).columns
    assert {column.property: column.redact for column in found} == {
        "email": "",
        "extra": "mask",
        "zip": "drop",
    }


@pytest.mark.parametrize("wrong", [["email"], {"*": "mask"}, {"*": {"email": "erase"}}])
def test_a_wrong_setting_is_named(wrong: Any) -> None:  # noqa: ANN401 - any JSON value
    with pytest.raises(SettingError, match="redact_columns"):
        rules_of({"redact_columns": wrong})


def test_the_default_list_takes_bank_and_contact_of_sage_x3_and_nothing_of_the_ledger() -> None:
    folder = Path(__file__).parents[2] / "tap-sagex3" / "tap_sagex3" / "entities"
    rules = rules_of({})
    found = {}
    for file in sorted(folder.glob("*.toml")):
        names = _names(tomllib.loads(file.read_text(encoding="utf-8")))
        hits = sorted(name for name in names if rules.of_name(["x"], name))
        if hits:
            found[file.stem] = hits
    assert set(found) == {"supplier"}
    assert found["supplier"] == ["bank", "defaultContact"]
    assert all(squeezed(name) == name for _, name, _ in DEFAULTS)


def _names(part: Any) -> set[str]:  # noqa: ANN401 - any TOML value
    if isinstance(part, list):
        return set().union(*map(_names, part))
    if not isinstance(part, dict):
        return set()
    own = {part["name"]} if isinstance(part.get("name"), str) else set()
    return own.union(*map(_names, part.values()))


def test_text_that_is_no_utf8_and_numbers_keep_their_form() -> None:
    redactor = Redactor(plan_of({"email": {}, "n": {}}, redact_columns={"*": {"email": "mask"}}))
    raw = b'{"email":"x","n":1.1000,"odd":"\\ud800"}'
    kept, touched = redactor.record(raw)
    assert (kept, touched) == (b'{"email":"***","n":1.1000,"odd":"\\\\ud800"}', {"email": "mask"})
    raw = b'[{"email":"x"}, 1]'
    assert redactor.record(raw) == (b'[{"email":"***"},1]', {"": "mask"})
    assert redactor.record(b'"text"') == (b'"text"', {})


def test_a_record_too_deep_to_take_apart_is_masked_whole_if_it_names_one() -> None:
    redactor = Redactor(plan_of({"email": {}}))
    deep = b'{"a":' * 100_000 + b'{"e-mail" : "x"}' + b"}" * 100_000
    assert redactor.record(deep) == (b'"***"', {"": "mask"})
    plain = deep.replace(b"e-mail", b"x")
    assert redactor.record(plain) == (plain, {})
    walked = b'{"a":' * 700 + b'{"e-mail" : "x"}' + b"}" * 700
    assert redactor.record(walked)[1] in ({"": "mask"}, {"a": "mask"})
