"""What a partition's page shows of its rows: figures that Dagster plots over the dates, and a preview.

Every figure is of one partition's rows. A figure that there is none of is left out, never 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from nba_props.domain import scoring
from nba_props.domain.odds import expected_profit
from nba_props.domain.systems import SYSTEM_TABLES
from nba_props.facts.vocabulary import SIDES, Outcome, Recommendation, Span, Tier
from nba_props.schemas import Table, analytics, predictions
from nba_props.schemas.base import VOLATILE

PREVIEW_ROWS = 10
_PREVIEW_COLUMNS = 12
_DIGITS = 4
#: what names a row and tells nobody anything, or is the same in all rows of a partition
_HASHES = {"schema_hash", "feature_hash", "quote_id", "prediction_id", "grade_id", "replaces"}
_UNTELLING = VOLATILE | _HASHES | {"game_date"}
#: what the scoreboard's page plots of the season so far, by the scoreboard's column
_SEASON = {"season_hit_rate": "hit_rate", "season_mae_minus_line": "mae_difference", "season_roi": "roi"}
Figures = Mapping[str, Any]


# -- figures ----------------------------------------------------------------------------------------------------------


def slate(rows: pd.DataFrame) -> Figures:
    """Of the slate: its games, and how many of its players have a quote."""
    return {"games": int(rows["game_id"].nunique()), "quoted": int(rows["is_quoted"].sum())}


def lines(rows: pd.DataFrame) -> Figures:
    """Of the lines: how many there are, whose they are, how old, and why the others are none."""
    lined = rows["has_prop_line"].astype(bool)
    age = rows.loc[lined, "line_minutes_before_game"].dropna().astype("float64")
    return {
        "with_line": int(lined.sum()),
        "share_with_line": _mean(lined),
        "books": int(rows.loc[lined, "sportsbook"].nunique()),
        "books_per_line": _mean(rows.loc[lined, "books"]),
        "line_minutes_before_game": _number(age.median()),
        "lines_by_book": counts(rows["sportsbook"]),
        "no_line": counts(rows["no_line_reason"]),
    }


def forecasts(rows: pd.DataFrame) -> Figures:
    """Of a system's rows: how many are forecasts, how many have a line, what it would do."""
    abstained = rows["abstain_reason"].notna()
    return {
        "forecasts": int(rows["predicted_points"].notna().sum()),
        "abstained": int(abstained.sum()),
        "share_with_line": _mean(rows["line"].notna()),
        "picks": int(_sided(rows).sum()),
        "recommendations": counts(rows["recommendation"]),
        "model_versions": sorted(set(rows.loc[~abstained, "model_version"].dropna())),
    }


def gate(published: pd.DataFrame, held_back: pd.DataFrame) -> Figures:
    """Of the gate: what passed, what it held back and why, and what each system's picks are worth by its own chances.

    ``claimed_ev_<system>`` is the mean profit of one unit at the quoted price, if the system's P(over) were right.
    """
    sided = _sided(published) & published["over_probability"].notna()
    picks = published[sided]
    over = picks["recommendation"].eq(Recommendation.OVER)
    chance = picks["over_probability"].astype("float64")
    price = picks["over_price"].where(over, picks["under_price"])
    return {
        "gate_passed": len(published),
        "gate_quarantined": len(held_back),
        "share_with_line": _mean(published["line"].notna()),
        "picks": int(_sided(published).sum()),
        **_by_system("claimed_ev", expected_profit(chance.where(over, 1 - chance), price), picks["system_id"]),
        "reasons": counts(held_back["reason"]),
    }


def grades(settled: pd.DataFrame, changed: pd.DataFrame) -> Figures:
    """Of the grades: decided bets, each system's hit rate, and how far it missed less how far the line did."""
    counted = settled["is_valid_line"].astype(bool) & settled["is_current"].astype(bool)
    scored = settled[counted & settled["absolute_error"].notna() & settled["line_absolute_error"].notna()]
    bets = settled[scoring.bets(settled)]
    won = bets["outcome"].eq(Outcome.WIN).astype("float64")
    more = scored["absolute_error"].astype("float64") - scored["line_absolute_error"].astype("float64")
    return {
        "bets": len(bets),
        **_by_system("hit_rate", won, bets["system_id"]),
        **_by_system("mae_minus_line", more, scored["system_id"]),
        "outcomes": counts(settled["outcome"]),
        "void_reasons": counts(settled["void_reason"]),
        "grades_new_or_changed": len(changed),
    }


def scoreboard(rows: pd.DataFrame) -> Figures:
    """Of the scoreboard: each system's season so far."""
    season = rows[rows["span"].eq(Span.SEASON) & rows["tier"].eq(Tier.ALL)] if len(rows) else rows
    found: dict[str, Any] = {}
    for figure, column in _SEASON.items() if len(season) else ():
        found |= _by_system(figure, season[column].astype("float64"), season["system_id"])
    return found


def _by_system(figure: str, values: pd.Series, system_id: pd.Series) -> Figures:
    """The mean of each system that has one, as ``<figure>_<system>``."""
    means = values.groupby(system_id).mean().dropna()
    return {f"{figure}_{system}": round(float(mean), _DIGITS) for system, mean in means.items()}


