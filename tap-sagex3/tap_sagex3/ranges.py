"""Ranges of keys, so that one long list can be read in several places at once. Pure.

A range begins at the key of a record and goes on, in the server's own order, to a record at which another
one begins. So nothing has to be known of that order: not the collation of the database, nor whether a key
that was made up here lies where it was meant to. Wherever ranges begin, together they hold each record once.
"""

from __future__ import annotations

import string
import typing as t
from dataclasses import dataclass
from itertools import accumulate

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Key = tuple[t.Any, ...]

_ANY = string.digits + string.ascii_uppercase
_WIDTH = 12
"""Characters behind the common beginning of two texts that are counted with."""
_STEPS = 12
_FALLING = (4, 2, 1)
"""Sizes of the parts of a list, from its beginning to its end."""


@dataclass(slots=True)
class KeyRange:
    """One range: from the record `start` (None: the first one of all) on; `after` is the last one sent."""

    start: Key | None = None
    after: Key | None = None
    done: bool = False

    def as_state(self) -> dict[str, t.Any]:
        """What goes into STATE."""
        return {
            "start": None if self.start is None else list(self.start),
            "after": None if self.after is None else list(self.after),
            "done": self.done,
        }


def range_of(state: Mapping[str, t.Any]) -> KeyRange:
    """A range from STATE.

    Raises:
        TypeError, KeyError: it is not what `as_state` gives.
    """
    start, after, done = state["start"], state["after"], state["done"]
    if not isinstance(done, bool):
        raise TypeError
    return KeyRange(_key(start), _key(after), done)


def undivided(ranges: list[KeyRange]) -> Key | None:
    """The key behind which a list is to be read in one piece; divided ranges begin again, as one."""
    if len(ranges) > 1:
        ranges[:] = [KeyRange()]
    return ranges[0].after


def _key(state: object) -> Key | None:
    if state is None:
        return None
    if not isinstance(state, list) or not state or not all(isinstance(part, str | int) for part in state):
        raise TypeError
    return tuple(state)


class Starts:
    """Where ranges begin, and so where others end.

    When the record is deleted at which a range begins, its neighbour ends at another one of the first page.
    """

    def __init__(self, ranges: Iterable[KeyRange]) -> None:
        """Take the starts of some ranges."""
        self._owners: dict[Key, KeyRange] = {}
        for item in ranges:
            self.begin(item)

    def begin(self, item: KeyRange) -> None:
        """Note where a range begins."""
        if item.start is not None:
            self._owners[item.start] = item

    def add(self, owner: KeyRange, keys: Iterable[Key]) -> None:
        """Note the keys of the first page of a range."""
        for key in keys:
            self._owners.setdefault(key, owner)

    def end(self, owner: KeyRange, keys: Sequence[Key]) -> int | None:
        """Place of the first key that belongs to another range; None when all are of this one."""
        owners = self._owners
        if owners.keys().isdisjoint(keys):
            return None
        return next((place for place, key in enumerate(keys) if owners.get(key, owner) is not owner), None)


class Scale:
    """Keys as numbers, along the first part in which two keys differ.

    The parts before it are the same for all keys of the scale, those behind it are the ones of `low`. A text
    counts by the characters behind the common beginning of both: what stands at each place of `low`, a digit,
    a letter or a sign, tells what may stand there; anything else counts as the nearest one before it.
    """

    def __init__(self, low: Key, high: Key) -> None:
        """Make the scale.

        Raises:
            ValueError: the keys are equal, or not of texts or whole numbers.
        """
        self._low = low
        pairs = enumerate(zip(low, high, strict=True))
        self._place = next((place for place, (one, other) in pairs if one != other), -1)
        no_scale = f"no scale from {low} to {high}"
        if self._place < 0:
            raise ValueError(no_scale)
        self._common = ""
        self._places: list[str] = []
        first, last = low[self._place], high[self._place]
        if isinstance(first, str) and isinstance(last, str):
            self._common = _common_beginning(first, last)
            tail = first[len(self._common) :][:_WIDTH]
            self._places = [_alphabet(character) for character in tail] or [_ANY]
        elif not (type(first) is type(last) is int):
            raise ValueError(no_scale)

    def number(self, key: Key) -> int:
        """Where a key lies."""
        part = key[self._place]
        if not self._places:
            return int(part)
        value = 0
        tail = str(part)[len(self._common) :].upper()
        for place, alphabet in enumerate(self._places):
            character = tail[place : place + 1]
            value = value * len(alphabet) + max(sum(known <= character for known in alphabet) - 1, 0)
        return value

    def key(self, number: int) -> Key:
        """A key that lies at a number; there need be no such record."""
        part = self._common + self._text(number) if self._places else number
        return (*self._low[: self._place], part, *self._low[self._place + 1 :])

    def _text(self, number: int) -> str:
        characters = []
        for alphabet in reversed(self._places):
            number, digit = divmod(number, len(alphabet))
            characters.append(alphabet[digit])
        return "".join(reversed(characters))


def _alphabet(character: str) -> str:
    """What may stand where a character stands, in order."""
    if character in string.digits:
        return string.digits
    return _ANY if character.isalpha() else character


def _common_beginning(first: str, last: str) -> str:
    length = next((n for n, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), None)
    return min(first, last, key=len) if length is None else first[:length]


def growing_steps(scale: Scale, first: Key, low: Key, high: Key) -> list[Key]:
    """Keys behind `low`: the first as far as `first` lies before it, each further one four times as far."""
    begin, end = scale.number(low), scale.number(high)
    step = max(begin - scale.number(first), 1)
    found: list[Key] = []
    while begin + step < end and len(found) < _STEPS:
        found.append(scale.key(begin + step))
        step *= 4
    return found


def equal_steps(scale: Scale, low: Key, high: Key, number: int) -> list[Key]:
    """Keys that divide what lies between two keys into equal parts."""
    return _divided(scale, low, high, [1] * (number + 1))


def falling_steps(scale: Scale, low: Key, high: Key, readers: int, page: int = 1) -> list[Key]:
    """Keys that divide what lies between two keys: a part for each reader, then for each half as much.

    Whoever is ready first takes the next one, and the last ones are small: so all end at about the same time.
    Where keys lie as densely as in a page, which is so long on the scale, no part ends just behind one.
    """
    return _divided(scale, low, high, [size for size in _FALLING for _ in range(readers)], page)


def _divided(scale: Scale, low: Key, high: Key, sizes: Sequence[int], unit: int = 1) -> list[Key]:
    begin, end = scale.number(low), scale.number(high)
    parts = ((end - begin) * done // sum(sizes) for done in accumulate(sizes[:-1]))
    places = (begin + part - part % unit for part in parts)
    return [scale.key(place) for place in dict.fromkeys(places) if begin < place < end]
