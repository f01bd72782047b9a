"""The target as a replay uses it: what is wrong with settings is one line that names them."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from singer_sdk.exceptions import ConfigValidationError
from typing_extensions import override

from target_snowflake_audit import settings as declared
from target_snowflake_audit.errors import SchemaError, TargetError
from target_snowflake_audit.failures import FailedStreams
from target_snowflake_audit.overwrite import for_replay
from target_snowflake_audit.target import TargetSnowflakeAudit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_snowflake_audit.loader import StreamLoader


class _RaisedAtOnce(FailedStreams):
    """A stream that cannot be loaded is told with its letters, not at the end of an input."""

    @override
    def add(self, stream: str, error: TargetError) -> None:
        raise error


def target_of(settings: Mapping[str, Any]) -> TargetSnowflakeAudit:
    """Make the target; numbers and booleans of the settings may be text.

    Raises:
        TargetError: settings are wrong.
    """
    own = copy.deepcopy(dict(settings))  # the SDK takes `__else__` out of the `stream_maps` that it is given
    try:
        target = TargetSnowflakeAudit(config=for_replay(declared.coerced(own)))
    except ConfigValidationError as error:
        raise TargetError("; ".join(error.errors) or str(error)) from None
    target.run.program = "snowflake-audit"
    target.failed = _RaisedAtOnce()
    return target


def loaders_of(target: TargetSnowflakeAudit, stream: str, schema: Mapping[str, Any]) -> list[StreamLoader]:
    """Bring the tables of a stream in line with a SCHEMA, and give what loads them; at least one.

    Raises:
        TargetError: a table cannot take the stream, or settings are wrong.
    """
    try:
        # Letters share their schema, and nothing that a target does to it may reach those of another table.
        target.take_schema({**copy.deepcopy(dict(schema)), "stream": stream})
    except TargetError:
        target.forget(stream)
        raise
    loaders = target.loaders_of(stream)
    if not loaders:
        message = (
            f"stream {stream}: `stream_maps` leave it out, so there is no table to load its letters into"
        )
        raise SchemaError(message)
    return loaders
