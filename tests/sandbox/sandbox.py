"""Start of the sandbox inside its own environment; `.venv/bin/sandbox` runs this file."""

from __future__ import annotations

from sandbox_runner.__main__ import main

if __name__ == "__main__":
    main()
