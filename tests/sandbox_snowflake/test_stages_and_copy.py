"""Stages, PUT, LIST, REMOVE and COPY."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from snowflake_account import Session

    Put = Callable[[str, str], None]

CSV = (
    "FILE_FORMAT = (TYPE = CSV COMPRESSION = GZIP FIELD_OPTIONALLY_ENCLOSED_BY = '\"' "
    "ESCAPE_UNENCLOSED_FIELD = NONE NULL_IF = () EMPTY_FIELD_AS_NULL = TRUE)"
)


def _names(db: Session, reference: str) -> list[str]:
    return [row[0] for row in db.rows(f"LIST {reference}")]


@pytest.mark.parametrize(
    "reference",
    ["@LOAD/p/", "'@LOAD/p/'", '@"ANALYTICS"."{schema}"."LOAD"/p/', '\'@"ANALYTICS"."{schema}"."LOAD"/p/\''],
)
def test_every_way_to_name_a_stage(db: Session, schema: str, tmp_path: Path, reference: str) -> None:
    db.rows("CREATE STAGE LOAD")
    file = tmp_path / "a b.csv"
    file.write_text("1\n")
    where = reference.format(schema=schema)
    assert db.rows(f"PUT 'file://{file}' {where} AUTO_COMPRESS=FALSE")[0][6] == "UPLOADED"
    assert _names(db, where) == ["load/p/a b.csv"]
    assert db.rows(f"REMOVE {where}") == [("load/p/a b.csv", "removed")]
    assert _names(db, where) == []


def test_the_user_stage_needs_no_schema(db: Session, schema: str, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("1\n")
    db.rows(f"PUT 'file://{tmp_path}/x.csv' @~/{schema}/ AUTO_COMPRESS=TRUE")
    assert _names(db, f"@~/{schema}/") == [f"{schema}/x.csv.gz"]
    db.rows(f"RM @~/{schema}")
    assert _names(db, f"@~/{schema}") == []


def test_a_path_is_a_prefix(db: Session, staged: Put) -> None:
    for batch in ("b1", "b10", "b2"):
        staged(f"{batch}\n", f"run/{batch}/f.csv.gz")
    db.rows("CREATE TABLE T (A VARCHAR)")
    db.rows(f"COPY INTO T FROM @LOAD/run/b1 {CSV}")
    assert db.rows("SELECT A FROM T ORDER BY A") == [("b1",), ("b10",)]
    db.rows("TRUNCATE TABLE T")
    db.rows(f"COPY INTO T FROM @LOAD/run/b1/ {CSV} FORCE = TRUE")
    assert db.rows("SELECT A FROM T") == [("b1",)]
    db.rows("REMOVE @LOAD/run/b1")
    assert _names(db, "@LOAD") == ["load/run/b2/f.csv.gz"]


def test_put_overwrites_only_when_told(db: Session, tmp_path: Path) -> None:
    db.rows("CREATE STAGE LOAD")
    file = tmp_path / "x.csv"
    for content, option, status in (
        ("1\n", "FALSE", "UPLOADED"),
        ("2\n", "FALSE", "SKIPPED"),
        ("3\n", "TRUE", "UPLOADED"),
    ):
        file.write_text(content)
        assert db.rows(f"PUT 'file://{file}' @LOAD AUTO_COMPRESS=FALSE OVERWRITE={option}")[0][6] == status
    db.rows("CREATE TABLE T (A VARCHAR)")
    db.rows("COPY INTO T FROM @LOAD FILE_FORMAT = (TYPE = CSV)")
    assert db.rows("SELECT A FROM T") == [("3",)]


def test_missing_stages_and_dropped_ones(db: Session, staged: Put) -> None:
    staged("1\n", "x.csv.gz")
    assert db.error("LIST @NOPE") == (2003, "02000")
    assert db.error("COPY INTO NOPE FROM @LOAD") == (2003, "42S02")
    assert db.error("CREATE STAGE LOAD") == (2002, "42710")
    db.rows("CREATE STAGE IF NOT EXISTS LOAD")
    db.rows("DROP STAGE LOAD")
    assert db.error("LIST @LOAD") == (2003, "02000")
    db.rows("CREATE STAGE LOAD")
    assert _names(db, "@LOAD") == []


def test_fields_come_through_exactly(db: Session, staged: Put) -> None:
    texts = [
        "a\nb",
        "a\r\nb",
        'say ""hi""',
        "back\\slash",
        "\\N",
        "null",
        " lead and trail ",
        "ä😀",
        "a,b",
        "'",
    ]
    lines = [f'{n},"{text}"\n' for n, text in enumerate(texts)]
    staged("".join(lines) + f'{len(texts)},\n{len(texts) + 1},""\n', "x/f.csv.gz")
    db.rows("CREATE TABLE T (N NUMBER, A VARCHAR)")
    db.rows(f"COPY INTO T FROM @LOAD/x/ {CSV}")
    stored = [row[0] for row in db.rows("SELECT A FROM T ORDER BY N")]
    assert stored == [text.replace('""', '"') for text in texts] + [None, ""]


def test_a_field_of_several_megabytes(db: Session, staged: Put) -> None:
    big = "z\n" * 3_000_000
    staged(f'1,"{big}"\n2,"small"\n', "x/f.csv.gz")
    db.rows("CREATE TABLE T (N NUMBER, A VARCHAR)")
    db.rows(f"COPY INTO T FROM @LOAD/x/ {CSV}")
    assert db.rows("SELECT N, LENGTH(A) FROM T ORDER BY N") == [(1, len(big)), (2, 5)]


def test_a_select_transforms_what_is_loaded(db: Session, staged: Put) -> None:
    staged('1,"12345678901234567890123456789.123456789","{""a"": [1, null]}"\n2,,\n', "x/f.csv.gz")
    db.rows("CREATE TABLE T (V VARIANT, N NUMBER(38,9), ID NUMBER)")
    db.rows(
        f"COPY INTO T (V, N, ID) FROM (SELECT PARSE_JSON($3), $2::NUMBER(38,9), $1 FROM '@LOAD/x/') {CSV}"
    )
    exact = Decimal("12345678901234567890123456789.123456789")
    assert db.rows("SELECT ID, N, V:a[0]::NUMBER, V IS NULL FROM T ORDER BY ID") == [
        (1, exact, 1, False),
        (2, None, None, True),
    ]


def test_json_lines_into_one_variant(db: Session, staged: Put) -> None:
    staged('{"id": 1, "v": null}\n{"id": 2}\n', "x/f.json.gz")
    db.rows("CREATE TABLE T (V VARIANT)")
    db.rows("COPY INTO T FROM @LOAD/x/ FILE_FORMAT = (TYPE = JSON)")
    assert db.rows("SELECT V:id::NUMBER, IS_NULL_VALUE(V:v) FROM T ORDER BY 1") == [(1, True), (2, None)]
    db.rows("CREATE TABLE U (ID NUMBER)")
    db.rows("COPY INTO U FROM (SELECT $1:id::NUMBER FROM @LOAD/x/) FILE_FORMAT = (TYPE = JSON)")
    assert db.value("SELECT SUM(ID) FROM U") == 3


def test_load_history_is_keyed_by_content(db: Session, staged: Put) -> None:
    staged("1\n", "x/f.csv.gz")
    db.rows("CREATE TABLE T (A NUMBER)")
    copy = f"COPY INTO T FROM @LOAD/x/ {CSV}"
    assert db.rows(copy)[0][1] == "LOADED"
    assert db.rows(copy)[0][1] == "LOAD_SKIPPED"
    assert db.rows(copy + " FORCE = FALSE")[0][1] == "LOAD_SKIPPED"
    assert db.rows(copy + " FORCE = TRUE")[0][1] == "LOADED"
    staged("2\n", "x/f.csv.gz")
    assert db.rows(copy)[0][1] == "LOADED"
    assert db.rows("SELECT A FROM T ORDER BY A") == [(1,), (1,), (2,)]
    db.rows("CREATE OR REPLACE TABLE T (A NUMBER)")
    assert db.rows(copy)[0][1] == "LOADED"


def test_copy_takes_part_in_the_transaction(db: Session, staged: Put) -> None:
    staged("1\n", "x/f.csv.gz")
    db.rows("CREATE TABLE T (A NUMBER)")
    db.rows("BEGIN")
    assert db.rows(f"COPY INTO T FROM @LOAD/x/ {CSV}")[0][3] == 1
    db.rows("ROLLBACK")
    assert db.value("SELECT COUNT(*) FROM T") == 0
    assert db.rows(f"COPY INTO T FROM @LOAD/x/ {CSV}")[0][1] == "LOADED"


def test_purge_removes_only_when_true(db: Session, staged: Put) -> None:
    staged("1\n", "x/f.csv.gz")
    db.rows("CREATE TABLE T (A NUMBER)")
    db.rows(f"COPY INTO T FROM @LOAD/x/ {CSV} PURGE = FALSE")
    assert len(_names(db, "@LOAD")) == 1
    db.rows(f"COPY INTO T FROM @LOAD/x/ {CSV} FORCE = TRUE PURGE = TRUE")
    assert _names(db, "@LOAD") == []
    assert db.value(f"COPY INTO T FROM @LOAD/x/ {CSV}") == "Copy executed with 0 files processed."


def test_values_that_do_not_fit_stop_the_copy(db: Session, staged: Put) -> None:
    staged("1,abcdef\n", "x/f.csv.gz")
    staged("abc,d\n", "y/f.csv.gz")
    staged("1,2,3\n", "z/f.csv.gz")
    db.rows("CREATE TABLE T (A NUMBER, B VARCHAR(3))")
    assert db.error(f"COPY INTO T FROM @LOAD/x/ {CSV}") == (100078, "22000")
    assert db.error(f"COPY INTO T FROM @LOAD/y/ {CSV}") == (100038, "22018")
    assert db.error(f"COPY INTO T FROM @LOAD/z/ {CSV}") == (100080, "22000")
    assert db.value("SELECT COUNT(*) FROM T") == 0


def test_what_cannot_be_done_faithfully_is_refused(db: Session, staged: Put) -> None:
    staged("1,back\\slash\n", "x/f.csv.gz")
    db.rows("CREATE TABLE T (A NUMBER, B VARCHAR)")
    db.rows("CREATE TABLE V (A NUMBER, B VARIANT)")
    refused = (2, "0A000")
    assert db.error("COPY INTO T FROM @LOAD/x/ FILE_FORMAT = (TYPE = CSV)") == refused
    assert db.error(f"COPY INTO V FROM @LOAD/x/ {CSV}") == refused
    assert db.error(f"COPY INTO T FROM @LOAD/x/ {CSV} ON_ERROR = CONTINUE") == refused
    assert db.error("COPY INTO T FROM @LOAD/x/ FILE_FORMAT = (TYPE = CSV TRIM_SPACE = TRUE)") == refused
    assert db.error("COPY INTO T FROM @LOAD/x/ FILE_FORMAT = (TYPE = XML)") == refused
