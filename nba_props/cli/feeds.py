"""Downloading: live payloads into the landing zone."""

from __future__ import annotations

import sys
from datetime import date
from typing import Any

import click

from nba_props import clock
from nba_props.cli.group import example, main
from nba_props.cli.printing import Output
from nba_props.cli.values import DateSpan, minutes
from nba_props.facts.calendar import game_date_of
from nba_props.settings import Settings, load_settings
from nba_props.storage.landing import LandingZone


@main.group(**example("nba-props fetch odds", "nba-props fetch stats yesterday"))
def fetch() -> None:
    """Download payloads: odds, stats, injuries. What was landed before is never changed."""


def _feeds() -> tuple[Output, Settings, LandingZone, Any]:
    from nba_props.sources.feeds import Feeds

    settings = load_settings()
    zone = LandingZone(settings.landing)
    feeds = Feeds(settings.live, zone, clock.utc_now)
    feeds.require_real()
    zone.make()
    return Output(), settings, zone, feeds


def _told(out: Output, done: Any) -> None:
    credits = f", {done.credits} credits" + (f", {done.remaining} left" if done.remaining is not None else "")
    out.say(f"landed    {len(done.landed)} payloads, {done.present} were there already{credits}")
    for failure in done.failures:
        out.tell("failed   ", "red", failure)
    if done.failures:
        sys.exit(1)


@fetch.command(
    "odds",
    **example(
        "nba-props fetch odds --dry-run", "nba-props fetch odds 2025-11-19..2026-01-10 --before 240,30 --dry-run"
    ),
)
@click.argument("span", type=DateSpan(), required=False)
@click.option("--before", default="30", show_default=True, help="Past dates: minutes before tip-off, comma-separated.")
@click.option("--dry-run", is_flag=True, help="Print the plan and what it costs, and stop.")
def fetch_odds(span: list[date] | None, before: str, dry_run: bool) -> None:
    """Capture today's odds, or buy those of a past SPAN from the archive.

    The plan and its cost come first. A snapshot that is landed is not bought again; spending stops at the reserve.
    """
    from nba_props.domain.slate import playable
    from nba_props.operations import day_one
    from nba_props.sources import nba_stats
    from nba_props.sources.odds_api import capture

    out, settings, zone, feeds = _feeds()
    today = game_date_of(clock.utc_now())
    days = span or [today]
    past = [d for d in days if d < today]
    snapshots = minutes(before)
    day_one.land_schedules(feeds, days)
    games = playable(nba_stats.read_schedule(zone, days).frame)
    count = int(games["game_date"].dt.date.isin(past).sum())
    regions, rhythm = settings.live.odds_regions, settings.live.odds_rhythm
    price = capture.price_of_history(len(past), count, len(snapshots), regions)
    live = len(games) - count
    out.say(
        f"plan      {len(past)} past dates, {count} games, {len(snapshots)} snapshots each: at most {price:,} credits"
        f"; {live} games of today or later: at most {capture.price_of_capture(live, regions)} credits",
    )
    if live:
        a_day = sum(day_one.price_of_day(games, d, regions, rhythm) for d in days if d >= today)
        out.say(
            f"by itself a running daemon captures them for at most {a_day} credits "
            f"(NBA_PROPS_ODDS_RHYTHM={rhythm}, regions {regions})"
        )
    out.say(f"reserve   {settings.live.odds_reserve} credits are never spent (NBA_PROPS_ODDS_RESERVE)")
    if dry_run:
        return
    done = feeds.odds_history(past, snapshots) if past else capture.Fetched()
    for day in [d for d in days if d >= today]:
        done.add(feeds.odds(day))
    _told(out, done)


@fetch.command("stats", **example("nba-props fetch stats 2025-11-19..2026-01-10"))
@click.argument("span", type=DateSpan())
@click.option(
    "--shot-zones/--no-shot-zones",
    default=True,
    show_default=True,
    help="And where points came from, which the zone system needs: a request for each game without them.",
)
def fetch_stats(span: list[date], shot_zones: bool) -> None:
    """Land schedule, roster, box scores and shot zones of SPAN.

    Box scores are one request for each season and season type, shot zones one for each game.
    """
    out, _, _, feeds = _feeds()
    done = feeds.stats(span, shot_zones=shot_zones)
    _told(out, done)


@fetch.command("injuries", **example("nba-props fetch injuries"))
def fetch_injuries() -> None:
    """Land the newest official injury report."""
    out, _, _, feeds = _feeds()
    done = feeds.injuries()
    _told(out, done)
