"""`init-sql`: the SQL that an owner of the Snowflake account runs once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from target_snowflake_audit.audit.rights import LOADER, ROLES
from target_snowflake_audit.audit.service_user import ServiceUser, public_key_text
from target_snowflake_audit.audit.setup_sql import Setup, script, statements
from target_snowflake_audit.cli.errors import FINE, CommandError
from target_snowflake_audit.cli.options import as_json
from target_snowflake_audit.cli.output import print_json
from target_snowflake_audit.sql.quoting import TableName, fold


@click.command("init-sql")
@click.option("--database", required=True, help="Database that the target loads into; made if missing.")
@click.option("--warehouse", required=True, help="Warehouse of the target and the readers; made if missing.")
@click.option("--user", required=True, help="User that the target logs in as; made with --service-user.")
@click.option("--service-user", is_flag=True, help="Make the user of --user, of TYPE = SERVICE, if missing.")
@click.option(
    "--public-key",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="With --service-user: public key of its key pair, PEM or DER.",
)
@click.option(
    "--access-token",
    "token_days",
    type=int,
    default=0,
    metavar="DAYS",
    help="With --service-user: make an access token for the loader's role that lives so many days.",
)
@click.option(
    "--allow",
    "addresses",
    multiple=True,
    metavar="ADDRESS",
    help="With --service-user: IPv4 address or range that it may log in from. May be repeated.",
)
@click.option(
    "--role-prefix", default="SAGEX3", show_default=True, help="Roles become PREFIX_LOADER and so on."
)
@click.option(
    "--audit-schema", default="AUDIT", show_default=True, help="Setting `audit_schema` of the target."
)
@click.option("--schema", "schemas", multiple=True, help="Target schema to make beforehand; may be repeated.")
@click.option(
    "--member",
    "members",
    multiple=True,
    metavar="ROLE=USER",
    help="Grant a role to a user who exists: owner, reviewer, approver, auditor or purger. May be repeated.",
)
@as_json
def init_sql(
    *,
    database: str,
    warehouse: str,
    user: str,
    role_prefix: str,
    audit_schema: str,
    schemas: tuple[str, ...],
    members: tuple[str, ...],
    as_json: bool,
    **service: Any,  # noqa: ANN401 - the options of the service user
) -> int:
    """Print the SQL that an account's owner runs once: roles, audit schema, stage and rights.

    Needs no connection and no setting. Run the SQL again after an upgrade: it adds what is missing and
    changes nothing that exists. A name in double quotes keeps its case; any other is stored in capitals, as
    Snowflake does.
    """
    try:
        setup = Setup(
            database=fold(database),
            audit_schema=fold(audit_schema),
            warehouse=fold(warehouse),
            user=fold(user),
            role_prefix=fold(role_prefix).removesuffix("_") + "_",
            schemas=tuple(fold(schema) for schema in schemas),
            members=tuple(map(_member, members)),
        )
        text = script(setup := _with_service_user(setup, **service))
    except ValueError as error:
        message = f"init-sql: {error}"
        raise CommandError(message) from None
    if as_json:
        print_json({"statements": list(statements(setup))})
    else:
        click.echo(text)
    return FINE


def _member(text: str) -> tuple[str, str]:
    role, _, user = text.partition("=")
    known = [one.name for one in ROLES]
    if role.upper() not in known or not user:
        expected = ", ".join(known).lower()
        message = f"init-sql: --member {text!r}: expected ROLE=USER, ROLE being one of {expected}"
        raise CommandError(message)
    return role.upper(), fold(user)


def _with_service_user(
    setup: Setup,
    *,
    service_user: bool,
    public_key: Path | None,
    token_days: int,
    addresses: tuple[str, ...],
) -> Setup:
    """Add the user to make, when it is to be made.

    Raises:
        ValueError: options do not fit together, or the public key cannot be read.
    """
    if not service_user:
        if public_key or token_days or addresses:
            message = "--public-key, --access-token and --allow need --service-user"
            raise ValueError(message)
        return setup
    key = ""
    if public_key:
        try:
            key = public_key_text(public_key.read_bytes())
        except (OSError, ValueError) as error:
            message = f"--public-key {public_key}: {getattr(error, 'strerror', None) or error}"
            raise ValueError(message) from None
    user = ServiceUser(
        setup.user,
        setup.role(LOADER),
        setup.warehouse,
        TableName(setup.database, setup.lock_schema, f"{setup.user}_ADDRESSES"),
        key,
        token_days,
        addresses,
    )
    return replace(setup, service=user)
