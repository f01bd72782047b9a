"""/xtrem/api: from a request body to an answer."""

from __future__ import annotations

import logging
import re
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    execute_sync,
    validate,
)

from local_x3.errors import FilterError
from local_x3.graphql.alarm import TimeUpError, at_most
from local_x3.graphql.limits import parse_bounded
from local_x3.graphql.options import Options
from local_x3.graphql.schema import build_schema
from local_x3.graphql.views import build_nodes

if TYPE_CHECKING:
    from local_x3.graphql.site import GraphqlSite
    from local_x3.store import Store

logger = logging.getLogger("local_x3.graphql")

PATH = "/xtrem/api"
CACHED_QUERIES = 128
LONGEST_CACHED = 50_000
LONGEST_MESSAGE = 2_000
MAX_SCHEMA_ERRORS = 50
MEDIA_TYPE = "application/json"
EXPECTED_BODY = "expected a JSON object with query, and perhaps variables and operationName"
ERROR_SEVERITY = 4  # as seen in answers of Xtrem [C]


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP status and a JSON body."""

    status: int
    body: dict[str, Any]


class GraphQLApi:
    """The schema of one endpoint, and the queries seen so far."""

    def __init__(self, stores: list[Store], folder: str, options: Options | None = None) -> None:
        """Serve `stores`; the schema is built at the first request.

        Raises:
            ValueError: the site of the options names something that there is not.
        """
        self.folder = folder
        self.options = options or Options()
        self._stores = stores
        self._schema: GraphQLSchema | None = None
        self._documents: OrderedDict[str, DocumentNode] = OrderedDict()
        self.use_site(self.options.site)

    @property
    def schema(self) -> GraphQLSchema:
        """The schema, for introspection and execution."""
        if self._schema is None:
            self._schema = build_schema(self._nodes)
        return self._schema

    def use_site(self, site: GraphqlSite) -> None:
        """Be that site from now on; the schema is built anew at the next request.

        Raises:
            ValueError: it names something that there is not.
        """
        self._nodes = build_nodes(self._stores, self.options.names, site)
        self.site = site
        self._schema = None
        self._documents.clear()

    def reset(self) -> None:
        """Be the site of the start again."""
        if self.site != self.options.site:
            self.use_site(self.options.site)

    @staticmethod
    def refusal(content_type: str) -> Answer | None:
        """Refuse a body of another type than JSON; what X3 answers is unknown [?]: 415 with `errors` here."""
        if content_type.partition(";")[0].strip().lower() == MEDIA_TYPE:
            return None
        return _failure(415, [GraphQLError(f"Content-Type must be {MEDIA_TYPE}")])

    def answer(self, body: bytes, endpoint: str | None) -> Answer:
        """Execute a request; `endpoint` is the `x-xtrem-endpoint` header [D].

        What X3 answers to an unknown endpoint is unknown [?]: HTTP 400 with `errors` here.
        """
        if endpoint != self.folder:
            shown = "is missing" if endpoint is None else f"names an unknown endpoint: {endpoint}"
            return _failure(400, [GraphQLError(f"Header x-xtrem-endpoint {shown}")])
        try:
            request = _Request.of(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return _failure(400, [GraphQLError(f"Invalid request body: {EXPECTED_BODY}")])
        schema = self.schema  # building it once is no part of any request's time
        try:
            with at_most(self.options.seconds):
                return self._run(schema, request)
        except TimeUpError:
            # what X3 does is unknown; the web server in front of it gives up [?]
            message = f"Timed out after {self.options.seconds:g} seconds"
            return _failure(504, [GraphQLError(message, extensions={"code": "TIMEOUT"})])

    def _run(self, schema: GraphQLSchema, request: _Request) -> Answer:
        try:
            document = self._document(request.query)
        except _SchemaError as problem:
            return _failure(400, problem.errors)
        result = execute_sync(
            schema,
            document,
            variable_values=request.variables or {},
            operation_name=request.operationName,
        )
        if result.data is None and result.errors:
            # a request that could not start at all (variables, operation name) has no data
            started = any(error.path for error in result.errors)
            return _failure(200 if started else 400, result.errors, data=started)
        found: dict[str, Any] = {"data": result.data}
        if result.errors:
            found["errors"] = [_error(error) for error in result.errors]
        return Answer(200, {**found, "extensions": {"diagnoses": []}})

    def _document(self, text: str) -> DocumentNode:
        document = self._documents.get(text)
        if document is not None:
            return document
        try:
            document = parse_bounded(text)
        except GraphQLError as problem:
            raise _SchemaError([problem]) from None
        for definition in document.definitions:
            if (
                isinstance(definition, OperationDefinitionNode)
                and definition.operation != OperationType.QUERY
            ):
                message = f"Schema is not configured for {definition.operation.value}s."
                raise _SchemaError([GraphQLError(message, definition)])
        errors = validate(
            self.schema, document, max_errors=MAX_SCHEMA_ERRORS, allow_empty_selection_sets=False
        )
        if errors:
            raise _SchemaError(errors)
        if len(text) <= LONGEST_CACHED:
            self._documents[text] = document
        if len(self._documents) > CACHED_QUERIES:
            self._documents.popitem(last=False)
        return document


class _Request(msgspec.Struct):
    query: str
    variables: dict[str, Any] | None = None
    operationName: str | None = None  # noqa: N815 - the wire's name

    @staticmethod
    def of(body: bytes) -> _Request:
        """Decode a request body."""
        return msgspec.json.decode(body, type=_Request)


class _SchemaError(Exception):
    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__("schema errors")
        self.errors = errors


def _failure(status: int, errors: list[GraphQLError], *, data: bool = False) -> Answer:
    body: dict[str, Any] = {"data": None} if data else {}
    return Answer(status, {**body, "errors": [_error(error) for error in errors], "extensions": {}})


def _error(error: GraphQLError) -> dict[str, Any]:
    """Write an error as Xtrem does: the message's form is documented [D], the rest inferred [I]."""
    original = error.original_error
    if isinstance(original, GraphQLError):  # of a variable's value
        original = None
    code = "BAD_USER_INPUT" if isinstance(original, FilterError) else "GRAPHQL_VALIDATION_FAILED"
    if original is not None and code != "BAD_USER_INPUT":
        code = "INTERNAL_SERVER_ERROR"
    code = (error.extensions or {}).get("code", code)
    message = error.message if original is not None else _double_quoted(error.message)
    if code == "INTERNAL_SERVER_ERROR":  # a mistake of ours: told in the log, not to the client
        logger.error("%s", message, exc_info=original)
        message = "Internal error"
    message = message[:LONGEST_MESSAGE].encode("utf-8", "replace").decode()
    diagnosis = {"severity": ERROR_SEVERITY, "path": [], "message": message}
    found: dict[str, Any] = {"message": message}
    if error.locations:
        found["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error.path:
        found["path"] = list(error.path)
    return {**found, "extensions": {"code": code, "diagnoses": [diagnosis]}}


def _double_quoted(message: str) -> str:
    """Quote names as Sage documents it: `Cannot query field "x3XXXX"` [D]; graphql-core has single quotes."""
    return re.sub(r"'([^'\"]*)'", r'"\1"', message)
