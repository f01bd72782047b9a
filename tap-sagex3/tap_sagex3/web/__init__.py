"""What every HTTP client of the tap shares: sessions, TLS, bodies, retries."""

from __future__ import annotations
