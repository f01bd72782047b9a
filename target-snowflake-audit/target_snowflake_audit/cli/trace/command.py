"""The command `trace`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from target_snowflake_audit.cli import settings, workspace
from target_snowflake_audit.cli.errors import FINE, FOUND_SOMETHING, CommandError, NotAllowedError
from target_snowflake_audit.cli.options import configured
from target_snowflake_audit.cli.output import print_all, print_json
from target_snowflake_audit.cli.sql.dead_letters import CLOSED
from target_snowflake_audit.cli.trace import lookup, render
from target_snowflake_audit.cli.trace.document import posted, redacted, sums
from target_snowflake_audit.cli.trace.keys import digest, in_utc, key_order
from target_snowflake_audit.cli.trace.links import INVOICES
from target_snowflake_audit.cli.trace.names import choose_table, read_key
from target_snowflake_audit.cli.trace.timeline import timeline
from target_snowflake_audit.errors import SettingError
from target_snowflake_audit.redaction import rules_of, shown_row

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from target_snowflake_audit.cli.reader import Reader, Row
    from target_snowflake_audit.cli.sql.statement import Audit
    from target_snowflake_audit.cli.trace.links import Invoice
    from target_snowflake_audit.cli.trace.names import Loaded
    from target_snowflake_audit.redaction import Rules


@click.command("trace")
@click.argument("what", metavar="TABLE|supplier-invoice|sales-invoice")
@click.argument("key", nargs=-1, required=True, metavar="KEY...")
@configured
def trace(*, what: str, key: tuple[str, ...], config: tuple[Path, ...], as_json: bool) -> int:
    r"""Show the life of one record, or follow one invoice to its cost allocations.

    TABLE is TABLE, SCHEMA.TABLE, DATABASE.SCHEMA.TABLE or a stream's name. KEY is NAME=VALUE for each key
    column, or the values alone in the order of the columns.

    \b
      snowflake-audit trace PURCHASING.SUPPLIER_INVOICES id=SI0001
      snowflake-audit trace gl_entry_lines FACFO SI0001 1000 legal
      snowflake-audit trace supplier-invoice SI0001

    Ends with code 1 when the record has an open dead letter, when amounts of the invoice do not add up, or
    when it has no GL entry.
    """
    try:
        rules = rules_of(settings.read(config))
    except SettingError as error:
        raise CommandError(str(error)) from None
    with workspace.opened(config) as (reader, audit):
        kind = INVOICES.get(what)
        if kind is None:
            return _record(reader, audit, what, key, rules, as_json=as_json)
        return _document(reader, audit, kind, key, rules, as_json=as_json)


def _record(
    reader: Reader, audit: Audit, what: str, arguments: tuple[str, ...], rules: Rules, *, as_json: bool
) -> int:
    loaded = choose_table(what, lookup.loaded_tables(reader, audit))
    types = lookup.readable_types(reader, loaded.table)
    order = key_order(lookup.example_key(reader, audit, loaded.table), types)
    key = read_key(arguments, order)
    trail = lookup.record_trail(reader, audit, loaded.table, digest(key, order, types))
    current, readable = _stored(reader, loaded, key, types)
    if current is not None:
        current = shown_row(rules, loaded.stream, current)
    shown_key = " ".join(f"{name}={value}" for name, value in key.items())
    if not trail.batch_ids and current is None:
        message = f"no trace of {shown_key} in {loaded.table}"
        raise CommandError(message)
    steps = timeline(trail)
    if as_json:
        members = {"table": str(loaded.table), "stream": loaded.stream, "key": key}
        print_json({**members, **render.record_json(steps, current)})
    else:
        print_all(render.record_parts(f"{loaded.table} {shown_key}", steps, current, readable=readable))
    waiting = any(letter["STATUS"] not in CLOSED for letter in trail.letters)
    return FOUND_SOMETHING if waiting else FINE


def _stored(
    reader: Reader, loaded: Loaded, key: Mapping[str, str], types: Mapping[str, str]
) -> tuple[Row | None, bool]:
    """The stored row, and whether the role may read the table: an auditor may know the trail alone."""
    if not types:
        return None, False
    try:
        return lookup.current_row(reader, loaded.table, in_utc(key, types), types), True
    except NotAllowedError:
        return None, False


def _document(
    reader: Reader, audit: Audit, kind: Invoice, arguments: tuple[str, ...], rules: Rules, *, as_json: bool
) -> int:
    if len(arguments) != 1:
        message = f"trace {kind.command}: give one invoice number, got {len(arguments)} values"
        raise CommandError(message)
    number = arguments[0].removeprefix("id=")
    document = lookup.Documents(reader, lookup.loaded_tables(reader, audit)).invoice(kind, number)
    shown = redacted(document, lambda stream, row: shown_row(rules, stream, row))
    if as_json:
        print_json(render.document_json(shown, sums(document)))
    else:
        print_all(render.document_parts(shown, sums(document)))
    wrong = not posted(document) or any(one.difference for one in sums(document))
    return FOUND_SOMETHING if wrong else FINE
