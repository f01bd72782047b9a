"""Stages: what exists and the files in them.

Rules restored: PUT to a named, a user (`@~`) or a table (`@%t`) stage; a path is a prefix, so `@s/b1` also
means `b10` (querying-stage and copy-into-table pages); REMOVE, LIST and DROP STAGE work on these files.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
import threading
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from .errors import SnowflakeError, already_exists, not_found, syntax
from .names import ObjectName, qualify, split

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

USER_STAGE = "~"


@dataclass(frozen=True)
class Location:
    """A stage and a path in it, without a leading slash; the path is a prefix, not a folder."""

    stage: ObjectName
    path: str

    @property
    def label(self) -> str:
        """The stage's name as LIST and COPY print it before a path."""
        return self.stage.name.lower() if self.stage.name != USER_STAGE else ""


@dataclass(frozen=True)
class StagedFile:
    """One file: where it is, its path in the stage, and what LIST shows."""

    local: Path
    path: str
    size: int
    md5: str
    modified: float

    @property
    def last_modified(self) -> str:
        """As LIST prints it."""
        return formatdate(self.modified, usegmt=True)


_REFERENCE = re.compile(r'^@(~|(?:"(?:[^"]|"")*"|[\w$%.])+?)(?:/(.*))?$', re.DOTALL)


