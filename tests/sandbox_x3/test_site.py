"""What the site has beyond the standard: shown by both APIs, unknown to the streams."""

from __future__ import annotations

import typing as t

import pytest
from processes import server, start_server
from x3_client import X3Client, decoded
from x3_control import X3Control

if t.TYPE_CHECKING:
    from pathlib import Path

OWN = {
    "BPSUPPLIER": {"YSUPRATING", "YAUDDAT", "YQUASCORE", "YISO9001"},
    "ITMMASTER": {"XNBRTEETH", "XDRAWING"},
    "PORDER": {"YAPPUSR", "ZQTYREJ", "ZLINNOTE"},
    "PINVOICE": {"YSCANREF", "YSCANDATTIM"},
    "GACCENTRY": {"ZCLOTASK", "ZCOSTTYP"},
}
OWN_COLUMN = """extends = "supplier"
[[columns]]
table = "BPSUPPLIER"
fields = [{{name = "a", type = "text", x3 = "{column}", graphql = "{path}", text = "A"}}]
"""
INTROSPECTION = "{ __type(name: %s) { fields { name description } } }"


def own(names: t.Iterable[str]) -> set[str]:
    return {name for name in names if name[:1] in set("XYZ")}


def names_in(properties: dict[str, t.Any]) -> set[str]:
    found = set(properties)
    for described in properties.values():
        found |= names_in(described.get("$item", {}).get("$properties", {}))
    return found


@pytest.mark.parametrize("rest_class", OWN)
def test_prototypes_describe_own_columns(x3: X3Client, rest_class: str) -> None:
    answer = x3.get(f"/api1/x3/erp/{x3.ready['folder']}/$prototypes('{rest_class}.$details')")
    assert own(names_in(decoded(answer)["$properties"])) == OWN[rest_class]


def test_prototypes_tell_the_types_of_own_columns(x3: X3Client) -> None:
    answer = x3.get(f"/api1/x3/erp/{x3.ready['folder']}/$prototypes('BPSUPPLIER.$query')")
    types = {name: item["$type"] for name, item in decoded(answer)["$properties"].items() if name[0] == "Y"}
    assert types == {
        "YSUPRATING": "application/x-integer",
        "YAUDDAT": "application/x-date",
        "YQUASCORE": "application/x-decimal",
        "YISO9001": "application/x-integer",
    }


def test_rest_gives_own_columns_of_header_and_lines(x3: X3Client) -> None:
    supplier = x3.rows("BPSUPPLIER", count="1")[0]
    assert own(supplier) == OWN["BPSUPPLIER"]
    found = x3.rows("BPSUPPLIER", where="YSUPRATING eq 2", count="1000")
    assert found
    assert {row["YSUPRATING"] for row in found} == {2}
    entry = x3.details(x3.rows("GACCENTRY", count="1")[0])
    assert "ZCLOTASK" in entry
    assert all("ZCOSTTYP" in line for line in entry["HAEDAE"])


def test_graphql_names_the_columns_of_own_properties(x3: X3Client) -> None:
    for node, wanted in (
        ("Supplier", "supplierRating: Rating of the last audit (YSUPRATING)"),
        ("JournalEntryLines", "costType: Cost type of the group (ZCOSTTYP)"),
        ("QualityReport", "result: Result of the inspection (YRESULT)"),
    ):
        answer = decoded(x3.post(INTROSPECTION % f'"{node}"'))["data"]["__type"]["fields"]
        assert wanted in {f"{item['name']}: {item['description']}" for item in answer}


def test_graphql_gives_own_properties_with_the_values_of_rest(x3: X3Client) -> None:
    menu = [None, "unrated", "preferred", "approved", "conditional", "blocked"]
    rows = {row["BPSNUM"]: row for row in x3.all_rows("BPSUPPLIER")}
    selection = "code { code } supplierRating lastAuditDate isCertified"
    nodes = x3.nodes("x3MasterData", "supplier", selection)
    assert len(nodes) == len(rows)
    for node in nodes:
        row = rows[node["code"]["code"]]
        assert node["supplierRating"] == menu[row["YSUPRATING"]]
        assert node["isCertified"] is (row["YISO9001"] == 2)
        assert node["lastAuditDate"] in {row["YAUDDAT"], None}
    assert len({node["supplierRating"] for node in nodes}) > 2


def test_streams_do_not_hold_own_columns(truth: X3Control) -> None:
    for stream in ("suppliers", "purchase_order_lines", "gl_entry_lines"):
        names = {name for record in truth.expected(stream, "rest") for name in record}
        assert len(names) > 20
        assert not names & {"supplierRating", "lastAuditDate", "rejectedQuantity", "lineNote", "costType"}


