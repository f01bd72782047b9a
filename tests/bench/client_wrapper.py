"""Runs our target with a stand-in for Snowflake's connector that answers every statement at once.

`client_wrapper.py CONFIG FIGURES [sample] < singer`, in the environment of our plugins. Everything but
Snowflake is real: reading, checks, encoding, compression, files. The stand-in answers as if all rows were
new; what COPY and MERGE say it takes from the file that the client made. FIGURES gets the seconds from the
first line to the end of the run, those of the processor, and with `sample` where they went.
"""

from __future__ import annotations

import json
import re
import resource
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import snowflake.connector
from target_snowflake_audit.audit import tables as audit
from target_snowflake_audit.reading.reader import MessageReader
from target_snowflake_audit.singer_command import run_singer
from target_snowflake_audit.sql.later import OPEN_LETTERS
from target_snowflake_audit.staging.files import BatchFile

if TYPE_CHECKING:
    from types import FrameType

Rows = list[tuple[Any, ...]]

SCHEMA_NAME = "FINANCE"


class Warehouse:
    """What the stand-in must remember: the columns of made tables, and the lines of each session's file."""

    tables: dict[str, Rows]
    lines_of: dict[Path, int]

    def __init__(self) -> None:
        """Nothing is there."""
        self.tables = {}
        self.lines_of = {}

    def watch(self) -> None:
        """Note the lines of each file when the client closes it, so that COPY need not count them."""
        close = BatchFile.close

        def noted(file: BatchFile) -> None:
            self.lines_of[file.path.resolve()] = file.lines
            close(file)

        setattr(BatchFile, "close", noted)  # noqa: B010 - mypy takes it for a method of this class


WAREHOUSE = Warehouse()


class Cursor:
    """Answers at once."""

    sfqid = "stand-in"

    def __init__(self) -> None:
        """Nothing was asked."""
        self.description: list[tuple[str]] = []
        self.rowcount = 1
        self._rows: Rows = []
        self._lines = 0

    def execute(self, sql: str, **_: object) -> None:
        """Make the answer to a statement."""
        self.rowcount = 1
        self.description, self._rows = [], []
        for form, answer in ANSWERS:
            if found := re.match(form, sql):
                columns, self._rows = answer(self, found, sql)
                self.description = [(column,) for column in columns]
                return

    def fetchall(self) -> Rows:
        """Give the rows."""
        return self._rows

    def put(self, found: re.Match[str], _: str) -> tuple[list[str], Rows]:
        """Remember how many lines the file has."""
        self._lines = WAREHOUSE.lines_of[Path(found[1])]
        return [], []

    def copied(self, *_: object) -> tuple[list[str], Rows]:
        """All lines were loaded."""
        return ["rows_loaded"], [(self._lines,)]

    def counted(self, found: re.Match[str], _: str) -> tuple[list[str], Rows]:
        """All of them are new, the table's chain has no link yet, and no letter is open."""
        rows: Rows = [("insert", self._lines, 0, None), (found[1], 0, 0, None), (OPEN_LETTERS, 0, 0, None)]
        return ["OP", "COUNT", "BAD", "DIGEST"], rows

    def merged(self, *_: object) -> tuple[list[str], Rows]:
        """All of them were inserted."""
        return ["number of rows inserted", "number of rows updated"], [(self._lines, 0)]

    def created(self, found: re.Match[str], sql: str) -> tuple[list[str], Rows]:
        """Remember the columns."""
        pairs = re.findall(r'"(\w+)" ([A-Z_]+(?:\([\d, ]+\))?)', sql[found.end() :])
        WAREHOUSE.tables[found[1]] = [(name, kind.replace(" ", "")) for name, kind in pairs]
        return [], []

    def described(self, found: re.Match[str], _: str) -> tuple[list[str], Rows]:
        """Give the columns, or say that there is no such table."""
        if found[1] not in WAREHOUSE.tables:
            message = "it does not exist"
            raise snowflake.connector.errors.ProgrammingError(message, errno=2003)
        rows = [(name, kind, "Y", None, "N", None) for name, kind in WAREHOUSE.tables[found[1]]]
        return ["name", "type", "null?", "default", "primary key", "comment"], rows


