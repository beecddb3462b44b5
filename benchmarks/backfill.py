"""``python -m benchmarks.backfill``: what a date costs in spans of 1 to 500, in one run or many, and by player."""

from __future__ import annotations

import resource
import time
from collections.abc import Sequence
from datetime import date, timedelta

import dagster as dg
import pandas as pd

from benchmarks.data import Bench, bench
from nba_props.automation import planning, runner
from nba_props.catalog import TABLES
from nba_props.domain import history
from nba_props.domain.models.card import week_of

#: 53 dates with odds and box scores
FIRST, LAST = date(2024, 2, 22), date(2024, 4, 14)
#: 500 dates of the same seasons, most without odds
LONG = (date(2023, 1, 2), date(2023, 1, 2) + timedelta(499))


def timed(b: Bench, first: date, last: date, keys: Sequence[dg.AssetKey] | None = None, job: str = "predict") -> float:
    started = time.perf_counter()
    outcome = runner.execute(b.definitions, b.instance, job, first, last, select=keys)
    if not outcome.success:
        raise RuntimeError(outcome.errors)
    return time.perf_counter() - started


def peak() -> float:
    """The peak memory of this process [GB]."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def main() -> None:
    with bench((date(2021, 10, 19), LONG[0] - timedelta(1))) as b:
        upstream = [t.address for t in TABLES.values() if t.dataset in ("nba_raw", "nba_reference", "nba_analytics")]
        chain = planning.resolve(b.definitions, [*upstream, "moving_average"])
        one = planning.resolve(b.definitions, ["moving_average"])
        print(f"before the 500 dates the process held {peak():.2f} GB")
        long = timed(b, *LONG, chain)
        print(f"500 dates, payloads to grades with one system, one run: {long:.1f} s, peak {peak():.2f} GB", flush=True)
        for n in (1, 10, 53):
            seconds = timed(b, FIRST, FIRST + timedelta(n - 1), chain)
            print(f"{n} dates, the same: {seconds:.2f} s, {1000 * seconds / n:.0f} ms a date", flush=True)
        print(f"500 dates: {1000 * long / 500:.0f} ms a date")

        days = [FIRST + timedelta(n) for n in range((LAST - FIRST).days + 1)]
        together = timed(b, FIRST, LAST, one)
        apart = sum(timed(b, day, day, one) for day in days)
        print(
            f"one system, {len(days)} dates: one run {together:.1f} s, {len(days)} runs {apart:.1f} s, "
            f"ratio {apart / together:.1f}",
            flush=True,
        )
        by_player(b, together)
        for week in sorted({week_of(day) for day in days}):
            timed(b, week, week, job="train")
        timed(b, FIRST, LAST)
        whole = timed(b, FIRST, LAST)
        print(
            f"all systems, models trained, {len(days)} dates: {whole:.1f} s, {1000 * whole / len(days):.0f} ms a date"
        )
        print(f"peak {peak():.2f} GB")


def by_player(b: Bench, together: float) -> None:
    """The history of every player of the span by one query, and of one date's players by a query each."""
    sql = history.historical_games_sql(b.settings.look_back_days, b.settings.max_games)
    started = time.perf_counter()
    b.warehouse.query(sql, first=FIRST, last=LAST)
    at_once = time.perf_counter() - started
    slate = b.warehouse.query(
        "SELECT game_date, player_id FROM nba_analytics.slate WHERE game_date BETWEEN @first AND @last",
        first=FIRST,
        last=LAST,
    )
    players = slate[slate["game_date"] == pd.Timestamp(FIRST)]["player_id"].tolist()
    single = sql.replace("WHERE s.game_date", "WHERE s.player_id = @player AND s.game_date")
    started = time.perf_counter()
    for player in players:
        b.warehouse.query(single, first=FIRST, last=FIRST, player=player)
    each = (time.perf_counter() - started) / len(players)
    print(
        f"history of {len(slate)} player-games: one query {at_once:.2f} s; a query each {1000 * each:.1f} ms "
        f"(from {len(players)}), so {each * len(slate):.0f} s, {each * len(slate) / at_once:.0f} times as long, "
        f"{each * len(slate) / together:.0f} times the whole backfill of the system",
        flush=True,
    )


if __name__ == "__main__":
    main()