def test_the_own_entity_is_there_in_both_apis(x3: X3Client) -> None:
    rows = x3.all_rows("YQUAREP")
    assert len(rows) == 75
    reports = {row["$key"]: x3.details(row) for row in rows}
    assert all(len(key.split("~")) == 2 for key in reports)
    selection = "site { code } id result defects { query(first: 100) { edges { node { lineNumber } } } }"
    nodes = x3.nodes("precisionPartsYquality", "qualityReport", selection)
    shown = {f"{node['site']['code']}~{node['id']}": node for node in nodes}
    assert set(shown) == set(reports)
    for key, report in reports.items():
        lines = [edge["node"]["lineNumber"] for edge in shown[key]["defects"]["query"]["edges"]]
        assert sorted(lines) == sorted(line["YLIN"] for line in report["YQRYQD"])
        assert lines


def test_a_site_may_have_twenty_dimensions(tmp_path: Path) -> None:
    declared = 'extends = "gl_entry"\n[[dimensions]]\ntable = "GACCENTRYA"\ncount = 20\n'
    (tmp_path / "gl_entry.toml").write_text(declared)
    with (
        server("local_x3", "--scale", "20", "--site", str(tmp_path)) as running,
        X3Control(running.ready["url"]) as control,
    ):
        client = X3Client(running.ready)
        row = control.rows("GACCENTRYA", limit=1)[0]
        key = [row[name] for name in ("TYP", "NUM", "LIN", "LEDTYP", "ANALIN")]
        control.set("GACCENTRYA", key, {"DIE12": "PRD", "CCE12": "P003"})
        (entry,) = client.rows("GACCENTRY", where=f"NUM eq '{row['NUM']}'")
        lines = [line for line in client.details(entry)["HAEDAE"] if line["LIN"] == row["LIN"]]
        assert lines[0]["DAEDAA"][0]["CCE12"] == "P003"
        assert "CCE20" in lines[0]["DAEDAA"][0]
        inner = "denormalizedIndex dimensionType { code } dimension { code }"
        dimensions = f"dimensions {{ query(first: 100) {{ edges {{ node {{ {inner} }} }} }} }}"
        allocations = f"analyticalLines {{ query {{ edges {{ node {{ {dimensions} }} }} }} }}"
        selection = f"id lines {{ query {{ edges {{ node {{ {allocations} }} }} }} }}"
        nodes = client.nodes("x3FinanceData", "journalEntry", selection)
        wanted = {"denormalizedIndex": 12, "dimensionType": {"code": "PRD"}, "dimension": {"code": "P003"}}
        assert str(wanted) in str(nodes)
        client.close()


def test_a_site_may_have_numbered_columns_of_its_own(tmp_path: Path) -> None:
    fields = (
        f'{{name = "r{n}", type = "text", length = 9, x3 = "YREF{n}", text = "Reference", '
        f'graphql = "yReferences[{n}].yReference"}}'
        for n in (1, 2)
    )
    declared = f'extends = "supplier"\n[[columns]]\ntable = "BPSUPPLIER"\nfields = [{", ".join(fields)}]\n'
    (tmp_path / "supplier.toml").write_text(declared)
    with (
        server("local_x3", "--scale", "20", "--site", str(tmp_path)) as running,
        X3Control(running.ready["url"]) as control,
    ):
        client = X3Client(running.ready)
        row = control.rows("BPSUPPLIER", limit=1)[0]
        control.set("BPSUPPLIER", row["BPSNUM"], {"YREF1": "", "YREF2": "two"})
        inner = "yReferences { query { edges { node { denormalizedIndex yReference } } } }"
        (node,) = client.nodes("x3MasterData", "supplier", inner, "first: 1")
        (edge,) = node["yReferences"]["query"]["edges"]
        assert edge["node"] == {"denormalizedIndex": 2, "yReference": "two"}
        client.close()


@pytest.mark.parametrize(
    ("declared", "reason"),
    [
        ('extends = "supplier"\n[[columns]]\ntable = "PORDER"\nfields = []', "supplier has no table PORDER"),
        (
            (
                'extends = "supplier"\n[[columns]]\ntable = "BPSUPPLIER"\n'
                'fields = [{name = "a", type = "text", x3 = "BPSNAM", graphql = "a", text = "A"}]'
            ),
            "BPSNAM is there already",
        ),
        (
            'extends = "supplier"\n[[dimensions]]\ntable = "BPSUPPLIER"\ncount = 20',
            "BPSUPPLIER has no numbered dimensions",
        ),
        ('name = "own"', "'source' is missing"),
        *(
            (
                OWN_COLUMN.format(column=column, path=path),
                f"{column}: graphql .* needs the form",
            )
            for column, path in (("YREF", "refs[1].ref"), ("YREF1", "refs[1]"), ("YREF1", "a.refs[1].ref"))
        ),
    ],
)
def test_a_wrong_declaration_of_the_site_is_refused(tmp_path: Path, declared: str, reason: str) -> None:
    (tmp_path / "own.toml").write_text(declared)
    with pytest.raises(RuntimeError, match=reason):
        start_server("local_x3", "--site", str(tmp_path))
