"""Sage's public sample calls of the GraphQL API, made as the samples make them.

Sources: the PHP web portal of Sage (three versions of it: before 2022 R3, 2022 R3, and now), and the pages
"Fast track to GraphQL", "Example GraphQL queries for Purchasing" and "... for Suppliers" of Sage's developer
site.
Codes are those of our data; shapes, arguments, variables and their types are the samples'.
"""

from __future__ import annotations

import json
import re
import typing as t

import pytest
from processes import server
from x3_client import JsonObject, X3Client, decoded
from x3_control import X3Control

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from x3_control import Record

CURSOR = re.compile(r'^\["[^"]+"\]#\d\d$')
HEADER = """ _id purchaseSite { name _id } receiptSite { name } orderFromSupplier { %s }
 internalOrderReference receiptStatus signatureStatus isClosed """
LINES = """ query { edges { node { lineNumber product { code description1 } quantityInOrderUnitOrdered
 quantityInStockUnitReceived orderUnit { code } } } } """


@pytest.fixture(scope="module", params=["old", "2022r3"])
def portal(request: pytest.FixtureRequest) -> Iterator[tuple[str, X3Client, X3Control]]:
    """The releases for which versions of the PHP portal were written."""
    release = str(request.param)
    with (
        server("local_x3", "--scale", "60", "--graphql-names", release) as running,
        X3Control(running.ready["url"]) as control,
    ):
        yield release, X3Client(running.ready), control


def data(x3: X3Client, query: str, variables: JsonObject | None = None) -> JsonObject:
    """The data of an answer of the documented envelope, asked for as the PHP portal does."""
    answer = decoded(x3.post(query, variables=variables or {}))
    assert set(answer) == {"data", "extensions"}, answer
    assert answer["extensions"] == {"diagnoses": []}
    return t.cast("JsonObject", answer["data"])


def nodes(found: JsonObject) -> list[JsonObject]:
    assert set(found) == {"edges"}
    assert all(set(edge) == {"node"} for edge in found["edges"])
    return [edge["node"] for edge in found["edges"]]


def supplier_of(release: str, code: str) -> JsonObject:
    return {"code": code} if release == "old" else {"code": {"code": code}}


def test_php_list_of_orders(portal: tuple[str, X3Client, X3Control]) -> None:
    release, x3, control = portal
    rows = control.rows("PORDER")
    supplier, site = rows[0]["BPSNUM"], rows[0]["POHFCY"]
    member = "code" if release == "old" else "code { code }"
    query = f"""query mySpeList($first: Int!, $filter: String, $orderBy: String) {{
      xtremX3Purchasing {{ purchaseOrder {{
        query(first: $first, filter: $filter, orderBy: $orderBy) {{
          edges {{ node {{ {HEADER % member} }} }} }} }} }} }}"""

    def ask(chosen: str) -> list[JsonObject]:
        variables = {"first": 50, "filter": chosen, "orderBy": "{purchaseSite:{_id:-1},_id:-1}"}
        return nodes(data(x3, query, variables)["xtremX3Purchasing"]["purchaseOrder"]["query"])

    everything = ask("[{orderFromSupplier:{}},{purchaseSite:{}},{}]")
    ordered = sorted(rows, key=lambda row: (row["POHFCY"], row["POHNUM"]), reverse=True)
    assert [node["_id"] for node in everything] == [row["POHNUM"] for row in ordered][:50]
    chosen = ask(f"[{{orderFromSupplier:{{_id:'{supplier}'}}}},{{purchaseSite:{{_id:'{site}'}}}},{{}}]")
    assert chosen
    for node in chosen:
        assert node["orderFromSupplier"] == supplier_of(release, supplier)
        assert node["purchaseSite"]["_id"] == site
        assert isinstance(node["purchaseSite"]["name"], str)
        assert node["isClosed"] in {"no", "yes"}
    status = everything[0]["receiptStatus"]
    by_status = ask(f"[{{orderFromSupplier:{{}}}},{{purchaseSite:{{}}}},{{receiptStatus:'{status}'}}]")
    assert {node["receiptStatus"] for node in by_status} == {status}


