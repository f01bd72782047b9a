"""Reading an entity for all its selected streams, and sending what changed.

Documents are fetched once; the rows that each stream gets from a document leave together, document by
document. A first load goes through all documents in the order of their keys, an incremental read through
those that changed since the bookmark, a full read through whole tables.
"""

from __future__ import annotations

from tap_sagex3.sync.apart import check_apart
from tap_sagex3.sync.entity import EntitySync
from tap_sagex3.sync.given_state import check_state
from tap_sagex3.sync.stages import stage_of

__all__ = ["EntitySync", "check_apart", "check_state", "stage_of"]
