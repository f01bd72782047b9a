"""Lines and joined records that changed without their document are found, and sent once."""

from __future__ import annotations

import typing as t
from decimal import Decimal

import pytest
from tap_runs import catalog_of, run_tap
from tap_sagex3.errors import ApiError, SettingsError
from tap_sagex3.transport import Answer, Transport

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_runs import Config, Run
    from x3_control import Record, X3Control

PO_LINES = ("purchase_orders", "purchase_order_lines")
LEDGER = ("gl_entries", "gl_entry_lines", "gl_cost_allocations")
DAY = 86_400


@pytest.fixture(autouse=True)
def _undo(x3: X3Control) -> Iterator[None]:
    yield
    x3.reset()


@pytest.fixture
def old_line(x3: X3Control) -> Record:
    """A line of an order that is much older than any look-back."""
    return x3.rows("PORDERQ", limit=1)[0]


def key_of(line: Record) -> list[t.Any]:
    return [line["POHNUM"], line["POPLIN"], line["POQSEQ"]]


def lines_of(run: Run, number: str) -> dict[tuple[int, int], Record]:
    found = run.records("purchase_order_lines")
    return {(r["lineNumber"], r["sequenceNumber"]): r for r in found if r["id"] == number}


def test_a_line_that_changed_alone_is_found_through_graphql(
    graphql_config: Config, x3: X3Control, old_line: Record
) -> None:
    catalog = catalog_of(graphql_config, *PO_LINES)
    first = run_tap(graphql_config, catalog=catalog)
    x3.set("PORDERQ", key_of(old_line), {"RCPQTYSTU": 77})
    second = run_tap(graphql_config, catalog=catalog, state=first.state)
    number = old_line["POHNUM"]
    assert second.records("purchase_orders") == []
    assert {record["id"] for record in second.records("purchase_order_lines")} == {number}
    found = lines_of(second, number)
    assert found.keys() == lines_of(first, number).keys()
    assert found[old_line["POPLIN"], old_line["POQSEQ"]]["quantityInStockUnitReceived"] == 77
    assert run_tap(graphql_config, catalog=catalog, state=second.state).of("RECORD") == []


def test_a_line_of_a_line_that_changed_alone_is_found_through_graphql(
    graphql_config: Config, x3: X3Control
) -> None:
    catalog = catalog_of(graphql_config, *LEDGER)
    first = run_tap(graphql_config, catalog=catalog)
    row = x3.rows("GACCENTRYA", limit=1)[0]
    key = [row[name] for name in ("TYP", "NUM", "LIN", "LEDTYP", "ANALIN")]
    x3.set("GACCENTRYA", key, {"QTY": 4242})
    second = run_tap(graphql_config, catalog=catalog, state=first.state)
    assert set(second.counts()) == {"gl_cost_allocations"}
    assert {record["id"] for record in second.records("gl_cost_allocations")} == {row["NUM"]}
    assert 4242 in {record["quantity"] for record in second.records("gl_cost_allocations")}
    assert run_tap(graphql_config, catalog=catalog, state=second.state).of("RECORD") == []


