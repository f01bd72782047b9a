"""CREATE NETWORK RULE and CREATE NETWORK POLICY.

Rules restored (create-network-rule and create-network-policy pages): a rule is an object of a schema, of one
type, here IPv4 for incoming requests; CREATE OR ALTER keeps its type; a policy names rules that exist.
That logins come from those addresses is not checked: every client here is on loopback.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

from . import access, results
from .errors import SnowflakeError, already_exists, not_found, syntax
from .names import normalise, split
from .parameters import invalid

if TYPE_CHECKING:
    from collections.abc import Callable

    from .engine import Call
    from .results import Result

_NAME = r'(?P<name>(?:"(?:[^"]|"")+"|[A-Za-z_][\w$]*)(?:\.(?:"(?:[^"]|"")+"|[A-Za-z_][\w$]*))*)'
_LIST = r"\((?P<list>[^()]*)\)"
_RULE = re.compile(
    rf"CREATE\s+(?P<or>OR\s+(?:ALTER|REPLACE)\s+)?NETWORK\s+RULE\s+{_NAME}\s+TYPE\s*=\s*IPV4\s+"
    rf"VALUE_LIST\s*=\s*{_LIST}\s+MODE\s*=\s*INGRESS\s*;?\s*",
    re.IGNORECASE,
)
_POLICY = re.compile(
    rf"CREATE\s+NETWORK\s+POLICY\s+(?P<if>IF\s+NOT\s+EXISTS\s+)?{_NAME}\s+"
    rf"ALLOWED_NETWORK_RULE_LIST\s*=\s*{_LIST}\s*;?\s*",
    re.IGNORECASE,
)
_TEXT = re.compile(r"'((?:[^']|'')*)'\s*(?:,\s*)?")


def create(call: Call) -> Result:
    """CREATE NETWORK RULE or CREATE NETWORK POLICY, in the forms above and no other."""
    access.require_account(call)
    text = call.statement.bare.strip()
    if match := _RULE.fullmatch(text):
        return _rule(call, match)
    if match := _POLICY.fullmatch(text):
        return _policy(call, match)
    raise syntax(text)


def _texts(listed: str) -> list[str]:
    if _TEXT.sub("", listed).strip():
        raise syntax(listed)
    return [text.replace("''", "'") for text in _TEXT.findall(listed)]


def _rule(call: Call, match: re.Match[str]) -> Result:
    name = tuple(split(match["name"]))
    if len(name) != 3 or not call.world.catalogue.has_schema(name[0], name[1]):
        kind = "Schema"
        raise not_found(kind, ".".join(name[:2]))
    if name in call.world.network_rules and not match["or"]:
        raise already_exists(name[-1])
    addresses = _texts(match["list"])
    for address in addresses:
        try:
            ipaddress.IPv4Network(address, strict=False)
        except ValueError:
            raise invalid(address, "VALUE_LIST") from None
    call.world.network_rules[name] = addresses
    return results.status(f"Network rule {name[-1]} successfully created.")


def _policy(call: Call, match: re.Match[str]) -> Result:
    name = normalise(match["name"])
    if name in call.world.network_policies:
        if match["if"]:
            return results.status(f"{name} already exists, statement succeeded.")
        raise already_exists(name)
    rules = [tuple(split(rule)) for rule in _texts(match["list"])]
    for rule in rules:
        if rule not in call.world.network_rules:
            kind = "Network rule"
            raise not_found(kind, ".".join(rule))
    if not rules:
        raise SnowflakeError(1008, "22023", "SQL compilation error:\nA network policy needs a network rule.")
    call.world.network_policies[name] = rules
    return results.status(f"Network policy {name} successfully created.")


HANDLERS: dict[str, Callable[[Call], Result]] = {"CREATE NETWORK": create}
