"""Every fault of an X3 server at every place of a read: the right data, or an error that says what to do.

After each fault the next run is made from the STATE that left before; the receiver must then equal the
source. The table at the end of the test output has a row for each of them.
"""

from __future__ import annotations

import re
import typing as t

import pytest
from fault_table import CASES, ORDERS, ROW, Case
from interleavings import Receiver
from singer_upsert import comparable
from streams import STREAMS
from tap_runs import catalog_of, config_for, copy_of, read_messages_of_run
from tap_sagex3 import transport
from tap_sagex3.sync import context as pace
from x3_control import X3Control
from x3_servers import local_x3

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from processes import Server
    from tap_runs import Config, Record

ADVICE = re.compile(
    r"\b(?:[Rr]un again|[Cc]heck \w+|settings? \w+|Set \w+ to|See the log|at the server|nothing was skipped|"
    r"sign in|password|log in|login)\b"
)


@pytest.fixture(scope="module")
def table_x3() -> Iterator[Server]:
    """A local X3 of its own, with an invoice of many lines."""
    with local_x3("--port", "0", "--scale", "12", "--seed", "3", "--long-invoice") as running:
        yield running


@pytest.fixture
def control(table_x3: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[X3Control]:
    """Its control; faults end and data are put back after each case."""
    monkeypatch.setattr(transport, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(pace, "STATE_EVERY", 4)
    with X3Control(table_x3.ready["url"]) as found:
        yield found
        found.faults()
        found.reset()


def same(receiver: Receiver, control: X3Control, api: str, streams: Sequence[str]) -> bool:
    """Whether the receiver has exactly what the source has."""
    for stream in streams:
        key = STREAMS[stream].key
        expected = {tuple(row[name] for name in key): row for row in control.expected(stream, api)}
        found = receiver.tables.get(stream, {})
        if comparable(list(found.values())) != comparable(
            [expected[key] for key in found if key in expected]
        ):
            return False
        if found.keys() != expected.keys():
            return False
    return True


@pytest.mark.sampled(1, lambda arguments: arguments["case"].fault)
@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: f"{case.api}-{case.fault}-{case.place}".replace(" ", "_")
)
def test_the_data_are_right_or_the_error_says_what_to_do(
    case: Case, table_x3: Server, control: X3Control, record_property: Callable[[str, object], None]
) -> None:
    config: Config = {
        **config_for(table_x3, case.api),
        "page_size": 2,
        "max_retries": 2,
        "request_timeout": 1 if case.fault == "no answer in time" else 5,
        "detail_workers": 2,
        "line_lookback_days": 0,
    }
    if case.login:
        config["auth"] = case.login
    catalog: Record = catalog_of(config, *case.streams)
    receiver = Receiver()
    for command in case.prepare:
        control.call(**copy_of(command))
    control.faults(*copy_of(case.rules))
    messages, error = read_messages_of_run(config, catalog, receiver.state)
    receiver.take(messages)
    control.faults()
    right = case.changes or same(receiver, control, case.api, case.streams)
    messages, again = read_messages_of_run(config, catalog, receiver.state)
    receiver.take(messages)
    right_at_last = same(receiver, control, case.api, case.streams)
    outcome = (
        f"refused: {error}" if error else "completed" if right else "completed with other data than X3 has"
    )
    last = str(again) if again else "right data" if right_at_last else "other data than X3 has"
    record_property(ROW, [case.fault, case.api, case.place, outcome, last])
    assert outcome.startswith(case.outcome)
    assert right or error
    assert error is None or ADVICE.search(str(error)), error
    assert last == "right data"


@pytest.mark.parametrize("api", ["rest", "graphql"])
def test_a_late_commit_within_the_look_back_is_found(
    api: str, table_x3: Server, control: X3Control, record_property: Callable[[str, object], None]
) -> None:
    config: Config = {**config_for(table_x3, api), "lookback_seconds": 600, "line_lookback_days": 0}
    catalog: Record = catalog_of(config, *ORDERS)
    receiver = Receiver()
    transaction = control.begin()
    control.mass_update("PORDER", values={"ORDREF": "LATE"}, every=2, transaction=transaction)
    messages, error = read_messages_of_run(config, catalog, receiver.state)
    receiver.take(messages)
    assert error is None
    assert same(receiver, control, api, ORDERS)
    control.commit(transaction)
    assert not same(receiver, control, api, ORDERS)
    messages, error = read_messages_of_run(config, catalog, receiver.state)
    receiver.take(messages)
    last = str(error) if error else "right data" if same(receiver, control, api, ORDERS) else "other data"
    record_property(ROW, ["late commit", api, "between two runs", "completed", last])
    assert last == "right data"
