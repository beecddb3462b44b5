"""Requests to stats.nba.com, and how the answers are landed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime
from functools import partial
from typing import Any

import pandas as pd

from nba_props.facts.calendar import SEASON_TYPES, game_date_of, season_of, season_year
from nba_props.facts.keys import GAME
from nba_props.process.clock import Clock
from nba_props.sources import nba_stats
from nba_props.sources.base import START, Fetched, LiveFeeds
from nba_props.sources.http import FetchError, not_asked, silence
from nba_props.sources.nba_stats.client import HOST, SWITCH, StatsApi, open_api
from nba_props.sources.nba_stats.games import has_schedule
from nba_props.storage.landing import LandingError, LandingZone, Payload, PayloadError, capture_suffix

#: the failure of requests after one that got no answer
NOT_ASKED = not_asked(HOST)


def box_scores(
    api: StatsApi,
    zone: LandingZone,
    days: Sequence[date],
    clock: Clock,
    played: Collection[date] = (),
) -> Fetched:
    """Land the game logs of some dates that changed, one call for each season and season type that counts.

    What is not available leaves the landed payload in use, and is recorded as a failure; once the site fails to answer,
    there are no more requests. On ``played`` dates there were games: no rows, which the site sometimes sends with
    status 200, are a failure then and not a day without games.
    """
    done = Fetched()
    found: set[date] = set()
    by_season: dict[str, list[date]] = defaultdict(list)
    for day in days:
        by_season[season_of(day)].append(day)
    for season, wanted in by_season.items():
        for season_type in (t for t in SEASON_TYPES if t.counts and t.since <= season_year(wanted[0])):
            between = (f"{min(wanted):%m/%d/%Y}", f"{max(wanted):%m/%d/%Y}")
            what = f"{season_type.name} {season}"
            content = _ask(done, what, api.game_log, season, season_type.feed_name, *between)
            logs, failures = split_by_date(content) if content else ({}, [])
            done.failures += [f"{what}: {failure}" for failure in failures]
            found |= set(logs)
            for day in sorted(set(wanted) & set(logs)):
                subject = f"{day}-{season_type.name.lower().replace(' ', '-')}"
                folder = nba_stats.gamelog_folder(season)
                _land_news(zone, folder, subject, logs[day], "resultSets", clock(), done)
    if not done.silent:
        done.failures += [
            f"{day}: games were played and the site returned no rows" for day in sorted(set(played) - found)
        ]
    return done


def schedule(api: StatsApi, zone: LandingZone, season: str, clock: Clock, *, site: bool = True) -> Fetched:
    """Land a season's schedule if it differs from the one landed last; without ``site`` it comes from the CDN."""
    done = Fetched()
    content = _ask(done, f"schedule {season}", partial(api.schedule, season, site=site))
    if content:
        _land_news(zone, nba_stats.SCHEDULE_FOLDER, season, content, "leagueSchedule", clock(), done)
    return done


def roster(api: StatsApi, zone: LandingZone, season: str, clock: Clock) -> Fetched:
    """Land who belongs to which team as of now."""
    done = Fetched()
    content = _ask(done, f"roster {season}", api.roster, season)
    now = clock()
    if content:
        _land(zone, f"{nba_stats.roster_folder(season)}/{game_date_of(now)}", content, now, done)
    return done


def shot_zones(api: StatsApi, zone: LandingZone, days: Sequence[date], clock: Clock) -> Fetched:
    """Land where the points of some dates' games came from: a request for each game that lacks it."""
    done = Fetched()
    games = nba_stats.read_box_scores(zone, days).frame
    if games.empty:
        return done
    folders = {nba_stats.scoring_folder(season_of(d)) for d in days}
    landed = {Payload(n).subject for folder in folders for n in zone.names(folder)}
    asked = games[GAME].drop_duplicates()
    for number, game in enumerate(asked.itertuples()):
        if done.silent:
            done.failures.append(f"shot zones of {len(asked) - number} more games: {NOT_ASKED}")
            break
        day = pd.Timestamp(game.game_date).date()
        folder = nba_stats.scoring_folder(season_of(day))
        subject = f"{day}-{game.game_id}"
        if subject in landed:
            done.present += 1
            continue
        content = _ask(done, f"shot zones of {game.game_id}", api.scoring, game.game_id)
        if content:
            _land(zone, f"{folder}/{subject}", content, clock(), done)
    return done


