"""The SQL that makes the user who loads: a service user, its key or access token, and where it may come from.

Sources: docs.snowflake.com/en/sql-reference/sql/create-user, /create-network-rule, /create-network-policy,
/alter-user-add-programmatic-access-token; docs.snowflake.com/en/user-guide/programmatic-access-tokens. A
service user has no password, and needs a network policy for an access token, which is tied to one role.
"""

from __future__ import annotations

import base64
import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_snowflake_audit.sql.quoting import TableName, identifier, literal

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "TARGET_SNOWFLAKE_AUDIT"  # noqa: S105 - the name of a token
MAX_DAYS = 365
_COMMENT = "Loads data with target-snowflake-audit"


@dataclass(frozen=True)
class ServiceUser:
    """A service user to make; names as stored in Snowflake.

    `public_key`: base64 DER, '' = none; `token_days`: life of an access token, 0 = none; `addresses`: IPv4
    addresses and ranges that it may log in from, none = wherever the account allows.
    """

    name: str
    role: str
    warehouse: str
    rule: TableName
    public_key: str = ""
    token_days: int = 0
    addresses: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check what belongs together.

        Raises:
            ValueError: an address is none, or a token has no network policy or too long a life.
        """
        object.__setattr__(self, "addresses", tuple(map(_address, self.addresses)))
        if self.token_days and not self.addresses:
            message = "a service user needs a network policy for an access token: give --allow"
            raise ValueError(message)
        if not 0 <= self.token_days <= MAX_DAYS:
            message = f"an access token lives 1 to {MAX_DAYS} days, not {self.token_days}"
            raise ValueError(message)

    @property
    def policy(self) -> str:
        """Name of its network policy."""
        return f"{self.name}_ADDRESSES"


def _address(text: str) -> str:
    """An address or range as a network rule takes it: one address, or a range in CIDR form.

    Python also reads a range with its mask (203.0.113.0/255.255.255.0), which user-guide/network-rules does
    not know. A range is written with the address it starts at.
    """
    try:
        found = ipaddress.IPv4Network(text, strict=False)
    except ValueError:
        message = f"--allow {text}: expected an IPv4 address or range, such as 203.0.113.7 or 203.0.113.0/24"
        raise ValueError(message) from None
    return str(found) if "/" in text else text


def public_key_text(pem: bytes) -> str:
    """Give a public key, PEM or DER, as RSA_PUBLIC_KEY takes it; the parameter takes ECDSA keys too.

    Raises:
        ValueError: it is no public key, or of a kind that Snowflake does not take.
    """
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - most scripts need none
    from cryptography.hazmat.primitives.asymmetric import ec, rsa  # noqa: PLC0415

    if b"PRIVATE KEY" in pem:
        message = "it is a private key, which stays where it is; give the public one"
        raise ValueError(message)
    armoured = pem.lstrip().startswith(b"-----")
    key = (serialization.load_pem_public_key if armoured else serialization.load_der_public_key)(pem)
    if not isinstance(key, (rsa.RSAPublicKey, ec.EllipticCurvePublicKey)):
        message = "Snowflake takes RSA and ECDSA keys"
        raise ValueError(message)  # noqa: TRY004 - the content of a file is wrong, not the type of an argument
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return base64.b64encode(key.public_bytes(serialization.Encoding.DER, form)).decode()


def create(user: ServiceUser) -> Iterator[str]:
    """Make the user, before its roles are granted."""
    name = identifier(user.name)
    yield (
        f"CREATE USER IF NOT EXISTS {name} TYPE = SERVICE DEFAULT_ROLE = {identifier(user.role)}"
        f" DEFAULT_WAREHOUSE = {identifier(user.warehouse)} COMMENT = {literal(_COMMENT)}"
    )
    if user.public_key:
        yield f"ALTER USER {name} SET RSA_PUBLIC_KEY = {literal(user.public_key)}"


def access(user: ServiceUser) -> Iterator[str]:
    """Say where the user may come from, and give it a token; after its role is granted."""
    name, policy = identifier(user.name), identifier(user.policy)
    if user.addresses:
        addresses = ", ".join(literal(address) for address in user.addresses)
        yield (
            f"CREATE OR ALTER NETWORK RULE {user.rule.sql} TYPE = IPV4 VALUE_LIST = ({addresses})"
            " MODE = INGRESS"
        )
        yield (
            f"CREATE NETWORK POLICY IF NOT EXISTS {policy}"
            f" ALLOWED_NETWORK_RULE_LIST = ({literal(user.rule.sql)})"
        )
        yield f"ALTER USER {name} SET NETWORK_POLICY = {policy}"
    if user.token_days:
        yield (
            f"ALTER USER {name} ADD PROGRAMMATIC ACCESS TOKEN IF NOT EXISTS {identifier(TOKEN)}"
            f" ROLE_RESTRICTION = {literal(user.role)} DAYS_TO_EXPIRY = {user.token_days}"
        )
