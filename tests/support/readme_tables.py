"""Tables of a plugin's README, made from what the plugin says of itself with `--about`.

A table stands between `<!-- NAME -->` and `<!-- end of NAME -->`. Run as a program with the names of plugins
(their folders) to write the tables again; a test calls `is_current`.
"""

from __future__ import annotations

import json
import re
import sys
import typing as t

from processes import ROOT, run_command

if t.TYPE_CHECKING:
    from pathlib import Path

Property = dict[str, t.Any]


def about(plugin: str) -> dict[str, t.Any]:
    """What a plugin says of itself, without any configuration.

    Raises:
        RuntimeError: the command failed.
    """
    result = run_command([plugin, "--about", "--format=json"])
    if result.returncode:
        raise RuntimeError(result.stderr.decode())
    return t.cast("dict[str, t.Any]", json.loads(result.stdout))


def settings_table(settings: dict[str, t.Any]) -> str:
    """Markdown table of the settings of a JSON schema: name, type, default, description."""
    required = set(settings.get("required", ()))
    lines = ["| setting | type | default | description |", "|---|---|---|---|"]
    for name, schema in settings["properties"].items():
        marks = " (required)" if name in required else ""
        default = "" if schema.get("default") in (None, {}, []) else f"`{json.dumps(schema['default'])}`"
        lines.append(f"| `{name}`{marks} | {_type_of(schema)} | {default} | {_description(schema)} |")
    return "\n".join(lines)


def with_table(text: str, name: str, table: str) -> str:
    """A README's text with a table put between its markers.

    Raises:
        ValueError: the markers are not there.
    """
    start, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    found, count = re.subn(
        f"{re.escape(start)}.*?{re.escape(end)}", lambda _: f"{start}\n{table}\n{end}", text, flags=re.DOTALL
    )
    if count != 1:
        msg = f"expected exactly one {start} ... {end}, found {count}"
        raise ValueError(msg)
    return found


def current_text(plugin: str) -> str:
    """The README of a plugin as it should be."""
    text = readme(plugin).read_text(encoding="utf-8")
    return with_table(text, "settings", settings_table(about(plugin)["settings"]))


def is_current(plugin: str) -> bool:
    """Whether the tables in a plugin's README are those that would be written now."""
    return readme(plugin).read_text(encoding="utf-8") == current_text(plugin)


def readme(plugin: str) -> Path:
    """The README of a plugin."""
    return ROOT / plugin / "README.md"


def _type_of(schema: Property) -> str:
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"] if value is not None)
    kinds = schema.get("type", "string")
    names = [kinds] if isinstance(kinds, str) else [kind for kind in kinds if kind != "null"]
    secret = ", secret" if schema.get("secret") or schema.get("writeOnly") else ""
    return " or ".join(names) + _range_of(schema) + secret


def _range_of(schema: Property) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    if most is not None:
        return f", {least} to {most}" if least is not None else f", at most {most}"
    return f", at least {least}" if least is not None else ""


def _description(schema: Property) -> str:
    return " ".join(str(schema.get("description", "")).split()).replace("|", "\\|")


if __name__ == "__main__":
    for each in sys.argv[1:]:
        readme(each).write_text(current_text(each), encoding="utf-8")
