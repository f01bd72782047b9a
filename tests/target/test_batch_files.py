"""BATCH messages: records in files go the same way as those on the wire."""

from __future__ import annotations

import gzip
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.contrib.batch_encoder_jsonl import JSONLinesBatcher
from singer_sdk.helpers._batch import BaseBatchFileEncoding, BatchConfig, StorageTarget
from target_snowflake_audit.errors import BatchFileError
from target_snowflake_audit.reading import batch_files
from target_snowflake_audit.target import TargetSnowflakeAudit
from target_world import encode, lines, state
from upath import UPath

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from target_world import Message, World


def batch(world: World, urls: Sequence[str], compression: str | None = "gzip", **more: Any) -> Message:  # noqa: ANN401
    encoding = {"format": "jsonl", "compression": compression}
    return {"type": "BATCH", "stream": world.stream, "encoding": encoding, "manifest": list(urls), **more}


def written(path: Path, records: Sequence[Message], *, plain: bool = False) -> str:
    """Write records as a tap does; give the file's address."""
    data = "".join(f"{encode(record['record'])}\n" for record in records).encode()
    path.write_bytes(data if plain else gzip.compress(data))
    return path.as_uri()


def at(number: int) -> Message:
    """A STATE value."""
    return {"at": f"n{number}"}


def amounts(world: World) -> list[tuple[int, Decimal]]:
    return [(row["LINE_NUMBER"], row["AMOUNT"]) for row in world.rows()]


def test_files_that_the_sdk_writes_load_as_records_do(world: World, tmp_path: Path) -> None:
    storage = StorageTarget(root=tmp_path.as_uri(), prefix="odd name %-")
    config = BatchConfig(BaseBatchFileEncoding("jsonl", "gzip"), storage, batch_size=3)
    records = [{"documentId": "A", "lineNumber": n, "amount": n / 4} for n in range(7)]
    manifests = list(JSONLinesBatcher("tap-test", world.stream, config).get_batches(iter(records)))
    messages = [batch(world, manifest) for manifest in manifests]
    ended = world.run([world.schema_message(), *messages, state(at(7))])
    assert len(manifests) == 3
    assert amounts(world) == [(n, Decimal(n) / 4) for n in range(7)]
    assert ended.states == [at(7)]
    again = world.run([world.schema_message(), *messages, state(at(7))])
    assert world.counts()[-1] == {"received": 7, "unchanged": 7}
    assert again.states == [at(7)]
    assert len(list(tmp_path.iterdir())) == 3  # they belong to the tap


def test_files_and_records_take_turns(world: World, tmp_path: Path) -> None:
    first = written(tmp_path / "1.gz", [world.line("A", 1, "1.10"), world.line("A", 2, "2.00")])
    second = written(tmp_path / "2.jsonl", [world.line("A", 1, "1.30"), world.line("A", 4)], plain=True)
    messages = [batch(world, [first]), world.line("A", 2, "2.20"), batch(world, [second], None)]
    ended = world.run([world.schema_message(), *messages, state(at(1))], batch_size_rows=2)
    assert amounts(world) == [(1, Decimal("1.30")), (2, Decimal("2.20")), (4, Decimal("1.00"))]
    assert [count["received"] for count in world.counts()] == [2, 2, 1]
    assert ended.states == [at(1)]


