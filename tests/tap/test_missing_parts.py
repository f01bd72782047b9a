"""Answers that lack a part, or come round in a circle: nothing is lost in silence."""

from __future__ import annotations

import copy
import typing as t

import pytest
from tap_runs import Run, catalog_of, run_tap
from tap_sagex3.errors import ApiError, IncompleteAnswerError, NotReadableError

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from tap_runs import Alter, Config
    from x3_control import X3Control

    Install = Callable[[Alter], None]

GONE = "721 : Record does not exist"
ORDERS = ("purchase_orders", "purchase_order_lines")
ENTRIES = ("gl_entries", "gl_entry_lines", "gl_cost_allocations")


def refusal(message: str) -> dict[str, t.Any]:
    return {"$diagnoses": [{"$severity": "error", "$message": message}]}


def order(x3: X3Control, place: int = 2) -> str:
    return str(x3.rows("PORDER")[place]["POHNUM"])


def without(body: dict[str, t.Any], *names: str) -> dict[str, t.Any]:
    return {name: value for name, value in body.items() if name not in names}


def run_of(config: Config, *streams: str, **settings: t.Any) -> Callable[[], Run]:  # noqa: ANN401 - settings
    """A run that is ready to start: its catalog was asked for before answers are changed."""
    catalog = catalog_of(config, *streams)
    return lambda: run_tap({**config, **settings}, catalog=catalog)


def test_a_record_deleted_while_it_was_read_is_skipped_with_a_warning(
    rest_config: Config, x3: X3Control, alter: Install, caplog: pytest.LogCaptureFixture
) -> None:
    number, run = order(x3), run_of(rest_config, *ORDERS)
    deleted: list[str] = []

    def delete(url: str, _: object) -> None:
        if "$query" in url and "PORDER?" in url and not deleted:
            deleted.append(number)
            x3.remove("PORDER", number)

    alter(delete)
    try:
        found = run()
    finally:
        x3.reset()
    assert deleted
    assert found.records("purchase_orders")
    assert number not in {r["id"] for r in found.records("purchase_orders")}
    assert any(
        number in r.getMessage() and "purchase_orders" in r.getMessage() and "deleted" in r.getMessage()
        for r in caplog.records
    )


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda _: refusal(GONE), "but the list has it"),
        (lambda body: {**body, **refusal("Payment term NET30: record does not exist")}, "NET30"),
        (lambda body: {**body, **refusal(GONE)}, "721"),
        (lambda _: refusal("Payment term NET30: record does not exist"), "NET30"),
        (lambda body: without(body, "POHNUM"), "without POHNUM"),
        (lambda body: without(body, "POHPOQ"), "POHPOQ is not a list"),
    ],
)
def test_a_record_that_is_not_whole_is_not_skipped(
    rest_config: Config, x3: X3Control, alter: Install, change: t.Callable[[t.Any], t.Any], expected: str
) -> None:
    number, run = order(x3), run_of(rest_config, *ORDERS)
    alter(lambda url, body: change(body) if "$details" in url and number in url else None)
    with pytest.raises(ApiError, match=expected):
        run()


def test_a_404_of_one_record_is_not_a_stream_that_the_site_lacks(rest_config: Config, x3: X3Control) -> None:
    body = '{"$diagnoses":[{"$severity":"error","$message":"Fiche inexistante"}]}'
    run = run_of(rest_config, *ORDERS, optional_streams=list(ORDERS))
    x3.faults({"fault": "status", "status": 404, "body": body, "on": "rest_details", "nth": 1})
    with pytest.raises(IncompleteAnswerError, match=r"Fiche inexistante.*but the list has the record"):
        run()


