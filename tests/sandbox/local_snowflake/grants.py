"""Roles and privileges.

Rules restored (access-control pages): a role has what it was granted, what its granted roles have, and
everything on what it owns; the creator's role owns; future grants hold for what is created later;
ACCOUNTADMIN may do all.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .errors import SnowflakeError, not_found, syntax, unsupported
from .names import normalise, split

if TYPE_CHECKING:
    from pathlib import Path

SUPER = "ACCOUNTADMIN"
# Privileges that mean something here, by kind of object (access-control-privileges page); ALL is all of them.
PRIVILEGES = {
    "TABLE": {"SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES"},
    "STAGE": {"READ", "WRITE"},
    "SCHEMA": {
        "USAGE", "MONITOR", "MODIFY", "CREATE TABLE", "CREATE VIEW", "CREATE STAGE", "CREATE FILE FORMAT",
        "CREATE SEQUENCE", "CREATE STREAM", "CREATE TASK",
    },
    "DATABASE": {"USAGE", "MONITOR", "MODIFY", "CREATE SCHEMA"},
    "WAREHOUSE": {"USAGE", "OPERATE", "MONITOR", "MODIFY"},
}  # fmt: skip
_NAME = r'((?:"(?:[^"]|"")*"|[\w$.])+)'
_ON = re.compile(
    rf"(?P<verb>GRANT|REVOKE)\s+(?P<privileges>.+?)\s+ON\s+(?:(?P<many>ALL|FUTURE)\s+(?P<kinds>\w+)\s+IN\s+"
    rf"(?P<scope>SCHEMA|DATABASE)|(?P<kind>\w+))\s+(?P<name>{_NAME})\s+(?:TO|FROM)\s+(?:ROLE\s+)?(?P<role>{_NAME})"
    r"(?:\s+(?:COPY\s+CURRENT\s+GRANTS|REVOKE\s+CURRENT\s+GRANTS|WITH\s+GRANT\s+OPTION|CASCADE|RESTRICT))?\s*;?\s*",
    re.IGNORECASE | re.DOTALL,
)
_ROLE = re.compile(
    rf"(?P<verb>GRANT|REVOKE)\s+ROLE\s+(?P<role>{_NAME})\s+(?:TO|FROM)\s+(?P<kind>USER|ROLE)\s+(?P<to>{_NAME})\s*;?\s*",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Grant:
    """One privilege of a role on an object. `kind`: TABLE (views too), SCHEMA, DATABASE, STAGE, WAREHOUSE.

    `future`: on the objects of this kind that the named schema or database will get.
    """

    role: str
    privilege: str
    kind: str
    name: tuple[str, ...]
    future: bool = False


@dataclass(frozen=True)
class RoleGrant:
    """A role granted to a role or user."""

    role: str
    kind: str
    to: str


class Grants:
    """Who may do what. `open_roles`: roles that may do everything, when no owner's script was given."""

    def __init__(self, path: Path | None = None) -> None:
        """Read what a former process saved at `path`."""
        self._path = path
        self.open_roles = {SUPER}
        self.roles = {
            SUPER,
            "SYSADMIN",
            "SECURITYADMIN",
            "USERADMIN",
            "PUBLIC",
            "SAGEX3_LOADER",
            "SAGEX3_REVIEWER",
        }
        self.granted: set[Grant] = set()
        self.parents: dict[str, set[str]] = {}
        if path and path.exists():
            stored = json.loads(path.read_text())
            self.roles |= set(stored["roles"])
            self.granted = {Grant(g[0], g[1], g[2], tuple(g[3]), g[4]) for g in stored["granted"]}
            self.parents = {role: set(roles) for role, roles in stored["parents"].items()}

    def effective(self, role: str) -> set[str]:
        """The role, the roles granted to it, and PUBLIC."""
        found, todo = {"PUBLIC"}, [role]
        while todo:
            current = todo.pop()
            if current not in found:
                found.add(current)
                todo += sorted(self.parents.get(current, set()))
        return found

    def privileges(self, role: str, kind: str, name: tuple[str, ...]) -> set[str]:
        """What a role may do with an object; OWNERSHIP stands for everything."""
        roles = self.effective(role)
        if roles & self.open_roles:
            return {"OWNERSHIP"}
        return {
            g.privilege
            for g in self.granted
            if g.role in roles and not g.future and (g.kind, g.name) == (kind, name)
        }

    def created(self, role: str, kind: str, name: tuple[str, ...]) -> None:
        """The creator's role owns a new object; future grants come into force."""
        self.dropped(kind, name)
        self.granted.add(Grant(role, "OWNERSHIP", kind, name))
        for grant in list(self.granted):
            if grant.future and grant.kind == kind and name[: len(grant.name)] == grant.name:
                self.granted.add(Grant(grant.role, grant.privilege, kind, name))
        self.save()

    def replaced(self, role: str, kind: str, name: tuple[str, ...]) -> None:
        """COPY GRANTS: all but OWNERSHIP stays; future grants are not added (create-view page)."""
        kept = {g for g in self.granted if (g.kind, g.name) == (kind, name) and not g.future}
        kept = {g for g in kept if g.privilege != "OWNERSHIP"}
        self.dropped(kind, name)
        self.granted |= {*kept, Grant(role, "OWNERSHIP", kind, name)}
        self.save()

    def renamed(self, kind: str, old: tuple[str, ...], new: tuple[str, ...]) -> None:
        """An object keeps its privileges under its new name."""
        moved = {g for g in self.granted if (g.kind, g.name) == (kind, old)}
        self.granted = (self.granted - moved) | {replace(g, name=new) for g in moved}
        self.save()

    def swapped(self, kind: str, one: tuple[str, ...], other: tuple[str, ...]) -> None:
        """Two objects change names; privileges go with the objects."""
        nowhere = (*one[:-1], "")
        self.renamed(kind, one, nowhere)
        self.renamed(kind, other, one)
        self.renamed(kind, nowhere, other)

    def dropped(self, kind: str, name: tuple[str, ...]) -> None:
        """Forget the privileges on what is gone, and on what was in it."""
        inside = {"DATABASE": 1, "SCHEMA": 2}.get(kind)
        self.granted = {
            g
            for g in self.granted
            if (g.kind, g.name) != (kind, name)
            and not (inside and g.name[:inside] == name and len(g.name) > inside)
        }
        self.save()

    def save(self) -> None:
        """Write the state down, where there is a place for it."""
        if self._path:
            stored = {
                "roles": sorted(self.roles),
                "granted": [
                    [g.role, g.privilege, g.kind, list(g.name), g.future]
                    for g in sorted(self.granted, key=repr)
                ],
                "parents": {role: sorted(roles) for role, roles in self.parents.items()},
            }
            self._path.write_text(json.dumps(stored))

    def require_role(self, role: str) -> str:
        """Check that a role exists.

        Raises:
            SnowflakeError: 2003 when it does not.
        """
        if role not in self.roles:
            kind = "Role"
            raise not_found(kind, role)
        return role


