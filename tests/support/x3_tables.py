"""All native tables of a generated local X3, for tests of the data themselves."""

from __future__ import annotations

import typing as t
from functools import cache

from processes import server
from x3_control import Record, X3Control

TABLES = (
    *("BPSUPPLIER", "BPCUSTOMER", "ITMMASTER", "STOCK", "GACCOUNT", "GDIE", "CACCE", "PORDER", "PORDERQ"),
    *("PINVOICE", "PINVOICED", "BPSINVLIG", "SINVOICEV", "SINVOICED", "SINVOICE", "BPCINVLIG"),
    *("GACCENTRY", "GACCENTRYD", "GACCENTRYA"),
)
Tables = dict[str, list[Record]]


def load_tables(seed: int, scale: int) -> Tables:
    """Every row of every table of a server that lives no longer than this call."""
    with (
        server("local_x3", "--scale", str(scale), "--seed", str(seed)) as running,
        X3Control(running.ready["url"]) as control,
    ):
        return {table: control.rows(table) for table in TABLES}


@cache
def shared_tables(seed: int, scale: int) -> Tables:
    """The same, loaded once for all tests of a process: to be read only."""
    return load_tables(seed, scale)


def key(row: Record, *columns: str) -> tuple[t.Any, ...]:
    """The values of some columns."""
    return tuple(row[column] for column in columns)
