"""Users and their credentials: what is registered for whom.

Rules restored (create-user, key-pair-auth, programmatic-access-tokens and workload-identity-federation pages,
release notes of 9.25): a user holds up to two public keys, RSA or ECDSA on three curves, a password, a
workload identity, named access tokens that end and that may be tied to one role; a service user has no
password, and needs a network policy for an access token; five failed logins lock a user for 15 minutes.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
    load_pem_private_key,
)

if TYPE_CHECKING:
    from pathlib import Path

ACCOUNT = "SANDBOX"
YEAR = 365 * 86400.0
SMALLEST_KEY = 2048  # bits (key-pair-auth page)
ALGORITHMS = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}  # release notes of 9.25
PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey


@dataclass
class AccessToken:
    """A programmatic access token. `expires`: seconds since 1970 on the sandbox's clock."""

    name: str
    secret: str = field(repr=False)
    expires: float
    role: str | None = None


@dataclass
class OauthToken:
    """An OAuth access token that some identity provider gave for a user."""

    secret: str = field(repr=False)
    expires: float


@dataclass
class WorkloadIdentity:
    """The WORKLOAD_IDENTITY of a service user: whose token, about whom, for whom."""

    type: str
    issuer: str
    subject: str
    audiences: list[str]


@dataclass
class User:
    """A user; secrets never appear in its repr.

    `keys`: RSA_PUBLIC_KEY and RSA_PUBLIC_KEY_2 as base64 DER, without the PEM lines; `failures`: wrong logins
    since the last good one; `locked_until`: on the sandbox's clock; `parameters`: of its sessions.
    """

    name: str
    default_role: str
    roles: set[str]
    default_warehouse: str | None = None
    default_namespace: str | None = None
    kind: str = "PERSON"
    password: str | None = field(default=None, repr=False)
    keys: dict[str, str] = field(default_factory=dict)
    tokens: list[AccessToken] = field(default_factory=list, repr=False)
    oauth_tokens: list[OauthToken] = field(default_factory=list, repr=False)
    workload_identity: WorkloadIdentity | None = None
    network_policy: str | None = None
    disabled: bool = False
    comment: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    failures: int = 0
    locked_until: float = 0.0

    def key(self, fingerprint_: str) -> PublicKey | None:
        """The registered public key of this fingerprint."""
        for text in self.keys.values():
            key = public_key(text)
            if fingerprint(key) == fingerprint_:
                return key
        return None


class Users(dict[str, User]):
    """All users by name, written to `path` when there is one."""

    def __init__(self, path: Path | None = None) -> None:
        """Read what a former process saved."""
        super().__init__()
        self._path = path
        for entry in json.loads(path.read_text()) if path and path.exists() else []:
            entry["roles"] = set(entry["roles"])
            entry["tokens"] = [AccessToken(**token) for token in entry["tokens"]]
            entry["oauth_tokens"] = [OauthToken(**token) for token in entry["oauth_tokens"]]
            if entry.get("workload_identity"):
                entry["workload_identity"] = WorkloadIdentity(**entry["workload_identity"])
            self[entry["name"]] = User(**entry)

    def save(self) -> None:
        """Write the users down, for nobody else to read."""
        if self._path:
            entries = [{**asdict(user), "roles": sorted(user.roles)} for user in self.values()]
            write_private(self._path, json.dumps(entries).encode())


def public_key(text: str) -> PublicKey:
    """The key that RSA_PUBLIC_KEY = 'text' sets: base64 DER, with or without PEM lines.

    Raises:
        ValueError: it is neither an RSA public key of 2048 bits or more nor one on a curve of `ALGORITHMS`.
    """
    body = "".join(line for line in text.split("\n") if not line.startswith("-----"))
    key = load_der_public_key(base64.b64decode("".join(body.split()), validate=True))
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in ALGORITHMS:
        return key
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < SMALLEST_KEY:
        msg = f"not an RSA public key of at least {SMALLEST_KEY} bits, nor ECDSA on {', '.join(ALGORITHMS)}"
        raise ValueError(msg)
    return key


