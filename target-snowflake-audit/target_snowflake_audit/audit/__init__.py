"""The audit trail: its tables and views declared once, and the SQL that sets them up."""

from __future__ import annotations
