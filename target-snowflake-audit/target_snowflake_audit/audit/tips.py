"""Tips: the last link of each chain, to be kept outside Snowflake.

A chain shows what was changed, added or taken out in its middle. It cannot show that its end was cut off, or
that somebody who may write computed all of it again from some place on. A tip that was kept elsewhere does:
in the log of the run, or signed with `audit_hmac_key`, which Snowflake never sees.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from target_snowflake_audit.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SETTING = "audit_hmac_key"
MIN_KEY = 32
"""Least length of a key in characters: 32 hexadecimal digits are 128 bits."""


@dataclass(frozen=True, order=True)
class Tip:
    """The last link of a chain: `digest` is a row's CHAIN_DIGEST, in a run's chain that of its last rows."""

    chain: str
    number: int
    digest: str

    def as_json(self, key: bytes | None) -> dict[str, Any]:
        """The tip for TIPS and the log, signed when there is a key."""
        found: dict[str, Any] = {"number": self.number, "digest": self.digest}
        return found if key is None else {**found, "hmac": self.signature(key)}

    def line(self, key: bytes | None) -> str:
        """The tip as one line of JSON."""
        return msgspec.json.encode({"chain": self.chain, **self.as_json(key)}).decode()

    def signature(self, key: bytes) -> str:
        """HMAC-SHA256 over chain, number and digest, one a line; lower-case hexadecimal."""
        text = f"{self.chain}\n{self.number}\n{self.digest}"
        return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()

    def signed_by(self, keys: Iterable[bytes], signature: str) -> bool:
        """Whether a signature is that of one of the keys."""
        given = signature.encode(errors="backslashreplace")  # as text, characters outside ASCII are an error
        return any(hmac.compare_digest(self.signature(key).encode(), given) for key in keys)


def keys_of(settings: Mapping[str, Any]) -> tuple[bytes, ...]:
    """The keys of `audit_hmac_key`, separated by commas: the first one signs, tips may be signed by any.

    Raises:
        SettingError: one is too short to protect anything.
    """
    texts = [text.strip() for text in str(settings.get(SETTING) or "").split(",")]
    if texts == [""]:
        return ()
    shortest = min(map(len, texts))
    if shortest < MIN_KEY:
        problem = (
            f"a key has {shortest} characters, expected at least {MIN_KEY} (`openssl rand -hex 32` makes one)"
        )
        raise SettingError(SETTING, problem)
    return tuple(text.encode() for text in texts)
