"""Random filters and orders against an evaluation of our own; broken texts, that never break the server."""

from __future__ import annotations

import json
import time
import typing as t
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from x3_client import JsonObject, X3Client, decoded

if t.TYPE_CHECKING:
    from x3_control import Record, X3Control

SUPPLIER = ("x3MasterData", "supplier")
FUZZ = settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def found(x3: X3Client, text: str) -> list[str]:
    """The `_id` of what a filter finds."""
    return [item["_id"] for item in x3.nodes(*SUPPLIER, "_id", f"first: 1000, filter: {json.dumps(text)}")]


Test = t.Callable[[dict[str, t.Any]], bool]
ABC = {1: "classA", 2: "classB", 3: "classC", 4: "classD", 0: None}


def _leaf(
    name: str, read: t.Callable[[Record], t.Any], values: st.SearchStrategy[t.Any]
) -> st.SearchStrategy[t.Any]:
    def one(operator: str, value: t.Any) -> tuple[str, Test]:  # noqa: ANN401 - a literal
        text = f"{name}:{{{operator}:{_literal(value)}}}"
        compare: dict[str, t.Callable[[t.Any], bool]] = {
            "_eq": lambda have: have == value, "_ne": lambda have: have != value,
            "_gt": lambda have: have is not None and have > value,
            "_gte": lambda have: have is not None and have >= value,
            "_lt": lambda have: have is not None and have < value,
            "_lte": lambda have: have is not None and have <= value,
        }  # fmt: skip
        return f"{{{text}}}", lambda row: compare[operator](read(row))

    def many(operator: str, chosen: list[t.Any]) -> tuple[str, Test]:
        text = f"{{{name}:{{{operator}:[{','.join(map(_literal, chosen))}]}}}}"
        return text, lambda row: (read(row) in chosen) is (operator == "_in")

    ordered = ("_eq", "_ne", "_gt", "_gte", "_lt", "_lte")
    operators = ("_eq", "_ne") if name in {"isActive", "supplierABCClass"} else ordered
    return st.builds(one, st.sampled_from(operators), values) | st.builds(
        many, st.sampled_from(["_in", "_nin"]), st.lists(values, max_size=3)
    )


def _literal(value: t.Any) -> str:  # noqa: ANN401 - a literal
    if isinstance(value, Decimal):
        return str(value)
    return json.dumps(value, ensure_ascii=False)


LEAVES = (
    _leaf("currency", lambda r: r["CUR"], st.sampled_from(["EUR", "USD", "CHF", "eur", ""]))
    | _leaf("_id", lambda r: r["BPSNUM"], st.sampled_from(["S00003", "FR~0007", "S00030", "A", "Z"]))
    | _leaf("companyName1", lambda r: r["BPSNAM"], st.sampled_from(
        ["Smith, Jones & Co", "日本精工", "K", 'O\'Brien "Precision"']))
    | _leaf("isActive", lambda r: r["ENAFLG"] == 2, st.booleans())
    | _leaf("supplierABCClass", lambda r: ABC[r["ABCCLS"]], st.sampled_from(["classA", "classB", None]))
    | _leaf("authorizedCreditAmount", lambda r: r["OSTAUZAMT"],
            st.decimals(0, 10_000_000, places=3) | st.sampled_from([Decimal(0), Decimal("1E+6")]))
    | _leaf("_updateStamp", lambda r: r["UPDDATTIM"], st.sampled_from(
        ["2025-01-01T00:00:00Z", "2025-09-09T09:09:09Z", "2026-10-31T18:00:00Z"]))
)  # fmt: skip


def _all(parts: list[tuple[str, Test]]) -> tuple[str, Test]:
    return f"{{_and:[{','.join(p[0] for p in parts)}]}}", lambda row: all(p[1](row) for p in parts)


def _any(parts: list[tuple[str, Test]]) -> tuple[str, Test]:
    return f"{{_or:[{','.join(p[0] for p in parts)}]}}", lambda row: any(p[1](row) for p in parts)


def _not(part: tuple[str, Test]) -> tuple[str, Test]:
    return f"{{_not:{part[0]}}}", lambda row: not part[1](row)


FILTERS = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3).map(_all)
        | st.lists(inner, min_size=1, max_size=3).map(_any)
        | inner.map(_not)
    ),
    max_leaves=6,
)


@FUZZ
@given(condition=FILTERS)
def test_random_filters_find_what_they_say(
    x3: X3Client, suppliers: list[Record], condition: tuple[str, Test]
) -> None:
    text, wanted = condition
    assert found(x3, text) == [row["BPSNUM"] for row in suppliers if wanted(row)]


