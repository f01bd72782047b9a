"""Client of the local X3's control endpoint: change data, ask for the truth, make faults, read counters."""

from __future__ import annotations

import json
import typing as t
from decimal import Decimal

import requests

Record = dict[str, t.Any]
Key = str | list[t.Any]


class X3Control:
    """Talks to `POST {url}/_control`. Numbers with a point come and go as Decimal, digit by digit.

    A row is named by `table` (PORDER, PORDERQ, ...) or REST class, and by its key: the document's key first,
    then the line's, for example `["GEN", "GEN-1", 2, 1]` for a line in GACCENTRYD.
    """

    def __init__(
        self,
        url: str,
        timeout: float = 60.0,
        *,
        ca: str | None = None,
        certificate: tuple[str, str] | None = None,
    ) -> None:
        """Keep the server's base URL; with `ca`, the file of certificates to trust, and a client's own."""
        self.url = url.rstrip("/")
        self._timeout = timeout
        self._session = requests.Session()
        if ca is not None:
            self._session.verify, self._session.cert, self._session.trust_env = ca, certificate, False

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def __enter__(self) -> t.Self:
        """Return the client."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self.close()

    def call(self, do: str, **arguments: object) -> object:
        """Send one command and return its result.

        Raises:
            ValueError: the server refuses the command; with its reason.
        """
        body = encode_json({"do": do, **arguments})
        answer = self._session.post(f"{self.url}/_control", data=body, timeout=self._timeout)
        decoded = json.loads(answer.content, parse_float=Decimal)
        if answer.status_code != requests.codes.ok:
            raise ValueError(decoded["error"])
        return t.cast("object", decoded["result"])

    def help(self) -> dict[str, Record]:
        """Every command of the endpoint with what it does and its arguments."""
        return t.cast("dict[str, Record]", self.call("help"))

    def set(self, table: str, key: Key, values: Record, **arguments: object) -> Record:
        """Change columns of one row. Its stamp becomes the clock's time, or `stamp`; None leaves it."""
        return t.cast("Record", self.call("set", table=table, key=key, values=values, **arguments))

    def touch(self, table: str, key: Key, **arguments: object) -> Record:
        """Stamp a row without changing its values."""
        return t.cast("Record", self.call("touch", table=table, key=key, **arguments))

    def bad_value(self, table: str, key: Key, column: str, value: object, **arguments: object) -> Record:
        """Put a value that does not fit its type into a column, such as `12,5x` into an amount."""
        return t.cast(
            "Record", self.call("bad_value", table=table, key=key, column=column, value=value, **arguments)
        )

    def add(self, table: str, values: Record, **arguments: object) -> object:
        """Add a document, its lines under their collection's name; missing columns get plausible values."""
        return self.call("add", table=table, values=values, **arguments)

    def add_line(self, table: str, parent: str, key: Key, values: Record, **arguments: object) -> Record:
        """Add a line in `table` below the row `key` of the table `parent`; it gets its own stamp only."""
        return t.cast(
            "Record", self.call("add", table=table, parent=parent, key=key, values=values, **arguments)
        )

    def remove(self, table: str, key: Key, **arguments: object) -> None:
        """Delete a document, or one line (which stamps its document)."""
        self.call("remove", table=table, key=key, **arguments)

    def mass_update(self, table: str, **arguments: object) -> Record:
        """Stamp rows with one second: those that `match`, `every` n-th, at most `limit`; set `values`."""
        return t.cast("Record", self.call("mass_update", table=table, **arguments))

    def begin(self, name: str = "") -> str:
        """Open a transaction; pass its name as `transaction` to changes. They are seen after `commit`."""
        return t.cast("dict[str, str]", self.call("begin", name=name))["transaction"]

    def commit(self, transaction: str) -> int:
        """Make the changes of a transaction visible; gives the number of documents that it touched."""
        return t.cast("dict[str, int]", self.call("commit", transaction=transaction))["documents"]

    def rollback(self, transaction: str) -> None:
        """Undo the changes of a transaction."""
        self.call("rollback", transaction=transaction)

    def rows(self, table: str, limit: int | None = None) -> list[Record]:
        """Native rows of a table in key order."""
        return t.cast("list[Record]", self.call("rows", table=table, limit=limit))

    def expected(self, stream: str, api: str = "graphql") -> list[Record]:
        """Records that the tap must emit for a stream as of now, read through `api` (graphql or rest)."""
        return t.cast("list[Record]", self.call("expected", stream=stream, api=api))

    def streams(self) -> dict[str, int]:
        """Streams with their number of documents."""
        return t.cast("dict[str, int]", self.call("streams"))

    @staticmethod
    def _clock(answer: object) -> str:
        return t.cast("dict[str, str]", answer)["now"]

    def now(self) -> str:
        """The server's clock, `YYYY-MM-DDThh:mm:ssZ`."""
        return self._clock(self.call("clock"))

    def set_clock(self, moment: str, *, frozen: bool = False) -> str:
        """Set the server's clock; it goes on from there unless `frozen`."""
        return self._clock(self.call("clock", set=moment, frozen=frozen))

    def advance(self, seconds: float) -> str:
        """Move the server's clock."""
        return self._clock(self.call("clock", advance=seconds))

    def reset_clock(self) -> str:
        """Show real time again."""
        return self._clock(self.call("clock", reset=True))

    def faults(self, *rules: Record) -> None:
        """Replace all faults; no rules end them. A rule: {"fault": …, "on": …, "nth": 1, "times": 1, …}.

        `before` and `after` hold commands, as {"do": …}, that run around the requests it strikes.
        """
        self.call("faults", rules=list(rules))

    def expose(self, rest_class: str, *stamps: str) -> None:
        """Choose the change stamps a class shows in REST: UPDDATTIM, UPDDAT, both or none."""
        self.call("expose", **{"class": rest_class, "stamps": list(stamps)})

    def rest_site(self, **given: object) -> Record:
        """Change what is given of the REST site; the answer has all of it, and what its lists have cost."""
        return t.cast("Record", self.call("rest_site", **given))

    def graphql_site(self, **given: object) -> Record:
        """Change what is given of the GraphQL site: `line_nodes`, `absent`, `renamed`; gives all of it."""
        return t.cast("dict[str, Record]", self.call("graphql_site", **given))["site"]

    def counters(self) -> dict[str, int]:
        """Requests by kind and by status, `requests`, `replayed`, `writes_refused` (by kind, too)."""
        return t.cast("dict[str, int]", self.call("counters"))

    def writes_refused(self) -> dict[str, int]:
        """Attempts to write since the server started, by kind and method; nothing resets them."""
        return t.cast("dict[str, int]", self.call("writes_refused"))

    def replay(self, *, enabled: bool | None = None) -> Record:
        """Switch the replay of computed answers on or off; gives how many are kept, and their bytes."""
        return t.cast("Record", self.call("replay", enabled=enabled))

    def logins(self, **changes: object) -> None:
        """Lock the user (`basic=False`), delete the application (`connected_app=False`), and so on."""
        self.call("logins", **changes)

    def pair(self, **arguments: object) -> dict[str, str]:
        """Pair the cloud's application with a `customer` for `scopes`; gives a pair of tokens."""
        return t.cast("dict[str, str]", self.call("pair", **arguments))

    def unpair(self, **arguments: object) -> None:
        """End the pairing with a `customer`."""
        self.call("unpair", **arguments)

    def cloud_app(self, **changes: object) -> None:
        """Disable or enable the cloud's application (`enabled`), or register a `redirect_uri`."""
        self.call("cloud_app", **changes)

    def link_origin(self, origin: str = "") -> None:
        """Make absolute links name another `http://host:port`, as behind a reverse proxy; nothing ends it."""
        self.call("links", origin=origin)

    def reset(self) -> None:
        """Undo everything that was changed: data, clock, faults, counters, logins, shown stamps, links."""
        self.call("reset")

    def reset_counters(self) -> None:
        """Start counting from zero."""
        self.call("reset_counters")


def encode_json(value: object) -> bytes:
    """Encode JSON with decimals as numbers, every digit kept."""
    return _text(value).encode()


def _text(value: object) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(str(name))}:{_text(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_text, value)) + "]"
    return json.dumps(value)
