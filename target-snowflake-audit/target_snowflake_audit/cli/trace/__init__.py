"""`trace`: the life of one record, and one document from invoice to cost allocation."""

from __future__ import annotations
