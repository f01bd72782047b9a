"""HTTPS, as most sites have it, and client certificates."""

from __future__ import annotations

import ssl
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def tls_context(files: Sequence[Path], client_ca: Path | None) -> ssl.SSLContext:
    """Read certificate and key; with `client_ca` a client must show a certificate that it has signed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        certificate, key = files
        context.load_cert_chain(certificate, key)
        if client_ca is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(client_ca)
    except ssl.SSLError as problem:
        sys.exit(f"--tls, --client-ca: {problem.reason or problem}")
    return context
