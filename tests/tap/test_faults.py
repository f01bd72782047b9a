from __future__ import annotations

import typing as t

import pytest
from tap_runs import Run, catalog_of, config_for, run_tap, run_tap_until_it_fails
from tap_sagex3 import transport
from tap_sagex3.errors import (
    ApiError,
    AuthenticationError,
    ConnectionFailedError,
    IncompleteAnswerError,
    TapError,
)

if t.TYPE_CHECKING:
    from processes import Server
    from tap_runs import Config
    from x3_control import X3Control

STREAMS = ("suppliers", "gl_entry_lines", "stock")
PASSING: list[dict[str, t.Any]] = [
    {"fault": "status", "status": 503},
    {"fault": "status", "status": 500},
    {"fault": "status", "status": 502},
    {"fault": "status", "status": 408},
    {"fault": "status", "status": 429, "retry_after": "0"},
    {"fault": "reset"},
    {"fault": "cut"},
    {"fault": "malformed"},
]
LASTING: list[tuple[dict[str, t.Any], type[TapError], str]] = [
    ({"fault": "html"}, ApiError, "this is not the API"),
    ({"fault": "status", "status": 503, "times": 99}, ConnectionFailedError, "failed 3 times.*HTTP 503"),
    ({"fault": "malformed", "times": 99}, ConnectionFailedError, "malformed JSON"),
    ({"fault": "reset", "times": 99}, ConnectionFailedError, "failed 3 times"),
    ({"fault": "status", "status": 404, "body": "nothing here"}, ApiError, "HTTP 404 without JSON"),
    ({"fault": "status", "status": 302, "body": "moved"}, ApiError, "redirects to"),
]


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "FIRST_WAIT", 0.02)


def kind_of(config: Config) -> str:
    return "graphql" if config["x3_version"] == "V12" else "rest_query"


def quick(config: Config) -> Config:
    return {**config, "max_retries": 2, "request_timeout": 20}


def clean_run(config: Config) -> Run:
    return run_tap(config, catalog=catalog_of(config, *STREAMS))


@pytest.fixture(scope="module")
def clean(running_x3: Server) -> dict[str, Run]:
    """What each API gives without faults; no test of this module changes data for good."""
    return {api: clean_run(config_for(running_x3, api)) for api in ("rest", "graphql")}


def assert_same(found: Run, expected: Run) -> None:
    assert found.counts() == expected.counts()
    for stream in STREAMS:
        assert found.by_key(stream) == expected.by_key(stream)


