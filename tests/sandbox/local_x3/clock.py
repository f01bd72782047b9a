"""The server's own clock: real time plus an offset that a test sets, or a frozen instant."""

from __future__ import annotations

import datetime as dt
import time

STAMP_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def parse_stamp(text: str) -> dt.datetime:
    """Read `YYYY-MM-DDThh:mm:ss[.fff]` with `Z` or an offset; no zone means UTC."""
    moment = dt.datetime.fromisoformat(text)
    return moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)


class Clock:
    """Every time the server shows or stores (stamps, Date header, token checks) comes from here."""

    def __init__(self) -> None:
        """Start as real time, in UTC."""
        self.zone = dt.UTC  # of the server, for what is kept as a plain day; stamps are in UTC all the same
        self._offset = 0.0
        self._frozen: float | None = None

    def seconds(self) -> float:
        """Return seconds since 1970, UTC."""
        return time.time() + self._offset if self._frozen is None else self._frozen

    def now(self) -> dt.datetime:
        """Return the current instant in UTC."""
        return dt.datetime.fromtimestamp(self.seconds(), dt.UTC)

    def stamp(self) -> str:
        """Return the current instant as X3 stores it: whole seconds, UTC [C]."""
        return self.now().strftime(STAMP_FORMAT)

    def set(self, moment: dt.datetime, *, frozen: bool) -> None:
        """Show `moment` now; it stands still when `frozen`, else it goes on from there."""
        self._frozen = moment.timestamp() if frozen else None
        self._offset = moment.timestamp() - time.time()

    def advance(self, seconds: float) -> None:
        """Move the clock forward, or back when negative."""
        self._offset += seconds
        if self._frozen is not None:
            self._frozen += seconds

    def reset(self) -> None:
        """Show real time again."""
        self._offset, self._frozen = 0.0, None
