"""Tokens of a connected application on the wire: claims, clocks, renewals."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime, timedelta

import pytest
from tap_runs import catalog_of, run_tap
from tap_sagex3.errors import AuthenticationError

if t.TYPE_CHECKING:
    from tap_runs import Config
    from x3_control import X3Control

COUNTED = ("suppliers",)


@pytest.mark.parametrize("hours", [-48, -1, 1, 48])
def test_a_clock_that_is_wrong_is_corrected_by_the_servers(
    graphql_config: Config, x3: X3Control, caplog: pytest.LogCaptureFixture, hours: int
) -> None:
    catalog = catalog_of(graphql_config, *COUNTED)
    moment = datetime.now(UTC) + timedelta(hours=hours)
    x3.set_clock(moment.strftime("%Y-%m-%dT%H:%M:%SZ"))
    x3.reset_counters()
    with caplog.at_level("WARNING", logger="tap-sagex3"):
        assert run_tap(graphql_config, catalog=catalog).counts()["suppliers"] > 0
    assert x3.counters()["status_401"] == 1
    told = [record.getMessage() for record in caplog.records if "clock of the server" in record.getMessage()]
    assert len(told) == 1


def test_a_token_that_ends_in_the_middle_of_a_run_is_renewed(graphql_config: Config, x3: X3Control) -> None:
    catalog = catalog_of(graphql_config, *COUNTED)
    config = {**graphql_config, "page_size": 5}
    x3.faults({"fault": "none", "on": "graphql", "nth": 3, "after": [{"do": "clock", "advance": 3600}]})
    x3.reset_counters()
    assert run_tap(config, catalog=catalog).counts()["suppliers"] > 5
    assert x3.counters()["status_401"] == 1


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"client_id": "other"}, "error 41: .*setting client_id"),
        ({"allowed_user": "OTHER"}, "error 42: .*setting allowed_user"),
        ({"audience": ""}, "error 45: .*setting audience"),
    ],
    ids=["iss", "sub", "aud"],
)
def test_a_wrong_claim_is_told_and_not_sent_again(
    graphql_config: Config, x3: X3Control, change: Config, text: str
) -> None:
    with pytest.raises(AuthenticationError, match=text):
        run_tap({**graphql_config, **change})
    assert x3.counters()["requests"] == 1


def test_an_empty_audience_is_sent_when_none_is_registered(graphql_config: Config, x3: X3Control) -> None:
    catalog = catalog_of(graphql_config, *COUNTED)
    audience = graphql_config["audience"]
    x3.logins(audience="")
    try:
        config = {**graphql_config, "audience": ""}
        assert run_tap(config, catalog=catalog).counts()["suppliers"] > 0
    finally:
        x3.logins(audience=audience)


def test_a_life_longer_than_the_application_allows_is_told(graphql_config: Config, x3: X3Control) -> None:
    x3.logins(tokens_validity=120)
    try:
        with pytest.raises(AuthenticationError, match=r"error 50: .*token_lifetime"):
            run_tap(graphql_config)
        config = {**graphql_config, "token_lifetime": 120}
        assert run_tap(config, catalog=catalog_of(config, *COUNTED)).counts()["suppliers"] > 0
    finally:
        x3.logins(tokens_validity=600)
