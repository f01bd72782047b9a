"""What the console writes where an output lacks a character, and how it ends on an unexpected error."""

from __future__ import annotations

import io
import json
import sys

import pytest
from processes import run_command
from target_snowflake_audit.cli import __main__ as command
from target_snowflake_audit.cli.app import app
from target_snowflake_audit.cli.output import Column, print_all, print_json, table, writable

KEY = "Ω1 é 😀"


ENCODINGS = pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])


def output(monkeypatch: pytest.MonkeyPatch, encoding: str) -> io.BytesIO:
    """What arrives at an output of some encoding."""
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding, write_through=True))
    writable(sys.stdout)
    return raw


@ENCODINGS
def test_a_table_is_written_in_any_encoding(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    written = output(monkeypatch, encoding)
    print_all([table("Keys", [Column("Key", "key")], [{"key": KEY}])])
    text = written.getvalue().decode(encoding)
    assert KEY in text or "\\u03a91 " in text


@ENCODINGS
def test_json_stays_json_in_any_encoding(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    written = output(monkeypatch, encoding)
    print_json({"key": KEY})
    assert json.loads(written.getvalue().decode(encoding)) == {"key": KEY}


def test_sql_is_not_changed_but_refused() -> None:
    arguments = ["init-sql", "--database", "Ω", "--warehouse", "W", "--user", "U"]
    ended = run_command(["snowflake-audit", *arguments], env={"PYTHONIOENCODING": "ascii"})
    assert (ended.returncode, ended.stdout) == (2, b"")
    assert b"PYTHONIOENCODING=utf-8" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (KeyError("secret"), "snowflake-audit: KeyError (test_output.py, line "),
        (OSError(28, "No space left on device"), "snowflake-audit: [Errno 28] No space left on device"),
    ],
)
def test_what_nobody_expected_is_one_line_and_code_2(
    error: Exception, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(app, "main", fail)
    with pytest.raises(SystemExit) as ended:
        command.main()
    shown = capsys.readouterr().err
    assert (ended.value.code, len(shown.splitlines())) == (2, 1)
    assert shown.startswith(told)
    assert "secret" not in shown

    monkeypatch.setenv("TARGET_SNOWFLAKE_AUDIT_LOGLEVEL", "debug")
    with pytest.raises(SystemExit):
        command.main()
    assert "Traceback" in capsys.readouterr().err
