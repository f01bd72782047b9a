"""Tells of properties that no column takes, since the SCHEMA of their stream does not declare them."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, Any

from target_snowflake_audit.checking.problems import utf8
from target_snowflake_audit.reading.blocks import BLOCK
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
        self._left: dict[str, float] = {}
        """Bytes of each stream that come before the next record is looked at; endless once it was told."""

    def look(self, stream: str, text: bytes, message: Mapping[str, Any], count: int = 1) -> None:
        """Look at a stream's first record, and at one after each further 64 kB of the stream.

        Streams may come interleaved, so that most calls are for one record: those only count.

        Args:
            stream: as received.
            text: the record's text, of the first one where several came together.
            message: the SCHEMA message of the stream.
            count: how many came together; they are taken to be about as long as the first.
        """
        left = self._left.get(stream, 0)
        self._left[stream] = (left if left > 0 else BLOCK) - len(text) * count
        if left <= 0:
            self._look(stream, text, message)

    def _look(self, stream: str, text: bytes, message: Mapping[str, Any]) -> None:
        schema = message.get("schema")
        record = decode_record(text)
        if not isinstance(schema, dict) or not isinstance(record, dict):
            return
        names = sorted(set(record).difference(schema.get("properties") or ()))
        names = [utf8(name[:_LONGEST_NAME]) for name in names if not name.startswith(_OF_SINGER)]
        if names and schema.get("additionalProperties", True) is not False:  # else it is a dead letter
            self._left[stream] = math.inf
            some = ", ".join(names[:_MOST_NAMES]) + (", ..." if len(names) > _MOST_NAMES else "")
            logger.warning("stream %s: not loaded, as its SCHEMA does not declare them: %s", stream, some)
