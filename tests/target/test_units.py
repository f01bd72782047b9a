"""Pure parts: names, types, fields, digests, conversions, STATE, retries. No server."""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_snowflake_audit import columntypes, hashing, retrying
from target_snowflake_audit.bisection import Search
from target_snowflake_audit.columntypes import (
    ColumnType,
    Defaults,
    configured,
    exact,
    from_schema,
    parse,
    reconcile,
    scale_of,
    text,
)
from target_snowflake_audit.counts import Counts
from target_snowflake_audit.deletions import Documents
from target_snowflake_audit.errors import IntegrityError, SchemaError
from target_snowflake_audit.naming import column_names, conform, table_name
from target_snowflake_audit.retry_classes import CONTENTION, DATA, SESSION, classify
from target_snowflake_audit.session import StatementError
from target_snowflake_audit.settings import coerced
from target_snowflake_audit.sql.quoting import MAX_IDENTIFIER, TableName, fold, identifier, literal
from target_snowflake_audit.staging import folders
from target_snowflake_audit.staging.fields import field, fields, text_of
from target_snowflake_audit.staging.spool import Spool

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


# Names


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("orderDate", "ORDER_DATE"),
        ("id", "ID"),
        ("ORDER_DATE", "ORDER_DATE"),
        ("HTTPServer2Name", "HTTP_SERVER2_NAME"),
        ("with space-and:more", "WITH_SPACE_AND_MORE"),
        ("dimensionCct", "DIMENSION_CCT"),
        ("été", "ÉTÉ"),
    ],
)
def test_snake(name: str, column: str) -> None:
    assert conform(name, "snake") == column


@given(st.text(min_size=1, max_size=400), st.sampled_from(["snake", "upper", "preserve"]))
def test_every_name_becomes_an_identifier_that_cannot_break_out(name: str, style: str) -> None:
    quoted = identifier(conform(name, style))
    assert len(quoted) - 2 >= 1
    assert '"' not in quoted[1:-1].replace('""', "")


def test_long_names_stay_apart() -> None:
    first, second = (conform("x" * 300 + end, "snake") for end in "ab")
    assert first != second
    assert len(first) == len(second) == MAX_IDENTIFIER


@given(TEXT)
def test_literal_cannot_break_out(value: str) -> None:
    body = literal(value)[1:-1]
    assert "'" not in body.replace("''", "")
    assert body.replace("''", "'").replace("\\\\", "\\") == value


def test_audit_columns_and_collisions_are_refused() -> None:
    with pytest.raises(SchemaError, match="_AUDIT_SEQ"):
        column_names(["_audit_seq"], "snake", {}, stream="s")
    with pytest.raises(SchemaError, match="`a-b` and `a_b`"):
        column_names(["a-b", "a_b"], "snake", {}, stream="s")
    assert column_names(["a-b", "a_b"], "snake", {"a_b": "other"}, stream="s") == {
        "a-b": "A_B",
        "a_b": "OTHER",
    }


def test_table_of_a_stream() -> None:
    assert table_name({"default_target_schema": "fin"}, "gl_entries", "DB") == TableName(
        "DB", "FIN", "GL_ENTRIES"
    )
    assert table_name({}, "public-orders", "DB") == TableName("DB", "PUBLIC", "ORDERS")
    mapping = [{"stream": "gl_*", "database": "d2", "schema": '"odd"', "table": "t"}]
    assert table_name({"schema_mapping": mapping}, "gl_entries", "DB") == TableName("D2", "odd", "T")
    assert fold("abc") == "ABC"
    assert str(TableName("DB", "odd", "T")) == 'DB."odd".T'


# Types


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        ({"type": ["number", "null"], "multipleOf": 0.01}, "NUMBER(38,2)"),
        ({"type": "number", "multipleOf": 1e-05}, "NUMBER(38,5)"),
        ({"type": "number"}, "FLOAT"),
        ({"type": ["integer", "number", "null"]}, "FLOAT"),
        ({"type": "integer"}, "NUMBER(38,0)"),
        ({"type": "string", "maxLength": 12}, "VARCHAR(12)"),
        ({"type": ["null", "string"]}, "VARCHAR"),
        ({"type": "string", "format": "date"}, "DATE"),
        ({"type": "string", "format": "date-time"}, "TIMESTAMP_NTZ"),
        ({"type": "boolean"}, "BOOLEAN"),
        ({"type": ["object", "null"]}, "VARIANT"),
        ({"type": "array"}, "VARIANT"),
        ({}, "VARIANT"),
        ({"type": ["string", "integer"]}, "VARCHAR"),
        ({"anyOf": [{"type": "string", "format": "date-time"}, {"type": ["string", "null"]}]}, "VARCHAR"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "NUMBER(38,0)"),
        ({"type": "string", "format": "x-singer.decimal", "scale": 4}, "NUMBER(38,4)"),
    ],
)
def test_type_of_a_property(schema: dict[str, Any], kind: str) -> None:
    assert from_schema(schema).sql == kind


