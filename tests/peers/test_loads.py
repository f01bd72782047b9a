"""The peer's own ways to load, on the local Snowflake: what is in the tables is what the streams say."""

from __future__ import annotations

import datetime as dt
import gzip
import itertools
import json
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from snowflake_account import Account, account

from . import environments
from .loader import Peer, ended, records, schema, told

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.alone

_SCHEMAS = itertools.count(1)
KEY = {"type": "integer"}
INTEGER = {"type": ["null", "integer"]}
NUMBER = {"type": ["null", "number"]}
TEXT = {"type": ["null", "string"]}
TIME = {"type": ["null", "string"], "format": "date-time"}


@pytest.fixture(scope="module")
def snowflake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """One local Snowflake for all tests here; each loads into a schema of its own."""
    with account("--contract", "off", "--secrets-dir", str(tmp_path_factory.mktemp("secrets"))) as running:
        yield running


@pytest.fixture
def peer(snowflake: Account, tmp_path: Path) -> Peer:
    """The peer as it comes."""
    return Peer(environments.peer(), snowflake, tmp_path, f"LOADS_{next(_SCHEMAS)}")


ORDERS = {"id": KEY, "amount": NUMBER, "note": TEXT, "at": TIME, "extra": {"type": ["null", "object"]}}


def _order(number: int, **changed: object) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": number,
        "amount": number * 1.25,
        "note": f"ä '{number}' \"q\" \\ \n",
        "at": "2026-01-02T03:04:05.123456+02:00",
        "extra": {"list": [number, None, "ü"], "deep": {"x": 1}},
    }
    return row | changed


def _stored(number: int, **changed: object) -> tuple[Any, ...]:
    """A row of ORDERS as it must be: the column is TIMESTAMP_NTZ, which drops an offset."""
    row = _order(number, at=dt.datetime(2026, 1, 2, 3, 4, 5, 123456)) | changed  # noqa: DTZ001 - no zone
    return tuple(row.values())


def _orders(peer: Peer) -> list[tuple[Any, ...]]:
    rows = peer.rows("SELECT ID, AMOUNT, NOTE, AT, EXTRA FROM {schema}.ORDERS ORDER BY ID, AMOUNT")
    return [(*row[:4], json.loads(row[4]) if row[4] is not None else None) for row in rows]


def _sorted(rows: list[tuple[Any, ...]]) -> list[str]:
    """Rows of a table without a key as texts; an object's members have no order in Snowflake."""
    return sorted(json.dumps(row, sort_keys=True, default=str) for row in rows)


@pytest.mark.full
def test_load_methods(peer: Peer) -> None:
    empty = {"amount": None, "note": "", "at": None, "extra": None}
    first = [schema("orders", ORDERS), *records("orders", [_order(1), _order(2), _order(3)])]
    later = [
        schema("orders", ORDERS),
        *records("orders", [_order(2, **empty), _order(4), _order(4, note="x")]),
    ]
    peer.load(first)
    peer.load(later, load_method="upsert")
    upserted = [_stored(1), _stored(2, **empty), _stored(3), _stored(4, note="x")]
    assert _orders(peer) == upserted
    peer.load(later, load_method="append-only")
    appended = [*upserted, _stored(2, **empty), _stored(4), _stored(4, note="x")]
    assert _sorted(_orders(peer)) == _sorted(appended)
    peer.load(later, load_method="overwrite")
    assert _sorted(_orders(peer)) == _sorted(appended[-3:])


STREAMS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "users": ({"id": KEY, "name": TEXT, "big": INTEGER}, ("id",)),
    "orders": ({"site": TEXT, "number": KEY, "amount": NUMBER, "at": TIME}, ("site", "number")),
    "events": ({"what": TEXT, "value": NUMBER}, ()),
}


