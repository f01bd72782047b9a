"""`init-sql`: the SQL that an owner of the Snowflake account runs once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from target_snowflake_audit.audit import extras
from target_snowflake_audit.audit.extras import KINDS
from target_snowflake_audit.audit.rights import LOADER, ROLES
from target_snowflake_audit.audit.service_user import ServiceUser, public_key_text
from target_snowflake_audit.audit.setup_sql import Setup, script, statements
from target_snowflake_audit.cli.errors import FINE, CommandError
from target_snowflake_audit.cli.options import as_json
from target_snowflake_audit.cli.output import print_exact, print_json
from target_snowflake_audit.cli.trace.names import parts
from target_snowflake_audit.sql.quoting import TableName, fold

if TYPE_CHECKING:
    from collections.abc import Mapping


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
    help="Grant a role to a user who exists: owner, loader, reviewer, approver, auditor or purger. May be"
    " repeated.",
)
@click.option(
    "--with",
    "extras",
    default="",
    metavar="EXTRA,...",
    help=f"Print these extras instead of the set-up: {', '.join(KINDS)}.",
)
@click.option("--table", "tables", multiple=True, help="SCHEMA.TABLE for change-tracking and streams.")
@click.option("--email", "emails", multiple=True, help="Who gets mail of alert and task: a verified address.")
@click.option(
    "--keep-days",
    type=click.IntRange(min=1),
    default=None,
    help="Age at which the retention task deletes; it has no default.",
)
@as_json
def init_sql(*, as_json: bool, **given: Any) -> int:  # noqa: ANN401 - what click read, by option
    """Print the SQL that an account's owner runs once: roles, audit schema, stage and rights.

    Needs no connection and no setting. Run the SQL again after an upgrade: it adds what is missing, replaces
    the views, and sets key and addresses of the service user; tables and rows stay. A name in double quotes
    keeps its case; any other is stored in capitals, as Snowflake does.

    --with prints what some want on top, to be run after the set-up. It is never run by itself, and tasks and
    alerts stay suspended until somebody resumes them.
    """
    try:
        setup = _setup(given)
        text, made = _made(setup, given)
    except ValueError as error:
        message = f"init-sql: {error}"
        raise CommandError(message) from None
    if as_json:
        print_json({"statements": made})
    else:
        print_exact(text)
    return FINE


_SERVICE = ("service_user", "public_key", "token_days", "addresses")


def _setup(given: Mapping[str, Any]) -> Setup:
    setup = Setup(
        database=fold(given["database"]),
        audit_schema=fold(given["audit_schema"]),
        warehouse=fold(given["warehouse"]),
        user=fold(given["user"]),
        role_prefix=fold(given["role_prefix"]).removesuffix("_") + "_",
        schemas=tuple(map(fold, given["schemas"])),
        members=tuple(map(_member, given["members"])),
    )
    return _with_service_user(setup, **{name: given[name] for name in _SERVICE})


def _made(setup: Setup, given: Mapping[str, Any]) -> tuple[str, list[str]]:
    """Text and statements of the set-up, or of the extras that were asked for."""
    if not given["extras"]:
        return script(setup), list(statements(setup))
    chosen = _extras(setup, given)
    found = [one for section in extras.sections(setup, chosen) for one in section.statements]
    return extras.script(setup, chosen), found


def _extras(setup: Setup, given: Mapping[str, Any]) -> extras.Extras:
    kinds = tuple(given["extras"].split(","))
    unknown = sorted(set(kinds) - set(KINDS))
    if unknown:
        message = f"init-sql: --with {', '.join(unknown)}: expected {', '.join(KINDS)}"
        raise CommandError(message)
    tables = tuple(_table(setup, name) for name in given["tables"])
    return extras.Extras(kinds, tables, tuple(given["emails"]), given["keep_days"])


def _table(setup: Setup, name: str) -> TableName:
    found = parts(name)
    if len(found) not in {2, 3}:
        message = f"init-sql: --table {name!r}: expected SCHEMA.TABLE"
        raise CommandError(message)
    return TableName(*((setup.database, *found)[-3:]))


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
