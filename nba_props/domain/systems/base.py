"""What every prediction system is, and the frame all of them return."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nba_props.schemas import Table
from nba_props.schemas.analytics import LINE_COLUMNS
from nba_props.schemas.predictions import SYSTEM_TABLES

if TYPE_CHECKING:
    from nba_props.domain.systems.ensemble import Ensemble
    from nba_props.domain.systems.trained import Trained

MAX_POINTS = 60.0
#: from this ``injury_risk`` on a player is reported OUT or DOUBTFUL and gets no forecast
ABSENT_RISK = 3
_ABSENT_HASH = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class System:
    """A prediction system.

    ``forecast(features, past)`` takes one row per player with ``game_date, player_id``, the columns of ``required``
    (never null there), ``optional`` (null where unknown), ``line`` and its prices (null without one), and the players'
    past games (result of ``history.past_form_sql``) when ``uses_past`` is set. It returns, indexed alike,
    ``predicted_points``
    (0-60, null to abstain), ``confidence_score`` (0-1) and ``side`` (OVER, UNDER or PASS); where it abstains a
    ``reason``; and one column for each term of the forecast, named ``term_<name>``. It may add ``over_probability``
    (0-1, that points exceed the line given that they differ from it) and a ``model_version`` of each row's own.
    """

    system_id: str
    model_version: str
    #: inputs without which the system abstains
    required: tuple[str, ...]
    #: additive adjustments: a null one is left out and named in the row's components, never given a value
    optional: tuple[str, ...]
    forecast: Callable[[pd.DataFrame, pd.DataFrame | None], pd.DataFrame]
    uses_past: bool = False
    #: inputs that only accompany an optional one: part of the feature hash, not named when null
    beside: tuple[str, ...] = ()
    #: set when the forecast is a trained model's
    trained: Trained | None = None
    #: set when the features are other systems' stored results
    ensemble: Ensemble | None = None

    @property
    def table(self) -> Table:
        """Where its predictions are stored."""
        return SYSTEM_TABLES[self.system_id]


def predict(
    system: System, features: pd.DataFrame, lines: pd.DataFrame, past: pd.DataFrame | None = None
) -> pd.DataFrame:
    """The system's rows for every player with features, in the columns of its table.

    A player whose required inputs are incomplete keeps his row: no forecast, recommendation PASS, and the reason.
    Without a line the recommendation is NO_LINE. Whom the newest injury report before the cut-off calls OUT or DOUBTFUL
    gets no forecast.
    """
    keys = ["game_date", "game_id", "player_id"]
    line_names = [c.name for c in LINE_COLUMNS]
    rows = features.merge(lines[[*keys, *line_names]], on=keys, how="left", validate="one_to_one")
    inputs = [*system.required, *system.optional, *system.beside]
    missing = rows[list(system.required)].isna()
    absent = rows["injury_risk"] >= ABSENT_RISK if "injury_risk" in rows else pd.Series(False, index=rows.index)
    complete = ~missing.any(axis=1) & ~absent
    asked = rows.loc[complete, ["game_date", "player_id", *inputs, "line", "over_price", "under_price"]]
    forecast = system.forecast(asked, past).reindex(rows.index)

    out = rows[[*keys, "player_name", "player_lookup", "cutoff_at", *line_names]].copy()
    out["system_id"] = system.system_id
    out["model_version"] = system.model_version
    if "model_version" in forecast:
        out["model_version"] = forecast["model_version"].fillna(system.model_version)
    out["predicted_points"] = forecast["predicted_points"].astype("float64")
    out["confidence_score"] = forecast["confidence_score"].astype("float64").where(out["predicted_points"].notna())
    chance = forecast.get("over_probability", np.nan)
    out["over_probability"] = pd.Series(chance, index=rows.index, dtype="float64")
    out["line_margin"] = out["predicted_points"] - out["line"]
    answered = out["predicted_points"].notna()
    out["recommendation"] = np.where(out["line"].isna(), "NO_LINE", forecast["side"].where(answered, "PASS"))
    names = np.array(system.required, dtype=object)
    lacking = pd.Series(
        [f"MISSING_INPUT: {', '.join(names[row])}" for row in missing.to_numpy(dtype=bool)], index=rows.index
    )
    own_reason = forecast["reason"] if "reason" in forecast else pd.Series(None, index=rows.index, dtype=object)
    lacking = lacking.mask(absent, "REPORTED_ABSENT")
    out["abstain_reason"] = own_reason.where(complete, lacking).where(~answered, None)
    out["components"] = _components(system, rows, forecast)
    hashed = pd.util.hash_pandas_object(_plain(rows[inputs]), index=False)
    if past is not None:
        hashed ^= _past_hash(rows, past)
    # an absence is an input of every system: the same vector without one gives another answer
    hashed ^= np.where(absent, _ABSENT_HASH, np.uint64(0))
    out["feature_hash"] = [f"{h:016x}" for h in hashed]
    return out


def _past_hash(rows: pd.DataFrame, past: pd.DataFrame) -> pd.Series:
    """One number for each row's past games, whatever their order."""
    each = pd.util.hash_pandas_object(_plain(past.drop(columns=["game_date"])), index=False)
    summed = each.groupby([past["game_date"], past["player_id"]]).sum()
    found = summed.reindex(pd.MultiIndex.from_frame(rows[["game_date", "player_id"]]), fill_value=0)
    return pd.Series(found.to_numpy(dtype="uint64"), index=rows.index)


def v1_confidence(features: pd.DataFrame) -> pd.Series:
    """Confidence of the first two legacy systems: spread of points and games in the last week."""
    spread, games = features["points_std_last_10"], features["games_in_last_7_days"]
    confidence = (
        0.50
        - np.where(spread > 6, 0.15, np.where(spread > 4, 0.08, 0.0))
        + np.where(games >= 3, 0.10, np.where(games == 2, 0.05, -0.10))
    )
    # the sums are short decimals: rounding undoes binary noise, so that 0.45 compares as 0.45
    return pd.Series(confidence, index=features.index).clip(0.2, 0.8).round(9)


def v1_side(points: pd.Series, confidence: pd.Series, line: pd.Series) -> np.ndarray:
    """Side shared by the first two legacy systems: an edge above 2.0 at a confidence above 0.45."""
    return side_of(points, line, (points - line).round(9).abs().gt(2.0) & confidence.gt(0.45))


def side_of(points: pd.Series, line: pd.Series, bets: pd.Series) -> np.ndarray:
    """OVER or UNDER by the sign of points less line where a bet is made and a line exists, else PASS."""
    over = (points - line).round(9) > 0
    return np.where(bets & line.notna(), np.where(over, "OVER", "UNDER"), "PASS")


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Floats only, with one bit pattern for null, so that equal inputs hash equally whatever dtype they came in."""
    return frame.astype("float64")


def _components(system: System, rows: pd.DataFrame, forecast: pd.DataFrame) -> list[str]:
    terms = forecast[[c for c in forecast if c.startswith("term_")]].rename(columns=lambda c: c.removeprefix("term_"))
    optional = np.array(system.optional, dtype=object)
    left_out = [list(optional[row]) for row in rows[list(system.optional)].isna().to_numpy(dtype=bool)]
    records = terms.astype(object).where(terms.notna(), None).to_dict("records")
    return [
        json.dumps({**{k: round(v, 6) for k, v in r.items() if v is not None}, "left_out": out}, sort_keys=True)
        for r, out in zip(records, left_out, strict=True)
    ]
