"""What `_regex` takes: the part of regular expressions that is the same everywhere.

Which dialect X3 has is not published [?]: what only some have is refused.
"""

from __future__ import annotations

import re

LONGEST = 500
OWN_TO_PYTHON = re.compile(
    r"""\\[^\\.^$|?*+()\[\]{}/\-dDsSwWbBtnrfv1-9]   # \A, \Z, \N{...}, \0 ...
    |\(\?(?!:)                                      # flags, named groups, looking around, comments
    |(?<!\\)[*+?}]\+                                # possessive: repeats that give nothing back
    """,
    re.VERBOSE,
)
ESCAPED = re.compile(r"\\\\")


def compiled(text: str) -> re.Pattern[str] | None:
    """Compile a pattern; None when it is none that every dialect takes."""
    if len(text) > LONGEST or OWN_TO_PYTHON.search(ESCAPED.sub("", text)):
        return None
    try:
        return re.compile(text)
    except (re.error, RecursionError, OverflowError):
        return None
