"""What to check when a login is refused. Pure."""

from __future__ import annotations

import re
import typing as t

if t.TYPE_CHECKING:
    from tap_sagex3.settings import Settings

ISSUED_IN_FUTURE = 21
WRONG_CLAIMS = frozenset({41, 42, 45})
"""Codes about claims that come from settings: another token would be refused just the same."""

_CODE = re.compile(r"\bError\s+(\d+)\b", re.IGNORECASE)
_ADVICE = {
    ISSUED_IN_FUTURE: "the token was issued in the future: set this machine's clock (or the server's) right",
    41: "the client id is unknown: check setting client_id and that the connected application is active",
    42: "the user is not the allowed user of the connected application: check setting allowed_user",
    45: "the audience is not the URL registered in the connected application: check setting audience, "
    "which must be the same byte for byte (slash at the end, http or https, host name)",
    50: "the signature is wrong or the token has expired: check settings client_secret and token_lifetime "
    "(at most the validity set in the connected application) and the clock of this machine",
}
_HOW_TO_PAIR = (
    "Pair the application with the customer's X3 again (the tap's README tells how) and put the new refresh "
    "token into setting refresh_token"
)
_GATEWAY: tuple[tuple[str, str], ...] = (
    (
        "disabled",
        "the application is disabled on Sage Business Cloud: have it enabled; the pairing stays good",
    ),
    ("not been accepted", "the customer's user has not accepted the pairing yet: have it accepted in X3"),
    ("expired", f"the refresh token is older than 30 days. {_HOW_TO_PAIR}"),
    (
        "not found",
        f"the customer has ended the pairing, or something else has used its refresh token. {_HOW_TO_PAIR}",
    ),
    ("missing required", "the gateway misses a parameter: check setting token_url"),
    ("grant type", "the gateway does not know this way to renew: check setting token_url"),
    ("could not associate", "check settings client_id and client_secret, and that the application is active"),
)


def code_of(text: str) -> int | None:
    """The number in a plain-text refusal such as `Error 41: Invalid token`."""
    found = _CODE.search(text[:500])
    return int(found.group(1)) if found else None


def explain_refusal(settings: Settings, api: str, body: str) -> str:
    """What to check when the API answers 401 or 403; the code comes from the answer's plain text."""
    if settings.auth == "basic" or api == "rest":
        names = "username and password" if settings.auth == "basic" else "rest_username and rest_password"
        return f"check settings {names}, and that Basic authentication is on in the server (session.auth)"
    if settings.auth == "cloud":
        return (
            "the gateway refuses an access token that it has just given: check that the pairing has the "
            "scopes api.graphQL and businessDomain, and that server_url and token_url are of the same region"
        )
    code = code_of(body)
    if code in _ADVICE:
        return f"error {code}: {_ADVICE[code]}"
    return (
        "check settings client_id, client_secret, allowed_user and audience against the connected application"
    )


def explain_gateway(message: str) -> str:
    """What to do about a refusal of the token endpoint, by its documented texts."""
    lower = message.lower()
    for sign, advice in _GATEWAY:
        if sign in lower:
            return advice
    return "check settings token_url, client_id, client_secret and refresh_token"


def explain_lost_answer(began: str) -> str:
    """What to do when the gateway does not know a token any more whose renewal was interrupted."""
    return (
        f"a renewal that began at {began} was interrupted before its answer was stored. The gateway gives "
        f"each refresh token one use, so the new one went with that answer. {_HOW_TO_PAIR}"
    )
