"""What a player's log says in words."""

from __future__ import annotations

import pandas as pd

from nba_props.presentation import players


def test_a_log_in_words_counts_only_games_before_the_line():
    days = pd.date_range("2026-01-01", periods=7)
    log = pd.DataFrame(
        {"game_date": days, "result": [10, 22, 30, 19, 25, 28, None], "line": [None] * 6 + [20.5], "sportsbook": "dk"}
    )[::-1].reset_index(drop=True)
    said = players.form(log)
    assert said[0] == "line of 2026-01-07: 20.5 (dk); over it in 4 of the last 5"
    assert said[1] == "average  24.8 in the last 5 games before 2026-01-07"
    assert players.form(log.assign(line=None)) == []
