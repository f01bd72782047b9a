"""Runs `snowflake-audit` as a person does, and reads what it answers."""

from __future__ import annotations

import io
import json
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any
from unittest import mock

from target_snowflake_audit.cli.__main__ import main


@dataclass(frozen=True)
class Answer:
    """What a command gave."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # noqa: ANN401 - any JSON document
        """The document on standard output; numbers with a point stay text, so that each digit counts."""
        return json.loads(self.out, parse_float=str)


@dataclass(frozen=True)
class Console:
    """Runs commands against a local Snowflake, in this process: importing the connector takes a second."""

    ready: dict[str, Any]
    environment: dict[str, str]

    def __call__(self, *arguments: str, **settings: str) -> Answer:
        """Run a command; `settings` come on top of the loader's, an empty one counts as not set."""
        own = {f"TARGET_SNOWFLAKE_AUDIT_{name.upper()}": value for name, value in settings.items()}
        out, err = io.StringIO(), io.StringIO()
        with (
            mock.patch.dict(os.environ, {**self.environment, **own}),
            mock.patch.object(sys, "argv", ["snowflake-audit", *arguments]),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            try:
                main()
            except SystemExit as ended:
                return Answer(int(ended.code or 0), out.getvalue(), err.getvalue())
        message = "main() always exits"
        raise AssertionError(message)
