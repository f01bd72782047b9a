"""`Authorization: Basic`, on every call [D]."""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from local_x3.access.credentials import Credentials

CHALLENGE = 'Basic realm="syracuse"'


def basic_allowed(header: str, credentials: Credentials) -> bool:
    """Check an `Authorization: Basic` header.

    The text is UTF-8; another encoding, text that is no base64 or has no colon is refused [?]. A password may
    hold colons, a login may not (RFC 7617).
    """
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic" or not credentials.basic:
        return False
    try:
        text = base64.b64decode(encoded.strip(" "), validate=True).decode()
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(text.encode(), f"{credentials.username}:{credentials.password}".encode())
