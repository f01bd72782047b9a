"""The peer of our tap: products of api1 as a plain `RESTStream`, with what the SDK does by itself.

Runs in the environment of our own tap, by its path. It has what a first version of such a tap has: Basic
login, a hand-written schema, one page after the other along `$next`; conversion, selection and writing are
the SDK's.
"""

from __future__ import annotations

import typing as t
from urllib.parse import parse_qsl, quote

from singer_sdk import RESTStream, Tap
from singer_sdk import typing as th
from singer_sdk.authenticators import BasicAuthenticator
from singer_sdk.pagination import BaseHATEOASPaginator

if t.TYPE_CHECKING:
    from urllib.parse import ParseResult

    import requests

TEXTS = (
    "ITMREF ITMDES1 ITMDES2 ITMDES3 DES1AXX TCLCOD SEAKEY EANCOD STU PUU SAU WEU VOU "
    "ACCCOD VACITM1 BUY PLANNER"
)
INTEGERS = "ITMSTA HDKITMTYP STOMGTCOD LOTMGTCOD SERMGTCOD PURFLG SALFLG MFGFLG"
NUMBERS = "PUUSTUCOE SAUSTUCOE ITMWEI ITMVOU PURBASPRI"
DATES = "LIFSTRDAT LIFENDDAT UPDDAT"
TIMES = "CREDATTIM UPDDATTIM"


def _properties(names: str, kind: type[th.JSONTypeHelper[t.Any]]) -> list[th.Property[t.Any]]:
    return [th.Property(name, kind) for name in names.split()]


class NextPage(BaseHATEOASPaginator):
    """Follows `$links.$next`."""

    def get_next_url(self, response: requests.Response) -> str | None:
        """Give the link to the next page."""
        return t.cast("str | None", response.json()["$links"].get("$next", {}).get("$url"))


class Products(RESTStream["ParseResult"]):
    """Class ITMMASTER."""

    name = "products"
    primary_keys: t.ClassVar[t.Sequence[str]] = ("ITMREF",)
    replication_key = "UPDDATTIM"
    records_jsonpath = '$."$resources"[*]'
    schema = th.PropertiesList(
        *_properties(TEXTS, th.StringType),
        *_properties(INTEGERS, th.IntegerType),
        *_properties(NUMBERS, th.NumberType),
        *_properties(DATES, th.DateType),
        *_properties(TIMES, th.DateTimeType),
    ).to_dict()

    @property
    def url_base(self) -> str:
        """Address of the folder."""
        return f"{self.config['server_url']}/api1/x3/erp/{self.config['folder']}"

    @property
    def path(self) -> str:  # type: ignore[override]
        """The class."""
        return "/ITMMASTER"

    @property
    def authenticator(self) -> BasicAuthenticator:
        """Basic login."""
        return BasicAuthenticator(username=self.config["username"], password=self.config["password"])

    def get_new_paginator(self) -> NextPage:
        """One page after the other."""
        return NextPage()

    def get_url_params(self, context: object, next_page_token: ParseResult | None) -> str:  # noqa: ARG002
        """Give what the link says, or the query of the first page."""
        if next_page_token:
            parameters = parse_qsl(next_page_token.query)
        else:
            parameters = [
                ("representation", "ITMMASTER.$query"),
                ("count", str(self.config["page_size"])),
                ("orderBy", "ITMREF asc"),
            ]
        return "&".join(f"{name}={quote(value, safe='$')}" for name, value in parameters)


class PlainTap(Tap):
    """A tap of one stream."""

    name = "tap-plain"
    config_jsonschema = th.PropertiesList(
        th.Property("server_url", th.StringType, required=True),
        th.Property("folder", th.StringType, required=True),
        th.Property("username", th.StringType, required=True),
        th.Property("password", th.StringType, required=True, secret=True),
        th.Property("page_size", th.IntegerType, required=True),
    ).to_dict()

    def discover_streams(self) -> list[Products]:
        """The one stream."""
        return [Products(tap=self)]


if __name__ == "__main__":
    PlainTap.cli()
