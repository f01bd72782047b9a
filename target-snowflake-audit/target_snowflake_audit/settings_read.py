"""Names that the settings hold, in the form in which Snowflake stores them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from target_snowflake_audit.audit.setup_sql import lock_schema
from target_snowflake_audit.errors import SettingError
from target_snowflake_audit.sql.quoting import fold, identifier
from target_snowflake_audit.values import kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_AUDIT_SCHEMA = "AUDIT"
PREFIX = "TARGET_SNOWFLAKE_AUDIT_"
"""What variables of the environment that hold settings begin with."""
SECRETS = frozenset(
    {
        "private_key",
        "private_key_passphrase",
        "token",
        "oauth_token",
        "workload_identity_token",
        "password",
        "audit_hmac_key",
    }
)
"""Settings whose values must never be shown, logged or stored."""


@dataclass(frozen=True)
class Names:
    """Database, warehouse, role and audit schema of a session."""

    database: str
    warehouse: str
    role: str
    audit_schema: str

    @property
    def database_sql(self) -> str:
        """The database, quoted."""
        return identifier(self.database)

    @property
    def warehouse_sql(self) -> str:
        """The warehouse, quoted."""
        return identifier(self.warehouse)

    @property
    def lock_schema_sql(self) -> str:
        """Schema of fences, staging tables and the stage, quoted."""
        return identifier(lock_schema(self.audit_schema))


def wrong_secrets(settings: Mapping[str, Any]) -> dict[str, str]:
    """Settings that are secret and not given as text, with the problem; the value is not shown."""
    return {
        name: f"expected a text, got {kind_of(settings[name])}"
        for name in sorted(SECRETS)
        if settings.get(name) is not None and not isinstance(settings[name], str)
    }


def names_of(settings: Mapping[str, Any]) -> Names:
    """Read the names; a name typed without quotes is upper case, as in Snowflake.

    Raises:
        SettingError: one is missing or no identifier.
    """
    for name in ("account", "user"):
        # An empty line of .env is as good as none; the connector would speak of a lost connection.
        if not str(settings.get(name) or "").strip():
            raise SettingError(name, "is missing")
    found: dict[str, str] = {}
    for name, default in (("database", ""), ("warehouse", ""), ("role", " "), ("audit_schema", "AUDIT")):
        value = fold(str(settings.get(name) or default))
        try:
            identifier(value)
        except ValueError as error:
            problem = "is missing" if not settings.get(name) else str(error)
            raise SettingError(name, problem) from None
        found[name] = value.strip()
    return Names(**found)
