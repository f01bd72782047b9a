"""Answers that were computed before: given again while nothing changed, and only to who may have them."""

from __future__ import annotations

import time
import typing as t

import pytest
from processes import server
from x3_client import X3Client, decoded
from x3_control import X3Control

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import requests

COUNT = "{ x3MasterData { supplier { query { totalCount } } } }"
NAMES = "{ x3MasterData { supplier { query(first: 50) { edges { node { companyName1 } } } } } }"


@pytest.fixture
def replaying(control: X3Control) -> Iterator[X3Control]:
    control.replay(enabled=True)
    yield control
    control.replay(enabled=False)


def replayed(control: X3Control) -> int:
    return control.counters().get("replayed", 0)


def test_the_same_request_gets_the_same_answer_again(own: X3Client, replaying: X3Control) -> None:
    asks: list[Callable[[], requests.Response]] = [
        lambda: own.rest("BPSUPPLIER", count="7"),
        lambda: own.post(NAMES),
    ]
    for ask in asks:
        before = replayed(replaying)
        first, second = ask(), ask()
        assert (second.content, second.headers["Content-Type"]) == (
            first.content,
            first.headers["Content-Type"],
        )
        assert replayed(replaying) == before + 1


def test_another_request_is_computed(own: X3Client, replaying: X3Control) -> None:
    own.rest("BPSUPPLIER", count="7")
    own.post(NAMES, variables={"a": 1})
    assert len(decoded(own.rest("BPSUPPLIER", count="8"))["$resources"]) == 8
    assert len(decoded(own.rest("BPCUSTOMER", count="7"))["$resources"]) == 7
    other_host = {"Host": "erp.example.com"}
    path = "/api1/x3/erp/SEED/BPSUPPLIER?representation=BPSUPPLIER.%24query&count=7"
    link = decoded(own.get(path, headers=other_host))["$links"]["$next"]["$url"]
    assert link.startswith("http://erp.example.com/")
    own.post(NAMES, variables={"a": 2})
    headers = {"Authorization": f"Bearer {own.token()}", "x-xtrem-endpoint": "OTHER"}
    assert own.post(NAMES, headers=headers).status_code == 400
    assert replayed(replaying) == 0


def test_credentials_are_checked_each_time(own: X3Client, replaying: X3Control) -> None:
    path = "/api1/x3/erp/SEED/BPSUPPLIER?representation=BPSUPPLIER.$query"
    assert own.get(path).status_code == 200
    assert own.get(path, auth=("INTERFACE", "wrong")).status_code == 401
    own.post(COUNT)
    assert own.post(COUNT, headers={"x-xtrem-endpoint": "SEED"}).status_code == 401
    replaying.logins(basic=False)
    assert own.get(path).status_code == 401


