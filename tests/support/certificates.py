"""Certificates for tests: an authority of our own, servers and clients that it signs."""

from __future__ import annotations

import ipaddress
import typing as t
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if t.TYPE_CHECKING:
    from pathlib import Path

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Files:
    """PEM files of one certificate."""

    certificate: str
    key: str


class Authority:
    """Signs certificates; the files go into one folder."""

    def __init__(self, folder: Path, name: str = "ca") -> None:
        """Make the authority's own certificate."""
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(f"Authority {name}")
        own = self._builder(self._name, self._key, 0).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        usage = x509.KeyUsage(
            digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
            key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        signed = own.add_extension(usage, critical=True).sign(self._key, hashes.SHA256())
        self.file = str(_write(folder / f"{name}.pem", signed.public_bytes(serialization.Encoding.PEM)))

    def sign(
        self, name: str, *, host: str = HOST, expired_days: int = 0, password: bytes | None = None
    ) -> Files:
        """A certificate for a host address and its key; `password` encrypts the key."""
        key = ec.generate_private_key(ec.SECP256R1())
        alternative = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))])
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        made = self._builder(_name(name), key, expired_days).add_extension(alternative, critical=False)
        signed = made.add_extension(issuer, critical=False).sign(self._key, hashes.SHA256())
        encryption = (
            serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
        )
        secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
        certificate = _write(self._folder / f"{name}.pem", signed.public_bytes(serialization.Encoding.PEM))
        return Files(str(certificate), str(_write(self._folder / f"{name}.key", secret)))

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, expired_days: int
    ) -> x509.CertificateBuilder:
        ends = datetime.now(UTC) + timedelta(days=1 - 2 * expired_days)
        identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(ends - timedelta(days=2))
            .not_valid_after(ends)
            .add_extension(identifier, critical=False)
        )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path
