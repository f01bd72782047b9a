"""A local X3 for tests of the tap: at its end, nothing may have tried to write to it."""

from __future__ import annotations

import typing as t
from contextlib import contextmanager

from processes import Server, server
from x3_control import X3Control

if t.TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def local_x3(*arguments: str) -> Iterator[Server]:
    """Start a local X3; fail at the end when a client tried to write."""
    with server("local_x3", *arguments) as running:
        yield running
        check_read_only(running.ready["url"])


def check_read_only(url: str) -> None:
    """Check that a local X3 has refused no write since it started: nothing is ever written to X3.

    Raises:
        AssertionError: it has; with what was tried.
    """
    with X3Control(url) as control:
        refused = control.writes_refused()
    tried = ", ".join(f"{times} x {what}" for what, times in sorted(refused.items()))
    assert not refused, f"something tried to write to X3: {tried}"
