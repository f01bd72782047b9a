from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import sqlglot
from processes import run_command
from target_snowflake_audit.audit.views import VIEWS

if TYPE_CHECKING:
    from audit_rows import Writer

NAMES = ("--database", "ANALYTICS", "--warehouse", "LOAD_WH", "--user", "LOADER")
ONCE = re.compile(
    r"CREATE \w+ IF NOT EXISTS |CREATE OR REPLACE VIEW |GRANT |ALTER TABLE \S+ ADD COLUMN IF NOT EXISTS "
)


def init_sql(*arguments: str) -> tuple[int, str, str]:
    ended = run_command(["snowflake-audit", "init-sql", *arguments])
    return ended.returncode, ended.stdout.decode(), ended.stderr.decode()


def test_it_needs_no_setting_and_each_statement_may_be_run_again() -> None:
    code, text, errors = init_sql(*NAMES)
    assert (code, errors) == (0, "")
    made = sqlglot.parse(text, dialect="snowflake")
    assert len(made) > 40
    assert "MANAGE GRANTS" in text.partition("\n\n")[0], "what hands ownership over must have"
    _, document, _ = init_sql(*NAMES, "--json")
    statements = json.loads(document)["statements"]
    assert [s for s in statements if not ONCE.match(s)] == []
    assert all(f"{statement};\n" in text for statement in statements)


def test_the_loader_may_only_insert_into_and_read_the_audit_tables() -> None:
    _, document, _ = init_sql(*NAMES, "--json")
    grants = [
        re.match(r"GRANT (.+) ON TABLE (\S+) TO ROLE \"SAGEX3_LOADER\"$", statement)
        for statement in json.loads(document)["statements"]
    ]
    given = {found[2]: found[1] for found in grants if found}
    assert '"ANALYTICS"."AUDIT"."RECORD_HISTORY"' in given
    assert given.pop('"ANALYTICS"."AUDIT"."CHECKPOINTS"') == "SELECT"
    assert set(given.values()) == {"SELECT, INSERT"}


def test_who_administers_objects_does_not_inherit_the_right_to_change_the_trail() -> None:
    _, text, _ = init_sql(*NAMES)
    for role in ("LOADER", "REVIEWER", "APPROVER", "AUDITOR"):
        assert f'GRANT ROLE "SAGEX3_{role}" TO ROLE SYSADMIN;' in text
    for role in ("OWNER", "PURGER"):
        assert f'GRANT ROLE "SAGEX3_{role}" TO ROLE ACCOUNTADMIN;' in text
        assert f'GRANT ROLE "SAGEX3_{role}" TO ROLE SYSADMIN;' not in text


def test_roles_are_granted_to_the_people_named() -> None:
    code, text, _ = init_sql(*NAMES, "--member", "purger=ann", "--member", "approver=bob")
    assert code == 0
    assert 'GRANT ROLE "SAGEX3_PURGER" TO USER "ANN";' in text
    assert 'GRANT ROLE "SAGEX3_APPROVER" TO USER "BOB";' in text


@pytest.mark.parametrize("role", ["LOADER", "REVIEWER", "APPROVER", "AUDITOR", "PURGER"])
def test_every_role_may_open_a_session_of_the_programs(role: str) -> None:
    _, text, _ = init_sql(*NAMES)
    for schema in ("AUDIT", "AUDIT_LOCK"):
        assert re.search(rf'GRANT USAGE.* ON SCHEMA "ANALYTICS"."{schema}" TO ROLE "SAGEX3_{role}";', text)
    assert f'GRANT USAGE ON WAREHOUSE "LOAD_WH" TO ROLE "SAGEX3_{role}";' in text


def test_run_again_it_keeps_what_others_were_granted_on_the_views(writer: Writer) -> None:
    """The local Snowflake was set up by this script already."""
    writer.run("CREATE ROLE FINANCE_READERS")
    for view in VIEWS:
        writer.run(f'GRANT SELECT ON VIEW "AUDIT"."{view.name}" TO ROLE FINANCE_READERS')
    _, document, _ = init_sql(*NAMES, "--json")
    for statement in json.loads(document)["statements"]:
        writer.run(statement)
    kept = [row for row in writer.run("SHOW GRANTS TO ROLE FINANCE_READERS") if "SELECT" in row]
    assert len(kept) == len(VIEWS)


def test_names_are_stored_as_snowflake_would_and_quoted_ones_keep_their_case() -> None:
    options = ("--database", "fin", "--warehouse", "wh", "--user", '"etl User"', "--role-prefix", "fi")
    code, text, _ = init_sql(*options, "--audit-schema", "trail", "--schema", "ledger")
    assert code == 0
    assert 'GRANT ROLE "FI_LOADER" TO USER "etl User"' in text
    assert 'CREATE SCHEMA IF NOT EXISTS "FIN"."LEDGER"' in text
    assert '"FIN"."TRAIL_LOCK"."LOAD"' in text


def test_a_quote_in_a_name_cannot_end_the_identifier() -> None:
    code, text, _ = init_sql("--database", 'A"; DROP DATABASE B; --', "--warehouse", "W", "--user", "U")
    assert code == 0
    assert 'CREATE DATABASE IF NOT EXISTS "A""; DROP DATABASE B; --"' in text


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (NAMES[:4], "Missing option '--user'"),
        (("--database", "", *NAMES[2:]), "not a Snowflake identifier: ''"),
        ((*NAMES, "--what"), "No such option"),
        ((*NAMES, "--member", "boss=ANN"), "expected ROLE=USER"),
    ],
)
def test_bad_options_end_with_code_2_and_a_reason(arguments: tuple[str, ...], complaint: str) -> None:
    code, text, errors = init_sql(*arguments)
    assert (code, text) == (2, "")
    assert complaint in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize("arguments", ["--help", "--version", "init-sql --help"])
def test_help_imports_neither_connector_nor_sdk(arguments: str) -> None:
    program = (
        "import sys; sys.argv = ['snowflake-audit', *sys.argv[1:]]\n"
        "from target_snowflake_audit.cli.__main__ import main\n"
        "try: main()\n"
        "finally: print([m for m in sys.modules if m in ('snowflake', 'singer_sdk', 'cryptography')])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, *arguments.split()], capture_output=True, text=True, check=True
    )
    assert ended.stdout.endswith("[]\n")
