"""Distributions: each row has one or a reason, its masses are a distribution, and it is placed by the consensus."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd

from nba_props.domain.distributions.masses import MOST, as_array, in_parts, is_whole
from nba_props.domain.finding import Finding
from nba_props.facts.keys import PROP
from nba_props.facts.vocabulary import Anchor


def whole(rows: pd.DataFrame, lines: pd.DataFrame, known: pd.DataFrame, days: Sequence[date]) -> dict[date, Finding]:
    """A finding for each date.

    Args:
        rows: those of ``nba_predictions.distributions``.
        lines: those of ``nba_analytics.betting_lines``.
        known: those of ``nba_analytics.consensus``.
        days: the dates.
    """
    made = rows["masses"].notna().to_numpy()
    both = rows.merge(known[[*PROP, "median"]], on=PROP, how="left")
    placed = rows["anchor"].eq(Anchor.CONSENSUS).to_numpy(bool)
    median, centre = (both[c].to_numpy("float64") for c in ("median", "centre"))
    bad = (placed == np.isnan(median)) | (placed & (np.abs(centre - median) > 1e-9))
    bad |= made == rows["no_distribution_reason"].notna().to_numpy()
    bad[made] |= np.concatenate([_broken(part) for part in in_parts(rows[made])])
    count, wrong, asked = (f.groupby("game_date").size() for f in (rows[made], rows[bad], lines))
    have = rows.groupby("game_date").size()
    found = {}
    for day in days:
        at = pd.Timestamp(day)
        figures = {
            "rows": int(asked.get(at, 0)), "distributions": int(count.get(at, 0)), "wrong": int(wrong.get(at, 0)),
            "missing": int(asked.get(at, 0) - have.get(at, 0)),
        }  # fmt: skip
        text = (
            f"{figures['distributions']} of {figures['rows']} rows have a distribution; {figures['wrong']} are broken "
            f"or not around their consensus, {figures['missing']} are missing"
        )
        found[day] = Finding(not figures["wrong"] and not figures["missing"], text, figures)
    return found


def _broken(rows: pd.DataFrame) -> np.ndarray:
    """Which rows have masses that do not sum to 1, or another mean than theirs."""
    mass = as_array(rows)
    close = np.abs(mass @ np.arange(MOST + 1) - rows["mean"].to_numpy("float64")) <= 1e-3
    return ~(is_whole(mass) & close)
