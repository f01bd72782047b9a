"""Private keys: read with `cryptography`, handed over as DER, so that both connector lines behave alike.

Snowflake takes RSA keys of 2048 bits or more (docs.snowflake.com/en/user-guide/key-pair-auth) and ECDSA keys
on P-256, P-384 and P-521 (docs.snowflake.com/en/release-notes/2025/9_25); so do connector 4.8 and 5.x.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from target_snowflake_audit.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

_PATH = "private_key_path"
_TEXT = "private_key"
_PASSPHRASE = "private_key_passphrase"  # noqa: S105 - the name of a setting
SMALLEST_RSA = 2048  # bits
CURVES = ("secp256r1", "secp384r1", "secp521r1")
_SHORTEST_DER = 64  # bytes; a path that is base64 of an ASN.1 sequence is shorter
_SEQUENCE = b"\x30"
_BLOCK = re.compile(
    r"-----BEGIN (?P<label>[A-Z0-9 ]*PRIVATE KEY)-----(?P<body>.*?)-----END (?P=label)-----", re.DOTALL
)
_OTHERS = (
    ("PUBLIC KEY", "found a public key{where}; the private key is needed"),
    ("CERTIFICATE", "found a certificate{where}; the private key is needed"),
    (
        "BEGIN",
        "found no whole private key{where}; expected its PEM text from -----BEGIN to -----END",
    ),
)
_OPENSSH = (
    "found an OpenSSH key{where}; Snowflake needs PKCS8: copy the file and convert the copy with"
    " `ssh-keygen -p -m PKCS8 -f COPY`"
)


def private_key_der(
    settings: Mapping[str, Any], *, warn: Callable[[str], None] = lambda _message: None
) -> bytes | None:
    """Give the configured private key as unencrypted PKCS8 DER; None when no key is configured.

    Args:
        settings: the key's settings.
        warn: told when others may read the file of an unencrypted key.

    Raises:
        SettingError: both settings are set, the file cannot be read, the text is no private key that
            Snowflake takes, or the passphrase is missing, wrong, or given for a key that is not encrypted.
    """
    text, path = settings.get("private_key"), settings.get("private_key_path")
    if text and path:
        raise SettingError(_TEXT, f"set either `{_TEXT}` or `{_PATH}`, not both")
    secret = settings.get(_PASSPHRASE)
    if path:
        file = _file(str(path))
        der = _load(_read(file), _PATH, f" in {file}", secret)
        if not secret:
            _look_at_rights(file, warn)
        return der
    if text:
        return _load(str(text).encode(), _TEXT, "", secret)
    return None


def _file(path: str) -> Path:
    """The file of the key; never shows what may be the key itself."""
    if "-----" in path or "\n" in path or _is_encoded(path):
        raise SettingError(_PATH, f"holds a text, not the path of a file; a key itself belongs to `{_TEXT}`")
    return Path(path).expanduser()


def _is_encoded(path: str) -> bool:
    """Whether a text is base64 of DER rather than a path."""
    found = _der(path.encode())
    return found.startswith(_SEQUENCE) and len(found) >= _SHORTEST_DER


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        problem = f"cannot read {file}: {error.strerror}"
        raise SettingError(_PATH, problem) from None


def _look_at_rights(file: Path, warn: Callable[[str], None]) -> None:
    """Warn when others may read the key.

    A warning, no error: files that a container platform mounts belong to root and are often readable by all
    of the container. Windows has other rights than these.
    """
    if os.name == "nt":
        return
    mode = file.stat().st_mode
    who = "every user" if mode & stat.S_IROTH else "other users" if mode & stat.S_IRGRP else ""
    if who:
        warn(
            f"The private key in {file} is not encrypted and {who} of this machine may read it: run "
            f"`chmod 600 {file}`, or encrypt it and set `{_PASSPHRASE}`"
        )


def _load(content: bytes, setting: str, where: str, passphrase: str | None) -> bytes:
    data, pem = _encoded(content, setting, where)
    load = serialization.load_pem_private_key if pem else serialization.load_der_private_key
    secret = str(passphrase).encode() if passphrase else None
    try:
        key = load(data, password=secret)
    except TypeError as error:
        raise _passphrase_error(error, setting, where) from None
    except UnsupportedAlgorithm:
        raise SettingError(setting, f"the kind of private key{where} is not supported; {_kinds()}") from None
    except ValueError:
        raise _unreadable(data, setting, where, encrypted=secret is not None) from None
    _check_kind(key, setting, where)
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _encoded(content: bytes, setting: str, where: str) -> tuple[bytes, bool]:
    """The key as PEM (True) or DER (False), out of all the forms in which editors and variables hold it."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        content = content.decode("utf-16").encode()  # as PowerShell writes text files
    whole = content  # a byte of DER may look like white space
    content = content.removeprefix(b"\xef\xbb\xbf").strip()
    if b"-----BEGIN" not in content:
        if content.startswith((b"ssh-", b"ecdsa-")):
            raise SettingError(setting, _OTHERS[0][1].format(where=where))
        return _der(whole), False
    text = content.decode("utf-8", "replace").replace("\\n", "\n").replace("\r\n", "\n")
    block = _BLOCK.search(text)
    if block is None:
        problem = next(problem for word, problem in _OTHERS if word in text)
        raise SettingError(setting, problem.format(where=where))
    if "OPENSSH" in block["label"]:
        raise SettingError(setting, _OPENSSH.format(where=where))
    return _lines(block["label"], block["body"]).encode(), True


