"""api1: from a request path to an answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from local_x3.errors import RestError
from local_x3.rest.facets import details
from local_x3.rest.keys import parse_key
from local_x3.rest.prototypes import prototype
from local_x3.rest.query import run_query
from local_x3.store import Selector, Store

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "/api1/x3/erp/"
SEGMENT = re.compile(r"([A-Za-z0-9_$]+)(?:\('((?:[^']|'')*)'\))?", re.DOTALL)
DEFAULT_STAMPS = ("UPDDATTIM", "UPDDAT")
CLASS_STAMPS: dict[str, tuple[str, ...]] = {
    "GACCOUNT": ("UPDDAT",),
    "STOCK": (),
}  # sites differ [D]; one of each sort


class RestApi:
    """All classes of one endpoint."""

    def __init__(self, stores: list[Store], folder: str) -> None:
        """Serve `stores` under the endpoint name `folder`."""
        self.folder = folder
        self.stores = {store.source.rest_class: store for store in stores}
        self.stamps: dict[str, tuple[str, ...]] = dict.fromkeys(self.stores, DEFAULT_STAMPS)
        self.stamps.update({name: stamps for name, stamps in CLASS_STAMPS.items() if name in self.stamps})
        self.initial_stamps = dict(self.stamps)
        self._selectors = {name: Selector([store]) for name, store in self.stores.items()}

    def kind(self, raw_path: str) -> str:
        """Name the kind of a request, for counters and faults."""
        last = raw_path.rsplit("/", 1)[-1]
        if last.startswith(("$prototypes", "%24prototypes")):
            return "rest_prototypes"
        return "rest_details" if "(" in last or "%28" in last else "rest_query"

    def answer(self, raw_path: str, parameters: Mapping[str, str], origin: str) -> dict[str, object]:
        """Answer a GET request.

        Raises:
            RestError: with the status and diagnosis X3 would send.
        """
        endpoint, _, rest = raw_path.removeprefix(PREFIX).partition("/")
        if unquote(endpoint) != self.folder:
            raise RestError(404, f"Endpoint {unquote(endpoint)} not found")
        base = f"{origin}{PREFIX}{self.folder}"
        match = SEGMENT.fullmatch(unquote(rest))
        if match is None:
            raise RestError(404, f"Not found: {unquote(rest)}")
        name, key = match.groups()
        if name == "$prototypes":
            return self._prototype(key, base)
        store = self.stores.get(name)
        if store is None:
            raise RestError(404, f"Class {name} not found")
        facet = self._facet(store, parameters)
        if key is None:
            if facet != "$query":
                raise RestError(400, f"{facet} needs a key: {name}('KEY')")
            return run_query(store, self._selectors[name], parameters, self.stamps[name], base)
        if facet != "$details":
            raise RestError(400, f"{facet} takes no key")
        return self._details(store, key.replace("''", "'"), base)

    def _facet(self, store: Store, parameters: Mapping[str, str]) -> str:
        """Check `representation=REPR.$facet`, which api1 always needs [D]."""
        asked = parameters.get("representation")
        if not asked:
            raise RestError(400, "Parameter representation is mandatory")
        name, _, facet = asked.partition(".")
        if name != store.source.representation:
            raise RestError(404, f"Representation {name} not found for class {store.source.rest_class}")
        if facet not in {"$query", "$details"}:
            raise RestError(404, f"Facet {facet or '(none)'} not found")
        return facet

    def _details(self, store: Store, text: str, base: str) -> dict[str, object]:
        source = store.source
        kinds = {name: source.level.columns[name].where_type for name in source.key}
        entry = store.by_key.get(parse_key(text, source.key, kinds))
        if entry is None:  # a missing record is not an HTTP error [D]
            raise RestError(200, "721 : Record does not exist")
        return details(store.document(entry), source, entry.key, base, self.stamps[source.rest_class])

    def _prototype(self, text: str | None, base: str) -> dict[str, object]:
        name, _, facet = (text or "").partition(".")
        for store in self.stores.values():
            if store.source.representation == name and facet in {"$query", "$details"}:
                return prototype(store.source, facet, self.stamps[store.source.rest_class], base)
        raise RestError(404, f"Prototype {text} not found")
