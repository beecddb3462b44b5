"""95 % intervals of means, rates and returns, from daily sums.

Rows of one date share news and opponents, so every interval is made from daily sums, never from rows, by one formula
for any number of dates from ``MIN_DATES`` on. No resampling: no digit depends on a seed.

* A mean is a ratio ``R`` of sums over dates; its variance is the sum of squared residuals of the dates, each divided by
  one less the date's share of the rows (CR2), its quantile Student's t with the degrees of freedom of Bell and
  McCaffrey (2002, Survey Methodology 28). With equal dates that is the t interval of the daily means.
* A mean that is judged over and over as dates arrive has an interval that holds at all of them at once: the reach of
  Robbins' normal mixture (Howard, Ramdas, McAuliffe and Sekhon 2021, Annals of Statistics 49), in place of the normal
  quantile.
* A rate has Wilson's interval, its squared quantile multiplied by the design effect of the dates (Korn and
  Graubard 1998, Survey Methodology 24), so it stays in 0-1 and is never narrower than Wilson's own.
* A return is a rate of money: what the bets paid out of what they would have paid if all had won. Its interval is that
  rate's, in units, so it is above 0 exactly when the rate, weighted by price, is above break-even.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from nba_props.schemas.monitoring import MIN_DATES, MIN_EQUAL_DATES

#: 97.5 % quantile of the normal distribution
Z = 1.959963984540054
#: factors of 1, 1/df, 1/df², … in the 97.5 % quantile of Student's t (Abramowitz and Stegun 26.7.5), at ``Z``
T_SERIES = (
    Z,
    (Z**3 + Z) / 4,
    (5 * Z**5 + 16 * Z**3 + 3 * Z) / 96,
    (3 * Z**7 + 19 * Z**5 + 17 * Z**3 - 15 * Z) / 384,
    (79 * Z**9 + 776 * Z**7 + 1482 * Z**5 - 1920 * Z**3 - 945 * Z) / 92160,
)

#: dates at which the interval that holds at all of them is narrowest, and the dates that its prior counts as
_NARROWEST = 60
_MIXTURE = _NARROWEST / 8.22
#: an interval may miss the mean so often
_MISSED = 0.05


def mean_intervals(total: pd.Series, rows: pd.Series) -> pd.DataFrame:
    """Mean per row with its date-clustered 95 % interval, for any number of groups at once.

    Args:
        total: sums by date, in any unit; its index has a level ``game_date`` and one or more levels that name groups.
            Entries of one group and date are added.
        rows: how many rows each sum is over, on the same index.

    Returns:
        One row per group: ``value, low, high`` in the unit of ``total``, ``rows`` and ``dates`` (with rows). The value
        is null without rows, the bounds below ``MIN_DATES`` dates.

    Raises:
        ValueError: a date has rows and no total.
    """
    found = _clustered(total, rows)
    reach = _quantile(found["df"]) * np.sqrt(found["variance"])
    return _intervals(found, found["value"] - reach, found["value"] + reach)


def lasting_mean_intervals(total: pd.Series, rows: pd.Series) -> pd.DataFrame:
    """``mean_intervals`` for a verdict that is asked for again with each new date, until it is the one hoped for: the
    interval of 95 % of series holds the mean on every date, where the usual one leaves it sooner or later.

    It is about half as wide again.
    """
    found = _clustered(total, rows)
    dates = found["as_many"]
    mixed = dates + _MIXTURE
    lasting = np.sqrt(mixed / dates * np.log(mixed / (_MIXTURE * _MISSED**2)))
    reach = lasting * _quantile(found["df"]) / Z * np.sqrt(found["variance"])
    return _intervals(found, found["value"] - reach, found["value"] + reach)


def rate_intervals(wins: pd.Series, decided: pd.Series) -> pd.DataFrame:
    """Rate with its date-clustered Wilson 95 % interval, for any number of groups at once.

    Args:
        wins: how many of ``decided`` were won, by date; indexed as in ``mean_intervals``.
        decided: how many were decided.

    Returns:
        One row per group: ``value, low, high`` (0-1), ``rows`` (decided) and ``dates``; null as in ``mean_intervals``.

    Raises:
        ValueError: a date has decided bets and no count of wins.
    """
    found = _clustered(wins, decided)
    return _intervals(found, *_wilson_bounds(found, found["rows"]))


def return_intervals(profit: pd.Series, odds: pd.Series, bets: pd.Series) -> pd.DataFrame:
    """Return on flat stakes of one unit with its date-clustered 95 % interval, for any number of groups at once.

    What the bets paid is a rate of what they would have paid, at their prices, if all had won.

    Args:
        profit: units won less units lost by date; indexed as in ``mean_intervals``.
        odds: sum of the bets' decimal odds by date.
        bets: how many bets were decided.

    Returns:
        One row per group: ``value, low, high`` in units per bet, ``rows`` (bets) and ``dates``; null as in
        ``mean_intervals``.

    Raises:
        ValueError: a date has bets and no profit.
    """
    money = _clustered(profit + bets, odds)
    count = bets.groupby(level=groups_of(bets)).sum().reindex(money.index)
    low, high = _wilson_bounds(money, count)
    each = money["rows"] / nonzero(count)
    found = money.assign(value=money["value"] * each - 1, rows=count)
    return _intervals(found, low * each - 1, high * each - 1)


def groups_of(values: pd.Series | pd.DataFrame) -> list[str]:
    """The levels of an index that name groups: all but the date."""
    return [str(name) for name in values.index.names if name != "game_date"]


def nonzero(counts: pd.Series) -> pd.Series:
    """Counts to divide by: null where there is nothing to divide."""
    return counts.where(counts > 0)


def _clustered(total: pd.Series, rows: pd.Series) -> pd.DataFrame:
    """Ratio of sums by group, its variance over dates (CR2) and the degrees of freedom of that (Bell and McCaffrey)."""
    groups = groups_of(rows)
    daily = pd.DataFrame({"total": total, "rows": rows.astype("float64")})
    some = daily[daily["rows"] > 0]
    if some["total"].isna().any():
        raise ValueError(f"{int(some['total'].isna().sum())} dates have rows and no total, the first {some.index[0]}")
    if not some.index.is_unique:
        some = some.groupby(level=[*groups, "game_date"]).sum()
    every = daily.groupby(level=groups).size().index
    place = every.get_indexer(some.index.droplevel("game_date"))

    def summed(values: Any) -> np.ndarray:
        return np.bincount(place, values, minlength=len(every))

    t, r = some["total"].to_numpy("float64"), some["rows"].to_numpy()
    n, dates = nonzero(pd.Series(summed(r), every)), summed(np.ones(len(r))).astype(int)
    value = summed(t) / n
    share = r / n.to_numpy()[place]
    left = np.where(share < 1, 1 - share, np.nan)  # no variance from one date
    squares = (t - r * value.to_numpy()[place]) ** 2 / left
    leverage = share**2 / left
    freedom = 1 / nonzero(pd.Series(summed(share**2) + summed(leverage) ** 2 - summed(leverage**2), every))
    return pd.DataFrame(
        {"value": value, "rows": n.fillna(0.0), "dates": dates, "variance": summed(squares) / n**2, "df": freedom,
         "as_many": (1 / nonzero(pd.Series(summed(share**2), every))).round(9)}
    )  # fmt: skip


def _quantile(freedom: pd.Series) -> pd.Series:
    """97.5 % quantile of Student's t, within 1 % from two degrees of freedom on; the same series as in SQL."""
    return sum((factor / freedom**k for k, factor in enumerate(T_SERIES)), 0.0 * freedom)


def _wilson_bounds(found: pd.DataFrame, n: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Wilson's bounds of rates of ``n`` bets, with the quantile widened by the dates' design effect."""
    rate, n = found["value"], nonzero(n)
    binomial = rate * (1 - rate) / n
    effect = (found["variance"] / nonzero(binomial)).fillna(0.0)  # all won or all lost: no spread
    square = (_quantile(found["df"]) ** 2 * effect).clip(lower=Z**2)
    centre, half = rate + square / (2 * n), np.sqrt(square * binomial + square**2 / (4 * n**2))
    return ((centre - half) / (1 + square / n)).clip(0, 1), ((centre + half) / (1 + square / n)).clip(0, 1)


def _intervals(found: pd.DataFrame, low: pd.Series, high: pd.Series) -> pd.DataFrame:
    # rows of one date share its luck: one large date beside small ones has no spread to measure
    enough = (found["dates"] >= MIN_DATES) & (found["as_many"] >= MIN_EQUAL_DATES)
    bounds = {"value": found["value"], "low": low.where(enough), "high": high.where(enough)}
    return pd.DataFrame({**bounds, "rows": found["rows"], "dates": found["dates"]})