def _mixed(count: int, shift: int) -> list[dict[str, Any]]:
    """`count` records over three streams, interleaved; keys come back, so that the last one must win."""
    messages = [schema(stream, props, keys=keys) for stream, (props, keys) in STREAMS.items()]
    for i in range(count):
        stream = list(STREAMS)[i % 3]
        row: dict[str, Any] = {
            "users": {"id": i % 2000, "name": f"ñ{i}", "big": 10**20 + i},
            "orders": {
                "site": f"FR{i % 7}",
                "number": i % 1500 + shift,
                "amount": i / 8,
                "at": f"2026-01-{i % 28 + 1:02}T00:00:{i % 60:02}Z",
            },
            "events": {"what": "x" * (i % 50), "value": -i},
        }[stream]
        messages += records(stream, [row])
    return messages


def _last(messages: list[dict[str, Any]]) -> dict[str, set[tuple[Any, ...]]]:
    """What the three tables must hold: the last row of a key, and for events every row."""
    tables: dict[str, dict[Any, tuple[Any, ...]]] = {stream: {} for stream in STREAMS}
    for number, message in enumerate(messages):
        if message["type"] == "RECORD":
            row, (_, keys) = message["record"], STREAMS[message["stream"]]
            values = [_typed(name, value) for name, value in row.items()]
            key = tuple(row[name] for name in keys) or number
            tables[message["stream"]][key] = (*values, *(() if keys else (number,)))
    return {stream: set(rows.values()) for stream, rows in tables.items()}


def _typed(name: str, value: object) -> object:
    if name == "at":
        return dt.datetime.fromisoformat(str(value)).replace(tzinfo=None)
    return value


