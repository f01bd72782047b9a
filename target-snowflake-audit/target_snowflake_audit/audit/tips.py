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
    from collections.abc import Mapping

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

    def signed_by(self, key: bytes, signature: str) -> bool:
        """Whether a signature is the key's."""
        return hmac.compare_digest(self.signature(key), signature)


def key_of(settings: Mapping[str, Any]) -> bytes | None:
    """The key that tips are signed with; None when there is none.

    Raises:
        SettingError: it is too short to protect anything.
    """
    text = str(settings.get(SETTING) or "")
    if not text:
        return None
    if len(text) < MIN_KEY:
        problem = (
            f"it has {len(text)} characters, expected at least {MIN_KEY} (`openssl rand -hex 32` makes one)"
        )
        raise SettingError(SETTING, problem)
    return text.encode()
