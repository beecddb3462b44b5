"""The feature vector of a player before a game: one function, for training and for serving.

Each feature is defined in ``schemas/features.py``. No feature has a default: an unknown one is null, with a reason.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from nba_props.domain.context import halved
from nba_props.facts.calendar import POSTSEASON
from nba_props.facts.keys import PLAYER_DAY, PLAYER_GAME
from nba_props.facts.vocabulary import ABSENT, NOT_LISTED, InjuryStatus
from nba_props.schemas.analytics import MINUTES_HALF_LIFE
from nba_props.schemas.features import CONTEXT_ADDRESS, FEATURES, NAMES, SCHEMA_HASH, Feature

#: the legacy scale of injury statuses (docs/legacy-systems.md#features); a player who is not in his team's report
#: is available
INJURY_RISK: Mapping[str, int] = {
    NOT_LISTED: 0,
    InjuryStatus.AVAILABLE: 0,
    InjuryStatus.PROBABLE: 1,
    InjuryStatus.QUESTIONABLE: 2,
    InjuryStatus.DOUBTFUL: 3,
    InjuryStatus.OUT: 3,
}
#: from this ``injury_risk`` on a player is not expected to play, and gets no forecast
ABSENT_RISK = min(INJURY_RISK[status] for status in ABSENT)

#: half-lives, in games, of the exponentially weighted averages
POINTS_HALF_LIFE = 6
RATE_HALF_LIFE = 16
#: minutes at the league's rate that a player's own rate is mixed with
RATE_PRIOR_MINUTES = 90.0
#: features that need both teams, and are not columns of the context
_OF_TEAMS = (
    "rest_advantage", "team_win_pct", "avg_points_vs_opponent", "games_vs_opponent", "games_missed",
    "teammates_missing_minutes", "opponent_allows",
)  # fmt: skip
#: fewest games with known shot zones for a share of them
FEWEST_SHOT_GAMES = 5


def _step(values: pd.Series, one: float, two: float) -> pd.Series:
    """-2 to 2: 1 from ``one`` on, 2 from ``two`` on, with the sign of the value; null stays null."""
    size = values.abs()
    return (np.sign(values) * np.where(size >= two, 2.0, np.where(size >= one, 1.0, 0.0))).where(values.notna())


def form(history: pd.DataFrame, league_rate: pd.Series) -> pd.DataFrame:
    """Features of a player's past games, one row per ``game_date, player_id`` that has any.

    ``league_rate`` is points per minute by ``game_date``: the prior for players with few games.
    """
    g = history[[*PLAYER_DAY, "recency"]].copy()
    for column in ("points", "minutes", "fga", "fg3a", "fta", "ftm"):
        g[column] = history[column].astype("float64")
    g = g.sort_values([*PLAYER_DAY, "recency"], kind="stable")
    ten = g["recency"] <= 10
    weights = {
        "points": halved(g["recency"], POINTS_HALF_LIFE),
        "minutes": halved(g["recency"], MINUTES_HALF_LIFE),
        "rate": halved(g["recency"], RATE_HALF_LIFE),
    }
    terms = g[PLAYER_DAY].assign(
        games=1.0,
        last_3=g["points"].where(g["recency"] <= 3),
        next_2=g["points"].where(g["recency"].between(4, 5)),
        minutes_3=g["minutes"].where(g["recency"] <= 3),
        minutes_10=g["minutes"].where(ten),
        points_10=g["points"].where(ten),
        fga_10=g["fga"].where(ten),
        fg3a_10=g["fg3a"].where(ten),
        ftm_10=g["ftm"].where(ten),
        w_points=weights["points"],
        w_minutes=weights["minutes"],
        wp=weights["points"] * g["points"],
        wm=weights["minutes"] * g["minutes"],
        rate_points=weights["rate"] * g["points"],
        rate_minutes=weights["rate"] * g["minutes"],
        rate_fga=weights["rate"] * g["fga"],
        rate_fta=weights["rate"] * g["fta"],
    )
    by = terms.groupby(PLAYER_DAY, sort=True)
    total = by[[c for c in terms if c not in PLAYER_DAY]].sum()
    five = by["next_2"].count() == 2
    trend = by["last_3"].mean() - by["next_2"].mean()
    minutes = total["rate_minutes"].where(total["rate_minutes"] > 0)
    prior = pd.Series(
        total.index.get_level_values("game_date").map(league_rate).to_numpy(dtype="float64"), index=total.index
    )
    return pd.DataFrame(
        {
            "recent_trend": _step(trend.where(five), 2, 5),
            "pct_three": total["fg3a_10"] / total["fga_10"].where(total["fga_10"] > 0),
            "pct_free_throw": (total["ftm_10"] / total["points_10"].where(total["points_10"] > 0))
            .clip(0, 0.5)
            .where(total["games"] >= 5),
            "ppm_avg_last_10": total["points_10"] / total["minutes_10"].where(total["minutes_10"] > 0),
            "points_ewma": total["wp"] / total["w_points"],
            "minutes_ewma": total["wm"] / total["w_minutes"],
            "minutes_last_3": by["minutes_3"].mean(),
            "minutes_std_last_10": by["minutes_10"].std(ddof=1),
            "ppm_shrunk": (total["rate_points"] + RATE_PRIOR_MINUTES * prior)
            / (total["rate_minutes"] + RATE_PRIOR_MINUTES),
            "fga_per_minute": total["rate_fga"] / minutes,
            "fta_per_minute": total["rate_fta"] / minutes,
        }
    )


def shot_zones(history: pd.DataFrame, shots: pd.DataFrame) -> pd.DataFrame:
    """Shares of a player's points in the paint and from mid-range, over his last ten games with known shot zones.

    Null with fewer than ``FEWEST_SHOT_GAMES`` such games.
    """
    ten = history.loc[history["recency"] <= 10, [*PLAYER_DAY, "game_id", "points"]]
    known = ten.merge(shots, on=["game_id", "player_id"], validate="many_to_one")
    names = ["points_paint", "points_mid_range"]
    known = known[known[names].notna().all(axis=1)]  # if one share is invalid, neither is used
    points = known["points"].astype("float64")
    weighted = known[PLAYER_DAY].assign(points=points, **{n: points * known[n].astype("float64") for n in names})
    by = weighted.groupby(PLAYER_DAY)
    total = by[["points", *names]].sum()
    enough = (by.size() >= FEWEST_SHOT_GAMES) & (total["points"] > 0)
    return total[names].div(total["points"], axis=0).where(enough, axis=0)


def build(context: pd.DataFrame, *past: pd.DataFrame, **named: pd.DataFrame) -> pd.DataFrame:
    """The feature frame, in the columns of ``nba_analytics.player_features``; arguments as of :func:`values`."""
    out = values(context, *past, **named)
    out["null_reasons"] = null_reasons(out, context.reset_index(drop=True)["null_reasons"], FEATURES)
    return out


def values(
    context: pd.DataFrame,
    history: pd.DataFrame,
    lines: pd.DataFrame,
    matchups: pd.DataFrame,
    team_state: pd.DataFrame,
    league: pd.DataFrame,
    absences: pd.DataFrame,
    shots: pd.DataFrame,
) -> pd.DataFrame:
    """One row per context row, every feature a float, null where unknown.

    Args:
        context: rows of ``nba_analytics.upcoming_player_game_context``; their ``null_reasons`` are not read.
        history: rows of ``nba_analytics.historical_games``.
        lines: rows of ``nba_analytics.betting_lines``.
        matchups: result of ``history.matchup_sql``.
        team_state: result of ``history.team_state_sql``.
        league: result of ``history.league_form_sql``.
        absences: result of ``history.absence_sql``.
        shots: result of ``history.shot_zones_sql``.

    Returns:
        The columns of ``nba_analytics.player_features`` but ``null_reasons``.
    """
    keys = [*PLAYER_GAME, "player_name", "player_lookup", "cutoff_at"]
    base = context.reset_index(drop=True)
    rates = league.set_index("game_date")
    players = pd.MultiIndex.from_frame(base[PLAYER_DAY])
    own = form(history, rates["points_per_minute"]).reindex(players).reset_index(drop=True)
    zones = shot_zones(history, shots).reindex(players).reset_index(drop=True)
    market, met, missed = (_of_players(base, f) for f in (lines.drop_duplicates(PLAYER_DAY), matchups, absences))
    found = {
        **_from_context(base),
        **{name: own[name] for name in own},
        **_from_teams(base, team_state),
        "pct_paint": zones["points_paint"],
        "pct_mid_range": zones["points_mid_range"],
        "vegas_points_line": market["consensus_line"],
        "vegas_opening_line": market["opening_line"],
        "vegas_line_move": market["line_movement"],
        "has_vegas_line": market["has_prop_line"],
        "avg_points_vs_opponent": met["points_vs"],
        "games_vs_opponent": met["games_vs"].astype("float64").fillna(0.0).where(base["opponent_team_id"].notna()),
        "league_pace": base["game_date"].map(rates["pace"]),
        "league_def_rating": base["game_date"].map(rates["def_rating"]),
        "games_missed": missed["games_missed"],
        "teammates_missing_minutes": missed["teammates_missing_minutes"],
    }
    out = pd.concat([base[keys], pd.DataFrame(found)[list(NAMES)].astype("float64")], axis=1)
    return out.assign(schema_hash=SCHEMA_HASH)


def _from_context(base: pd.DataFrame) -> dict[str, pd.Series]:
    """The features that are columns of the context, or made from its columns alone."""
    minutes = base["minutes_avg_season"].astype("float64")
    change = (base["minutes_avg_last_10"].astype("float64") - minutes) / minutes.where(minutes > 0)
    return {
        **{f.name: base[f.source[0].rsplit(".", 1)[1]] for f in FEATURES if _copied(f)},
        "injury_risk": base["injury_status"].map(INJURY_RISK),
        "minutes_change": _step(change, 0.10, 0.20),
        "playoff_game": base["season_type"].isin(POSTSEASON),
    }


def _from_teams(base: pd.DataFrame, state: pd.DataFrame) -> dict[str, pd.Series]:
    """The features that are made from the state of the player's team and of his opponent."""
    mine, other = (_of_teams(base[["game_date", c]], state) for c in ("team_id", "opponent_team_id"))
    opponent_rest = (base["game_date"] - other["last_played_on"]).dt.days
    return {
        "rest_advantage": (base["days_rest"].astype("float64") - opponent_rest).clip(-2, 2),
        "team_win_pct": (mine["wins"] / mine["games"]).where(mine["games"] >= 5),
    }


