"""How a setting is declared: JSON schema with title and description."""

from __future__ import annotations

import typing as t

Property = dict[str, t.Any]


def setting(title: str, description: str, **schema: t.Any) -> Property:  # noqa: ANN401 - JSON schema keywords
    """A setting of any JSON type."""
    return {"title": title, "description": description, **schema}


def text(title: str, description: str, **schema: t.Any) -> Property:  # noqa: ANN401 - JSON schema keywords
    """A text, or null."""
    return setting(title, description, type=["string", "null"], **schema)


def number(title: str, description: str, default: int, minimum: int, maximum: int | None = None) -> Property:
    """A whole number with a default."""
    most = {} if maximum is None else {"maximum": maximum}
    return setting(title, description, type=["integer", "null"], default=default, minimum=minimum, **most)


def secret(title: str, description: str) -> Property:
    """A text that never reaches a log, an error, state or --about."""
    return text(title, description, secret=True, writeOnly=True)
