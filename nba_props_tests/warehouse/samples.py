"""Rows of a replaced table and of a ledger, for tests of warehouses."""

from datetime import date

import pandas as pd

from nba_props.catalog import TABLES
from nba_props.domain import digests
from nba_props.schemas import Table

NAMES = TABLES["nba_reference.unresolved_names"]
LEDGER = TABLES["nba_predictions.ledger"]
D1, D2 = date(2025, 11, 5), date(2025, 11, 6)


def names(day: date, n: int, mark: str = "a") -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "game_date": pd.Timestamp(day), "game_id": "0022500001", "source": "O", "source_name": [f"{mark}{i}" for i in range(n)],
            "player_lookup": "x", "quotes": range(1, n + 1), "reason": "NO_CANDIDATE", "best_candidate": None,
            "best_score": float("nan"), "runner_up_score": 1.5,
        }
    )  # fmt: skip
    return NAMES.conform(frame)


def ledger(ids: list[str], points: float = 10.0) -> pd.DataFrame:
    frame = LEDGER.empty().reindex(range(len(ids)))
    at = pd.Timestamp("2025-11-05T20:00Z")
    return digests.sealed(
        LEDGER,
        frame.assign(
            prediction_id=ids, game_date=pd.Timestamp(D1), game_id="g", player_id=1, player_name="A", player_lookup="a",
            market="points", system_id="s", model_version="1", forecast=points, confidence_score=0.5,
            recommendation="NO_LINE",
            components="{}", feature_hash="0", has_prop_line=False, line_source="NO_PROP_LINE", run_id="r", created_at=at,
            is_backfill=False,
        ),
    )  # fmt: skip


def take_out(store, ids: list[str], day: date, table: Table = LEDGER) -> int:
    """Remove the ledger's rows with these prediction ids."""
    rows = store.read(table, [day])
    return store.remove(table, list(digests.row_ids(table, rows)[rows["prediction_id"].isin(ids)]), day)
