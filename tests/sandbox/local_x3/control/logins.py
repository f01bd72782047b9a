"""Commands on who may call: the user, the connected application, the cloud's application and its pairings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import msgspec

from local_x3.control.registry import Command
from local_x3.errors import ControlError

if TYPE_CHECKING:
    from local_x3.access.cloud import Gateway
    from local_x3.control.state import State

CUSTOMER = "https://x3.customer.example"
SCOPES = "businessDomain.ALL api.graphQL"


class Logins(Command, tag="logins", kw_only=True):
    """Change the on-premise logins: `basic` locks the user, `connected_app` deletes the application.

    What is not given stays; `reset` undoes it all.
    """

    reads_only: ClassVar[bool] = True
    basic: bool | None = None
    connected_app: bool | None = None
    username: str | None = None
    password: str | None = None
    client_secret: str | None = None
    audience: str | None = None
    tokens_validity: Annotated[int, msgspec.Meta(ge=1)] | None = None

    def run(self, state: State) -> object:
        """Change what is given."""
        for name in self.__struct_fields__:
            value: Any = getattr(self, name)
            if value is not None:
                setattr(state.credentials, name, value)
        return {}


class Pair(Command, tag="pair", kw_only=True):
    """Pair the cloud's application with a customer, as if its user had accepted; returns a pair of tokens."""

    reads_only: ClassVar[bool] = True
    customer: str = CUSTOMER
    scopes: str = SCOPES

    def run(self, state: State) -> object:
        """Return the tokens."""
        return _gateway(state).pair(self.customer, self.scopes)


class Unpair(Command, tag="unpair", kw_only=True):
    """End the pairing with a customer, as its user does in X3: its tokens are refused from now on."""

    reads_only: ClassVar[bool] = True
    customer: str = CUSTOMER

    def run(self, state: State) -> object:
        """End it."""
        if not _gateway(state).revoke(self.customer):
            msg = f"no pairing with {self.customer}"
            raise ControlError(msg)
        return {}


class CloudApp(Command, tag="cloud_app", kw_only=True):
    """Disable or enable the cloud's application (`enabled`), or register one more `redirect_uri`."""

    reads_only: ClassVar[bool] = True
    enabled: bool | None = None
    redirect_uri: str = ""

    def run(self, state: State) -> object:
        """Change what is given."""
        application = _gateway(state).application
        if self.enabled is not None:
            application.enabled = self.enabled
        if self.redirect_uri:
            application.redirect_uris.add(self.redirect_uri)
        return {}


def _gateway(state: State) -> Gateway:
    if state.gateway is None:
        msg = "this server has no cloud gateway: start it with --x3-version V12"
        raise ControlError(msg)
    return state.gateway


COMMANDS = (Logins, Pair, Unpair, CloudApp)
