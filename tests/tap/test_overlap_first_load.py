"""Digests that a first load puts off: it decides and remembers as if it had made each at once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tap_sagex3 import overlap
from tap_sagex3.overlap import OverlapMemory, key_digest, version_digest

STAMPS = [f"2024-01-31T08:00:{second:02d}Z" for second in range(6)]
Read = tuple[str, str | None, bytes]
reads = st.lists(
    st.tuples(st.sampled_from("ABCDEFG"), st.sampled_from([None, *STAMPS]), st.sampled_from([b"1", b"2"]))
)


def _at_once(memory: OverlapMemory, read: Read) -> bool:
    key, stamp, rows = read
    changed = not memory.is_unchanged(key_digest(key), version_digest(rows))
    memory.remember(key_digest(key), stamp, version_digest(rows), lambda: None)
    return changed


@given(reads, st.booleans(), st.dictionaries(st.sampled_from("ABC"), st.sampled_from([b"1", b"2"])))
def test_it_decides_and_remembers_alike(found: list[Read], in_order: bool, known: dict[str, bytes]) -> None:  # noqa: FBT001
    if in_order:
        found = sorted(found, key=lambda read: read[1] or "")
    before = {key_digest(key): version_digest(rows) for key, rows in known.items()}
    later, now = OverlapMemory(before, 100), OverlapMemory(before, 100)
    for read in found:
        assert later.note(*read, lambda: None) == _at_once(now, read)
    assert later.state(None) == now.state(None)


@given(st.integers(0, 5), st.integers(0, 12))
def test_the_newest_are_remembered(limit: int, count: int) -> None:
    memory = OverlapMemory({}, limit)
    for number in range(count):
        stamp = f"2024-01-31T08:00:{number:02d}Z"
        assert memory.note(str(number), stamp, b"rows", lambda: None)
    newest = range(max(count - limit, 0), count)
    assert memory.state(None) == {key_digest(str(n)): version_digest(b"rows") for n in newest}


def test_large_documents_are_not_kept() -> None:
    memory = OverlapMemory({}, 1000)
    rows = bytes(overlap.FRESH_BYTES // 4)
    kept = 0
    for number in range(20):
        memory.note(str(number), f"2024-01-31T08:00:{number:02d}Z", rows, lambda: None)
        kept = max(kept, memory._fresh_bytes)  # noqa: SLF001 - what is bounded
    assert kept <= overlap.FRESH_BYTES
    assert len(memory.state(None)) == 20
