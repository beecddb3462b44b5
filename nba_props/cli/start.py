"""Day one with live feeds."""

from __future__ import annotations

import sys
from datetime import datetime

import click

from nba_props.cli.daily import predict
from nba_props.cli.group import example, main
from nba_props.cli.printing import Output, progress
from nba_props.cli.program import program
from nba_props.cli.session import print_findings, session_of, to_read
from nba_props.cli.values import ROWS
from nba_props.deployment import clock_of, load_settings
from nba_props.facts.calendar import game_date_of
from nba_props.settings import Settings, SettingsError
from nba_props.storage.landing import LandingZone


@main.command(
    **example(
        "nba-props start --dry-run", "nba-props start", fails="a request, a run or a check of severity ERROR fails"
    )
)
@click.option("--dry-run", is_flag=True, help="Print the plan with its requests, credits and time, and stop.")
@click.option("--shot-zones", is_flag=True, help="Also fetch this season's shot zones: one request for each game.")
@click.option("--rows", type=ROWS, default=20, show_default=True, help="Rows of the board to print; 0 for all.")
def start(dry_run: bool, shot_zones: bool, rows: int) -> None:
    """Day one with live feeds: fetch what a first prediction needs, and predict today.

    Needs NBA_PROPS_STATS=on, and for odds ODDS_API_KEY, in the environment or in the project's file .env. Stop it
    whenever you like: the next time it continues from there, and buys nothing twice.
    """
    from nba_props.operations import day_one
    from nba_props.process import stopping
    from nba_props.sources.base import LiveFeeds

    settings = load_settings()
    zone, clock = LandingZone(settings.landing), clock_of(settings)
    stored = to_read(settings).source() if settings.gcp or settings.home.exists() else None
    day_one.require_real(settings, zone, stored)
    off = day_one.switched_off(settings)
    if off and not dry_run:
        raise SettingsError(off)
    plan = day_one.plan(settings, LiveFeeds(settings.live, zone, clock), shot_zones=shot_zones)
    with Output() as out:
        for text in day_one.told(plan, settings.live):
            out.print(text)
        if off:
            out.print(f"note      {off}")
        if dry_run:
            return
        zone.make()
        failed = False
        with stopping.closing_with(lambda: f"landed payloads are kept, `{day_one.COMMAND}` continues from there"):
            with progress(out.console) as bars:
                bar = bars.add_task("fetch", total=len(plan.steps))
                steps = day_one.take(plan.steps, lambda step: bars.update(bar, description=f"fetch {step.name}"))
                for step, done in steps:
                    bars.advance(bar)
                    out.print(f"landed    {day_one.account(step, done)}")
                    for failure in done.failures:
                        out.print_marked("failed   ", "red", failure)
                    failed |= bool(done.failures)
            ok = _predict_first(out, load_settings(), zone, clock(), rows)
        if failed or not ok:
            sys.exit(1)


def _predict_first(out: Output, settings: Settings, zone: LandingZone, now: datetime, rows: int) -> bool:
    """Predict today, or prepare for the next date with games, print what to run next; return whether it succeeded."""
    from nba_props.automation import planning
    from nba_props.operations import day_one
    from nba_props.sources.nba_stats.games import games_of

    today, games = game_date_of(now), games_of(zone, now)
    opened = session_of(settings, zone, out)
    if games is not None and games.to_begin:
        ok = predict(opened, [today], rows=rows)
    else:
        ok = print_findings(out, opened.follow(planning.ahead(opened.definitions, opened.inputs, today)))
        for text in day_one.waiting(games, today):
            out.print(text)
    out.print(f"then      {program()} dev   predicts, updates and grades from here on, with a UI in the browser")
    return ok
