"""Answers by request id.

Rule restored: a client that sends a request again, with the same request id, because the connection broke
gets the first run's answer; the statement never runs twice. Both connectors count on that for COMMIT and
INSERT.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING

from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

_REMEMBERED = 500
_TRANSPORT = "local_snowflake.transport"


class Cut(Response):
    """An answer that never arrives: the connection is reset instead.

    `kept`: the answer of a statement that took effect, None when it did not; `times`: how many attempts are
    cut.
    """

    def __init__(self, kept: Response | None = None, times: int = 1) -> None:
        """Keep the answer for a later attempt."""
        super().__init__()
        self.kept, self.times = kept, times

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Reset the connection and wait until the server has noticed."""
        del receive, send
        scope[_TRANSPORT].abort()
        await asyncio.sleep(0.05)


def cuttable(app: ASGIApp) -> ASGIApp:
    """Let answers reach the connection: uvicorn's `send` belongs to the object that has it."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        scope[_TRANSPORT] = getattr(getattr(send, "__self__", None), "transport", None)
        await app(scope, receive, send)

    return wrapped


class Answers:
    """The last answers, by session token and request id."""

    def __init__(self) -> None:
        """Start empty."""
        self._known: OrderedDict[str, asyncio.Future[Response]] = OrderedDict()

    async def once(self, key: str, run: Callable[[], Awaitable[Response]]) -> Response:
        """The answer of `run`, which is called once for a key even when the first client has gone."""
        future = self._known.get(key)
        if future is None:
            future = self._known[key] = asyncio.ensure_future(run())
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        answer = await asyncio.shield(future)
        if isinstance(answer, Cut):
            self._after_cut(key, answer)
        return answer

    def _after_cut(self, key: str, cut: Cut) -> None:
        cut.times -= 1
        if cut.kept is None:
            self._known.pop(key, None)
        elif cut.times <= 0:
            done: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
            done.set_result(cut.kept)
            self._known[key] = done