def test_scale_and_parse() -> None:
    assert [scale_of(value) for value in (Decimal("0.01"), 1, "1e-9", None, True)] == [2, 0, 9, None, None]
    assert parse("VARCHAR(16777216)").sql == "VARCHAR"
    assert parse("TIMESTAMP_NTZ(9)") == ColumnType("TIMESTAMP_NTZ")
    assert parse("NUMBER(38,2)") == exact(2)


def test_columns_that_exist_are_used_widened_or_refused() -> None:
    assert reconcile(text(30), text(10)) == (text(30), True)
    assert reconcile(text(5), text(10)) == (text(10), False)
    assert reconcile(exact(0), exact(0, 10)) == (exact(0), True)
    assert reconcile(ColumnType("FLOAT"), exact(2)) == (exact(2), False)
    collated = parse("VARCHAR(10) COLLATE 'en-ci'")  # from DEFAULT_DDL_COLLATION: "a" equals "A" in it
    refused = (
        (exact(2), exact(0)),
        (exact(2), ColumnType("FLOAT")),
        (text(5), exact(0)),
        (text(5), collated),
    )
    for wanted, existing in refused:
        assert reconcile(wanted, existing) is None


@pytest.mark.parametrize("kind", ["TIMESTAMP_TZ", "TIMESTAMP_LTZ(9)"])
def test_stamps_go_into_columns_with_and_without_a_zone(kind: str) -> None:
    zoned, plain = parse(kind), ColumnType("TIMESTAMP_NTZ")
    assert reconcile(plain, zoned) == (zoned, False)
    assert reconcile(zoned, plain) == (plain, False)
    assert configured({"column_types": {"s": {"at": kind}}}, "s", "at") == zoned


# Fields and digests


@given(st.lists(st.one_of(st.none(), TEXT), min_size=1, max_size=8))
def test_staged_fields_read_back_as_written(values: list[str | None]) -> None:
    made = fields(values, "".join(filter(None, values)))
    assert made == [field(value) for value in values]
    assert [text_of(one) for one in made] == values
    parsed = next(csv.reader(io.StringIO(",".join(["0", *made]) + "\n"), strict=True))
    assert parsed == ["0", *(value or "" for value in values)]


@given(TEXT, TEXT)
def test_row_hash_tells_rows_apart(first: str, second: str) -> None:
    def digest(*values: str | None) -> str:
        return hashing.row_hash([(name, field(value)) for name, value in zip("ABC", values, strict=False)])

    assert (digest(first) == digest(second)) == (first == second)
    assert digest(first, None) == digest(first)
    assert digest(first, second) != digest(second, first) or first == second
    assert digest(None, first) != digest(first, None)


def test_row_hash_is_pinned() -> None:
    """A change of this digest rewrites every table: it needs a new version."""
    digest = hashing.row_hash([("AMOUNT", field("12.30")), ("TEXT", field("")), ("X", field(None))])
    assert digest == "1:" + hashing.sha256(b'AMOUNT,TEXT\n12.30,""')


def test_keys_with_commas_do_not_collide() -> None:
    assert hashing.key_hash(["a,b", "c"]) != hashing.key_hash(["a", "b,c"])
    assert hashing.key_hash(["GTE", "1"]) == hashing.sha256(b"3:GTE,1:1,")


def test_identifiers_of_letters_and_batches() -> None:
    reasons = [("a", "too_long"), ("b", "missing")]
    assert hashing.dead_letter_id("s", "x", reasons) == hashing.dead_letter_id("s", "x", reversed(reasons))
    assert hashing.dead_letter_id("s", "x", reasons) != hashing.dead_letter_id("s", "y", reasons)
    assert hashing.batch_id("r", "t", 1, "c") != hashing.batch_id("r2", "t", 1, "c")


@given(st.lists(st.binary(max_size=50).filter(lambda b: b"\n" not in b), min_size=1, max_size=20))
def test_spool_gives_records_back(records: list[bytes]) -> None:
    import tempfile  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        spool = Spool(Path(folder) / "s")
        spool.append(records[:7])
        spool.append(records[7:])
        assert [spool.read(row) for row in range(len(records))] == records
        with pytest.raises(IndexError):
            spool.read(len(records))
        spool.close()


def test_folders_of_dead_processes_are_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    code = "from target_snowflake_audit.staging import folders; print(folders.make())"
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    left = Path(subprocess.check_output([sys.executable, "-c", code], env=environment, text=True).strip())
    mine = folders.make()
    assert left.exists()
    assert mine.stat().st_mode & 0o777 == 0o700
    folders.sweep()
    assert not left.exists()
    assert mine.exists()
    folders.remove(mine)
    assert not mine.exists()


