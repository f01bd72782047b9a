"""The tables of docs/sandbox.md, made from the declared rules of the two stand-ins.

`tests/sandbox/rules/*.toml` holds [[rule]] and [[gap]] entries, `tests/sandbox_snowflake/probes/*.toml` holds
[[probe]] entries, which are rules that carry their own statements. Run as a program to write the tables.
"""

from __future__ import annotations

import ast
import json
import tomllib
import typing as t
from dataclasses import dataclass, field
from functools import cache

from processes import ROOT
from readme_tables import with_table

if t.TYPE_CHECKING:
    from pathlib import Path

PAGE = ROOT / "docs" / "sandbox.md"
RULES = ROOT / "tests" / "sandbox" / "rules"
PROBES = ROOT / "tests" / "sandbox_snowflake" / "probes"
SOURCES = RULES / "sources.toml"
STOCK = PROBES / "stock.json"
SNOWFLAKE_PAGES = "https://docs.snowflake.com/en"
STRICTER = "stricter reading"


@dataclass(frozen=True)
class Rule:
    """One rule: what it says, how sure it is, where it is from, which test fails without it."""

    id: str
    rule: str
    mark: str
    source: str
    tests: tuple[str, ...]
    stock: str = ""


@dataclass(frozen=True)
class Gap:
    """What could not be restored, and what happens instead."""

    what: str
    instead: str
    why: str


@dataclass
class Table:
    """The rules of one file."""

    name: str
    title: str
    text: str = ""
    rules: list[Rule] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)


def tables() -> list[Table]:
    """Every table: the rules' files, then the probes'."""
    found = [_rules(path) for path in sorted(RULES.glob("*.toml")) if path != SOURCES]
    return sorted(found, key=lambda table: table.title) + [
        _probes(path) for path in sorted(PROBES.glob("*.toml"))
    ]


def sources() -> dict[str, str]:
    """The public sources by their tags."""
    return dict(tomllib.loads(SOURCES.read_text(encoding="utf-8"))["sources"])


def current_text() -> str:
    """The page as it should be."""
    text = PAGE.read_text(encoding="utf-8")
    every = tables()
    text = with_table(text, "rules", "\n\n".join(_section(table) for table in every if table.rules))
    text = with_table(text, "gaps", _gaps([gap for table in every for gap in table.gaps]))
    return with_table(text, "sources", _sources(every))


def defined_tests(path: Path) -> frozenset[str]:
    """The names of the test functions in a file."""
    return _defined(path)


@cache
def _defined(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef))
    return frozenset(node.name for node in functions)


def _rules(path: Path) -> Table:
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    table = Table(path.stem, raw["title"], raw.get("text", ""))
    for item in raw.get("rule", []):
        named = item["test"]
        tests = (named,) if isinstance(named, str) else tuple(named)
        table.rules.append(
            Rule(item["id"], item["rule"], item["mark"], item["source"], tests, item.get("stock", ""))
        )
    table.gaps = [Gap(item["what"], item["instead"], item["why"]) for item in raw.get("gap", [])]
    return table


def _probes(path: Path) -> Table:
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    stock = json.loads(STOCK.read_text(encoding="utf-8")) if STOCK.exists() else {}
    table = Table(path.stem, f"Local Snowflake, SQL: {path.stem}")
    for item in raw["probe"]:
        table.rules.append(
            Rule(item["id"], item["rule"], item["mark"], item["page"], (), stock.get(item["id"], ""))
        )
    return table


def _section(table: Table) -> str:
    with_stock = any(rule.stock for rule in table.rules)
    head = ["rule", "source", *(["stock fakesnow"] if with_stock else [])]
    lines = [f"### {table.title}", ""]
    if table.text:
        lines += [table.text.strip(), ""]
    lines += ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for rule in table.rules:
        cells = [rule.rule, f"[{rule.mark}] {_source(rule.source)}", *([rule.stock] if with_stock else [])]
        lines.append("| " + " | ".join(_cell(cell) for cell in cells) + " |")
    return "\n".join(lines)


def _source(text: str) -> str:
    """A page of Snowflake's documentation as a link; tags as they are."""
    parts = [part.strip() for part in text.split(",")]
    return ", ".join(f"[{part}]({SNOWFLAKE_PAGES}{part})" if part.startswith("/") else part for part in parts)


def _gaps(gaps: list[Gap]) -> str:
    lines = ["| what | instead | why |", "|---|---|---|"]
    return "\n".join(
        lines + ["| " + " | ".join(map(_cell, (gap.what, gap.instead, gap.why))) + " |" for gap in gaps]
    )


def _sources(every: list[Table]) -> str:
    known = sources()
    used = {part.strip() for table in every for rule in table.rules for part in rule.source.split(",")}
    return "\n".join(f"* {tag}: {known[tag]}" for tag in sorted(used & known.keys()))


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(current_text(), encoding="utf-8")
