"""Paths of the REST side: which contract, which class or collection, which key."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes

from local_x3.errors import RestError

ERP = "/api1/x3/erp/"
PROD = ("/api1/x3/$$prod/", "/api1/x3/%24%24prod/")
ADMIN = "/api1/syracuse/collaboration/syracuse/"
LEGACY = "/sdata/x3/erp/"
ROOTS = ("/api1/", "/sdata/")
SEGMENT = re.compile(r"([A-Za-z0-9_$]+)(?:\('((?:[^']|'')*)'\))?", re.DOTALL)
BROKEN = re.compile(r"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class Address:
    """What a path names. `head` is the path before the class, `key` None when there are no parentheses."""

    contract: str  # api1, sdata or admin
    head: str
    name: str
    key: str | None


def serves(path: str) -> bool:
    """Say whether a path is one of the REST side's."""
    return path.startswith(ROOTS) or path in {root.rstrip("/") for root in ROOTS}


def decode(text: str) -> str:
    """Undo percent-encoding.

    Raises:
        RestError: 400 when it is broken, not UTF-8, or was left out. Whether X3 forgives that is unknown [?].
    """
    if not text.isascii() or not text.isprintable():
        raise RestError(400, "The address holds characters that are not percent-encoded")
    if BROKEN.search(text):
        raise RestError(400, f"Broken percent-encoding: {text}")
    try:
        return unquote_to_bytes(text).decode("utf-8")
    except UnicodeDecodeError:
        raise RestError(400, f"Not UTF-8: {text}") from None


def parse_address(path: str, folder: str) -> Address:
    """Read a path.

    Raises:
        RestError: 404 when it names nothing here; 400 when it cannot be decoded.
    """
    for root, contract in ((ERP, "api1"), (LEGACY, "sdata")):
        if path.startswith(root):
            endpoint, _, rest = path.removeprefix(root).partition("/")
            _check_endpoint(decode(endpoint), folder)
            return _address(contract, f"{root}{quote(folder, safe='')}/", decode(rest))
    for root in PROD:
        if path.startswith(root):  # FOLDER.CLASS, on one help page [D]
            rest = decode(path.removeprefix(root))
            if not rest.startswith(f"{folder}."):
                _check_endpoint(rest.partition(".")[0] if "." in rest else "", folder)
            return _address("api1", f"{PROD[0]}{quote(folder, safe='')}.", rest.removeprefix(f"{folder}."))
    if path.startswith(ADMIN):
        return _address("admin", ADMIN, decode(path.removeprefix(ADMIN)))
    raise RestError(404, f"Not found: {decode(path)}")


def _check_endpoint(name: str, folder: str) -> None:
    if name != folder:
        raise RestError(404, f"Endpoint {name} not found")


def _address(contract: str, head: str, rest: str) -> Address:
    match = SEGMENT.fullmatch(rest)
    if match is None:
        raise RestError(404, f"Not found: {rest}")
    name, key = match.groups()
    return Address(contract, head, name, None if key is None else key.replace("''", "'"))
