"""The end of the server: it comes within seconds, whatever runs.

A query of DuckDB goes on in its thread until it is interrupted, and Python waits for its threads. So running
statements are interrupted when the server stops; a thread that does not heed it cannot keep the process.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    import socket

    from .world import World

logger = logging.getLogger("local_snowflake")
GRACE = 4.0  # seconds
_AGAIN = 0.1  # a statement of several queries is interrupted at each


class Ending(uvicorn.Server):
    """A server that ends running statements before it waits for their answers."""

    def __init__(self, config: uvicorn.Config, world: World) -> None:
        """Serve this account."""
        super().__init__(config)
        self._world = world
        self._ended = threading.Event()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop, as uvicorn does, and have statements interrupted meanwhile."""
        threading.Thread(target=self._end, daemon=True).start()
        await super().shutdown(sockets)

    def ended(self) -> None:
        """No statement runs any more: interrupt none, since a closed connection is not to be touched."""
        self._ended.set()

    def _end(self) -> None:
        """Interrupt while statements run; then wait for the process's end, which ends this thread."""
        deadline = time.monotonic() + GRACE
        while time.monotonic() < deadline:
            if not self._ended.is_set():
                self._world.cancel_all()
            time.sleep(_AGAIN)
        logger.error("a statement does not end; the process ends without it")
        self._world.remove_files()
        os._exit(1)
