"""Results: what each market counts, and when a box score is one: not while the game is on, nor if it is incomplete."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from nba_props.facts import markets
from nba_props.facts.keys import GAME, PROP

#: both teams' five players for 48 minutes are 240; whole minutes a player may round ten of them away
LEAST_TEAM_MINUTES = 230


def counted(rows: pd.DataFrame) -> np.ndarray:
    """What each market (columns, in the order of ``markets.keys``) counts of each row; null where a statistic is.

    Args:
        rows: the columns ``markets.stats`` of box scores, or means or sums of them.
    """
    stats = markets.stats()
    of_market = np.array([[float(s in m.stats) for m in markets.MARKETS] for s in stats])
    return rows[list(stats)].to_numpy("float64", na_value=np.nan) @ of_market


def adds_up(box_scores: pd.DataFrame, by: Sequence[str] = GAME) -> pd.Series:
    """Whether each box score is complete by itself: two teams, of which the winner has more points than the loser, and
    a full game's minutes for both.

    Args:
        box_scores: rows of ``nba_raw.box_scores``.
        by: the columns that identify a box score.

    Returns:
        A boolean for each, indexed by these columns.
    """
    sides = box_scores.assign(
        decided=box_scores["won"].notna(), won=box_scores["won"].astype("boolean").fillna(False).astype(bool)
    ).groupby([*by, "team_id"])
    teams = sides.agg(
        points=("points", "sum"), minutes=("minutes", "sum"), decided=("decided", "all"), won=("won", "all"),
        any_won=("won", "any"),
    ).reset_index()  # fmt: skip
    teams["complete"] = teams["decided"] & teams["won"].eq(teams["any_won"]) & teams["minutes"].ge(LEAST_TEAM_MINUTES)
    teams["winner"] = teams["points"].where(teams["won"])
    teams["loser"] = teams["points"].where(~teams["won"])
    games = teams.groupby(list(by)).agg(
        sides=("team_id", "size"), winners=("won", "sum"), complete=("complete", "all"), winner=("winner", "max"),
        loser=("loser", "max"),
    )  # fmt: skip
    whole = games["sides"].eq(2) & games["winners"].eq(1) & games["complete"] & games["winner"].gt(games["loser"])
    return whole.fillna(False).astype(bool)


def finished(schedule: pd.DataFrame, box_scores: pd.DataFrame) -> pd.DataFrame:
    """``game_date, game_id, is_finished`` of every game that has a box score.

    A game is finished when its box score matches the schedule's final score, or is complete by itself: either feed may
    come first, and a correction reaches one before the other.

    Args:
        schedule: rows of ``nba_raw.schedule`` for the dates.
        box_scores: rows of ``nba_raw.box_scores`` for the dates.
    """
    whole = adds_up(box_scores).rename("is_finished").reset_index()
    points = box_scores.groupby([*GAME, "team_id"])["points"].sum().rename("points").reset_index()
    final = schedule[[*GAME, "home_team_id", "away_team_id", "home_score", "away_score"]]
    # a feed without a score yet has 0:0
    final = final[(final["home_score"].gt(0) & final["away_score"].gt(0)).fillna(False).astype(bool)]
    for side in ("home", "away"):
        mine = points.rename(columns={"team_id": f"{side}_team_id", "points": f"{side}_points"})
        final = final.merge(mine, on=[*GAME, f"{side}_team_id"], how="left")
    same = final["home_points"].eq(final["home_score"]) & final["away_points"].eq(final["away_score"])
    final = final[same.fillna(False).astype(bool)]
    has_final = pd.MultiIndex.from_frame(whole[GAME]).isin(pd.MultiIndex.from_frame(final[GAME]))
    return whole[GAME].assign(is_finished=whole["is_finished"] | has_final)


def results_sql(grades: str = "nba_predictions.prediction_accuracy") -> str:
    """SQL for ``PROP, result`` of each player and market whose result is known."""
    return f"SELECT DISTINCT {', '.join(PROP)}, result FROM {grades} AS a WHERE result IS NOT NULL"
