"""Errors that are not our own: one clear last line, a failed run in RUNS, no secret, no traceback."""

from __future__ import annotations

import errno
import io
import itertools
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from processes import VENV_BIN
from target_snowflake_audit.command import run_command
from target_snowflake_audit.staging import folders
from target_snowflake_audit.staging.files import BatchFile
from target_snowflake_audit.staging.spool import Spool
from target_snowflake_audit.transaction import Transaction
from target_snowflake_audit.unexpected import explained, without_secrets
from target_world import lines, state

if TYPE_CHECKING:
    from target_snowflake_audit.counts import Counts
    from target_snowflake_audit.work import Work
    from target_world import Message, World

COMMAND = [str(VENV_BIN / "target-snowflake-audit"), "--config", "ENV"]
SMALLEST = 20_000  # bytes: more than the connector writes of its own, less than the batch


def load(world: World) -> list[Message]:
    return [world.schema_message(), world.line("A", 1), state({"n": 1})]


def last_line(log: str) -> str:
    assert "Traceback" not in log
    return log.strip().splitlines()[-1]


def ended_in_runs(world: World) -> dict[str, Any]:
    """The end of the run that wrote the stream's last batch."""
    run = world.audit("BATCHES", '"LOADED_AT"')[-1]["RUN_ID"]
    [row] = world.query(f"SELECT * FROM ANALYTICS.AUDIT.RUNS WHERE EVENT = 'ended' AND RUN_ID = '{run}'")
    return row


def in_process(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, messages: list[Message]) -> int:
    """The command in this process: its exit code."""
    config = tmp_path / "config.json"
    config.write_text(json.dumps(world.settings(batch_size_rows=1, audit_hmac_key="0123456789abcdef" * 2)))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines(messages).encode())))
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    return run_command(["--config", str(config)])


def test_a_reader_of_state_that_has_ended(world: World) -> None:
    process = world.start(batch_size_rows=1)
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    more = [world.line("A", 2), state({"n": 2})]
    _, err = process.communicate(lines([*load(world), *more]).encode(), timeout=60)
    assert process.returncode == 1
    last = last_line(err.decode())
    assert "STATE cannot be written to standard output: Broken pipe" in last
    assert "next run starts from the last STATE that was read" in last
    row = ended_in_runs(world)
    assert (row["STATUS"], row["ERROR"].split(":")[0]) == ("failed", "OutputError")
    assert {one["LINE_NUMBER"] for one in world.rows()} >= {1}


def test_standard_output_on_a_full_disk(world: World) -> None:
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            COMMAND,
            input=lines(load(world)).encode(),
            stdout=full,
            stderr=subprocess.PIPE,
            env=world.environment(batch_size_rows=1),
            timeout=60,
            check=False,
        )
    assert ended.returncode == 1
    assert "STATE cannot be written to standard output: No space left on device" in last_line(
        ended.stderr.decode()
    )
    assert ended_in_runs(world)["STATUS"] == "failed"


def test_no_room_for_the_files_of_a_batch(world: World) -> None:
    """A file may not get longer than so much: what the system says then is handled as of a full disk."""
    world.run(load(world))
    noise = "".join(f"{n * 7_919:x}" for n in range(40_000))
    big = [world.line("B", n, extra={"noise": noise[n * 900 : n * 900 + 900]}) for n in range(200)]
    ended = subprocess.run(
        COMMAND,
        input=lines([world.schema_message(), *big, state({"n": 2})]).encode(),
        capture_output=True,
        env=world.environment(),
        timeout=60,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (SMALLEST, SMALLEST)),
    )
    assert ended.returncode == 1, ended.stderr.decode()
    last = last_line(ended.stderr.decode())
    assert f"File too large while reading records of stream {world.stream}" in last
    assert "files of batches need room in /" in last
    assert ended.stdout == b""
    assert [row["DOCUMENT_ID"] for row in world.rows()] == ["A"]


FULL = Path("/dev/full")