def _of_players(base: pd.DataFrame, frame: pd.DataFrame) -> pd.DataFrame:
    """The row of each player, null where the frame has none."""
    return base[PLAYER_DAY].merge(frame, on=PLAYER_DAY, how="left", validate="one_to_one")


def _of_teams(teams: pd.DataFrame, state: pd.DataFrame) -> pd.DataFrame:
    """The state of each team on its date, null where there is none."""
    return state.set_index(["game_date", "team_id"]).reindex(pd.MultiIndex.from_frame(teams)).reset_index(drop=True)


def _copied(feature: Feature) -> bool:
    """Whether a feature is a context column under its own or a shorter name."""
    computed = {"rest_advantage", "minutes_change", "playoff_game", "injury_risk"}
    return (
        len(feature.source) == 1
        and feature.source[0].startswith(f"{CONTEXT_ADDRESS}.")
        and feature.name not in computed
    )


def null_reasons(frame: pd.DataFrame, of_context: pd.Series, features: Sequence[Feature]) -> list[str]:
    """For each row a JSON object of its null features and why, built once for each pattern of nulls.

    A feature of the context is null for the context's reason, and one of the teams for that of an unknown opponent.
    """
    codes, texts = of_context.factorize()
    nulls = frame[[f.name for f in features]].isna().to_numpy()
    # a row's pattern as bytes, which are sorted faster than rows of a matrix
    pattern = np.hstack([codes.astype("<i4")[:, None].view(np.uint8), np.packbits(nulls, axis=1)])
    _, first, of_row = np.unique(pattern.view(f"S{pattern.shape[1]}"), return_index=True, return_inverse=True)
    found = []
    for row in first:
        given = json.loads(texts[codes[row]])
        null = [feature for feature, is_null in zip(features, nulls[row], strict=True) if is_null]
        found.append(json.dumps({f.name: _null_reason(f, given) for f in null}, sort_keys=True))
    return [found[i] for i in of_row.ravel()]


def _null_reason(feature: Feature, of_context: Mapping[str, str]) -> str | None:
    columns = [s.removeprefix(f"{CONTEXT_ADDRESS}.") for s in feature.source]
    columns += ["opponent"] if feature.name in _OF_TEAMS else []
    return next((of_context[c] for c in columns if c in of_context), feature.null_reason)
