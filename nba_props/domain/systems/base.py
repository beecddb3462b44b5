"""What every prediction system is, and the frame all of them return."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nba_props.schemas import Table
from nba_props.schemas.analytics import LINE_COLUMNS
from nba_props.schemas.predictions import SYSTEM_TABLES

MAX_POINTS = 60.0


@dataclass(frozen=True)
class System:
    """A prediction system.

    ``forecast(features)`` takes one row per player with the columns of ``required`` (never null there), ``optional``
    (null where unknown) and ``line`` (null without one), and returns ``predicted_points`` (0-60), ``confidence_score``
    (0-1) and ``side`` (OVER, UNDER or PASS), plus one column for each term of the forecast, named ``term_<name>``.
    """

    system_id: str
    model_version: str
    #: inputs without which the system abstains
    required: tuple[str, ...]
    #: additive adjustments: a null one is left out and named in the row's components, never given a value
    optional: tuple[str, ...]
    forecast: Callable[[pd.DataFrame], pd.DataFrame]

    @property
    def table(self) -> Table:
        """Where its predictions are stored."""
        return SYSTEM_TABLES[self.system_id]


def predict(system: System, context: pd.DataFrame, lines: pd.DataFrame) -> pd.DataFrame:
    """The system's rows for every player of the context, in the columns of its table.

    A player whose required inputs are incomplete keeps his row: no forecast, recommendation PASS, and the reason.
    Without a line the recommendation is NO_LINE.
    """
    keys = ["game_date", "game_id", "player_id"]
    line_names = [c.name for c in LINE_COLUMNS]
    rows = context.drop(columns=[c for c in line_names if c in context.columns]).merge(
        lines[[*keys, *line_names]], on=keys, how="left", validate="one_to_one"
    )
    inputs = [*system.required, *system.optional]
    missing = rows[list(system.required)].isna()
    complete = ~missing.any(axis=1)
    features = rows.loc[complete, [*inputs, "line"]]
    forecast = system.forecast(features).reindex(rows.index)

    out = rows[[*keys, "player_name", "player_lookup", "cutoff_at", *line_names]].copy()
    out["system_id"] = system.system_id
    out["model_version"] = system.model_version
    out["predicted_points"] = forecast["predicted_points"].astype("float64")
    out["confidence_score"] = forecast["confidence_score"].astype("float64")
    out["line_margin"] = out["predicted_points"] - out["line"]
    side = forecast["side"].where(complete, "PASS")
    out["recommendation"] = np.where(out["line"].isna(), "NO_LINE", side)
    names = np.array(system.required, dtype=object)
    lacking = [", ".join(names[row]) for row in missing.to_numpy()]
    out["abstain_reason"] = [
        None if ok else f"MISSING_INPUT: {text}" for ok, text in zip(complete, lacking, strict=True)
    ]
    out["components"] = _components(system, rows, forecast)
    hashed = pd.util.hash_pandas_object(_plain(rows[inputs]), index=False)
    out["feature_hash"] = [f"{h:016x}" for h in hashed]
    return out


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Floats only, with one bit pattern for null, so that equal inputs hash equally whatever dtype they came in."""
    return frame.astype("float64")


def _components(system: System, rows: pd.DataFrame, forecast: pd.DataFrame) -> list[str]:
    terms = forecast[[c for c in forecast if c.startswith("term_")]].rename(columns=lambda c: c.removeprefix("term_"))
    optional = np.array(system.optional, dtype=object)
    left_out = [list(optional[row]) for row in rows[list(system.optional)].isna().to_numpy()]
    records = terms.astype(object).where(terms.notna(), None).to_dict("records")
    return [
        json.dumps({**{k: round(v, 6) for k, v in r.items() if v is not None}, "left_out": out}, sort_keys=True)
        for r, out in zip(records, left_out, strict=True)
    ]
