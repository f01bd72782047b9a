"""`verify`: whether anything in the audit tables was changed, taken out or put in."""

from __future__ import annotations

import codecs
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from target_snowflake_audit.cli import settings, workspace
from target_snowflake_audit.cli.done import names
from target_snowflake_audit.cli.errors import FINE, FOUND_SOMETHING, CommandError
from target_snowflake_audit.cli.options import configured
from target_snowflake_audit.cli.output import Column, line, print_all, print_json, table
from target_snowflake_audit.errors import TargetError

if TYPE_CHECKING:
    from target_snowflake_audit.audit.checkpoints import Purge
    from target_snowflake_audit.audit.tips import Tip
    from target_snowflake_audit.audit.verify import Finding

_FINDINGS = [
    Column("What", "kind"),
    Column("Audit table", "table"),
    Column("Where", "where"),
    Column("Why", "what"),
]
_TIP = re.compile(r"\{.*\}")
_LIMITS = (
    "A chain alone does not show that its end was cut off, or that all of it was computed again from some "
    "place on: keep the tips that runs log, and give them with --anchors."
)


@click.command("verify")
@click.option(
    "--anchors",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help="Lines `Chain tip {...}` that were kept from the logs of runs.",
)
@configured
def verify(*, anchors: Path | None, config: tuple[Path, ...], as_json: bool) -> int:
    """Compute the digests of all audit rows again and tell what differs.

    What `purge` deleted is listed, and is no fault as far as its checkpoints agree with what is left; nor are
    values that `erase` blanked, and tips of before the first one that `audit_hmac_key` signed. Ends with code
    1 when something is wrong.
    """
    from target_snowflake_audit.audit import tips  # noqa: PLC0415 - they need what costs a second
    from target_snowflake_audit.audit.verify import Verifier  # noqa: PLC0415

    kept = _tips(anchors)
    with workspace.opened(config) as (reader, audit):
        try:
            keys = tips.keys_of(settings.read(config))
            verifier = Verifier(reader.session, names(audit), keys)
            found = verifier.findings(kept)
        except TargetError as error:
            message = f"verify: {error}"
            raise CommandError(message) from None
    _print(found, verifier.checkpoints.purges, anchored=bool(kept), as_json=as_json)
    return FOUND_SOMETHING if any(one.is_fault for one in found) else FINE


def _tips(file: Path | None) -> list[Tip]:
    from target_snowflake_audit.audit.tips import Tip  # noqa: PLC0415 - it needs what costs a second

    found = []
    for number, text in enumerate(_lines(file) if file else (), 1):
        if not text.strip():
            continue
        try:
            tip = json.loads(_TIP.findall(text)[0])
            found.append(Tip(str(tip["chain"]), int(tip["number"]), str(tip["digest"])))
        except (ArithmeticError, ValueError, LookupError, TypeError):
            message = f"--anchors {file}, line {number}: expected `Chain tip` and JSON, as a run logs it"
            raise CommandError(message) from None
    return found


def _lines(file: Path) -> list[str]:
    """Lines of a file in UTF-8, or in UTF-16 with its mark, as PowerShell writes what it redirects."""
    try:
        data = file.read_bytes()
        marked = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        return data.decode("utf-16" if marked else "utf-8-sig").splitlines()
    except OSError as error:
        message = f"--anchors {file}: {error.strerror}"
        raise CommandError(message) from None
    except UnicodeDecodeError as error:
        message = (
            f"--anchors {file}: not UTF-8, nor UTF-16 with its mark: {error.reason} at byte {error.start}"
        )
        raise CommandError(message) from None


def _print(found: list[Finding], purges: list[Purge], *, anchored: bool, as_json: bool) -> None:
    from target_snowflake_audit.audit.verify import ERASED  # noqa: PLC0415 - it needs what costs a second

    if as_json:
        told = [{**vars(one), "cutoff": str(one.cutoff), "at": str(one.at)} for one in purges]
        print_json({"findings": [vars(one) for one in found], "purged": told})
        return
    erased = sum(one.kind == ERASED for one in found)
    wrong = sum(one.is_fault for one in found)
    shown = [table("Findings" if wrong else "No faults", _FINDINGS, map(vars, found))] if found else []
    shown += [line(one.text) for one in purges]
    shown.append(line(_summary(wrong, erased)))
    print_all(shown if anchored else [*shown, line(_LIMITS)])


def _summary(wrong: int, erased: int) -> str:
    """How many faults there are; rows that `erase` blanked are none."""
    told = "Every digest and every link is right"
    if wrong:
        told = _count(wrong, "finding")
    if not erased:
        return f"{told}."
    return f"{told}; the values of {_count(erased, 'row')} were erased, which is no fault."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
