"""The administration collection `endPoints`: which folders the server has, in an envelope of its own [D].

The envelope, `$uuid`, `$key`, `$etag` and the relative `$url` of a record are documented. Which
other properties an endpoint shows is not: there are few, named as in the SData text on endpoints [I].
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING
from urllib.parse import quote

from local_x3.errors import RestError
from local_x3.rest.addresses import ADMIN, Address
from local_x3.rest.parameters import ADMIN_LIST, ONE, check_known, page_size, positive
from local_x3.rest.where import Now, Scope, compile_where
from local_x3.rest.where_nodes import UnknownPropertyError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local_x3.model import Row

CLASS = "endPoints"
LIST = "endPoints.$query"
RECORD = "endPoint.$details"
NAMESPACE = uuid.UUID("5b1f0f3a-7f53-4b8e-9a51-7c6d1f2a9e10")  # any; makes the same endpoint the same number
COLUMNS = ("description", "applicationName", "contractName", "dataset")


class EndPoints:
    """The endpoints of one server: the administration itself and the X3 folder."""

    def __init__(self, folder: str) -> None:
        """List them."""
        self._rows: list[Row] = [
            _row("Syracuse administration", "syracuse", "collaboration", "syracuse"),
            _row(f"Folder {folder}", "x3", "erp", folder),
        ]

    def answer(
        self, address: Address, query: str, parameters: Mapping[str, str], origin: str, now: Now
    ) -> dict[str, object]:
        """Answer a GET request.

        Raises:
            RestError: the address or a parameter is wrong.
        """
        if address.name != CLASS:
            raise RestError(404, f"Class {address.name} not found")
        wanted = LIST if address.key is None else RECORD
        asked = parameters.get("representation")
        if not asked:
            raise RestError(400, "Parameter representation is mandatory")
        if asked != wanted:
            raise RestError(404, f"Representation {asked} not found here; {wanted} is")
        if address.key is not None:
            check_known(parameters, ONE)
            return self._one(address.key)
        check_known(parameters, ADMIN_LIST)
        return self._list(parameters, f"{origin}{ADMIN}{CLASS}?", query, now)

    def _one(self, key: str) -> dict[str, object]:
        for row in self._rows:
            if row["$uuid"] == key:
                return _resource(row)
        raise RestError(200, "721 : Record does not exist")

    def _list(self, parameters: Mapping[str, str], base: str, query: str, now: Now) -> dict[str, object]:
        count = page_size(parameters.get("count"))
        start = positive("startIndex", parameters.get("startIndex", "1"))
        found = [row for row in self._rows if _matches(row, parameters.get("where"), now)]
        shown = found[start - 1 : start - 1 + count]
        body: dict[str, object] = {
            "$url": f"{base}{query}",
            "$descriptor": CLASS,
            "$startIndex": start,
            "$itemsPerPage": count,
            "$totalResults": len(found),
            "$ui": {},
            "$resources": [_resource(row) for row in shown],
        }
        if start - 1 + count < len(found):
            kept = f"&where={quote(parameters['where'], safe='')}" if "where" in parameters else ""
            url = f"{base}representation={LIST}{kept}&startIndex={start + count}&count={count}"
            body["$links"] = {"$next": {"$url": url, "$type": "application/json", "$method": "GET"}}
        return body


def _row(description: str, application: str, contract: str, dataset: str) -> Row:
    number = str(uuid.uuid5(NAMESPACE, f"{application}/{contract}/{dataset}"))
    values = (description, application, contract, dataset)
    return {"$uuid": number, **dict(zip(COLUMNS, values, strict=True))}


def _resource(row: Row) -> dict[str, object]:
    number = row["$uuid"]
    url = f"{ADMIN}{CLASS}('{number}')?representation={RECORD}"
    return {"$uuid": number, "$key": number, "$url": url, "$etag": 1, **{name: row[name] for name in COLUMNS}}


def _matches(row: Row, text: str | None, now: Now) -> bool:
    if text is None:
        return True
    try:
        where = compile_where(text, Scope(dict.fromkeys(COLUMNS, "text"), now))
    except UnknownPropertyError:  # silently ignored, other than on X3 endpoints [D]
        return True
    return all(part.matches(row) for part in where.parts)
