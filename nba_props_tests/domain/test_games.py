"""The cut-off of a game. Which games are played for is in test_season_types.py, on frames and in statements."""

from __future__ import annotations

import pandas as pd
import pytest

from nba_props.domain.games import cutoff

EARLY, LATE = "2025-11-06T00:00Z", "2025-11-06T00:30Z"


@pytest.mark.parametrize(
    ("tipoff", "start", "expected"),
    [
        (EARLY, LATE, EARLY),
        (LATE, EARLY, EARLY),
        (EARLY, EARLY, EARLY),
        (None, LATE, LATE),
        (LATE, None, LATE),
        (None, None, None),
    ],
)
def test_the_cutoff_is_the_earliest_known_start(tipoff, start, expected):
    own, feed, known = (
        pd.Series(pd.to_datetime([value], utc=True)).dt.as_unit("us") for value in (tipoff, start, expected)
    )
    pd.testing.assert_series_equal(cutoff(own, feed), known)
