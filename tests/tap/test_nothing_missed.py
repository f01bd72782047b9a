"""Changes that are easily missed: at the edge of a window, of days, of a site that does not always tell."""

from __future__ import annotations

import typing as t
from contextlib import contextmanager

import pytest
from tap_runs import catalog_of, config_for, read_messages_of_run, run_tap
from tap_sagex3.errors import IncompleteAnswerError, NotReadableError
from tap_sagex3.sync import context as pace
from x3_control import X3Control
from x3_servers import local_x3

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tap_runs import Alter, Config, Record

    Install = Callable[[Alter], None]

ORDERS = ("purchase_orders", "purchase_order_lines")
LEDGER = ("gl_entry_lines", "gl_cost_allocations")
HOUR, DAY = 3600, 86_400
LINE_CLASSES = {name: name for name in ("PORDERQ", "GACCENTRYD", "GACCENTRYA")}


@pytest.fixture(autouse=True)
def _undo(x3: X3Control) -> Iterator[None]:
    yield
    x3.reset()


def key_of(line: Record) -> list[object]:
    return [line[name] for name in ("POHNUM", "POPLIN", "POQSEQ")]


def telling(config: Config, x3: X3Control) -> Config:
    """A site that tells which lines changed; nothing is found by looking back."""
    x3.rest_site(line_classes=LINE_CLASSES)
    return {**config, "line_lookback_days": 0}


def first_line(x3: X3Control) -> Record:
    return x3.rows("PORDERQ", limit=1)[0]


def other_order(x3: X3Control, line: Record) -> str:
    return next(str(row["POHNUM"]) for row in x3.rows("PORDER") if row["POHNUM"] != line["POHNUM"])


# Lines that changed alone


@pytest.mark.parametrize("hidden", ["in the list of lines", "in the lines of $details"])
def test_a_line_whose_time_of_change_is_shown_in_one_place_only(
    rest_config: Config, x3: X3Control, alter: Install, hidden: str
) -> None:
    config = telling(rest_config, x3)
    line = first_line(x3)
    catalog = catalog_of(config, *ORDERS)

    def strip(url: str, body: t.Any) -> t.Any:  # noqa: ANN401 - JSON
        if hidden == "in the list of lines" and "PORDERQ.$query')" in url and "$properties" in body:
            body["$properties"].pop("UPDDATTIM")
            return body
        if hidden != "in the list of lines" and isinstance(body.get("POHPOQ"), list):
            shown = ({**row, "UPDDATTIM": None, "UPDDAT": None} for row in body["POHPOQ"])
            return {**body, "POHPOQ": [{k: v for k, v in row.items() if v is not None} for row in shown]}
        return None

    alter(strip)
    first = run_tap(config, catalog=catalog)
    x3.advance(HOUR)
    x3.set("PORDERQ", key_of(line), {"RCPQTYSTU": 77})
    x3.advance(HOUR)
    second = run_tap(config, catalog=catalog, state=first.state)
    assert {record["id"] for record in second.records("purchase_order_lines")} == {line["POHNUM"]}


@pytest.mark.parametrize("told", [True, False], ids=["both", "inner rows only"])
def test_rows_that_repeat_columns_of_the_line_around_them_follow_it(
    config: Config, x3: X3Control, *, told: bool
) -> None:
    config = telling(config, x3)
    catalog = catalog_of(config, *(LEDGER if told else LEDGER[1:]))
    first = run_tap(config, catalog=catalog)
    entry = first.records("gl_cost_allocations")[0]
    line = next(
        row
        for row in x3.rows("GACCENTRYD")
        if (row["NUM"], row["LIN"]) == (entry["id"], entry["lineNumber"]) and row["LEDTYP"] == 1
    )
    x3.advance(HOUR)
    place = [line[name] for name in ("TYP", "NUM", "LIN", "LEDTYP")]
    x3.set("GACCENTRYD", place, {"DES": "alone"})
    second = run_tap(config, catalog=catalog, state=first.state)
    found = {record["lineDescription"] for record in second.records("gl_cost_allocations")}
    assert "alone" in found


