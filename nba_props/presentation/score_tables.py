"""Scores as tables of text, for the terminal and the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd

from nba_props.domain import scoring
from nba_props.facts.markets import ALL_TIERS, short_names
from nba_props.facts.words import plural
from nba_props.schemas.base import Type
from nba_props.schemas.monitoring import MIN_DATES, SCORES


class Score(NamedTuple):
    """A column of a table of scores: its heading, and the format of its values."""

    heading: str
    form: str
    #: in a narrow terminal columns with the highest number are left out first, those with 0 never
    spare: int = 0


_SYSTEM = {"system_id": Score("system", "{}")}
SCOREBOARD = {
    **_SYSTEM,
    "bets": Score("bets", "{:,.0f}"),
    "bet_dates": Score("nights", "{:,.0f}"),
    "hit_rate": Score("hit rate", "{:.1%}"),
    "break_even": Score("break-even", "{:.1%}"),
    "roi": Score("ROI", "{:+.1%}"),
    "mae_difference": Score("MAE - line", "{:+.3f}"),
    "mae": Score("MAE", "{:.3f}", 3),
    "line_mae": Score("line MAE", "{:.3f}", 3),
    "verdict": Score("verdict", "{}", 2),
}
ERRORS = {
    **_SYSTEM,
    "rows_scored": Score("n", "{:,.0f}"),
    "dates": Score("nights", "{:,.0f}"),
    "difference": Score("MAE - line", "{}"),
    "mae": Score("MAE", "{:.3f}"),
    "line_mae": Score("line MAE", "{:.3f}"),
    "last_10_mae": Score("last-10 MAE", "{:.3f}", 2),
    "bias": Score("bias", "{:+.2f}", 3),
    "rmse": Score("RMSE", "{:.2f}", 3),
    "voids": Score("void", "{:,.0f}", 4),
    "pending": Score("pending", "{:,.0f}", 4),
}
BETS = {
    **_SYSTEM,
    "bets": Score("bets", "{:,.0f}"),
    "bet_dates": Score("nights", "{:,.0f}"),
    "hits": Score("hit rate", "{}"),
    "returns": Score("ROI", "{}"),
    "break_even": Score("break-even", "{:.1%}", 2),
    "best_price_roi": Score("ROI, best price", "{:+.1%}", 3),
    "pushes": Score("push", "{:,.0f}", 4),
}
SIDES = {
    **_SYSTEM,
    "bet_dates": Score("nights", "{:,.0f}"),
    "overs": Score("overs", "{}"),
    "unders": Score("unders", "{}"),
    "over_break_even": Score("overs' break-even", "{:.1%}", 2),
    "under_break_even": Score("unders' break-even", "{:.1%}", 2),
}
CHANCES = {
    **_SYSTEM,
    "rows_with_probability": Score("n", "{:,.0f}"),
    "dates_with_probability": Score("nights", "{:,.0f}"),
    "less_quote": Score("less the quote's", "{}"),
    "log_loss": Score("log-loss", "{:.4f}"),
    "market_log_loss": Score("quote's log-loss", "{:.4f}", 2),
    "less_coin": Score("less a coin's", "{}", 3),
    "calibration_error": Score("calibration error", "{:.3f}", 4),
    "brier": Score("Brier", "{:.4f}", 5),
    "market_brier": Score("quote's Brier", "{:.4f}", 5),
    "coin_brier": Score("coin's Brier", "{:.4f}", 5),
}
#: the tables of the terminal, in order
TABLES: Mapping[str, Mapping[str, Score]] = {
    "Scoreboard": SCOREBOARD,
    "Errors beside the line's on the same rows": ERRORS,
    "Bets at the quoted prices": BETS,
    "The same bets by side": SIDES,
    "P(over), log-loss beside the de-vigged quote's": CHANCES,
}
#: one row for each system and market but the one that has the tables above
ELSEWHERE = {
    "market": Score("market", "{}"),
    **_SYSTEM,
    "rows_scored": Score("n", "{:,.0f}"),
    "dates": Score("nights", "{:,.0f}"),
    "difference": Score("MAE - line", "{}"),
    "mae": Score("MAE", "{:.3f}"),
    "line_mae": Score("line MAE", "{:.3f}"),
    "last_10_mae": Score("last-10 MAE", "{:.3f}", 3),
    "bets": Score("bets", "{:,.0f}", 1),
    "hits": Score("hit rate", "{}", 1),
    "returns": Score("ROI", "{}", 2),
    "less_quote": Score("log-loss less the quote's", "{}", 2),
}
_SHORT = short_names()
#: scores with an interval, and the column with the number of dates that each is based on
_DATES = {
    "mae_difference": "dates",
    "hit_rate": "bet_dates",
    "over_hit_rate": "over_dates",
    "under_hit_rate": "under_dates",
    "roi": "bet_dates",
    "log_loss_difference": "dates_with_probability",
}


def shown(scores: pd.DataFrame, columns: Mapping[str, Score], *, brackets: bool = True) -> pd.DataFrame:
    """Scores as text under the headings of one of the tables.

    Args:
        scores: one row per system.
        columns: one of ``TABLES``; systems without a P(over) are left out of ``CHANCES``.
        brackets: with the 95 % intervals of scores that have one, and whole names of markets.
    """
    if columns is CHANCES:
        scores = scores[scores["rows_with_probability"] > 0]
    rows = scores.to_dict("records")
    if "market" in columns:
        scores = scores.assign(market=scores["market"] if brackets else scores["market"].map(_SHORT))
    wide = scores.assign(
        bets=scores["wins"] + scores["losses"],
        difference=[with_interval(r, "mae_difference", "{:+.3f}", brackets) for r in rows],
        hits=[with_interval(r, "hit_rate", "{:.1%}", brackets) for r in rows],
        overs=[_side(r, "over", brackets) for r in rows],
        unders=[_side(r, "under", brackets) for r in rows],
        returns=[with_interval(r, "roi", "{:+.1%}", brackets) for r in rows],
        less_quote=[with_interval(r, "log_loss_difference", "{:+.4f}", brackets) for r in rows],
        less_coin=[with_interval(r, "coin_log_loss_difference", "{:+.4f}", brackets) for r in rows],
        coin_brier=scoring.COIN_BRIER,
    )
    cells = [
        wide[name].map(lambda v, form=column.form: "-" if pd.isna(v) else form.format(v))
        for name, column in columns.items()
    ]
    out = pd.concat(cells, axis=1)
    out.columns = pd.Index([column.heading for column in columns.values()])
    return out


def with_interval(row: dict[str, Any], name: str, form: str, brackets: bool) -> str:
    """A score as text, with its bounds ``<name>_low`` and ``<name>_high`` in brackets where it has them."""
    if pd.isna(row[name]):
        return "-"
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    bounds = "" if pd.isna(low) or not brackets else f" [{form.format(low)}, {form.format(high)}]"
    return form.format(row[name]) + bounds


def _side(row: dict[str, Any], side: str, brackets: bool) -> str:
    """Rate and number of one side's bets, with the number of nights where it differs from the row's."""
    if not row[f"{side}_bets"]:
        return "-"
    rate, dates = with_interval(row, f"{side}_hit_rate", "{:.1%}", brackets), row[f"{side}_dates"]
    found = f"{rate} of {int(row[f'{side}_bets']):,}"
    return found if dates == row["bet_dates"] else f"{found}, {plural(dates, 'night')}"


def note(scores: pd.DataFrame) -> str:
    """A note on the brackets beside the scores, or on why there are none."""
    dates = pd.concat([scores.loc[scores[name].notna(), own] for name, own in _DATES.items()])
    few = dates[dates < MIN_DATES]
    brackets = ["In brackets: 95 % intervals, from the sums of each night."] * (len(few) < len(dates))
    if few.empty:
        return "".join(brackets)
    fewer = " and fewer" if few.min() < few.max() else ""
    few_text = f"{plural(few.max(), 'night')}{fewer}: too few for an interval ({MIN_DATES} are needed)."
    return " ".join([*brackets, few_text])


def typed(scores: pd.DataFrame) -> pd.DataFrame:
    """Scores with whole numbers where the scoreboard's contract has them."""
    whole = [c.name for c in SCORES if c.type is Type.INT64 and c.name in scores]
    return scores.astype(dict.fromkeys(whole, "Int64"))


