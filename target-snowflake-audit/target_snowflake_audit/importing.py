"""Keeps what is imported out of garbage collection: a hundred thousand objects that stay until the end.

They would be looked through again and again, and once more at the end.
"""

from __future__ import annotations

import gc
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_one = threading.Lock()
"""Another thread must not take a pause of collection for what was there before."""


@contextmanager
def lasting() -> Iterator[None]:
    """What is made inside stays until the program ends."""
    with _one:
        was_on = gc.isenabled()
        gc.disable()
        try:
            yield
        finally:
            gc.freeze()
            if was_on:
                gc.enable()
