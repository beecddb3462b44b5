"""Scores of graded predictions, each beside the line's on the same rows, each with its interval.

Every score is a ratio of sums, so a grade is summed once per date, tier and system, and any span adds up its dates.
Rows of one date share news and opponents, so every interval is made from daily sums, never from rows, and has the
same form for any number of dates from ``MIN_DATES`` on. Nothing is drawn at random, so no digit depends on a seed.
Proper scores come from ``scoringrules``.

* A mean is a ratio ``R`` of sums over dates; its variance is the sum of squared residuals of the dates, each divided by
  one less the date's share of the rows (CR2), its quantile Student's t with the degrees of freedom of Bell and
  McCaffrey (2002, Survey Methodology 28). With equal dates that is the t interval of the daily means.
* A rate has Wilson's interval, its squared quantile multiplied by the design effect that the dates show (Korn and
  Graubard 1998, Survey Methodology 24), so it stays in 0-1 and is never narrower than Wilson's own.
* A return is a rate of money: what the bets brought among what they would bring if all had won. Its interval is that
  rate's in units, so it is above 0 exactly when the rate, weighted by price, is above break-even.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from nba_props.domain.odds import payout
from nba_props.facts.calendar import season_start
from nba_props.schemas.monitoring import MIN_DATES

#: a pick is a current OVER or UNDER on a valid line; a bet is a pick that was won or lost (on rows: ``bets``)
PICK_SQL = "is_valid_line AND is_current AND recommendation IN ('OVER', 'UNDER')"
BET_SQL = f"{PICK_SQL} AND outcome IN ('WIN', 'LOSS')"
#: losses of a forecaster that always says one half
COIN_LOG_LOSS, COIN_BRIER = float(np.log(2)), 0.25
_TIERS = {"UNDER_10": 0.0, "10_TO_20": 10.0, "OVER_20": 20.5}
#: least probability that a log-loss is taken of
_TINY = 1e-6
#: parts of equal width of 0-1 that calibration is judged in: unlike groups of equal size they add up over dates
TENTHS = 10
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
_KNOWN_SQL = (
    "is_valid_line AND is_current AND over_probability IS NOT NULL AND market_over_probability IS NOT NULL "
    "AND actual_margin <> 0"
)


def _loss_sql(chance: str) -> str:
    said = f"CASE WHEN actual_margin > 0 THEN {chance} ELSE 1 - {chance} END"
    return f"SUM(CASE WHEN {_KNOWN_SQL} THEN -LN(LEAST(GREATEST({said}, {_TINY}), 1 - {_TINY})) END)"


#: columns ``chances, log_loss, market_log_loss`` of a sum over rows of ``prediction_accuracy``
LOG_LOSS_SQL = (
    f"COUNT(CASE WHEN {_KNOWN_SQL} THEN 1 END) AS chances, {_loss_sql('over_probability')} AS log_loss, "
    f"{_loss_sql('market_over_probability')} AS market_log_loss"
)


class Interval(NamedTuple):
    """A mean or rate with its 95 % interval; the bounds are null below ``MIN_DATES`` dates with rows."""

    value: float
    low: float
    high: float
    #: rows or decided bets in all
    rows: float
    #: dates that have any
    dates: int


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

    What the bets brought is taken as a rate of what they would bring if all had won, at the prices that they had.

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
    count = bets.groupby(level=_groups_of(bets)).sum().reindex(money.index)
    low, high = _wilson_bounds(money, count)
    each = money["rows"] / _some(count)
    found = money.assign(value=money["value"] * each - 1, rows=count)
    return _intervals(found, low * each - 1, high * each - 1)


def mean_interval(total: Sequence[float], rows: Sequence[float]) -> Interval:
    """``mean_intervals`` of one group: sums and numbers of rows by date, one entry each."""
    return _only(mean_intervals(_one_group(total), _one_group(rows)))


def rate_interval(wins: Sequence[float], decided: Sequence[float]) -> Interval:
    """``rate_intervals`` of one group: wins and decided bets by date, one entry each."""
    return _only(rate_intervals(_one_group(wins), _one_group(decided)))


def _one_group(values: Sequence[float]) -> pd.Series:
    own = np.asarray(values, dtype="float64")
    index = pd.MultiIndex.from_arrays([np.zeros(len(own), int), np.arange(len(own))], names=["group", "game_date"])
    return pd.Series(own, index=index)


def _only(found: pd.DataFrame) -> Interval:
    if found.empty:
        return Interval(np.nan, np.nan, np.nan, 0.0, 0)
    row = found.iloc[0]
    value, low, high, rows = (float(row[c]) for c in ("value", "low", "high", "rows"))
    return Interval(value, low, high, rows, int(row["dates"]))


def _groups_of(values: pd.Series) -> list[str]:
    return [str(name) for name in values.index.names if name != "game_date"]


def _clustered(total: pd.Series, rows: pd.Series) -> pd.DataFrame:
    """Ratio of sums by group, its variance over dates (CR2) and the degrees of freedom of that (Bell and McCaffrey)."""
    groups = _groups_of(rows)
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
    n, dates = _some(pd.Series(summed(r), every)), summed(np.ones(len(r))).astype(int)
    value = summed(t) / n
    share = r / n.to_numpy()[place]
    left = np.where(share < 1, 1 - share, np.nan)  # one date alone says nothing of the others
    squares = (t - r * value.to_numpy()[place]) ** 2 / left
    leverage = share**2 / left
    freedom = 1 / _some(pd.Series(summed(share**2) + summed(leverage) ** 2 - summed(leverage**2), every))
    return pd.DataFrame(
        {"value": value, "rows": n.fillna(0.0), "dates": dates, "variance": summed(squares) / n**2, "df": freedom}
    )


def _quantile(freedom: pd.Series) -> pd.Series:
    """97.5 % quantile of Student's t, within 1 % from two degrees of freedom on; the same series as in SQL."""
    return sum((factor / freedom**k for k, factor in enumerate(T_SERIES)), 0.0 * freedom)


