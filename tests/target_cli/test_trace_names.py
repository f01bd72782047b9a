from __future__ import annotations

import pytest
from target_snowflake_audit.cli.errors import CommandError
from target_snowflake_audit.cli.trace.names import Loaded, choose_table, parts, read_key
from target_snowflake_audit.sql.quoting import TableName

INVOICES = TableName("ANALYTICS", "PURCHASING", "SUPPLIER_INVOICES")
ODD = TableName("ANALYTICS", "Odd.Schema", 'a"b')
KNOWN = [
    Loaded("supplier_invoices", INVOICES),
    Loaded("stock", TableName("ANALYTICS", "INVENTORY", "STOCK")),
    Loaded("old_stock", TableName("ANALYTICS", "ARCHIVE", "STOCK")),
    Loaded("odd", ODD),
]


@pytest.mark.parametrize(
    ("wanted", "table"),
    [
        ("supplier_invoices", INVOICES),
        ("purchasing.supplier_invoices", INVOICES),
        ("ANALYTICS.PURCHASING.SUPPLIER_INVOICES", INVOICES),
        ("archive.stock", TableName("ANALYTICS", "ARCHIVE", "STOCK")),
        ("old_stock", TableName("ANALYTICS", "ARCHIVE", "STOCK")),
        ('"Odd.Schema"."a""b"', ODD),
    ],
)
def test_a_table_is_found_by_stream_or_by_the_end_of_its_name(wanted: str, table: TableName) -> None:
    assert choose_table(wanted, KNOWN).table == table


@pytest.mark.parametrize(
    ("wanted", "complaint"),
    [
        ("STOCK", "several tables: ANALYTICS.ARCHIVE.STOCK, ANALYTICS.INVENTORY.STOCK"),
        ("SALES", "nothing was ever loaded into SALES; loaded tables: ANALYTICS"),
        ("A..B", "not a table name"),
        ("", "not a table name"),
        ('"open', "not a table name"),
    ],
)
def test_an_unclear_table_is_an_error_that_names_the_choices(wanted: str, complaint: str) -> None:
    with pytest.raises(CommandError, match=complaint):
        choose_table(wanted, KNOWN)


def test_parts_are_names_as_stored() -> None:
    assert parts('finance."Odd.Name"') == ("FINANCE", "Odd.Name")


@pytest.mark.parametrize(
    "arguments",
    [
        ("ENTRY_TYPE=FACFO", "LINE_NUMBER=1"),
        ("lineNumber=1", "entryType=FACFO"),
        ("entry_type=FACFO", "line_number=1"),
        ("FACFO", "1"),
    ],
)
def test_a_key_is_read_by_name_or_by_place(arguments: tuple[str, ...]) -> None:
    assert read_key(arguments, ("ENTRY_TYPE", "LINE_NUMBER")) == {"ENTRY_TYPE": "FACFO", "LINE_NUMBER": "1"}


def test_a_value_may_hold_an_equals_sign() -> None:
    assert read_key(("A=B",), ("ID",)) == {"ID": "A=B"}
    assert read_key(("id=A=B",), ("ID",)) == {"ID": "A=B"}


@pytest.mark.parametrize(
    "arguments", [("FACFO",), ("ENTRY_TYPE=FACFO",), ("ENTRY_TYPE=F", "OTHER=1"), ("A", "B", "C")]
)
def test_a_key_that_does_not_fit_names_the_columns(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match=r"key of this table is ENTRY_TYPE=\.\.\. LINE_NUMBER=\.\.\."):
        read_key(arguments, ("ENTRY_TYPE", "LINE_NUMBER"))
