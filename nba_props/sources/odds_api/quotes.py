"""Quotes with their games: every capture of some dates, matched with the schedule."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import pandas as pd

from nba_props.domain.quotes import match_games
from nba_props.schemas import raw
from nba_props.sources.nba_stats.schedule import read_departed
from nba_props.sources.odds_api.parse import read_day
from nba_props.sources.rejects import Parsed, Reject, keep_contract
from nba_props.storage.landing import LandingZone


def read_quotes(zone: LandingZone, days: Sequence[date], schedule_rows: pd.DataFrame) -> Parsed:
    """The quotes of the given dates' captures, in-play ones marked; those of unscheduled games are held back.

    Args:
        zone: where captures are landed.
        days: the dates.
        schedule_rows: rows of ``nba_raw.schedule`` for the same dates.
    """
    # date by date: what is parsed takes a multiple of the memory of what is kept
    parts = [_of_day(zone, day, schedule_rows) for day in days]
    frames = [part.frame for part in parts if len(part.frame)]
    return Parsed(
        pd.concat(frames, ignore_index=True) if frames else raw.ODDS_QUOTES.empty(),
        [reject for part in parts for reject in part.rejects],
        {day: remark for part in parts for day, remark in part.remarks.items()},
    )


def _of_day(zone: LandingZone, day: date, schedule_rows: pd.DataFrame) -> Parsed:
    found, rejects = read_day(zone, day)
    if not found:
        return Parsed(raw.ODDS_QUOTES.empty(), rejects)
    parsed = pd.DataFrame(found)
    parsed["game_date"] = pd.to_datetime(parsed["game_date"])
    for column in ("snapshot_at", "last_update_at", "commence_at"):
        parsed[column] = pd.to_datetime(parsed[column], utc=True)
    matched, unknown = match_games(parsed, schedule_rows)
    if len(unknown):
        # a game that was moved to another date leaves quotes behind, with which predictions were published
        moved_from = sorted({d.date() for d in unknown["game_date"]})
        departed = read_departed(zone, moved_from, schedule_rows)
        matched, unknown = match_games(parsed, pd.concat([schedule_rows, departed]))
    quotes, broken = keep_contract(raw.ODDS_QUOTES, matched)
    unscheduled = [
        Reject(
            r.payload,
            f"{r.bookmaker}/{r.source_name}/{r.line}",
            "GAME_NOT_IN_SCHEDULE",
            f"{r.payload}: {r.away_team_name} at {r.home_team_name} is not scheduled on {r.game_date:%Y-%m-%d}",
            game_date=r.game_date.date(),
        )
        for r in unknown.itertuples()
    ]
    return Parsed(quotes, [*rejects, *unscheduled, *broken], _accounts(parsed, matched, unknown))


def _accounts(parsed: pd.DataFrame, matched: pd.DataFrame, unknown: pd.DataFrame) -> dict[date, dict[str, Any]]:
    """How many quotes of each date are neither rows nor held back, and why."""
    all_quotes = parsed.groupby("game_date")["quote_id"].agg(["size", "nunique"])
    kept = sum(f["game_date"].value_counts().reindex(all_quotes.index, fill_value=0) for f in (matched, unknown))
    unpredicted = all_quotes["nunique"] - kept
    repeats = all_quotes["size"] - all_quotes["nunique"]
    return {
        day.date(): {
            "repeated_quotes": int(repeats[day]),
            "quotes_of_games_that_are_not_predicted": int(unpredicted[day]) or None,
        }
        for day in all_quotes.index
    }
