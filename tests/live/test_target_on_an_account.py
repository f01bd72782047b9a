"""The suites of tests/target on the account that LIVE_SNOWFLAKE_* name; see the README, `make test-live`."""

from __future__ import annotations

import live_suites
import pytest

pytestmark = pytest.mark.live

globals().update(live_suites.tests())