def test_php_list_with_everything_in_the_text(portal: tuple[str, X3Client, X3Control]) -> None:
    release, x3, control = portal
    supplier = control.rows("PORDER", limit=1)[0]["BPSNUM"]
    member = "code" if release == "old" else "code { code }"
    query = f"""{{\r\n  xtremX3Purchasing {{\r\n    purchaseOrder {{\r\n      query (first:50,
      filter:"[{{orderFromSupplier:{{_id:'{supplier}'}}}}]",orderBy:"{{purchaseSite:{{_id:-1}}}}"){{
      edges {{ node {{ {HEADER % member} }} }} }} }} }} }}"""
    found = nodes(data(x3, query)["xtremX3Purchasing"]["purchaseOrder"]["query"])
    right = [row for row in control.rows("PORDER") if row["BPSNUM"] == supplier]
    assert len(found) == len(right) > 0


def test_php_one_order(portal: tuple[str, X3Client, X3Control]) -> None:
    release, x3, control = portal
    row = control.rows("PORDER", limit=1)[0]
    lines = [line for line in control.rows("PORDERQ") if line["POHNUM"] == row["POHNUM"]]
    member, collection = (
        ("code", "purchaseOrderQuantityLines")
        if release == "old"
        else ("code { code }", "purchaseOrderLines")
    )
    selection = f"{HEADER % member} _createStamp _updateStamp {collection} {{ {LINES} }}"
    with_variable = f"""query mySpeDetail($id:Id!){{ xtremX3Purchasing {{ purchaseOrder {{
      read(_id: $id) {{ {selection} }} }} }} }}"""
    in_text = (
        f'{{ xtremX3Purchasing {{ purchaseOrder {{ read(_id: "{row["POHNUM"]}") {{ {selection} }} }} }} }}'
    )
    node = data(x3, with_variable, {"id": row["POHNUM"]})["xtremX3Purchasing"]["purchaseOrder"]["read"]
    assert data(x3, in_text)["xtremX3Purchasing"]["purchaseOrder"]["read"] == node
    assert node["_id"] == row["POHNUM"]
    assert node["orderFromSupplier"] == supplier_of(release, row["BPSNUM"])
    assert node["_updateStamp"] == row["UPDDATTIM"].replace("Z", ".000Z")
    shown = nodes(node[collection]["query"])
    texts = {product["ITMREF"]: product["ITMDES1"] for product in control.rows("ITMMASTER")}
    assert [line["lineNumber"] for line in shown] == [line["POPLIN"] for line in lines]
    assert [line["product"] for line in shown] == [
        {"code": line["ITMREF"], "description1": texts[line["ITMREF"]]} for line in lines
    ]
    assert all(isinstance(line["quantityInOrderUnitOrdered"], str) for line in shown)


def test_php_an_order_that_does_not_exist(portal: tuple[str, X3Client, X3Control]) -> None:
    _, x3, _ = portal
    query = "query mySpeDetail($id:Id!){ xtremX3Purchasing { purchaseOrder { read(_id: $id) { _id } } } }"
    assert data(x3, query, {"id": "none"})["xtremX3Purchasing"]["purchaseOrder"]["read"] is None
    refused = x3.post(query.replace("Id!", "String!"), variables={"id": "none"})
    assert refused.status_code == 400
    assert 'expecting type "Id!"' in refused.json()["errors"][0]["message"]


