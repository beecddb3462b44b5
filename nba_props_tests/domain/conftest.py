"""Rules are tested on rows that are written by hand: a lake here is tables in memory."""

from __future__ import annotations

import pytest

from nba_props_tests.frames import Frames


@pytest.fixture
def lake() -> Frames:
    return Frames()
