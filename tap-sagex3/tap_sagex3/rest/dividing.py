"""Where a long list can be divided: keys of records between two others, by a few requests of one record."""

from __future__ import annotations

import logging
import typing as t
from concurrent.futures import Future, ThreadPoolExecutor

from tap_sagex3.errors import TapError
from tap_sagex3.ranges import Scale, equal_steps, growing_steps
from tap_sagex3.rest.pool import ordered_map

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_sagex3.declarations import RestSource
    from tap_sagex3.documents import DocumentPage
    from tap_sagex3.ranges import Key
    from tap_sagex3.rest.client import RestClient

logger = logging.getLogger("tap-sagex3")

DIVIDE_AFTER = 2
"""Pages after which it is asked how long a list is."""
RANGES_A_WORKER = 2
NEAR = 1
"""Steps, each four times as long as the one before, within which the rest of a list is not worth dividing."""
SEPARATOR = "~"
"""Stands between the parts of a key in a URL; how X3 reads one inside a part is not known."""


def key_from(operator: str, key: Sequence[t.Any]) -> str:
    """The parameter `key` that begins a list at a key (`ge`) or behind it (`gt`)."""
    return f"{operator}." + SEPARATOR.join(str(part) for part in key)


class Division:
    """Looks, while a list is being read, where the rest of it can be divided."""

    def __init__(self, client: RestClient, source: RestSource) -> None:
        """Nothing is asked before the list turns out to be long."""
        self._client = client
        self._source = source
        self._pool = ThreadPoolExecutor(1)
        self._pages = 0
        self._passed: set[Key] = set()
        self._asked: Future[list[Key]] | None = None

    def starts(self, page: DocumentPage) -> list[Key]:
        """Keys at which ranges may begin, after one more page was read: once, when they are known."""
        self._pages += 1
        if self._asked is not None:
            self._passed.update(page.keys)
            if not self._asked.done():
                return []
            found = [key for key in self._asked.result() if key not in self._passed]
            self._asked = Future()
            return found
        if self._pages == DIVIDE_AFTER:
            known, number = (page.keys[0], page.keys[-1]), RANGES_A_WORKER * self._client.workers
            self._asked = self._pool.submit(find_starts, self._client, self._source, known, number)
        return []

    def close(self) -> None:
        """Do not wait for answers that nobody needs any more."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def find_starts(client: RestClient, source: RestSource, read: tuple[Key, Key], number: int) -> list[Key]:
    """Keys of about `number` records behind those that were read; none if the server does not tell.

    `read` are the first and the last of the last page: they tell how densely keys lie.
    """
    first, low = read
    try:
        high = _first_key(client, source, {"orderBy": _order(source, "desc")})
        if high is None or any(_is_ambiguous(key) for key in (first, low, high)):
            return []
        return _spread(client, source, (first, low, high), number)
    except (TapError, ValueError) as error:
        logger.info("%s is read in one piece: %s", source.class_name, error)
        return []


def _spread(client: RestClient, source: RestSource, known: tuple[Key, Key, Key], number: int) -> list[Key]:
    """Most keys often lie near each other, a few far behind them: first where the many end, then between."""
    first, low, high = known
    scale = Scale(low, high)
    steps = growing_steps(scale, first, low, high)
    reached = _records(client, source, steps)
    ends = [*steps[1:], high]
    last = max(
        (n for n, key in enumerate(reached) if key and scale.number(key) < scale.number(ends[n])), default=0
    )
    if last < NEAR:
        return []
    found = _records(client, source, equal_steps(scale, low, ends[last], number))
    starts = dict.fromkeys((*found, *reached[last + 1 : last + 2]))
    return [key for key in starts if key not in (None, low) and not _is_ambiguous(key)]


def _records(client: RestClient, source: RestSource, keys: Sequence[Key]) -> list[Key | None]:
    """For each of some keys the key of the first record from there on; None when there is none."""
    order = {"orderBy": _order(source, "asc")}
    answers = ordered_map(
        lambda key: _first_key(client, source, {**order, "key": key_from("ge", key)}), keys, client.workers
    )
    return [found for _, found in answers]


def _first_key(client: RestClient, source: RestSource, parameters: Mapping[str, str]) -> Key | None:
    """Key of the first record of a list."""
    for page in client.pages(source, {"count": "1", **parameters}):
        for row in page.rows.nodes():
            return tuple(row[column] for column in source.key if column in row)
        break
    return None


def _order(source: RestSource, direction: str) -> str:
    return ",".join(f"{column} {direction}" for column in source.key)


def _is_ambiguous(key: Key) -> bool:
    return any(SEPARATOR in str(part) for part in key)
