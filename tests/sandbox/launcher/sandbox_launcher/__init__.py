"""The `sandbox` command of the workspace: starts the sandbox in its own environment."""

from __future__ import annotations
