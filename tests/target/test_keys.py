"""Private keys in every form that people have them in, and what each wrong one is called."""

from __future__ import annotations

import base64
import os
import re
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from target_snowflake_audit.errors import SettingError
from target_snowflake_audit.keys import private_key_der

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

PKCS8, PKCS1 = PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def pem(key: PrivateKeyTypes, passphrase: bytes | None = None, form: PrivateFormat = PKCS8) -> str:
    how = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    return key.private_bytes(Encoding.PEM, form, how).decode()


def der(key: PrivateKeyTypes) -> bytes:
    return key.private_bytes(Encoding.DER, PKCS8, NoEncryption())


def forms_of(key: PrivateKeyTypes, folder: Path) -> dict[str, dict[str, str]]:
    """Settings for every form of a key, by what it is."""
    texts = {
        "PEM": pem(key),
        "PEM with \\n in words": pem(key).replace("\n", "\\n"),
        "PEM on one line": " ".join(pem(key).split("\n")),
        "PEM of Windows": pem(key).replace("\n", "\r\n"),
        "traditional PEM": pem(key, form=PKCS1),
        "PEM after a certificate": CERTIFICATE + pem(key),
        "PEM after EC parameters": "-----BEGIN EC PARAMETERS-----\nBggq\n-----END EC PARAMETERS-----\n"
        + pem(key),
        "base64 of DER": base64.b64encode(der(key)).decode(),
        "base64 of DER in lines": base64.encodebytes(der(key)).decode(),
    }
    found = {name: {"private_key": text} for name, text in texts.items()}
    for name, text, passphrase in (
        ("encrypted", pem(key, b"secret"), "secret"),
        ("encrypted, traditional", pem(key, b"secret", PKCS1), "secret"),
    ):
        found[name] = {"private_key": text, "private_key_passphrase": passphrase}
    for name, content in (
        ("file", pem(key).encode()),
        ("file of DER", der(key)),
        ("file of PowerShell", pem(key).encode("utf-16")),
        ("file with a byte order mark", b"\xef\xbb\xbf" + pem(key).encode()),
    ):
        file = folder / f"{name}.p8"
        file.write_bytes(content)
        file.chmod(0o600)
        found[name] = {"private_key_path": str(file)}
    return found


def test_der_whose_last_byte_looks_like_white_space(tmp_path: Path) -> None:
    """One key in forty: its file was cut by a byte."""
    found = (ec.generate_private_key(ec.SECP256R1()) for _ in range(5_000))
    chosen = next(one for one in found if der(one)[-1:].isspace())
    file = tmp_path / "key.p8"
    file.write_bytes(der(chosen))
    file.chmod(0o600)
    assert private_key_der({"private_key_path": str(file)}) == der(chosen)


@pytest.mark.parametrize("kind", ["rsa", "secp256r1", "secp384r1", "secp521r1"])
def test_keys_in_every_form_give_the_same_der(kind: str, key: rsa.RSAPrivateKey, tmp_path: Path) -> None:
    curves = {"secp256r1": ec.SECP256R1(), "secp384r1": ec.SECP384R1(), "secp521r1": ec.SECP521R1()}
    chosen = key if kind == "rsa" else ec.generate_private_key(curves[kind])
    said: list[str] = []
    for name, settings in forms_of(chosen, tmp_path).items():
        assert private_key_der(settings, warn=said.append) == der(chosen), name
    assert said == []


def refused(settings: Mapping[str, Any]) -> str:
    with pytest.raises(SettingError) as raised:
        private_key_der(settings)
    text = str(raised.value)
    for value in (settings.get("private_key"), settings.get("private_key_passphrase")):
        assert not value or len(str(value)) < 9 or str(value) not in text
    assert "MII" not in text
    return text


