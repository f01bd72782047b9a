"""Files of BATCH messages: JSON lines, one record a line, read as a stream.

Format by the SDK's own writer (sdk.meltano.com/en/latest/batch.html): raw records, not Singer messages, gzip
or plain. Files are left where they are, as the SDK's targets do: they belong to the tap.
"""

from __future__ import annotations

import gzip
import zlib
from contextlib import ExitStack
from typing import IO, TYPE_CHECKING, Any, cast
from urllib.parse import unquote, urlsplit

from upath import UPath

from target_snowflake_audit.errors import BatchFileError
from target_snowflake_audit.reading.blocks import RECORD_TEXT
from target_snowflake_audit.reading.reader import decode_record, visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_LOCAL = {"", "file"}
_COMPRESSIONS = {None, "none", "gzip"}
_FORMAT = "jsonl"


def records(message: Mapping[str, Any], root: str = "") -> Iterator[dict[str, Any]]:
    """Give a RECORD message for each line of the files that a BATCH message names, in order.

    Args:
        message: the BATCH message.
        root: folder or address where the files are; '' = where the message says.

    Raises:
        BatchFileError: the format is not JSON lines, or a file is missing, cut off or holds something else.
    """
    stream = str(message.get("stream"))
    compressed = _check(message, stream)
    shared = {"type": "RECORD", "stream": stream, "version": message.get("version"), "time_extracted": None}
    for url in message["manifest"]:
        where = place(str(url), root)
        for number, line in _lines(where, stream, compressed=compressed):
            try:
                record = decode_record(line)
            except (ValueError, RecursionError) as error:
                problem = f"line {number} is not JSON ({error})"
                raise BatchFileError(stream, where, problem) from None
            yield {**shared, "record": record, RECORD_TEXT: visible(line)}


def place(url: str, root: str = "") -> str:
    """Path or address of a file: a local one without `file://`; under `root` by its own name."""
    if root:
        return f"{place(root).rstrip('/')}/{unquote(url.rsplit('/', 1)[-1])}"
    parts = urlsplit(url)
    return unquote(parts.path) if parts.scheme == "file" else url


def _check(message: Mapping[str, Any], stream: str) -> bool:
    """Whether the files are compressed; refuses what cannot be read."""
    encoding = message.get("encoding") or {}
    found, compression = encoding.get("format"), encoding.get("compression")
    if found != _FORMAT or compression not in _COMPRESSIONS:
        problem = f"format {found} with compression {compression}, expected {_FORMAT} with gzip or none"
        raise BatchFileError(stream, "", f"{problem}; set it in the tap's `batch_config`")
    if not isinstance(message.get("manifest"), list):
        raise BatchFileError(stream, "", "no manifest, expected a list of file addresses")
    return compression == "gzip"


def _lines(where: str, stream: str, *, compressed: bool) -> Iterator[tuple[int, bytes]]:
    """Give the lines that hold something, with their numbers from 1."""
    try:
        with ExitStack() as stack:
            file: IO[bytes] = stack.enter_context(_opened(where))
            if compressed:
                file = cast("IO[bytes]", stack.enter_context(gzip.open(file, "rb")))
            for number, line in enumerate(file, 1):
                if text := line.strip():
                    yield number, text
    except (OSError, EOFError, zlib.error, ImportError, ValueError) as error:
        if isinstance(error, BatchFileError):
            raise
        raise BatchFileError(stream, where, f"cannot be read: {_said(error)}") from None


def _opened(where: str) -> IO[bytes]:
    """Open a local file, or one that an installed file system of fsspec finds (UPath comes with the SDK)."""
    if urlsplit(where).scheme in _LOCAL:
        return open(where, "rb")  # noqa: PTH123 - the caller closes it
    return cast("IO[bytes]", UPath(where).open("rb"))


def _said(error: BaseException) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
