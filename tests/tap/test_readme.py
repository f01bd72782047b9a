from __future__ import annotations

import pytest
from processes import ROOT
from readme_tables import is_current, settings_table, with_table
from streams import STREAMS
from tap_sagex3.settings import PROPERTIES

README = (ROOT / "tap-sagex3" / "README.md").read_text(encoding="utf-8")


def test_the_tables_are_those_of_the_program() -> None:
    assert is_current("tap-sagex3"), "run: .venv/bin/python tests/support/readme_tables.py tap-sagex3"


def test_each_stream_and_each_setting_is_described() -> None:
    assert [name for name in (*STREAMS, *PROPERTIES) if f"`{name}`" not in README] == []


def test_a_table_goes_between_its_markers_only() -> None:
    text = "a\n<!-- settings -->\nold\n<!-- end of settings -->\nb"
    assert with_table(text, "settings", "new") == "a\n<!-- settings -->\nnew\n<!-- end of settings -->\nb"
    with pytest.raises(ValueError, match="found 0"):
        with_table("nothing", "settings", "new")


def test_a_table_tells_what_a_setting_is() -> None:
    table = settings_table(
        {
            "required": ["a"],
            "properties": {
                "a": {"type": "string", "description": "One | two"},
                "b": {"type": ["integer", "null"], "default": 5, "description": "B."},
                "c": {"type": ["string", "null"], "secret": True, "description": "C."},
                "d": {"type": ["string", "null"], "enum": ["x", "y", None], "default": "x"},
            },
        }
    )
    assert table.splitlines()[2:] == [
        "| `a` (required) | string |  | One \\| two |",
        "| `b` | integer | `5` | B. |",
        "| `c` | string, secret |  | C. |",
        '| `d` | `x`, `y` | `"x"` |  |',
    ]