ORDERS = st.lists(
    st.tuples(
        st.sampled_from([
            ("currency", "CUR"), ("companyName1", "BPSNAM"), ("authorizedCreditAmount", "OSTAUZAMT"),
            ("_updateStamp", "UPDDATTIM"), ("supplierABCClass", "ABCCLS"), ("_createUser", "CREUSR"),
        ]),
        st.sampled_from([1, -1]),
    ),
    max_size=4, unique_by=lambda part: part[0],
)  # fmt: skip


@settings(FUZZ, max_examples=25)
@given(order=ORDERS, size=st.integers(6, 40))
def test_random_orders_sort_and_page(
    x3: X3Client, suppliers: list[Record], order: list[tuple[tuple[str, str], int]], size: int
) -> None:
    rows = list(suppliers)
    for (_, column), direction in reversed(order):
        rows.sort(key=lambda row: row[column], reverse=direction < 0)
    right = [row["BPSNUM"] for row in rows]
    text = json.dumps(
        "{" + ",".join(f"{name}:{'+' if way > 0 else ''}{way}" for (name, _), way in order) + "}"
    )
    forward, backward = _walk(x3, text, f"first: {size}", "after"), _walk(x3, text, f"last: {size}", "before")
    assert forward == right
    assert backward == right


def _walk(x3: X3Client, order: str, size: str, way: str) -> list[str]:
    pages: list[list[str]] = []
    cursor = ""
    info = "hasNextPage hasPreviousPage startCursor endCursor"
    while True:
        page = x3.query(
            *SUPPLIER,
            f"edges {{ node {{ _id }} }} pageInfo {{ {info} }}",
            f"{size}, orderBy: {order}{cursor}",
        )
        pages.append([edge["node"]["_id"] for edge in page["edges"]])
        forward = way == "after"
        if not page["pageInfo"]["hasNextPage" if forward else "hasPreviousPage"]:
            break
        cursor = f", {way}: {json.dumps(page['pageInfo']['endCursor' if forward else 'startCursor'])}"
    ordered = pages if way == "after" else reversed(pages)
    return [identifier for page in ordered for identifier in page]


WORDS = st.sampled_from([
    "{", "}", "[", "]", ":", ",", "'", '"', "\\", "\\u", "\\ud800", "currency", "code", "_id", "_updateStamp",
    "_in", "_nin", "_gte", "_or", "_and", "_not", "_regex", "_atLeast", "_every", "'EUR'", "'(a*)*$'", "1",
    "-1.5", "1e999", "true", "null", "'2025-01-01T00:00:00Z'", "companyName1", "authorizedCreditAmount", " ",
    "\n", "é", "\x00", "//",
])  # fmt: skip
TEXTS = st.lists(WORDS, min_size=1, max_size=12).map("".join) | st.text(max_size=60)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A good filter with a piece of it replaced."""
    text, _ = draw(FILTERS)
    start = draw(st.integers(0, len(text)))
    end = draw(st.integers(start, min(len(text), start + 5)))
    return text[:start] + draw(WORDS) + text[end:]


@FUZZ
@given(text=TEXTS | mutated())
def test_no_filter_or_order_text_breaks_the_server(x3: X3Client, text: str) -> None:
    for name in ("filter", "orderBy"):
        call = f"query(first: 1, {name}: $f) {{ edges {{ cursor }} }}"
        query = f"query($f: String) {{ x3MasterData {{ supplier {{ {call} }} }} }}"
        start = time.monotonic()
        answer = x3.post(query, variables={"f": text})
        assert time.monotonic() - start < 50  # a busy machine takes its time
        _is_answer(answer.status_code, answer.json())


def _is_answer(status: int, body: JsonObject) -> None:
    assert status == 200
    for error in body.get("errors", []):
        assert error["extensions"]["code"] == "BAD_USER_INPUT", error
    assert ("errors" in body) is (
        body["data"] is None or body["data"]["x3MasterData"]["supplier"]["query"] is None
    )


@pytest.fixture(scope="module")
def suppliers(truth: X3Control) -> list[Record]:
    return truth.rows("BPSUPPLIER")


def test_a_huge_filter_is_answered(x3: X3Client) -> None:
    call = "query(first: 1, filter: $f) { totalCount }"
    query = f"query($f: String) {{ x3MasterData {{ supplier {{ {call} }} }} }}"
    many = "{_id:{_in:[" + ",".join(f"'S{n:05d}'" for n in range(15_000)) + "]}}"
    answer = decoded(x3.post(query, variables={"f": many}))
    assert answer["data"]["x3MasterData"]["supplier"]["query"]["totalCount"] == 34
    for text in ("{_not:" * 10_000 + "{}" + "}" * 10_000, "[" * 100_000, "x" * 1_000_000):
        refused = x3.post(query, variables={"f": text})
        assert refused.status_code == 200
        assert refused.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
        assert len(refused.content) < 20_000
