"""From a system's forecast to the rows of its table: forecasts, abstentions with reasons, and hashes of the inputs."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from nba_props.domain.features import ABSENT_RISK
from nba_props.domain.systems.base import Needs, System
from nba_props.facts import markets
from nba_props.facts.keys import PLAYER_DAY, PROP
from nba_props.facts.vocabulary import REPORTED_ABSENT, Recommendation
from nba_props.schemas.analytics import LINE_COLUMNS

#: A system's forecast. It takes one row per player and market with ``game_date, player_id``, the required inputs (never
#: null), the optional ones (null where unknown), ``line`` and its prices (null without one), the market's ``ceiling``
#: and ``scale`` (``markets.scales``), and the players' past games where they are needed. It returns, with the same
#: index, ``forecast`` (0 to ``ceiling``, null to abstain), ``confidence_score`` (0-1) and ``side`` (OVER, UNDER or
#: PASS); a ``reason`` where it abstains; and a column for each term of the forecast, named ``term_<name>``. It may add
#: ``over_probability`` (0-1, that the result exceeds the line given that it differs from it) and a ``model_version``
#: for each row.
Forecast = Callable[[pd.DataFrame, pd.DataFrame | None], pd.DataFrame]

_ABSENT_HASH = np.uint64(0x9E3779B97F4A7C15)
_LINE = [c.name for c in LINE_COLUMNS]


def predict(
    system: System,
    forecast: Forecast,
    features: pd.DataFrame,
    lines: pd.DataFrame,
    past: pd.DataFrame | None = None,
    beside: Sequence[str] = (),
    needs: Needs | None = None,
) -> pd.DataFrame:
    """The system's rows for every player and market with features, in the columns of its table.

    A player whose required inputs are incomplete keeps his row: no forecast, recommendation PASS, and the reason.
    Without a line the recommendation is NO_LINE. A player who is OUT or DOUBTFUL in the newest
    injury report before the cut-off gets no forecast; an ensemble, whose inputs are forecasts, then has no components.

    Args:
        system: the system.
        forecast: its forecast, called for the players with complete inputs.
        features: one row per player and market, with the inputs that the system needs.
        lines: rows of ``nba_analytics.betting_lines``.
        past: the players' past games, where they are an input.
        beside: inputs that only accompany an optional one: part of the feature hash, not named when null.
        needs: the inputs in these markets, if they have other names than the system's own.
    """
    needs = needs or system.needs()
    rows = features.merge(lines[[*PROP, *_LINE]], on=PROP, how="left", validate="one_to_one")
    inputs = [*needs.required, *needs.optional, *beside]
    missing = rows[list(needs.required)].isna()
    absent = rows["injury_risk"] >= ABSENT_RISK if "injury_risk" in rows else pd.Series(False, index=rows.index)
    complete = ~missing.any(axis=1) & ~absent
    asked = rows.loc[complete, [*PLAYER_DAY, *inputs, "line", "over_price", "under_price"]]
    market = rows.loc[complete, "market"]
    ceilings = {m.key: float(m.ceiling) for m in markets.MARKETS}
    asked = asked.assign(ceiling=market.map(ceilings), scale=market.map(markets.scales()))
    found = forecast(asked, past).reindex(rows.index)

    out = rows[[*PROP, "player_name", "player_lookup", "cutoff_at", *_LINE]].copy()
    out["system_id"] = system.system_id
    out["model_version"] = system.model_version
    if "model_version" in found:
        out["model_version"] = found["model_version"].fillna(system.model_version)
    out["forecast"] = found["forecast"].astype("float64")
    answered = out["forecast"].notna()
    out["confidence_score"] = found["confidence_score"].astype("float64").where(answered)
    chance = found.get("over_probability", np.nan)
    out["over_probability"] = pd.Series(chance, index=rows.index, dtype="float64")
    out["line_margin"] = out["forecast"] - out["line"]
    side = found["side"].where(answered, Recommendation.PASS.value)
    out["recommendation"] = np.where(out["line"].isna(), Recommendation.NO_LINE.value, side)
    own_reason = found["reason"] if "reason" in found else pd.Series(None, index=rows.index, dtype=object)
    not_forecast = _missing_inputs(missing).mask(absent, REPORTED_ABSENT)
    out["abstain_reason"] = own_reason.where(complete, not_forecast).where(~answered, None)
    out["components"] = _components(needs.optional, rows, found)
    out["feature_hash"] = _feature_hash(rows, inputs, absent, past)
    return out


def _missing_inputs(missing: pd.DataFrame) -> pd.Series:
    """The names of each row's missing inputs, as a reason."""
    names = missing.columns.to_numpy(dtype=object)
    return pd.Series(
        [f"MISSING_INPUT: {', '.join(names[row])}" for row in missing.to_numpy(dtype=bool)], index=missing.index
    )


def _components(optional: Sequence[str], rows: pd.DataFrame, forecast: pd.DataFrame) -> list[str]:
    """The terms of each row's forecast and the inputs it did without, as JSON."""
    terms = forecast[[c for c in forecast if c.startswith("term_")]].rename(columns=lambda c: c.removeprefix("term_"))
    names = np.array(optional, dtype=object)
    left_out = [list(names[row]) for row in rows[list(optional)].isna().to_numpy(dtype=bool)]
    # a frame without columns has no records
    records = terms.astype(object).where(terms.notna(), None).to_dict("records") or [{} for _ in left_out]
    return [
        json.dumps({**{k: round(v, 6) for k, v in r.items() if v is not None}, "left_out": out}, sort_keys=True)
        for r, out in zip(records, left_out, strict=True)
    ]


def _feature_hash(rows: pd.DataFrame, inputs: Sequence[str], absent: pd.Series, past: pd.DataFrame | None) -> list[str]:
    """Sixteen hexadecimal digits for each row's inputs, past games included if they are one."""
    hashed = pd.util.hash_pandas_object(_plain(rows[list(inputs)]), index=False)
    if past is not None:
        hashed ^= _past_hash(rows, past)
    # an absence is an input of every system: it changes the result for the same features
    hashed ^= np.where(absent, _ABSENT_HASH, np.uint64(0))
    return [f"{h:016x}" for h in hashed]


def _past_hash(rows: pd.DataFrame, past: pd.DataFrame) -> pd.Series:
    """One number for each row's past games, whatever their order."""
    each = pd.util.hash_pandas_object(_plain(past.drop(columns=["game_date"])), index=False)
    summed = each.groupby([past["game_date"], past["player_id"]]).sum()
    found = summed.reindex(pd.MultiIndex.from_frame(rows[PLAYER_DAY]), fill_value=0)
    return pd.Series(found.to_numpy(dtype="uint64"), index=rows.index)


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Floats only, with one bit pattern for null, so that equal inputs hash equally whatever dtype they came in."""
    return frame.astype("float64")
