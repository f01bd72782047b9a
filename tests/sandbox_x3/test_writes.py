"""Nothing can be written: each attempt is refused, counted by kind, and not forgotten before the end."""

from __future__ import annotations

import contextlib
import typing as t

import pytest
from x3_client import X3Client
from x3_control import X3Control
from x3_servers import check_read_only, local_x3

LIST = "/api1/x3/erp/SEED/BPSUPPLIER?representation=BPSUPPLIER.$query"
RECORD = "/api1/x3/erp/SEED/BPSUPPLIER('S00001')?representation=BPSUPPLIER"
MUTATION = 'mutation { x3MasterData { supplier { create(data: { code: "X" }) { code { code } } } } }'


def before_and_after(x3: X3Client, control: X3Control, method: str, path: str, **given: t.Any) -> int:  # noqa: ANN401 - what requests takes
    """Send a request; its status, after a check that nothing changed."""
    rows = control.rows("BPSUPPLIER")
    answer = x3.session.request(method, x3.url + path, **{"auth": x3.basic, "timeout": 10, **given})
    assert control.rows("BPSUPPLIER") == rows
    return answer.status_code


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("POST", LIST, "rest_query"),
        ("PUT", RECORD + ".$edit", "rest_details"),
        ("PATCH", RECORD + ".$details", "rest_details"),
        ("DELETE", RECORD + ".$details", "rest_details"),
        ("GET", RECORD + ".$edit", "rest_details"),
        ("GET", RECORD + ".%24edit", "rest_details"),
        ("GET", RECORD + ".$%65dit", "rest_details"),
        ("GET", RECORD + ".$EDIT", "rest_details"),
        ("GET", "/api1/x3/erp/SEED/BPSUPPLIER?representation=BPSUPPLIER.$create", "rest_query"),
        ("BREW", LIST, "rest_query"),
    ],
)
def test_api1_refuses_every_way_of_writing(
    own: X3Client, control: X3Control, method: str, path: str, kind: str
) -> None:
    assert before_and_after(own, control, method, path, json={"BPSNAM": "x"}) == 405
    counters = control.counters()
    assert (counters["writes_refused"], counters[f"writes_refused_{kind}"]) == (1, 1)


def test_a_get_that_says_it_is_a_put_is_a_write(own: X3Client, control: X3Control) -> None:
    headers = {"X-HTTP-Method-Override": "PUT"}
    assert before_and_after(own, control, "GET", LIST, headers=headers) == 405
    assert control.counters()["writes_refused"] == 1


ELSEWHERE = ("/sdata/x3/erp/SEED/BPSUPPLIER", "/soap-generic/syracuse", "/", "/v1/folders")


@pytest.mark.parametrize("path", ELSEWHERE)
def test_a_write_to_any_other_place_counts_too(own: X3Client, control: X3Control, path: str) -> None:
    assert before_and_after(own, control, "POST", path, data=b"<x/>") in {404, 405}
    assert control.counters()["writes_refused"] == 1


TWO = "query A { x3MasterData { supplier { query { totalCount } } } } " + MUTATION.replace(" {", " B {", 1)


@pytest.mark.parametrize("text", [MUTATION, TWO], ids=["alone", "beside a query"])
def test_mutations_are_refused_by_both_endpoints(own: X3Client, control: X3Control, text: str) -> None:
    assert own.post(text).status_code == 400
    headers = {"Authorization": f"Bearer {control.pair()['access_token']}"}
    path = "/v1/service/X3CLOUDV2_SEED/api"
    body = {"query": text}
    assert before_and_after(own, control, "POST", path, json=body, headers=headers, auth=None) == 400
    counters = control.counters()
    assert (counters["writes_refused_graphql"], counters["writes_refused_gateway"]) == (1, 1)


def test_other_methods_on_xtrem_are_writes(own: X3Client, control: X3Control) -> None:
    headers = {"x-xtrem-endpoint": "SEED"}
    for method in ("PUT", "DELETE", "PATCH"):
        assert before_and_after(own, control, method, "/xtrem/api", headers=headers) == 405
    assert before_and_after(own, control, "GET", "/xtrem/api", headers=headers) == 405
    assert control.counters()["writes_refused"] == 3


def test_an_attempt_without_credentials_counts_too(own: X3Client, control: X3Control) -> None:
    assert before_and_after(own, control, "PUT", RECORD + ".$edit", auth=None) == 401
    assert own.post(MUTATION, headers={"x-xtrem-endpoint": "SEED"}).status_code == 401
    assert control.counters()["writes_refused"] == 2


def test_reading_is_no_write(own: X3Client, control: X3Control) -> None:
    assert own.session.options(own.url + LIST, auth=own.basic, timeout=10).status_code == 405
    own.rows("BPSUPPLIER", where="BPSNAM ne '$edit'")
    own.session.head(own.url + LIST, auth=own.basic, timeout=10)
    own.post("{ x3MasterData { supplier { query(filter: \"{_id:'mutation'}\") { totalCount } } } }")
    own.post("{ __schema { mutationType { name } } }")
    own.post("mutation {")  # no GraphQL at all
    assert "writes_refused" not in control.counters()


def test_a_server_that_was_written_to_says_so_at_its_end() -> None:
    """The check that every fixture of the tap's tests makes at its end would fail."""
    running = contextlib.ExitStack()
    ready = running.enter_context(local_x3("--scale", "5")).ready
    client = X3Client(ready)
    client.rows("BPSUPPLIER")
    check_read_only(client.url)
    client.session.delete(client.url + RECORD + ".$details", auth=client.basic, timeout=10)
    client.post(MUTATION)
    client.close()
    with X3Control(client.url) as control:
        control.reset_counters()
        control.reset()
        assert control.counters() == {}
        assert control.writes_refused() == {"rest_details DELETE": 1, "graphql POST": 1}
    with pytest.raises(AssertionError, match="1 x graphql POST, 1 x rest_details DELETE"):
        running.close()
