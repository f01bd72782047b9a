"""Start, stop, and what survives on disk."""

from __future__ import annotations

import json
import subprocess
import textwrap
from decimal import Decimal
from typing import TYPE_CHECKING

from processes import SANDBOX, SANDBOX_PYTHON, start_server
from snowflake_account import account, key_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from snowflake_account import Account


def test_everything_survives_on_disk(tmp_path: Path) -> None:
    arguments = (
        "--contract",
        "off",
        "--persist",
        str(tmp_path / "data"),
        "--secrets-dir",
        str(tmp_path / "keys"),
    )
    with account(*arguments) as first, first.session() as one, first.session() as two:
        one.rows("CREATE SCHEMA KEPT")
        one.rows("CREATE TABLE T (ID NUMBER(38,9) PRIMARY KEY, V VARCHAR(3), J VARIANT)")
        one.rows("CREATE STAGE LOAD")
        (tmp_path / "f.csv").write_text("7.5,abc\n")
        one.rows(f"PUT 'file://{tmp_path}/f.csv' @LOAD/x/ AUTO_COMPRESS=FALSE")
        two.rows("USE SCHEMA KEPT")
        two.rows("COPY INTO T (ID, V) FROM @LOAD/x/ FILE_FORMAT = (TYPE = CSV)")
        one.rows("BEGIN")
        one.rows("DELETE FROM T")
    with account(*arguments) as second, second.session(schema="KEPT") as session:
        assert session.rows("SELECT * FROM T") == [(Decimal("7.5"), "abc", None)]
        assert session.error("UPDATE T SET V = 'long'") == (100078, "22000")
        assert [row[4] for row in session.rows("SHOW PRIMARY KEYS IN TABLE T")] == ["ID"]
        assert [row[0] for row in session.rows("LIST @LOAD")] == ["load/x/f.csv"]
        again = "COPY INTO T (ID, V) FROM @LOAD/x/ FILE_FORMAT = (TYPE = CSV)"
        assert session.rows(again)[0][1] == "LOAD_SKIPPED"


def test_it_stops_when_its_standard_input_closes(tmp_path: Path) -> None:
    running = start_server("local_snowflake", "--secrets-dir", str(tmp_path))
    assert running.ready["ready"] is True
    assert running.process.stdin is not None
    running.process.stdin.close()
    assert running.process.wait(10) == 0
    running.stop()


CONNECTOR_4 = """
    import json, sys
    import snowflake.connector
    from pathlib import Path

    settings = json.loads(sys.argv[1])
    settings["private_key"] = bytes.fromhex(settings["private_key"])
    connection = snowflake.connector.connect(**settings)
    cursor = connection.cursor()
    file = Path(sys.argv[2])
    file.write_text("1,9.99\\n2,\\n")
    done = [snowflake.connector.__version__.split(".")[0]]
    for sql in (
        "CREATE TABLE T (ID NUMBER, V NUMBER(38,9), TS TIMESTAMP_NTZ)",
        "CREATE STAGE LOAD",
        f"PUT file://{file} @LOAD/x/ AUTO_COMPRESS=TRUE OVERWRITE=TRUE",
        "BEGIN",
        "COPY INTO T (ID, V) FROM (SELECT $1, $2 FROM @LOAD/x/) FILE_FORMAT = (TYPE = CSV)",
        "MERGE INTO T USING (SELECT 2 AS ID, '2026-01-02 03:04:05'::TIMESTAMP_NTZ AS TS "
        "UNION ALL SELECT 3, NULL) s ON T.ID = s.ID WHEN MATCHED THEN UPDATE SET TS = s.TS "
        "WHEN NOT MATCHED THEN INSERT (ID) VALUES (s.ID)",
        "COMMIT",
        "SELECT ID, V, TS FROM T ORDER BY ID",
        "REMOVE @LOAD/x/",
    ):
        done.append([[str(value) for value in row] for row in cursor.execute(sql).fetchall()])
    try:
        cursor.execute("SELECT NOPE FROM T")
    except snowflake.connector.errors.ProgrammingError as error:
        done.append([error.errno, error.sqlstate])
    print(json.dumps(done))
"""


def test_connector_4_8(snow: Account, schema: str, tmp_path: Path) -> None:
    settings = {
        **{name: snow.ready[name] for name in ("account", "host", "port", "protocol", "user", "role")},
        "private_key": key_bytes(snow.ready["private_key_path"]).hex(),
        "database": "ANALYTICS",
        "schema": schema,
        "warehouse": "LOAD_WH",
        "network_timeout": 20,
    }
    script = textwrap.dedent(CONNECTOR_4)
    done = subprocess.run(
        [SANDBOX_PYTHON, "-c", script, json.dumps(settings), str(tmp_path / "f.csv")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=SANDBOX,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told[0] == "4"
    assert told[3][0][6] == "UPLOADED"
    assert told[6] == [["1", "1"]]
    assert told[8] == [
        ["1", "9.990000000", "None"],
        ["2", "None", "2026-01-02 03:04:05"],
        ["3", "None", "None"],
    ]
    assert told[9] == [["load/x/f.csv.gz", "removed"]]
    assert told[10] == [904, "42000"]