def _sided(rows: pd.DataFrame) -> pd.Series:
    return rows["recommendation"].isin(SIDES)


def counts(values: pd.Series) -> dict[str, int]:
    """How often each value stands there."""
    return {str(k): int(v) for k, v in values.value_counts().items()}


def _mean(values: pd.Series) -> float | None:
    return _number(values.astype("float64").mean())


def _number(value: float) -> float | None:
    return None if pd.isna(value) else round(float(value), _DIGITS)


# -- previews ---------------------------------------------------------------------------------------------------------


def preview(table: Table, rows: pd.DataFrame, games: Mapping[str, str] | None = None) -> pd.DataFrame:
    """What is shown of a partition: what one looks for in its table, else its first rows without what only names them.

    Args:
        table: whose partition it is.
        rows: its rows.
        games: ``BOS @ LAL`` by ``game_id``, where they are known.
    """
    shown = _SHOWN.get(table.address)
    if shown is None:
        return _first(table, rows)
    looks = shown(rows.assign(game=rows["game_id"].map(games or {})))
    return looks if games else looks.drop(columns="game")


def games(rows: pd.DataFrame) -> dict[str, str]:
    """``BOS @ LAL`` by ``game_id``, from a schedule or from a slate."""
    if "home_team" in rows:
        said = rows["away_team"] + " @ " + rows["home_team"]
    else:
        rows = rows.dropna(subset=["team", "opponent", "is_home"])
        home = rows["team"].where(rows["is_home"].astype(bool), rows["opponent"])
        away = rows["opponent"].where(rows["is_home"].astype(bool), rows["team"])
        said = away + " @ " + home
    return dict(zip(rows["game_id"], said, strict=True))


def _first(table: Table, rows: pd.DataFrame) -> pd.DataFrame:
    if key := [c for c in table.key if c in rows]:  # what comes from a query comes in any order
        rows = rows.sort_values(key, kind="stable")
    told = [c for c in rows.columns if c not in _UNTELLING and not c.endswith("_digest")]
    return rows[told].iloc[:PREVIEW_ROWS, :_PREVIEW_COLUMNS]


def _largest(rows: pd.DataFrame, margin: pd.Series) -> pd.DataFrame:
    """The rows with the largest margins on either side; equal ones by name and system, whatever order they came in."""
    ordered = rows.assign(size=margin.astype("float64").abs(), edge=margin.astype("float64"))
    ordered = ordered.sort_values(["size", "player_name", "system_id"], ascending=[False, True, True], kind="stable")
    return ordered.head(PREVIEW_ROWS)


def _edges(rows: pd.DataFrame) -> pd.DataFrame:
    """The ten largest edges: player, game, system, forecast, line, side, edge, price@book."""
    sided = rows[_sided(rows)]
    top = _largest(sided, sided["line_margin"])
    return pd.DataFrame(
        {
            **{c: top[c] for c in ("player_name", "game", "system_id")},
            "forecast": top["predicted_points"].astype("float64").round(1),
            "line": top["line"],
            "side": top["recommendation"],
            "edge": top["edge"].round(1),
            "price@book": _prices(top),
        }
    ).rename(columns=_HEADINGS)


def _prices(rows: pd.DataFrame) -> pd.Series:
    price = rows["over_price"].where(rows["recommendation"].eq(Recommendation.OVER), rows["under_price"])
    said = price.map("{:+.0f}".format, na_action="ignore").fillna("?").astype(str)
    return said + "@" + rows["sportsbook"].fillna("?").astype(str)


def _graded(rows: pd.DataFrame) -> pd.DataFrame:
    """The ten decided bets of the largest edges, and what became of them."""
    bets = rows[scoring.bets(rows)]
    top = _largest(bets, bets["line_margin"])
    columns = ["player_name", "game", "system_id", "predicted_points", "line", "recommendation", "actual_points"]
    rounded = {c: top[c].astype("float64").round(digits) for c, digits in (("predicted_points", 1), ("profit", 2))}
    return top.assign(**rounded)[[*columns, "outcome", "profit"]].rename(columns=_HEADINGS)


def _lined(rows: pd.DataFrame) -> pd.DataFrame:
    """The ten highest lines, with the best price of each side."""
    top = rows[rows["has_prop_line"].astype(bool)].sort_values(
        ["line", "player_name"], ascending=[False, True], kind="stable"
    )
    columns = ["player_name", "game", "line", "consensus_line", "sportsbook", "over_price", "under_price", "books"]
    return top.head(PREVIEW_ROWS)[[*columns, "line_movement"]].rename(columns=_HEADINGS)


_HEADINGS = {
    "player_name": "player", "system_id": "system", "predicted_points": "forecast", "recommendation": "side",
    "actual_points": "points", "sportsbook": "book", "consensus_line": "consensus", "over_price": "over",
    "under_price": "under",
}  # fmt: skip
_SHOWN: Mapping[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    predictions.LEDGER.address: _edges,
    **{t.address: _edges for t in SYSTEM_TABLES.values()},
    predictions.PREDICTION_ACCURACY.address: _graded,
    analytics.BETTING_LINES.address: _lined,
}