def test_php_filter_on_the_lines(portal: tuple[str, X3Client, X3Control]) -> None:
    """The portal finds receipts by `{lines:{_every:true,purchaseOrderNumber:'...'}}`; here orders by unit."""
    release, x3, control = portal
    collection = "purchaseOrderQuantityLines" if release == "old" else "purchaseOrderLines"
    lines: dict[str, list[Record]] = {}
    for row in control.rows("PORDERQ"):
        lines.setdefault(row["POHNUM"], []).append(row)
    unit = control.rows("PORDERQ", limit=1)[0]["UOM"]
    query = """query mySpeList($filter: String, $orderBy: String) { xtremX3Purchasing { purchaseOrder {
      query(filter: $filter, orderBy: $orderBy, first: 1000) { edges { node { id } } } } } }"""
    variables = {"filter": f"{{{collection}:{{_every:true,orderUnit:'{unit}'}}}}", "orderBy": "{id:-1}"}
    found = nodes(data(x3, query, variables)["xtremX3Purchasing"]["purchaseOrder"]["query"])
    right = sorted(
        (number for number, rows in lines.items() if all(r["UOM"] == unit for r in rows)), reverse=True
    )
    assert [node["id"] for node in found] == right


def test_purchasing_page_orders_with_their_status(x3: X3Client, truth: X3Control) -> None:
    rows = [row for row in truth.rows("PORDER") if row["CLEFLG"] != 2]
    site, code = rows[0]["POHFCY"], rows[0]["BPSNUM"]
    query = f"""{{ x3Purchasing {{ purchaseOrder {{
      query(filter: "{{purchaseSite : '{site}', orderFromSupplier : '{code}', isClosed: {{_ne: 'yes'}}}}")
      {{
        edges {{ node {{ id purchaseSite{{ code }} receiptSite {{ code }}
          orderFromSupplier {{ code {{ code }} }} isClosed receiptStatus signatureStatus
          purchaseOrderLines {{ query {{
            edges {{ node {{ lineNumber product {{ code }} quantityInOrderUnitOrdered orderUnit {{ code }}
            }} }} }} }} }} }} }} }} }} }}"""
    found = nodes(data(x3, query)["x3Purchasing"]["purchaseOrder"]["query"])
    right = [row["POHNUM"] for row in rows if (row["POHFCY"], row["BPSNUM"]) == (site, code)]
    assert [node["id"] for node in found] == right[:20]
    for node in found:
        assert (node["purchaseSite"], node["isClosed"]) == ({"code": site}, "no")
        assert nodes(node["purchaseOrderLines"]["query"])


SUPPLIER = """edges { node { code{ code } companyName1 shortCompanyName isActive
  addressByDefault{ code description } location } }"""


def test_suppliers_page_active_suppliers(x3: X3Client, truth: X3Control) -> None:
    query = f'{{ x3MasterData {{ supplier {{ query(filter: "{{isActive: true}}") {{ {SUPPLIER} }} }} }} }}'
    found = nodes(data(x3, query)["x3MasterData"]["supplier"]["query"])
    right = [row["BPSNUM"] for row in truth.rows("BPSUPPLIER") if row["ENAFLG"] == 2]
    assert [node["code"]["code"] for node in found] == right[:20]
    assert all(node["isActive"] is True for node in found)


def test_suppliers_page_by_code_and_address(x3: X3Client, truth: X3Control) -> None:
    row = next(row for row in truth.rows("BPSUPPLIER") if row["BPAADD"])
    text = f"{{code : '{row['BPSNUM']}', addressByDefault : '{row['BPAADD']}'}}"
    query = f'{{ x3MasterData {{ supplier {{ query(filter: "{text}") {{ {SUPPLIER} }} }} }} }}'
    (node,) = nodes(data(x3, query)["x3MasterData"]["supplier"]["query"])
    assert node["code"] == {"code": row["BPSNUM"]}
    assert node["addressByDefault"]["code"] == row["BPAADD"]
    assert isinstance(node["addressByDefault"]["description"], str)


PARTNERS = "xtremX3MasterData { businessPartner"


