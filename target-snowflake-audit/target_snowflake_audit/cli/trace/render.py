"""Shows traces to people and gives them to programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from target_snowflake_audit.checking.problems import MAPPING
from target_snowflake_audit.cli.dead_letters.render import error_text
from target_snowflake_audit.cli.output import SHORT_ID, Column, empty, facts, line, lines, table
from target_snowflake_audit.cli.text import NOTHING, quoted, shown
from target_snowflake_audit.cli.trace.document import posted
from target_snowflake_audit.cli.trace.links import ALLOCATIONS, ENTRY, ENTRY_LINES, title_of, words_of
from target_snowflake_audit.cli.trace.timeline import AUDIT_PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.console import RenderableType

    from target_snowflake_audit.cli.trace.document import Document, Entry, Sum
    from target_snowflake_audit.cli.trace.links import Part
    from target_snowflake_audit.cli.trace.timeline import Change, Step

    Row = Mapping[str, Any]

_STYLES = {"refused": "red", "attempt failed": "yellow", "dead letter replayed": "green", "delete": "magenta"}
_IDENTIFIERS = frozenset({"batch", "run", "dead letter"})
_STEP_COLUMNS = [
    Column("When (UTC)", "at"),
    Column("Clock", "clock"),
    Column("What", "what"),
    Column("Details", "details"),
]


def record_parts(
    title: str, steps: Sequence[Step], current: Row | None, *, readable: bool = True
) -> Iterable[RenderableType]:
    """The timeline of a record as a table, and the row as it is stored now."""
    yield table(title, _STEP_COLUMNS, (_step_row(step) for step in steps))
    if current is None:
        seen = "No row is stored under this key." if readable else "This role may not read the table itself."
        yield line(seen)
        return
    values = {name: value for name, value in current.items() if not name.startswith(AUDIT_PREFIX)}
    deleted = current.get("_AUDIT_DELETED_AT")
    state = f"Stored row, deleted at {shown(deleted)}" if deleted is not None else "Stored row"
    yield facts(state, values)


def record_json(steps: Sequence[Step], current: Row | None) -> dict[str, Any]:
    """The timeline and the stored row as JSON members."""
    return {
        "timeline": [_step_json(step) for step in steps],
        "current": None if current is None else dict(current),
    }


def document_parts(document: Document, compared: Sequence[Sum]) -> Iterable[RenderableType]:
    """The document as tables from the invoice to its cost allocations, and its sums at the end."""
    kind = document.kind
    yield facts(
        f"{kind.title} {document.header.get('id', '')}".rstrip(), _shown(kind.header, document.header)
    )
    yield _rows("Invoice lines", kind.lines, document.lines)
    if not posted(document):
        yield line("No GL entry of this invoice is loaded.", "yellow")
    for entry in document.entries:
        yield from _entry_parts(entry)
    yield table(
        "Do the amounts add up?",
        [
            Column("What", "what"),
            Column("Expected", "expected", right=True),
            Column("Found", "found", right=True),
            Column("Result", "result"),
        ],
        (_sum_row(one) for one in compared),
    )


def document_json(document: Document, compared: Sequence[Sum]) -> dict[str, Any]:
    """The document and its sums as JSON members."""
    return {
        "document": document.kind.command,
        "header": dict(document.header),
        "lines": list(document.lines),
        "entries": [
            {
                "entryType": entry.entry_type,
                "id": entry.number,
                "link": entry.link,
                "header": entry.header,
                "lines": list(entry.lines),
                "allocations": list(entry.allocations),
            }
            for entry in document.entries
        ],
        "sums": [
            {"what": one.what, "expected": one.expected, "found": one.found, "difference": one.difference}
            for one in compared
        ],
    }


def _entry_parts(entry: Entry) -> Iterable[RenderableType]:
    title = f"GL entry {entry.entry_type} {entry.number} ({entry.link})"
    if entry.header is None:
        yield line(f"{title}: its header is not loaded", "yellow")
    else:
        yield facts(title, _shown(ENTRY, entry.header))
    yield _rows("GL lines", ENTRY_LINES, entry.lines)
    yield _rows("Cost allocations", ALLOCATIONS, entry.allocations)


def _rows(title: str, part: Part, rows: Sequence[Row]) -> RenderableType:
    if not rows:
        return line(f"{title}: none")
    names = [name for name in part.shown if not all(empty(row.get(name)) for row in rows)]
    columns = [Column(title_of(name), name, right=_is_number(rows[0].get(name))) for name in names]
    return table(title, columns, map(_flat, rows))


def _flat(row: Row) -> dict[str, Any]:
    """Dimensions of an allocation as `CCT=100 PJT=P1` instead of JSON."""
    dimensions = row.get("dimensions")
    if not isinstance(dimensions, list):
        return dict(row)
    pairs = (f"{shown(one.get('type'))}={shown(one.get('value'))}" for one in dimensions)
    return {**row, "dimensions": " ".join(pairs)}


def _is_number(value: object) -> bool:
    return not isinstance(value, str | bool | list | dict | None) and not hasattr(value, "year")


def _shown(part: Part, row: Row) -> dict[str, Any]:
    return {words_of(name): row.get(name) for name in part.shown}


def _sum_row(one: Sum) -> dict[str, Any]:
    if one.difference == 0:
        return {"what": one.what, "expected": one.expected, "found": one.found, "result": "yes"}
    result = f"DIFFERS by {shown(one.difference)}"
    return {
        "what": one.what,
        "expected": one.expected,
        "found": one.found,
        "result": result,
        "style": "bold red",
    }


def _step_row(step: Step) -> dict[str, Any]:
    details = [", ".join(_fact(name, value) for name, value in step.facts.items() if value is not None)]
    details += [_error(error) for error in step.errors]
    details += _change_lines(step)
    return {
        "at": NOTHING if step.at is None else step.at,
        "clock": step.clock,
        "what": step.what,
        "details": lines(detail for detail in details if detail),
        "style": _STYLES.get(step.what),
    }


def _fact(name: str, value: object) -> str:
    """`batch 0123456789ab`: identifiers are digests, of which people need only the beginning."""
    text = shown(value)
    return f"{name} {text[:SHORT_ID] if name in _IDENTIFIERS else text}"


def _change_lines(step: Step) -> list[str]:
    """Only what changed; of a new row all its values are new, and the stored row below shows them."""
    if step.changes and all(change.before is None for change in step.changes):
        return [f"{len(step.changes)} columns set"]
    return [_change(change) for change in step.changes]


def _change(change: Change) -> str:
    return f"{change.column}: {quoted(change.before)} -> {quoted(change.after)}"


def _error(error: Mapping[str, object]) -> str:
    text = error_text({**error, "property": error.get("column") or error.get("property")})
    return text if error.get("reason") == MAPPING else f"{text}; expected {error.get('expected')}"


def _step_json(step: Step) -> dict[str, Any]:
    return {
        "at": step.at,
        "clock": step.clock,
        "event": step.what.replace(" ", "_"),
        **{name.replace(" ", "_"): value for name, value in step.facts.items()},
        "changes": [
            {"column": change.column, "before": change.before, "after": change.after}
            for change in step.changes
        ],
        "errors": list(step.errors),
    }
