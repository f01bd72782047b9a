"""Every fault of an X3 server at every place of a read: the right data, or an error that says what to do.

After each fault the next run is made from the STATE that left before; the receiver must then equal the
source. The table at the end of the test output has a row for each of them.
"""

from __future__ import annotations

import typing as t

import pytest
from fault_table import CASES, ROW, Case
from interleavings import Receiver
from singer_upsert import comparable
from streams import STREAMS
from tap_runs import catalog_of, config_for, copy_of, read_messages_of_run
from tap_sagex3 import transport
from tap_sagex3.sync import context as pace
from x3_control import X3Control
from x3_servers import local_x3

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from processes import Server
    from tap_runs import Config, Record

READ = ("purchase_orders", "purchase_order_lines", "stock")


@pytest.fixture(scope="module")
def table_x3() -> Iterator[Server]:
    """A local X3 of its own, with an invoice of many lines."""
    with local_x3("--port", "0", "--scale", "12", "--seed", "3") as running:
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


def same(receiver: Receiver, control: X3Control, api: str) -> bool:
    """Whether the receiver has exactly what the source has."""
    for stream in READ:
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
        "request_timeout": 5,
        "detail_workers": 2,
        "line_lookback_days": 0,
    }
    if case.login:
        config["auth"] = case.login
    catalog: Record = catalog_of(config, *READ)
    receiver = Receiver()
    for command in case.prepare:
        control.call(**copy_of(command))
    control.faults(*copy_of(case.rules))
    messages, error = read_messages_of_run(config, catalog, receiver.state)
    receiver.take(messages)
    control.faults()
    if error is None:
        outcome = "completed"
        assert case.changes or same(receiver, control, case.api), "completed with other data than X3 has"
    else:
        outcome = f"refused: {error}"
        assert len(str(error)) > 20
    assert case.outcome in outcome
    messages, again = read_messages_of_run(config, catalog, receiver.state)
    receiver.take(messages)
    assert again is None, again
    assert same(receiver, control, case.api)
    record_property(ROW, [case.fault, case.api, case.place, outcome, "right data"])
