"""The environment that makes the plugins and Meltano talk to the sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def variables(
    x3: dict[str, Any], snowflake: dict[str, Any], *, x3_version: str, state: Path
) -> dict[str, str]:
    """Give the variables, from the ready lines of both servers.

    Meltano's state lives beside the warehouse it belongs to: a fresh sandbox with the state of an earlier one
    would look loaded while its tables are empty. So does its list of runs: Meltano refuses a second run of a
    job, and two sandboxes are two places.
    """
    return {
        "SANDBOX_X3_URL": x3["url"],
        "SANDBOX_SNOWFLAKE_HOST": snowflake["host"],
        "SANDBOX_SNOWFLAKE_PORT": str(snowflake["port"]),
        "SANDBOX_SNOWFLAKE_ADMIN_PASSWORD": snowflake["admin_password"],
        "SANDBOX_SNOWFLAKE_PRIVATE_KEY_PATH": snowflake["private_key_path"],
        "TAP_SAGEX3_SERVER_URL": x3["url"],
        "TAP_SAGEX3_FOLDER": x3["folder"],
        "TAP_SAGEX3_X3_VERSION": x3_version,
        "TAP_SAGEX3_AUTH": "connected_app" if x3_version == "V12" else "basic",
        "TAP_SAGEX3_USERNAME": x3["username"],
        "TAP_SAGEX3_PASSWORD": x3["password"],
        "TAP_SAGEX3_CLIENT_ID": x3["client_id"],
        "TAP_SAGEX3_CLIENT_SECRET": x3["client_secret"],
        "TAP_SAGEX3_ALLOWED_USER": x3["allowed_user"],
        "TAP_SAGEX3_AUDIENCE": x3["audience"],
        "TARGET_SNOWFLAKE_AUDIT_ACCOUNT": snowflake["account"],
        "TARGET_SNOWFLAKE_AUDIT_HOST": snowflake["host"],
        "TARGET_SNOWFLAKE_AUDIT_PORT": str(snowflake["port"]),
        "TARGET_SNOWFLAKE_AUDIT_PROTOCOL": snowflake["protocol"],
        "TARGET_SNOWFLAKE_AUDIT_USER": snowflake["user"],
        "TARGET_SNOWFLAKE_AUDIT_ROLE": snowflake["role"],
        "TARGET_SNOWFLAKE_AUDIT_WAREHOUSE": snowflake["warehouse"],
        "TARGET_SNOWFLAKE_AUDIT_DATABASE": snowflake["database"],
        "TARGET_SNOWFLAKE_AUDIT_PRIVATE_KEY_PATH": snowflake["private_key_path"],
        "MELTANO_STATE_BACKEND_URI": state.as_uri(),
        "MELTANO_DATABASE_URI": f"sqlite:///{state / 'meltano.db'}",
    }
