"""The environment that makes the plugins and Meltano talk to the sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox_runner.options import Options


def variables(
    x3: dict[str, Any], snowflake: dict[str, Any], *, options: Options, state: Path
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
        "TAP_SAGEX3_X3_VERSION": options.x3_version,
        "TAP_SAGEX3_USERNAME": x3["username"],
        "TAP_SAGEX3_PASSWORD": x3["password"],
        **_login(x3, options, state),
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


def _login(x3: dict[str, Any], options: Options, state: Path) -> dict[str, str]:
    """Give the settings of the chosen login; a V12 server also tells of its application and cloud gateway.

    The gateway's login keeps its tokens beside the state, encrypted with a key that stays there too.
    """
    kind = options.login
    if options.x3_version == "V11":
        return {"TAP_SAGEX3_AUTH": kind}
    cloud: dict[str, str] = x3["cloud"]
    gateway = {f"SANDBOX_X3_CLOUD_{name.upper()}": text for name, text in cloud.items()}
    found = {**gateway, "TAP_SAGEX3_AUTH": kind}
    if kind == "cloud":
        names = ("token_url", "client_id", "client_secret", "refresh_token")
        store = {"TAP_SAGEX3_TOKEN_STORE": str(state / "x3-tokens"), "SAGEX3_SECRETS_KEY": _key(state)}
        return {**found, **store, **{f"TAP_SAGEX3_{name.upper()}": cloud[name] for name in names}}
    names = ("client_id", "client_secret", "allowed_user", "audience")
    return {**found, **{f"TAP_SAGEX3_{name.upper()}": x3[name] for name in names}}


def _key(state: Path) -> str:
    """Give the key of encrypted secrets, made once."""
    file = state / "secrets.key"
    if not file.exists():
        file.touch(0o600)
        file.write_bytes(Fernet.generate_key())
    return file.read_text()
