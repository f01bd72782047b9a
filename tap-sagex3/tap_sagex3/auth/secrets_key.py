"""The key of encrypted secrets: from the environment, else from the keyring of the operating system.

It opens `enc:` values in settings and the token store. Several keys may stand in the environment variable,
separated by commas: the first one encrypts, all of them decrypt, so that a key can be replaced step by step.
"""

from __future__ import annotations

import importlib
import os
import typing as t

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from tap_sagex3.errors import SecretsKeyError
from tap_sagex3.redaction import hide

if t.TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from types import ModuleType

VARIABLE = "SAGEX3_SECRETS_KEY"
PREFIX = "enc:"
SERVICE = "tap-sagex3"
KEY_NAME = "secrets-key"


class Cipher:
    """Encrypts and decrypts with Fernet (AES-128-CBC with HMAC-SHA256)."""

    def __init__(self, keys: str) -> None:
        """Take one key, or several separated by commas.

        Raises:
            SecretsKeyError: one is not a Fernet key.
        """
        texts = [key.strip() for key in keys.split(",") if key.strip()]
        hide(*texts)
        try:
            self._fernet = MultiFernet([Fernet(key) for key in texts])
        except ValueError:
            # from None: the error's own text is about a key
            msg = f"{VARIABLE} is not a key: make one with `tap-sagex3-secrets generate-key`."
            raise SecretsKeyError(msg) from None

    def encrypt(self, data: bytes) -> bytes:
        """Encrypted data, URL-safe base64."""
        return self._fernet.encrypt(data)

    def decrypt(self, data: bytes) -> bytes | None:
        """Decrypted data; None when they are broken, or were encrypted with another key."""
        try:
            return self._fernet.decrypt(data)
        except (InvalidToken, TypeError, ValueError):
            return None


def load_cipher() -> Cipher:
    """The cipher of this machine's key.

    Raises:
        SecretsKeyError: there is no key, or it is none.
    """
    keys = os.environ.get(VARIABLE) or _from_keyring()
    if keys:
        return Cipher(keys)
    msg = (
        f"There is no key for encrypted secrets: set {VARIABLE} in the environment (`tap-sagex3-secrets "
        "generate-key` makes one), or install tap-sagex3[keyring] and store one in the keyring of the "
        "operating system (`tap-sagex3-secrets generate-key --keyring`)."
    )
    raise SecretsKeyError(msg)


def generate_key() -> str:
    """A new key."""
    return Fernet.generate_key().decode("ascii")


def keep_in_keyring(key: str) -> None:
    """Store a key in the keyring of the operating system.

    Raises:
        SecretsKeyError: there is no keyring, it has a key already, or it refuses.
    """
    keyring = _keyring()
    if keyring is None:
        msg = "The package keyring is not installed: pip install 'tap-sagex3[keyring]'."
        raise SecretsKeyError(msg)
    if _from_keyring():
        msg = (
            f"The keyring has a key already ({SERVICE}, {KEY_NAME}); another one could not read what it "
            "encrypted. Remove it first when it is not needed any more."
        )
        raise SecretsKeyError(msg)
    try:
        keyring.set_password(SERVICE, KEY_NAME, key)
    except Exception as error:
        msg = f"The keyring of the operating system refuses to keep a key ({type(error).__name__})."
        raise SecretsKeyError(msg) from error


def encrypt_secret(text: str) -> str:
    """A secret in the form that settings take.

    Raises:
        SecretsKeyError: there is no key.
    """
    return PREFIX + load_cipher().encrypt(text.encode()).decode("ascii")


def with_decrypted(config: Mapping[str, t.Any], names: Collection[str]) -> dict[str, t.Any]:
    """A configuration with the `enc:` values of some settings decrypted.

    Raises:
        SecretsKeyError: names the setting; there is no key, or not the right one.
    """
    found = dict(config)
    for name in names:
        value = found.get(name)
        if isinstance(value, str) and value.strip().startswith(PREFIX):
            found[name] = _decrypted(name, value.strip().removeprefix(PREFIX).strip())
    return found


def _decrypted(name: str, value: str) -> str:
    try:
        cipher = load_cipher()
    except SecretsKeyError as error:
        msg = f"Setting {name} is encrypted. {error}"
        raise SecretsKeyError(msg) from error
    data = cipher.decrypt(value.encode())
    if data is None:
        msg = (
            f"Setting {name} cannot be decrypted: the value is damaged, or was encrypted with another key "
            f"than that of {VARIABLE} or the keyring. Encrypt it again with `tap-sagex3-secrets encrypt`."
        )
        raise SecretsKeyError(msg)
    return data.decode()


def _from_keyring() -> str | None:
    keyring = _keyring()
    if keyring is None:
        return None
    try:
        key = keyring.get_password(SERVICE, KEY_NAME)
    except Exception:  # noqa: BLE001 - each platform has errors of its own; no keyring is no key
        return None
    return key if isinstance(key, str) else None


def _keyring() -> ModuleType | None:
    """The optional package, imported only when a key is needed and the environment has none."""
    try:
        return importlib.import_module("keyring")
    except ImportError:
        return None