@pytest.mark.parametrize("times", [1, 99])
def test_a_site_that_does_not_tell_for_a_while(config: Config, x3: X3Control, api: str, times: int) -> None:
    """State keeps from when on lines are still to be asked for; otherwise they would be missed for good."""
    config = telling(config, x3)
    line = first_line(x3)
    catalog = catalog_of(config, *ORDERS)
    x3.advance(-20 * DAY)
    first = run_tap(config, catalog=catalog)
    x3.advance(2 * DAY)
    x3.set("PORDERQ", key_of(line), {"RCPQTYSTU": 77})
    x3.advance(3 * HOUR)
    x3.touch("PORDER", other_order(x3, line))
    x3.advance(60)
    if api == "graphql":
        body = '{"data":null,"errors":[{"message":"Connection pool timeout"}]}'
        rule = {"fault": "status", "status": 200, "body": body, "on": "graphql", "text": "_atLeast"}
    else:
        rule = {"fault": "diagnoses", "on": "rest_prototypes", "path": "PORDERQ"}
    x3.faults({**rule, "times": times})
    second = run_tap(config, catalog=catalog, state=first.state)
    assert line["POHNUM"] not in {record["id"] for record in second.records("purchase_order_lines")}
    x3.faults()
    x3.advance(30 * DAY)
    x3.touch("PORDER", other_order(x3, line))
    third = run_tap(config, catalog=catalog, state=second.state)
    found = {key: row["quantityInStockUnitReceived"] for key, row in third.by_key(ORDERS[1]).items()}
    assert found[tuple(key_of(line))] == 77
    assert not any("lines_from" in bookmark for bookmark in third.state["bookmarks"].values())


def test_a_changed_line_whose_record_is_not_shown_is_not_passed_over(
    rest_config: Config, x3: X3Control
) -> None:
    config = telling(rest_config, x3)
    catalog = catalog_of(config, *ORDERS)
    first = run_tap(config, catalog=catalog)
    x3.set("PORDERQ", key_of(first_line(x3)), {"RCPQTYSTU": 77})
    gone = '{"$diagnoses":[{"$severity":"error","$message":"721 : Record does not exist"}]}'
    x3.faults({"fault": "status", "status": 200, "body": gone, "on": "rest_details"})
    with pytest.raises(IncompleteAnswerError, match="but the list has it"):
        run_tap(config, catalog=catalog, state=first.state)
    assert run_tap(config, catalog=catalog, state=first.state).records("purchase_order_lines")


@pytest.mark.parametrize("fault", ["repeat", "loop"])
def test_a_page_of_changed_lines_that_comes_twice(rest_config: Config, x3: X3Control, fault: str) -> None:
    config = {**telling(rest_config, x3), "page_size": 2}
    catalog = catalog_of(config, *ORDERS)
    first = run_tap(config, catalog=catalog)
    x3.advance(HOUR)
    x3.mass_update("PORDERQ", every=6)
    x3.faults({"fault": fault, "on": "rest_query", "path": "PORDERQ", "nth": 2})
    with pytest.raises(IncompleteAnswerError):
        run_tap(config, catalog=catalog, state=first.state)


def test_the_own_time_of_a_document_that_only_the_list_shows(
    rest_config: Config, x3: X3Control, alter: Install
) -> None:
    """Lines that did not change keep their time when their document is found by another line."""
    config = telling(rest_config, x3)
    catalog = catalog_of(config, *LEDGER)

    def strip(_: str, body: t.Any) -> t.Any:  # noqa: ANN401 - JSON
        return {k: v for k, v in body.items() if k[:6] != "UPDDAT"} if "HAEDAE" in body else None

    alter(strip)
    first = run_tap(config, catalog=catalog)
    line = x3.rows("GACCENTRYD", limit=1)[0]
    x3.advance(HOUR)
    x3.set("GACCENTRYD", [line[name] for name in ("TYP", "NUM", "LIN", "LEDTYP")], {"DES": "alone"})
    second = run_tap(config, catalog=catalog, state=first.state)
    before, after = first.by_key("gl_entry_lines"), second.by_key("gl_entry_lines")
    moved = [key for key, record in after.items() if record["updatedDate"] != before[key]["updatedDate"]]
    assert [after[key]["description"] for key in moved] == ["alone"]


# The ends of a window


