"""A plain client of the local X3's two APIs, for tests of the server itself: no retries, nothing hidden."""

from __future__ import annotations

import datetime as dt
import http.client
import io
import json
import time
import typing as t
from contextlib import closing
from decimal import Decimal
from urllib.parse import urlsplit

import jwt
import requests

JsonObject = dict[str, t.Any]


class X3Client:
    """Speaks to a running server described by its ready line."""

    def __init__(self, ready: t.Mapping[str, t.Any]) -> None:
        """Keep address and credentials."""
        self.ready = ready
        self.url = str(ready["url"])
        self.session = requests.Session()
        self.basic = (str(ready["username"]), str(ready["password"]))

    def close(self) -> None:
        """Close the connection."""
        self.session.close()

    def get(self, path: str, **arguments: t.Any) -> requests.Response:  # noqa: ANN401 - what requests takes
        """GET a path or an absolute URL with Basic credentials."""
        url = path if path.startswith("http") else self.url + path
        return self.session.get(url, **{"auth": self.basic, "timeout": 60, **arguments})

    def rest(self, rest_class: str, *, facet: str = "$query", **parameters: str) -> requests.Response:
        """GET `CLASS?representation=CLASS.$query&...`."""
        wanted = {"representation": f"{rest_class}.{facet}", **parameters}
        return self.get(f"/api1/x3/erp/{self.ready['folder']}/{rest_class}", params=wanted)

    def raw(self, target: str) -> requests.Response:
        """GET a path and query exactly as written; `requests` would mend some of it."""
        parts = urlsplit(self.url)
        answer = requests.Response()
        login = requests.Request("GET", self.url, auth=self.basic).prepare().headers
        started = time.perf_counter()
        with closing(http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)) as connection:
            connection.request("GET", target, headers=dict(login))
            received = connection.getresponse()
            answer.raw = io.BytesIO(received.read())
        answer.status_code = received.status
        answer.headers.update(received.headers)
        answer.elapsed = dt.timedelta(seconds=time.perf_counter() - started)
        return answer

    def rows(self, rest_class: str, **parameters: str) -> list[JsonObject]:
        """One page of a list."""
        return t.cast("list[JsonObject]", decoded(self.rest(rest_class, **parameters))["$resources"])

    def all_rows(self, rest_class: str, **parameters: str) -> list[JsonObject]:
        """Every page of a list, following `$next` as it is given."""
        answer = decoded(self.rest(rest_class, **parameters))
        found = list(answer["$resources"])
        while link := answer["$links"].get("$next"):
            answer = decoded(self.get(link["$url"]))
            found.extend(answer["$resources"])
        return found

    def details(self, resource: JsonObject) -> JsonObject:
        """The details of a record out of a list."""
        return decoded(self.get(resource["$url"]))

    def post(self, query: str, **arguments: t.Any) -> requests.Response:  # noqa: ANN401 - what requests takes
        """POST a GraphQL query with a fresh token, or with the `headers` given."""
        variables = arguments.pop("variables", None)
        headers = arguments.pop("headers", None)
        if headers is None:
            headers = self.graphql_headers()
        body = {"query": query, "variables": variables}
        return self.session.post(f"{self.url}/xtrem/api", json=body, headers=headers, timeout=60)

    def graphql_headers(self) -> dict[str, str]:
        """A fresh token and the name of the endpoint."""
        return {"Authorization": f"Bearer {self.token()}", "x-xtrem-endpoint": str(self.ready["folder"])}

    def query(self, package: str, node: str, selection: str, arguments: str = "") -> JsonObject:
        """The connection of a node's `query`; fails on errors."""
        call = f"query({arguments})" if arguments else "query"
        answer = decoded(self.post(f"{{ {package} {{ {node} {{ {call} {{ {selection} }} }} }} }}"))
        assert "errors" not in answer, answer["errors"]
        return t.cast("JsonObject", answer["data"][package][node]["query"])

    def nodes(
        self, package: str, node: str, selection: str, arguments: str = "first: 1000"
    ) -> list[JsonObject]:
        """The nodes of one page."""
        page = self.query(package, node, f"edges {{ node {{ {selection} }} }}", arguments)
        return [edge["node"] for edge in page["edges"]]

    def token(self, secret: str | None = None, **claims: object) -> str:
        """A connected application's token; `claims` replace or (when None) drop the right ones."""
        now = int(time.time())
        right: JsonObject = {
            "iss": self.ready["client_id"],
            "sub": self.ready["allowed_user"],
            "aud": self.ready["audience"],
            "iat": now - 30,
            "exp": now + 270,
        }
        payload = {name: value for name, value in {**right, **claims}.items() if value is not None}
        return jwt.encode(payload, secret or self.ready["client_secret"], algorithm="HS256")


def decoded(answer: requests.Response) -> JsonObject:
    """The JSON body of a good answer, with exact numbers."""
    assert answer.status_code == requests.codes.ok, f"{answer.status_code}: {answer.text[:500]}"
    return t.cast("JsonObject", json.loads(answer.content, parse_float=Decimal))


def diagnosis(answer: requests.Response) -> str:
    """The message of an api1 refusal."""
    return str(answer.json()["$diagnoses"][0]["$message"])
