"""The multi-tenant cloud's OAuth2: applications are paired with customers, and renew their tokens.

Documented are the steps, the lifetimes, the claims and the error texts [D]; how long a code lives, the order
of the checks and the signing algorithm are not [?].
"""

from __future__ import annotations

import hmac
import secrets
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import jwt

from local_x3.errors import GatewayError

if TYPE_CHECKING:
    from local_x3.clock import Clock

ACCESS_LIFE = 300  # seconds [D]
REFRESH_LIFE = 30 * 86_400  # seconds [D]
CODE_LIFE = 600  # seconds [?]
GRAPHQL_SCOPE = "api.graphQL"
DATA_SCOPES = ("businessDomain.", "user.")  # GraphQL needs one of them beside its own [D]

MISSING = "Missing required request parameters"
INVALID_GRANT = "Invalid grant type"
DISABLED = "The application registered on Sage Business Cloud is disabled"
NOT_ACCEPTED = "The pairing request has not been accepted."
EXPIRED = "The request has expired."
NOT_FOUND = "Pairing request not found"
NO_CUSTOMER = (
    "Could not associate the requested url with an customer application registered on Sage Business Cloud"
)
NO_ACTIVE_APP = "Could not associate the values with an active application registered on Sage Business Cloud"
NO_APP = "Could not associate the values with an application registered on Sage Business Cloud"


@dataclass(slots=True)
class Application:
    """A third party's registered application."""

    client_id: str
    client_secret: str
    redirect_uris: set[str]
    enabled: bool = True


@dataclass(slots=True)
class PairingRequest:
    """An application asks a customer for access; the customer's user accepts it, or not."""

    code: str
    customer: str
    scopes: str
    redirect_uri: str
    state: str
    expires: float
    accepted: bool = False


@dataclass(slots=True)
class Pairing:
    """An accepted request: one pair of tokens a customer [D]."""

    config_id: str
    customer: str
    scopes: str
    refresh_id: str = ""