def by_night(daily: pd.DataFrame) -> pd.DataFrame:
    """The results of each system's bets, night by night.

    Args:
        daily: a span's ``scoring.sums`` of one market.

    Returns:
        One row per system and night with decided bets: ``system_id, game_date, wins, losses, units`` (won less lost at
        the quoted prices, one unit a bet) and ``total`` (units so far), in order of systems and dates.
    """
    if daily.empty:
        return pd.DataFrame()
    own = daily.xs(ALL_TIERS, level="tier").sort_index().reset_index()
    own = own[own["decided"] > 0].rename(columns={"win": "wins", "loss": "losses", "profit": "units"})
    own = own[["system_id", "game_date", "wins", "losses", "units"]]
    return own.assign(total=own.groupby("system_id")["units"].cumsum()).reset_index(drop=True)


def errors_by_night(daily: pd.DataFrame) -> pd.DataFrame:
    """Each system's MAE less the line's on the same rows so far, night by night.

    Args:
        daily: a span's ``scoring.sums`` of one market.

    Returns:
        One row per system and night with scored rows: ``system_id, game_date, difference``, in order.
    """
    if daily.empty:
        return pd.DataFrame()
    own = daily.xs(ALL_TIERS, level="tier").sort_index().reset_index()
    own = own[own["rows_scored"] > 0]
    so_far = own.assign(less=own["error"] - own["line_error"]).groupby("system_id")[["less", "rows_scored"]].cumsum()
    return own[["system_id", "game_date"]].assign(difference=so_far["less"] / so_far["rows_scored"])
