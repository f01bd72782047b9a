"""The outline of a statement: what it is, without what is in its texts, names and comments.

One pass from left to right, as Snowflake reads it: so a quote inside a comment opens no text, and a comment
sign inside a text or a quoted name opens no comment.
"""

from __future__ import annotations

import re

_PARTS = re.compile(
    r"""
      (?P<comment>--[^\n]*|//[^\n]*|/\*(?:(?!\*/).)*\*/)
    | (?P<text>'(?:[^'\\]|\\.|'')*')
    | (?P<name>"(?:[^"]|"")*")
    | (?P<stage>@(?:"(?:[^"]|"")*"|[\w$.~%/=-])+)
    | (?P<other>[^'"@/$-]+)
    | (?P<doubtful>'|"|/\*|\$\$)
    | (?P<sign>.)
    """,
    re.DOTALL | re.VERBOSE,
)


class OutlineError(ValueError):
    """A statement that readers may take apart in different ways; the text says where."""


def outline(text: str) -> str:
    """A statement with texts as '?', stage references as @stage and quoted names as `name`; one line.

    Raises:
        OutlineError: for a text, name or comment that does not end, `$$`, and a comment within a comment.
    """
    line = "".join(_shown(match) for match in _PARTS.finditer(text))
    line = re.sub(r"\bname(?:\s*\.\s*name)+", "name", line)
    return " ".join(line.split()).removesuffix(";").rstrip()


def _shown(match: re.Match[str]) -> str:
    kind, part = match.lastgroup, match[0]
    if kind == "comment":
        if part.startswith("/*") and "/*" in part[2:]:
            message = "a comment within a comment"
            raise OutlineError(message)
        return " "
    if kind == "doubtful":
        message = "$$" if part == "$$" else f"a {part} without its end"
        raise OutlineError(message)
    if kind == "text":
        return "@stage" if part.startswith("'@") else "'?'"
    return {"name": "name", "stage": "@stage"}.get(str(kind), part)
