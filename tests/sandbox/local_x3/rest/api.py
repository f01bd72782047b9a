"""The REST side: from a request to an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_x3.errors import RestError
from local_x3.rest.absent import without
from local_x3.rest.addresses import Address, parse_address, serves
from local_x3.rest.endpoints import EndPoints
from local_x3.rest.facets import details, list_columns, place, query_columns, summary, template, where_types
from local_x3.rest.keys import parse_key
from local_x3.rest.line_lists import LineLists
from local_x3.rest.messages import Call, Reply
from local_x3.rest.parameters import ONE, check_accept, check_known, check_length, parse_query
from local_x3.rest.prototypes import prototype
from local_x3.rest.query import View, run_query
from local_x3.rest.sessions import COOKIE, Sessions
from local_x3.rest.site import LISTS, STAMPS, Site
from local_x3.rest.where import Now, Scope
from local_x3.store import Selector, Store

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from local_x3.clock import Clock
    from local_x3.declarations import Source
    from local_x3.model import Entry, Key
    from local_x3.rest.site import Representations

CLASS_STAMPS: dict[str, tuple[str, ...]] = {
    "GACCOUNT": ("UPDDAT",),
    "STOCK": (),
}  # sites differ [D]; one of each sort
READ_METHODS = frozenset({"GET", "HEAD"})
PROTOTYPES = "$prototypes"


class RestApi:
    """All classes of one endpoint, and the administration's list of endpoints."""

    def __init__(self, stores: list[Store], folder: str, clock: Clock, site: Site | None = None) -> None:
        """Serve `stores` under the endpoint name `folder`."""
        self.folder = folder
        self.clock = clock
        self.stores = {store.source.rest_class: store for store in stores}
        self.sessions = Sessions()
        self.endpoints = EndPoints(folder)
        self.stamps: dict[str, tuple[str, ...]] = {}
        self._selectors = {name: Selector([store]) for name, store in self.stores.items()}
        self._whole = {name: Selector(sharing(store, stores)) for name, store in self.stores.items()}
        self._shown: dict[str, Source] = {}
        self._lines = LineLists(stores)
        self._initial = site or Site()
        self.reset()

    def reset(self) -> None:
        """Be the site that it was at the start again."""
        self.sessions.reset()
        self.stamps.update({name: CLASS_STAMPS.get(name, STAMPS) for name in self.stores})
        self.use_site(self._initial)

    def use_site(self, site: Site) -> None:
        """Be another site from now on.

        Raises:
            ValueError: it names a class that there is not.
        """
        unknown = sorted(site.classes() - set(self.stores))
        if unknown:
            msg = f"class {unknown[0]} not found; classes: {', '.join(sorted(self.stores))}"
            raise ValueError(msg)
        for name, table in site.line_classes.items():
            if name in self.stores or table not in self._lines.tables:
                msg = f"{name} lists {table}: expected a new name and one of {sorted(self._lines.tables)}"
                raise ValueError(msg)
            self.stamps[name] = self._lines.stamps(table)
        self._shown = {name: without(store.source, site.absent) for name, store in self.stores.items()}
        self.site = site
        self.clock.zone = site.zone
        for name, shown in site.stamps.items():
            self.stamps[name] = tuple(stamp for stamp in STAMPS if stamp in shown)

    serves = staticmethod(serves)

    def kind(self, raw_path: str) -> str:
        """Name the kind of a request, for counters and faults."""
        if raw_path.startswith("/sdata"):
            return "sdata"
        if raw_path.startswith("/api1/syracuse"):
            return "rest_admin"
        last = raw_path.rsplit("/", 1)[-1]
        if last.startswith((PROTOTYPES, "%24prototypes")):
            return "rest_prototypes"
        return "rest_details" if "(" in last or "%28" in last else "rest_query"

    def keeps_sessions(self, path: str) -> bool:
        """Say whether an answer changes the server's state, so that it cannot be given a second time."""
        return self.kind(path) == "sdata"

    def reply(self, call: Call) -> Reply:
        """Answer a request to read, whose credentials are right."""
        reply = Reply(200, {})
        now = Now(self.clock.now().astimezone(self.site.zone))
        try:
            reply.body = self._body(call, reply, now)
        except RestError as problem:
            reply.status, reply.body = problem.status, problem.body()
        reply.lasting = not now.asked
        return reply

    def _body(self, call: Call, reply: Reply, now: Now) -> dict[str, object]:
        if call.method not in READ_METHODS:
            raise RestError(405, f"{call.method} refused: GET reads")
        check_length(f"{call.path}?{call.query}")
        check_accept(call.headers.get("accept", ""))
        address = parse_address(call.path, self.folder)
        parameters = parse_query(call.query)
        if address.contract == "admin":
            return self.endpoints.answer(address, call.query, parameters, call.origin, now)
        if address.contract == "sdata":
            self._enter_session(call, reply)
        return self._answer(address, parameters, call.origin, now)

    def _enter_session(self, call: Call, reply: Reply) -> None:
        """Open a session where the call has none; it stays open when the call is refused afterwards [I]."""
        opened = self.sessions.enter(call.headers, self.clock.seconds(), self.site.licences)
        if opened is not None:
            reply.headers["Set-Cookie"] = f"{COOKIE}={opened}; Path=/; HttpOnly"
            reply.counted = ("licence_tokens_taken",)

    def _answer(
        self, address: Address, parameters: Mapping[str, str], origin: str, now: Now
    ) -> dict[str, object]:
        if address.name == PROTOTYPES:
            check_known(parameters, frozenset())
            return self._prototype(address.key or "", f"{origin}{address.head}")
        store = self._store(address.name)
        representation, facet = self._facet(store, parameters)
        if facet in LISTS:
            if address.key is not None:
                raise RestError(400, f"{facet} takes no key")
            return run_query(self._view(address, store, (representation, facet), origin, now), parameters)
        check_known(parameters, ONE)
        if facet == "$template":
            if address.key is not None:
                raise RestError(400, f"{facet} takes no key")
            return template(self._source(store).level)
        if address.key is None:
            raise RestError(400, f"{facet} needs a key: {address.name}('KEY')")
        return self._record(store, address, representation, facet, f"{origin}{address.head}")

    def _store(self, name: str) -> Store:
        listed = self._lines.find(name, self.site.line_classes)
        store = listed.store if listed else self.stores.get(name)
        if store is None or name in self.site.absent:
            raise RestError(404, f"Class {name} not found")
        return store

    def _selector(self, name: str) -> Selector:
        listed = self._lines.find(name, self.site.line_classes)
        if listed:
            return listed.selector
        return self._whole[name] if self.site.both_kinds else self._selectors[name]

    def _source(self, store: Store) -> Source:
        """Return a class as the site shows it."""
        return self._shown.get(store.source.rest_class, store.source)

    def _representations(self, store: Store) -> Representations:
        if store.source.rest_class in self.site.line_classes:
            return {store.source.representation: ["$query"]}
        return self.site.facets(store.source.rest_class, store.source.representation)

    def _facet(self, store: Store, parameters: Mapping[str, str]) -> tuple[str, str]:
        """Check `representation=REPR.$facet`, which api1 always needs [D]."""
        asked = parameters.get("representation")
        if not asked:
            raise RestError(400, "Parameter representation is mandatory")
        name, _, facet = asked.partition(".")
        facets = self._representations(store).get(name)
        if facets is None:
            raise RestError(404, f"Representation {name} not found for class {store.source.rest_class}")
        if facet not in facets:
            raise RestError(404, f"Facet {facet or '(none)'} not found")
        return name, facet

    def _view(self, address: Address, store: Store, asked: tuple[str, str], origin: str, now: Now) -> View:
        representation, facet = asked
        name = store.source.rest_class
        source = self._source(store)
        columns = list_columns(source, facet, self.stamps[name])
        head = f"{origin}{address.head}"
        return View(
            store=store,
            selector=self._selector(name),
            columns=columns,
            here=place(head, name, self._details_of(store, representation)),
            link=f"{head}{name}?representation={representation}.{facet}",
            site=self.site,
            scope=Scope(where_types(source, columns), now),
            legacy=address.contract == "sdata",
        )

    def _details_of(self, store: Store, representation: str) -> str:
        """Return the representation that shows a listed record: the same one, or the first that can."""
        facets = self._representations(store)
        able = [name for name, has in facets.items() if "$details" in has]
        return representation if representation in able or not able else able[0]

    def _record(
        self, store: Store, address: Address, representation: str, facet: str, head: str
    ) -> dict[str, object]:
        shown, source = store, self._source(store)
        kinds = {name: source.level.columns[name].where_type for name in source.key}
        store, entry = self._entry(store, parse_key(address.key or "", source.key, kinds))
        stamps = self.stamps[source.rest_class]
        here = place(head, source.rest_class, self._details_of(shown, representation))
        if facet == "$summary":
            return summary(store.header(entry), entry.key, here, query_columns(source, stamps))
        return details(store.document(entry), source, entry.key, here, stamps)

    def _entry(self, store: Store, key: Key) -> tuple[Store, Entry]:
        """Find a record: of the class, or of those that share its table where those are listed too."""
        for found in sharing(store, self.stores.values()) if self.site.both_kinds else [store]:
            entry = found.by_key.get(key)
            if entry is not None:
                return found, entry
        raise RestError(200, "721 : Record does not exist")  # a missing record is not an HTTP error [D]

    def _prototype(self, text: str, head: str) -> dict[str, object]:
        name, _, facet = text.partition(".")
        if not self.site.prototypes:
            raise RestError(404, f"Prototype {text} not found")
        listed = [self._store(name) for name in self.site.line_classes]
        for store in (*self.stores.values(), *listed):
            known = self._representations(store)
            if store.source.rest_class not in self.site.absent and facet in known.get(name, ()):
                stamps = self.stamps[store.source.rest_class]
                return prototype(self._source(store), name, facet, stamps, head)
        raise RestError(404, f"Prototype {text} not found")


def sharing(store: Store, stores: Iterable[Store]) -> list[Store]:
    """Return a class and those whose records have a row in its table, too."""
    table = store.source.level.table
    others = (other for other in stores if other is not store)
    return [store, *(o for o in others if table in {o.source.level.table, o.source.join_table})]