CHANGES: dict[str, Callable[[X3Control], object]] = {
    "set": lambda control: control.set("BPSUPPLIER", "S00001", {"BPSNAM": "Changed"}),
    "mass update": lambda control: control.mass_update("BPSUPPLIER", values={"BPSNAM": "Changed"}),
    "commit": lambda control: control.commit("open"),
    "add": lambda control: control.add("BPSUPPLIER", {"BPSNUM": "A0", "BPSNAM": "Changed"}),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_nothing_is_replayed_after_a_change(
    own: X3Client, replaying: X3Control, change: Callable[[X3Control], object]
) -> None:
    replaying.begin("open")
    replaying.set("BPSUPPLIER", "S00002", {"BPSNAM": "Changed"}, transaction="open")
    for _ in range(2):
        assert "Changed" not in own.rest("BPSUPPLIER", count="50").text
        assert "Changed" not in own.post(NAMES).text
    if change is not CHANGES["commit"]:
        replaying.rollback("open")
    change(replaying)
    assert "Changed" in own.rest("BPSUPPLIER", count="50").text
    assert "Changed" in own.post(NAMES).text


def test_what_a_site_shows_and_where_links_lead_are_part_of_the_answer(
    own: X3Client, replaying: X3Control
) -> None:
    assert "UPDDATTIM" in own.rest("PORDER", count="2").text
    replaying.expose("PORDER", "UPDDAT")
    assert "UPDDATTIM" not in own.rest("PORDER", count="2").text
    replaying.link_origin("https://erp.example.com")
    assert "https://erp.example.com/" in own.rest("PORDER", count="2").text


LISTS = "/api1/x3/erp/SEED/BPSUPPLIER?representation=BPSUPPLIER.$query&count=50"
ADMIN = "/api1/syracuse/collaboration/syracuse/endPoints?representation=endPoints.$query"
CLOCK = {
    "day": LISTS + "&where=currentDate() lt @2027-01-01@",
    "stamp": LISTS + "&where=currentTimestamp() lt @2027-01-01T00:00:00Z@",
    "time": LISTS + "&where=hour(currentTime()) lt 24",
    "in a part": LISTS + "&where=BPSNUM ne '' and (1 eq 2 or dateAdd(currentDate(), 1) le @2027-01-01@)",
    "encoded": LISTS + "&where=%63urrentDate%28%29 lt @2027-01-01@",
    "parameter encoded": LISTS + "&%77here=c%75rrentDate() lt @2027-01-01@",
    "predefined": LISTS + "&filter=RECENT",
    "administration": ADMIN + "&where=year(currentDate()) eq 2026",
}


@pytest.mark.parametrize("target", CLOCK.values(), ids=CLOCK)
def test_what_depends_on_the_clock_is_computed(own: X3Client, replaying: X3Control, target: str) -> None:
    replaying.rest_site(filters={"BPSUPPLIER": {"RECENT": "currentDate() lt @2027-01-01@"}})
    replaying.set_clock("2026-12-31T12:00:00Z")
    for _ in range(2):
        assert decoded(own.raw(target.replace(" ", "%20")))["$resources"]
    assert replaying.replay()["answers"] == 0


def test_what_depends_on_the_clock_changes_by_itself(own: X3Client, replaying: X3Control) -> None:
    """No command comes between two of these requests: one would end the replay."""
    replaying.set_clock("2026-12-31T23:59:59Z")
    deadline = time.monotonic() + 30
    while own.rows("BPSUPPLIER", where="currentDate() lt @2027-01-01@"):
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.parametrize("text", ["current", "currentDate()"])
def test_a_text_that_reads_like_a_clock_is_replayed(own: X3Client, replaying: X3Control, text: str) -> None:
    for _ in range(2):
        own.rows("BPSUPPLIER", where=f"BPSNAM ne '{text}'")
        own.post(f"{NAMES} # {text}")
    assert replayed(replaying) == 2


def test_faults_and_counters_work_on_replayed_answers(own: X3Client, replaying: X3Control) -> None:
    right = own.rest("GDIE")
    replaying.faults({"fault": "malformed"}, {"fault": "status", "nth": 2})
    assert own.rest("GDIE").content != right.content
    assert own.rest("GDIE").status_code == 503
    assert own.rest("GDIE").content == right.content
    counters = replaying.counters()
    assert (counters["rest_query"], counters["replayed"], counters["status_503"]) == (4, 2, 1)


def test_refusals_are_not_kept(own: X3Client, replaying: X3Control) -> None:
    for _ in range(2):
        assert own.rest("BPSUPPLIER", where="NOPE eq 1").status_code == 500
        assert own.post("{ nope }").status_code == 400
    assert replaying.replay() == {"enabled": True, "answers": 0, "bytes": 0}


def test_replay_is_off_unless_asked_for(own: X3Client, control: X3Control) -> None:
    own.rest("GDIE")
    own.rest("GDIE")
    assert replayed(control) == 0
    assert control.replay()["enabled"] is False
    with server("local_x3", "--scale", "5", "--replay") as running, X3Control(running.ready["url"]) as other:
        client = X3Client(running.ready)
        client.rest("GDIE")
        client.rest("GDIE")
        client.close()
        assert (replayed(other), other.replay()["answers"]) == (1, 1)
