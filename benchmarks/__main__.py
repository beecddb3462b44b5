"""``python -m benchmarks``: prints every ratio; nothing here asserts seconds."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import defaultdict
from datetime import date, timedelta

import dagster as dg
import pandas as pd

from benchmarks.data import SPAN, Bench, bench
from nba_props.domain import history
from nba_props.schemas import analytics, raw

SLATE = 454


def timed(work, repeat: int = 1) -> float:
    """The median of some runs, in seconds."""
    seconds = []
    for _ in range(repeat):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return sorted(seconds)[len(seconds) // 2]


def set_against_per_player(b: Bench) -> None:
    """History of a slate of 454: one query, against one query per player over the same lake."""
    day = date(2025, 11, 5)
    players = b.warehouse.query(
        "SELECT player_id, MAX(player_name) AS player_name, MAX(team_id) AS team_id, MAX(team) AS team "
        "FROM nba_raw.box_scores GROUP BY player_id ORDER BY COUNT(*) DESC, player_id LIMIT 454"
    )
    slate = analytics.SLATE.empty().reindex(range(len(players))).drop(columns=players.columns)
    slate = slate.assign(
        game_date=pd.Timestamp(day), game_id="0022500001", player_lookup="x", season="2025-26",
        season_type="Regular Season", is_quoted=False, **{c: players[c] for c in players},
    )  # fmt: skip
    b.warehouse.write(analytics.SLATE, slate, [day])
    sql = history.historical_games_sql(b.settings.look_back_days, b.settings.max_games)
    one = timed(lambda: b.warehouse.query(sql, first=day, last=day), 5)
    rows = b.warehouse.query(sql, first=day, last=day)
    single = sql.replace("WHERE s.game_date", "WHERE s.player_id = @player AND s.game_date")
    asked = players["player_id"].tolist()
    found = []
    many = timed(lambda: found.extend(b.warehouse.query(single, first=day, last=day, player=p) for p in asked))
    same = pd.concat(found)["points"].sum() == rows["points"].sum() and sum(map(len, found)) == len(rows)
    print(f"history of {len(asked)} players: one query {one:.3f} s, {len(asked)} queries {many:.1f} s, "
          f"ratio {many / one:.0f}, {len(rows)} rows, equal {same}")  # fmt: skip


def where_a_day_goes(b: Bench) -> None:
    """One warm date: process start, definitions, Dagster's own time and ours."""
    start = timed(lambda: subprocess.run([sys.executable, "-c", "import dagster"], check=True), 3)
    load = timed(
        lambda: subprocess.run(
            [sys.executable, "-c", "import nba_props.definitions as d; d.defs().resolve_asset_graph()"], check=True
        ),
        3,
    )
    day = date(2025, 11, 5)
    b.run("ingest_history", SPAN[0], day - timedelta(1))
    b.run("predict", day)
    outcome, whole = b.run("predict", day)
    ours: dict[str, float] = defaultdict(float)
    for record in b.instance.all_logs(outcome.run_id, of_type=dg.DagsterEventType.STEP_SUCCESS):
        data = record.dagster_event.event_specific_data
        ours["checks" if record.dagster_event.step_key.endswith("__checks") else "assets"] += data.duration_ms / 1000
    inside = sum(ours.values())
    steps = len(b.definitions.resolve_job_def("predict").graph.node_dict)
    print(
        f"one warm date: import dagster {start:.2f} s, load definitions {load:.2f} s, run {whole:.2f} s of which "
        f"inside steps {inside:.2f} s ({', '.join(f'{k} {v:.2f}' for k, v in ours.items())}), "
        f"between them {whole - inside:.2f} s or {1000 * (whole - inside) / steps:.0f} ms for each of {steps} steps"
    )