def test_a_key_column_of_lines_that_the_site_lacks_is_named(rest_config: Config, alter: Install) -> None:
    run = run_of(rest_config, *ORDERS)

    def strip(url: str, body: t.Any) -> t.Any:  # noqa: ANN401 - JSON
        if "$details" in url and "POHPOQ" in body:
            return {**body, "POHPOQ": [without(line, "POPLIN") for line in body["POHPOQ"]]}
        return None

    alter(strip)
    with pytest.raises(NotReadableError, match=r"PORDER\.\$details has no column POPLIN.*stream_options"):
        run()


@pytest.mark.parametrize("some", [False, True])
def test_a_nested_collection_absent_in_every_line_fails_the_run(
    rest_config: Config, alter: Install, monkeypatch: pytest.MonkeyPatch, *, some: bool
) -> None:
    """Absent in some lines it is only empty there."""
    monkeypatch.setattr("tap_sagex3.sync.context.STATE_EVERY", 5)
    run = run_of(rest_config, *ENTRIES, start_date="2001-01-01T00:00:00Z", optional_streams=list(ENTRIES))
    whole = run()
    kept: list[str] = []

    def strip(url: str, body: t.Any) -> t.Any:  # noqa: ANN401 - JSON
        if "$details" not in url or "HAEDAE" not in body:
            return None
        lines = copy.deepcopy(body["HAEDAE"])
        if some and not kept and any(line.get("DAEDAA") for line in lines):
            kept.append(body["NUM"])
            return None
        return {**body, "HAEDAE": [without(line, "DAEDAA") for line in lines]}

    alter(strip)
    if some:
        found = run()
        assert {r["id"] for r in found.records("gl_cost_allocations")} == set(kept)
        assert found.counts()["gl_entry_lines"] == whole.counts()["gl_entry_lines"]
    else:
        with pytest.raises(ApiError, match=r"DAEDAA.*gl_cost_allocations.*stream_options") as caught:
            run()
        assert not isinstance(caught.value, NotReadableError)


def test_rest_pages_in_a_circle_end_the_run(rest_config: Config, alter: Install) -> None:
    run = run_of(rest_config, "suppliers", page_size=5)
    urls: list[str] = []

    def round_and_round(url: str, body: t.Any) -> t.Any:  # noqa: ANN401 - JSON
        if "BPSUPPLIER?" not in url:
            return None
        urls.append(url)
        assert len(urls) < 20
        return {**body, "$links": {"$next": {"$url": urls[0]}}} if len(urls) % 2 == 0 else None

    alter(round_and_round)
    with pytest.raises(IncompleteAnswerError, match="paging does not move on"):
        run()


def test_graphql_cursors_in_a_circle_end_the_run(graphql_config: Config, alter: Install) -> None:
    run = run_of(graphql_config, "suppliers", page_size=5)
    cursors: list[str] = []

    def round_and_round(_: str, body: t.Any) -> t.Any:  # noqa: ANN401 - JSON
        supplier = body["data"].get("x3MasterData", {}).get("supplier")
        if supplier is None:
            return None
        info = supplier["query"]["pageInfo"]
        cursors.append(info["endCursor"])
        assert len(cursors) < 20
        info["endCursor"], info["hasNextPage"] = cursors[(len(cursors) + 1) % 2], True
        return body

    alter(round_and_round)
    with pytest.raises(IncompleteAnswerError, match="paging does not move on"):
        run()


@pytest.mark.parametrize("edge", [None, {"node": None}, {}, 5])
def test_a_null_row_in_a_nested_collection_ends_the_run(
    graphql_config: Config, alter: Install, edge: object
) -> None:
    run = run_of(graphql_config, "purchase_order_lines")

    def spoil(_: str, body: t.Any) -> t.Any:  # noqa: ANN401 - JSON
        orders = body["data"].get("x3Purchasing", {}).get("purchaseOrder")
        if orders is None:
            return None
        orders["query"]["edges"][0]["node"]["purchaseOrderLines"]["query"]["edges"][0] = edge
        return body

    alter(spoil)
    with pytest.raises(IncompleteAnswerError, match="purchaseOrderLines is not a list of rows"):
        run()
