"""How many documents a GraphQL page asks for, whatever their length. Pure."""

from __future__ import annotations

WANTED_BYTES = 2 * 1024 * 1024
"""An answer of this size is near the best speed already, and takes about 15 MB of memory when decoded."""
FIRST_PAGE = 100


class PageSize:
    """Documents to ask for next; `page_size` is the most, the last answer tells how long documents are."""

    def __init__(self, most: int) -> None:
        """Begin with a small page: nothing is known of the documents yet."""
        self._most = most
        self.documents = min(most, FIRST_PAGE)

    def learn(self, documents: int, size: int) -> None:
        """Take over how many documents an answer had, and its bytes. It at most doubles the next page."""
        if documents > 0:
            fitting = WANTED_BYTES * documents // max(size, 1)
            self.documents = max(1, min(self._most, fitting, 2 * self.documents))