def test_windows_one_after_the_other_leave_nothing_between(config: Config, x3: X3Control) -> None:
    """A document found by its line may itself have changed behind the end: the bookmark stays before it."""
    config = {**telling(config, x3), "lookback_seconds": 0}
    catalog = catalog_of(config, *ORDERS)
    line = first_line(x3)
    between = other_order(x3, line)
    x3.advance(-20 * DAY)
    first = run_tap(config, catalog=catalog)
    sent: list[str] = []
    x3.advance(2 * DAY)
    x3.set("PORDERQ", key_of(line), {"RCPQTYSTU": 77})
    x3.advance(DAY)
    end = x3.now()
    x3.advance(DAY)
    x3.touch("PORDER", between)
    x3.advance(2 * DAY)
    x3.touch("PORDER", line["POHNUM"])
    x3.advance(DAY)
    state = first.state
    for settings in ({"end_date": end}, {}):
        run = run_tap({**config, **settings}, catalog=catalog, state=state)
        state = run.state
        sent += [record["id"] for record in run.records("purchase_orders")]
        if settings:
            marks = {bookmark["replication_key_value"] for bookmark in state["bookmarks"].values()}
            assert max(marks) <= end
    assert between in sent


def test_a_first_load_whose_end_date_is_taken_away_meanwhile(
    rest_config: Config, x3: X3Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "STATE_EVERY", 1)
    codes = sorted(row["BPSNUM"] for row in x3.rows("BPSUPPLIER"))
    x3.advance(-20 * DAY)
    end = x3.now()
    x3.advance(DAY)
    x3.touch("BPSUPPLIER", codes[0])
    x3.advance(19 * DAY)
    config = {**rest_config, "page_size": 3, "detail_workers": 1, "max_retries": 0}
    catalog = catalog_of(config, "suppliers")
    rule = {"fault": "status", "status": 500, "on": "rest_query", "path": "BPSUPPLIER", "nth": 4, "times": 9}
    x3.faults(rule)
    messages, error = read_messages_of_run({**config, "end_date": end}, catalog, {})
    assert error is not None
    x3.faults()
    state = next(m["value"] for m in reversed(messages) if m["type"] == "STATE")
    assert state["bookmarks"]["suppliers"]["first_load"]["until"] == end
    second = run_tap(config, catalog=catalog, state=state)
    third = run_tap(config, catalog=catalog, state=second.state)
    sent = [m["record"]["code"] for m in messages if m["type"] == "RECORD"]
    sent += [record["code"] for run in (second, third) for record in run.records("suppliers")]
    assert set(sent) == set(codes)