def test_a_joined_record_that_changed_alone_is_found(
    graphql_config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The local X3 stamps both records together: the answers are altered to show one changed alone."""
    catalog = catalog_of(graphql_config, "sales_invoices", "sales_invoice_lines")
    first = run_tap(graphql_config, catalog=catalog)
    sales = [r for r in first.records("sales_invoices") if r["invoiceKind"] == "sales"]
    number = min(sales, key=lambda record: record["updatedDate"])["id"]

    post = Transport.post

    def altered(self: Transport, url: str, body: t.Any, headers: Mapping[str, str]) -> Answer:  # noqa: ANN401
        answer = post(self, url, body, headers)
        data = str(body)
        joined = (answer.body.get("data") or {}).get("x3InvoicingData", {}).get("customerInvoiceHeader", {})
        edges = joined.get("query", {}).get("edges", [])
        if joined and "totalAmount" not in data and "_gte" in data:  # which of them changed?
            edges.append({"node": {"id": number, "_updateStamp": "2030-01-01T00:00:00.000Z"}})
        for edge in edges:
            if edge["node"]["id"] == number:
                edge["node"]["totalAmountIncludingTax"] = "98765.43"
        return answer

    monkeypatch.setattr(Transport, "post", altered)
    second = run_tap(graphql_config, catalog=catalog, state=first.state)
    assert {r["id"]: r["totalAmountIncludingTax"] for r in second.records("sales_invoices")} == {
        number: Decimal("98765.43")
    }


def test_without_a_class_of_lines_recent_documents_are_read_again(rest_config: Config, x3: X3Control) -> None:
    """An order of three days ago, one of whose lines changes today."""
    config = {**rest_config, "line_lookback_days": 7}
    line = x3.rows("PORDERQ", limit=1)[0]
    x3.advance(-10 * DAY)
    x3.touch("PORDER", line["POHNUM"])
    x3.advance(3 * DAY)
    x3.touch("PORDER", next(row["POHNUM"] for row in x3.rows("PORDER") if row["POHNUM"] != line["POHNUM"]))
    catalog = catalog_of(config, *PO_LINES)
    first = run_tap({**config, "start_date": "2001-01-01T00:00:00Z"}, catalog=catalog)
    x3.set("PORDERQ", key_of(line), {"RCPQTYSTU": 78})
    short = run_tap({**config, "line_lookback_days": 0}, catalog=catalog, state=first.state)
    assert short.of("RECORD") == []
    second = run_tap(config, catalog=catalog, state=first.state)
    assert {record["id"] for record in second.records("purchase_order_lines")} == {line["POHNUM"]}
    quiet = run_tap(config, catalog=catalog, state=second.state)
    assert quiet.of("RECORD") == []


def test_a_server_that_refuses_conditions_on_lines_is_read_with_the_look_back(
    graphql_config: Config, x3: X3Control, old_line: Record
) -> None:
    catalog = catalog_of(graphql_config, *PO_LINES)
    first = run_tap(graphql_config, catalog=catalog)
    x3.set("PORDERQ", key_of(old_line), {"RCPQTYSTU": 79})
    x3.faults(
        {
            "fault": "status",
            "status": 200,
            "body": '{"data":null,"errors":[{"message":"filter: unknown operator _atLeast"}]}',
            "on": "graphql",
            "text": "_atLeast",
            "times": 99,
        }
    )
    second = run_tap(graphql_config, catalog=catalog, state=first.state)
    assert second.of("RECORD") == []
    x3.faults({"fault": "partial", "on": "graphql", "text": "_atLeast", "times": 99})
    with pytest.raises(ApiError):
        run_tap(graphql_config, catalog=catalog, state=first.state)
    x3.faults()
    found = run_tap(graphql_config, catalog=catalog, state=second.state)
    assert {record["id"] for record in found.records("purchase_order_lines")} == {old_line["POHNUM"]}


@pytest.mark.parametrize("named", [{}, {"PORDERQ": "ZPORDERQ"}], ids=["by_table", "by_name"])
def test_a_line_that_changed_alone_is_found_in_a_class_of_lines(
    rest_config: Config, x3: X3Control, old_line: Record, named: dict[str, str]
) -> None:
    x3.rest_site(line_classes={named.get("PORDERQ", "PORDERQ"): "PORDERQ"})
    options = {PO_LINES[-1]: {"line_classes": named}} if named else {}  # holds for the document
    config = {**rest_config, "stream_options": options, "line_lookback_days": 0}
    catalog = catalog_of(config, *PO_LINES)
    first = run_tap(config, catalog=catalog)
    x3.set("PORDERQ", key_of(old_line), {"RCPQTYSTU": 81})
    second = run_tap(config, catalog=catalog, state=first.state)
    number = old_line["POHNUM"]
    assert second.records("purchase_orders") == []
    assert {record["id"] for record in second.records("purchase_order_lines")} == {number}
    found = lines_of(second, number)
    assert found.keys() == lines_of(first, number).keys()
    assert found[old_line["POPLIN"], old_line["POQSEQ"]]["quantityInStockUnitReceived"] == 81
    assert run_tap(config, catalog=catalog, state=second.state).of("RECORD") == []


def test_a_line_of_a_line_that_changed_alone_is_found_in_its_class(
    rest_config: Config, x3: X3Control
) -> None:
    """Tables of the ledger's lines have no day of change, only its time."""
    x3.rest_site(line_classes={"GACCENTRYD": "GACCENTRYD", "GACCENTRYA": "GACCENTRYA"})
    config = {**rest_config, "line_lookback_days": 0}
    catalog = catalog_of(config, *LEDGER)
    first = run_tap(config, catalog=catalog)
    row = x3.rows("GACCENTRYA", limit=1)[0]
    key = [row[name] for name in ("TYP", "NUM", "LIN", "LEDTYP", "ANALIN")]
    x3.set("GACCENTRYA", key, {"QTY": 4243})
    second = run_tap(config, catalog=catalog, state=first.state)
    assert set(second.counts()) == {"gl_cost_allocations"}
    assert {record["id"] for record in second.records("gl_cost_allocations")} == {row["NUM"]}
    assert 4243 in {record["quantity"] for record in second.records("gl_cost_allocations")}
    assert run_tap(config, catalog=catalog, state=second.state).of("RECORD") == []


def test_a_class_of_lines_that_lacks_one_of_two_tables_is_not_used(
    rest_config: Config, x3: X3Control, caplog: pytest.LogCaptureFixture
) -> None:
    """Otherwise changes in the other table would be missed without a word."""
    x3.rest_site(line_classes={"GACCENTRYD": "GACCENTRYD"})
    catalog = catalog_of(rest_config, *LEDGER)
    first = run_tap(rest_config, catalog=catalog)
    with caplog.at_level("INFO", logger="tap-sagex3"):
        run_tap(rest_config, catalog=catalog, state=first.state)
    assert "Changes of lines in GACCENTRYA cannot be told from class GACCENTRYA" in caplog.text


def test_documents_whose_streams_have_other_options_are_read_apart_with_a_warning(
    rest_config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    named = {**rest_config, "stream_options": {PO_LINES[-1]: {"line_classes": {"PORDERQ": "ZPORDERQ"}}}}
    run_tap(named, catalog=catalog_of(rest_config, *PO_LINES))
    assert "are read apart" not in caplog.text
    other = {**rest_config, "stream_options": {PO_LINES[-1]: {"where": "POHNUM ge 'A'"}}}
    run_tap(other, catalog=catalog_of(rest_config, *PO_LINES))
    assert "purchase_order_lines and purchase_orders are read apart" in caplog.text


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        (({}, {"PORDERX": "Z"}), r"names table PORDERX, expected some of.*PORDERQ"),
        (({"PORDERQ": "Y"}, {"PORDERQ": "Z"}), r"gives . for PORDERQ, which is . in another stream"),
    ],
)
def test_wrong_classes_of_lines_are_refused(
    rest_config: Config, classes: tuple[dict[str, str], ...], message: str
) -> None:
    options = {stream: {"line_classes": found} for stream, found in zip(PO_LINES, classes, strict=True)}
    with pytest.raises(SettingsError, match=message):
        run_tap({**rest_config, "stream_options": options})


def test_totals_over_a_class_of_lines_are_those_over_documents(rest_config: Config, x3: X3Control) -> None:
    catalog = catalog_of(rest_config, "control_totals")
    documents = run_tap(rest_config, catalog=catalog).records("control_totals")
    x3.rest_site(line_classes={"GACCENTRYD": "GACCENTRYD"})
    x3.reset_counters()
    lines = run_tap(rest_config, catalog=catalog).records("control_totals")
    assert x3.counters().get("rest_details", 0) == 0

    def of(totals: list[Record]) -> list[Record]:
        told = ("company", "ledgerType")
        rows = [{name: value for name, value in row.items() if not name.startswith("_")} for row in totals]
        return sorted(rows, key=lambda row: [str(row.get(name)) for name in told] + [str(row)])

    assert documents
    assert of(lines) == of(documents)
