"""Reading Singer messages: numbers stay exact, the record's own text is kept."""

from __future__ import annotations
