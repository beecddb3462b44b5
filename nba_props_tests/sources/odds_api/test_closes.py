"""Whether the captures that are planned make true closes, in a simulated season with a daemon that is late or fails."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from nba_props.domain.quality.closes import CLOSES
from nba_props.facts.rhythm import FULL, THRIFTY
from nba_props.simulator import calendar
from nba_props.simulator.season import QUOTED_PER_GAME
from nba_props.sources.odds_api import times

#: the share of captures that fail
FAILS = 0.03


def newest_captures(rhythm: str, seed: int = 3) -> np.ndarray:
    """Minutes from the newest capture of each game of a season to its tip-off, while ticks are up to two minutes apart
    and a capture up to a minute and a half after its tick; infinite for a game without any.
    """
    rng = np.random.default_rng(seed)
    games = calendar.schedule(rng, 2025)
    found = []
    for day, today in games[~games["postponed"]].groupby("day"):
        starts = [at.to_pydatetime() for at in today["tipoff_at"]]
        newest: dict[int, float] = {}
        after = min(starts) - timedelta(hours=12)
        # the first tick after each planned instant: at the others nothing is due
        for planned in times.captures_of(day, starts, rhythm):
            now = max(after, planned.at + timedelta(seconds=float(rng.uniform(0, 120))))
            for due in times.due(day, starts, after, now, rhythm):
                at = now + timedelta(seconds=float(rng.uniform(5, 90)))
                if rng.random() < FAILS:
                    continue
                for n, start in enumerate(starts):
                    # a game that has begun is not asked for (``capture.odds``)
                    if start > at and due.tipoff in (None, start):
                        newest[n] = (start - at).total_seconds() / 60
            after = now
        found += [newest.get(n, np.inf) for n in range(len(starts))]
    return np.array(found)


@pytest.mark.parametrize(("rhythm", "promised"), [(FULL, CLOSES), (THRIFTY, CLOSES[:1])])
def test_a_seasons_props_have_true_closes(rhythm, promised):
    newest = newest_captures(rhythm)
    assert len(newest) == 1230
    assert len(newest) * QUOTED_PER_GAME > 17_000, "props"
    assert (newest > 0).all(), "none is from after the tip-off"
    for minutes, share in promised:
        assert (newest <= minutes).mean() >= share, (rhythm, minutes)


def test_the_shortest_of_them_need_the_full_rhythm():
    minutes, share = CLOSES[-1]
    assert (newest_captures(THRIFTY) <= minutes).mean() < share
