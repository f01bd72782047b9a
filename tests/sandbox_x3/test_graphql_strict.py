"""What a lenient server would let pass: foreign cursors, media types, dialects, Python's words."""

from __future__ import annotations

import json
import re
import typing as t

import pytest
from x3_schema import SCHEMA, types_of

if t.TYPE_CHECKING:
    import requests
    from x3_client import X3Client
    from x3_control import X3Control

SUPPLIER = ("x3MasterData", "supplier")
PAGE = "edges { node { _id } } pageInfo { endCursor }"
PYTHON = re.compile(r"Decimal\(|<|None|True|False|\bobject at\b|\bdict\b|Traceback|Error\b")


def message_of(answer: requests.Response) -> str:
    return str(answer.json()["errors"][0]["message"])


def ask(x3: X3Client, node: tuple[str, str], arguments: str, inner: str = PAGE) -> requests.Response:
    return x3.post(f"{{ {node[0]} {{ {node[1]} {{ query({arguments}) {{ {inner} }} }} }} }}")


# -- cursors


@pytest.mark.parametrize(
    ("made", "used"),
    [
        ("", 'orderBy: "{code:-1}"'),
        ('orderBy: "{code:-1}"', ""),
        ("", "filter: \"{currency:'EUR'}\""),
        ("filter: \"{currency:'EUR'}\"", "filter: \"{currency:'USD'}\""),
        ('orderBy: "{currency:1}"', 'orderBy: "{companyName1:1}"'),
    ],
)
@pytest.mark.parametrize(("size", "place"), [("first", "after"), ("last", "before")])
def test_a_cursor_holds_for_its_own_order_and_filter(
    x3: X3Client, made: str, used: str, size: str, place: str
) -> None:
    cursor = json.dumps(x3.query(*SUPPLIER, PAGE, f"first: 3, {made}")["pageInfo"]["endCursor"])
    own = ask(x3, SUPPLIER, f"{size}: 2, {place}: {cursor}, {made}")
    assert "errors" not in own.json()
    answer = ask(x3, SUPPLIER, f"{size}: 2, {place}: {cursor}, {used}")
    assert message_of(answer).startswith("Invalid cursor")


def test_a_cursor_holds_for_its_own_node(x3: X3Client) -> None:
    cursor = json.dumps(x3.query(*SUPPLIER, PAGE, "first: 3")["pageInfo"]["endCursor"])
    answer = ask(x3, ("x3MasterData", "customer"), f"first: 2, after: {cursor}")
    assert message_of(answer).startswith("Invalid cursor")


# -- media types


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/graphql", "application/x-www-form-urlencoded"]
)
@pytest.mark.parametrize("path", ["/xtrem/api", "/v1/service/X3CLOUDV2_SEED/api"])
def test_another_media_type_is_refused(own: X3Client, control: X3Control, kind: str, path: str) -> None:
    cloud = path.startswith("/v1")
    headers = own.graphql_headers()
    if cloud:
        headers = {"Authorization": f"Bearer {control.pair()['access_token']}"}
    body = json.dumps({"query": "{ __typename }"}).encode()

    def post(content_type: str) -> requests.Response:
        given = {**headers, "Content-Type": content_type}
        return own.session.post(own.url + path, data=body, headers=given, timeout=20)

    answer = post(kind)
    assert answer.status_code == 415
    assert message_of(answer) == "Content-Type must be application/json"
    for right in ("application/json", "Application/JSON; charset=utf-8"):
        assert post(right).json()["data"] == {"__typename": "RootQuery"}


# -- types


def test_whole_numbers_are_of_the_type_int(x3: X3Client) -> None:
    types = types_of(x3)
    assert "Integer" not in types
    fields = {found["name"]: found for found in types["JournalEntry"]["fields"]}
    assert fields["fiscalYear"]["type"]["name"] == "Int"
    assert [name for name, type_ in types.items() if type_["kind"] == "SCALAR"].count("Int") == 1
    query = (
        "query($n: Int) { x3MasterData { supplier { query(first: $n) { totalCount edges { cursor } } } } }"
    )
    answer = x3.post(query, variables={"n": 2}).json()
    assert len(answer["data"]["x3MasterData"]["supplier"]["query"]["edges"]) == 2
    for wrong in ("2", 2.5, 2**31, True):
        refused = x3.post(query, variables={"n": wrong})
        assert refused.status_code == 400, wrong
        assert "Int cannot represent" in message_of(refused)


@pytest.mark.parametrize("value", [3, "x", -1])
def test_a_value_that_is_no_boolean_is_not_shown_as_one(
    own: X3Client, control: X3Control, value: object
) -> None:
    code = control.rows("BPSUPPLIER", limit=1)[0]["BPSNUM"]
    control.bad_value("BPSUPPLIER", code, "ENAFLG", value)
    answer = ask(own, SUPPLIER, "first: 1", "edges { node { _id isActive } }").json()
    (edge,) = answer["data"]["x3MasterData"]["supplier"]["query"]["edges"]
    assert edge["node"] == {"_id": code, "isActive": None}
    assert "Boolean cannot represent" in answer["errors"][0]["message"]


