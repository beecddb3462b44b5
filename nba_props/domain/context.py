"""The context of a player before a game: rest, load, form, opponent and line.

Formulas: docs/legacy-systems.md#context.
"""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

from nba_props.facts.keys import PLAYER_DAY
from nba_props.facts.vocabulary import NullReason
from nba_props.schemas.analytics import MINUTES_HALF_LIFE

#: for each column that can be null the reason, unless the team is unknown (``_NEEDS_TEAM``)
_NULL_REASONS = {
    column: reason.value
    for reason, columns in {
        NullReason.NO_GAME_IN_LOOK_BACK: (
            "days_rest", "back_to_back", "history_through", "points_avg_last_5", "points_avg_last_10",
            "minutes_avg_last_5", "minutes_avg_last_10", "projected_minutes", "fatigue_score",
        ),
        NullReason.FEWER_THAN_2_GAMES: ("points_std_last_10",),
        NullReason.NO_GAME_THIS_SEASON: ("points_avg_season", "minutes_avg_season"),
        NullReason.NO_TEAM_GAME_IN_LOOK_BACK: (
            "team_pace_last_10", "team_off_rating_last_10", "opponent_pace_last_10", "opponent_def_rating_last_15",
            "pace_score",
        ),
        NullReason.NO_INJURY_REPORT: ("injury_status", "injury_reported_at", "teammates_reported_absent"),
        NullReason.NO_SHOT_ZONE_FEED: ("shot_zone_mismatch_score",),
        NullReason.NO_USAGE_PROJECTION_FEED: ("usage_spike_score",),
    }.items()
    for column in columns
}  # fmt: skip
_NEEDS_TEAM = (
    "is_home",
    "opponent",
    "team_pace_last_10",
    "team_off_rating_last_10",
    "opponent_pace_last_10",
    "opponent_def_rating_last_15",
    "pace_score",
    "injury_status",
    "teammates_reported_absent",
)


def halved(recency: pd.Series, half_life: float) -> pd.Series:
    """The weight of each past game: 1 for the latest, half as much ``half_life`` games earlier."""
    return 0.5 ** ((recency.astype("float64") - 1) / half_life)


def load(slate: pd.DataFrame, history: pd.DataFrame) -> pd.DataFrame:
    """Rest and load of each slate player from his past games; one row per slate row, indexed like it."""
    games = history[[*PLAYER_DAY, "recency", "played_on", "minutes", "points"]].copy()
    games["age"] = (games["game_date"] - games["played_on"]).dt.days
    games = games.sort_values([*PLAYER_DAY, "recency"], kind="stable")
    gap = games.groupby(PLAYER_DAY, sort=False)["age"].diff()
    games["is_pair"] = gap.eq(1) & games["age"].le(14)
    points = games["points"].astype("float64")
    minutes = games["minutes"].astype("float64")
    weight = halved(games["recency"], MINUTES_HALF_LIFE)
    terms = games[PLAYER_DAY].assign(
        history_games=1,
        points_5=points.where(games["recency"] <= 5),
        points_10=points.where(games["recency"] <= 10),
        minutes_5=minutes.where(games["recency"] <= 5),
        minutes_10=minutes.where(games["recency"] <= 10),
        games_7=games["age"].le(7).astype(int),
        games_14=games["age"].le(14).astype(int),
        weight=weight,
        minutes_weighted=weight * minutes,
        minutes_7=minutes.where(games["age"] <= 7, 0.0),
        minutes_14=minutes.where(games["age"] <= 14, 0.0),
        is_pair=games["is_pair"].astype(int),
        age=games["age"],
        played_on=games["played_on"],
    )
    grouped = terms.groupby(PLAYER_DAY, sort=False)
    stats = pd.DataFrame(
        {
            "history_games": grouped["history_games"].sum(),
            "history_through": grouped["played_on"].max(),
            "days_rest": grouped["age"].min(),
            "games_in_last_7_days": grouped["games_7"].sum(),
            "games_in_last_14_days": grouped["games_14"].sum(),
            "minutes_in_last_7_days": grouped["minutes_7"].sum(),
            "minutes_in_last_14_days": grouped["minutes_14"].sum(),
            "back_to_backs_last_14_days": grouped["is_pair"].sum(),
            "points_avg_last_5": grouped["points_5"].mean(),
            "points_avg_last_10": grouped["points_10"].mean(),
            "points_std_last_10": grouped["points_10"].std(ddof=1),
            "games_last_5": grouped["points_5"].count(),
            "games_last_10": grouped["points_10"].count(),
            "minutes_avg_last_5": grouped["minutes_5"].mean(),
            "minutes_avg_last_10": grouped["minutes_10"].mean(),
            # rounded, so that the mean of equal minutes is exactly that number
            "projected_minutes": (grouped["minutes_weighted"].sum() / grouped["weight"].sum()).round(9),
        }
    )
    out = stats.reindex(pd.MultiIndex.from_frame(slate[PLAYER_DAY])).reset_index(drop=True)
    counts = [c for c in out if c.startswith(("games_", "minutes_in", "history_games", "back_to_backs"))]
    out[counts] = out[counts].fillna(0)  # a count of no games is zero, not unknown
    out["back_to_back"] = out["days_rest"].eq(1).astype("boolean").mask(out["days_rest"].isna())
    out.index = slate.index
    return out