@dataclass(slots=True)
class Gateway:
    """All pairings of one application. Codes and refresh tokens are good for one use."""

    host: str
    clock: Clock
    application: Application
    customers: set[str]
    requests: dict[str, PairingRequest] = field(default_factory=dict)
    pairings: dict[str, Pairing] = field(default_factory=dict)  # by config id
    _key: str = field(default_factory=lambda: secrets.token_urlsafe(48), repr=False)

    def ask(self, given: dict[str, str]) -> PairingRequest:
        """Take a request for a pairing.

        Raises:
            GatewayError: a parameter is missing or unknown.
        """
        need(given, "client_id", "scope", "customer", "redirect_uri", "state")
        self._check_application(given["client_id"])
        if given["redirect_uri"] not in self.application.redirect_uris:
            raise GatewayError(404, NO_APP)
        if given["customer"] not in self.customers:
            raise GatewayError(404, NO_CUSTOMER)
        asked = PairingRequest(
            secrets.token_urlsafe(24), given["customer"], given["scope"], given["redirect_uri"],
            given["state"], self.clock.seconds() + CODE_LIFE,
        )  # fmt: skip
        self.requests[asked.code] = asked
        return asked

    def tokens(self, given: dict[str, Any]) -> dict[str, object]:
        """Give a pair of tokens for a code or a refresh token, which dies with it.

        Raises:
            GatewayError: a parameter is missing, unknown, used or expired.
        """
        need(given, "grant_type")
        if given["grant_type"] == "authorization_code":
            need(given, "client_id", "client_secret", "code", "redirect_uri")
            self._check_application(given["client_id"], given["client_secret"])
            return self._issue(self._pair(given["code"], given["redirect_uri"]))
        if given["grant_type"] == "refresh_token":
            need(given, "client_id", "client_secret", "refresh_token")
            self._check_application(given["client_id"], given["client_secret"])
            return self._issue(self._of_refresh_token(given["refresh_token"]))
        raise GatewayError(400, INVALID_GRANT)

    def pair(self, customer: str, scopes: str) -> dict[str, object]:
        """Pair with a customer without asking: the tokens that the steps of the flow would give."""
        self.customers.add(customer)
        return self._issue(self._new_pairing(customer, scopes))

    def revoke(self, customer: str) -> bool:
        """End the pairing of a customer, as its user does in X3; say whether there was one."""
        found = [pairing for pairing in self.pairings.values() if pairing.customer == customer]
        for pairing in found:
            del self.pairings[pairing.config_id]
        return bool(found)

    def reset(self) -> None:
        """Undo what tests have changed, but pairings: a used token cannot be made good again."""
        self.requests.clear()
        self.application.enabled = True

    def allows(self, token: str) -> bool:
        """Say whether an access token opens the GraphQL API now; an ended pairing opens nothing [?]."""
        claims = self._claims(token)
        if claims is None or "jti" in claims or claims["exp"] <= self.clock.seconds():
            return False
        scopes = str(claims["scopes"]).split()
        reads_data = any(scope.startswith(DATA_SCOPES) for scope in scopes)
        return claims["sub"] in self.pairings and GRAPHQL_SCOPE in scopes and reads_data

    def _check_application(self, client_id: str, secret: str | None = None) -> None:
        known = client_id == self.application.client_id
        right = secret is None or hmac.compare_digest(secret, self.application.client_secret)
        if not known or not right:
            raise GatewayError(404, NO_ACTIVE_APP)
        if not self.application.enabled:
            raise GatewayError(403, DISABLED)

    def _pair(self, code: str, redirect_uri: str) -> Pairing:
        asked = self.requests.get(code)
        if asked is None:
            raise GatewayError(403, NOT_FOUND)
        if redirect_uri != asked.redirect_uri:
            raise GatewayError(404, NO_APP)
        if not asked.accepted:
            raise GatewayError(403, NOT_ACCEPTED)
        del self.requests[code]
        if asked.expires <= self.clock.seconds():
            raise GatewayError(403, EXPIRED)
        return self._new_pairing(asked.customer, asked.scopes)

    def _new_pairing(self, customer: str, scopes: str) -> Pairing:
        self.revoke(customer)  # one pair a customer [D]: the new one takes the place of the old one [?]
        pairing = Pairing(str(uuid.uuid4()), customer, scopes)
        self.pairings[pairing.config_id] = pairing
        return pairing

    def _of_refresh_token(self, token: str) -> Pairing:
        """Find the pairing of a refresh token; a used or deleted one is as good as unknown [I]."""
        claims = self._claims(token)
        pairing = self.pairings.get(str(claims["sub"])) if claims is not None else None
        if claims is None or pairing is None or claims.get("jti") != pairing.refresh_id:
            raise GatewayError(403, NOT_FOUND)
        if claims["exp"] <= self.clock.seconds():
            raise GatewayError(403, EXPIRED)
        return pairing

    def _claims(self, token: str) -> dict[str, Any] | None:
        try:
            claims: dict[str, Any] = jwt.decode(
                token, self._key, algorithms=["HS256"], audience=self.host, issuer=self.host,
                options={"verify_exp": False, "verify_iat": False},
            )  # fmt: skip
        except jwt.PyJWTError:
            return None
        return claims

    def _issue(self, pairing: Pairing) -> dict[str, object]:
        """Make a new pair. `expires_in` is not documented and left out: a client knows its 300 s [?]."""
        now = int(self.clock.seconds())
        pairing.refresh_id = str(uuid.uuid4())
        claims = {
            "iss": self.host, "aud": self.host, "iat": now, "region": "local", "sub": pairing.config_id,
            "azp": self.application.client_id, "scopes": pairing.scopes,
        }  # fmt: skip
        refresh = {**claims, "jti": pairing.refresh_id, "exp": now + REFRESH_LIFE}
        return {
            "access_token": jwt.encode({**claims, "exp": now + ACCESS_LIFE}, self._key, "HS256"),
            "refresh_token": jwt.encode(refresh, self._key, "HS256"),
            "token_type": "Bearer",
            "scope": pairing.scopes,
        }


def need(given: dict[str, Any], *names: str) -> None:
    """Check that parameters are there, as texts.

    Raises:
        GatewayError: one is missing.
    """
    if not all(isinstance(given.get(name), str) and given[name] for name in names):
        raise GatewayError(400, MISSING)
