"""Keeps capabilities and settings of meltano.yml in step with what each plugin says of itself.

Run as a program it rewrites meltano.yml; the test imports `with_settings` and compares.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import SingleQuotedScalarString

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = {"extractors": "tap-sagex3", "loaders": "target-snowflake-audit"}
# JSON schema type to the `kind` of a Meltano setting; any other type is a string. A time is a string too: as
# `date_iso8601` Meltano would read 12/03/2024 as the third of December before the plugin can refuse it.
KINDS = {
    "boolean": "boolean",
    "integer": "integer",
    "number": "integer",  # Meltano 4.4 cannot pass a decimal on: it writes the configuration as JSON
    "array": "array",
    "object": "object",
}
YAML_1_1_BOOLEANS = {"on", "off", "yes", "no", "y", "n"}
# Meltano's own schema does not know these capabilities of an SDK plugin (the Hub's does).
UNKNOWN_TO_MELTANO = {"validate-records", "target-schema"}


def about(plugin: str) -> dict[str, Any]:
    """Give the plugin's own description, as `--about --format=json` prints it without any configuration."""
    command = [str(Path(sys.executable).parent / plugin), "--about", "--format=json"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    described: dict[str, Any] = json.loads(printed)
    return described


def settings(described: dict[str, Any]) -> list[dict[str, Any]]:
    """Turn the JSON schema of a plugin's settings into the entries that meltano.yml wants, in order."""
    return [_setting(name, schema) for name, schema in described["settings"]["properties"].items()]


def required(described: dict[str, Any]) -> list[str]:
    """Name the settings without which the plugin does not start."""
    names: list[str] = described["settings"].get("required", [])
    return names


def with_settings(text: str) -> str:
    """Give the text of meltano.yml with what it says of each plugin made anew."""
    yaml = YAML()
    yaml.width = 110
    yaml.indent(mapping=2, sequence=2, offset=0)
    project = yaml.load(text)
    for group, name in PLUGINS.items():
        (plugin,) = (entry for entry in project["plugins"][group] if entry["name"] == name)
        described = about(name)
        plugin["capabilities"] = sorted(set(described["capabilities"]) - UNKNOWN_TO_MELTANO)
        plugin["settings"] = settings(described)
        if required(described):
            plugin["settings_group_validation"] = [required(described)]
    out = io.StringIO()
    yaml.dump(project, out)
    return out.getvalue()


def _setting(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": name}
    if "title" in schema:
        entry["label"] = schema["title"]
    if "enum" in schema:
        values = [value for value in schema.get("enum", []) if value is not None]
        entry |= {
            "kind": "options",
            "options": [{"label": _text(value), "value": _text(value)} for value in values],
        }
    else:
        entry["kind"] = _kind(schema)
    if "description" in schema:
        entry["description"] = " ".join(schema["description"].split())
    if schema.get("writeOnly") or schema.get("secret"):
        entry["sensitive"] = True
    if schema.get("default") is not None:
        default = schema["default"]
        entry["value"] = _text(default) if isinstance(default, str) else default
    return entry


def _text(value: object) -> str:
    """Quote what YAML 1.1, which Meltano reads, would take for a boolean."""
    text = str(value)
    return SingleQuotedScalarString(text) if text.lower() in YAML_1_1_BOOLEANS else text


def _kind(schema: dict[str, Any]) -> str:
    types = schema.get("type", "string")
    first = next(
        (kind for kind in ([types] if isinstance(types, str) else types) if kind != "null"), "string"
    )
    return KINDS.get(first, "string")


def main() -> None:
    """Rewrite meltano.yml in place."""
    file = ROOT / "meltano.yml"
    file.write_text(with_settings(file.read_text()))


if __name__ == "__main__":
    main()