def test_wrong_texts_name_the_setting_and_the_fault(key: rsa.RSAPrivateKey) -> None:
    public = key.public_key()
    spki = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    small = rsa.generate_private_key(65537, 1024)  # noqa: S505 - it is refused
    other = ed25519.Ed25519PrivateKey.generate()
    for text, expected in (
        ("rubbish", "not a private key; expected PKCS8"),
        (spki, "found a public key; the private key is needed"),
        (
            base64.b64encode(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode(),
            "found a public key",
        ),
        (public.public_bytes(Encoding.PEM, PublicFormat.PKCS1).decode(), "found a public key"),
        (public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode(), "found a public key"),
        (CERTIFICATE, "found a certificate; the private key is needed"),
        (pem(key, form=PrivateFormat.OpenSSH), "found an OpenSSH key; .*ssh-keygen -p -m PKCS8"),
        (pem(key)[:-30], "found no whole private key"),
        (pem(key).replace("MII", "AAA", 1), "not a private key"),
        (pem(small), "the RSA key has 1024 bits; Snowflake takes RSA of 2048 bits or more"),
        (pem(ec.generate_private_key(ec.SECP256K1())), "the ECDSA key is on curve secp256k1; .*P-256"),
        (pem(other), r"the key is of another kind \(Ed25519\)"),
        (pem(dsa.generate_private_key(2048)), r"the key is of another kind \(DSA\)"),
    ):
        found = refused({"private_key": text})
        assert re.search(f"setting `private_key`: {expected}", found), (expected, found)


def test_passphrases(key: rsa.RSAPrivateKey) -> None:
    for form in (PKCS8, PKCS1):
        text = pem(key, b"right phrase", form)
        assert (
            "`private_key_passphrase`: is missing: the private key of `private_key` is encrypted"
            in refused({"private_key": text})
        )
        assert "`private_key_passphrase`: is wrong" in refused(
            {"private_key": text, "private_key_passphrase": "wrong phrase"}
        )
    given = {"private_key": pem(key), "private_key_passphrase": "right phrase"}
    assert "is set, but the private key is not encrypted" in refused(given)


def test_files_that_are_not_there_or_no_files(key: rsa.RSAPrivateKey, tmp_path: Path) -> None:
    assert "`private_key_path`: cannot read" in refused({"private_key_path": str(tmp_path / "none")})
    assert "Is a directory" in refused({"private_key_path": str(tmp_path)})
    assert "not the path of a file" in refused({"private_key_path": pem(key)})
    for chosen in (key, ec.generate_private_key(ec.SECP256R1())):
        said = refused({"private_key_path": base64.b64encode(der(chosen)).decode()})
        assert "not the path of a file" in said
    assert "not both" in refused({"private_key": "x", "private_key_path": "y"})
    wrong = tmp_path / "loader.pub"
    wrong.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    assert f"found a public key in {wrong}" in refused({"private_key_path": str(wrong)})


@pytest.mark.skipif(os.name == "nt", reason="Windows has other rights")
@pytest.mark.parametrize(
    ("mode", "who"), [(0o600, ""), (0o400, ""), (0o640, "other users"), (0o644, "every user")]
)
def test_an_open_key_that_others_may_read_is_warned_about(
    key: rsa.RSAPrivateKey, tmp_path: Path, mode: int, who: str
) -> None:
    said: list[str] = []
    for name, text, more in (
        ("open", pem(key), {}),
        ("closed", pem(key, b"secret"), {"private_key_passphrase": "secret"}),
    ):
        file = tmp_path / name
        file.write_text(text)
        file.chmod(mode)
        assert private_key_der({"private_key_path": str(file), **more}, warn=said.append) == der(key)
    expected = f"`chmod 600 {tmp_path / 'open'}`"
    assert [(who in text and expected in text) for text in said] == ([True] if who else [])


def test_der_is_what_both_connectors_read(key: rsa.RSAPrivateKey) -> None:
    found = private_key_der({"private_key": pem(key, b"x"), "private_key_passphrase": "x"})
    assert found is not None
    loaded = serialization.load_der_private_key(found, None)
    assert isinstance(loaded, rsa.RSAPrivateKey)
    assert private_key_der({}) is None
