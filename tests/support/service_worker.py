"""A service user of the local Snowflake that can log in in every way."""

from __future__ import annotations

import base64
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from oidc import IdentityProvider

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
    from target_world import World

NONE = {"private_key_path": None}


def pem(key: PrivateKeyTypes) -> str:
    """A key as unencrypted PKCS8 PEM."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@dataclass
class Worker:
    """A service user that logs in in any way, and the settings of each."""

    world: World
    name: str
    provider: IdentityProvider
    curved: ec.EllipticCurvePrivateKey
    token: str
    token_file: Path

    def ways(self) -> dict[str, dict[str, Any]]:
        """Settings by what they are; all of user `name` but the keys, which are the loader's."""
        loader = self.world.ready["users"]["LOADER"]
        own = {**NONE, "user": self.name}
        secret = self.world.control.oauth_token(self.name, seconds=3600)
        self.token_file.write_text(self.provider.token("job") + "\n")
        return {
            "key file": {},
            "key file, encrypted": {
                "private_key_path": loader["encrypted_private_key_path"],
                "private_key_passphrase": Path(loader["passphrase_path"]).read_text(),
            },
            "key text": {**NONE, "private_key": Path(loader["private_key_path"]).read_text()},
            "ECDSA key": {**own, "private_key": pem(self.curved)},
            "access token": {**own, "token": self.token + "\n"},
            "OAuth token": {**own, "oauth_token": secret},
            "workload, file": {
                **own,
                "workload_identity_provider": "OIDC",
                "workload_identity_token_path": str(self.token_file),
            },
            "workload, text": {
                **own,
                "workload_identity_provider": "OIDC",
                "workload_identity_token": self.provider.token("job"),
            },
        }


@contextmanager
def service_worker(world: World, folder: Path) -> Iterator[Worker]:
    """Make the user, and drop it at the end; `folder` takes its files."""
    name = f"WORKER_{world.schema}"
    curved = ec.generate_private_key(ec.SECP256R1())
    public = curved.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    provider = IdentityProvider(f"https://tokens.example/{name}")
    world.control.oidc_provider(provider.issuer, provider.public_key)
    world.query(
        f"CREATE USER {name} TYPE = SERVICE DEFAULT_ROLE = SAGEX3_LOADER NETWORK_POLICY = ANY_ADDRESS "
        f"RSA_PUBLIC_KEY = '{base64.b64encode(public).decode()}' "
        f"WORKLOAD_IDENTITY = (TYPE = OIDC ISSUER = '{provider.issuer}' SUBJECT = 'job')"
    )
    world.query(f"GRANT ROLE SAGEX3_LOADER TO USER {name}")
    [row] = world.query(
        f"ALTER USER {name} ADD PROGRAMMATIC ACCESS TOKEN T ROLE_RESTRICTION = 'SAGEX3_LOADER'"
    )
    yield Worker(world, name, provider, curved, row["token_secret"], folder / "token")
    world.query(f"DROP USER {name}")
