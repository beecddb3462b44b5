"""Jobs that fetch live payloads into the landing zone; assets read only what was landed."""

from datetime import timedelta

import dagster as dg

from nba_props.automation.alerts import Alert, Alerts
from nba_props.facts.calendar import PLAYABLE, game_date_of, parse_day, parse_instant
from nba_props.facts.calendar import days as dates_between
from nba_props.revision import run_tags
from nba_props.sources.feeds import Feeds
from nba_props.sources.odds_api.capture import Fetched
from nba_props.warehouse.base import Warehouse

CAPTURE_JOB = "capture_odds"
STATS_JOB = "fetch_stats"
INJURIES_JOB = "fetch_injuries"
#: dates whose box scores are asked for again each time: the league corrects them for days
CORRECTED_DAYS = 3


class CaptureConfig(dg.Config):
    """Which games to capture: a date's, or those of one tip-off."""

    day: str
    tipoff: str = ""


class StatsConfig(dg.Config):
    """Which dates to ask for; none are the last three."""

    first: str = ""
    last: str = ""


def tell(context: dg.OpExecutionContext, alerts: Alerts, feed: str, done: Fetched) -> None:
    """The account of a fetch as metadata; trouble as an alert, and as a failure when nothing came of it."""
    context.add_output_metadata(
        {
            "landed": len(done.landed), "unchanged": done.present, "failures": done.failures, "credits": done.credits,
            **({} if done.remaining is None else {"credits_remaining": done.remaining}),
        }
    )  # fmt: skip
    for failure in done.failures:
        context.log.warning(failure)
    if done.failures:
        text = f"{len(done.landed)} payloads landed; {len(done.failures)} failures, the first: {done.failures[0]}"
        alerts.send(Alert("ERROR" if done.exhausted or not done.landed else "WARN", f"fetch {feed}", text))
    if done.failures and not done.landed and not done.present:
        raise dg.Failure(description=f"{feed}: {done.failures[0]}", allow_retries=False)


@dg.op(pool="odds_api")
def land_odds(
    context: dg.OpExecutionContext,
    config: CaptureConfig,
    feeds: dg.ResourceParam[Feeds],
    alerts: dg.ResourceParam[Alerts],
) -> None:
    """Land the odds of games that have not begun."""
    tipoff = parse_instant(config.tipoff) if config.tipoff else None
    tell(context, alerts, "odds", feeds.odds(parse_day(config.day), tipoff))


@dg.op(pool="nba_stats")
def land_stats(
    context: dg.OpExecutionContext,
    config: StatsConfig,
    feeds: dg.ResourceParam[Feeds],
    alerts: dg.ResourceParam[Alerts],
    warehouse: dg.ResourceParam[Warehouse],
) -> None:
    """Land schedule, roster, box scores and shot zones of past dates."""
    today = game_date_of(feeds.clock())
    first = parse_day(config.first) if config.first else today - timedelta(CORRECTED_DAYS)
    last = parse_day(config.last) if config.last else today
    played = warehouse.query(
        "SELECT DISTINCT game_date FROM nba_raw.schedule "
        f"WHERE game_date BETWEEN @first AND @last AND game_date < @today AND {PLAYABLE}",
        first=first,
        last=last,
        today=today,
    )
    done = feeds.stats(dates_between(first, last), [d.date() for d in played["game_date"]])
    tell(context, alerts, "box scores", done)


@dg.op(pool="nba_stats")
def land_injuries(
    context: dg.OpExecutionContext, feeds: dg.ResourceParam[Feeds], alerts: dg.ResourceParam[Alerts]
) -> None:
    """Land the newest injury report."""
    tell(context, alerts, "injury report", feeds.injuries())


@dg.job(
    tags=run_tags(),
    name=CAPTURE_JOB,
    description="Odds of games that have not begun, from The Odds API into the landing zone.",
)
def capture_job() -> None:
    """Odds into the landing zone."""
    land_odds()


@dg.job(
    tags=run_tags(),
    name=STATS_JOB,
    description="Schedule, roster and box scores, from stats.nba.com into the landing zone.",
)
def stats_job() -> None:
    """Statistics into the landing zone."""
    land_stats()


@dg.job(
    tags=run_tags(),
    name=INJURIES_JOB,
    description="The newest official injury report into the landing zone.",
)
def injuries_job() -> None:
    """The injury report into the landing zone."""
    land_injuries()


FETCH_JOBS = (capture_job, stats_job, injuries_job)
