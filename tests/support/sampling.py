"""Which cases of a test marked `sampled` belong to `make test`; the others are left to `make test-full`.

The choice is the same on every machine and in every worker. Another seed in TEST_SAMPLE makes another one.
"""

from __future__ import annotations

import os
import typing as t
import zlib
from collections import defaultdict

if t.TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping

    Kind = Callable[[Mapping[str, t.Any]], Hashable]

SEED = os.environ.get("TEST_SAMPLE", "1")


def chosen(
    cases: Mapping[str, Mapping[str, t.Any]], number: int, kind: Kind | None = None, *, seed: str = SEED
) -> set[str]:
    """Choose `number` cases of each kind.

    Args:
        cases: arguments of each case by its name.
        number: how many of each kind.
        kind: gives the kind of a case from its arguments; without it all cases are of one kind.
        seed: what decides among the cases of a kind.
    """
    kinds: dict[Hashable, list[str]] = defaultdict(list)
    for name, arguments in cases.items():
        kinds[kind(arguments) if kind else None].append(name)
    return {name for names in kinds.values() for name in _drawn(names, seed)[:number]}


def _drawn(names: Iterable[str], seed: str) -> list[str]:
    """Put names into an order that only they and the seed decide."""
    return sorted(names, key=lambda name: (zlib.crc32(f"{seed} {name}".encode()), name))
