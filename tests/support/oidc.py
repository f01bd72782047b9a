"""An identity provider that signs tokens for workloads."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

if TYPE_CHECKING:
    from collections.abc import Iterable

AUDIENCE = "snowflakecomputing.com"


class IdentityProvider:
    """A provider with a key of its own."""

    def __init__(self, issuer: str) -> None:
        """`issuer`: its address, which no test ever asks."""
        self.issuer = issuer
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    @property
    def public_key(self) -> str:
        """The key that checks signatures, PEM."""
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return self._key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()

    def token(
        self, subject: str, *, audience: str = AUDIENCE, seconds: float = 300, without: Iterable[str] = ()
    ) -> str:
        """A token about a subject that is good for some seconds; claims `without` are left out."""
        now = dt.datetime.now(dt.UTC)
        claims = {
            "iss": self.issuer,
            "sub": subject,
            "aud": audience,
            "iat": now - dt.timedelta(seconds=90),
            "exp": now + dt.timedelta(seconds=seconds),
        }
        kept = {name: value for name, value in claims.items() if name not in without}
        return jwt.encode(kept, self._key, algorithm="RS256")
