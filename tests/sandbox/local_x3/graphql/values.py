"""Native values as Xtrem shows them, and literals of a filter as native values are compared."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal

from local_x3.clock import parse_stamp
from local_x3.declarations import Column
from local_x3.errors import FilterError
from local_x3.graphql.words import in_words
from local_x3.model import CREATED, STAMP, Value, is_empty_date

Show = Callable[[Value], object]
YES = 2  # menu 1: 1 = no, 2 = yes [D]
STAMP_COLUMNS = {
    "_createStamp": Column(CREATED, "datetime", ("_createStamp",), "Datetime", "Created", ""),
    "_updateStamp": Column(STAMP, "datetime", ("_updateStamp",), "Datetime", "Changed", ""),
}
USERS = {
    "_createUser": Column("CREUSR", "text", ("_createUser", "_id"), "String", "Created by", "", 5),
    "_updateUser": Column("UPDUSR", "text", ("_updateUser", "_id"), "String", "Changed by", "", 5),
}
SYSTEM_COLUMNS = {**STAMP_COLUMNS, **USERS}  # on every node; the columns are inferred, strong [I]
USER_COLUMNS = frozenset(column.name for column in USERS.values())
NUMBER = r"[+-]?\d{1,60}(\.\d{1,60})?"


def identifier_column() -> Column:
    """Return the column that `_id` is compared as."""
    return Column("_id", "text", ("_id",), "String", "Identifier", "")


def decimal_text(value: Decimal | int) -> str:
    """Write a number without exponent and without zeros at the end, as Sage's samples show it [D]."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def show_datetime(value: Value) -> object:
    """Return ISO 8601 UTC with milliseconds, as Xtrem writes it [C]; null for X3's empty stamp."""
    if is_empty_date(value):
        return None
    text = str(value)
    return f"{text[:-1]}.000Z" if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text) else text


def show_date(value: Value) -> object:
    """Return the date; null for a sentinel [I]."""
    return None if is_empty_date(value) else value


def shower(column: Column) -> Show:
    """Return the function that shows a column's value. Values that do not fit their type pass as they are."""
    if column.type == "enum" or column.graphql_type == "NoYes":
        menu = column.menu
        return lambda value: _menu_name(menu, value)
    if column.type == "boolean":
        return _show_boolean
    if column.graphql_type == "Decimal":
        return lambda value: value if isinstance(value, str) else decimal_text(value)
    return {"date": show_date, "datetime": show_datetime, "integer": _show_integer}.get(column.type, str)


def _menu_name(menu: tuple[str, ...], value: Value) -> object:
    if value == 0:
        return None
    if isinstance(value, int) and 1 <= value <= len(menu):
        return menu[value - 1]
    return value


def _show_boolean(value: Value) -> object:
    if value == 0:
        return None
    return value == YES if value in {1, YES} else str(value)  # which GraphQL refuses to show


def _show_integer(value: Value) -> object:
    return int(value) if isinstance(value, Decimal) and value == value.to_integral_value() else value


def comparable(column: Column) -> Callable[[Value], object]:
    """Return the function that makes a stored value comparable with a literal; None when it is empty."""
    if column.type == "boolean" and column.graphql_type == "Boolean":
        return lambda value: value == YES if value in {1, YES} else None
    if column.type in {"enum", "boolean"}:  # 0 is "not set", which shows as null
        return lambda value: None if isinstance(value, str) or value == 0 else value
    if column.type in {"integer", "decimal"}:
        return lambda value: None if isinstance(value, str) else value
    if column.type == "date":
        return show_date
    if column.type == "datetime":
        return lambda value: None if is_empty_date(value) else str(value).removesuffix("Z")
    return str


def literal(column: Column, value: object, where: str) -> object:
    """Check a filter's literal against the column and return it in comparable form.

    Raises:
        FilterError: the literal is not of the column's type.
    """
    if value is None:
        return None
    kind = column.graphql_type if column.type != "enum" and column.graphql_type != "NoYes" else "Enum"
    return LITERALS[kind](column, value, where)


def _refuse(column: Column, value: object, where: str) -> FilterError:
    return FilterError(f"{where}: {in_words(value)} is not a value of type {column.graphql_type}")


def _number(column: Column, value: object, where: str) -> Decimal:
    if isinstance(value, str) and column.graphql_type == "Decimal":  # a Decimal may come as text [C]
        if re.fullmatch(NUMBER, value, re.ASCII) is None:
            raise _refuse(column, value, where)
        return Decimal(value)
    if not isinstance(value, Decimal) or (
        column.graphql_type == "Int" and value != value.to_integral_value()
    ):
        raise _refuse(column, value, where)
    return value


def _text(column: Column, value: object, where: str) -> str:
    if not isinstance(value, str):
        raise _refuse(column, value, where)
    return value


def _boolean(column: Column, value: object, where: str) -> bool:
    if not isinstance(value, bool):
        raise _refuse(column, value, where)
    return value


def _enum(column: Column, value: object, where: str) -> int:
    if not isinstance(value, str) or value not in column.menu:
        msg = f"{where}: {in_words(value)} is not one of {', '.join(column.menu)}"
        raise FilterError(msg)
    return column.menu.index(value) + 1


def _date(column: Column, value: object, where: str) -> str:
    text = _text(column, value, where)
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
            return dt.date.fromisoformat(text).isoformat()
    except ValueError:  # such as 2025-02-30
        raise _refuse(column, value, where) from None
    raise _refuse(column, value, where)


def _datetime(column: Column, value: object, where: str) -> str:
    text = _text(column, value, where)
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", text, re.ASCII):
        raise _refuse(column, value, where)
    try:
        moment = parse_stamp(text)
    except (ValueError, OverflowError):
        raise _refuse(column, value, where) from None
    # stored stamps are whole seconds without fraction: "…:05" sorts before "…:05.5" and before "…:06"
    return moment.replace(tzinfo=None).isoformat()


LITERALS: dict[str, Callable[[Column, object, str], object]] = {
    "Enum": _enum, "String": _text, "Int": _number, "Decimal": _number, "Boolean": _boolean,
    "Date": _date, "Datetime": _datetime,
}  # fmt: skip