def fatigue_score(context: pd.DataFrame) -> pd.Series:
    """Freshness from 0 to 100 (fresh): the legacy formula without its age term, since no feed has ages.

    Null when no past game is known.
    """
    games, minutes = context["games_in_last_7_days"], context["minutes_in_last_7_days"]
    average = minutes / games.where(games > 0)
    pairs = context["back_to_backs_last_14_days"]
    rest = context["days_rest"].astype("float64")
    score = (
        100.0
        + np.where(rest == 1, -15, np.where(rest >= 3, 5, 0))
        - np.where(games >= 4, 10, 0)
        - np.where(minutes > 240, 10, 0)
        - np.where(average > 35, 8, 0)
        - np.where(pairs >= 2, 12, np.where(pairs == 1, 5, 0))
    )
    return pd.Series(score, index=context.index).clip(0, 100).where(rest.notna())


def build(slate: pd.DataFrame, *past: pd.DataFrame, **named: pd.DataFrame) -> pd.DataFrame:
    """The context frame: one row per slate row, in the columns of its table; arguments as of :func:`values`."""
    out = values(slate, *past, **named)
    out["null_reasons"] = _null_reasons(out, slate.reset_index(drop=True))
    return out.drop(columns="no_line_reason")


def values(
    slate: pd.DataFrame,
    history: pd.DataFrame,
    season: pd.DataFrame,
    team_form: pd.DataFrame,
    lines: pd.DataFrame,
    availability: pd.DataFrame,
) -> pd.DataFrame:
    """The context without reasons for what is null, but with ``no_line_reason``.

    Args:
        slate: rows of ``nba_analytics.slate``.
        history: rows of ``nba_analytics.historical_games``.
        season: result of ``history.season_sql``.
        team_form: result of ``history.team_form_sql``.
        lines: rows of ``nba_analytics.betting_lines``.
        availability: result of ``history.availability_sql``.
    """
    out = pd.concat(
        [
            slate.drop(columns=["team_source", "team_null_reason", "tipoff_at", "is_quoted"]).reset_index(drop=True),
            load(slate.reset_index(drop=True), history),
        ],
        axis=1,
    )
    out = out.merge(season, on=PLAYER_DAY, how="left", validate="one_to_one")
    out["games_season"] = out["games_season"].fillna(0)
    form = team_form.set_index(["game_date", "team_id"])
    for prefix, key, columns in (
        ("team", "team_id", ("pace_last_10", "off_rating_last_10")),
        ("opponent", "opponent_team_id", ("pace_last_10", "def_rating_last_15")),
    ):
        at = form.reindex(pd.MultiIndex.from_frame(out[["game_date", key]]))
        for column in columns:
            out[f"{prefix}_{column}"] = at[column].to_numpy(dtype="float64")
    out = out.merge(availability, on=PLAYER_DAY, how="left", validate="one_to_one")
    out["fatigue_score"] = fatigue_score(out)
    out["pace_score"] = ((out["opponent_pace_last_10"] - out["team_pace_last_10"]) / 2).clip(-3, 3)
    out["shot_zone_mismatch_score"] = np.nan
    out["usage_spike_score"] = np.nan
    chosen = lines[[*PLAYER_DAY, "has_prop_line", "line", "consensus_line", "opening_line", "no_line_reason"]]
    return out.merge(chosen, on=PLAYER_DAY, how="left", validate="one_to_one")


def _null_reasons(out: pd.DataFrame, slate: pd.DataFrame) -> list[str]:
    """For each row a JSON object of its null columns and their reasons."""
    columns = list(dict.fromkeys([*_NEEDS_TEAM, *_NULL_REASONS]))
    reasons = pd.DataFrame(index=out.index, columns=columns, dtype=object)
    for column in columns:
        reason = pd.Series(_NULL_REASONS.get(column), index=out.index, dtype=object)
        reasons[column] = reason.where(out[column].isna(), None)
        if column in _NEEDS_TEAM:
            unknown = out[column].isna() & slate["team_null_reason"].notna()
            reasons[column] = reasons[column].mask(unknown, slate["team_null_reason"])
    for column in ("line", "consensus_line", "opening_line"):
        reasons[column] = out["no_line_reason"].where(out[column].isna())
    if reasons.empty:
        return []
    # rows have few distinct sets of reasons: each is written once
    codes = pd.MultiIndex.from_frame(reasons.astype(object).where(reasons.notna(), "")).factorize()
    texts = [
        json.dumps({k: v for k, v in zip(reasons.columns, row, strict=True) if v}, sort_keys=True) for row in codes[1]
    ]
    return [texts[i] for i in codes[0]]
