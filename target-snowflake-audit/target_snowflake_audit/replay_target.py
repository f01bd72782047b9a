"""The target as a replay uses it: what is wrong with settings is one line that names them."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from singer_sdk.exceptions import ConfigValidationError, MappingError
from typing_extensions import override

from target_snowflake_audit import settings as declared
from target_snowflake_audit.errors import SchemaError, SettingError, TargetError
from target_snowflake_audit.failures import FailedStreams
from target_snowflake_audit.overwrite import for_replay
from target_snowflake_audit.target import TargetSnowflakeAudit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from target_snowflake_audit.loader import StreamLoader

_PLACE = re.compile(r"(?s)(?P<problem>.*) in config\['(?P<name>\w+)'(?P<inside>.*)\]")
"""How the SDK says where in the settings a value is wrong: `... in config['history']`."""
_MOST_SHOWN = 500
_STREAM_MAPS = "stream_maps"


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
    with _named():
        target = TargetSnowflakeAudit(config=for_replay(declared.coerced(settings)))
    target.run.program = "snowflake-audit"
    target.failed = _RaisedAtOnce()
    return target


def loaders_of(target: TargetSnowflakeAudit, stream: str, schema: Mapping[str, Any]) -> list[StreamLoader]:
    """Bring the tables of a stream in line with a SCHEMA, and give what loads them; at least one.

    Raises:
        TargetError: a table cannot take the stream, or settings are wrong.
    """
    with _named():
        target.take_schema({**schema, "stream": stream})
    loaders = target.loaders_of(stream)
    if not loaders:
        message = (
            f"stream {stream}: `stream_maps` leave it out, so there is no table to load its letters into"
        )
        raise SchemaError(message)
    return loaders


@contextmanager
def _named() -> Iterator[None]:
    """Turn what the SDK says about settings into errors that name them."""
    try:
        yield
    except ConfigValidationError as error:
        raise TargetError("; ".join(map(_in_words, error.errors)) or str(error)) from None
    except MappingError as error:
        raise SettingError(_STREAM_MAPS, f"{error} Expected Python expressions by property") from None


def _in_words(text: str) -> str:
    found = _PLACE.fullmatch(text)
    if found is None:
        return text[:_MOST_SHOWN]
    inside = found["inside"].replace("][", ", ").lstrip("], [")
    where = f", at {inside}" if inside else ""
    return f"setting `{found['name']}`{where}: {found['problem'][:_MOST_SHOWN]}"
