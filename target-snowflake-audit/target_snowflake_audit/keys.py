"""Private keys: read with `cryptography`, handed over as DER, so that both connector lines behave alike."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import serialization

from target_snowflake_audit.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_PATH = "private_key_path"
_TEXT = "private_key"
_PASSPHRASE = "private_key_passphrase"  # noqa: S105 - the name of a setting


def private_key_der(settings: Mapping[str, Any]) -> bytes | None:
    """Give the configured private key as unencrypted PKCS8 DER; None when no key is configured.

    Raises:
        SettingError: both settings are set, the file cannot be read, the text is no private key, or the
            passphrase is missing, wrong, or given for a key that is not encrypted.
    """
    text, path = settings.get("private_key"), settings.get("private_key_path")
    if text and path:
        raise SettingError(_TEXT, f"set either `{_TEXT}` or `{_PATH}`, not both")
    if path:
        return _load(_read(str(path)), _PATH, f" in {path}", settings.get(_PASSPHRASE))
    if text:
        return _load(str(text).encode(), _TEXT, "", settings.get(_PASSPHRASE))
    return None


def _read(path: str) -> bytes:
    try:
        return Path(path).expanduser().read_bytes()
    except OSError as error:
        problem = f"cannot read {path}: {error.strerror}"
        raise SettingError(_PATH, problem) from None


def _load(content: bytes, setting: str, where: str, passphrase: str | None) -> bytes:
    content = content.strip()
    if b"PUBLIC KEY" in content:
        raise SettingError(setting, f"found a public key{where}; the private key is needed")
    pem = b"-----BEGIN" in content
    load = serialization.load_pem_private_key if pem else serialization.load_der_private_key
    data = content.replace(b"\\n", b"\n") if pem else _der(content)
    secret = passphrase.encode() if passphrase else None
    try:
        key = load(data, password=secret)
    except TypeError as error:
        raise _passphrase_error(error, setting, where) from None
    except ValueError:
        raise _unreadable(data, setting, where, encrypted=secret is not None) from None
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _der(content: bytes) -> bytes:
    """DER as it is in a file, or base64 of it as it is in an environment variable."""
    try:
        return base64.b64decode(b"".join(content.split()), validate=True)
    except binascii.Error:
        return content


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
    except ValueError:
        return False
    return True
