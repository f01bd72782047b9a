"""`like`: % for any text, _ for one character; in time proportional to text and pattern."""

from __future__ import annotations

import re
from functools import lru_cache


def like(text: str, pattern: str) -> bool:
    """Say whether a text fits a pattern.

    A regular expression with many `.*` would try all ways to spread a text over them. Here each part between
    two % is found once, as far left as it goes: no choice made early can spoil what comes later.
    """
    first, middle, last = _parts(pattern)
    if last is None:
        return first.fullmatch(text) is not None
    start = first.match(text)
    if start is None:
        return False
    place = start.end()
    for part in middle:
        found = part.search(text, place)
        if found is None:
            return False
        place = found.end()
    return last.search(text, place) is not None


@lru_cache(maxsize=256)
def _parts(pattern: str) -> tuple[re.Pattern[str], list[re.Pattern[str]], re.Pattern[str] | None]:
    parts = ["".join("." if char == "_" else re.escape(char) for char in part) for part in pattern.split("%")]
    if len(parts) == 1:
        return _compiled(parts[0]), [], None
    middle = [_compiled(part) for part in parts[1:-1] if part]
    return _compiled(parts[0]), middle, _compiled(rf"{parts[-1]}\Z")


def _compiled(text: str) -> re.Pattern[str]:
    return re.compile(text, re.DOTALL)
