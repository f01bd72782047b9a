"""Xtrem: a schema executed by graphql-core."""

from __future__ import annotations
