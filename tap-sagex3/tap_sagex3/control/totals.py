"""`control_totals`: documents, lines, debit and credit of the ledger, to compare with what was loaded."""

from __future__ import annotations

import logging
import typing as t
from decimal import Decimal
from itertools import islice

from tap_sagex3.control.ledger import group_rows, narrow_ledger, rows_of_line_class
from tap_sagex3.control.ledger_aggregates import aggregated
from tap_sagex3.control.stream import ControlStream
from tap_sagex3.errors import NotReadableError

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_sagex3.control.ledger import Totals
    from tap_sagex3.documents import Row
    from tap_sagex3.tap import TapSageX3

logger = logging.getLogger("tap-sagex3")

CONTROL_TOTALS = "control_totals"
LEDGER_LINES = "gl_entry_lines"
KEY = ("ledgerType", "ledger", "company", "fiscalYear", "period", "ledgerCurrency")
_AMOUNT = {"type": ["number", "null"], "multipleOf": Decimal("0.0001")}
SCHEMA: dict[str, t.Any] = {
    "type": "object",
    "properties": {
        "ledgerType": {"type": "string", "description": "Ledger type of the lines (GACCENTRYD.LEDTYP)"},
        "ledger": {"type": "string", "description": "Ledger (GACCENTRYD.LED)"},
        "company": {"type": "string", "description": "Company of the lines (GACCENTRYD.CPY)"},
        "fiscalYear": {"type": "integer", "description": "Fiscal year of the entries (GACCENTRY.FIY)"},
        "period": {"type": "integer", "description": "Period of the entries (GACCENTRY.PER)"},
        "ledgerCurrency": {
            "type": "string",
            "description": "Currency of the ledger (GACCENTRYD.CURLED): two currencies never add up",
        },
        "documents": {"type": ["integer", "null"], "description": "Number of entries with such lines"},
        "lines": {"type": ["integer", "null"], "description": "Number of lines"},
        "debitInLedgerCurrency": {
            **_AMOUNT,
            "description": "Sum of debit amounts (GACCENTRYD.AMTLED, SNS 1)",
        },
        "creditInLedgerCurrency": {
            **_AMOUNT,
            "description": "Sum of credit amounts (GACCENTRYD.AMTLED, SNS -1)",
        },
    },
    "required": list(KEY),
}


class ControlTotals(ControlStream):
    """One row a ledger type, ledger, company, fiscal year, period and ledger currency.

    It counts all lines that `gl_entry_lines` loads. GraphQL computes it where the site has a node of ledger
    lines; otherwise the tap adds up a narrow read of the lines, document by document.
    """

    def __init__(self, tap: TapSageX3) -> None:
        """Make the stream."""
        self.tap = tap
        super().__init__(tap, schema=SCHEMA, name=CONTROL_TOTALS)
        self.primary_keys = list(KEY)

    def rows(self) -> Iterator[Row]:
        """The totals, in the order of their key."""
        totals = self._totals()
        for key in sorted(totals, key=str):
            yield {**dict(zip(KEY, key, strict=True)), **totals[key].row()}

    def _totals(self) -> dict[tuple[t.Any, ...], Totals]:
        lines = next(s for s in self.tap.x3_streams() if s.name == LEDGER_LINES)
        reading, instance = self.tap.reading_of(lines).of_all(), self.tap.instance
        narrow = narrow_ledger(lines.declaration)
        if reading.api == "graphql":
            options = instance.settings.stream_options.get(CONTROL_TOTALS) or {}
            try:
                return aggregated(instance.graphql(), narrow, options)
            except NotReadableError as error:
                logger.info("The ledger is added up by the tap: %s", error)
        else:
            found = rows_of_line_class(instance, reading, narrow)
            if found is not None:
                return group_rows(found)
        rows = instance.narrow_rows(reading, narrow)
        limit = self.ABORT_AT_RECORD_COUNT
        return group_rows(rows if limit is None else islice(rows, limit))
