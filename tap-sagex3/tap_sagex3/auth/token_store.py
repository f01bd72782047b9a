"""The file that keeps a pairing's tokens: encrypted, replaced as a whole, locked against other processes.

A refresh token is good for one use, so a new one must be on disk before anything else happens. The file's
path with `.new` is its successor: space for it is taken before the gateway is asked, the answer goes straight
into it, and it takes the file's place once it is on disk. A process that is killed in between leaves either
the old file, which says that a renewal had begun, or a whole successor, which the next reader takes over.
"""

from __future__ import annotations

import logging
import os
import sys
import time
import typing as t
from contextlib import contextmanager

import msgspec

from tap_sagex3.errors import SettingsError

if sys.platform != "win32":
    import fcntl

if t.TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tap_sagex3.auth.secrets_key import Cipher

logger = logging.getLogger("tap-sagex3")

MODE = 0o600
SPACE = 64 * 1024
"""Bytes taken for a successor: a disk that is full must say so before the old token is used up."""
LOCK_SECONDS = 600.0
LOCK_STEP = 0.05


class StoredTokens(msgspec.Struct, frozen=True, kw_only=True):
    """A pairing as it stands. Times are epoch seconds of this machine.

    `started_by` is the digest of the setting refresh_token that began it. `asked_at` is when a renewal began
    whose end is not known; 0 when there is none. `before` is the pairing that this one shall replace, until
    the gateway has accepted this one's first refresh token.
    """

    client_id: str
    token_url: str
    started_by: str
    refresh_token: str
    generation: int = 0
    access_token: str = ""
    access_ends: float = 0.0
    asked_at: float = 0.0
    before: StoredTokens | None = None


class TokenStore:
    """One file. All methods but `locked` are called while the lock is held."""

    def __init__(self, path: Path, cipher: Cipher) -> None:
        """Nothing is read yet."""
        self._path = path.resolve()
        self._new = self._path.with_name(self._path.name + ".new")
        self._lock = self._path.with_name(self._path.name + ".lock")
        self._cipher = cipher

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes out; wait for one that is renewing.

        Raises:
            SettingsError: no lock can be had.
        """
        try:
            descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, MODE)
        except OSError as error:
            raise self._error(error) from error
        try:
            self._wait_for_lock(descriptor)
            yield
        finally:
            os.close(descriptor)  # which ends the lock; the file stays: removing it would let two in

    def read(self) -> StoredTokens | None:
        """What is stored; None when there is no file yet.

        Raises:
            SettingsError: it cannot be read or decrypted.
        """
        current, data = None, self._bytes(self._path)
        if data is not None:
            current = self._decoded(data)
        successor = self._decoded(self._bytes(self._new) or b"")
        if successor is not None and (current is None or successor.generation > current.generation):
            logger.info("token_store: taking over tokens that an ended process had just received.")
            self._replace()
            return successor
        if data is not None and current is None:
            msg = (
                f"Setting token_store: {self._path} cannot be decrypted. It was written with another key, "
                "or is damaged. Give the key that it was written with, or move it away and pair again."
            )
            raise SettingsError(msg)
        return current

    def write(self, tokens: StoredTokens) -> None:
        """Replace what is stored.

        Raises:
            SettingsError: the file cannot be written.
        """
        with self.successor() as successor:
            successor.keep(tokens)

    @contextmanager
    def successor(self) -> Iterator[Successor]:
        """Open the next version of the file, with the space for it taken already.

        Raises:
            SettingsError: the file cannot be written.
        """
        try:
            descriptor = os.open(self._new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, MODE)
        except OSError as error:
            raise self._error(error) from error
        try:
            try:
                _write(descriptor, bytes(SPACE))
                os.fsync(descriptor)
            except OSError as error:
                raise self._error(error) from error
            yield Successor(descriptor, self._cipher, self._replace)
        finally:
            os.close(descriptor)

    def _replace(self) -> None:
        """Let the successor take the file's place, on disk too."""
        self._new.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _wait_for_lock(self, descriptor: int) -> None:
        ends = time.monotonic() + LOCK_SECONDS
        told = False
        while True:
            try:
                _lock(descriptor)
            except BlockingIOError as error:
                if time.monotonic() > ends:
                    msg = (
                        f"Setting token_store: another process has held {self._lock} for {LOCK_SECONDS:.0f} "
                        "s."
                    )
                    raise SettingsError(msg) from error
                if not told:
                    logger.info("token_store: waiting for another process that renews the tokens.")
                    told = True
                time.sleep(LOCK_STEP)
            else:
                return

    def _bytes(self, path: Path) -> bytes | None:
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._error(error) from error

    def _decoded(self, data: bytes) -> StoredTokens | None:
        plain = self._cipher.decrypt(data.rstrip(b"\0"))
        if plain is None:
            return None
        try:
            return msgspec.json.decode(plain, type=StoredTokens)
        except msgspec.DecodeError:
            return None

    def _error(self, error: OSError) -> SettingsError:
        msg = (
            f"Setting token_store: {self._path} cannot be used ({error.strerror}): expected the path of a "
            "file in a folder that the tap may write to."
        )
        return SettingsError(msg)


def _lock(descriptor: int) -> None:
    """Take the lock.

    Raises:
        BlockingIOError: another process has it.
        SettingsError: this operating system has no such locks.
    """
    if sys.platform == "win32":
        msg = "auth cloud needs file locks (flock), which this operating system does not have."
        raise SettingsError(msg)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _write(descriptor: int, data: bytes) -> None:
    """Write all of `data` at the beginning; a disk that is nearly full takes a part without an error."""
    done = 0
    while done < len(data):
        done += os.pwrite(descriptor, data[done:], done)


class Successor:
    """The next version of the file, open for writing."""

    def __init__(self, descriptor: int, cipher: Cipher, replace: t.Callable[[], None]) -> None:
        """Write to `descriptor`; `replace` puts it in place."""
        self._descriptor = descriptor
        self._cipher = cipher
        self._replace = replace

    def keep(self, tokens: StoredTokens) -> None:
        """Write and put in place. One system call has the tokens out of this process.

        Raises:
            OSError: the disk failed.
        """
        data = self._cipher.encrypt(msgspec.json.encode(tokens))
        _write(self._descriptor, data)
        os.ftruncate(self._descriptor, len(data))
        os.fsync(self._descriptor)
        self._replace()