AUDIT_COLUMNS = [(table.name, name) for table in audit.TABLES for name in table.names]
ANSWERS: list[tuple[str, Any]] = [
    (r"PUT 'file://([^']+)'", Cursor.put),
    (r"COPY ", Cursor.copied),
    (r"SELECT c\.\*,.*? UNION ALL SELECT '([^']+)'", Cursor.counted),
    (r'SELECT "CHAIN", MAX', lambda *_: (["CHAIN", "NUMBER", "DIGEST"], [])),
    (r"MERGE ", Cursor.merged),
    (r"CREATE TABLE (?:IF NOT EXISTS )?(\S+) ", Cursor.created),
    (r"DESCRIBE TABLE (\S+)", Cursor.described),
    (r"LIST ", lambda *_: (["name", "size", "md5", "last_modified"], [])),
    (r"SHOW COLUMNS ", lambda *_: (["table_name", "column_name"], AUDIT_COLUMNS)),
    (r"SHOW TABLES ", lambda *_: (["name"], [(table.name,) for table in audit.TABLES])),
    (r"SHOW SCHEMAS ", lambda *_: (["name"], [(SCHEMA_NAME,)])),
    (r"SELECT CURRENT_TRANSACTION", lambda *_: (["ID"], [("1",)])),
    (r"SELECT ", lambda *_: (["VALUE"], [(0,)])),
]


class Connection:
    """A session that is never refused."""

    def __init__(self, **_: object) -> None:
        """Take any login."""

    def cursor(self) -> Cursor:
        """Open a cursor."""
        return Cursor()

    def close(self) -> None:
        """Nothing to close."""


class Sampler:
    """Looks at the main thread's stack every few milliseconds of its time, and counts what it is about.

    By a signal, which Python handles in the main thread: another thread would get its turn mostly where the
    main one leaves Python's lock to others, as compression does.
    """

    SECONDS = 0.004
    PARTS: ClassVar[dict[str, str]] = {
        "reading": "parse",
        "checking/rows": "validate",
        "checking/validation": "validate",
        "checking/converters": "encode",
        "checking/lines": "encode",
        "checking/chunks": "encode",
        "checking/second": "wait for the second process",
        "hashing": "encode",
        "staging": "compress",
        "singerlib": "read lines",
    }
    """Parts by a piece of the file's path; the innermost frame that has one counts."""

    def __init__(self) -> None:
        """Start."""
        self._counts: Counter[str] = Counter()
        signal.signal(signal.SIGPROF, self._look)
        signal.setitimer(signal.ITIMER_PROF, self.SECONDS, self.SECONDS)

    def percent(self) -> dict[str, float]:
        """Stop, and give the parts."""
        signal.setitimer(signal.ITIMER_PROF, 0)
        whole = sum(self._counts.values()) or 1
        return {name: 100 * count / whole for name, count in self._counts.items()}

    def _look(self, _: int, frame: FrameType | None) -> None:
        self._counts[self._part(frame)] += 1

    def _part(self, frame: FrameType | None) -> str:
        while frame is not None:
            path = frame.f_code.co_filename
            for piece, part in self.PARTS.items():
                if f"/{piece}" in path:
                    return part
            frame = frame.f_back
        return "other"


def _of_children() -> float:
    """Processor seconds of processes that have ended: the second one of the target."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main() -> int:
    """Run the target and write how long it took."""
    config, figures, *more = sys.argv[1:]
    began: list[float] = []
    samplers: list[Sampler] = []
    read = MessageReader.process_lines

    def timed(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - as the method
        samplers.extend(Sampler() for _ in more)
        began.extend((time.perf_counter(), time.process_time()))
        return read(*arguments, **named)

    setattr(MessageReader, "process_lines", timed)  # noqa: B010 - mypy takes it for a method of this class
    setattr(snowflake.connector, "connect", Connection)  # noqa: B010 - it is of another type
    WAREHOUSE.watch()
    code = run_singer(["--config", config])
    found: dict[str, Any] = {
        "seconds": time.perf_counter() - began[0],
        "cpu_seconds": time.process_time() - began[1] + _of_children(),
    }
    found["samples"] = samplers[0].percent() if samplers else {}
    Path(figures).write_text(json.dumps(found))
    return code


if __name__ == "__main__":
    sys.exit(main())