def _kind(word: str) -> str:
    single = {"TABLES": "TABLE", "VIEWS": "VIEW", "SCHEMAS": "SCHEMA", "STAGES": "STAGE"}.get(
        word.upper(), word.upper()
    )
    return "TABLE" if single == "VIEW" else single


def parse(text: str) -> tuple[str, list[Grant | RoleGrant], str | None]:
    """Read GRANT or REVOKE: the verb, what is granted, and ALL when it means every object of a scope.

    Raises:
        SnowflakeError: 1003 when it is neither.
    """
    stripped = text.strip()
    if match := _ROLE.fullmatch(stripped):
        grant = RoleGrant(normalise(match["role"]), match["kind"].upper(), normalise(match["to"]))
        return match["verb"].upper(), [grant], None
    match = _ON.fullmatch(stripped)
    if match is None:
        raise syntax(stripped)
    kind, many = _kind(match["kinds"] or match["kind"]), (match["many"] or "").upper()
    name, role = tuple(split(match["name"])), normalise(match["role"])
    words = [" ".join(word.upper().split()) for word in match["privileges"].split(",")]
    if words in (["ALL"], ["ALL PRIVILEGES"]):
        words = sorted(PRIVILEGES.get(kind, ()))
    for word in words:
        if word != "OWNERSHIP" and word not in PRIVILEGES.get(kind, ()):
            message = f"the privilege {word} on {kind}"
            raise unsupported(message)
    grants: list[Grant | RoleGrant] = [Grant(role, word, kind, name, many == "FUTURE") for word in words]
    return match["verb"].upper(), grants, many or None


__all__ = ["Grant", "Grants", "RoleGrant", "SnowflakeError", "parse"]
