"""Bounds of a GraphQL document. Sage publishes none [D]: these are far above real use and keep us alive."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    SelectionSetNode,
    parse,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_LENGTH = 1_000_000
MAX_TOKENS = 40_000
MAX_DEPTH = 60
MAX_DEFINITIONS = 500
MAX_FIELDS = 20_000  # with every fragment written out
MAX_ALIKE = 200  # fields of one response name in one selection: comparing them is quadratic


def parse_bounded(text: str) -> DocumentNode:
    """Parse a document.

    Raises:
        GraphQLError: a syntax error, or the document is beyond a bound.
    """
    if len(text) > MAX_LENGTH:
        msg = f"The document is longer than {MAX_LENGTH} characters"
        raise GraphQLError(msg)
    document = parse(
        text, max_lexical_tokens=MAX_TOKENS, max_comments=MAX_TOKENS, allow_empty_selection_sets=False
    )
    if len(document.definitions) > MAX_DEFINITIONS:
        _refuse(f"more than {MAX_DEFINITIONS} operations and fragments")
    fragments = {
        found.name.value: found for found in document.definitions if isinstance(found, FragmentDefinitionNode)
    }
    measure = _Measure(fragments)
    for definition in document.definitions:
        measure.of(getattr(definition, "selection_set", None))
    return document


class _Measure:
    """Counts depth and fields; a fragment is measured once, one inside itself is left to the validation."""

    def __init__(self, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
        self.fragments = fragments
        self.known: dict[str, tuple[int, int]] = {}

    def of(self, selections: SelectionSetNode | None, depth: int = 0) -> tuple[int, int]:
        """Return how deep a selection is and how many fields it has."""
        if selections is None:
            return 0, 0
        if depth > MAX_DEPTH:
            _refuse(f"nested more than {MAX_DEPTH} deep")
        deepest = fields = 0
        names: Counter[str] = Counter()
        for item in selections.selections:
            if isinstance(item, FieldNode):
                names[item.alias.value if item.alias else item.name.value] += 1
            below, count = self._item(item, depth)
            deepest, fields = max(deepest, below), fields + count
        if names and max(names.values()) > MAX_ALIKE:
            _refuse(f"selecting one name more than {MAX_ALIKE} times")
        if fields > MAX_FIELDS:
            _refuse(f"selecting more than {MAX_FIELDS} fields")
        if deepest > MAX_DEPTH:
            _refuse(f"nested more than {MAX_DEPTH} deep")
        return deepest, fields

    def _item(self, item: object, depth: int) -> tuple[int, int]:
        if isinstance(item, FragmentSpreadNode):
            return self._fragment(item.name.value)
        if isinstance(item, InlineFragmentNode):
            return self.of(item.selection_set, depth + 1)
        below, count = self.of(getattr(item, "selection_set", None), depth + 1)
        return below + 1, count + 1

    def _fragment(self, name: str) -> tuple[int, int]:
        if name not in self.known:
            self.known[name] = (0, 0)  # while it is being measured
            fragment = self.fragments.get(name)
            if fragment is not None:
                self.known[name] = self.of(fragment.selection_set)
        return self.known[name]


def _refuse(what: str) -> None:
    msg = f"The document is too complex: {what}"
    raise GraphQLError(msg)
