"""References that lead to another node: read from its store only when more than the key is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_x3.model import Document, Row, Value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from local_x3.graphql.nodes import Shape
    from local_x3.graphql.selecting import Records
    from local_x3.model import Key

TARGETS = {  # property -> node; only where Sage's pages or samples show the reference's own properties [D]
    "product": "product", "purchaseOrder": "purchaseOrder", "orderFromSupplier": "supplier",
    "billBySupplier": "supplier", "groupSupplier": "supplier", "riskSupplier": "supplier",
    "billToCustomer": "customer", "soldToCustomer": "customer", "groupCustomer": "customer",
    "riskCustomer": "customer", "businessPartner": "businessPartner",
    "payToBusinessPartner": "businessPartner", "payByBusinessPartner": "businessPartner",
    "code": "businessPartner",  # of a supplier or customer
}  # fmt: skip
TITLES = {"site": "name", "address": "description"}  # members besides the key, seen in Sage's samples [D]


class Target:
    """A node as the end of references."""

    def __init__(self, shape: Shape, selector: Records) -> None:
        """Find records where `selector` looks."""
        self.shape = shape
        self.selector = selector

    @property
    def versions(self) -> tuple[int, ...]:
        """Change with each change of a record."""
        return self.selector.versions

    def find(self, key: Key) -> Document | None:
        """Return the record with this key; None when there is none."""
        return self.selector.find(key)


class Referred:
    """The record a reference leads to. A dangling one shows its key, everything else null [I]."""

    __slots__ = ("_document", "_key", "row", "target")

    def __init__(self, target: Target, key: Key) -> None:
        """Know the key; the rest is read when asked for."""
        self.target = target
        self._key = key
        self._document: Document | None = None
        self.row = _LazyRow(self, dict(zip(target.shape.key, key, strict=True)))

    @property
    def document(self) -> Document:
        """The record itself."""
        if self._document is None:
            self._document = self.target.find(self._key) or Document({})
        return self._document

    @property
    def children(self) -> dict[str, list[Document]]:
        """Its collections."""
        return self.document.children


class _LazyRow(dict[str, Value]):
    __slots__ = ("_owner",)

    def __init__(self, owner: Referred, known: Row) -> None:
        super().__init__(known)
        self._owner = owner

    def get(self, name: str, default: Value | None = None) -> Value | None:  # type: ignore[override]
        if name in self:
            return self[name]
        return self._owner.document.row.get(name, default)


def title_member(name: str) -> str | None:
    """Return the member that shows the text of a reference beside its code: `purchaseSite {name}`."""
    lower = name.lower()
    return next((member for word, member in TITLES.items() if word in lower), None)


def title(name: str, code: object) -> str:
    """Return the text of a code as REST shows it in `_REF`; there are no tables of sites and addresses."""
    return f"{name} {code}"


def link(shapes: Iterable[tuple[str, Shape, Records]]) -> None:
    """Let the references of all shapes lead to their nodes, by the names that Sage gives to both."""
    known = list(shapes)
    targets = {name: Target(shape, selector) for name, shape, selector in known if len(shape.key) == 1}
    for _, shape, _ in known:
        for owner in _with_collections(shape):
            for name, item in owner.properties.items():
                item.text_member = title_member(name) if item.members else None
                if item.members and name in TARGETS:
                    item.target = targets.get(TARGETS[name])


def _with_collections(shape: Shape) -> Iterable[Shape]:
    yield shape
    for collection in shape.collections.values():
        yield from _with_collections(collection.shape)
