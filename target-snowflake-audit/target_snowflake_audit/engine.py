"""What the loaders of a run share."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from target_snowflake_audit.retrying import Retrier
from target_snowflake_audit.staging import folders
from target_snowflake_audit.transaction import Transaction

if TYPE_CHECKING:
    from target_snowflake_audit.checking.second import SecondProcess
    from target_snowflake_audit.run import Run


class Engine:
    """What the loaders of a run share."""

    def __init__(self, run: Run, stopping: threading.Event) -> None:
        """One transaction runner and one retrier a run."""
        folders.sweep()
        self.run = run
        self.mapping = threading.Lock()
        """The evaluator of `stream_maps` holds the record that it works on, so one thread maps at a time."""
        self.transaction = Transaction(run)
        self.retrier = Retrier(run, stopping)
        self.second: SecondProcess | None = None
        """Checks records beside this process, where there is one."""
