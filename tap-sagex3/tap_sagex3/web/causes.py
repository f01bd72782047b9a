"""Why a request failed: the innermost cause, in words that hold no URL."""

from __future__ import annotations

import requests
import urllib3


def reason_of(error: BaseException) -> str:
    """The innermost cause in words, without URL."""
    if isinstance(error, requests.exceptions.Timeout | urllib3.exceptions.TimeoutError):
        return "timed out"
    if isinstance(error, requests.exceptions.ProxyError):
        return f"proxy: {innermost(error)}"
    return innermost(error)


def causes(error: BaseException) -> list[BaseException]:
    """An error and what is behind it, outermost first; urllib3 keeps some in `reason` and `args` only."""
    found: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        item = waiting.pop(0)
        if isinstance(item, BaseException) and item not in found:
            found.append(item)
            waiting += [getattr(item, "reason", None), *item.args, item.__cause__, item.__context__]
    return found


def innermost(error: BaseException) -> str:
    """What the operating system said last; the name of the error when it said nothing."""
    every = [cause for cause in causes(error) if isinstance(cause, OSError)]
    named = [cause.strerror for cause in every if cause.strerror and isinstance(cause.strerror, str)]
    if named:
        return named[-1]
    plain = [str(cause.args[0]) for cause in every if cause.args and isinstance(cause.args[0], str)]
    return plain[-1] if plain else type(error).__name__