def algorithm(key: PublicKey) -> str:
    """The one signature algorithm that goes with a key."""
    return "RS256" if isinstance(key, rsa.RSAPublicKey) else ALGORITHMS[key.curve.name]


def key_text(key: PublicKey) -> str:
    """A public key as RSA_PUBLIC_KEY takes it."""
    return base64.b64encode(_der(key)).decode()


def _der(key: PublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def fingerprint(key: PublicKey) -> str:
    """`SHA256:` and the base64 SHA-256 of the DER SubjectPublicKeyInfo, as DESC USER shows it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(_der(key)).digest()).decode()


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_bytes(content)


def _pem(key: rsa.RSAPrivateKey, protection: KeySerializationEncryption) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection)


def _private_key(file: Path) -> tuple[rsa.RSAPrivateKey, bool]:
    """The private key of a file, made when there is none; and whether it is new."""
    if file.exists():
        key = load_pem_private_key(file.read_bytes(), None)
        if isinstance(key, rsa.RSAPrivateKey):
            return key, False
    key = rsa.generate_private_key(public_exponent=65537, key_size=SMALLEST_KEY)
    write_private(file, _pem(key, NoEncryption()))
    return key, True


def make_users(folder: Path, now: float, stored: Path | None = None) -> Users:
    """ADMIN, LOADER and REVIEWER, with what `stored` says of them; private keys are in `folder`, mode 0600.

    A key that a folder holds already is used again. A new one is registered in the place of the first.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    users = Users(stored)
    for name, role in (("LOADER", "SAGEX3_LOADER"), ("REVIEWER", "SAGEX3_REVIEWER")):
        key, new = _private_key(folder / f"{name.lower()}.p8")
        user = users.setdefault(name, User(name, role, {role, "PUBLIC"}, kind="SERVICE"))
        if new or not user.keys:
            user.keys["RSA_PUBLIC_KEY"] = key_text(key.public_key())
        if name == "LOADER":
            _loader(folder, key, user, now)
    if "ADMIN" not in users:
        password = secrets.token_urlsafe(18)
        users["ADMIN"] = User(
            "ADMIN", "ACCOUNTADMIN", {"ACCOUNTADMIN", "PUBLIC"}, "LOAD_WH", password=password
        )
    users.save()
    return users


def _loader(folder: Path, key: rsa.RSAPrivateKey, user: User, now: float) -> None:
    """The loader's other ways in: its key under a passphrase, an access token and an OAuth token."""
    encrypted, passphrase = folder / "loader_encrypted.p8", folder / "loader_passphrase.txt"
    if not (encrypted.exists() and passphrase.exists()):
        words = secrets.token_urlsafe(18).encode()
        write_private(encrypted, _pem(key, BestAvailableEncryption(words)))
        write_private(passphrase, words)
    user.network_policy = user.network_policy or "LOCAL_ONLY"
    if not any(token.name == "LOADING" for token in user.tokens):
        user.tokens.append(AccessToken("LOADING", secrets.token_urlsafe(32), now + YEAR))
    if not user.oauth_tokens:
        user.oauth_tokens.append(OauthToken(secrets.token_urlsafe(32), now + YEAR))


def described(user: User) -> list[tuple[str, Any]]:
    """Property and value of a user, as DESCRIBE USER lists them; never a secret."""
    prints = {name: fingerprint(public_key(text)) for name, text in user.keys.items()}
    return [
        ("NAME", user.name),
        ("LOGIN_NAME", user.name),
        ("COMMENT", user.comment or None),
        ("TYPE", user.kind),
        ("DISABLED", str(user.disabled).lower()),
        ("PASSWORD", "********" if user.password else None),
        ("DEFAULT_WAREHOUSE", user.default_warehouse),
        ("DEFAULT_NAMESPACE", user.default_namespace),
        ("DEFAULT_ROLE", user.default_role),
        ("RSA_PUBLIC_KEY_FP", prints.get("RSA_PUBLIC_KEY")),
        ("RSA_PUBLIC_KEY_2_FP", prints.get("RSA_PUBLIC_KEY_2")),
    ]
