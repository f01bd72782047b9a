"""What `make demo` shows, step by step. Runs inside `sandbox run --`, which sets the environment.

Every step is the real thing: Meltano, both plugins and the command line run as processes; only the two
servers they speak to are stand-ins.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

import warehouse  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402
from snowflake_control import SnowflakeControl  # noqa: E402
from streams import STREAMS, table  # noqa: E402
from x3_control import X3Control  # noqa: E402

CONSOLE = Console(width=118, highlight=False)
LONG_REFERENCE = "PO confirmed by phone, see mail of 3 March"  # 42 characters; X3's column holds 20


class Demo:
    """The steps, in order; each one fails loudly when what it shows is not so."""

    def __init__(self) -> None:
        """Take both servers from the environment."""
        self.environment = dict(os.environ)
        self.x3 = X3Control(self.environment["SANDBOX_X3_URL"])
        self.snowflake = SnowflakeControl(
            self.environment["SANDBOX_SNOWFLAKE_HOST"], int(self.environment["SANDBOX_SNOWFLAKE_PORT"])
        )

    def run(self) -> None:
        """Show every step."""
        self.first_run()
        self.unchanged_run()
        order, invoice = self.change()
        self.changed_run()
        letter = self.dead_letter(order)
        self.replay(letter, order)
        self.trace(invoice)
        say("Done", "From ERP to warehouse, with every version, refusal and replay on record.")

    def first_run(self) -> None:
        """Load everything."""
        say("1. The main job: everything from Sage X3 to Snowflake")
        self.main_job()
        counts = Table("stream", "table", "rows", box=None)
        for stream in STREAMS:
            rows = warehouse.select(self.environment, f"SELECT COUNT(*) AS N FROM {table(stream)}")
            counts.add_row(stream, table(stream).replace('"', ""), str(rows[0]["N"]))
        CONSOLE.print(counts)

    def unchanged_run(self) -> None:
        """Load again when nothing changed."""
        say("2. The same again, nothing changed in X3")
        self.snowflake.clear_log()
        self.main_job()
        log = [entry for entry in self.snowflake.query_log() if entry["user"] == "LOADER"]
        awake = [entry for entry in log if entry["needs_warehouse"]]
        must(not awake, f"a run without changes used the warehouse: {awake[:1]}")
        CONSOLE.print("No record was sent, and no statement needed a warehouse: the run costs nothing.")

    def change(self) -> tuple[str, str]:
        """Change records in X3, one of them into something the warehouse must refuse."""
        say("3. People work in X3")
        self.x3.advance(60)
        linked = self.linked_invoice()
        self.x3.set("PINVOICE", linked["NUM"], {"BPRVCR": "CORRECTED-1"})
        supplier = self.x3.rows("BPSUPPLIER", 1)[0]
        self.x3.set("BPSUPPLIER", supplier["BPSNUM"], {"BPSNAM": "Décolletage Müller & Fils"})
        entry = self.x3.rows("GACCENTRY", 1)[0]
        self.x3.set("GACCENTRY", [entry["TYP"], entry["NUM"]], {"DESVCR": "Text corrected after review"})
        order = self.x3.rows("PORDER", 1)[0]["POHNUM"]
        self.x3.bad_value("PORDER", order, "ORDREF", LONG_REFERENCE)
        CONSOLE.print(
            f"Supplier {supplier['BPSNUM']}: new name. Supplier invoice {linked['NUM']}: new reference."
        )
        CONSOLE.print(f"GL entry {entry['TYP']} {entry['NUM']}: new text, which all its lines repeat.")
        CONSOLE.print(
            f"Purchase order {order}: a reference of {len(LONG_REFERENCE)} characters, the column has 20."
        )
        return order, linked["NUM"]

    def linked_invoice(self) -> dict[str, Any]:
        """Find a supplier invoice that came from an order and was posted with cost allocations."""
        allocated = {(row["TYP"], row["NUM"]) for row in self.x3.rows("GACCENTRYA")}
        ordered = {row["NUM"] for row in self.x3.rows("PINVOICED") if row["POHNUM"]}
        posted = [row for row in self.x3.rows("PINVOICE") if (row["GTE"], row["NUM"]) in allocated]
        linked = [row for row in posted if row["NUM"] in ordered]
        must(linked, "the sandbox has no posted invoice from an order with cost allocations")
        return dict(linked[0])

    def changed_run(self) -> None:
        """Load what changed."""
        say("4. The next run moves only what changed")
        before = self.history()
        last = self.main_job()
        shown = Table("stream", "what happened", "rows", box=None)
        for (stream, operation), count in self.history().items():
            if new := count - before.get((stream, operation), 0):
                shown.add_row(stream, operation, str(new))
        CONSOLE.print(shown)
        must("completed with 1 dead letter" in last, "the refused order was not reported")

    def dead_letter(self, order: str) -> str:
        """Show the refused record."""
        say("5. What was refused, and why")
        self.audit("dead-letters", "list")
        letters = warehouse.select(self.environment, 'SELECT "DEAD_LETTER_ID" FROM "AUDIT"."DEAD_LETTERS"')
        must(len(letters) == 1, f"one dead letter was expected, for order {order}")
        letter = str(letters[0]["DEAD_LETTER_ID"])
        self.audit("dead-letters", "show", letter)
        return letter

    def replay(self, letter: str, order: str) -> None:
        """Mend the cause and replay."""
        say("6. Mend the cause (a wider column), replay")
        wider = '{"purchase_orders": {"internalOrderReference": "VARCHAR(60)"}}'
        CONSOLE.print(f"column_types = {wider}", markup=False)
        self.environment["TARGET_SNOWFLAKE_AUDIT_COLUMN_TYPES"] = wider
        self.audit("dead-letters", "replay", letter)
        self.audit("trace", table("purchase_orders").replace('"', ""), order)

    def trace(self, invoice: str) -> None:
        """Follow one invoice."""
        say(f"7. Follow supplier invoice {invoice} from order to cost allocation")
        self.audit("trace", "supplier-invoice", invoice)

    def main_job(self) -> str:
        """Run Meltano as a user types it; show its summary lines and give the last line of the target."""
        command = ["meltano", "run", "tap-sagex3", "target-snowflake-audit"]
        CONSOLE.print(f"$ {' '.join(command)}", style="bold")
        started = time.monotonic()
        ended = subprocess.run(
            command, env=self.environment, cwd=ROOT, capture_output=True, text=True, check=False
        )
        lines = re.sub(r"\x1b\[[0-9;]*m", "", ended.stderr + ended.stdout).splitlines()
        if ended.returncode:
            print("\n".join(lines[-40:]))
            fail(f"meltano run ended with code {ended.returncode}")
        said = [line for line in lines if "completed" in line.lower()]
        for line in said[-4:]:
            CONSOLE.print(f"  {line[:200]}", markup=False, style="dim")
        CONSOLE.print(f"  {time.monotonic() - started:.1f} s")
        return "\n".join(said)

    def history(self) -> dict[tuple[str, str], int]:
        """Count history rows by stream and operation."""
        counted = 'SELECT "STREAM", "OPERATION", COUNT(*) AS N FROM "AUDIT"."RECORD_HISTORY"'
        sql = f"{counted} GROUP BY 1, 2 ORDER BY 1, 2"
        return {(r["STREAM"], r["OPERATION"]): r["N"] for r in warehouse.select(self.environment, sql)}

    def audit(self, *arguments: str) -> None:
        """Run `snowflake-audit` and show what it prints."""
        CONSOLE.print(f"$ snowflake-audit {' '.join(arguments)}", style="bold", markup=False)
        environment = {**self.environment, "COLUMNS": "118"}
        ended = subprocess.run(
            ["snowflake-audit", *arguments], env=environment, capture_output=True, text=True, check=False
        )
        print(ended.stdout.rstrip())
        must(ended.returncode in {0, 1}, ended.stderr)


def say(title: str, text: str = "") -> None:
    """Print the head of a step."""
    CONSOLE.print()
    CONSOLE.rule(f"[bold]{title}", align="left")
    if text:
        CONSOLE.print(text)


def must(ok: object, otherwise: str) -> None:
    """End the demo with a reason when what it shows is not so."""
    if not ok:
        fail(otherwise)


def fail(reason: str) -> NoReturn:
    """End the demo."""
    sys.exit(f"demo: {reason}")


if __name__ == "__main__":
    Demo().run()
