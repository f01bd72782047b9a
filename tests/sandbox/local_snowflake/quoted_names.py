"""QUOTED_IDENTIFIERS_IGNORE_CASE.

Rule restored (parameters and identifiers-syntax pages): where the session sets it, the letters of a quoted
name are stored and looked up in upper case. Keys of a path into a VARIANT are no names and keep their case.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlglot import exp

from .errors import unsupported

if TYPE_CHECKING:
    from .session import Session
    from .statements import Statement

PARAMETER = "QUOTED_IDENTIFIERS_IGNORE_CASE"
# Their handlers read the text themselves; a stage's name is folded where it is looked up.
_TEXTS = {"CREATE ROLE", "CREATE WAREHOUSE", "GRANT", "REVOKE"}
_LOWER_CASE_NAME = re.compile(r'"[^"]*[a-z][^"]*"')


def ignored(session: Session) -> bool:
    """Whether the session ignores the case of quoted names."""
    return bool(session.parameters[PARAMETER])


def fold(statement: Statement, session: Session) -> None:
    """Upper-case the quoted names of a statement, in place, where the session wants it.

    Raises:
        SnowflakeError: for a statement that is only known as text and quotes a name.
    """
    if not ignored(session):
        return
    if statement.kind in _TEXTS and _LOWER_CASE_NAME.search(statement.text):
        message = f"{statement.kind} of a quoted name while {PARAMETER} is TRUE"
        raise unsupported(message)
    for name in statement.tree.find_all(exp.Identifier):
        if name.args.get("quoted"):
            name.set("this", str(name.this).upper())
