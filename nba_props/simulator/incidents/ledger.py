"""Incidents of the ledger: rows that another program writes past the gate."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pandas as pd

from nba_props.catalog import TABLES
from nba_props.facts.vocabulary import Recommendation
from nba_props.warehouse.partitioned import PartitionedWarehouse


def second_writer(warehouse: PartitionedWarehouse, days: Sequence[date], rows: int | None = None) -> int:
    """A second writer adds rows of 20.0 without a source to the ledger, past the gate, as the legacy backfill did.

    ``rows`` are spread evenly over the dates, in as many reruns as that takes; None is one run, with a row for each
    prediction of the system.

    Returns:
        The number of rows written.
    """
    system_id = "moving_average"
    table = TABLES["nba_predictions.ledger"]
    busy = [d for d in days if (warehouse.read(table, [d])["system_id"] == system_id).any()]
    count = 0
    for n, day in enumerate(busy):
        known = warehouse.read(table, [day])
        mine = known[known["system_id"] == system_id]
        wanted = len(mine) if rows is None else (rows - count) // (len(busy) - n)
        reruns = pd.Series(range(wanted)) // len(mine)
        fake = mine.iloc[[i % len(mine) for i in range(wanted)]].assign(
            line=20.0, line_source=None, line_source_api=None, sportsbook=None, quote_id=None, has_prop_line=False,
            recommendation=Recommendation.UNDER.value, run_id=[f"player_prop_predictions_backfill_{r}" for r in reruns],
        )  # fmt: skip
        fake["created_at"] += pd.to_timedelta(reruns.to_numpy() + 1, unit="s")
        keys = zip(fake["player_id"], reruns, range(wanted), strict=True)
        fake["prediction_id"] = [f"{day}-{p}-{system_id}-{r}-{i}" for p, r, i in keys]
        warehouse.write_unchecked(table, pd.concat([known, fake], ignore_index=True), day)
        count += len(fake)
    return count
