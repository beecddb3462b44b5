"""Sums of grades by date, system and tier of the line, from which every score is computed."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nba_props.domain.odds import payout
from nba_props.domain.scoring.chances import chance_losses
from nba_props.facts.markets import ALL_TIERS, MARKETS
from nba_props.facts.vocabulary import DECIDED, SIDES, Outcome, Recommendation, sql_list

#: a pick is a current OVER or UNDER on a valid line; a bet is a pick that was won or lost (on rows: ``bets``)
PICK_SQL = f"is_valid_line AND is_current AND recommendation IN ({sql_list(SIDES)})"
BET_SQL = f"{PICK_SQL} AND outcome IN ({sql_list(DECIDED)})"


def bets(graded: pd.DataFrame) -> pd.Series:
    """Which rows of ``prediction_accuracy`` are bets: picks (current, a side, a valid line) that were won or lost."""
    counted = graded["is_valid_line"].astype(bool) & graded["is_current"].astype(bool)
    return counted & graded["recommendation"].isin(SIDES) & graded["outcome"].isin(DECIDED)


def tier_of(line: pd.Series, market: pd.Series) -> pd.Series:
    """The tier of each line in its market: of points UNDER_10, 10_TO_20 or OVER_20."""
    low, high = (market.map({m.key: m.tiers[n] for m in MARKETS}) for n in (0, 1))
    under, middle, over = (market.map({m.key: m.tier_names[n] for m in MARKETS}) for n in (0, 1, 2))
    return middle.mask(line < low, under).mask(line > high, over)


def sums(graded: pd.DataFrame) -> pd.DataFrame:
    """Sums of current grades on valid lines, by tier (``ALL`` included), market, system and date.

    Args:
        graded: rows of ``nba_predictions.prediction_accuracy``.
    """
    rows = graded[graded["is_valid_line"].astype(bool) & graded["is_current"].astype(bool)]
    number = {c: rows[c].astype("float64") for c in rows if rows[c].dtype.kind in "fiu" or c == "result"}
    error, line = number["absolute_error"], number["line_absolute_error"]
    scored = error.notna()
    outcome, over = rows["outcome"], rows["recommendation"].eq(Recommendation.OVER)
    decided = bets(rows)
    odds = 1 + payout(rows["over_price"]).where(over, payout(rows["under_price"]))
    found = {
        "predictions": 1.0,
        "rows_scored": scored,
        "error": error,
        "error_squared": error**2,
        "signed": number["signed_error"],
        "line_error": line.where(scored),
        "last_10_rows": number["last_10_absolute_error"].notna() & scored,
        "last_10_error": number["last_10_absolute_error"].where(scored),
        **{o.lower(): outcome.eq(o) & decided for o in DECIDED},
        **{o.lower(): outcome.eq(o) for o in (Outcome.PUSH, Outcome.VOID, Outcome.PENDING)},
        "decided": decided,
        "odds": odds.where(decided),
        "profit": number["profit"].where(decided),
        "best_rows": number["best_profit"].notna() & decided,
        "best_profit": number["best_profit"].where(decided),
        **_sides(outcome, over, decided, odds),
        **chance_losses(rows, number),
    }
    wide = pd.DataFrame({k: v if np.isscalar(v) else v.astype("float64") for k, v in found.items()}, index=rows.index)
    series = ["market", "system_id", "game_date"]
    tiered = wide.groupby([tier_of(number["line"], rows["market"]).rename("tier"), *(rows[c] for c in series)]).sum()
    everything = tiered.groupby(level=series).sum()
    return pd.concat([pd.concat({ALL_TIERS: everything}, names=["tier"]), tiered])


def _sides(outcome: pd.Series, over: pd.Series, decided: pd.Series, odds: pd.Series) -> dict[str, pd.Series]:
    found = {}
    for side, chosen in (("over", over), ("under", ~over)):
        found[f"{side}_bets"] = decided & chosen
        found[f"{side}_wins"] = decided & outcome.eq(Outcome.WIN) & chosen
        found[f"{side}_odds"] = odds.where(decided & chosen)
    return found