def partners(control: X3Control) -> list[str]:
    suppliers = [row["BPSNUM"] for row in control.rows("BPSUPPLIER")]
    return sorted([*suppliers, *(row["BPCNUM"] for row in control.rows("BPCUSTOMER"))])


def test_guide_queries_of_business_partners(portal: tuple[str, X3Client, X3Control]) -> None:
    _, x3, control = portal
    codes = partners(control)

    def ask(call: str, inner: str = "code isActive") -> list[JsonObject]:
        query = f"query MyNamedQuery {{ {PARTNERS} {{ {call} {{ edges {{ node {{ {inner} }} }} }} }} }} }}"
        return nodes(data(x3, query)["xtremX3MasterData"]["businessPartner"]["query"])

    assert [node["code"] for node in ask("query")] == codes[:20]
    assert [node["code"] for node in ask(f"query(filter : \"{{code :'{codes[3]}'}}\")")] == [codes[3]]
    assert [node["code"] for node in ask('query(orderBy: "{code:-1}")')] == codes[::-1][:20]
    assert [node["code"] for node in ask('query(orderBy: "{code:+1}")')] == codes[:20]
    one = data(x3, f'query MyNamedQuery {{ {PARTNERS} {{ read(_id: "{codes[3]}") {{ isActive }} }} }} }}')
    assert one["xtremX3MasterData"]["businessPartner"]["read"]["isActive"] in {True, False}


def test_guide_paging_forward_and_backward(portal: tuple[str, X3Client, X3Control]) -> None:
    _, x3, control = portal
    codes = partners(control)
    inner = """edges { node { code } cursor }
      pageInfo { endCursor hasNextPage startCursor hasPreviousPage }"""

    def page(arguments: str) -> tuple[list[str], JsonObject]:
        query = f"query MyNamedQuery {{ {PARTNERS} {{ query({arguments}) {{ {inner} }} }} }} }}"
        found = data(x3, query)["xtremX3MasterData"]["businessPartner"]["query"]
        cursors = [edge["cursor"] for edge in found["edges"]]
        assert all(CURSOR.match(cursor) for cursor in cursors)
        info = found["pageInfo"]
        assert (info["startCursor"], info["endCursor"]) == (cursors[0], cursors[-1])
        return [edge["node"]["code"] for edge in found["edges"]], info

    first, info = page("first: 5")
    assert (first, info["hasNextPage"], info["hasPreviousPage"]) == (codes[:5], True, False)
    second, info = page(f"first: 5, after : {json.dumps(info['endCursor'])}")
    assert (second, info["hasPreviousPage"]) == (codes[5:10], True)
    back, _ = page(f"last: 5, before : {json.dumps(info['startCursor'])}")
    assert back == codes[:5]


def test_guide_aliases_fragments_variables_directives(portal: tuple[str, X3Client, X3Control]) -> None:
    _, x3, control = portal
    codes = partners(control)
    query = """query MyNamedQuery($first: Int = 2, $names: Boolean!) { xtremX3MasterData { businessPartner {
        up: query(first: $first, orderBy: "{code:1}") { ...list }
        down: query(first: $first, orderBy: "{code:-1}") { ...list } } } }
      fragment list on BusinessPartner_Connection {
        edges { node { code companyName1 @include(if: $names) } } }"""
    found = data(x3, query, {"names": False})["xtremX3MasterData"]["businessPartner"]
    assert nodes(found["up"]) == [{"code": code} for code in codes[:2]]
    assert nodes(found["down"]) == [{"code": code} for code in codes[::-1][:2]]
    named = data(x3, query, {"names": True, "first": 1})["xtremX3MasterData"]["businessPartner"]
    assert set(nodes(named["up"])[0]) == {"code", "companyName1"}


def test_gateway_page_an_unknown_field(x3: X3Client) -> None:
    answer = x3.post("{ x3XXXX { purchaseOrder { query { edges { node { id } } } } } }")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["message"].startswith('Cannot query field "x3XXXX" on type ')
