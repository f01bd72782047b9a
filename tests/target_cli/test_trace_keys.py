from __future__ import annotations

from decimal import Decimal

import pytest
from target_snowflake_audit.cli.errors import CommandError
from target_snowflake_audit.cli.trace.keys import Example, digest, key_order
from target_snowflake_audit.hashing import key_hash

TYPES = {
    "ID": "VARCHAR(20)",
    "LINE_NUMBER": "NUMBER(38,0)",
    "ENTRY_TYPE": "VARCHAR(5)",
    "RATE": "NUMBER(38,2)",
}
EXAMPLE = Example({"ENTRY_TYPE": "FACFO", "ID": "X", "LINE_NUMBER": 10}, key_hash(["FACFO", "X", "10"]))


def test_the_order_of_key_properties_is_found_from_an_example() -> None:
    turned = Example({"ID": "X", "LINE_NUMBER": 10, "ENTRY_TYPE": "FACFO"}, key_hash(["X", "FACFO", "10"]))
    assert key_order(EXAMPLE, TYPES) == ("ENTRY_TYPE", "ID", "LINE_NUMBER")
    assert key_order(turned, TYPES) == ("ID", "ENTRY_TYPE", "LINE_NUMBER")


@pytest.mark.parametrize(("typed", "canonical"), [("1000", "1000"), ("1000.0", "1000"), ("+7", "7")])
def test_a_typed_key_is_made_canonical_for_its_column(typed: str, canonical: str) -> None:
    key = {"ID": 'a "quoted", id', "LINE_NUMBER": typed}
    assert digest(key, ("ID", "LINE_NUMBER"), TYPES) == key_hash(['a "quoted", id', canonical])


def test_a_decimal_key_gets_the_scale_of_its_column() -> None:
    assert digest({"RATE": "1.5"}, ("RATE",), {"RATE": "NUMBER(38,2)"}) == key_hash(["1.50"])


@pytest.mark.parametrize(("text", "canonical"), [("true", "true"), ("False", "false")])
def test_a_boolean_key_is_typed_as_a_word(text: str, canonical: str) -> None:
    types = {"OPEN": "BOOLEAN", "NAME": "VARCHAR(5)"}
    key = {"OPEN": text, "NAME": "true"}
    assert digest(key, ("OPEN", "NAME"), types) == key_hash([canonical, "true"])
    with pytest.raises(CommandError, match="OPEN=yes: expected true or false"):
        digest({"OPEN": "yes"}, ("OPEN",), types)


def test_without_a_right_on_the_table_the_types_are_not_known_rather_than_changed() -> None:
    example = Example({"RATE": Decimal("1.5")}, key_hash(["1.50"]))
    assert key_order(example, {"RATE": "NUMBER(38,2)"}) == ("RATE",)
    with pytest.raises(CommandError, match="types of the key columns RATE are not known: this role cannot"):
        key_order(example, {})


def test_a_value_that_cannot_be_in_the_column_is_named() -> None:
    with pytest.raises(CommandError, match="LINE_NUMBER=abc: expected a number"):
        digest({"LINE_NUMBER": "abc"}, ("LINE_NUMBER",), TYPES)


def test_an_unknown_digest_is_an_error_and_no_guess() -> None:
    with pytest.raises(CommandError, match="cannot tell the order of the key columns ID"):
        key_order(Example({"ID": "X"}, "0" * 64), TYPES)


@pytest.mark.parametrize("value", ["***", "sha256:" + "0" * 64])
def test_a_redacted_key_of_one_column_has_one_order_and_several_have_none(value: str) -> None:
    assert key_order(Example({"CODE": value}, "x"), {}) == ("CODE",)
    with pytest.raises(CommandError, match="CODE is redacted in the audit trail"):
        key_order(Example({"CODE": value, "LINE": "1"}, "x"), {})
