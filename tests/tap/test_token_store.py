"""The file of rotating tokens: encrypted, locked, and whole whenever a process is killed."""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import stat
import subprocess
import sys
import threading
import time
import typing as t
from pathlib import Path

import pytest
from cloud import cloud_config, login_of, suppliers
from cryptography.fernet import Fernet
from processes import VENV_BIN
from renewal_process import RenewalProcesses, renewal_processes
from tap_sagex3.auth import uninterrupted as guard
from tap_sagex3.auth.secrets_key import Cipher
from tap_sagex3.auth.token_store import SPACE, StoredTokens, TokenStore
from tap_sagex3.errors import AuthenticationError, SettingsError

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from processes import Server
    from tap_runs import Config
    from x3_control import X3Control

KEY = Fernet.generate_key().decode()
LOST = "interrupted before its answer was stored"
TOKENS = StoredTokens(client_id="c", token_url="u", started_by="d", refresh_token="planted-refresh")  # noqa: S106


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAGEX3_SECRETS_KEY", KEY)


@pytest.fixture
def config(running_x3: Server, x3: X3Control, tmp_path: Path) -> Config:
    found = cloud_config(running_x3, x3, tmp_path)
    x3.reset_counters()
    return found


@pytest.fixture
def store(tmp_path: Path) -> TokenStore:
    return TokenStore(tmp_path / "tokens", Cipher(KEY))


@pytest.fixture
def processes(_key: None) -> Iterator[RenewalProcesses]:
    with renewal_processes() as found:
        yield found


def test_nothing_stands_in_clear_and_nobody_else_may_read(store: TokenStore, tmp_path: Path) -> None:
    store.write(TOKENS)
    store.write(TOKENS)
    assert store.read() == TOKENS
    assert {path.name for path in tmp_path.iterdir()} == {"tokens"}
    file = tmp_path / "tokens"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert b"planted" not in file.read_bytes()
    assert len(file.read_bytes()) < SPACE


@pytest.mark.parametrize("damage", [b"", b"nonsense", b"\0" * 100])
def test_a_damaged_file_is_told(store: TokenStore, tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "tokens").write_bytes(damage)
    with pytest.raises(
        SettingsError, match=r"token_store: .* cannot be decrypted.*another key, or is damaged"
    ):
        store.read()


def test_another_key_is_told(store: TokenStore, tmp_path: Path) -> None:
    store.write(TOKENS)
    other = Fernet.generate_key().decode()
    with pytest.raises(SettingsError, match="written with another key"):
        TokenStore(tmp_path / "tokens", Cipher(other)).read()
    assert TokenStore(tmp_path / "tokens", Cipher(f"{other}, {KEY}")).read() == TOKENS


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    real = tmp_path / "elsewhere"
    real.mkdir()
    (tmp_path / "tokens").symlink_to(real / "tokens")
    TokenStore(tmp_path / "tokens", Cipher(KEY)).write(TOKENS)
    assert (tmp_path / "tokens").is_symlink()
    assert (real / "tokens").is_file()


def test_a_folder_that_is_not_there_is_told_before_anything_is_asked(config: Config, x3: X3Control) -> None:
    with pytest.raises(
        SettingsError, match=r"token_store: .*No such file.*a folder that the tap may write to"
    ):
        login_of({**config, "token_store": "/nowhere/tokens"}).header()
    assert "token" not in x3.counters()