def test_a_start_date_does_not_end_a_first_load_that_has_begun(
    rest_config: Config, x3: X3Control, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(pace, "STATE_EVERY", 1)
    codes = {row["BPSNUM"] for row in x3.rows("BPSUPPLIER")}
    config = {**rest_config, "page_size": 3, "detail_workers": 1, "max_retries": 0}
    catalog = catalog_of(config, "suppliers")
    rule = {"fault": "status", "status": 500, "on": "rest_query", "path": "BPSUPPLIER", "nth": 4, "times": 9}
    x3.faults(rule)
    messages, error = read_messages_of_run(config, catalog, {})
    assert error is not None
    x3.faults()
    state = next(m["value"] for m in reversed(messages) if m["type"] == "STATE")
    second = run_tap({**config, "start_date": x3.now()}, catalog=catalog, state=state)
    sent = {m["record"]["code"] for m in messages if m["type"] == "RECORD"}
    assert sent | {record["code"] for record in second.records("suppliers")} == codes
    assert "first load that is not complete" in caplog.text
    assert "first_load" not in second.state["bookmarks"]["suppliers"]


# Days of the server's own calendar


@contextmanager
def west_of_utc(folder: Path) -> Iterator[tuple[Config, X3Control]]:
    site = folder / "site.toml"
    site.write_text('utc_offset = "-08:00"\n[line_classes]\nPORDERQ = "PORDERQ"\n', encoding="utf-8")
    options = ("--scale", "30", "--x3-version", "V11", "--rest-site", str(site))
    with local_x3("--port", "0", *options) as running, X3Control(running.ready["url"]) as control:
        yield {**config_for(running, "rest"), "line_lookback_days": 0}, control


def test_days_of_one_kind_and_times_of_the_other(tmp_path: Path) -> None:
    """West of UTC the day of a change may be one before the bookmark that a precise time has set."""
    with west_of_utc(tmp_path) as (config, x3):
        x3.expose("PINVOICE", "UPDDATTIM")
        x3.expose("BPSINV", "UPDDAT")
        x3.set_clock("2026-11-10T05:00:00Z")
        catalog = catalog_of(config, "supplier_invoices")
        kinds: dict[int, str] = {}
        for row in x3.rows("PINVOICE"):
            kinds[row["ORIMOD"]] = row["NUM"]
        purchasing, financial = kinds[4], kinds[3]
        x3.touch("PINVOICE", purchasing)
        first = run_tap(config, catalog=catalog)
        x3.advance(HOUR)
        x3.touch("PINVOICE", financial)
        x3.advance(2 * HOUR)
        second = run_tap(config, catalog=catalog, state=first.state)
        assert financial in {record["id"] for record in second.records("supplier_invoices")}


def test_days_of_lines_and_times_of_documents(tmp_path: Path, alter: Install) -> None:
    def strip(url: str, body: t.Any) -> t.Any:  # noqa: ANN401 - JSON
        if "PORDERQ.$query')" in url and "$properties" in body:
            body["$properties"].pop("UPDDATTIM")
            return body
        return None

    with west_of_utc(tmp_path) as (config, x3):
        x3.set_clock("2026-11-10T05:00:00Z")
        line = first_line(x3)
        alter(strip)
        catalog = catalog_of(config, *ORDERS)
        x3.touch("PORDER", other_order(x3, line))
        first = run_tap(config, catalog=catalog)
        x3.advance(HOUR)
        x3.set("PORDERQ", key_of(line), {"RCPQTYSTU": 77})
        second = run_tap(config, catalog=catalog, state=first.state)
        assert line["POHNUM"] in {record["id"] for record in second.records("purchase_order_lines")}


# Answers


def test_an_increment_whose_entries_have_no_analytical_line(
    rest_config: Config, x3: X3Control, alter: Install, caplog: pytest.LogCaptureFixture
) -> None:
    """X3 may leave an empty collection out of a line; the first run has seen that it is there."""

    def strip(_: str, body: t.Any) -> t.Any:  # noqa: ANN401 - JSON
        if "HAEDAE" not in body or "$properties" in body:
            return None
        return {**body, "HAEDAE": [{k: v for k, v in row.items() if v != []} for row in body["HAEDAE"]]}

    alter(strip)
    catalog = catalog_of(rest_config, "gl_entries", *LEDGER)
    first = run_tap(rest_config, catalog=catalog)
    analysed = {(record["entryType"], record["id"]) for record in first.records("gl_cost_allocations")}
    row = next(row for row in x3.rows("GACCENTRY") if (row["TYP"], row["NUM"]) not in analysed)
    x3.advance(HOUR)
    x3.touch("GACCENTRY", [row["TYP"], row["NUM"]])
    second = run_tap(rest_config, catalog=catalog, state=first.state)
    assert second.counts()["gl_entries"] == 1
    assert "had a collection" not in caplog.text
    assert second.state["bookmarks"]["gl_entries"] != first.state["bookmarks"]["gl_entries"]
    x3.rest_site(prototypes=False)
    x3.advance(HOUR)
    x3.touch("GACCENTRY", [row["TYP"], row["NUM"]])
    assert run_tap(rest_config, catalog=catalog, state=second.state).counts()["gl_entries"] == 1
    assert "no line that changed had a collection DAEDAA" in caplog.text


def test_an_optional_control_stream_is_skipped(rest_config: Config, x3: X3Control) -> None:
    streams = ("suppliers", "gl_entries", "control_totals")
    catalog = catalog_of(rest_config, *streams)
    x3.rest_site(absent=["GACCENTRY"])
    run = run_tap({**rest_config, "optional_streams": list(streams)}, catalog=catalog)
    assert set(run.counts()) == {"suppliers"}
    assert run.of("SCHEMA", "control_totals") == []
    with pytest.raises(NotReadableError, match=r"Cannot read control_totals"):
        run_tap({**rest_config, "optional_streams": ["gl_entries"]}, catalog=catalog)
