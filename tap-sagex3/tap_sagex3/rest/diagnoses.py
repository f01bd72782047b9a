"""What api1 says about an answer in `$diagnoses`: HTTP 200 does not mean success. Pure but for the log."""

from __future__ import annotations

import logging

logger = logging.getLogger("tap-sagex3")

_MILD = frozenset({"info", "information", "success", "warning"})
"""Severities of SData that are none of an error; `transient`, `error`, `fatal` and unknown ones are."""


def errors_of(body: object) -> list[str]:
    """Messages of the diagnoses that are errors; milder ones are only logged.

    A diagnosis in a form that is not known counts as an error: part of the answer may be missing.
    """
    diagnoses = body.get("$diagnoses") if isinstance(body, dict) else None
    if not diagnoses:
        return []
    found: list[str] = []
    for diagnosis in diagnoses if isinstance(diagnoses, list) else [diagnoses]:
        if not isinstance(diagnosis, dict):
            found.append(str(diagnosis))
            continue
        message = str(diagnosis.get("$message", "no message"))
        if str(diagnosis.get("$severity", "error")).lower() in _MILD:
            logger.info("X3 says: %s", message)
        else:
            found.append(message)
    return found
