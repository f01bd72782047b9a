"""No value of a record passes through a binary float: what the tap's code may and may not call."""

from __future__ import annotations

import ast
import typing as t
from decimal import Decimal
from pathlib import Path

import tap_sagex3
from tap_runs import catalog_of, run_tap

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_runs import Config
    from x3_control import X3Control

PACKAGE = Path(tap_sagex3.__file__).parent
SECONDS_ONLY = {"auth/gateway.py", "web/retries.py"}
"""Files that make a float of a number of seconds: the life of a token, Retry-After."""
FACTORS = [Decimal("0.000000001"), Decimal("12345678901.123456789"), Decimal("0.100000001")]
"""With nine decimals, of which Python writes the first as 1E-9."""
WIDE = [Decimal("12345678901234567.1234"), Decimal("-0.0001"), Decimal("99999999999999999.9999")]


def calls() -> Iterator[tuple[str, ast.Call, str]]:
    """Each call in the package: its file, and the name of what is called."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield path.relative_to(PACKAGE).as_posix(), node, ast.unparse(node.func)


def floats() -> Iterator[str]:
    """Each file that uses the type `float` as a value: called, given to a function, or compared with."""
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        parts = (getattr(node, name, None) for node in ast.walk(tree) for name in ("annotation", "returns"))
        types = {id(name) for part in parts if part is not None for name in ast.walk(part)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and node.id == "float" and id(node) not in types:
                yield path.relative_to(PACKAGE).as_posix()


def test_only_seconds_are_floats() -> None:
    assert set(floats()) == SECONDS_ONLY


def test_json_is_decoded_with_decimals_only() -> None:
    for file, call, name in calls():
        if name in {"json.loads", "json.load", "simplejson.loads", "response.json"}:
            msg = f"{file}:{call.lineno} decodes JSON with {name}"
            raise AssertionError(msg)
        if name == "msgspec.json.Decoder" and file != "auth/token_store.py":
            hooks = {word.arg: ast.unparse(word.value) for word in call.keywords}
            assert hooks.get("float_hook") == "Decimal", file
        if name == "msgspec.json.decode":
            assert file == "auth/token_store.py"
        if name == "msgspec.json.Encoder":
            hooks = {word.arg: ast.unparse(word.value) for word in call.keywords}
            assert hooks.get("decimal_format") == "'number'", file


def test_wide_amounts_arrive_digit_by_digit(config: Config, x3: X3Control) -> None:
    """Through both APIs, with and without stream maps that pass records on."""
    catalog = catalog_of(config, "gl_entry_lines")
    keys = [[line[n] for n in ("TYP", "NUM", "LIN", "LEDTYP")] for line in x3.rows("GACCENTRYD", limit=3)]
    try:
        for key, amount in zip(keys, WIDE, strict=True):
            x3.set("GACCENTRYD", key, {"AMTLED": amount})
        for maps in ({}, {"gl_entry_lines": {"__filter__": "lineNumber >= 0"}}):
            run = run_tap({**config, "stream_maps": maps}, catalog=catalog)
            amounts = [record["amountInLedgerCurrency"] for record in run.records("gl_entry_lines")]
            assert set(WIDE) <= {Decimal(amount) for amount in amounts}
    finally:
        x3.reset()


def test_factors_arrive_digit_by_digit_through_lists_read_as_pages(config: Config, x3: X3Control) -> None:
    """A list of REST is decoded by columns, GraphQL gives texts."""
    catalog = catalog_of(config, "products")
    keys = [row["ITMREF"] for row in x3.rows("ITMMASTER", limit=len(FACTORS))]
    try:
        for key, factor in zip(keys, FACTORS, strict=True):
            x3.set("ITMMASTER", key, {"PUUSTUCOE": factor})
        run = run_tap(config, catalog=catalog)
        name = "purchaseUnitToStockUnitConversionFactor"
        found = {record["code"]: record[name] for record in run.records("products")}
        assert [found[key] for key in keys] == FACTORS
    finally:
        x3.reset()
