"""Runs probes of SQL rules through the connector of whatever Python runs this file.

Standard input: one line of JSON with `connect` (settings), `reconnect` (whether to log in again after a
failure, for a server that may hang) and `probes`. Standard output: one line of JSON for each probe with
what came. Needs nothing but the connector, so that both environments can run it.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
import shutil
import sys
import tempfile
import warnings
from contextlib import closing, suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import snowflake.connector
import snowflake.connector.constants
from snowflake.connector.errors import Error

_SCHEMAS = itertools.count(1)


def shown(value: object) -> str:
    """A value with its Python type, as probes write it."""
    if value is None:
        return "NULL"
    if isinstance(value, Decimal):
        return f"Decimal {value}"
    if isinstance(value, dt.datetime):
        return f"datetime {value.isoformat(' ')}"
    if isinstance(value, (dt.date, dt.time)):
        return f"{type(value).__name__} {value.isoformat()}"
    if isinstance(value, (bytes, bytearray)):
        return f"bytes {value.hex()}"
    return repr(value)


def _column(column: Any) -> str:  # noqa: ANN401 - a row of cursor.description
    name, code, _, size, precision, scale, _ = column
    sizes = f"({precision},{scale})" if precision is not None and scale is not None else f"({size})"
    kind = vars(snowflake.connector.constants)["FIELD_ID_TO_NAME"][code]
    return f"{name} {kind}{sizes if kind in {'FIXED', 'TEXT'} else ''}"


class Runner:
    """Sessions shared by the probes, and a new schema for each probe that makes something."""

    def __init__(self, connect: dict[str, Any], *, reconnect: bool) -> None:
        """Connect when first needed."""
        self._settings, self._stock = connect, reconnect
        self._moved: set[Any] = set()  # connections that are in another schema than PUBLIC
        self._open: dict[str, Any] = {}

    def run(self, probe: dict[str, Any]) -> dict[str, Any]:
        """What came of a probe."""
        own: dict[str, Any] = {key: probe[key] for key in ("connect", "session_parameters") if key in probe}
        folder = Path(tempfile.mkdtemp(prefix="probe-"))
        try:
            for name, content in probe.get("files", {}).items():
                (folder / name).parent.mkdir(exist_ok=True)
                (folder / name).write_text(content, encoding="utf-8", newline="")
            connection = self._connection(own, qmark="binds" in probe)
            return self._in_schema(connection, probe, folder)
        except (Error, OSError) as error:
            return {"failed": f"{type(error).__name__}: {error}"[:300]}
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            if own:
                self._close("own")

    def close(self) -> None:
        """End all sessions."""
        for key in list(self._open):
            self._close(key)

    def _connection(self, own: dict[str, Any], *, qmark: bool) -> Any:  # noqa: ANN401 - untyped connector
        key = "own" if own else "qmark" if qmark else "pyformat"
        if key not in self._open:
            settings = {
                **self._settings,
                **own.get("connect", {}),
                "paramstyle": "qmark" if qmark else "pyformat",
            }
            if "session_parameters" in own:
                settings["session_parameters"] = own["session_parameters"]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._open[key] = snowflake.connector.connect(**settings)
        return self._open[key]

    def _close(self, key: str) -> None:
        with suppress(Error):
            connection = self._open.pop(key, None)
            if connection is not None:
                connection.close()

    def _in_schema(self, connection: Any, probe: dict[str, Any], folder: Path) -> dict[str, Any]:  # noqa: ANN401
        schema = f"P{next(_SCHEMAS)}" if "setup" in probe or probe.get("schema") else "PUBLIC"
        names = {"<schema>": schema, "<db>": "ANALYTICS", "<dir>": str(folder)}
        with closing(connection.cursor()) as cursor:
            if schema != "PUBLIC":
                cursor.execute(f"CREATE SCHEMA ANALYTICS.{schema}")
            if self._stock or (schema == "PUBLIC" and connection in self._moved):
                cursor.execute(f"USE SCHEMA ANALYTICS.{schema}")
            if schema == "PUBLIC":
                self._moved.discard(connection)
            else:
                self._moved.add(connection)
            try:
                for sql in probe.get("setup", []):
                    if not _prepare(cursor, _filled(sql.lstrip("!?"), names), sql[0]):
                        return {"failed": f"no error for {sql[1:]}"}
                return self._ask(cursor, probe, names)
            except Error as error:
                return self._failure("failed", error)
            finally:
                self._tidy(cursor, probe, schema)

    def _tidy(self, cursor: Any, probe: dict[str, Any], schema: str) -> None:  # noqa: ANN401
        with suppress(Error):
            if self._stock or "BEGIN" in str(probe.get("setup")):
                cursor.execute("ROLLBACK")
            if schema != "PUBLIC":
                cursor.execute(f"DROP SCHEMA ANALYTICS.{schema}")

    def _ask(self, cursor: Any, probe: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:  # noqa: ANN401
        sql = _filled(probe["ask"], names)
        try:
            if probe.get("many"):
                cursor.executemany(sql, [_values(row) for row in probe["binds"]])
            else:
                cursor.execute(sql, _values(probe["binds"]) if "binds" in probe else None)
            rows = cursor.fetchall()
        except Error as error:
            return self._failure("error", error)
        titles = [column[0] for column in cursor.description or []]
        named = [titles.index(name) for name in probe.get("columns", []) if name in titles]
        wanted = named if "columns" in probe else range(len(titles))
        lines = [_hidden(", ".join(shown(row[index]) for index in wanted), names) for row in rows]
        return {
            "rows": lines,
            "types": [_column(column) for column in cursor.description or []],
            "rowcount": cursor.rowcount,
        }

    def _failure(self, key: str, error: Error) -> dict[str, Any]:
        if self._stock and (error.errno or 0) in {-1, 14, 580500, 290500, 250003, 250001, 6}:
            for name in list(self._open):
                self._open.pop(name)
        return {key: f"{error.errno or 0} {error.sqlstate}", "message": str(error)[:300]}


def _prepare(cursor: Any, sql: str, how: str) -> bool:  # noqa: ANN401
    """Run a statement that must succeed, or fail (`!`); `?` only describes it. Whether it did so."""
    try:
        cursor.describe(sql) if how == "?" else cursor.execute(sql)
    except Error:
        if how != "!":
            raise
        return True
    return how != "!"


def _filled(sql: str, names: dict[str, str]) -> str:
    for mark, name in names.items():
        sql = sql.replace(mark, name)
    return sql


def _values(binds: list[object]) -> list[object]:
    """Bind values; `<null>` stands for None, which TOML has not."""
    return [None if value == "<null>" else value for value in binds]


def _hidden(line: str, names: dict[str, str]) -> str:
    """The names of this run as their marks again, so that expected values hold in every run."""
    line = line.replace(names["<dir>"], "<dir>")
    schema = names["<schema>"]
    for mark in ("'", ".", '"'):
        line = line.replace(f"{schema}{mark}", f"<schema>{mark}") if schema != "PUBLIC" else line
    return line


def main() -> None:
    """Run all probes of standard input."""
    asked = json.loads(sys.stdin.readline())
    runner = Runner(asked["connect"], reconnect=asked["reconnect"])
    for probe in asked["probes"]:
        print(json.dumps({"id": probe["id"], **runner.run(probe)}), flush=True)
    runner.close()


if __name__ == "__main__":
    main()
