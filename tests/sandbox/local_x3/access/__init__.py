"""Who may call: Basic, a connected application, the cloud gateway; and what is refused as a write."""

from __future__ import annotations
