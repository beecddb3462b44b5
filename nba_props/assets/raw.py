"""``nba_raw``: landed payloads as typed rows, and what could not become one."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import dagster as dg
import pandas as pd

from nba_props.assets.partitions import partition_days
from nba_props.assets.tables import emit, table_assets
from nba_props.domain.quotes import match_games
from nba_props.schemas import Table, raw
from nba_props.sources import injury_report, nba_stats, odds_api
from nba_props.sources.rejects import Parsed, Reject, keep_contract, quarantine_frame
from nba_props.storage.landing import LandingZone
from nba_props.warehouse.base import Warehouse

ODDS_FILES = dg.AssetSpec(
    ["landing", "the_odds_api"],
    group_name="landing",
    description="Captures of The Odds API, one file per event and instant, as delivered.",
    kinds={"json"},
)
STATS_FILES = dg.AssetSpec(
    ["landing", "nba_stats"],
    group_name="landing",
    description="Payloads of stats.nba.com: game logs, schedules and rosters, as delivered.",
    kinds={"json"},
)
INJURY_FILES = dg.AssetSpec(
    ["landing", "injury_report"],
    group_name="landing",
    description="Official injury reports, one file per report, as delivered.",
    kinds={"pdf"},
)


def origin(landing: LandingZone) -> str:
    """REAL or SIMULATED: a warehouse takes in one of them, never both."""
    return "SIMULATED" if landing.is_simulated else "REAL"


def stats_assets(
    table: Table,
    quarantine: Table,
    read: Callable[[LandingZone, Sequence[date]], Parsed],
    partitions: dg.PartitionsDefinition,
    files: dg.AssetSpec = STATS_FILES,
) -> dg.AssetsDefinition:
    """A table of landed payloads, and the quarantine of what could not become a row of it."""

    @table_assets(table, quarantine, partitions=partitions, name=table.name, deps=[files.key])
    def stats_rows(
        context: dg.AssetExecutionContext,
        landing: dg.ResourceParam[LandingZone],
        warehouse: dg.ResourceParam[Warehouse],
    ):
        warehouse.claim(origin(landing))
        days = partition_days(context)
        parsed = read(landing, days)
        refused = quarantine_frame(quarantine, parsed.rejects, days[0])
        frames = [parsed.frame, refused]
        return emit(context, [table, quarantine], frames, of_date=lambda day: parsed.remarks.get(day, {}))

    return stats_rows


def build(partitions: dg.PartitionsDefinition) -> list[dg.AssetsDefinition | dg.AssetSpec]:
    """The raw assets over the given partitions."""

    @table_assets(
        raw.ODDS_QUOTES,
        raw.QUARANTINED_QUOTES,
        partitions=partitions,
        name="odds_quotes",
        ins={"schedule_rows": raw.SCHEDULE},
        deps=[ODDS_FILES.key],
    )
    def odds_quotes(
        context: dg.AssetExecutionContext,
        schedule_rows: pd.DataFrame,
        landing: dg.ResourceParam[LandingZone],
        warehouse: dg.ResourceParam[Warehouse],
    ):
        warehouse.claim(origin(landing))
        tables = [raw.ODDS_QUOTES, raw.QUARANTINED_QUOTES]
        parsed_rows, refused = [], []
        for day in partition_days(context):
            rows, rejects = odds_api.read_day(landing, day)
            parsed_rows += rows
            refused.append(quarantine_frame(raw.QUARANTINED_QUOTES, rejects, day))
        if not parsed_rows:
            return emit(context, tables, [raw.ODDS_QUOTES.empty(), _stack(refused)])
        parsed = pd.DataFrame(parsed_rows)
        parsed["game_date"] = pd.to_datetime(parsed["game_date"])
        for column in ("snapshot_at", "last_update_at", "commence_at"):
            parsed[column] = pd.to_datetime(parsed[column], utc=True)
        matched, unknown, _ = match_games(parsed, schedule_rows)
        if len(unknown):
            # a game that was moved to another date leaves quotes behind that rows were published by
            days = sorted({d.date() for d in unknown["game_date"]})
            departed = nba_stats.read_departed(landing, days, schedule_rows)
            matched, unknown, _ = match_games(parsed, pd.concat([schedule_rows, departed]))
        rows, broken = keep_contract(raw.ODDS_QUOTES, matched)
        rejects = [
            Reject(
                r.payload,
                f"{r.bookmaker}/{r.source_name}/{r.line}",
                "GAME_NOT_IN_SCHEDULE",
                f"{r.payload}: {r.away_team_name} at {r.home_team_name} is not scheduled on {r.game_date:%Y-%m-%d}",
                game_date=r.game_date.date(),
            )
            for r in unknown.itertuples()
        ]
        refused.append(quarantine_frame(raw.QUARANTINED_QUOTES, [*rejects, *broken]))
        account = _accounts(parsed, matched, unknown)
        return emit(context, tables, [rows, _stack(refused)], of_date=lambda day: account.get(day, {}))

    return [
        STATS_FILES,
        ODDS_FILES,
        INJURY_FILES,
        stats_assets(raw.SCHEDULE, raw.QUARANTINED_GAMES, nba_stats.read_schedule, partitions),
        stats_assets(raw.BOX_SCORES, raw.QUARANTINED_BOX_SCORES, nba_stats.read_box_scores, partitions),
        stats_assets(raw.SCORING_SHARES, raw.QUARANTINED_SCORING, nba_stats.read_scoring, partitions),
        stats_assets(raw.ROSTERS, raw.QUARANTINED_ROSTERS, nba_stats.read_rosters, partitions),
        stats_assets(
            raw.INJURY_REPORTS, raw.QUARANTINED_INJURIES, injury_report.read_reports, partitions, INJURY_FILES
        ),
        odds_quotes,
    ]


def _accounts(parsed: pd.DataFrame, matched: pd.DataFrame, unknown: pd.DataFrame) -> dict[date, dict[str, Any]]:
    """What became of each date's quotes that are neither rows nor refused."""
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


def _stack(frames: list[pd.DataFrame]) -> pd.DataFrame:
    filled = [f for f in frames if len(f)]
    return pd.concat(filled, ignore_index=True) if filled else raw.QUARANTINED_QUOTES.empty()
