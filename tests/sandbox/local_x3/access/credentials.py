"""What the on-premise server accepts; tests may change it while it runs."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

TOKENS_VALIDITY = 600  # "Tokens validity" of a connected application, in seconds; Sage's example value [D]


@dataclass(slots=True)
class Credentials:
    """A Syracuse user and a connected application."""

    username: str
    password: str
    client_id: str
    client_secret: str
    allowed_user: str
    audience: str
    tokens_validity: int = TOKENS_VALIDITY
    basic: bool = True  # false: the user is locked
    connected_app: bool = True  # false: the application was deleted
    _at_start: dict[str, object] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Keep what `reset` goes back to."""
        self._at_start = {item.name: getattr(self, item.name) for item in fields(self) if item.init}
        del self._at_start["_at_start"]

    def reset(self) -> None:
        """Undo what tests have changed."""
        for name, value in self._at_start.items():
            setattr(self, name, value)
