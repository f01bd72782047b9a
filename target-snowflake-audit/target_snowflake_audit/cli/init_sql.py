"""`init-sql`: the SQL that an owner of the Snowflake account runs once."""

from __future__ import annotations

import click

from target_snowflake_audit.audit.rights import ROLES
from target_snowflake_audit.audit.setup_sql import Setup, script, statements
from target_snowflake_audit.cli.errors import FINE, CommandError
from target_snowflake_audit.cli.options import as_json
from target_snowflake_audit.cli.output import print_json
from target_snowflake_audit.sql.quoting import fold


@click.command("init-sql")
@click.option("--database", required=True, help="Database that the target loads into; made if missing.")
@click.option("--warehouse", required=True, help="Warehouse of the target and the readers; made if missing.")
@click.option("--user", required=True, help="User that the target logs in as; it must exist.")
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
) -> int:
    """Print the SQL that an account's owner runs once: roles, audit schema, stage and rights.

    Needs no connection and no setting. Run the SQL again after an upgrade: it adds what is missing and
    changes nothing that exists. A name in double quotes keeps its case; any other is stored in capitals, as
    Snowflake does.
    """
    setup = Setup(
        database=fold(database),
        audit_schema=fold(audit_schema),
        warehouse=fold(warehouse),
        user=fold(user),
        role_prefix=fold(role_prefix).removesuffix("_") + "_",
        schemas=tuple(fold(schema) for schema in schemas),
        members=tuple(map(_member, members)),
    )
    try:
        text = script(setup)
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