class Stages:
    """All stages of the account, files under `root`, names in `root/stages.json`."""

    def __init__(self, root: Path) -> None:
        """Read what a former process left under `root`."""
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        self._index = root / "stages.json"
        self._lock = threading.Lock()
        stored = json.loads(self._index.read_text()) if self._index.exists() else []
        self._named: set[ObjectName] = {ObjectName(*entry) for entry in stored}

    def locate(
        self,
        reference: str,
        database: str | None,
        schema: str | None,
        user: str,
        *,
        ignore_case: bool = False,
    ) -> Location:
        """Parse `@name/path`, `@"DB"."SCHEMA"."STAGE"/path/`, `@~/path` or `@%table/path`, quoted or not.

        `ignore_case`: quoted names are upper-cased too.

        Raises:
            SnowflakeError: 1003 when it is no stage reference.
        """
        text = reference.strip()
        if len(text) > 1 and text[0] == text[-1] == "'":
            text = text[1:-1].replace("''", "'")
        match = _REFERENCE.match(text)
        if not match:
            message = f"'{reference}' is not a stage reference"
            raise syntax(message)
        path = (match[2] or "").lstrip("/")
        if match[1] == USER_STAGE:
            return Location(ObjectName("~", user, USER_STAGE), path)
        parts = [part.upper() if ignore_case else part for part in split(match[1])]
        return Location(qualify(parts, database, schema), path)

    def require(self, stage: ObjectName) -> None:
        """Check that a named stage exists.

        Raises:
            SnowflakeError: 2003 when it does not.
        """
        if stage.name != USER_STAGE and not stage.name.startswith("%") and stage not in self._named:
            kind = "Stage"
            raise not_found(kind, str(stage))

    def create(self, stage: ObjectName, *, exists_ok: bool, replace: bool) -> bool:
        """Create a stage; False when it was there and that is fine.

        Raises:
            SnowflakeError: 2002 when it is there and nothing said what to do.
        """
        with self._lock:
            if stage in self._named and not replace:
                if exists_ok:
                    return False
                raise already_exists(stage.name)
            if replace:
                shutil.rmtree(self._folder(stage), ignore_errors=True)
            self._named.add(stage)
            self._save()
        return True

    def drop(self, stage: ObjectName, *, exists_ok: bool) -> None:
        """Drop a stage with its files.

        Raises:
            SnowflakeError: 2003 when it is missing and IF EXISTS was not said.
        """
        with self._lock:
            if stage not in self._named:
                if exists_ok:
                    return
                kind = "Stage"
                raise not_found(kind, str(stage))
            self._named.discard(stage)
            shutil.rmtree(self._folder(stage), ignore_errors=True)
            self._save()

    def drop_schema(self, database: str, schema: str | None) -> None:
        """Drop the stages of a schema, or of a whole database."""
        for stage in [s for s in self._named if s.database == database and schema in {None, s.schema}]:
            self.drop(stage, exists_ok=True)

    def names(self) -> list[ObjectName]:
        """Every named stage."""
        return sorted(self._named)

    def target(self, location: Location, file_name: str) -> Path:
        """Where an uploaded file goes; a PUT's path is a folder."""
        folder = location.path.strip("/")
        relative = f"{folder}/{file_name}" if folder else file_name
        return self._safe(self._folder(location.stage) / _encode(relative))

    def files(self, location: Location) -> list[StagedFile]:
        """Files whose path begins with the location's path, in path order."""
        stage = self._folder(location.stage)
        found = []
        for local in sorted(_below(stage / _encode(location.path.rpartition("/")[0]))):
            path = _decode(local.relative_to(stage).as_posix())
            if path.startswith(location.path):
                found.append(_staged(local, path))
        return found

    def delete(self, files: Sequence[StagedFile]) -> None:
        """Delete files and the folders that held nothing else: a stage has none, and LIST would walk them."""
        with self._lock:
            for file in files:
                file.local.unlink(missing_ok=True)
                self._prune(file)

    def store(self, target: Path, content: bytes) -> None:
        """Write an uploaded file whole: readers never see a part of it."""
        with tempfile.NamedTemporaryFile(dir=self.root, prefix="upload-", delete=False) as written:
            written.write(content)
        with self._lock:  # else its folder may be deleted as an empty one just before it is there
            target.parent.mkdir(parents=True, exist_ok=True)
            Path(written.name).replace(target)

    def bucket_path(self, target: Path) -> str:
        """The path under which the upload address names a target."""
        return target.relative_to(self.root).as_posix()

    def from_bucket(self, path: str) -> Path:
        """The file that an upload address names.

        Raises:
            SnowflakeError: when the path leaves the storage folder.
        """
        return self._safe(self.root / path)

    @staticmethod
    def _prune(file: StagedFile) -> None:
        for folder, _ in zip(file.local.parents, PurePosixPath(file.path).parents[:-1], strict=False):
            try:
                folder.rmdir()
            except OSError:  # not empty, or somebody has deleted it
                return

    def _folder(self, stage: ObjectName) -> Path:
        return self.root / "files" / "/".join(_encode(part) for part in stage)

    def _safe(self, path: Path) -> Path:
        resolved = path.resolve()
        if not resolved.is_relative_to(self.root.resolve()):
            raise SnowflakeError(1003, "42000", "the path leaves the stage")
        return resolved

    def _save(self) -> None:
        self._index.write_text(json.dumps(sorted(self._named)))


def _below(folder: Path) -> Iterator[Path]:
    """The files below a folder: nobody waits for a look at all that others have left in the stage."""
    return (Path(at, name) for at, _, names in os.walk(folder) for name in names)


def _encode(path: str) -> str:
    """Keep `..`, `?` and `%` of a name out of the file system and of addresses."""
    parts = (
        re.sub(r"[^\w.=-]", lambda m: "".join(f"%{b:02x}" for b in m[0].encode()), p) for p in path.split("/")
    )
    return "/".join("%2e" * len(p) if p in {".", ".."} else p for p in parts)


def _decode(path: str) -> str:
    return re.sub(
        r"(?:%[0-9a-f]{2})+", lambda m: bytes.fromhex(m[0].replace("%", "")).decode("utf-8", "replace"), path
    )


def _staged(local: Path, path: str) -> StagedFile:
    stat = local.stat()
    digest = hashlib.md5(local.read_bytes(), usedforsecurity=False).hexdigest()
    return StagedFile(local, path, stat.st_size, digest, stat.st_mtime)
