"""Where a long list can be divided: keys of records between two others, by a few requests of one record."""

from __future__ import annotations

import logging
import queue
import typing as t
from bisect import bisect_right
from concurrent.futures import Future, ThreadPoolExecutor

from tap_sagex3.errors import TapError
from tap_sagex3.ranges import Scale, equal_steps, falling_steps, growing_steps
from tap_sagex3.rest.pool import ordered_map

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tap_sagex3.declarations import RestSource
    from tap_sagex3.ranges import Key
    from tap_sagex3.rest.client import RestClient

logger = logging.getLogger("tap-sagex3")

DIVIDE_AFTER = 2
"""Pages after which it is asked how long a list is; a full one is enough."""
NEAR = 1
"""Steps, each four times as long as the one before, within which the rest of a list is not worth dividing."""
ROOM = 4
"""Least steps of half a page between two starts: the last page of a range is read for a part of it only."""
SEPARATOR = "~"
"""Stands between the parts of a key in a URL; how X3 reads one inside a part is not known."""


def key_from(operator: str, key: Sequence[t.Any]) -> str:
    """The parameter `key` that begins a list at a key (`ge`) or behind it (`gt`)."""
    return f"{operator}." + SEPARATOR.join(str(part) for part in key)


class Division:
    """Looks, while a list is being read, where the rest of it can be divided."""

    def __init__(self, client: RestClient, source: RestSource, page_size: int) -> None:
        """Nothing is asked before the list turns out to be longer than a page of `page_size` records."""
        self._client = client
        self._source = source
        self._page_size = page_size
        self._pool = ThreadPoolExecutor(1)
        self._pages = 0
        self._passed: set[Key] = set()
        self._found: queue.SimpleQueue[list[Key]] = queue.SimpleQueue()
        self._asked: Future[None] | None = None

    def starts(self, keys: Sequence[Key]) -> list[Key]:
        """Keys at which ranges may begin from now on, after one more page was taken; each is given once."""
        if self._asked is not None and self._asked.done() and self._found.empty():
            self._passed.clear()
            return []
        self._passed.update(keys)
        self._pages += 1
        if self._asked is None:
            if self._pages == DIVIDE_AFTER or len(keys) >= self._page_size:
                self._asked = self._pool.submit(self._ask, (keys[len(keys) // 2], keys[-1]))
            return []
        found: list[Key] = []
        while not self._found.empty():
            found += self._found.get()
        new = [key for key in dict.fromkeys(found) if key not in self._passed]
        self._passed.update(new)
        return new

    def close(self) -> None:
        """Do not wait for answers that nobody needs any more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _ask(self, read: tuple[Key, Key]) -> None:
        for keys in find_starts(self._client, self._source, read):
            self._found.put(keys)


def find_starts(client: RestClient, source: RestSource, read: tuple[Key, Key]) -> Iterator[list[Key]]:
    """Keys of some records behind those that were read, as they are found; none if the server does not tell.

    `read` are one in the middle and the last one of a page: they tell how densely keys lie. The first ones of
    a list may lie far before the others.
    """
    first, low = read
    try:
        high = _first_key(client, source, {"orderBy": _order(source, "desc")})
        if high is None or any(_is_ambiguous(key) for key in (first, low, high)):
            return
        for keys in _spread(client, source, (first, low, high)):
            yield [key for key in keys if key != low and not _is_ambiguous(key)]
    except (TapError, ValueError) as error:
        logger.info("%s is not divided any further: %s", source.class_name, error)


def _spread(client: RestClient, source: RestSource, known: tuple[Key, Key, Key]) -> Iterator[list[Key]]:
    """Most keys often lie near each other, a few far behind them: first where the many end, then between.

    The records that tell where the many end are good places to begin with.
    """
    first, low, high = known
    scale = Scale(low, high)
    steps = growing_steps(scale, first, low, high)
    reached = _reached(client, source, scale, steps)
    last = _last_filled(scale, [*steps, high], reached)
    if last < NEAR:
        return
    begun = [
        key for step in steps[max(last - client.workers + 2, 1) : last + 1] if (key := reached.get(step))
    ]
    yield begun
    before, begin, end = [*steps, high][last - 1 : last + 2]
    closer = equal_steps(scale, begin, end, client.workers)
    reached.update(_reached(client, source, scale, closer))
    last = _last_filled(scale, [begin, *closer, end], reached)
    end = [*closer, end][last]
    half = scale.number(steps[0]) - scale.number(low)
    found = _records(client, source, falling_steps(scale, before, end, client.workers, 2 * half))
    room = ROOM * half
    yield _apart(scale, room, begun, [*found, reached.get(end)])


def _apart(scale: Scale, room: int, begun: Sequence[Key], found: Sequence[Key | None]) -> list[Key]:
    """Those of the found keys that lie so far from each other, and from others, that ranges are worth it."""
    places = [scale.number(key) for key in begun]
    kept: list[Key] = []
    for key in found:
        place = scale.number(key) if key else 0
        if key and all(abs(place - other) >= room for other in places):
            kept.append(key)
            places.append(place)
    return kept


def _last_filled(scale: Scale, steps: Sequence[Key], reached: Mapping[Key, Key | None]) -> int:
    """Number of the last step behind which, and before the next one, a record was found; else 0."""
    places = [scale.number(key) for key in steps]
    numbers = [scale.number(key) for key in reached.values() if key]
    return max((bisect_right(places, number) - 1 for number in numbers if number < places[-1]), default=0)


def _reached(
    client: RestClient, source: RestSource, scale: Scale, steps: Sequence[Key]
) -> dict[Key, Key | None]:
    """The first record from some keys on; not asked for keys before a record that was found already."""
    found: dict[Key, Key | None] = {}
    left = list(steps)
    while left:
        some, left = left[: client.workers], left[client.workers :]
        answers = _records(client, source, some)
        found.update(zip(some, answers, strict=True))
        if None in answers:
            break
        far = max(scale.number(key) for key in answers if key)
        left = [key for key in left if scale.number(key) > far]
    return found


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
