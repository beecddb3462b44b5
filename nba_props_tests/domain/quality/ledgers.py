"""Made-up ledgers with grades, stored for the tests of detectors, validation and views."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd

from nba_props.domain import quality
from nba_props.domain.finding import Finding
from nba_props.schemas import Table, predictions, raw, reference
from nba_props.schemas.predictions import PREDICTION_ACCURACY
from nba_props.warehouse.frames import split
from nba_props_tests.frames import Frames

FIRST = date(2025, 11, 1)
SYSTEMS = ("moving_average", "xgboost_v1")


def made(days: int = 35, players: int = 30, seed: int = 2, systems=SYSTEMS) -> pd.DataFrame:
    """Grades of honest coin-flip systems: half-point lines of every height, sides and results by chance."""
    rng = np.random.default_rng(seed)
    keys = [(FIRST + timedelta(d), p, s) for d in range(days) for p in range(players) for s in systems]
    f = pd.DataFrame(keys, columns=["game_date", "player_id", "system_id"])
    f["game_date"], f["player_id"] = pd.to_datetime(f["game_date"]), f["player_id"] + 1
    spot = rng.integers(5, 30, (days, players)) + 0.5
    result = rng.normal(0, 6, (days, players)).round()
    d, p = (f["game_date"] - pd.Timestamp(FIRST)).dt.days, f["player_id"] - 1
    f["line"], f["result"] = spot[d, p], (spot[d, p] + 0.5 + result[d, p]).clip(0)
    out = PREDICTION_ACCURACY.empty().reindex(range(len(f))).drop(columns=f.columns)
    out = pd.concat([f, out], axis=1)
    out["recommendation"] = rng.choice(["OVER", "UNDER"], len(f))
    out["forecast"] = (out["line"] + np.where(out["recommendation"] == "OVER", 2.0, -2.0)).clip(0)
    out["game_id"], out["player_name"], out["player_lookup"], out["model_version"] = "0022500001", "A", "a", "1"
    out["market"] = "points"
    out["confidence_score"], out["has_prop_line"], out["line_source"] = 0.5, True, "ACTUAL_PROP"
    out["sportsbook"], out["quote_id"], out["over_price"], out["under_price"] = (
        "draftkings",
        "q" + out["player_id"].astype(str),
        -110,
        -110,
    )
    out["prediction_id"], out["run_id"], out["is_backfill"] = [f"p{i}" for i in range(len(f))], "r", True
    out["is_current"], out["is_valid_line"], out["line_problem"] = True, True, None
    return regraded(out)


def regraded(out: pd.DataFrame) -> pd.DataFrame:
    """Outcome and errors again, after a change of line, points or side."""
    points = out["result"].astype(float)
    out["actual_margin"] = points - out["line"]
    out["outcome"] = np.where((out["actual_margin"] > 0) == (out["recommendation"] == "OVER"), "WIN", "LOSS")
    out["prediction_correct"] = out["outcome"] == "WIN"
    out["signed_error"] = out["forecast"] - points
    out["absolute_error"], out["line_absolute_error"] = out["signed_error"].abs(), out["actual_margin"].abs()
    out["created_at"] = out["graded_at"] = out["game_date"].dt.tz_localize("UTC") + pd.Timedelta(days=1)
    out["cutoff_at"] = out["created_at"]
    return out


def poisoned(out: pd.DataFrame, day: date | None = None) -> pd.DataFrame:
    """The old system's data: role players against a made-up 20.0, so that UNDER nearly always wins."""
    at = out["game_date"] == pd.Timestamp(day) if day else pd.Series(True, index=out.index)
    out.loc[at, ["line", "line_source", "line_problem", "quote_id", "sportsbook"]] = [
        20.0,
        None,
        "PLACEHOLDER_LINE",
        None,
        None,
    ]
    out.loc[at, "is_valid_line"] = False
    out.loc[at, "result"] = np.arange(at.sum()) % 22
    out.loc[at, "forecast"], out.loc[at, "recommendation"] = 9.0, "UNDER"
    return regraded(out)


