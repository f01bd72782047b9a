"""Tells of properties that no column takes, since the SCHEMA of their stream does not declare them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from target_snowflake_audit.checking.problems import utf8
from target_snowflake_audit.reading.reader import decode_record

if TYPE_CHECKING:
    from collections.abc import Mapping

logger = logging.getLogger(__name__)

_OF_SINGER = "_sdc_"
_MOST_NAMES = 10
_LONGEST_NAME = 80


class Undeclared:
    """Warns once a stream. Looks at samples only: what reads records leaves such properties out unseen."""

    def __init__(self) -> None:
        """Nothing seen yet."""
        self._told: set[str] = set()
        self._seen: set[str] = set()

    def look_once(self, stream: str, text: bytes, message: Mapping[str, Any]) -> None:
        """Look at the first record of a stream; see `look`."""
        if stream not in self._seen:
            self._seen.add(stream)
            self.look(stream, text, message)

    def look(self, stream: str, text: bytes, message: Mapping[str, Any]) -> None:
        """Look at a record's text and the SCHEMA message of its stream."""
        if stream in self._told:
            return
        schema = message.get("schema")
        record = decode_record(text)
        if not isinstance(schema, dict) or not isinstance(record, dict):
            return
        names = sorted(set(record).difference(schema.get("properties") or ()))
        names = [utf8(name[:_LONGEST_NAME]) for name in names if not name.startswith(_OF_SINGER)]
        if names and schema.get("additionalProperties", True) is not False:  # else it is a dead letter
            self._told.add(stream)
            some = ", ".join(names[:_MOST_NAMES]) + (", ..." if len(names) > _MOST_NAMES else "")
            logger.warning("stream %s: not loaded, as its SCHEMA does not declare them: %s", stream, some)
