"""What all generated data share: companies, sites, currencies, names, and the times of documents."""

from __future__ import annotations

import datetime as dt
import zlib
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property, lru_cache
from random import Random
from typing import Protocol

from local_x3.data.filler import plain
from local_x3.model import CREATED, STAMP, Document, Key, Row

ANCHOR = dt.datetime(
    2026, 10, 31, 18, 0, 0, tzinfo=dt.UTC
)  # the newest generated stamp; fixed, so that a seed is enough
SPAN = dt.timedelta(days=730)
LAST_DAY = 86_400
EPOCH = dt.date(1970, 1, 1).toordinal()
RECENT_SHARE = 0.03  # of the documents are of the last day: an overlap has something to hold
CREDIT_MEMOS = 9  # one invoice in so many is a credit memo
BATCH = 5  # documents of a batch share one second

CENT, WHOLE = Decimal("0.01"), Decimal(1)
WHOLE_CURRENCIES = frozenset({"JPY"})
RATES_TO_EURO = {"EUR": Decimal(1), "USD": Decimal("0.918273645"), "GBP": Decimal("1.172839506"),
                 "CHF": Decimal("1.063829787"), "JPY": Decimal("0.006172839")}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Site:
    """A plant or warehouse and the company it belongs to."""

    code: str
    company: str
    currency: str
    chart: str
    country: str
    city: str


SITES = (
    Site("FR011", "PP10", "EUR", "FRA", "FR", "Besançon"),
    Site("FR012", "PP10", "EUR", "FRA", "FR", "Cluses"),
    Site("DE013", "PP10", "EUR", "FRA", "DE", "Tübingen"),
    Site("US021", "PP20", "USD", "USA", "US", "Rockford"),
    Site("US022", "PP20", "USD", "USA", "US", "Wichita"),
)
WAREHOUSE = Site("FR01W", "PP10", "EUR", "FRA", "FR", "Dole")  # shared by all plants
PLACES = (*SITES, WAREHOUSE)
BUYERS = ("MLEFE", "JDOE", "ASTEI", "KWONG")
UNITS = ("UN", "KG", "M", "L", "BOX")
PAYMENT_TERMS = ("30NET", "60NET", "30EOM", "CASH")
TAX_CODE = {"FRA": "NOR", "USA": "EXO"}
TAX_RATE = {"FRA": Decimal("0.2"), "USA": Decimal(0)}


class Maker(Protocol):
    """Makes the documents of one source from their numbers, the same ones each time."""

    @property
    def count(self) -> int:
        """How many documents there are."""

    def key(self, index: int) -> Key:
        """Return the key of a document, cheaply."""

    def stamps(self, index: int) -> tuple[str, str]:
        """Return when a document was made and last changed."""

    def document(self, index: int) -> Document:
        """Return the document; columns that matter to nobody else may be missing."""

    def header(self, index: int) -> Row:
        """Return the document's own row; without its lines where that is cheaper."""


def rounded(value: Decimal, currency: str) -> Decimal:
    """Round to the decimals of a currency, half up: there is no tenth of a yen."""
    return plain(value.quantize(WHOLE if currency in WHOLE_CURRENCIES else CENT, rounding=ROUND_HALF_UP))


@dataclass(frozen=True, slots=True)
class Extras:
    """What generated data have only when they are asked for.

    Attributes:
        long_invoice: the first invoice has 1,500 lines at any scale.
        mass_update: so many GL entries, the last ones, share the newest second.
        unstamped: one document in 31 has no change stamp, as after an import or SQL [I].
    """

    long_invoice: bool = False
    mass_update: int = 0
    unstamped: bool = False


@dataclass(frozen=True)
class World:
    """Seed, size and time of a dataset."""

    seed: int
    scale: int
    anchor: dt.datetime
    extras: Extras = Extras()

    def rng(self, name: str, index: int) -> Random:
        """Return the random numbers of one document."""
        return Random((self.seed << 64) ^ (zlib.crc32(name.encode()) << 32) ^ index)  # noqa: S311 - test data

    @cached_property
    def first(self) -> int:
        """The second at which the data begin."""
        return int((self.anchor - SPAN).timestamp())

    @cached_property
    def last(self) -> int:
        """The second after which nothing is stamped."""
        return int(self.anchor.timestamp())

    @cached_property
    def last_stamp(self) -> str:
        """The newest stamp there may be."""
        return stamp_text(self.last)

    def created(self, name: str, index: int, count: int) -> int:
        """Return the second a document was made in: rising with its number, a batch sharing one second."""
        share = (index - index % BATCH) / max(count, 1)
        jitter = zlib.crc32(f"{self.seed}:{name}:{index // BATCH}".encode()) % 3600
        days = self.last - self.first - LAST_DAY - 3600
        if share < 1 - RECENT_SHARE:
            return self.first + int(share / (1 - RECENT_SHARE) * days) + jitter
        return (
            self.last - LAST_DAY + int((share - 1 + RECENT_SHARE) / RECENT_SHARE * (LAST_DAY - 3600)) + jitter
        )

    def times(self, name: str, index: int, count: int) -> tuple[str, str]:
        """Return creation and change stamp; one document in seven was changed up to 60 days later."""
        made = self.created(name, index, count)
        mix = zlib.crc32(f"{name}/{index}/{self.seed}".encode())
        changed = made if mix % 7 else min(made + mix % (60 * LAST_DAY), self.last)
        return stamp_text(made), stamp_text(changed)


@lru_cache(maxsize=2048)
def _day_text(day: int) -> str:
    return dt.date.fromordinal(EPOCH + day).isoformat()


def stamp_text(second: int) -> str:
    """Write a second as a stamp."""
    day, rest = divmod(second, LAST_DAY)
    return f"{_day_text(day)}T{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}Z"


def shift_date(day: str, days: int) -> str:
    """Return the date so many days after the date of a stamp."""
    return (dt.date.fromisoformat(day[:10]) + dt.timedelta(days=days)).isoformat()


def stamped(row: Row, stamps: tuple[str, str]) -> Row:
    """Put creation and change stamp into a row."""
    row[CREATED], row[STAMP] = stamps
    return row


@lru_cache
def rate(currency: str, into: str) -> Decimal:
    """Return the exchange rate, nine decimals."""
    exact = RATES_TO_EURO[currency] / RATES_TO_EURO[into]
    return plain(exact.quantize(Decimal("0.000000001"), rounding=ROUND_HALF_UP))


def converted(amount: Decimal, currency: str, into: str) -> Decimal:
    """Convert an amount; up to four decimals, as ledger rates make them."""
    if currency == into:
        return amount
    return plain((amount * rate(currency, into)).quantize(Decimal("0.0001"), rounding=ROUND_HALF_UP))
