"""A feed that the package does not have: ratings of games, one payload a date. Only its record registers it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import pandas as pd

from nba_props.domain.finding import Finding
from nba_props.facts.calendar import game_date_of
from nba_props.schemas import Column, Table, Type, raw
from nba_props.sources.base import (
    Asked,
    Captures,
    Command,
    Feed,
    Fetched,
    FetchJob,
    FirstDay,
    Intake,
    LiveFeeds,
    Moment,
    Probe,
    RawTable,
    Stage,
    Step,
    Switch,
    Timetable,
)
from nba_props.sources.payloads import by_folder, how_old, newest_capture
from nba_props.sources.rejects import Parsed, Reject
from nba_props.storage.landing import LandingZone, capture_suffix

RATINGS = Table(
    "nba_raw",
    "toy_ratings",
    "How somebody rates the games of a date.",
    (
        raw.GAME_DATE,
        raw.GAME_ID,
        Column("rating", Type.INT64, "Stars", ge=1, le=5),
        raw.PAYLOAD,
        raw.DATA_SOURCE,
    ),
    key=("game_id",),
)
QUARANTINED_RATINGS = raw.quarantine("quarantined_toy_ratings", "ratings")


def folder(day: date) -> str:
    return f"toy/{day}"


def read(zone: LandingZone, days: Sequence[date]) -> Parsed:
    rows, rejects = [], []
    for day in days:
        for payload in zone.list(folder(day)):
            for game_id, rating in zone.load(payload).items():
                if isinstance(rating, int):
                    rows.append({"game_date": pd.Timestamp(day), "game_id": game_id, "rating": rating,
                                 "payload": payload.path, "data_source": zone.data_source("TOY")})  # fmt: skip
                else:
                    rejects.append(Reject(payload.path, game_id, "NOT_STARS", f"{rating!r}", rating, day))
    return Parsed.of(RATINGS, pd.DataFrame(rows), rejects)


def land(feeds: LiveFeeds, days: Sequence[date], stars: int = 3) -> Fetched:
    """What a request would bring."""
    content = {f"00225{day:%d%m}0": stars for day in days}
    paths = [f"{folder(day)}/ratings{capture_suffix(feeds.clock())}.json" for day in days]
    return Fetched([feeds.zone.land(path, content).path for path in paths])


def by_hand(feeds: LiveFeeds, days: Sequence[date], options: Mapping[str, Any]) -> Fetched:
    return land(feeds, days)


def by_itself(feeds: LiveFeeds, arguments: Mapping[str, str], nights: Any) -> Fetched:
    return land(feeds, [game_date_of(feeds.clock())])


def due(live: Any, tonight: Any, after: Any, now: Any) -> list[Asked]:
    return [Asked(f"toy {now:%H:%M}", {})]


def freshness(at: Moment) -> Finding:
    return how_old(newest_capture(at.zone, folder(game_date_of(at.now))), at.now, timedelta(hours=1), "rating")


def first_day(at: FirstDay) -> tuple[list[Step], list[str]]:
    return [Step("ratings", 1, lambda: land(at.feeds, [at.today]), stage=Stage.TONIGHT)], [
        "ratings are a matter of taste"
    ]


FEED = Feed(
    name="toy",
    title="The Toy",
    description="Ratings of games, as delivered.",
    kinds=frozenset({"json"}),
    layout=((r"toy/\d{4}-\d{2}-\d{2}", "ratings"),),
    tables=(RawTable(RATINGS, QUARANTINED_RATINGS, read, by_folder(folder), frozenset({Intake.HISTORY})),),
    switch=Switch(lambda live: live.stats, "the toy is put away", "the toy is put away: take it out"),
    command=Command("toy", "Land the ratings of SPAN.", ("nba-props fetch toy today",), by_hand, span="optional"),
    job=FetchJob(
        "fetch_toy", "land_toy", "toy", "Ratings into the landing zone.", "Land ratings.", "ratings", by_itself,
        timetable=Timetable("fetch_toy_daily", "0 7 * * *", "Ratings in the morning."),
        captures=Captures("toy_sensor", "Ratings whenever it looks.", due),
    ),
    freshness=freshness,
    probe=Probe(lambda feeds: "answers with a smile", "put away", "taken out", "wind it up"),
    first_day=first_day,
    news=lambda day: (folder(day),),
)  # fmt: skip
