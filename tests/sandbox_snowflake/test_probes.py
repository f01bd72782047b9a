"""Every probe of a Snowflake rule, through both connectors, against the local Snowflake."""

from __future__ import annotations

import json
import re
import tomllib

import pytest
from probes import PYTHONS, STOCK, Probe, connection, judged, listed, load, run
from processes import ROOT, server

PROBES = load()


# What a connector has a part in: files, bind values, types, settings of a session. And some of the others.
OWN = ("files", "binds", "many", "types", "connect", "session_parameters", "only")
OF_A_CONNECTOR = [probe for at, probe in enumerate(PROBES) if at % 5 == 0 or not probe.keys().isdisjoint(OWN)]


@pytest.mark.parametrize(
    ("connector", "probes"),
    [
        ("5.x", PROBES),
        ("4.8", OF_A_CONNECTOR),
        pytest.param("4.8", PROBES, marks=pytest.mark.full),
    ],
    ids=["5.x", "4.8, its own", "4.8"],
)
def test_probes(connector: str, probes: list[Probe], tmp_path_factory: pytest.TempPathFactory) -> None:
    """All of them through the workspace's connector; the rules of SQL do not depend on the connector."""
    secrets = str(tmp_path_factory.mktemp("secrets"))
    with server("local_snowflake", "--contract", "off", "--secrets-dir", secrets) as running:
        outcomes = run(probes, PYTHONS[connector], connection(running.ready))
        assert "Traceback" not in running.log_text()
    assert not (failures := judged(probes, outcomes, connector)), listed(failures)


def test_probes_are_well_formed() -> None:
    names = [probe["id"] for probe in PROBES]
    assert len(set(names)) == len(names)
    for probe in PROBES:
        assert re.fullmatch(r"sf(-[a-z0-9]+)+", probe["id"])
        assert probe["rule"].endswith(".")
        assert probe["page"].startswith("/")
        assert re.match(r"[DCI?]|stricter reading", probe["mark"])
        assert {"rows", "types", "names", "rowcount", "error", "refused"} & probe.keys(), probe["id"]


def test_every_entry_of_the_contract_has_a_probe_of_its_meaning() -> None:
    entries = {
        entry["id"]
        for file in (ROOT / "tests" / "contract").glob("*.toml")
        for listed_entries in tomllib.loads(file.read_text(encoding="utf-8")).values()
        for entry in listed_entries
    }
    probed = {name for probe in PROBES for name in probe.get("contract", [])}
    assert probed == entries


# Corrections that must be proven by a probe which stock fakesnow 0.12.1 fails. What one session cannot show
# (a second writer that waits, locks of a killed client, LOCK_TIMEOUT, grants, logins, several connections on
# one database) and what connector 4.8 cannot (the login fields that 5.x insists on, region and headers of an
# upload; stock fakesnow takes no login of 5.x) has tests of its own beside this one.
CORRECTIONS = {
    "the user's stage": ["sf-stage-put-user"],
    "quoted stage references": ["sf-stage-put-quoted"],
    "LIST of a path": ["sf-stage-list", "sf-stage-list-folder", "sf-stage-list-pattern"],
    "REMOVE": ["sf-stage-remove"],
    "DROP STAGE": ["sf-stage-drop"],
    "COPY with transforms": ["sf-stage-copy-select", "sf-stage-json-select"],
    "load history keyed by content": ["sf-stage-copy-changed"],
    "MERGE in a transaction": ["sf-merge-rollback"],
    "duplicate source rows": ["sf-merge-duplicate-source"],
    "MERGE expressions": ["sf-merge-expressions"],
    "DDL commits": ["sf-tx-ddl-commits", "sf-tx-ddl-stays", "sf-tx-temporary-commits"],
    "nested BEGIN": ["sf-tx-nested-begin"],
    "keys are not enforced": ["sf-table-primary-key", "sf-table-unique"],
    "NOT NULL": ["sf-table-not-null"],
    "VARCHAR(n)": ["sf-type-varchar-length", "sf-alter-add-length", "sf-merge-length"],
    "number out of range": ["sf-type-number-range"],
    "int to varchar, narrowing": ["sf-alter-number-to-text", "sf-alter-varchar-shorter"],
    "error numbers": ["sf-err-missing-column", "sf-err-missing-function", "sf-q-division-by-zero"],
    "QUERY_TAG": ["sf-session-query-tag"],
    "session parameters": ["sf-session-several", "sf-session-timezone"],
    "quoted identifiers": ["sf-name-lower-table", "sf-name-lower-column", "sf-name-upper-column"],
    "NUMBER(38,s)": ["sf-type-number-38"],
    "VARIANT as clients get it": ["sf-fn-parse-json-fetch"],
}


def test_each_correction_is_proven_by_a_probe_that_stock_fakesnow_fails() -> None:
    stock = json.loads(STOCK.read_text(encoding="utf-8"))
    assert stock.keys() == {probe["id"] for probe in PROBES}, "run `make probes`"
    needless = {name: ids for name, ids in CORRECTIONS.items() if all(stock[i] == "right" for i in ids)}
    assert not needless
