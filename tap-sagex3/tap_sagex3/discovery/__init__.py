"""What an instance has: nodes, classes, fields and collections, and which of the declared ones they are."""

from __future__ import annotations
