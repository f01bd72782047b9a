"""Names of packages, collections and properties by release; descriptions keep the X3 column."""

from __future__ import annotations

from dataclasses import dataclass

RELEASES = ("new", "2022r3", "old")
COLLECTIONS = {("purchaseOrder", "purchaseOrderLines"): "purchaseOrderQuantityLines"}  # PHP sample [D]
MEMBERS = {  # supplier: Sage's reference pages [D]; customer: the oldest guide [D]
    ("supplier", "companyName1"): "companyName",
    ("customer", "companyName1"): "companyName",
}
PARTNER_KEY = ("code", "code")


@dataclass(frozen=True, slots=True)
class Names:
    """The names of a release.

    `new` is 2023 R2 and later. `2022r3` has the packages `xtremX3*` only. `old` is before 2022 R3: a supplier
    or customer was named by `{code}`, and the lines of a purchase order by `purchaseOrderQuantityLines`
    [D, versions of Sage's PHP sample].
    """

    release: str = "new"

    def package(self, name: str) -> str:
        """Return the name of a package."""
        return name if self.release == "new" else f"xtrem{name[:1].upper()}{name[1:]}"

    def collection(self, node: str, name: str) -> str:
        """Return the name of a collection of a node."""
        return COLLECTIONS.get((node, name), name) if self.release == "old" else name

    def path(self, node: str, path: tuple[str, ...]) -> tuple[str, ...]:
        """Return the path of a property of a node or of its lines."""
        if self.release != "old":
            return path
        if path[-2:] == PARTNER_KEY:
            path = path[:-1]
        return (MEMBERS.get((node, path[0]), path[0]), *path[1:])
