"""Answers that were computed before, for benchmarks: the server must not be what they measure."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local_x3.control.state import Records
    from local_x3.http_server import Request

LIMIT = 1024 * 1024 * 1024
"""Bytes of bodies: two taps that begin the pages of a list at other keys have other answers."""
Key = tuple[str, ...]


@dataclass(slots=True)
class Replay:
    """Bodies of good answers by the whole request, for as long as neither data nor site change."""

    enabled: bool = False
    limit: int = LIMIT
    size: int = 0
    bodies: OrderedDict[tuple[Key, bytes], bytes] = field(default_factory=OrderedDict)
    _valid_for: tuple[int, ...] = ()

    def find(self, key: tuple[Key, bytes], stores: Sequence[Records], site: int) -> bytes | None:
        """Return a body that is still right; `site` counts the changes that are no change of data."""
        now = (site, *(store.version for store in stores))
        if now != self._valid_for:
            self.clear()
            self._valid_for = now
        found = self.bodies.get(key)
        if found is not None:
            self.bodies.move_to_end(key)
        return found

    def keep(self, key: tuple[Key, bytes], body: bytes) -> None:
        """Remember an answer, and forget the ones that nobody asked for in the longest time."""
        if key in self.bodies or len(body) > self.limit:
            return
        self.bodies[key] = body
        self.size += len(body)
        while self.size > self.limit:
            self.size -= len(self.bodies.popitem(last=False)[1])

    def clear(self) -> None:
        """Forget everything."""
        self.bodies.clear()
        self.size = 0


def replay_key(request: Request, origin: str) -> tuple[Key, bytes]:
    """Return what an answer depends on beside data, site and time."""
    headers = request.headers
    languages = headers.get("accept-language", "")
    accept = headers.get("accept", "")  # api1 refuses some
    endpoint = headers.get("x-xtrem-endpoint", "\0")  # none is not the same as an empty one
    return (request.method, request.path, request.query, endpoint, accept, languages, origin), request.body
