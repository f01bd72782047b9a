"""Shows dead letters to people and gives them to programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from target_snowflake_audit.checking.problems import MAPPING, MISSING, NULL_KEY, REDACTED
from target_snowflake_audit.cli.output import SHORT_ID, Column, facts, line, lines, lower, table
from target_snowflake_audit.cli.text import exact_json, quoted, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.console import RenderableType

    from target_snowflake_audit.replay import Outcome

    Row = Mapping[str, Any]

_LIST = [
    Column("Letter", "letter"),
    Column("Refused (UTC)", "at"),
    Column("Stream", "stream"),
    Column("Key", "key"),
    Column("What is wrong", "wrong"),
    Column("Status", "status"),
]
_RECORD = [
    Column("", "mark"),
    Column("Property", "property"),
    Column("Value", "value"),
    Column("Reason", "reason"),
    Column("Expected", "expected"),
    Column("Column now", "type"),
]
_EVENTS = [
    Column("When (UTC)", "AT"),
    Column("Event", "EVENT"),
    Column("By", "ACTOR"),
    Column("Role", "ACTOR_ROLE"),
    Column("Note", "NOTE"),
    Column("Batch", "BATCH_ID"),
]
_OUTCOMES = [
    Column("Letter", "letter"),
    Column("Outcome", "outcome"),
    Column("Note", "note"),
    Column("Still wrong", "wrong"),
    Column("Batch", "batch"),
]
_DRY_RUN = [
    Column("Letter", "letter"),
    Column("Table", "TARGET_TABLE"),
    Column("Key", "key"),
    Column("What was wrong", "wrong"),
]
_OUTCOME_NAMES = {"replayed": "replayed", "replay_failed": "failed", "replay_skipped": "skipped"}
_WITHOUT_VALUE = (MISSING, REDACTED)
_ERASED = "(erased)"
_OUTCOME_STYLES = {"replayed": "green", "replay_failed": "bold red"}


def list_parts(rows: Sequence[Row], total: int, status: str) -> Iterable[RenderableType]:
    """A table of letters, and how many more there are."""
    if not rows:
        yield line(f"No {'' if status == 'all' else f'{status} '}dead letters.")
        return
    yield table("Dead letters", _LIST, (_list_row(row) for row in rows))
    if total > len(rows):
        yield line(f"{len(rows)} of {total} shown; --limit shows more.")


def list_json(rows: Sequence[Row], total: int) -> dict[str, Any]:
    """Letters as JSON."""
    return {"total": total, "dead_letters": [lower(row) for row in rows]}


def letter_parts(letter: Row, events: Sequence[Row], types: Mapping[str, str]) -> Iterable[RenderableType]:
    """One letter: where it comes from, the record with its bad values marked, and its events."""
    yield facts(
        f"Dead letter {letter['DEAD_LETTER_ID']}",
        {
            "Status": _status(letter),
            "Stream": letter["STREAM"],
            "Table": letter["TARGET_TABLE"],
            "Key": key_text(letter["KEY"]),
            "Changed in the source": letter["SOURCE_TIME"],
            "Read by the tap": letter["EXTRACTED_AT"],
            "Refused": letter["AT"],
            "Refused in phase": letter["PHASE"],
            "Run": letter["RUN_ID"],
            "Batch": letter["BATCH_ID"],
            "Snowflake error": letter["ERRNO"],
            "SQLSTATE": letter["SQLSTATE"],
            "Query id": letter["QUERY_ID"],
            "Redacted": letter["REDACTED"],
            "Erased by checkpoint": letter["ERASURE_ID"],
        },
    )
    yield table("Record as received", _RECORD, record_rows(letter, types))
    if not isinstance(_record(letter), dict):
        yield line(shown(letter["RECORD_TEXT"]))
    yield table("Events", _EVENTS, map(_event_row, events)) if events else line("Nobody has acted on it yet.")


def letter_json(letter: Row, events: Sequence[Row], types: Mapping[str, str]) -> dict[str, Any]:
    """One letter with its events and the types of its bad columns now, as JSON."""
    bad = [str(error["column"]) for error in letter["ERRORS"] or () if error.get("column")]
    return {
        "dead_letter": {**lower(letter), "record": _record(letter)},
        "column_types": {name: types.get(name) for name in bad},
        "events": [lower(event) for event in events],
    }


def outcome_parts(outcomes: Sequence[Outcome]) -> Iterable[RenderableType]:
    """What became of each letter, and how many of each."""
    yield table("Replay", _OUTCOMES, (_outcome_row(one) for one in outcomes))
    yield line(", ".join(f"{count} {name}" for name, count in _tally(outcomes).items()))


def outcomes_json(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """What became of each letter, as JSON."""
    return {
        "dry_run": False,
        **_tally(outcomes),
        "outcomes": [
            {
                "dead_letter_id": one.letter_id,
                "outcome": one.event,
                "note": one.note,
                "errors": list(one.errors),
                "batch_id": one.batch_id,
            }
            for one in outcomes
        ],
    }


def dry_run_parts(rows: Sequence[Row]) -> Iterable[RenderableType]:
    """The letters that a replay would load."""
    if not rows:
        yield line("No open dead letters.")
        return
    yield table("Would be replayed", _DRY_RUN, (_dry_run_row(row) for row in rows))
    yield line(f"{len(rows)} letters; nothing was loaded.")


def record_rows(letter: Row, types: Mapping[str, str]) -> list[dict[str, Any]]:
    """One row a property, in the order received; bad ones are marked, and absent ones follow."""
    record = _record(letter)
    values = record if isinstance(record, dict) else {}
    errors: dict[str, list[Row]] = {}
    for error in letter["ERRORS"] or ():
        errors.setdefault(str(error.get("property") or error.get("column") or ""), []).append(error)
    names = [*values, *(name for name in errors if name not in values)]
    gone = letter.get("ERASURE_ID") is not None
    return [_record_row(name, values, errors.get(name, []), types, erased=gone) for name in names]


def key_text(key: object) -> str:
    """A key as `ID=SI0001 LINE=1000`."""
    if not isinstance(key, dict):
        return shown(key)
    return " ".join(f"{name}={'null' if value is None else shown(value)}" for name, value in key.items())


def error_text(error: Row) -> str:
    """One bad column in a line: `AMOUNT = "12,5x": not a number`.

    What has no value must not look like an empty text, which may be a value.
    """
    name = error.get("property") or error.get("column") or "record"
    reason, value = error.get("reason"), error.get("value")
    if reason == MAPPING:
        return f"{name}: {_expected(error)}"
    if reason == NULL_KEY:
        value = None
    elif not value and (reason in _WITHOUT_VALUE or name == "record"):
        return f"{name}: {shown(reason)}"
    elif "value" not in error:
        return f"{name} = {_ERASED}: {shown(reason)}"
    return f"{name} = {quoted(value)}: {shown(reason)}"


def _expected(error: Row) -> str:
    """What was expected; of a failed map the message too, which is no value of the property."""
    expected, value = shown(error.get("expected")), error.get("value")
    return f"{expected}: {shown(value)}" if value and error.get("reason") == MAPPING else expected


def _list_row(row: Row) -> dict[str, Any]:
    errors = row["ERRORS"] or ()
    return {
        "letter": row["DEAD_LETTER_ID"][:SHORT_ID],
        "at": row["AT"],
        "stream": row["STREAM"],
        "key": key_text(row["KEY"]),
        "wrong": lines(error_text(error) for error in errors) if errors else row["REASON"],
        "status": _status(row),
    }


def _tally(outcomes: Sequence[Outcome]) -> dict[str, int]:
    return {name: sum(one.event == event for one in outcomes) for event, name in _OUTCOME_NAMES.items()}


def _outcome_row(one: Outcome) -> dict[str, Any]:
    return {
        "letter": one.letter_id[:SHORT_ID],
        "outcome": _OUTCOME_NAMES.get(one.event, one.event),
        "note": one.note,
        "wrong": lines(error_text(error) for error in one.errors),
        "batch": one.batch_id[:SHORT_ID],
        "style": _OUTCOME_STYLES.get(one.event),
    }


def _dry_run_row(row: Row) -> dict[str, Any]:
    wrong = lines(error_text(error) for error in row["ERRORS"] or ())
    return {**row, "letter": row["DEAD_LETTER_ID"][:SHORT_ID], "key": key_text(row["KEY"]), "wrong": wrong}


def _event_row(event: Row) -> dict[str, Any]:
    batch = event["BATCH_ID"]
    return {**event, "BATCH_ID": batch and batch[:SHORT_ID]}


def _status(row: Row) -> str:
    status = str(row["STATUS"]).replace("_", " ")
    return f"{status} at {shown(row['STATUS_AT'])}" if row["STATUS_AT"] is not None else status


def _record(letter: Row) -> object:
    """The exact record; its VARIANT copy may have lost digits on its way through JSON readers."""
    try:
        return exact_json(letter["RECORD_TEXT"])
    except ValueError:
        return None


def _record_row(
    name: str,
    values: Mapping[str, Any],
    errors: Sequence[Row],
    types: Mapping[str, str],
    *,
    erased: bool = False,
) -> dict[str, Any]:
    row: dict[str, Any] = {"property": name or "(whole record)", "mark": "", "reason": "", "expected": ""}
    lacking = any(error.get("reason") == MISSING for error in errors)
    none = _ERASED if erased and not lacking else "(absent)" if name else ""
    row["value"] = quoted(values[name]) if name in values else none
    row["type"] = ""
    if errors:
        row |= {
            "mark": ">>",
            "style": "bold red",
            "reason": lines(str(error.get("reason")) for error in errors),
            "expected": lines(map(_expected, errors)),
            "type": types.get(str(errors[0].get("column")), ""),
        }
    return row
