"""A load that runs beside reading: started by the main thread, which asks for its end later."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from target_snowflake_audit.unexpected import note

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_snowflake_audit.counts import Counts


class BackgroundLoad:
    """Runs one load in a thread of its own.

    The thread is a daemon: a second signal ends the program while a statement runs, and Snowflake rolls back.
    """

    def __init__(self, load: Callable[[], Counts], committed: Callable[[Counts], None], name: str) -> None:
        """Start it; `committed` is called in its thread when the load is committed."""
        self._load = load
        self._committed = committed
        self._error: BaseException | None = None
        self._name = name
        self._thread = threading.Thread(target=self._run, name=f"load {name}", daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._thread.is_alive()

    @property
    def failed(self) -> bool:
        """Whether it has ended with an error."""
        return not self.running and self._error is not None

    def wait(self) -> None:
        """Wait for its end and raise its error, if any."""
        self._thread.join()
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            self._committed(self._load())
        except BaseException as error:  # noqa: BLE001 - raised by `wait` in the thread that asks
            note(error, f"loading a batch of stream {self._name}")
            self._error = error
