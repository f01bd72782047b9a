"""A local X3 for tests of the tap: at its end, nothing may have tried to write to it."""

from __future__ import annotations

import typing as t
from contextlib import contextmanager
from dataclasses import dataclass

from processes import Server, server
from x3_control import X3Control

if t.TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Tls:
    """PEM files of a server with TLS: its certificate and key, what to trust, and what a client shows."""

    certificate: str
    key: str
    ca: str
    client: tuple[str, str] | None = None


@contextmanager
def local_x3_with_tls(tls: Tls, *arguments: str) -> Iterator[Server]:
    """A local X3 that speaks HTTPS, and asks for a certificate when the client has one."""
    asked = ("--client-ca", tls.ca) if tls.client else ()
    with server("local_x3", "--tls", tls.certificate, tls.key, *asked, *arguments) as running:
        yield running
        check_read_only(running.ready["url"], tls)


@contextmanager
def local_x3(*arguments: str) -> Iterator[Server]:
    """Start a local X3; fail at the end when a client tried to write."""
    with server("local_x3", *arguments) as running:
        yield running
        check_read_only(running.ready["url"])


def check_read_only(url: str, tls: Tls | None = None) -> None:
    """Check that a local X3 has refused no write since it started: nothing is ever written to X3.

    Raises:
        AssertionError: it has; with what was tried.
    """
    with X3Control(url, ca=tls.ca if tls else None, certificate=tls.client if tls else None) as control:
        refused = control.writes_refused()
    tried = ", ".join(f"{times} x {what}" for what, times in sorted(refused.items()))
    assert not refused, f"something tried to write to X3: {tried}"