def test_bad_records_of_a_file_are_dead_letters_as_received(world: World, tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    good = encode(world.line("A", 1, "1.25")["record"])
    bad = '{"documentId": "A", "lineNumber": 2, "amount": 1.005}'
    path.write_text(f"\n{good}\n{bad}\n[1]\n", encoding="utf8")
    maps = {world.stream: {"amount": "amount", "text": "'mapped'"}}
    messages = [world.schema_message(), batch(world, [path.as_uri()], "none")]
    world.run(messages, stream_maps=maps, max_dead_letter_percent=100)
    assert [row["TEXT"] for row in world.rows()] == ["mapped"]
    assert [letter["RECORD_TEXT"] for letter in world.letters()] == [bad, "[1]"]


def test_version_of_a_batch_message_is_that_of_its_records(world: World, tmp_path: Path) -> None:
    activate = {"type": "ACTIVATE_VERSION", "stream": world.stream}
    for version, count in ((1, 5), (2, 4)):
        url = written(tmp_path / f"{version}.gz", [world.line("A", n) for n in range(count)])
        end = {**activate, "version": version}
        world.run([world.schema_message(), batch(world, [url], version=version), end])
    assert [number for number, _ in amounts(world)] == [0, 1, 2, 3]


def damaged(world: World, folder: Path, kind: str) -> Message:
    path = folder / "broken.gz"
    url = written(path, [world.line("B", n, text=f"{n * 7919 % 1000}") for n in range(2000)])
    whole = path.read_bytes()
    if kind == "missing":
        path.unlink()
    elif kind == "cut off":
        path.write_bytes(whole[: len(whole) // 2])
    elif kind == "no gzip":
        path.write_bytes(b"{}\n")
    elif kind == "bit flipped":
        middle = len(whole) // 2
        path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 255]) + whole[middle + 1 :])
    elif kind == "no JSON":
        path.write_bytes(gzip.compress(b'{"documentId": "B", "lineNumber": 1}\nnot JSON\n'))
    return batch(world, [url])


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("missing", "No such file"),
        ("cut off", "cannot be read"),
        pytest.param("no gzip", "cannot be read", marks=pytest.mark.full),
        pytest.param("bit flipped", "cannot be read|is not JSON", marks=pytest.mark.full),
        pytest.param("no JSON", "line 2 is not JSON", marks=pytest.mark.full),
    ],
)
def test_a_damaged_file_stops_the_run_and_holds_the_state(
    world: World, tmp_path: Path, kind: str, words: str
) -> None:
    good = written(tmp_path / "good.gz", [world.line("A", 1)])
    start = [world.schema_message(), batch(world, [good]), state(at(1))]
    with pytest.raises(BatchFileError, match=words) as caught:
        world.run([*start, damaged(world, tmp_path, kind), state(at(2))], batch_size_rows=1000)
    assert f"stream {world.stream}" in str(caught.value)
    assert f"file {tmp_path}/broken.gz" in str(caught.value)
    assert "n2" not in "".join(caught.value.__notes__)
    # The next run starts from the last STATE with a whole file.
    again = written(tmp_path / "broken.gz", [world.line("B", n) for n in range(3)])
    assert world.run([*start, batch(world, [again]), state(at(2))]).states[-1] == at(2)
    assert len([row for row in world.rows() if row["DOCUMENT_ID"] == "A"]) == 1


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ({"format": "parquet"}, "format parquet with compression None, expected jsonl with gzip or none"),
        ({"format": "jsonl", "compression": "zstd"}, "compression zstd"),
        ({}, "format None"),
    ],
)
def test_other_formats_are_refused(encoding: Message, words: str) -> None:
    message = {"stream": "s", "encoding": encoding, "manifest": []}
    with pytest.raises(BatchFileError, match=words):
        list(batch_files.records(message))
    with pytest.raises(BatchFileError, match="no manifest"):
        list(batch_files.records({"stream": "s", "encoding": {"format": "jsonl"}, "manifest": None}))


def test_addresses() -> None:
    assert batch_files.place("file:///a%20b/c%25.gz") == "/a b/c%.gz"
    assert batch_files.place("/a/b.gz") == "/a/b.gz"
    assert batch_files.place("s3://bucket/a/b.gz") == "s3://bucket/a/b.gz"
    assert batch_files.place("s3://bucket/a/b%20c.gz", "file:///mnt/") == "/mnt/b c.gz"


def test_other_file_systems() -> None:
    """What fsspec has is read; what would need a further package says so."""
    encoding = {"format": "jsonl"}
    UPath("memory://here/x.jsonl").write_bytes(b'{"a": 1.10}\n')
    message = {"stream": "s", "encoding": encoding, "manifest": ["memory://here/x.jsonl"]}
    [record] = batch_files.records(message)
    assert (record["record"], record["record_text"]) == ({"a": Decimal("1.10")}, b'{"a": 1.10}')
    for url, words in (("s3://bucket/x", "s3"), ("gopher://x/y", "gopher")):
        with pytest.raises(BatchFileError, match=rf"file {url}: cannot be read: .*{words}"):
            list(batch_files.records({**message, "manifest": [url]}))


def test_batch_is_declared_and_loads_as_a_command(world: World, tmp_path: Path) -> None:
    assert "batch" in {capability.value for capability in TargetSnowflakeAudit.capabilities}
    url = written(tmp_path / "1.gz", [world.line("A", 1)])
    ended = world.command(lines([world.schema_message(), batch(world, [url]), state(at(1))]))
    assert (ended.code, ended.states) == (0, [at(1)])
    assert amounts(world) == [(1, Decimal("1.00"))]
