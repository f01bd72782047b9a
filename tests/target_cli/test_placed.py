from __future__ import annotations

from typing import Any

import pytest
from target_snowflake_audit.cli.dead_letters.replaying import placed, slices
from target_snowflake_audit.naming import table_name

REFUSED_IN = 'ANALYTICS."odd.schema".SUPPLIER_INVOICES'


def where(settings: dict[str, Any]) -> str:
    return str(
        table_name(placed(settings, "supplier_invoices", REFUSED_IN), "supplier_invoices", "ANALYTICS")
    )


@pytest.mark.parametrize(
    ("settings", "table"),
    [
        ({}, REFUSED_IN),
        ({"schema_mapping": [{"stream": "gl_*", "schema": "FINANCE"}]}, REFUSED_IN),
        ({"schema_mapping": [{"stream": "supplier*", "schema": "NEW"}]}, "ANALYTICS.NEW.SUPPLIER_INVOICES"),
        ({"default_target_schema": "SAGEX3"}, "ANALYTICS.SAGEX3.SUPPLIER_INVOICES"),
    ],
)
def test_a_letter_goes_where_it_was_refused_unless_the_settings_say_where(
    settings: dict[str, Any], table: str
) -> None:
    assert where(settings) == table


def test_letters_are_taken_once_and_in_parts() -> None:
    names = [str(number) for number in range(2500)]
    parts = list(slices([*names, "7", "8"]))
    assert [len(part) for part in parts] == [1000, 1000, 500]
    assert [name for part in parts for name in part] == names
