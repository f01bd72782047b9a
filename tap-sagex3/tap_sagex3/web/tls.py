"""TLS: the files that settings name, and what a failed handshake means."""

from __future__ import annotations

import ssl
import typing as t
from pathlib import Path

from tap_sagex3.errors import SettingsError
from tap_sagex3.web.causes import causes

if t.TYPE_CHECKING:
    from tap_sagex3.settings import Settings

_ADVICE = {
    "WRONG_VERSION_NUMBER": "the server does not speak TLS there: check http or https in setting server_url",
    "HTTP_REQUEST": "the server does not speak TLS there: check http or https in setting server_url",
    "CERTIFICATE_REQUIRED": "the server wants a client certificate: give setting client_certificate",
    "HANDSHAKE_FAILURE": "the server ended the handshake; it may want a client certificate (setting "
    "client_certificate)",
    "UNKNOWN_CA": "the server does not accept the certificate in setting client_certificate",
    "BAD_CERTIFICATE": "the server does not accept the certificate in setting client_certificate",
}


def check_files(settings: Settings) -> None:
    """Check that the files named in settings can be read and hold what they must.

    Raises:
        SettingsError: names the setting.
    """
    if settings.ca_bundle:
        _check_bundle(Path(settings.ca_bundle))
    if settings.client_key and not settings.client_certificate:
        msg = "Setting client_certificate is missing: client_key is the key of that certificate."
        raise SettingsError(msg)
    if settings.client_certificate:
        _check_certificate(settings.client_certificate, settings.client_key)


def certificate_of(settings: Settings) -> str | tuple[str, str] | None:
    """The client certificate as requests wants it: one PEM file, or certificate and key."""
    if not settings.client_certificate:
        return None
    if settings.client_key:
        return settings.client_certificate, settings.client_key
    return settings.client_certificate


def explain_tls(error: BaseException) -> str | None:
    """What to do about an error of TLS; None when it is of another kind, or may pass."""
    for cause in causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            why = cause.verify_message.rstrip(".")
            return f"{why}. Check setting ca_bundle (the certificates to trust) and the host in server_url"
        if isinstance(cause, ssl.SSLError):
            for sign, advice in _ADVICE.items():
                if sign in str(cause.reason or cause).upper().replace(" ", "_"):
                    return advice
    return None


def _check_bundle(path: Path) -> None:
    try:
        if path.is_dir():
            return
        with path.open("rb"):
            pass
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
    except ssl.SSLError as error:
        msg = f"Setting ca_bundle is {str(path)!r}: no certificates in PEM form."
        raise SettingsError(msg) from error
    except OSError as error:
        msg = f"Setting ca_bundle is {str(path)!r}: {error.strerror}."
        raise SettingsError(msg) from error


def _check_certificate(certificate: str, key: str | None) -> None:
    for name, path in (("client_certificate", certificate), ("client_key", key)):
        try:
            with Path(path or certificate).open("rb"):
                pass
        except OSError as error:
            msg = f"Setting {name} is {path!r}: {error.strerror}."
            raise SettingsError(msg) from error
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except (ssl.SSLError, ValueError) as error:
        where = "client_certificate and client_key" if key else "client_certificate"
        msg = (
            f"Setting {where}: expected PEM files with a certificate and its key, the key without a password "
            f"({getattr(error, 'reason', None) or error})."
        )
        raise SettingsError(msg) from error


def _no_password() -> str:
    """Never ask at the terminal: nobody sits there."""
    msg = "the key has a password"
    raise ValueError(msg)
