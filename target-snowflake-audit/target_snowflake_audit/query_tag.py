"""The query tag: which run, stream and batch a statement in Snowflake's QUERY_HISTORY belongs to.

QUERY_TAG holds at most 2000 characters (docs.snowflake.com/en/sql-reference/parameters). The tag of a batch
goes with each of its statements, as a parameter of that statement alone: it needs no statement of its own and
never outlives the batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from string import Formatter
from typing import TYPE_CHECKING, Any

from target_snowflake_audit.errors import SettingError
from target_snowflake_audit.settings_read import SECRETS

if TYPE_CHECKING:
    from collections.abc import Mapping

PROGRAM = "target-snowflake-audit"
MAX_CHARACTERS = 2000
PLACEHOLDERS = ("run_id", "stream", "batch_id")
_SETTING = "query_tag"
_SHORTEST_SECRET = 4
"""Shorter texts would be found in any tag."""


@dataclass(frozen=True)
class QueryTag:
    """Makes tags of one run: from the user's own text when there is one, else program, run, stream, batch."""

    program: str = PROGRAM
    run_id: str = ""
    own: str = ""

    def text(self, stream: str = "", batch_id: str = "") -> str:
        """Give the tag of a batch's statements; without a stream that of all others.

        A placeholder that has no value there is empty. What is too long is cut: a stream's name may be.
        """
        values = {"run_id": self.run_id, "stream": stream, "batch_id": batch_id}
        if self.own:
            return self.own.format_map(values)[:MAX_CHARACTERS]
        named = {"run": self.run_id, "stream": stream, "batch": batch_id}
        words = [self.program, *(f"{name}={value}" for name, value in named.items() if value)]
        return " ".join(words)[:MAX_CHARACTERS]


def read_query_tag(settings: Mapping[str, Any], program: str = PROGRAM, run_id: str = "") -> QueryTag:
    """Read the setting `query_tag`.

    Raises:
        SettingError: it has an unknown placeholder, is too long, or holds a secret.
    """
    own = str(settings.get(_SETTING) or "")
    if own:
        _check_placeholders(own)
        _check_text(own, settings)
    return QueryTag(program, run_id, own)


def _check_placeholders(own: str) -> None:
    known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
    try:
        fields = [field for field in Formatter().parse(own) if field[1] is not None]
    except ValueError as error:
        problem = f"{error}; write a brace twice ({{{{ or }}}}) where none of {known} is meant"
        raise SettingError(_SETTING, problem) from None
    for _, name, form, conversion in fields:
        if name not in PLACEHOLDERS or form or conversion:
            problem = f"has the unknown placeholder {{{name}}}; there are {known}"
            raise SettingError(_SETTING, problem)


def _check_text(own: str, settings: Mapping[str, Any]) -> None:
    if len(own) > MAX_CHARACTERS:
        problem = f"has {len(own)} characters; Snowflake takes at most {MAX_CHARACTERS}"
        raise SettingError(_SETTING, problem)
    for name in sorted(SECRETS):
        secret = str(settings.get(name) or "").strip()
        if len(secret) >= _SHORTEST_SECRET and secret in own:
            problem = f"holds the value of `{name}`: everybody who may read QUERY_HISTORY would see it"
            raise SettingError(_SETTING, problem)
