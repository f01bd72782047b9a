"""The cloud gateway's OAuth2: access tokens of five minutes, refresh tokens that are good for one use."""

from __future__ import annotations

import logging
import threading
import time
import typing as t
from hashlib import sha256
from pathlib import Path

import msgspec

from tap_sagex3.auth.explain import explain_gateway, explain_lost_answer
from tap_sagex3.auth.gateway import Gateway, RefusedError, told
from tap_sagex3.auth.login import CLOCK_ALLOWANCE
from tap_sagex3.auth.secrets_key import load_cipher
from tap_sagex3.auth.token_store import StoredTokens, TokenStore
from tap_sagex3.auth.uninterrupted import uninterrupted
from tap_sagex3.errors import AuthenticationError, ConnectionFailedError, SettingsError
from tap_sagex3.redaction import hide
from tap_sagex3.web.retries import Patience, persist
from tap_sagex3.web.session import origin_of

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from tap_sagex3.auth.gateway import Pair
    from tap_sagex3.auth.login import Refusal
    from tap_sagex3.auth.token_store import Successor
    from tap_sagex3.settings import Settings

logger = logging.getLogger("tap-sagex3")


class CloudLogin:
    """Access tokens of a pairing, kept in a store that several processes may share."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        """Prepare; nothing is read or sent yet. `clock` gives epoch seconds.

        Raises:
            SecretsKeyError: there is no key for the store.
        """
        self._settings = settings
        hide(settings.client_secret, settings.refresh_token)
        self._store = TokenStore(Path(settings.token_store or ""), load_cipher())
        self._gateway = Gateway(settings)
        self._clock = clock
        self._lock = threading.Lock()
        self._access = ""
        self._ends = 0.0

    def header(self) -> str:
        """Value of the Authorization header; renews the token when it is about to end.

        Raises:
            AuthenticationError: the gateway refuses; says what to do.
            ConnectionFailedError: the gateway cannot be reached.
            SettingsError: the store cannot be used, or there is no refresh token.
        """
        with self._lock:
            if not self._is_fresh(self._ends):
                self._obtain("")
            return f"Bearer {self._access}"

    def renew(self, refused: str, refusal: Refusal) -> bool:  # noqa: ARG002 - the gateway gives no reasons
        """Get another access token, once for all threads that were refused with the same one."""
        with self._lock:
            if refused == f"Bearer {self._access}":
                self._obtain(self._access)
        return True

    def _is_fresh(self, ends: float) -> bool:
        return self._clock() < ends - CLOCK_ALLOWANCE

    def _obtain(self, refused: str) -> None:
        """Take an access token from the store, or renew the pair; not the one that was refused."""
        with self._store.locked():
            stored = self._begun(self._store.read())
            usable = stored.access_token and stored.access_token != refused
            if not (usable and self._is_fresh(stored.access_ends)):
                stored = self._renewed(stored)
        hide(stored.access_token, stored.refresh_token)
        self._access, self._ends = stored.access_token, stored.access_ends

    def _begun(self, stored: StoredTokens | None) -> StoredTokens:
        """The pairing to go on with: the stored one, unless the setting brings another one.

        Raises:
            SettingsError: there is none, or it is not of this application.
        """
        settings = self._settings
        given = settings.refresh_token
        digest = _digest(given) if given else ""
        if stored is not None and (not given or digest == stored.started_by):
            self._check_owner(stored)
            return stored
        if not given:
            msg = (
                "Setting refresh_token is missing: there are no tokens in token_store "
                f"({settings.token_store}) yet. Pair the application with the customer's X3 and give the "
                "refresh token."
            )
            raise SettingsError(msg)
        if stored is not None:
            logger.info("Setting refresh_token is another one than token_store began with: a new pairing.")
        return StoredTokens(
            client_id=settings.client_id or "",
            token_url=settings.token_url,
            started_by=digest,
            refresh_token=given,
            generation=stored.generation if stored else 0,
            before=(stored.before or stored) if stored else None,
        )

    def _check_owner(self, stored: StoredTokens) -> None:
        ours = {"client_id": self._settings.client_id or "", "token_url": self._settings.token_url}
        other = [name for name, value in ours.items() if getattr(stored, name) != value]
        if other:
            msg = (
                f"Setting token_store: {self._settings.token_store} holds the tokens of another application "
                f"({', '.join(other)} differ). Give another token_store, or the refresh_token of a new "
                "pairing."
            )
            raise SettingsError(msg)

    def _renewed(self, stored: StoredTokens) -> StoredTokens:
        """Renew the pair and store it.

        Raises:
            AuthenticationError: the gateway refuses; says what to do.
        """
        began = stored.asked_at or self._clock()
        if stored.asked_at:
            logger.warning(
                "token_store: a renewal that began at %s has no known end; trying its refresh token again.",
                told(began),
            )
        asked = msgspec.structs.replace(stored, asked_at=began, generation=stored.generation + 1)
        self._store.write(asked)
        try:
            renewed = self._asked(asked, unclear=bool(stored.asked_at))
            if (
                not renewed.access_token
            ):  # an answer was cut off behind the refresh token: it gives the next pair
                asked = msgspec.structs.replace(
                    renewed, asked_at=self._clock(), generation=renewed.generation + 1
                )
                self._store.write(asked)
                renewed = self._asked(asked, unclear=False)
        except RefusedError as error:
            raise self._refused(asked, error) from error
        if not renewed.access_token:
            msg = f"{origin_of(self._gateway.url)} keeps cutting off its answers: run the tap again later."
            raise ConnectionFailedError(msg)
        return renewed

    def _asked(self, asked: StoredTokens, *, unclear: bool) -> StoredTokens:
        """Ask until there is an answer, and store it; `unclear`: an earlier answer may be lost."""
        self._gateway.may_be_used = unclear
        with self._store.successor() as successor:

            def once() -> StoredTokens:
                with uninterrupted():
                    pair = self._gateway.renew(asked.refresh_token)
                    renewed = self._with_pair(asked, pair)
                    self._keep(successor, renewed)
                return renewed

            patience = Patience.of(self._settings)
            return persist(once, patience, f"POST {self._gateway.url}", "Check token_url.")

    def _with_pair(self, asked: StoredTokens, pair: Pair) -> StoredTokens:
        return msgspec.structs.replace(
            asked,
            generation=asked.generation + 1,
            refresh_token=pair.refresh_token,
            access_token=pair.access_token,
            access_ends=self._clock() + pair.life,
            asked_at=0.0,
            before=None,
        )

    def _keep(self, successor: Successor, tokens: StoredTokens) -> None:
        try:
            successor.keep(tokens)
        except OSError as error:
            msg = (
                f"Setting token_store: {self._settings.token_store} could not be written ({error.strerror}) "
                "just after the gateway gave new tokens, which are lost with it. Mend the disk, then pair "
                "again."
            )
            raise SettingsError(msg) from error

    def _refused(self, asked: StoredTokens, error: RefusedError) -> AuthenticationError:
        """What to tell, after putting the store back to what is true now."""
        lost = self._gateway.may_be_used and "not found" in error.text.lower()
        generation = asked.generation + 1
        if asked.before is not None:
            self._store.write(msgspec.structs.replace(asked.before, generation=generation))
        elif not lost:
            self._store.write(msgspec.structs.replace(asked, asked_at=0.0, generation=generation))
        advice = explain_lost_answer(told(asked.asked_at)) if lost else explain_gateway(error.text)
        msg = f"{origin_of(self._gateway.url)} refused to renew the tokens ({error}): {advice}."
        if asked.before is not None:
            msg += (
                " The tokens of the pairing before are kept: without setting refresh_token they are used "
                "again."
            )
        return AuthenticationError(msg)


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()