@pytest.mark.full
def test_ten_thousand_records_of_three_streams_twice_at_once(peer: Peer, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Peer(peer.environment, peer.account, tmp_path / "other", f"LOADS_{next(_SCHEMAS)}")
    sent = {peer.schema: _mixed(10_000, 0), other.schema: _mixed(10_000, 5)}
    started = [each.start(sent[each.schema]) for each in (peer, other)]
    for process in started:
        code, log = ended(process)
        assert code == 0, told(log)
    for each in (peer, other):
        expected = _last(sent[each.schema])
        assert set(each.rows("SELECT ID, NAME, BIG FROM {schema}.USERS")) == expected["users"]
        orders = set(each.rows("SELECT SITE, NUMBER, AMOUNT, AT FROM {schema}.ORDERS"))
        assert orders == expected["orders"]
        events = each.rows("SELECT WHAT, VALUE FROM {schema}.EVENTS")
        assert sorted(events) == sorted(row[:2] for row in expected["events"])
        assert each.rows("SELECT COUNT(*) FROM {schema}.USERS") == [(len(expected["users"]),)]


@pytest.mark.full
def test_columns_are_added_and_widened_between_runs(peer: Peer) -> None:
    narrow = {"id": KEY, "v": {"type": "string", "maxLength": 5}}
    wide = {"id": KEY, "v": {"type": "string", "maxLength": 50}, "rate": NUMBER, "user": TEXT, "a::b c": TEXT}
    peer.load([schema("items", narrow), *records("items", [{"id": 1, "v": "abcde"}, {"id": 2, "v": "old"}])])
    full = {"id": 1, "v": "x" * 50, "rate": 1.5, "user": "u", "a::b c": "c"}
    messages = [schema("items", wide), *records("items", [full, {"id": 3, "v": "y"}])]
    for _ in range(2):
        peer.load(messages)
        rows = peer.rows('SELECT ID, V, RATE, "USER", "A::B C" FROM {schema}.ITEMS ORDER BY ID')
        assert rows == [
            tuple(full.values()),
            (2, "old", None, None, None),
            (3, "y", None, None, None),
        ]
    types = {row[0]: row[1] for row in peer.rows("DESCRIBE TABLE {schema}.ITEMS")}
    assert (types["V"], types["RATE"], types["USER"]) == ("VARCHAR(50)", "FLOAT", "VARCHAR(16777216)")


@pytest.mark.full
def test_a_number_that_becomes_a_text_is_refused_as_by_snowflake(peer: Peer) -> None:
    peer.load([schema("items", {"id": KEY, "v": NUMBER}), *records("items", [{"id": 1, "v": 1.5}])])
    code, log = peer.run([schema("items", {"id": KEY, "v": TEXT}), *records("items", [{"id": 1, "v": "x"}])])
    assert code == 1
    assert "002108 (22000)" in log
    assert peer.rows("SELECT ID, V FROM {schema}.ITEMS") == [(1, 1.5)]


def _version(number: int, ids: list[int]) -> list[dict[str, Any]]:
    rows = records("items", [{"id": i} for i in ids], version=number)
    return [
        schema("items", {"id": KEY}),
        *rows,
        {"type": "ACTIVATE_VERSION", "stream": "items", "version": number},
    ]


@pytest.mark.full
def test_activate_version_deletes_softly_or_hard(peer: Peer) -> None:
    state = "SELECT ID, _SDC_TABLE_VERSION, _SDC_DELETED_AT IS NOT NULL FROM {schema}.ITEMS ORDER BY ID"
    peer.load(_version(1, [1, 2, 3]))
    peer.load(_version(2, [2, 3]))
    assert peer.rows(state) == [(1, 1, True), (2, 2, False), (3, 2, False)]
    peer.load(_version(3, [3]), hard_delete=True)
    assert peer.rows(state) == [(3, 3, False)]


@pytest.mark.full
@pytest.mark.parametrize("clean_up", [True, False])
def test_batch_files(peer: Peer, tmp_path: Path, *, clean_up: bool) -> None:
    files = [tmp_path / "one.jsonl.gz", tmp_path / "two.jsonl.gz"]
    for number, file in enumerate(files):
        lines = [{"id": number * 10 + i, "n": i / 4, "t": f"é{i}"} for i in range(3)]
        file.write_bytes(gzip.compress("\n".join(map(json.dumps, lines)).encode()))
    batch = {
        "type": "BATCH",
        "stream": "items",
        "encoding": {"format": "jsonl", "compression": "gzip"},
        "manifest": [file.as_uri() for file in files],
    }
    messages = [schema("items", {"id": KEY, "n": NUMBER, "t": TEXT}), batch]
    peer.load(messages, clean_up_batch_files=clean_up)
    expected = [(i + j, j / 4, f"é{j}") for i in (0, 10) for j in range(3)]
    assert peer.rows("SELECT ID, N, T FROM {schema}.ITEMS ORDER BY ID") == expected
    assert [file.exists() for file in files] == [not clean_up] * 2


def _login(peer: Peer, kind: str) -> dict[str, Any]:
    loader = peer.account.ready["users"]["LOADER"]
    as_loader = {"user": "LOADER", "role": loader["role"], "password": None}
    return {
        "password": {},
        "key file": as_loader | {"private_key_path": loader["private_key_path"]},
        "encrypted key file": as_loader
        | {
            "private_key_path": loader["encrypted_private_key_path"],
            "private_key_passphrase": Path(loader["passphrase_path"]).read_text(),
        },
        "key": as_loader | {"private_key": Path(loader["private_key_path"]).read_text()},
        "OAuth token": as_loader | {"oauth_access_token": loader["oauth_token"]},
    }[kind]


@pytest.mark.full
@pytest.mark.parametrize("kind", ["password", "key file", "encrypted key file", "key", "OAuth token"])
def test_logins(peer: Peer, kind: str) -> None:
    peer.load([schema("items", {"id": KEY}), *records("items", [{"id": 1}])], **_login(peer, kind))
    assert peer.rows("SELECT ID FROM {schema}.ITEMS") == [(1,)]


@pytest.mark.full
@pytest.mark.parametrize(
    ("settings", "number"),
    [({"password": "wrong"}, "390100"), ({"password": None, "oauth_access_token": "x"}, "390303")],
)
def test_wrong_logins(peer: Peer, settings: dict[str, Any], number: str) -> None:
    code, log = peer.run([schema("items", {"id": KEY})], **settings)
    assert code == 1
    assert number in log


CAMEL = {"Id": KEY, "clientName": TEXT, "order": TEXT, "a b-c": TEXT}
CAMEL_ROWS: list[dict[str, Any]] = [
    {"Id": 1, "clientName": "x", "order": "o", "a b-c": "q"},
    {"Id": 2, "clientName": "y", "order": None, "a b-c": ""},
]


@pytest.mark.full
@pytest.mark.parametrize(
    ("settings", "columns"),
    [
        ({}, ["ID", "CLIENTNAME", "ORDER", "A B-C"]),
        ({"quoted_identifiers_ignore_case": False}, ["Id", "clientName", "order", "a b-c"]),
        ({"normalise_casing": True}, ["ID", "CLIENT_NAME", "ORDER", "AB_C"]),
    ],
)
def test_names_of_columns(peer: Peer, settings: dict[str, Any], columns: list[str]) -> None:
    messages = [schema("CamelStream", CAMEL, keys=["Id"]), *records("CamelStream", CAMEL_ROWS)]
    for _ in range(2):
        peer.load(messages, **settings)
        listed = ", ".join(f'"{column}"' for column in columns)
        rows = peer.rows(f'SELECT {listed} FROM {{schema}}.CAMELSTREAM ORDER BY "{columns[0]}"')
        assert rows == [tuple(row.values()) for row in CAMEL_ROWS]


@pytest.mark.full
def test_values_at_their_limits(peer: Peer) -> None:
    kinds = {"date": dt.date, "time": dt.time}
    properties: dict[str, Any] = {"id": KEY, "m": INTEGER, "n": NUMBER}
    properties |= {"u": {"type": "string", "format": "uuid"}}
    properties |= {name: {"type": ["null", "string"], "format": name} for name in kinds}
    rows = [
        (1, 12345678901234567890123, 0.1, "550e8400-e29b-41d4-a716-446655440000", "9999-12-31", "23:59:59"),
        (2, -99999999999999999, 1e300, "00000000-0000-0000-0000-000000000000", "0001-01-01", "00:00:00"),
        (3, None, None, "ffffffff-ffff-ffff-ffff-ffffffffffff", None, None),
    ]
    sent = [dict(zip(properties, row, strict=True)) for row in rows]
    peer.load([schema("limits", properties), *records("limits", sent)])
    expected = [
        (
            Decimal(number),
            None if large is None else Decimal(large),
            real,
            text,
            day and dt.date.fromisoformat(day),
            clock and dt.time.fromisoformat(clock),
        )
        for number, large, real, text, day, clock in rows
    ]
    assert peer.rows('SELECT ID, M, N, U, "DATE", "TIME" FROM {schema}.LIMITS ORDER BY ID') == expected


@pytest.mark.full
@pytest.mark.parametrize("kind", ["TIMESTAMP_NTZ", "TIMESTAMP_LTZ", "TIMESTAMP_TZ"])
def test_instants_in_each_type_of_times(peer: Peer, kind: str) -> None:
    rows: list[dict[str, Any]] = [{"id": 1, "at": "2026-01-02T03:04:05.123456Z"}, {"id": 2, "at": None}]
    peer.load([schema("times", {"id": KEY, "at": TIME}), *records("times", rows)], timestamp_type=kind)
    assert {row[0]: row[1] for row in peer.rows("DESCRIBE TABLE {schema}.TIMES")}["AT"] == f"{kind}(9)"
    instant = "AT" if kind == "TIMESTAMP_NTZ" else "CONVERT_TIMEZONE('UTC', AT)::TIMESTAMP_NTZ"
    stored = peer.rows(f"SELECT {instant} FROM {{schema}}.TIMES ORDER BY ID")
    wall = dt.datetime(2026, 1, 2, 3, 4, 5, 123456)  # noqa: DTZ001 - no zone
    assert stored == [(wall,), (None,)]