def land_schedules(feeds: LiveFeeds, days: Sequence[date]) -> Fetched:
    """Land the schedules of the dates' seasons that are not landed, if stats.nba.com is switched on.

    Raises:
        LandingError: it is off; the message names the command that fetches them. FetchError: the site did not answer.
    """
    done, zone = Fetched(), feeds.zone
    for season in sorted({season_of(d) for d in days}):
        if has_schedule(zone, season):
            continue
        if not SWITCH.is_on(feeds.live):
            raise LandingError(
                f"no schedule of the season {season} is landed, so its games are unknown: "
                f"`{START}` fetches it, with NBA_PROPS_STATS=on"
            )
        done.add(schedule(open_api(feeds.live), zone, season, feeds.clock))
        if not has_schedule(zone, season):
            raise FetchError("NO_SCHEDULE", done.failures[-1])
    return done


def _ask(done: Fetched, what: str, request: Callable[..., Any], *arguments: Any) -> Any:
    """The answer, or None with the failure recorded; once the site failed to answer, no request is made."""
    if done.silent:
        done.failures.append(f"{what}: {NOT_ASKED}")
        return None
    try:
        return request(*arguments)
    except FetchError as error:
        done.silent = silence(error)
        done.failures.append(f"{what}: {error}; what was landed before stays in use")
        return None


def split_by_date(content: dict[str, Any]) -> tuple[dict[date, dict[str, Any]], list[str]]:
    """A game log as one log for each date that it has rows of, in the same form; and failures for the rest."""
    results = [r for r in content["resultSets"] if isinstance(r, dict) and _is_table(r)]
    result = next((r for r in results if r.get("name") == "LeagueGameLog"), results[0] if results else None)
    if result is None:
        return {}, ["WRONG_SHAPE: the game log has no rows with a GAME_DATE"]
    at = result["headers"].index("GAME_DATE")
    rows: dict[date, list[Any]] = defaultdict(list)
    unread = 0
    for row in result["rowSet"]:
        try:
            rows[date.fromisoformat(str(row[at])[:10])].append(row)
        except (IndexError, KeyError, TypeError, ValueError):
            unread += 1
    failures = [f"{unread} of {len(result['rowSet'])} rows of the game log have no date"] if unread else []
    return {
        day: {**content, "resultSets": [{**result, "rowSet": mine}]} for day, mine in sorted(rows.items())
    }, failures


def _is_table(result: dict[str, Any]) -> bool:
    headers, rows = result.get("headers"), result.get("rowSet")
    return isinstance(headers, list) and isinstance(rows, list) and "GAME_DATE" in headers


def _land_news(
    zone: LandingZone, folder: str, subject: str, content: Any, part: str, now: datetime, done: Fetched
) -> None:
    """Land content under its subject and the instant, unless the newest of the subject has the same ``part``."""
    known = [p for p in zone.list(folder) if p.subject == subject] if zone.exists() else []
    if known and _part(zone, known[-1], part) == content[part]:
        done.present += 1
        return
    _land(zone, f"{folder}/{subject}", content, now, done)


def _land(zone: LandingZone, name: str, content: Any, now: datetime, done: Fetched) -> None:
    """Land what was captured now; if another process captured it in the same second, that one stays."""
    try:
        done.landed.append(zone.land(f"{name}{capture_suffix(now)}.json.gz", content).path)
    except FileExistsError:
        done.present += 1


def _part(zone: LandingZone, payload: Payload, part: str) -> Any:
    try:
        content = zone.load(payload)
    except PayloadError:
        return None
    return content.get(part) if isinstance(content, dict) else None
