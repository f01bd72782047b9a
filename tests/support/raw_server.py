"""A server of a few raw answers, for what no real one would send."""

from __future__ import annotations

import socket
import threading
import typing as t
from contextlib import contextmanager

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def raw_server(*answers: bytes | Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that sends raw bytes for each connection, one after the other, and closes it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            for answer in answers:
                connection, _ = listening.accept()
                with connection:
                    connection.recv(65536)
                    if isinstance(answer, bytes):
                        connection.sendall(answer)
                    else:
                        answer(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