def _wilson_bounds(found: pd.DataFrame, n: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Bounds of rates of ``n`` bets: Wilson's, at a quantile as much greater as the dates' spread asks for."""
    rate, n = found["value"], _some(n)
    binomial = rate * (1 - rate) / n
    effect = (found["variance"] / _some(binomial)).fillna(0.0)  # all won or all lost: no spread to see
    square = (_quantile(found["df"]) ** 2 * effect).clip(lower=Z**2)
    centre, half = rate + square / (2 * n), np.sqrt(square * binomial + square**2 / (4 * n**2))
    return ((centre - half) / (1 + square / n)).clip(0, 1), ((centre + half) / (1 + square / n)).clip(0, 1)


def _intervals(found: pd.DataFrame, low: pd.Series, high: pd.Series) -> pd.DataFrame:
    enough = found["dates"] >= MIN_DATES
    bounds = {"value": found["value"], "low": low.where(enough), "high": high.where(enough)}
    return pd.DataFrame({**bounds, "rows": found["rows"], "dates": found["dates"]})


def wilson(wins: Any, decided: Any) -> tuple[Any, Any, Any]:
    """Rate and Wilson 95 % interval of wins in decided bets, for numbers or arrays; null without any.

    It takes every bet for independent of the others and knows of no dates: what is printed has ``rate_intervals``.
    """
    n = np.where(np.asarray(decided) > 0, decided, np.nan)
    rate = wins / n
    centre, half = rate + Z**2 / (2 * n), Z * np.sqrt(rate * (1 - rate) / n + Z**2 / (4 * n**2))
    return rate, (centre - half) / (1 + Z**2 / n), (centre + half) / (1 + Z**2 / n)


def bets(graded: pd.DataFrame) -> pd.Series:
    """Which rows of ``prediction_accuracy`` are bets: picks (current, a side, a valid line) that were won or lost."""
    counted = graded["is_valid_line"].astype(bool) & graded["is_current"].astype(bool)
    return counted & graded["recommendation"].isin(["OVER", "UNDER"]) & graded["outcome"].isin(["WIN", "LOSS"])


def tenth_of(chance: pd.Series) -> pd.Series:
    """Which tenth of 0-1 each chance lies in, 0 to 9; a chance of 1 lies in the last."""
    return np.minimum((chance * TENTHS).astype(int), TENTHS - 1)


def tier_of(line: pd.Series) -> pd.Series:
    """UNDER_10, 10_TO_20 or OVER_20 of each line."""
    names = np.array(list(_TIERS), dtype=object)
    return pd.Series(names[np.searchsorted(list(_TIERS.values()), line, side="right") - 1], index=line.index)


def sums(graded: pd.DataFrame) -> pd.DataFrame:
    """Sums of current grades on valid lines, by tier (``ALL`` included), system and date.

    Args:
        graded: rows of ``nba_predictions.prediction_accuracy``.
    """
    rows = graded[graded["is_valid_line"].astype(bool) & graded["is_current"].astype(bool)]
    number = {c: rows[c].astype("float64") for c in rows if rows[c].dtype.kind in "fiu" or c == "actual_points"}
    error, line = number["absolute_error"], number["line_absolute_error"]
    scored = error.notna()
    outcome, over = rows["outcome"], rows["recommendation"].eq("OVER")
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
        **{o.lower(): outcome.eq(o) & decided for o in ("WIN", "LOSS")},
        **{o.lower(): outcome.eq(o) for o in ("PUSH", "VOID", "PENDING")},
        "decided": decided,
        "odds": odds.where(decided),
        "profit": number["profit"].where(decided),
        "best_rows": number["best_profit"].notna() & decided,
        "best_profit": number["best_profit"].where(decided),
        **_sides(outcome, over, decided, odds),
        **_probabilities(rows, number),
    }
    wide = pd.DataFrame({k: v if np.isscalar(v) else v.astype("float64") for k, v in found.items()}, index=rows.index)
    keys = rows[["system_id", "game_date"]].assign(tier=tier_of(number["line"]))
    tiered = wide.groupby([keys["tier"], keys["system_id"], keys["game_date"]]).sum()
    everything = tiered.groupby(level=["system_id", "game_date"]).sum()
    return pd.concat([pd.concat({"ALL": everything}, names=["tier"]), tiered])


def _sides(outcome: pd.Series, over: pd.Series, decided: pd.Series, odds: pd.Series) -> dict[str, pd.Series]:
    found = {}
    for side, chosen in (("over", over), ("under", ~over)):
        found[f"{side}_bets"] = decided & chosen
        found[f"{side}_wins"] = decided & outcome.eq("WIN") & chosen
        found[f"{side}_odds"] = odds.where(decided & chosen)
    return found


def _probabilities(rows: pd.DataFrame, number: dict[str, pd.Series]) -> dict[str, pd.Series]:
    """Losses of P(over) and of the de-vigged quote's, on rows that have both and were decided one way."""
    import scoringrules

    chance, market = number["over_probability"], number["market_over_probability"]
    known = chance.notna() & market.notna() & number["actual_margin"].notna() & number["actual_margin"].ne(0)
    over = number["actual_margin"].gt(0).astype("float64")
    found: dict[str, pd.Series] = {"chances": known}
    for prefix, values in (("", chance), ("market_", market)):
        safe = values.where(known, 0.5).clip(_TINY, 1 - _TINY)
        for name, score in (("log_loss", scoringrules.log_score), ("brier", scoringrules.brier_score)):
            losses = np.asarray(score(over.to_numpy(), safe.to_numpy()), dtype="float64")
            found[f"{prefix}{name}"] = pd.Series(losses, index=rows.index).where(known)
    place = tenth_of(chance.where(known, 0.0))
    for k in range(TENTHS):
        mine = known & (place == k)
        found[f"tenth_{k}_gap"] = (chance - over).where(mine)
    return found


def scores(daily: pd.DataFrame) -> pd.DataFrame:
    """One row per group (tier and system) with every score, from the daily sums of a span (result of ``sums``)."""
    s = daily.groupby(level=_groups_of(daily)).sum()
    n, decided, chances = _some(s["rows_scored"]), _some(s["decided"]), _some(s["chances"])
    means = mean_intervals(
        *_stacked(
            mae=(daily["error"] - daily["line_error"], daily["rows_scored"]),
            quote=(daily["log_loss"] - daily["market_log_loss"], daily["chances"]),
            coin=(daily["log_loss"] - COIN_LOG_LOSS * daily["chances"], daily["chances"]),
        )
    )
    rates = rate_intervals(
        *_stacked(
            all=(daily["win"], daily["decided"]),
            over=(daily["over_wins"], daily["over_bets"]),
            under=(daily["under_wins"], daily["under_bets"]),
        )
    )
    returns = return_intervals(daily["profit"], daily["odds"], daily["decided"])
    hit = rates.xs("all")
    out = pd.DataFrame(
        {
            "predictions": s["predictions"],
            "rows_scored": s["rows_scored"],
            "dates": means.xs("mae")["dates"],
            "mae": s["error"] / n,
            "rmse": np.sqrt(s["error_squared"] / n),
            "bias": s["signed"] / n,
            "line_mae": s["line_error"] / n,
            "last_10_mae": s["last_10_error"] / _some(s["last_10_rows"]),
            **_named(mae_difference=means.xs("mae")),
            "wins": s["win"],
            "losses": s["loss"],
            "pushes": s["push"],
            "voids": s["void"],
            "pending": s["pending"],
            "bet_dates": hit["dates"],
            **_named(hit_rate=hit),
            "break_even": decided / _some(s["odds"]),
            **_named(roi=returns),
            "best_price_roi": s["best_profit"] / _some(s["best_rows"]),
        }
    )
    for side in ("over", "under"):
        out[f"{side}_bets"], out[f"{side}_dates"] = s[f"{side}_bets"], rates.xs(side)["dates"]
        out = out.assign(**_named(**{f"{side}_hit_rate": rates.xs(side)}))
        out[f"{side}_break_even"] = _some(s[f"{side}_bets"]) / _some(s[f"{side}_odds"])
    out["rows_with_probability"], out["dates_with_probability"] = s["chances"], means.xs("quote")["dates"]
    for name in ("log_loss", "market_log_loss", "brier", "market_brier"):
        out[name] = s[name] / chances
    out = out.assign(**_named(log_loss_difference=means.xs("quote"), coin_log_loss_difference=means.xs("coin")))
    out["calibration_error"] = s[[f"tenth_{k}_gap" for k in range(TENTHS)]].abs().sum(axis=1) / chances
    return out.reset_index()


def log_loss_differences(daily: pd.DataFrame) -> pd.DataFrame:
    """P(over)'s log-loss less the quotes' on the same rows, by system, with its date-clustered 95 % interval.

    A low bound above 0 says that the published chances are worse than the quotes'.

    Args:
        daily: sums ``chances, log_loss, market_log_loss`` (``LOG_LOSS_SQL``, or ``sums``), indexed as in
            ``mean_intervals``.

    Returns:
        One row per group: ``value, low, high`` in nats per row, ``rows`` and ``dates``; null as in ``mean_intervals``.
    """
    return mean_intervals(daily["log_loss"] - daily["market_log_loss"], daily["chances"])


def _stacked(**pairs: tuple[pd.Series, pd.Series]) -> tuple[pd.Series, pd.Series]:
    """Totals and rows of several scores as one of each, told apart by the first level of the index."""
    totals, rows = ({name: pair[k] for name, pair in pairs.items()} for k in (0, 1))
    return pd.concat(totals, names=["score"]), pd.concat(rows, names=["score"])


def _named(**found: pd.DataFrame) -> dict[str, pd.Series]:
    """Value and bounds as the columns ``name``, ``name_low`` and ``name_high``."""
    ends = {"": "value", "_low": "low", "_high": "high"}
    return {f"{name}{end}": frame[column] for name, frame in found.items() for end, column in ends.items()}


def _some(counts: pd.Series) -> pd.Series:
    """Counts to divide by: null where there is nothing to divide."""
    return counts.where(counts > 0)


def reliability(rows: pd.DataFrame) -> pd.DataFrame:
    """What came of the chances given, by the tenths that ``calibration_error`` is made of.

    Args:
        rows: ``system_id, game_date, chance`` (P(over), 0-1) and ``over`` (whether it went over).

    Returns:
        One row per system and tenth that has rows: mean ``chance``, ``rate`` of overs with ``low`` and ``high``
        (null below ``MIN_DATES`` dates), ``rows`` and ``dates``.
    """
    wide = rows.assign(tenth=tenth_of(rows["chance"]), over=rows["over"].astype("float64"), one=1.0)
    daily = wide.groupby(["system_id", "tenth", "game_date"])[["chance", "over", "one"]].sum()
    found = rate_intervals(daily["over"], daily["one"]).rename(columns={"value": "rate"})
    chance = daily["chance"].groupby(level=["system_id", "tenth"]).sum() / found["rows"]
    return found.assign(chance=chance)[["chance", "rate", "low", "high", "rows", "dates"]]


def table(graded: pd.DataFrame) -> pd.DataFrame:
    """One row per tier and system with every score of some rows of ``prediction_accuracy``; empty without any."""
    daily = sums(graded) if len(graded) else pd.DataFrame()
    return scores(daily) if len(daily) else pd.DataFrame()


def span_starts(day: date) -> dict[str, date]:
    """First date of each of the scoreboard's spans that end on a date."""
    return {"SEASON": season_start(day), "LAST_30_DAYS": day - timedelta(29), "LAST_7_DAYS": day - timedelta(6)}


def scoreboard(graded: pd.DataFrame, days: Sequence[date]) -> pd.DataFrame:
    """Rows of ``nba_monitoring.scoreboard`` for some dates, from the grades of their seasons; tiers by season.

    A date without predictions has none: it is where the one before it is.
    """
    if graded.empty:
        return pd.DataFrame()
    daily = sums(graded)
    on = daily.index.get_level_values("game_date")
    everything = daily.index.get_level_values("tier") == "ALL"
    parts = []
    for day in sorted(set(days) & {d.date() for d in graded["game_date"].unique()}):
        starts = span_starts(day)
        spans = {
            span: daily[(on >= pd.Timestamp(first)) & (on <= pd.Timestamp(day)) & (everything | (span == "SEASON"))]
            for span, first in starts.items()
        }
        spans = {span: own for span, own in spans.items() if len(own)}
        if spans:
            board = scores(pd.concat(spans, names=["span"])).assign(game_date=pd.Timestamp(day))
            parts.append(board.assign(first_date=pd.to_datetime(board["span"].map(starts))))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
