"""Analytical dimensions: X3 has numbered pairs of type and value; columns are named by type. Pure."""

from __future__ import annotations

import re
import typing as t

from tap_sagex3.errors import SettingsError

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tap_sagex3.declarations import DimensionColumns

VALUE_LENGTH = 15
"""Longest dimension code of X3."""


def column_name(code: str, names: Mapping[str, str]) -> str:
    """Column of a dimension type: the configured name, else `dimension` and the code in camel case.

    >>> column_name("CCT", {})
    'dimensionCct'
    """
    if code in names:
        return names[code]
    words = re.findall(r"[^\W_]+", code)
    return "dimension" + "".join(word.capitalize() for word in words)


def dimension_columns(codes: Iterable[str], names: Mapping[str, str], taken: Iterable[str]) -> dict[str, str]:
    """Column by dimension type, in the order of the codes.

    Raises:
        SettingsError: two types would get one column, or a column exists already.
    """
    used = dict.fromkeys(taken, "a field of the stream")
    columns: dict[str, str] = {}
    for code in sorted(set(codes)):
        column = column_name(code, names)
        if column in used:
            msg = (
                f"Dimension type {code!r} would become column {column!r}, already taken by {used[column]}: "
                "choose another name in setting dimension_names."
            )
            raise SettingsError(msg)
        used[column] = f"dimension type {code!r}"
        columns[code] = column
    return columns


def numbered_columns(columns: DimensionColumns) -> list[tuple[int, str, str]]:
    """Index (from 1), type column and value column of each pair: (1, DIE1, CCE1), ..."""
    return [(n, f"{columns.type}{n}", f"{columns.value}{n}") for n in range(1, columns.count + 1)]
