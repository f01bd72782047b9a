"""Requests to the GraphQL API. An answer with errors is an error, also with HTTP 200 and some data."""

from __future__ import annotations

import typing as t

from tap_sagex3.errors import (
    INCOMPLETE,
    ApiError,
    IncompleteAnswerError,
    IntrospectionRefusedError,
    NotReadableError,
)
from tap_sagex3.graphql.address import graphql_address
from tap_sagex3.values import format_time

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_sagex3.declarations import GraphqlSource
    from tap_sagex3.transport import Transport

Json = t.Any
Connection = dict[str, t.Any]

_ENDPOINT_HEADER = "x-xtrem-endpoint"
# The last two are about a property that is there, but of another shape than ours: `code` for `code {code}`.
_UNKNOWN = (
    "Cannot query field",
    "Unknown argument",
    "Unknown type",
    "must not have a selection",
    "must have a selection",
)
_SEVERE = 3
_MILD = frozenset({"info", "information", "success", "warn", "warning"})
_SHOWN_ERRORS = 3


class Fetched(t.NamedTuple):
    """What an answer gives of a node, when it came (canonical UTC), and its size in bytes."""

    found: Json
    received: str
    size: int


class GraphqlClient:
    """Requests to one X3 folder."""

    def __init__(self, transport: Transport) -> None:
        """Requests go through `transport`."""
        self._transport = transport
        self._folder = transport.settings.folder
        self.pages_ahead = transport.settings.prefetch_pages

    def run(self, query: str, variables: Mapping[str, Json], node: GraphqlSource) -> tuple[Json, str]:
        """Run a query and return what it gives of a node, and when. Raises as `fetch`."""
        found, received, _ = self.fetch(query, variables, node)
        return found, received

    def fetch(self, query: str, variables: Mapping[str, Json], node: GraphqlSource) -> Fetched:
        """Run a query and return what it gives of a node (`query` or `read`).

        Raises:
            NotReadableError: the node or one of its properties does not exist here.
            IncompleteAnswerError: there are errors beside data.
            ApiError: any other error.
        """
        body = {"query": query, "variables": variables}
        answer = self._transport.post(
            graphql_address(self._transport), body, {_ENDPOINT_HEADER: self._folder}
        )
        content = answer.body if isinstance(answer.body, dict) else {}
        data = content.get("data")
        messages = _messages(content)
        if messages or data is None:
            self._refuse(messages or [f"HTTP {answer.status} without data"], node, partial=data is not None)
        try:
            found = data[node.package][node.node]
        except (KeyError, TypeError):
            found = None
        if not isinstance(found, dict):
            msg = f"GraphQL gave nothing for {node.package}.{node.node}: {INCOMPLETE}"
            raise IncompleteAnswerError(msg)
        return Fetched(found, format_time(answer.received.replace(microsecond=0)), answer.size)

    def introspect(self, query: str) -> dict[str, Json]:
        """Run a query about the schema and return its data.

        Raises:
            IntrospectionRefusedError: the server answers with an error instead of data.
            IncompleteAnswerError: there are errors beside data, or neither.
        """
        answer = self._transport.post(
            graphql_address(self._transport), {"query": query}, {_ENDPOINT_HEADER: self._folder}
        )
        content = answer.body if isinstance(answer.body, dict) else {}
        messages = _messages(content)
        if messages and _ENDPOINT_HEADER in messages[0]:
            self._refuse_folder(messages[0])
        shown, data = "; ".join(messages[:_SHOWN_ERRORS]), content.get("data")
        if messages and data is None:
            raise IntrospectionRefusedError(shown)
        if messages or not isinstance(data, dict):
            reason = shown or f"HTTP {answer.status}, no data"
            msg = (
                f"GraphQL describes its schema with errors ({reason}). Check the user's rights, run again, "
                "or read through REST (api: rest in stream_options)."
            )
            raise IncompleteAnswerError(msg)
        return data

    def _refuse_folder(self, shown: str) -> t.NoReturn:
        msg = f"GraphQL does not know the folder {self._folder!r} ({shown}): check setting folder."
        raise ApiError(msg)

    def _refuse(self, messages: list[str], node: GraphqlSource, *, partial: bool) -> t.NoReturn:
        shown = "; ".join(messages[:_SHOWN_ERRORS])
        place = f"{node.package}.{node.node}"
        if any(text in message for message in messages for text in _UNKNOWN):
            msg = (
                f"GraphQL has no such node or property ({shown}). Give the names of this site (package and "
                f"node, change_field, key, fields, filter) for {place} in {node.setting}, or read the stream "
                "through REST (api: rest)."
            )
            raise NotReadableError(msg)
        if _ENDPOINT_HEADER in shown:
            self._refuse_folder(shown)
        if partial:
            msg = f"GraphQL gave {place} with errors ({shown}): nothing was taken. Check the user's rights."
            raise IncompleteAnswerError(msg)
        msg = f"GraphQL answered {place} with an error: {shown.rstrip('.')}. Mend its cause and run again."
        raise ApiError(msg)


