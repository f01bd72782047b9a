"""`erase`: payloads of one person's records leave the audit trail."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from target_snowflake_audit.cli import workspace
from target_snowflake_audit.cli.dead_letters.lookup import one_letter
from target_snowflake_audit.cli.done import names, print_done, told
from target_snowflake_audit.cli.errors import FINE, FOUND_SOMETHING, CommandError
from target_snowflake_audit.cli.options import configured
from target_snowflake_audit.cli.trace import lookup
from target_snowflake_audit.cli.trace.keys import digest, key_order, same_values
from target_snowflake_audit.cli.trace.names import choose_table, key_column, read_key
from target_snowflake_audit.columntypes import parse
from target_snowflake_audit.sql.erasure import Subject

if TYPE_CHECKING:
    from pathlib import Path

    from target_snowflake_audit.cli.reader import Reader
    from target_snowflake_audit.cli.sql.statement import Audit
    from target_snowflake_audit.sql.quoting import TableName


@click.command("erase")
@click.argument("record", nargs=-1, required=True, metavar="TABLE [KEY]...")
@click.option(
    "--where-key", multiple=True, metavar="NAME=VALUE", help="Every record whose key has this value."
)
@click.option("--key-hash", multiple=True, help="The record with this KEY_HASH; may be repeated.")
@click.option("--letter", multiple=True, help="A dead letter, also one without a readable key.")
@click.option("--reason", required=True, help="Why, for example the request; kept in CHECKPOINTS.")
@click.option("--yes", is_flag=True, help="Erase. Without it, nothing is changed and the counts are shown.")
@configured
def erase(
    *,
    record: tuple[str, ...],
    where_key: tuple[str, ...],
    key_hash: tuple[str, ...],
    letter: tuple[str, ...],
    reason: str,
    yes: bool,
    config: tuple[Path, ...],
    as_json: bool,
) -> int:
    r"""Blank the payloads of a record in the audit trail: history, dead letters and their events.

    TABLE and KEY as in `trace`. Digests, times and counts stay, so that the chain still verifies; KEY_HASH
    stays too. Notes that people wrote stay. The row in the target table is not touched: delete it there, and
    in the source. It cannot be undone but for Snowflake's Time Travel.

    \b
      snowflake-audit erase CUSTOMERS C0042 --reason "request 17"
      snowflake-audit erase CONTACTS --where-key customer=C0042 --reason "request 17" --yes

    NAME in --where-key is a key column or its property. Ends with code 1 when the trail holds nothing of the
    record that is not erased yet. Needs the rights of role PURGER; everything is one transaction.
    """
    from target_snowflake_audit import purging  # noqa: PLC0415 - needs the connector, which costs a second

    table, key = record[0], record[1:]
    if not (key or where_key or key_hash or letter):
        message = "erase: say whose record: KEY, --where-key, --key-hash or --letter"
        raise CommandError(message)
    with workspace.opened(config) as (reader, audit), told("erase"):
        name = choose_table(table, lookup.loaded_tables(reader, audit)).table
        hashes = [*key_hash, *([_key_hash(reader, audit, name, key)] if key else [])]
        letters = [str(one_letter(reader, audit, one)["DEAD_LETTER_ID"]) for one in letter]
        chosen = _chosen(reader, audit, name, where_key)
        subject = Subject(str(name), tuple(hashes), chosen, tuple(letters))
        done = purging.erase(reader.session, names(audit), subject, reason=reason, commit=yes)
    print_done(done, "blanked", as_json=as_json)
    return FINE if done.parts else FOUND_SOMETHING


def _key_hash(reader: Reader, audit: Audit, table: TableName, key: tuple[str, ...]) -> str:
    types = lookup.readable_types(reader, table)
    order = key_order(lookup.example_key(reader, audit, table), types)
    return digest(read_key(key, order), order, types)


def _chosen(
    reader: Reader, audit: Audit, table: TableName, where_key: tuple[str, ...]
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Key columns with every text that stands for the wanted value in the trail."""
    pairs = [_pair(text) for text in where_key]
    if not pairs:
        return ()
    columns = lookup.key_columns(reader, audit, table)
    types = lookup.readable_types(reader, table)
    if not types:
        told = "this role cannot see the table, so its keys are compared as text: 12.10 is not 12.1"
        click.echo(f"snowflake-audit: erase: {told}", err=True)
    chosen = []
    for wanted, value in pairs:
        column = key_column(wanted, columns)
        if lookup.has_redacted_keys(reader, audit, table, column):
            message = f"erase: key column {column} is redacted in the audit trail; give --key-hash instead"
            raise CommandError(message)
        type_ = types.get(column, "VARCHAR")
        as_text = parse(type_).family == "VARCHAR"  # a text is itself only
        stored = [] if as_text else lookup.key_values(reader, audit, table, column)
        chosen.append((column, same_values(value, stored, type_)))
    return tuple(chosen)


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    if not name or not value:
        message = f"erase: --where-key {text!r}: expected NAME=VALUE"
        raise CommandError(message)
    return name, value