def test_a_value_that_is_no_number_is_shown_as_it_is(own: X3Client, control: X3Control) -> None:
    row = control.rows("GACCENTRY", limit=1)[0]
    control.bad_value("GACCENTRY", [row["TYP"], row["NUM"]], "FIY", "12x")
    (entry,) = own.nodes("x3FinanceData", "journalEntry", "fiscalYear", "first: 1")
    assert entry["fiscalYear"] == "12x"


# -- texts


@pytest.mark.parametrize(
    "pattern",
    [
        "(?i)fr", "(?P<a>F)", "(?P=a)", "(?=F)", "(?!F)", "(?<=F)R", "(?<!F)R", "(?#x)F", "(?>F)", "(?s:F)",
        r"\\AF", r"F\\Z", r"\\N{DIGIT ONE}", r"\\z", r"\\0", "F++", "F*+", "F?+", "F{1}+",
    ],
)  # fmt: skip
def test_regular_expressions_of_one_dialect_are_refused(x3: X3Client, pattern: str) -> None:
    text = json.dumps(f"{{companyName1:{{_regex:'{pattern}'}}}}")
    answer = ask(x3, SUPPLIER, f"filter: {text}")
    assert "not a regular expression" in message_of(answer)


@pytest.mark.parametrize(
    ("pattern", "right"),
    [
        ("^FR", lambda code: code.startswith("FR")),
        (r"\\d1$", lambda code: code[-2].isdigit() and code[-1] == "1"),
        ("^(?:FR|DE)[0-9]+1$", lambda code: code[:2] in {"FR", "DE"} and code.endswith("1")),
        (r"(0)\\1", lambda code: "00" in code),
        (r"^\\w{2}0+\\d?", lambda code: code[2] == "0"),
    ],
)
def test_regular_expressions_of_every_dialect_work(
    x3: X3Client, truth: X3Control, pattern: str, right: t.Callable[[str], bool]
) -> None:
    codes = [row["BPSNUM"] for row in truth.rows("BPSUPPLIER")]
    text = json.dumps(f"{{code:{{code:{{_regex:'{pattern}'}}}}}}")
    found = {node["_id"] for node in x3.nodes(*SUPPLIER, "_id", f"first: 1000, filter: {text}")}
    assert found == {code for code in codes if right(code)}


@pytest.mark.parametrize("number", ["007", "00", "-01", "01.5", "1.2.3", "1x", "0x10", "1_000", ".5", "5."])
def test_numbers_are_written_without_leading_zeros(x3: X3Client, number: str) -> None:
    answer = ask(x3, SUPPLIER, f'filter: "{{authorizedCreditAmount:{{_gt:{number}}}}}"')
    assert "filter: syntax error" in message_of(answer)


@pytest.mark.parametrize("number", ["0", "-0.5", "+1", "10", "1e3", "1.5E-2"])
def test_other_numbers_are_read(x3: X3Client, number: str) -> None:
    answer = ask(x3, SUPPLIER, f'filter: "{{authorizedCreditAmount:{{_gt:{number}}}}}"')
    assert "errors" not in answer.json()


@pytest.mark.parametrize("order", ["{code:{}}", "{code:{code:{}}}", "{currency:{}}", "{companyName1:{}}"])
def test_an_order_by_nothing_is_refused(x3: X3Client, order: str) -> None:
    answer = ask(x3, SUPPLIER, f'orderBy: "{order}"')
    assert "names no property" in message_of(answer)


@pytest.mark.parametrize(
    "arguments",
    [
        'filter: "{isActive:1.5}"', 'filter: "{isActive:{_eq:[1]}}"', 'filter: "{currency:{_in:[{a:1}]}}"',
        'filter: "{supplierABCClass:null,companyName1:true}"', 'filter: "{companyName1:1e300}"',
        'filter: "1"', 'filter: "[1]"', 'filter: "[[null]]"', 'filter: "{_and:[true]}"', 'orderBy: "[1]"',
        'orderBy: "null"', 'orderBy: "{_id:{}}"', 'filter: "{_updateStamp:[]}"',
        'filter: "{supplierType:{_eq:{}}}"',
    ],
)  # fmt: skip
def test_messages_are_in_the_clients_words(x3: X3Client, arguments: str) -> None:
    answer = ask(x3, SUPPLIER, arguments)
    assert not PYTHON.search(message_of(answer)), message_of(answer)


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'{"query": 1}', b"\xff", b'{"query": "x", "variables": 3}', b'{"quer": ""}']
)
def test_a_wrong_body_is_told_in_one_way(x3: X3Client, body: bytes) -> None:
    headers = {**x3.graphql_headers(), "Content-Type": "application/json"}
    answer = x3.session.post(f"{x3.url}/xtrem/api", data=body, headers=headers, timeout=20)
    assert answer.status_code == 400
    assert message_of(answer) == (
        "Invalid request body: expected a JSON object with query, and perhaps variables and operationName"
    )


def test_an_identifier_that_is_no_text_is_told(x3: X3Client) -> None:
    query = "query($id: Id!) { x3MasterData { supplier { read(_id: $id) { _id } } } }"
    for value, shown in ((5, "5"), (1.5, "1.5"), ([], "a list"), ({}, "an object"), (True, "true")):
        answer = x3.post(query, variables={"id": value})
        assert answer.status_code == 400
        assert f"no text: {shown}" in message_of(answer)


def test_the_whole_schema_can_be_asked_for(x3: X3Client) -> None:
    assert "errors" not in x3.post(SCHEMA).json()