def test_a_full_disk_is_told_before_anything_is_asked(config: Config, x3: X3Control) -> None:
    """A limit on the size of files stands for the full disk."""
    code = (
        "import json, sys; sys.path.insert(0, 'tests/support')\n"
        "from cloud import login_of\n"
        "login_of(json.loads(sys.argv[1])).header()"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, json.dumps(config)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (SPACE // 2, SPACE // 2)),
    )
    assert "SettingsError: Setting token_store" in ended.stderr
    assert "token" not in x3.counters()
    assert suppliers(config) > 0  # the token is as good as before


def test_processes_that_start_together_renew_once(config: Config, x3: X3Control) -> None:
    code = (
        "import json, sys; sys.path.insert(0, 'tests/support')\n"
        "from cloud import suppliers\n"
        "sys.stdin.readline(); print(suppliers(json.loads(sys.argv[1])))"
    )
    x3.faults({"fault": "slow", "seconds": 0.5, "on": "token"})
    command = [sys.executable, "-c", code, json.dumps(config)]
    started = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    for process in started:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [process.communicate(timeout=60)[0].strip() for process in started]
    assert len(set(answers)) == 1
    assert int(answers[0]) > 0
    assert x3.counters()["token"] == 1


def test_a_process_that_waits_too_long_for_the_lock_says_so(
    store: TokenStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tap_sagex3.auth.token_store.LOCK_SECONDS", 0.2)
    other = TokenStore(tmp_path / "tokens", Cipher(KEY))
    with store.locked(), pytest.raises(SettingsError, match="another process has held"), other.locked():
        pass
    with other.locked():
        pass


def points_of(processes: RenewalProcesses, config: Config) -> list[str]:
    """The points that a renewal passes, not killed."""
    told = processes.run(config)
    assert not told["killed"]
    return t.cast("list[str]", told["points"])


def paired(config: Config, x3: X3Control, kind: str = "later") -> Config:
    """The configuration with a pairing that needs a renewal now.

    It is the `first` one of a store, or a `later` one, or `another` pairing in the place of the stored one.
    """
    path = Path(config["token_store"])
    path.unlink(missing_ok=True)
    found = {**config, "refresh_token": x3.pair()["refresh_token"]}
    if kind == "first":
        return found
    login_of(found).header()
    if kind == "another":
        return {**config, "refresh_token": x3.pair()["refresh_token"]}
    store = TokenStore(path, Cipher(KEY))
    current = store.read()
    assert current is not None
    values = {name: getattr(current, name) for name in StoredTokens.__struct_fields__}
    store.write(StoredTokens(**{**values, "access_ends": 0.0}))
    return found


def works(config: Config) -> bool:
    """Whether the next run works; else it must say that the answer was lost."""
    try:
        return suppliers(config) > 0
    except AuthenticationError as error:
        assert LOST in str(error)  # noqa: PT017
        return False


@pytest.mark.parametrize("kind", ["first", "later", pytest.param("another", marks=pytest.mark.full)])
def test_a_kill_at_any_system_call_leaves_a_usable_token(
    config: Config, x3: X3Control, processes: RenewalProcesses, kind: str
) -> None:
    """Only where the answer has come and is not yet in the file can it be lost."""
    points = points_of(processes, paired(config, x3, kind))
    asked = points.index("ask")
    kept = points.index("pwrite", asked)
    assert points[asked : kept + 1] == ["ask", "read", "pwrite"]  # nothing else in between
    lost: list[tuple[int, bool]] = []
    for point in range(len(points)):
        for after in (False, True):
            found = paired(config, x3, kind)
            told = processes.run(found, point=point, after=after)
            assert told["killed"], (points[point], told)
            if works(found):
                continue
            lost.append((point, after))
            assert works({**found, "refresh_token": x3.pair()["refresh_token"]})  # a new pairing mends it
    # from the end of the request, which has used the old token up, to the call that writes the new one
    assert lost == [(asked, True), (asked + 1, False), (asked + 1, True), (kept, False)]


def test_a_second_kill_in_the_run_that_goes_on_leaves_a_usable_token(
    config: Config, x3: X3Control, processes: RenewalProcesses
) -> None:
    points = points_of(processes, paired(config, x3))
    chance = random.Random(11)  # noqa: S311 - not for secrets
    safe = list(range(points.index("ask")))  # nothing was asked yet
    safe += range(points.index("pwrite", points.index("ask")) + 1, len(points))  # the answer is in the file
    for _ in range(25):
        found = paired(config, x3)
        first = chance.choice(safe)
        assert processes.run(found, point=first)["killed"]
        second = chance.choice([None, *range(points.index("ask"))])
        processes.run(found, point=second, after=chance.random() < 0.5)
        assert works(found), (first, second)


def killed_at_random(
    config: Config, x3: X3Control, processes: RenewalProcesses, times: int, longest: float
) -> dict[str, int]:
    """Kill renewals at random instants and count what became of the next run."""
    chance = random.Random(7)  # noqa: S311 - not for secrets
    counted = {"works": 0, "lost": 0, "not_killed": 0}
    for _ in range(times):
        found = paired(config, x3)
        told = processes.run(found, delay=chance.uniform(0, longest))
        counted["not_killed"] += not told["killed"]
        usable = works(found)
        assert usable or told["killed"]
        counted["works" if usable else "lost"] += 1
    return counted


def test_a_kill_at_a_random_instant_leaves_a_usable_token(
    config: Config, x3: X3Control, processes: RenewalProcesses
) -> None:
    counted = killed_at_random(config, x3, processes, 40, 0.05)
    assert counted["works"] > 20
    assert counted["not_killed"] < 40


@pytest.mark.full
def test_kills_at_many_random_instants(config: Config, x3: X3Control, processes: RenewalProcesses) -> None:
    counted = killed_at_random(config, x3, processes, 400, 0.05)
    print(f"killed at random instants: {counted}")
    assert counted["works"] > 300


def test_a_kill_while_the_answer_is_on_its_way_is_told(
    config: Config, x3: X3Control, processes: RenewalProcesses
) -> None:
    found = paired(config, x3)
    x3.faults({"fault": "slow", "seconds": 5, "on": "token"})
    assert processes.run(found, delay=1.0)["killed"]
    x3.faults()
    assert not works(found)
    assert works({**found, "refresh_token": x3.pair()["refresh_token"]})


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_waits_for_the_answer(config: Config, x3: X3Control, tmp_path: Path, signum: int) -> None:
    """The tap ends with the signal's exit code, but not before the new token is on disk."""
    file = tmp_path / "config.json"
    file.write_text(json.dumps(config), encoding="utf-8")
    x3.faults({"fault": "slow", "seconds": 3, "on": "token"})
    command = [str(VENV_BIN / "tap-sagex3"), "--config", str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        ends = time.monotonic() + 30
        while x3.counters().get("token", 0) == 0 and time.monotonic() < ends:
            time.sleep(0.05)
        process.send_signal(signum)
        try:
            _, errors = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == 128 + signum, errors.decode()
    assert Path(config["token_store"]).is_file()
    x3.faults()
    x3.reset_counters()
    assert suppliers(config) > 0
    assert "token" not in x3.counters()  # the answer that was waited for is used


def test_a_signal_waits_for_a_renewal_in_another_thread() -> None:
    began, done, postponed = threading.Event(), threading.Event(), []

    def renewal() -> None:
        with guard.uninterrupted():
            began.set()
            time.sleep(0.3)
            done.set()

    def handler(signum: int, _: object) -> None:
        postponed.append((guard.postpone(signum), done.is_set()))

    before = signal.signal(signal.SIGTERM, handler)
    try:
        thread = threading.Thread(target=renewal)
        thread.start()
        began.wait(5)
        os.kill(os.getpid(), signal.SIGTERM)
        thread.join()
    finally:
        signal.signal(signal.SIGTERM, before)
    assert postponed == [(False, True)]


def test_a_signal_that_another_thread_gets_comes_again_after_the_renewal() -> None:
    """Handlers run in the main thread, whichever thread got the signal."""
    ended, seen = threading.Event(), []
    before = signal.signal(signal.SIGTERM, lambda signum, _: seen.append(guard.postpone(signum)))
    other = threading.Thread(target=ended.wait)
    other.start()
    try:
        with guard.uninterrupted():
            os.kill(os.getpid(), signal.SIGTERM)  # the other thread has not blocked it
            time.sleep(0.1)
            assert seen == [True]
        time.sleep(0.1)
        assert seen == [True, False]
    finally:
        ended.set()
        other.join()
        signal.signal(signal.SIGTERM, before)