@pytest.mark.parametrize("fault", PASSING, ids=lambda fault: "-".join(map(str, fault.values())))
def test_a_passing_trouble_costs_no_record(
    config: Config,
    api: str,
    clean: dict[str, Run],
    x3: X3Control,
    fault: dict[str, t.Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    config, catalog = quick(config), catalog_of(config, *STREAMS)
    x3.faults({**fault, "on": kind_of(config), "nth": 2, "times": 2})
    with caplog.at_level("WARNING", logger="tap-sagex3"):
        found = run_tap(config, catalog=catalog)
    assert_same(found, clean[api])
    retries = [record.getMessage() for record in caplog.records if "Next try" in record.getMessage()]
    assert len(retries) == 2
    assert all(retry.startswith("Try") for retry in retries)


@pytest.mark.parametrize(("fault", "error", "message"), LASTING, ids=lambda value: str(value)[:40])
def test_a_lasting_trouble_ends_the_run_and_the_next_run_is_complete(
    config: Config,
    api: str,
    clean: dict[str, Run],
    x3: X3Control,
    fault: dict[str, t.Any],
    error: type[TapError],
    message: str,
) -> None:
    config, catalog = quick(config), catalog_of(config, *STREAMS)
    x3.faults({**fault, "on": kind_of(config), "nth": 2})
    with pytest.raises(error, match=message):
        run_tap(config, catalog=catalog)
    x3.faults()
    assert_same(run_tap(config, catalog=catalog), clean[api])


def test_diagnoses_with_status_200_are_an_error(rest_config: Config, x3: X3Control) -> None:
    x3.faults({"fault": "diagnoses", "on": "rest_query", "nth": 1, "body": "4GL session was interrupted"})
    with pytest.raises(ApiError, match="4GL session was interrupted"):
        run_tap(rest_config)


def test_a_details_answer_with_diagnoses_is_an_error_and_no_record_is_lost(
    rest_config: Config, x3: X3Control
) -> None:
    catalog = catalog_of(rest_config, "gl_entries")
    x3.faults({"fault": "diagnoses", "on": "rest_details", "nth": 10, "body": "No right to read"})
    with pytest.raises(ApiError, match="No right to read"):
        run_tap(rest_config, catalog=catalog)


def test_data_together_with_errors_is_not_taken(graphql_config: Config, x3: X3Control) -> None:
    body = (
        '{"data":{"x3MasterData":{"supplier":{"query":{"edges":[],"pageInfo":{"hasNextPage":false}}}}},'
        '"errors":[{"message":"Supplier.read is not authorised"}]}'
    )
    catalog = catalog_of(graphql_config, "suppliers")
    x3.faults({"fault": "status", "status": 200, "body": body, "on": "graphql", "text": "$first", "nth": 2})
    with pytest.raises(IncompleteAnswerError, match=r"Supplier.read is not authorised.*nothing was taken"):
        run_tap(graphql_config, catalog=catalog)


@pytest.mark.parametrize(
    "body",
    [
        '{"data":{"x3MasterData":{"supplier":null}}}',
        '{"data":{"x3MasterData":{"supplier":{"query":null}}}}',
        '{"data":{"x3MasterData":{"supplier":{"query":{"edges":[null],"pageInfo":{"hasNextPage":false}}}}}}',
        '{"data":{"x3MasterData":{"supplier":{"query":{"edges":[],"pageInfo":{"hasNextPage":true,"endCursor":null}}}}}}',
        '{"data":null}',
        "[]",
    ],
)
def test_a_graphql_answer_that_is_not_whole_is_not_taken(
    graphql_config: Config, x3: X3Control, body: str
) -> None:
    catalog = catalog_of(graphql_config, "suppliers")
    for place in ({"text": "$first", "nth": 2}, {"text": "__schema"}, {"text": "__type"}):
        x3.faults({"fault": "status", "status": 200, "body": body, "on": "graphql", **place})
        with pytest.raises(ApiError):
            run_tap(graphql_config, catalog=catalog)


@pytest.mark.parametrize(
    "body",
    ["{}", '{"$resources": 5}', "[]", '{"$resources": [], "$links": {"$next": {"$url": "http://other/x"}}}'],
)
def test_a_rest_page_that_is_not_whole_is_not_taken(rest_config: Config, x3: X3Control, body: str) -> None:
    catalog = catalog_of(rest_config, "suppliers")
    x3.faults({"fault": "status", "status": 200, "body": body, "on": "rest_query", "nth": 2})
    with pytest.raises(ApiError):
        run_tap(rest_config, catalog=catalog)


def test_an_expired_token_is_renewed_at_once(
    graphql_config: Config, clean: dict[str, Run], x3: X3Control
) -> None:
    x3.faults({"fault": "unauthorized", "on": "graphql", "nth": 2})
    assert_same(clean_run(graphql_config), clean["graphql"])


def test_a_login_refused_in_the_middle_ends_the_run(config: Config, x3: X3Control) -> None:
    catalog = catalog_of(config, *STREAMS)
    x3.faults({"fault": "unauthorized", "on": kind_of(config), "nth": 3, "times": 99})
    with pytest.raises(AuthenticationError, match="refused the login"):
        run_tap(config, catalog=catalog)


def test_a_whole_table_is_not_activated_after_a_broken_read(config: Config, x3: X3Control) -> None:
    config = {**quick(config), "page_size": 3}
    catalog = catalog_of(config, "stock")
    x3.faults({"fault": "status", "status": 503, "on": kind_of(config), "nth": 3, "times": 99})
    run, _ = run_tap_until_it_fails(config, ConnectionFailedError, catalog=catalog)
    assert run.of("RECORD", "stock") == run.of("ACTIVATE_VERSION") == []


def test_values_that_do_not_fit_are_sent_unchanged_with_a_warning(
    config: Config, x3: X3Control, caplog: pytest.LogCaptureFixture
) -> None:
    entry = x3.rows("GACCENTRY", limit=3)[2]
    key = [entry["TYP"], entry["NUM"]]
    line = next(r for r in x3.expected("gl_entry_lines") if [r["entryType"], r["id"]] == key)
    line_key = [*key, line["lineNumber"], 1]
    bad = {"AMTCUR": "12,5x", "MTCDAT": "2026-02-30", "DES": "x" * 400}
    before = {
        name: next(r for r in x3.rows("GACCENTRYD") if [r["TYP"], r["NUM"]] == key)[name] for name in bad
    }
    x3.bad_value("GACCENTRY", key, "CAT", 99)
    for column, value in bad.items():
        x3.bad_value("GACCENTRYD", line_key, column, value)
    try:
        run = run_tap(config, catalog=catalog_of(config, "gl_entry_lines"))
    finally:
        x3.set("GACCENTRY", key, {"CAT": 1})
        x3.set("GACCENTRYD", line_key, before)
    found = next(
        r
        for r in run.records("gl_entry_lines")
        if [r["entryType"], r["id"], r["lineNumber"], r["ledgerType"]] == [*key, line["lineNumber"], "legal"]
    )
    assert (found["amountInCurrency"], found["matchingDate"]) == ("12,5x", "2026-02-30")
    assert (found["description"], found["category"]) == ("x" * 400, 99)
    warnings = [r.getMessage() for r in caplog.records if "sent unchanged" in r.getMessage()]
    for name in ("amountInCurrency", "matchingDate", "description", "category"):
        assert any(f"{name} is" in w and f"id={key[1]}" in w and "gl_entry_lines" in w for w in warnings)