def our_own_work(b: Bench) -> None:
    """The same date without Dagster: what the functions and the lake cost by themselves."""
    from nba_props.domain import context, features, gate, lines, names, slate
    from nba_props.domain.quotes import match_games
    from nba_props.domain.systems import SYSTEMS, moving_average
    from nba_props.domain.systems.base import SystemInputs
    from nba_props.domain.systems.formula import Formula
    from nba_props.facts.calendar import history_start, identity_start, last_season_start
    from nba_props.facts.markets import POINTS
    from nba_props.schemas.features import MARKET_FEATURES, PLAYER_FEATURES
    from nba_props.sources import odds_api
    from nba_props.sources.rejects import keep_contract
    from nba_props.storage.landing import LandingZone

    day = date(2025, 11, 5)
    w, span = b.warehouse, {"first": day, "last": day}
    reach, most = b.settings.look_back_days, b.settings.max_games

    def work() -> None:
        schedule = w.read(raw.SCHEDULE, [day])
        rows, _ = odds_api.read_day(LandingZone(b.settings.landing), day)
        parsed = pd.DataFrame(rows)
        parsed["game_date"] = pd.to_datetime(parsed["game_date"])
        for c in ("snapshot_at", "last_update_at", "commence_at"):
            parsed[c] = pd.to_datetime(parsed[c], utc=True)
        quotes, _ = keep_contract(raw.ODDS_QUOTES, match_games(parsed, schedule)[0])
        players = w.query(slate.PLAYERS_SQL, **span, identity_from=identity_start(day))
        asked = quotes.groupby(["game_date", "game_id", "data_source", "source_name"], as_index=False).size()
        asked = asked.rename(columns={"data_source": "source", "size": "quotes"})
        resolved, _ = names.resolve(asked, slate.roster_candidates(schedule, players), players)
        people = analytics.SLATE.conform(slate.slate(schedule, players, resolved, quotes))
        past = w.query(history.historical_games_sql(reach, most), **span)
        chosen = analytics.BETTING_LINES.conform(lines.betting_lines(people, quotes, resolved, [POINTS]))
        season = w.query(history.season_sql(), **span, history_from=history_start(day, reach))
        available = w.query(history.availability_sql(), **span)
        built = context.build(people, past, season, w.query(history.team_form_sql(reach), **span), chosen, available)
        met = w.query(history.matchup_sql(), **span, last_season_from=last_season_start(day))
        statements = (history.team_state_sql, history.league_form_sql, history.absence_sql, history.shot_zones_sql)
        state, league, absences, shots = (w.query(sql(reach), **span) for sql in statements)
        vectors = features.build(built, past, chosen, met, state, league, absences, shots)
        form = w.query(history.past_form_sql(reach), **span)
        tables = {PLAYER_FEATURES.address: vectors, MARKET_FEATURES.address: MARKET_FEATURES.empty()}
        for system in (s for s in SYSTEMS if isinstance(s, Formula)):
            system.rows(SystemInputs(chosen, tables, form if system.uses_past else None))
        table = moving_average.SYSTEM.table.address
        gate.split(
            w.query(
                lines.claimed_lines_sql(f"(SELECT * FROM {table} WHERE game_date BETWEEN @first AND @last)"), **span
            )
        )

    seconds = timed(work, 3)
    print(f"one warm date, our own work without Dagster (models and ensembles apart): {seconds:.2f} s")


def one_run_against_many(b: Bench) -> None:
    """26 dates as one range run, against 26 runs."""
    first, last = SPAN
    _, together = b.run("predict", first, last)
    days = [first + timedelta(n) for n in range((last - first).days + 1)]
    apart = sum(b.run("predict", day)[1] for day in days)
    print(f"{len(days)} dates: one run {together:.1f} s, {len(days)} runs {apart:.1f} s, ratio {apart / together:.1f}")


def executors(b: Bench) -> None:
    """In-process against multiprocess, one date, the same persistent instance."""
    day = "2025-11-05"
    command = [sys.executable, "-m", "benchmarks.executor", str(b.settings.home), day]
    for name in ("in_process", "multiprocess"):
        seconds = timed(lambda name=name: subprocess.run([*command, name], check=True, capture_output=True))
        print(f"one date with the {name} executor, process start included: {seconds:.1f} s")


if __name__ == "__main__":
    with bench() as made:
        where_a_day_goes(made)
        our_own_work(made)
        executors(made)
        one_run_against_many(made)
        set_against_per_player(made)