def connection_of(holder: Json, name: str, collection: str | None = None) -> Connection:
    """The connection (`edges` and `pageInfo`) in a member of an answer, or of a collection in it.

    Raises:
        IncompleteAnswerError: it is not one.
    """
    found = holder.get(name) if isinstance(holder, dict) else None
    info = found.get("pageInfo") if isinstance(found, dict) else None
    if isinstance(found, dict) and isinstance(found.get("edges"), list) and _is_page_info(info):
        return found
    msg = f"GraphQL gave no list in {collection or name}: {INCOMPLETE}"
    raise IncompleteAnswerError(msg)


def nodes_of(connection: Connection) -> list[dict[str, t.Any]]:
    """Nodes of a connection.

    Raises:
        IncompleteAnswerError: a node is null, which would lose a row.
    """
    edges = [edge for edge in connection["edges"] if isinstance(edge, dict)]
    nodes = [edge["node"] for edge in edges if isinstance(edge.get("node"), dict)]
    if len(nodes) < len(connection["edges"]):
        msg = f"GraphQL gave a list with a null row: {INCOMPLETE}"
        raise IncompleteAnswerError(msg)
    return nodes


def next_cursor(connection: Connection, seen: set[str]) -> str | None:
    """Cursor after which the next page begins; None at the end. Notes it in `seen`, those of this list.

    Raises:
        IncompleteAnswerError: there is a next page, but paging does not move on.
    """
    info = connection["pageInfo"]
    if not info["hasNextPage"]:
        return None
    cursor: Json = info.get("endCursor")
    if not isinstance(cursor, str) or not cursor or cursor in seen:
        msg = "GraphQL names a next page that it gave before: paging does not move on. Run again."
        raise IncompleteAnswerError(msg)
    seen.add(cursor)
    return cursor


def _is_page_info(info: Json) -> bool:
    return isinstance(info, dict) and isinstance(info.get("hasNextPage"), bool)


def _messages(content: Mapping[str, Json]) -> list[str]:
    """Messages of errors, and of diagnoses that are errors; what has another form counts as one."""
    extensions = content.get("extensions")
    diagnoses = extensions.get("diagnoses") if isinstance(extensions, dict) else None
    found = [_message(error) for error in _as_list(content.get("errors"))]
    return found + [_message(item) for item in _as_list(diagnoses) if _is_severe(item)]


def _as_list(value: Json) -> list[Json]:
    if not value:
        return []
    return value if isinstance(value, list) else [value]


def _message(error: Json) -> str:
    return str(error.get("message", error)) if isinstance(error, dict) else str(error)


def _is_severe(diagnosis: Json) -> bool:
    """Severity 1 informs, 2 warns; anything above, and what is no number, is an error."""
    severity = diagnosis.get("severity") if isinstance(diagnosis, dict) else None
    if isinstance(diagnosis, dict) and severity is None:
        return False
    try:
        return int(t.cast("str", severity)) >= _SEVERE
    except (TypeError, ValueError):
        return str(severity).lower() not in _MILD
