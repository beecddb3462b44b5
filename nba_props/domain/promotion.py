"""Systems in shadow: their weight is 0 until they have earned it on fresh dates, and is lost when they lose it.

The evidence is that of claims (``domain/claims.py``): P(over) that was published before the cut-off, on every quote of
every book, beside the consensus of the books, on dates after the formula was frozen. It is judged every Monday, on
earlier dates only:

* **published** once there are ``FEWEST_DATES`` dates and the lower bound of the mean gain (95 %, by date, for all
  Mondays at once) is above 0, unless the next rule takes it back at once;
* **in shadow** from the Monday on which the lower bound over the newest ``FEWEST_DATES`` dates falls below ``LOST``.
  Evidence then begins afresh: a formula is not promoted twice by the same dates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from nba_props.domain.models.card import week_of
from nba_props.domain.scoring.intervals import lasting_mean_intervals, mean_intervals
from nba_props.facts.vocabulary import Standing
from nba_props.schemas.monitoring import PROMOTIONS

#: dates with quotes that a promotion takes, and that a demotion looks back on
FEWEST_DATES = 60
#: the lower bound of the gain [nats a quote] below which a weight is lost
LOST = -0.0005
_WEEK = timedelta(7)
_SERIES = ["system_id", "market"]
_EVIDENCE = ["dates", "quotes", "gain", "gain_low", "gain_high"]
_NEWEST = ["newest_dates", "newest_gain", "newest_low"]


def promotions(
    quotes: pd.DataFrame, weights: pd.DataFrame, frozen: Mapping[str, date], days: Sequence[date]
) -> pd.DataFrame:
    """The rows of ``nba_monitoring.promotions`` of some dates.

    Args:
        quotes: rows of ``nba_predictions.evidence`` of systems in shadow, by market.
        weights: ``game_date, system_id, market, candidate_weight``: the series in shadow of each date, with the weight
            that each would have; null for a system without one, which counts whole.
        frozen: the date on which each system's formula was frozen.
        days: the dates.
    """
    asked = weights.assign(week=[pd.Timestamp(week_of(d.date())) for d in weights["game_date"]])
    rows = asked[asked["game_date"].isin(pd.to_datetime(list(days)))]
    if rows.empty:
        return PROMOTIONS.empty()
    found = rows.merge(_standings(quotes, frozen, max(days)), on=["week", *_SERIES], how="left", validate="many_to_one")
    found = found.assign(frozen_on=pd.to_datetime(found["system_id"].map(frozen)))
    found["evidence_from"] = found["evidence_from"].fillna(found["frozen_on"] + pd.Timedelta(days=1))
    found["standing"] = found["standing"].fillna(Standing.SHADOW.value)
    counts = ["dates", "quotes", "newest_dates"]
    found[counts] = found[counts].fillna(0).astype(int)
    earned = found["candidate_weight"].astype("float64").fillna(1.0)
    found["weight"] = earned.where(found["standing"].eq(Standing.PUBLISHED), 0.0)
    return found.assign(reason=reasons(found))[PROMOTIONS.column_names]


def reasons(rows: pd.DataFrame) -> list[str]:
    """Why each weight is what it is, in a sentence."""
    return [_reason(row) for row in rows.to_dict("records")]


def _reason(row: dict[str, Any]) -> str:
    bounds = "" if pd.isna(row["gain_low"]) else f" [{row['gain_low']:+.5f}, {row['gain_high']:+.5f}]"
    gain = "" if pd.isna(row["gain"]) else f", gain {row['gain']:+.5f}{bounds} nats a quote"
    if row["standing"] == Standing.PUBLISHED:
        return f"earned on {row['dates']} dates after {row['frozen_on']:%Y-%m-%d}{gain}"
    start = row["evidence_from"] - pd.Timedelta(days=1)
    since = f"since it {'was frozen' if start == row['frozen_on'] else 'lost its weight'} on {start:%Y-%m-%d}{gain}"
    if row["dates"] < FEWEST_DATES:
        return f"in shadow, {row['dates']} of {FEWEST_DATES} dates {since}"
    return f"in shadow, the lower bound of its gain is not above 0 on {row['dates']} dates {since}"


def _standings(quotes: pd.DataFrame, frozen: Mapping[str, date], last: date) -> pd.DataFrame:
    """The standing of each series on each Monday up to that of the last date, with the evidence for it."""
    start = pd.to_datetime(quotes["system_id"].map(frozen))
    fresh = quotes[quotes["game_date"] > start]
    columns = ["week", *_SERIES, "standing", "since", "evidence_from", *_EVIDENCE, *_NEWEST]
    if fresh.empty:
        dates = dict.fromkeys(("week", "since", "evidence_from"), "datetime64[ns]")
        numbers = dict.fromkeys((*_EVIDENCE, *_NEWEST), "float64")
        return pd.DataFrame(columns=columns).astype({**dates, **numbers})
    daily = fresh.assign(total=fresh["consensus_log_loss"] - fresh["log_loss"]).groupby([*_SERIES, "game_date"])
    daily = daily[["total", "quotes"]].sum()
    series = daily.groupby(level=_SERIES).size().index
    begins = pd.Series([pd.Timestamp(frozen[system]) + pd.Timedelta(days=1) for system, _ in series], index=series)
    published = pd.Series(False, index=series)
    since = pd.Series(pd.NaT, index=series)
    made = []
    week = week_of(fresh["game_date"].min().date())
    while week <= week_of(last):
        at = pd.Timestamp(week)
        dates = daily.index.get_level_values("game_date")
        known = daily[(dates < at) & (dates >= begins.reindex(daily.index.droplevel("game_date")).to_numpy())]
        evidence = _intervals(lasting_mean_intervals, known, series)
        newest = _intervals(mean_intervals, _newest(known), series)
        lost = newest["low"] < LOST
        rises = ~published & (evidence["dates"] >= FEWEST_DATES) & (evidence["low"] > 0) & ~lost
        falls = published & lost
        published = (published | rises) & ~falls
        since = since.mask(rises | falls, at)
        begins = begins.mask(falls, at)
        # after a fall the evidence is that of later dates: none yet
        evidence = evidence.mask(falls).fillna({"dates": 0, "rows": 0})
        made.append(
            pd.DataFrame(
                {
                    "week": at, "standing": np.where(published, Standing.PUBLISHED.value, Standing.SHADOW.value),
                    "since": since, "evidence_from": begins, "dates": evidence["dates"], "quotes": evidence["rows"],
                    "gain": evidence["value"], "gain_low": evidence["low"], "gain_high": evidence["high"],
                    "newest_dates": newest["dates"], "newest_gain": newest["value"], "newest_low": newest["low"],
                }
            ).reset_index()
        )  # fmt: skip
        week += _WEEK
    return pd.concat(made, ignore_index=True)[columns]


def _newest(daily: pd.DataFrame) -> pd.DataFrame:
    """The newest ``FEWEST_DATES`` dates of each series."""
    return daily.sort_index().groupby(level=_SERIES).tail(FEWEST_DATES)


def _intervals(rule: Callable[..., pd.DataFrame], daily: pd.DataFrame, series: pd.MultiIndex) -> pd.DataFrame:
    found = rule(daily["total"], daily["quotes"]).reindex(series)
    return found.fillna({"dates": 0, "rows": 0.0})
