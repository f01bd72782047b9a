"""Files that are made from the code are in step with it, and nothing of one machine is in the project."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import meltano_file
import pytest
from pipeline import ROOT, run


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def test_settings_in_meltano_yml_are_those_of_the_plugins() -> None:
    text = (ROOT / "meltano.yml").read_text()
    assert meltano_file.with_settings(text) == text, "run `make generate`"


@pytest.mark.alone
def test_meltano_accepts_its_file(tmp_path: Path) -> None:
    for plugin in meltano_file.PLUGINS.values():
        ended = run(["meltano", "config", "print", plugin, "--format=json"], {})
        assert ended.code == 0, ended.err
    ended = run(["meltano", "compile", "--lint", "--directory", str(tmp_path)], {})
    assert ended.code == 0, ended.err


def test_requirement_files_pin_with_hashes_and_without_addresses() -> None:
    files = sorted((ROOT / "requirements").glob("*.txt"))
    assert files
    for file in files:
        text = file.read_text()
        assert "://" not in text, file
        pinned = re.findall(r"^[A-Za-z0-9_.\[\]-]+==", text, re.MULTILINE)
        assert pinned, file
        if file.name != "constraints.txt":  # a constraints file cannot hold hashes
            assert text.count("--hash=") >= len(pinned), file


def test_no_lock_file_and_no_path_of_a_machine() -> None:
    files = tracked()
    assert not [f for f in files if f.name == "uv.lock"]
    home = re.compile(r"(?<![\w.])/(?:home|root|work|Users)/[a-z]")
    found = []
    for file in files:
        if file.suffix in {".py", ".toml", ".md", ".yml", ".txt", ""} and file.name != Path(__file__).name:
            found += [
                f"{file.relative_to(ROOT)}: {m}" for m in home.findall(file.read_text(errors="replace"))
            ]
    assert found == []


@pytest.mark.parametrize("member", ["tap-sagex3", "target-snowflake-audit"])
def test_members_are_complete(member: str) -> None:
    for name in ("README.md", "LICENSE", "CHANGELOG.md", "pyproject.toml"):
        assert (ROOT / member / name).stat().st_size > 0, f"{member}/{name}"
    assert (ROOT / member / member.replace("-", "_") / "py.typed").exists()


@pytest.mark.parametrize("command", ["tap-sagex3", "target-snowflake-audit", "snowflake-audit"])
def test_commands_answer_without_configuration(command: str) -> None:
    assert run([command, "--help"], {}).code == 0
    version = run([command, "--version"], {})
    assert version.code == 0
    assert "0.1.0" in version.out


@pytest.mark.parametrize("plugin", ["tap-sagex3", "target-snowflake-audit"])
def test_every_setting_has_a_title_and_a_description(plugin: str) -> None:
    ended = run([plugin, "--about", "--format=json"], {})
    properties = json.loads(ended.out)["settings"]["properties"]
    lacking = [n for n, s in properties.items() if not (s.get("title") and s.get("description"))]
    assert lacking == []