# Documents, counts, retries


def test_documents() -> None:
    documents = Documents(("id",), lambda values: tuple(values) if all(values) else None)
    assert [documents.starts({"id": one}) for one in (None, "A", "A", "B", None, "B", "A")] == [
        (True, False),
        (True, False),
        (False, False),
        (True, False),
        (False, False),
        (False, False),
        (True, True),
    ]


def test_counts_must_add_up() -> None:
    Counts(received=3, inserted=1, unchanged=1, dead=1).check(stream="s")
    with pytest.raises(IntegrityError, match="received 3"):
        Counts(received=3, inserted=1).check(stream="s")


@pytest.mark.parametrize(
    ("errno", "sqlstate", "kind"),
    [
        (100038, "22018", "data"),
        (390114, "08001", "session"),
        (394304, "08001", "authentication"),
        (394302, "08001", "clock"),
        (394303, "08001", "clock"),
        (394400, "08001", "authentication"),
        (625, "57014", "contention"),
        (100090, "42P18", "duplicates"),
        (100096, "22023", "data"),
        (None, "22003", "data"),
        (1065, "22023", "compilation"),
        (None, "08006", "network"),
        (None, None, "unknown"),
        (3001, "42501", "authorisation"),
    ],
)
def test_error_classes(errno: int | None, sqlstate: str | None, kind: str) -> None:
    assert classify(errno, sqlstate).name == kind
    assert classify(None, None, operational=True).name == "network"


def test_waits_have_full_jitter_and_a_cap() -> None:
    assert retrying.wait_seconds(CONTENTION, 1, 1.0) == 4.0
    assert retrying.wait_seconds(CONTENTION, 1, 0.0) == 0.0
    assert retrying.wait_seconds(CONTENTION, 20, 1.0) == 60.0
    assert not retrying.may_retry(CONTENTION, 3, 0, attempts=3, seconds=900)
    assert not retrying.may_retry(CONTENTION, 1, 901, attempts=6, seconds=900)
    assert not retrying.may_retry(DATA, 1, 0, attempts=6, seconds=900)


@given(st.sets(st.integers(1, 400), min_size=1), st.data())
def test_bisection_finds_exactly_the_refused_rows(seqs: set[int], data: st.DataObject) -> None:
    ordered = sorted(seqs)
    bad = set(data.draw(st.lists(st.sampled_from(ordered), max_size=4)))
    error = StatementError("probe", "x", DATA)
    found = Search(ordered).run(lambda a, b: error if any(a <= seq <= b for seq in bad) else None)
    assert set(found) == bad


def test_bisection_has_no_most_and_goes_on_where_a_probe_failed() -> None:
    error, lost = StatementError("probe", "x", DATA), StatementError("probe", "gone", SESSION)
    rows, bad = range(1, 100_001), {at * 99 + 7 for at in range(1_000)}
    tried = itertools.count(1)

    def probe(first: int, last: int) -> StatementError | None:
        if next(tried) % 500 == 0:
            raise lost
        return error if (last - 7) // 99 > (first - 8) // 99 and first <= 99_000 - 92 else None

    search = Search(rows)
    for _ in range(100):
        with contextlib.suppress(StatementError):
            assert set(search.run(probe)) == bad
            break
    assert set(search.refused) == bad
    assert search.probes < 13 * len(bad)


def test_bisection_of_a_single_row_among_many_is_short() -> None:
    error = StatementError("probe", "x", DATA)
    search = Search(range(1, 100_001))
    assert set(search.run(lambda a, b: error if a <= 77_777 <= b else None)) == {77_777}
    assert search.probes < 2 * 17


def test_settings_from_text() -> None:
    given_ = {
        "port": "8443",
        "hard_delete": "true",
        "max_dead_letter_percent": "2",
        "account": "5",
        "unknown": "x",
    }
    assert coerced(given_) == {
        "port": 8443,
        "hard_delete": True,
        "max_dead_letter_percent": 2,
        "account": "5",
    }
    assert coerced({"port": "x"}) == {"port": "x"}


def test_number_type_makes_plain_numbers_exact() -> None:
    assert from_schema({"type": "number"}, Defaults("NUMBER(38,6)")) == exact(6)
    assert columntypes.configured(
        {"column_types": {"gl_*": {"rate": "NUMBER(20,6)"}}}, "gl_x", "rate"
    ) == exact(6, 20)


def test_json_of_a_letter_is_json() -> None:
    assert json.loads(hashing._sorted.encode({"a": Decimal("0.10")})) == {"a": 0.1}  # noqa: SLF001
