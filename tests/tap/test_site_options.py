"""Sites differ: other names, missing streams, several APIs."""

from __future__ import annotations

import re
import typing as t

import pytest
from tap_runs import catalog_of, config_for, copy_of, run_tap, run_tap_until_it_fails
from tap_sagex3.errors import NotReadableError, SettingsError
from tap_sagex3.tap import TapSageX3
from x3_servers import local_x3

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from processes import Server
    from tap_runs import Config, Record
    from x3_control import X3Control


@pytest.fixture(scope="module")
def old_x3() -> Iterator[Server]:
    """A local X3 with the GraphQL names of before 2022 R3."""
    with local_x3("--port", "0", "--scale", "5", "--graphql-names", "old") as running:
        yield running


def with_options(config: Config, **options: dict[str, t.Any]) -> Config:
    return {**config, "stream_options": options}


def test_a_class_that_the_site_lacks_fails_the_run_and_says_what_to_configure(rest_config: Config) -> None:
    config = with_options(rest_config, stock={"class": "ZSTOCK"})
    with pytest.raises(NotReadableError, match=r"stock: .*ZSTOCK.*stream_options.*optional_streams"):
        run_tap(config)


def test_a_node_that_the_site_lacks_fails_the_run_and_says_what_to_configure(graphql_config: Config) -> None:
    node = {"node": "generalLedgerEntry"}
    config = with_options(graphql_config, gl_entries=node, gl_entry_lines=node)
    with pytest.raises(NotReadableError, match=r"Cannot read gl_entries, gl_entry_lines.*Cannot query field"):
        run_tap(config, catalog=catalog_of(config, "gl_entries", "gl_entry_lines"))


@pytest.mark.parametrize(
    ("stream", "options", "place"),
    [
        ("purchase_orders", {"package": "x3Purchasing"}, "x3Purchasing.purchaseOrder"),
        ("suppliers", {"node": "vendor"}, "x3MasterData.vendor"),
    ],
)
def test_names_that_settings_give_are_not_guessed_away(
    old_x3: Server, stream: str, options: dict[str, str], place: str
) -> None:
    """What settings name is taken as it is: no other node is looked for in its place."""
    config = with_options(config_for(old_x3, "graphql"), **{stream: options})
    run, error = run_tap_until_it_fails(config, NotReadableError, catalog=catalog_of(config, stream))
    assert re.search(rf"Cannot read {stream}: .*for {place} in stream_options", str(error))
    assert run.of("RECORD") == run.of("STATE") == []