def stored(lake, out: pd.DataFrame, game_days: int | None = None, status: int = 3) -> quality.Published:
    """The lake with these grades, the ledger rows behind them, a game on each day, and its box score."""
    days = sorted({d.date() for d in out["game_date"]})
    scheduled = [FIRST + timedelta(n) for n in range(game_days)] if game_days else days
    lake.write(PREDICTION_ACCURACY, out[PREDICTION_ACCURACY.column_names], days)
    ledger = out.assign(components="{}", abstain_reason=None, feature_hash="0", line_source_api="ODDS_API")
    table = predictions.LEDGER
    put(lake, table, ledger.assign(row_digest=None)[table.column_names], days)
    quote(lake, out[out["is_valid_line"].astype(bool)].drop_duplicates(["game_date", "player_id"]), days)
    games = pd.DataFrame({"game_date": pd.to_datetime(scheduled)})
    for c in raw.SCHEDULE.columns:
        if c.name not in games:
            games[c.name] = {"INT64": 1, "BOOL": False, "STRING": "x", "TIMESTAMP": pd.NaT}[c.type.value]
    games = games.assign(
        game_id="0022500001", season_type="Regular Season", status=status, tipoff_at=pd.Timestamp("2025-11-01T23:00Z")
    )
    lake.write(raw.SCHEDULE, games, scheduled)
    boxes = raw.BOX_SCORES.empty().reindex(range(len(scheduled)))
    for c in raw.BOX_SCORES.columns:
        boxes[c.name] = {"INT64": 1, "BOOL": True, "STRING": "x"}.get(c.type.value, games["game_date"])
    lake.write(raw.BOX_SCORES, boxes.assign(game_id="0022500001", game_date=games["game_date"]), scheduled)
    return quality.Published(lake.query, SYSTEMS, FIRST, days[-1])


def put(lake, table: Table, rows: pd.DataFrame, days: list[date]) -> None:
    """Store rows as another's writer does, unchecked."""
    conformed = table.conform(rows)
    if isinstance(lake, Frames):
        lake.put(table, conformed, days)
        return
    for day, piece in split(table, conformed, days).items():
        lake.write_unchecked(table, piece, day)


def quote(lake, rows: pd.DataFrame, days: list[date]) -> None:
    """The quotes behind the valid lines, and whom they are for."""
    at = rows["created_at"] - pd.Timedelta(days=2)
    values = {
        "game_date": rows["game_date"], "quote_id": rows["quote_id"], "game_id": rows["game_id"], "event_id": "e",
        "bookmaker": "draftkings", "book_kind": "SPORTSBOOK", "market": "player_points", "source_name": rows["quote_id"],
        "player_lookup": "a", "line": rows["line"], "over_price": -110, "under_price": -110, "snapshot_at": at,
        "last_update_at": at, "commence_at": rows["cutoff_at"], "cutoff_at": rows["created_at"], "minutes_before_game": 60.0,
        "is_in_play": False, "payload": "p", "data_source": "THE_ODDS_API",
    }  # fmt: skip
    lake.write(raw.ODDS_QUOTES, pd.DataFrame(values), days)
    named = {
        "game_date": rows["game_date"], "game_id": rows["game_id"], "source": "THE_ODDS_API",
        "source_name": rows["quote_id"], "player_id": rows["player_id"], "quotes": 1, "method": "EXACT",
    }  # fmt: skip
    table = reference.RESOLVED_NAMES
    frame = pd.DataFrame(named)
    for column in table.columns:
        if column.name not in frame:
            frame[column.name] = {"STRING": "x", "INT64": 1, "FLOAT64": 1.0}[column.type.value]
    put(lake, table, frame[table.column_names], days)


LAST = FIRST + timedelta(34)


def findings(published: quality.Published, day: date = LAST) -> dict[str, Finding]:
    found = {name: find(published, day) for name, find in quality.DETECTORS.items()}
    return found | {name: find(published, FIRST, day) for name, find in quality.VALIDATION.items()}


def failing(found) -> set[str]:
    return {name.removeprefix("validation_") for name, f in found.items() if not f.passed}


def written_past_the_gate(lake, day: date, count: int = 30, system_id: str | None = "moving_average") -> None:
    """Lines of 20.0 without a source beside a system's rows, under its name or another's; they are not graded."""
    table = predictions.LEDGER
    rows = lake.read(table, [day])
    fake = rows[rows["system_id"] == "moving_average"].head(count)
    fake = fake.assign(
        prediction_id=[f"fake{i}" for i in range(len(fake))], line=20.0, line_source=None, quote_id=None, sportsbook=None,
        created_at=fake["created_at"] + pd.Timedelta(minutes=1), recommendation="UNDER", system_id=system_id,
    )  # fmt: skip
    lake.write_unchecked(table, pd.concat([rows, fake]), day)
