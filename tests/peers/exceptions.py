"""The registered exceptions: tests that must fail, in one known way, as on the real Snowflake."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .suite import Outcome

FILE = Path(__file__).with_name("exceptions.toml")


@dataclass(frozen=True)
class Exempt:
    """One test, the error that it must end with, and why the real Snowflake gives it too."""

    test: str
    code: int
    sqlstate: str
    statement: str
    page: str
    upstream: str
    rule: str
    proof: str

    def fits(self, outcome: Outcome) -> bool:
        """Whether the test failed exactly in this way."""
        told = (outcome.code, outcome.sqlstate) == (self.code, self.sqlstate)
        return not outcome.passed and told and outcome.statement.startswith(self.statement)


def registered() -> dict[str, Exempt]:
    """The exceptions by test."""
    listed = tomllib.loads(FILE.read_text(encoding="utf-8"))["exception"]
    return {item["test"]: Exempt(**item) for item in listed}


def complaint(outcome: Outcome, known: dict[str, Exempt]) -> str:
    """Say what is wrong with a test on our local Snowflake; nothing when it is as it must be."""
    exempt = known.get(outcome.test)
    if exempt is None:
        return "" if outcome.good else outcome.wrong or f"{outcome.code}: {outcome.message}"
    if outcome.passed:
        return "registered as an exception, but passes"
    return "" if exempt.fits(outcome) else f"not the registered error: {outcome.code}: {outcome.message}"