@pytest.mark.parametrize(
    ("kind", "count"), [("rows", 1), ("rows", 300), ("records", 300), ("keys", 1), ("keys", 300)]
)
def test_a_disk_that_is_full_is_told_and_leaves_no_folder(
    world: World, monkeypatch: pytest.MonkeyPatch, kind: str, count: int
) -> None:
    """Few records are written when the batch is finished; what they leave in a buffer, when it is closed."""
    world.run(load(world))
    if kind == "rows":
        monkeypatch.setattr("target_snowflake_audit.batch.BatchFile", lambda _path: BatchFile(FULL))
    elif kind == "records":
        monkeypatch.setattr("target_snowflake_audit.batch.Spool", lambda _path: Spool(FULL))
    else:
        monkeypatch.setattr(
            "target_snowflake_audit.deletions.tempfile.TemporaryFile", lambda: FULL.open("w+b")
        )
    noise = "".join(f"{n * 7_919:x}" for n in range(40_000))
    more = [
        world.line("B", n, extra={"noise": noise[n * 90 : n * 90 + 900]}, version=1) for n in range(count)
    ]
    end: Message = {"type": "ACTIVATE_VERSION", "stream": world.stream, "version": 1}
    before = folders_here()
    with pytest.raises(OSError, match="No space left on device") as caught:
        world.run([world.schema_message(), *more, end, state({"n": 2})], max_deleted_percent=100)
    assert caught.value.errno == errno.ENOSPC
    assert caught.value.__notes__[-1] == ""
    assert folders_here() == before
    assert {row["DOCUMENT_ID"] for row in world.rows()} >= {"A"}


def test_texts_that_a_full_disk_does_not_take_and_nobody_reads(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are kept for rows that Snowflake refuses; the batch was committed without them."""
    monkeypatch.setattr("target_snowflake_audit.batch.Spool", lambda _path: Spool(FULL))
    before = folders_here()
    assert world.run(load(world)).states == [{"n": 1}]
    assert folders_here() == before
    assert len(world.rows()) == 1


def folders_here() -> set[str]:
    return {path.name for path in Path(tempfile.gettempdir()).glob("target-snowflake-audit-*")} & {
        path.name
        for path in folders._held  # noqa: SLF001 - those of this process
    }


def test_no_memory_and_a_mistake_of_ours(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    key = "0123456789abcdef" * 2
    append, calls = Spool.append, []

    def failing(spool: Spool, records: list[bytes]) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise errors[0]
        append(spool, records)

    monkeypatch.setattr(Spool, "append", failing)
    messages = [*load(world), world.line("A", 2), state({"n": 2})]
    errors: list[Exception] = [MemoryError()]
    assert in_process(world, tmp_path, monkeypatch, messages) == 1
    said = caplog.records[-1].getMessage()
    assert f"out of memory while reading records of stream {world.stream}" in said
    assert "batch_size_rows" in said
    row = ended_in_runs(world)
    assert row["STATUS"] == "failed"
    assert row["ERROR"].startswith("ResourceError: out of memory")
    calls.clear()
    errors = [RuntimeError(f"cannot sign with {key}")]
    assert in_process(world, tmp_path, monkeypatch, messages) == 1
    said = caplog.records[-1].getMessage()
    assert said.startswith(f"RuntimeError while reading records of stream {world.stream} (test_unexpected_")
    assert "cannot sign" not in said  # it could be a value of a record
    assert key not in caplog.text
    assert key not in str(world.query("SELECT ERROR FROM ANALYTICS.AUDIT.RUNS"))


def test_secrets_of_every_setting_are_taken_out() -> None:
    settings = {"private_key": "-----BEGIN\nabcdefgh\n-----END", "password": "pw", "token": "tokentoken"}
    text = without_secrets("a abcdefgh b tokentoken pw", settings)
    assert text == "a *** b *** pw"
    error = OSError(28, "No space left on device", "/spool/tokentoken/x")
    told = str(explained(ValueError("no tokentoken"), "starting", settings, shows_text=True))
    assert told.startswith("ValueError while starting: no ***; what is committed stays")
    said = str(explained(error, "starting", settings))
    assert said.startswith("No space left on device while starting, /spool/***/x; files of batches need room")


def test_no_state_passes_a_batch_that_failed_in_an_unknown_way(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_batch, calls = Transaction.load, []

    def failing(transaction: Transaction, work: Work) -> Counts:
        calls.append(work.batch.number)
        if len(calls) == 1:
            raise errors[0]
        return load_batch(transaction, work)

    errors = [RuntimeError("a mistake of ours")]
    monkeypatch.setattr(Transaction, "load", failing)
    pairs = [(world.line("A", n), state({"n": n})) for n in range(1, 5)]
    with pytest.raises(RuntimeError) as caught:
        world.run([world.schema_message(), *itertools.chain(*pairs)], batch_size_rows=1)
    assert caught.value.__notes__[-1] == ""
    monkeypatch.setattr(Transaction, "load", load_batch)
    world.run([world.schema_message(), *itertools.chain(*pairs)])
    assert len(world.rows()) == 4
