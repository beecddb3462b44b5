"""The record of the official injury report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import partial
from typing import Any

from nba_props.domain.finding import Finding
from nba_props.facts.calendar import EASTERN, game_date_of
from nba_props.schemas import raw
from nba_props.sources.base import (
    EXPECTED_FROM,
    Command,
    Feed,
    Fetched,
    FetchJob,
    FirstDay,
    Intake,
    LiveFeeds,
    Moment,
    Nights,
    RawTable,
    Stage,
    Step,
    Timetable,
)
from nba_props.sources.injury_report.capture import fetch
from nba_props.sources.injury_report.client import BASE_URL, report_instants
from nba_props.sources.injury_report.landed import folder, payloads
from nba_props.sources.injury_report.parse import read_reports
from nba_props.sources.nba_stats.client import SWITCH
from nba_props.sources.payloads import how_old, newest_capture, newest_figure

MAX_AGE = timedelta(hours=2)


def newest(feeds: LiveFeeds) -> Fetched:
    """Land the newest injury report."""
    return fetch(feeds.zone, feeds.clock, feeds.live.injury_url or BASE_URL)


def by_hand(feeds: LiveFeeds, days: Sequence[date], options: Mapping[str, Any]) -> Fetched:
    """Land the newest report, whatever the date."""
    return newest(feeds)


def by_itself(feeds: LiveFeeds, arguments: Mapping[str, str], nights: Nights) -> Fetched:
    """Land the newest report."""
    return newest(feeds)


def first_day(at: FirstDay) -> tuple[list[Step], list[str]]:
    """The newest report, where a game may begin."""
    if at.games is not None and not at.games.to_begin:
        return [], []
    most = len(report_instants(at.feeds.clock()))
    return [Step("injury report", most, partial(newest, at.feeds), stage=Stage.TONIGHT, daily=True)], []


def freshness(at: Moment) -> Finding:
    """A report not older than two hours while games are still to begin."""
    day = game_date_of(at.now)
    found = newest_capture(at.zone, folder(day))
    if not at.tonight.any_to_begin(at.now) or at.now.astimezone(EASTERN).time() < EXPECTED_FROM:
        return Finding(True, "no report is expected now", newest_figure(found), nothing=True)
    return how_old(found, at.now, MAX_AGE, f"injury report of {day}")


FEED = Feed(
    name="injury_report",
    title="the injury report",
    description="Official injury reports, one file per report, as delivered.",
    kinds=frozenset({"pdf"}),
    layout=((r"injury_report/\d{4}-\d{2}-\d{2}", ".+"),),
    tables=(
        RawTable(
            raw.INJURY_REPORTS,
            raw.QUARANTINED_INJURIES,
            read_reports,
            payloads,
            frozenset({Intake.HISTORY, Intake.FOLLOW}),
        ),
    ),
    switch=SWITCH,
    command=Command("injuries", "Download the newest official injury report.", ("nba-props fetch injuries",), by_hand),
    job=FetchJob(
        name="fetch_injuries",
        step="land_injuries",
        pool="nba_stats",
        description="The newest official injury report into the landing zone.",
        about="Land the newest injury report.",
        called="injury report",
        run=by_itself,
        # the first report of a date comes the evening before
        timetable=Timetable(
            "fetch_injury_report",
            "0,15,30,45 9-22 * * *",
            "The official injury report.",
            games_within=2,
            idle="neither today nor tomorrow has games, so there is no report",
        ),
    ),
    freshness=freshness,
    first_day=first_day,
    news=lambda day: (folder(day),),
)
