"""When a box score settles something: half-time scores, captures in part, and the final score that they must have."""

from __future__ import annotations

import pandas as pd
import pytest

from nba_props.domain.results import adds_up, finished

DAY, GAME = pd.Timestamp("2025-11-05"), "0022500001"


def box(home: int = 101, away: int = 99, minutes: int = 240, won: bool | None = True) -> pd.DataFrame:
    """Two teams of five; the home team's players share its points and minutes."""
    rows = []
    for team, points, is_winner in ((1, home, won), (2, away, None if won is None else not won)):
        shares = [points // 5] * 4 + [points - 4 * (points // 5)]
        rows += [
            {"game_date": DAY, "game_id": GAME, "player_id": 10 * team + n, "team_id": team, "points": share,
             "minutes": minutes // 5, "won": is_winner}
            for n, share in enumerate(shares)
        ]  # fmt: skip
    return pd.DataFrame(rows).astype({"won": "boolean", "points": "Int64", "minutes": "Int64"})


@pytest.mark.parametrize(
    ("boxes", "whole"),
    [
        (box(), True),
        (box(99, 101, won=False), True),
        (box(minutes=265), True),  # overtime
        (box(minutes=232), True),  # minutes are rounded
        (box(minutes=120), False),  # half-time
        (box(won=None), False),  # under way
        (box(won=False), False),  # who lost has more points
        (box(100, 100), False),
        (box().iloc[:5], False),  # one team
        (box().iloc[[0, 5]], False),  # one row each
        (box().iloc[1:], False),  # a player is missing
    ],
)
def test_what_adds_up_to_a_whole_game(boxes, whole):
    assert adds_up(boxes).tolist() == [whole]


@pytest.mark.parametrize(
    ("boxes", "score", "counts"),
    [
        (box(), (101, 99), True),
        (box(), (None, None), True),
        (box(), (None, 99), True),
        (box(minutes=120, won=None), (None, None), False),
        (box(minutes=120, won=None), (101, 99), True),  # whatever else it says, it has the final score
        (box(), (103, 99), True),  # a correction that the schedule does not have yet
        (box(minutes=235, won=None), (103, 99), False),  # before the last basket
        (box().iloc[[0, 5]], (101, 99), False),
        (box().iloc[:5], (101, 99), False),
        (box(0, 0, minutes=0), (0, 0), False),  # a feed that has no score yet
    ],
)
def test_a_game_counts_when_its_box_score_has_the_final_score(boxes, score, counts):
    schedule = pd.DataFrame(
        {"game_date": [DAY], "game_id": GAME, "home_team_id": 1, "away_team_id": 2, "home_score": score[0], "away_score": score[1]}
    )  # fmt: skip
    found = finished(schedule, boxes)
    assert found.values.tolist() == [[DAY, GAME, counts]]
    assert finished(schedule.iloc[:0], boxes)["is_finished"].tolist() == adds_up(boxes).tolist()
    assert finished(schedule, boxes.iloc[:0]).empty
