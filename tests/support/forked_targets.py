"""Runs of the target as processes that are forked from a warm one: no second spent on imports.

A process can be killed, and holds nothing of the test's own: no session, no thread, no lock.
"""

from __future__ import annotations

import json
import multiprocessing
from typing import TYPE_CHECKING, Any

import forked_target_child
from target_world import Ended, lines

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from target_world import Message

_TIMEOUT = 120.0  # seconds
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["forked_target_child", "target_snowflake_audit.singer_command"])


class Forked:
    """One run of the target: start it, then `wait` for its end."""

    def __init__(self, messages: Iterable[Message], settings: dict[str, Any], folder: Path) -> None:
        """Start a run on an input; its files go to `folder`, which must be its own."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        (folder / "in").write_text(lines(messages))
        (folder / "config.json").write_text(json.dumps(settings))
        self.process = _context.Process(target=forked_target_child.run, args=(str(folder),), daemon=True)
        self.process.start()

    def wait(self) -> Ended:
        """Wait for the end.

        Raises:
            TimeoutError: it does not end; it is killed.
        """
        self.process.join(_TIMEOUT)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
            message = f"the target did not end in {_TIMEOUT} s: {self._read('err')[-2000:]}"
            raise TimeoutError(message)
        code = self.process.exitcode
        self.process.close()
        states = [json.loads(line) for line in self._read("out").splitlines()]
        return Ended(states, self._read("err"), code)

    def _read(self, name: str) -> str:
        return (self._folder / name).read_text()
