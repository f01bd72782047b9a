"""docs/sandbox.md is made from the declared rules, and each rule names a test that there is."""

from __future__ import annotations

import re

import sandbox_docs
from processes import ROOT
from sandbox_docs import Rule


def every_rule() -> list[tuple[str, Rule]]:
    return [(table.name, rule) for table in sandbox_docs.tables() for rule in table.rules]


def test_the_page_is_in_step_with_the_rules() -> None:
    assert sandbox_docs.PAGE.read_text(encoding="utf-8") == sandbox_docs.current_text(), "run `make generate`"


def test_each_rule_has_an_id_of_its_own_and_a_mark() -> None:
    rules = every_rule()
    ids = [rule.id for _, rule in rules]
    assert sorted({each for each in ids if ids.count(each) > 1}) == []
    assert [
        f"{name}: {rule.id}" for name, rule in rules if not re.search(r"(?<!\w)[DCI?](?!\w)", rule.mark)
    ] == []


def test_each_rule_says_where_it_comes_from() -> None:
    known = sandbox_docs.sources()
    unknown = [
        f"{name}: {rule.id}: {part}"
        for name, rule in every_rule()
        for part in (item.strip() for item in rule.source.split(","))
        if not (part.startswith("/") or part in known or part == sandbox_docs.STRICTER)
    ]
    assert unknown == []


def test_the_tests_that_rules_name_exist() -> None:
    missing = []
    for name, rule in every_rule():
        for node in rule.tests:
            file, _, function = node.partition("::")
            path = ROOT / file
            if not path.is_file() or function.partition("[")[0] not in sandbox_docs.defined_tests(path):
                missing.append(f"{name}: {rule.id}: {node}")
    assert missing == []


def test_every_table_of_rules_names_tests_or_holds_probes() -> None:
    bare = [
        f"{table.name}: {rule.id}"
        for table in sandbox_docs.tables()
        for rule in table.rules
        if not rule.tests and not (sandbox_docs.PROBES / f"{table.name}.toml").is_file()
    ]
    assert bare == []
