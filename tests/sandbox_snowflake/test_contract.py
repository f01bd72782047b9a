"""The SQL contract: what it lets through, what it refuses, and whether the registry is sound."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
import snowflake.connector
import sqlglot
from processes import ROOT
from snowflake_account import Account, Session, account

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = ROOT / "tests" / "contract"


def _entries() -> Iterator[tuple[str, dict[str, Any]]]:
    for file in sorted(FOLDER.glob("*.toml")):
        for kind, entries in tomllib.loads(file.read_text(encoding="utf-8")).items():
            for entry in entries:
                yield kind, entry


ENTRIES = list(_entries())


def _name(value: str | dict[str, Any]) -> str:
    return str(value["id"]) if isinstance(value, dict) else value


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with account("--secrets-dir", str(tmp_path_factory.mktemp("secrets"))) as running:
        yield running


@pytest.fixture(scope="module")
def bound(strict: Account) -> Iterator[Session]:
    """One session for all examples: whether the contract lets them through depends on nothing else."""
    with strict.session() as session:
        yield session


def _refusal(session: Session, sql: str) -> str:
    """Why the contract refuses a statement; empty when it does not."""
    try:
        session.rows(sql)
    except snowflake.connector.errors.Error as error:
        text = str(error)
        return text if "SQL contract" in text else ""
    return ""


def test_the_registry_is_sound() -> None:
    assert {kind for kind, _ in ENTRIES} <= {"statement", "function", "type", "clause"}
    identifiers = [(kind, entry["id"]) for kind, entry in ENTRIES]
    assert len(identifiers) == len(set(identifiers))
    for kind, entry in ENTRIES:
        assert entry["page"].startswith("https://docs.snowflake.com/en/"), entry["id"]
        assert all(len(entry[name]) > 5 for name in ("rule", "why")), entry["id"]
        if kind == "statement":
            re.compile(entry["shape"])
            text = entry["example"].strip()
            if not re.match(r"REMOVE|RM|LIST|SHOW|USE SECONDARY", text):
                assert not isinstance(sqlglot.parse_one(text, read="snowflake"), sqlglot.exp.Command), text


@pytest.mark.parametrize(("kind", "entry"), ENTRIES, ids=_name)
def test_every_example_is_let_through(bound: Session, kind: str, entry: dict[str, Any]) -> None:
    example = entry["example"].strip()
    sql = example
    if kind == "type":
        sql = f"SELECT CAST(NULL AS {example})"
    elif kind == "function" and not example.upper().startswith("SELECT"):
        sql = f"SELECT {example}"
    assert _refusal(bound, sql) == ""


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("SELECT SOUNDEX('a')", "function SOUNDEX"),
        ("SELECT '2026-01-02'::TIMESTAMP_TZ", "type"),
        ("CREATE DATABASE X", "CREATE DATABASE"),
        ('DROP SCHEMA "ANALYTICS"."X"', "DROP SCHEMA"),
        ("INSERT INTO T VALUES (1)", "INSERT"),
        ('COPY INTO "T" FROM @~ FILE_FORMAT = (TYPE = PARQUET)', "COPY"),
        ("EXECUTE IMMEDIATE 'x'", ""),
        ('SELECT * FROM "T" TABLESAMPLE (1)', "TableSample"),
        ('ALTER TABLE "T" SWAP WITH "U"', "ALTER TABLE"),
        ('ALTER TABLE "T" ADD COLUMN "A" GEOGRAPHY', "GEOGRAPHY"),
    ],
)
def test_everything_else_is_refused_with_what_is_missing(strict: Account, sql: str, named: str) -> None:
    with strict.session() as session, pytest.raises(snowflake.connector.errors.ProgrammingError) as caught:
        session.rows(sql)
    assert named in str(caught.value)
    if named:
        assert caught.value.errno == 1003
        assert "tests/contract" in str(caught.value)


def test_an_administrator_is_not_bound(strict: Account) -> None:
    with strict.admin() as session:
        assert session.rows("CREATE DATABASE IF NOT EXISTS X")
        assert session.value("SELECT LENGTH(REPEAT('a', 3))") == 3
