"""The entity that the local X3's site has of its own, as settings of the tap give it."""

from __future__ import annotations

import tomllib
import typing as t

from processes import ROOT

Record = dict[str, t.Any]
SITE = ROOT / "tests" / "sandbox" / "local_x3" / "site"


def quality_report() -> Record:
    """The site's entity as its own file declares it; its menus are given as lists of names."""
    raw = tomllib.loads((SITE / "quality_report.toml").read_text(encoding="utf-8"))
    menus = tomllib.loads((SITE / "menus.toml").read_text(encoding="utf-8"))
    for stream in raw["stream"]:
        for field in stream["fields"]:
            if "menu" in field:
                field["menu"] = menus[field["menu"]]
    return raw