def _lines(label: str, body: str) -> str:
    """PEM with its line ends, which a variable on one line has lost."""
    if ":" not in body:  # Proc-Type and DEK-Info are lines of their own
        packed = "".join(body.split())
        body = "\n" + "\n".join(packed[at : at + 64] for at in range(0, len(packed), 64)) + "\n"
    return f"-----BEGIN {label}-----{body}-----END {label}-----\n"


def _der(content: bytes) -> bytes:
    """DER as it is in a file, or base64 of it as it is in an environment variable."""
    try:
        return base64.b64decode(b"".join(content.split()), validate=True)
    except binascii.Error:
        return content


def _check_kind(key: PrivateKeyTypes, setting: str, where: str) -> None:
    if isinstance(key, rsa.RSAPrivateKey):
        if key.key_size >= SMALLEST_RSA:
            return
        found = f"RSA key{where} has {key.key_size} bits"
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        if key.curve.name in CURVES:
            return
        found = f"ECDSA key{where} is on curve {key.curve.name}"
    else:
        found = f"key{where} is of another kind ({type(key).__name__.removesuffix('PrivateKey')})"
    raise SettingError(setting, f"the {found}; {_kinds()}")


def _kinds() -> str:
    return f"Snowflake takes RSA of {SMALLEST_RSA} bits or more, and ECDSA on P-256, P-384 or P-521"


def _passphrase_error(error: TypeError, setting: str, where: str) -> SettingError:
    if "not encrypted" in str(error):
        return SettingError(_PASSPHRASE, f"is set, but the private key{where} is not encrypted")
    return SettingError(_PASSPHRASE, f"is missing: the private key of `{setting}`{where} is encrypted")


def _unreadable(data: bytes, setting: str, where: str, *, encrypted: bool) -> SettingError:
    if _is_public(data):
        return SettingError(setting, f"found a public key{where}; the private key is needed")
    if encrypted:
        return SettingError(_PASSPHRASE, f"is wrong, or `{setting}` holds no private key{where}")
    return SettingError(setting, f"not a private key{where}; expected PKCS8 as PEM, or base64 of DER")


def _is_public(data: bytes) -> bool:
    try:
        serialization.load_der_public_key(data)
    except (ValueError, UnsupportedAlgorithm):
        return False
    return True
