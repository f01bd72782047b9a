"""`verify --anchors`: files as people have them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from target_snowflake_audit.audit.tips import Tip
from target_snowflake_audit.cli.errors import CommandError
from target_snowflake_audit.cli.verify import _tips

if TYPE_CHECKING:
    from pathlib import Path

TIPS = [Tip("ANALYTICS.PURCHASING.Ä", 3, "1:ab"), Tip("run:x", 1, "1:cd")]
TEXT = f"2026 INFO Chain tip {TIPS[0].line(None)}\r\n\r\n   \nChain tip {TIPS[1].line(None)}\n\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-mark", "utf-16-be-mark"])
def test_blank_lines_are_no_tips_and_marked_encodings_are_read(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "tips.log"
    plain = encoding.removesuffix("-mark")
    file.write_bytes(("" if plain == encoding else "\ufeff").encode(plain) + TEXT.encode(plain))
    assert _tips(file) == TIPS


@pytest.mark.parametrize("data", [TEXT.encode("latin-1"), b"\xff\xfeC"])
def test_another_encoding_is_an_error_of_one_line(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "tips.log"
    file.write_bytes(data)
    with pytest.raises(CommandError, match=re.escape(f"--anchors {file}: not UTF-8, nor UTF-16")):
        _tips(file)


@pytest.mark.parametrize("line", ["no tip", "{}", "{not json}", '{"chain":"x","number":1e400,"digest":"d"}'])
def test_a_line_that_is_no_tip_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "tips.log"
    file.write_text(f"\n{line}\n")
    with pytest.raises(CommandError, match="line 2: expected `Chain tip`"):
        _tips(file)
