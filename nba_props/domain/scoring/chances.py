"""Scores of P(over): its losses beside the quotes' on the same rows, and how well it is calibrated."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nba_props.domain.scoring.intervals import mean_intervals, rate_intervals

#: losses of a P(over) of one half
COIN_LOG_LOSS, COIN_BRIER = float(np.log(2)), 0.25
#: least probability in a log-loss
_TINY = 1e-6
#: intervals of equal width that calibration is judged in: unlike groups of equal size, they add up over dates
TENTHS = 10
_KNOWN_SQL = (
    "is_valid_line AND is_current AND over_probability IS NOT NULL AND market_over_probability IS NOT NULL "
    "AND actual_margin <> 0"
)


def loss_sql(is_over: str, chance: str) -> str:
    """SQL for the log-loss of a P(over)."""
    side = f"CASE WHEN {is_over} THEN {chance} ELSE 1 - {chance} END"
    return f"-LN(LEAST(GREATEST({side}, {_TINY}), 1 - {_TINY}))"


def squared_sql(is_over: str, chance: str) -> str:
    """SQL for the Brier score of a P(over)."""
    return f"POW(CASE WHEN {is_over} THEN 1 - {chance} ELSE {chance} END, 2)"


def log_loss(is_over: pd.Series, chance: pd.Series) -> pd.Series:
    """The log-loss of each P(over) [nats]; null without one."""
    return -np.log(chance.where(is_over, 1 - chance).clip(_TINY, 1 - _TINY))


def _sum_sql(chance: str) -> str:
    return f"SUM(CASE WHEN {_KNOWN_SQL} THEN {loss_sql('actual_margin > 0', chance)} END)"


#: columns ``chances, log_loss, market_log_loss`` of a sum over rows of ``prediction_accuracy``
LOG_LOSS_SQL = (
    f"COUNT(CASE WHEN {_KNOWN_SQL} THEN 1 END) AS chances, {_sum_sql('over_probability')} AS log_loss, "
    f"{_sum_sql('market_over_probability')} AS market_log_loss"
)


def tenth_of(chance: pd.Series) -> pd.Series:
    """Which tenth of 0-1 each chance lies in, 0 to 9; a chance of 1 lies in the last."""
    return np.minimum((chance * TENTHS).astype(int), TENTHS - 1)


def chance_losses(rows: pd.DataFrame, number: dict[str, pd.Series]) -> dict[str, pd.Series]:
    """Losses of P(over) and of the de-vigged quote's, on rows that have both and were decided one way."""
    import scoringrules

    chance, market = number["over_probability"], number["market_over_probability"]
    known = chance.notna() & market.notna() & number["actual_margin"].notna() & number["actual_margin"].ne(0)
    over = number["actual_margin"].gt(0).astype("float64")
    found: dict[str, pd.Series] = {"chances": known}
    for prefix, values in (("", chance), ("market_", market)):
        safe = values.where(known, 0.5).clip(_TINY, 1 - _TINY)
        for name, score in (("log_loss", scoringrules.log_score), ("brier", scoringrules.brier_score)):
            lost = np.asarray(score(over.to_numpy(), safe.to_numpy()), dtype="float64")
            found[f"{prefix}{name}"] = pd.Series(lost, index=rows.index).where(known)
    place = tenth_of(chance.where(known, 0.0))
    for k in range(TENTHS):
        mine = known & (place == k)
        found[f"tenth_{k}_gap"] = (chance - over).where(mine)
    return found


def log_loss_differences(daily: pd.DataFrame) -> pd.DataFrame:
    """P(over)'s log-loss less the quotes' on the same rows, by system, with its date-clustered 95 % interval.

    A low bound above 0 shows that the published probabilities are worse than the quotes'.

    Args:
        daily: sums ``chances, log_loss, market_log_loss`` (``LOG_LOSS_SQL``, or ``sums``), indexed as in
            ``mean_intervals``.

    Returns:
        One row per group: ``value, low, high`` in nats per row, ``rows`` and ``dates``; null as in ``mean_intervals``.
    """
    return mean_intervals(daily["log_loss"] - daily["market_log_loss"], daily["chances"])


def reliability(rows: pd.DataFrame) -> pd.DataFrame:
    """The rate of overs by tenth of P(over): what ``calibration_error`` sums up.

    Args:
        rows: ``system_id, game_date, chance`` (P(over), 0-1) and ``over`` (whether the result exceeded the line).

    Returns:
        One row per system and tenth that has rows: mean ``chance``, ``rate`` of overs with ``low`` and ``high``
        (null below ``MIN_DATES`` dates), ``rows`` and ``dates``.
    """
    wide = rows.assign(tenth=tenth_of(rows["chance"]), over=rows["over"].astype("float64"), one=1.0)
    daily = wide.groupby(["system_id", "tenth", "game_date"])[["chance", "over", "one"]].sum()
    found = rate_intervals(daily["over"], daily["one"]).rename(columns={"value": "rate"})
    chance = daily["chance"].groupby(level=["system_id", "tenth"]).sum() / found["rows"]
    return found.assign(chance=chance)[["chance", "rate", "low", "high", "rows", "dates"]]