def test_an_optional_stream_is_skipped_with_its_reason(
    config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    options = {"class": "ZSTOCK", "node": "zStock"}
    config = {**with_options(config, stock=options), "optional_streams": ["stock"]}
    with caplog.at_level("INFO", logger="tap-sagex3"):
        run = run_tap(config)
    assert run.records("suppliers")
    assert run.records("stock") == run.of("SCHEMA", "stock") == run.of("ACTIVATE_VERSION") == []
    ours = [record.getMessage() for record in caplog.records if record.name == "tap-sagex3"]
    assert ours[-1].startswith("Completed; skipped stock: ")
    assert any(message.startswith("Skipped optional stream stock: ") for message in ours)


def test_one_stream_can_be_read_through_the_other_api(graphql_config: Config, x3: X3Control) -> None:
    config = {
        **with_options(graphql_config, suppliers={"api": "rest"}),
        "rest_username": graphql_config["username"],
        "rest_password": graphql_config["password"],
    }
    expected = run_tap(graphql_config).by_key("suppliers")
    x3.reset_counters()
    run = run_tap(config)
    assert run.by_key("suppliers") == expected
    counters = x3.counters()
    assert counters["rest_query"] >= 1
    assert counters["graphql"] > counters["rest_query"]


def test_rest_without_a_password_says_what_is_missing(graphql_config: Config) -> None:
    with pytest.raises(SettingsError, match="rest_username and rest_password"):
        run_tap(with_options(graphql_config, suppliers={"api": "rest"}))
    with pytest.raises(SettingsError, match="rest_username and rest_password"):
        run_tap({**graphql_config, "api": "rest"})


def test_api_overrides_the_version(graphql_config: Config, x3: X3Control) -> None:
    config = {
        **graphql_config,
        "api": "rest",
        "rest_username": graphql_config["username"],
        "rest_password": graphql_config["password"],
    }
    x3.reset_counters()
    run_tap(config, catalog=catalog_of(config, "customers"))
    assert x3.counters().get("graphql", 0) == 0
    assert x3.counters()["rest_query"] > 0


def test_basic_works_for_graphql_too(graphql_config: Config) -> None:
    config = {**graphql_config, "auth": "basic"}
    assert run_tap(config, catalog=catalog_of(config, "customers")).records("customers")


def test_a_change_field_of_the_site(rest_config: Config, x3: X3Control) -> None:
    x3.expose("BPSUPPLIER", "UPDDATTIM", "UPDDAT")
    config = with_options(rest_config, suppliers={"change_field": "UPDDAT"})
    run = run_tap(config, catalog=catalog_of(config, "suppliers"))
    schema = run.of("SCHEMA", "suppliers")[0]["schema"]
    assert schema["properties"]["updatedDate"]["x-precision"] == "day"
    config = with_options(rest_config, suppliers={"change_field": "ZUPD"})
    with pytest.raises(NotReadableError, match=r"no property ZUPD.*change_field"):
        run_tap(config, catalog=catalog_of(config, "suppliers"))


def test_options_of_one_kind_of_document(rest_config: Config) -> None:
    config = with_options(rest_config, supplier_invoices={"financial": {"class": "ZBPSINV"}})
    with pytest.raises(NotReadableError, match="ZBPSINV"):
        run_tap(config, catalog=catalog_of(config, "supplier_invoices"))


def test_documents_are_fetched_once_for_all_their_streams(config: Config, api: str, x3: X3Control) -> None:
    streams = ("gl_entries", "gl_entry_lines", "gl_cost_allocations")
    catalog = catalog_of(config, *streams)
    x3.reset_counters()
    run = run_tap(config, catalog=catalog)
    counters = x3.counters()
    documents = len(run.records("gl_entries"))
    assert set(run.counts()) == set(streams)
    if api == "rest":
        assert counters["rest_details"] == documents
    else:
        assert counters["graphql"] <= 20 + documents // 60  # most of them about the schema


def test_nothing_is_ever_written_to_x3(config: Config, x3: X3Control) -> None:
    x3.reset_counters()
    run_tap(config)
    assert x3.counters().get("writes_refused", 0) == 0


def test_an_offline_catalog_from_before_the_dimension_types_still_works(config: Config) -> None:
    catalog = catalog_of(config, "gl_cost_allocations")
    entry = next(e for e in catalog["streams"] if e["stream"] == "gl_cost_allocations")
    for name in [n for n in entry["schema"]["properties"] if n.startswith("dimension") and n != "dimensions"]:
        del entry["schema"]["properties"][name]
        entry["metadata"] = [m for m in entry["metadata"] if m["breadcrumb"] != ["properties", name]]
    run = run_tap(config, catalog=catalog)
    columns = set(run.of("SCHEMA", "gl_cost_allocations")[0]["schema"]["properties"])
    assert all(set(record) == columns for record in run.records("gl_cost_allocations"))
    assert any(record["dimensions"] for record in run.records("gl_cost_allocations"))


def test_a_program_that_embeds_the_tap_gets_the_same_records(config: Config) -> None:
    tap = TapSageX3(config=copy_of(config))
    run = run_tap(config)
    for name in ("gl_cost_allocations", "suppliers", "stock"):
        records = t.cast("list[Record]", list(tap.streams[name].get_records(None)))
        key = run.keys[name]
        assert {tuple(r[k] for k in key): r for r in records} == run.by_key(name)


@pytest.mark.parametrize("fault", [{"fault": "html"}, {"fault": "status", "status": 404}], ids=str)
def test_a_server_that_does_not_describe_its_representations(
    rest_config: Config, x3: X3Control, fault: dict[str, t.Any]
) -> None:
    expected = run_tap(rest_config)
    x3.faults({**fault, "on": "rest_prototypes", "times": 10_000})
    found = run_tap(rest_config)
    assert found.counts() == expected.counts()
    assert found.settled_state["bookmarks"]["suppliers"] == expected.settled_state["bookmarks"]["suppliers"]


def test_columns_that_a_site_does_not_show_are_told(
    rest_config: Config, x3: X3Control, caplog: pytest.LogCaptureFixture
) -> None:
    body = '{"$resources":[{"BPCNUM":"C1","BPCNAM":"One","UPDDATTIM":"2024-01-01T00:00:00Z"}]}'
    catalog = catalog_of(rest_config, "customers")
    x3.faults(
        {"fault": "status", "status": 200, "body": body, "on": "rest_query", "path": "BPCUSTOMER", "nth": 1}
    )
    run = run_tap(rest_config, catalog=catalog)
    assert [r["companyName"] for r in run.records("customers")] == ["One"]
    warnings = [r.getMessage() for r in caplog.records if "does not show" in r.getMessage()]
    assert len(warnings) == 1
    assert warnings[0].startswith("customers: ")
    assert "BCGCOD" in warnings[0]
    assert "BPCNAM" not in warnings[0]


BAD_SETTINGS: list[tuple[str, object, str]] = [
    ("server_url", "x3.example.com", "server_url.*x3.example.com"),
    ("password", None, "password is missing"),
    ("start_date", "last year", "start_date.*last year"),
    ("ca_bundle", "/no/such/file.pem", "ca_bundle.*No such file"),
    ("optional_streams", ["gl_lines"], "optional_streams.*gl_lines"),
    ("stream_options", {"gl_lines": {}}, "stream_options.*gl_lines"),
    ("stream_options", {"suppliers": {"klass": "X"}}, "stream_options.*suppliers.*klass"),
    ("stream_options", {"suppliers": {"api": "soap"}}, "stream_options.*suppliers.*soap"),
    ("stream_options", {"supplier_invoices": {"financial": {"klass": "X"}}}, "supplier_invoices.*klass"),
    ("dimension_names", {"CCT": "account"}, "dimension_names"),
    ("x3_version", "V5", "x3_version.*V5"),
    ("batch_config", {"encoding": {"format": "jsonl"}}, "batch_config.*no BATCH files"),
]


@pytest.mark.parametrize(("setting", "value", "message"), BAD_SETTINGS, ids=lambda value: str(value)[:24])
def test_a_bad_setting_is_named(rest_config: Config, setting: str, value: object, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        run_tap({**rest_config, setting: value})


def test_unreadable_dimension_types_fail_a_run_that_needs_them_and_warn_in_discovery(
    config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    catalog = catalog_of(config, "gl_cost_allocations")
    state = run_tap(config, catalog=catalog).state
    lacking = with_options(
        config, dimension_types={"class": "ZDIE", "representation": "ZDIE", "node": "zType"}
    )
    assert TapSageX3(config=copy_of(lacking)).catalog_dict["streams"]
    assert any("No columns for dimension types" in record.getMessage() for record in caplog.records)
    with pytest.raises(NotReadableError, match=r"dimension types of gl_cost_allocations.*optional_streams"):
        run_tap(lacking, catalog=catalog, state=state)
    assert run_tap(lacking, catalog=catalog_of(lacking, "suppliers")).records("suppliers")
    optional = {**lacking, "optional_streams": ["dimension_types"]}
    found = run_tap(optional, catalog=catalog_of(optional, "gl_cost_allocations"))
    assert found.records("gl_cost_allocations")
