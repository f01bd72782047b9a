"""The SQL contract: what it lets through, what it refuses, and whether the registry is sound."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
import snowflake.connector
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st
from processes import ROOT, SANDBOX
from snowflake_account import Account, Session, account

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def _outline() -> Callable[[str], str]:
    """The function itself, from the other environment: it needs nothing of it."""
    path = SANDBOX / "local_snowflake" / "outline.py"
    spec = importlib.util.spec_from_file_location("local_snowflake_outline", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Callable[[str], str] = module.outline
    return found


outline = _outline()

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
        ("SELECT 'POINT(1 2)'::GEOGRAPHY", "type"),
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


TRICKS = [
    'DELETE FROM "T"; DROP TABLE "T"',
    'DELETE FROM "T" /* ; */ ; /* \' */ DROP TABLE "T" -- \'',
    "START TRANSACTION; DROP TABLE X",
    "BEGIN; DROP TABLE X; END",
    "BEGIN DROP TABLE X; END",
    "EXECUTE IMMEDIATE $$ DROP TABLE X $$",
    "EXECUTE IMMEDIATE 'DROP TABLE X'",
    "EXECUTE IMMEDIATE\n--\n'DROP TABLE X'",
    "CALL SYSTEM$WAIT(1)",
    "SELECT SYSTEM$WAIT(1)",
    "/* DELETE */ DROP DATABASE ANALYTICS",
    "/* SELECT 1 */ -- x\n DROP SCHEMA ANALYTICS.PUBLIC",
    "SELECT 1 /* /* */ */",
    "SELECT $$ x $$",
    "SELECT 'x",
    'SELECT "x',
    "SELECT 1 /* x",
    "SELECT * FROM T",
    'SELECT * FROM "A".T',
    "INSERT INTO T SELECT 1",
    'INSERT INTO "T" SELECT * FROM U',
    "REMOVE @~; DROP TABLE X",
    "LIST @~ /* x */ ; REMOVE @~",
    "SET X = 1",
    "UNSET X",
    'GRANT SELECT ON TABLE "T" TO ROLE "R"',
    'SELECT * FROM "T" AT (OFFSET => -60)',
    'SELECT * FROM "T", TABLE(FLATTEN("X"))',
    "SELECT * FROM @~",
    "USE SECONDARY ROLES ALL",
    "ALTER SESSION SET TIMEZONE = $$x$$",
    "ALTER USER LOADER SET RSA_PUBLIC_KEY = 'x'",
    "SHOW USERS",
    "COMMENT ON TABLE \"T\" IS 'x'",
    'WITH X AS (SELECT 1) DELETE FROM "T"',
    "\ufeffDROP TABLE X",
]


@pytest.mark.parametrize("sql", TRICKS)
def test_nothing_slips_through(bound: Session, strict: Account, sql: str) -> None:
    """Texts, comments, spacing, scripts and several statements in one text do not change the decision."""
    strict.control.clear_log()
    with pytest.raises(snowflake.connector.errors.Error) as caught:
        bound.rows(sql)
    assert caught.value.errno in {1003, 8, 2}, str(caught.value)
    assert all(entry["error"] for entry in strict.control.query_log())


HARMLESS = st.text(alphabet=st.sampled_from("'\"-/*;$@\\\n ax)(,"), max_size=12)


@settings(max_examples=300, derandomize=True, deadline=None)
@given(HARMLESS, HARMLESS, HARMLESS, HARMLESS)
def test_what_is_hidden_in_texts_names_and_comments_changes_no_outline(
    text: str, name: str, block: str, line: str
) -> None:
    quoted = "'x" + text.replace("\\", "\\\\").replace("'", "''") + "'"
    named = '"' + name.replace('"', '""') + '"'
    inside = block.replace("/", "").replace("*", "")
    comment = f"/* {inside} */ -- {' '.join(line.split())}\n"
    shape = "SELECT {text} AS {name} {comment} FROM {name}.{name} WHERE {text} = {text}"
    plain = shape.format(text="'?'", name='"A"', comment=" ")
    assert outline(shape.format(text=quoted, name=named, comment=comment)) == outline(plain)


def test_spacing_and_comments_are_of_no_account(bound: Session) -> None:
    for sql in (
        "  SELECT\t1 -- '; DROP TABLE X",
        "/* ' \" */ SELECT\n\n1 ;",
        "SELECT '--', '/*', ';', '$$', '''; DROP TABLE X' AS \"a;--b\"",
        "-- first\nSELECT 1;  ",
    ):
        assert bound.rows(sql)
