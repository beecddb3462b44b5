"""Has every feed spoken lately? A silent feed is noticed by the clock, not by the run that never came."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import dagster as dg

from nba_props.assets.inputs import Inputs
from nba_props.assets.models import model_key
from nba_props.assets.raw import INJURY_FILES, ODDS_FILES, STATS_FILES
from nba_props.assets.tables import asset_key
from nba_props.domain import quality
from nba_props.domain.systems import SYSTEMS
from nba_props.domain.systems.trained import week_of
from nba_props.facts.calendar import EASTERN, PLAYABLE, game_date_of, season_of
from nba_props.facts.calendar import days as dates_between
from nba_props.facts.rhythm import FULL
from nba_props.schemas import Table
from nba_props.schemas.analytics import BETTING_LINES, SLATE
from nba_props.schemas.predictions import LEDGER, PREDICTION_ACCURACY
from nba_props.schemas.raw import SCHEDULE
from nba_props.settings import Settings
from nba_props.sources import injury_report, nba_stats, odds_api
from nba_props.sources.odds_api.capture import captures_of, latest_start
from nba_props.storage.landing import LandingError, LandingZone, Payload
from nba_props.warehouse.base import Warehouse

Clock = Callable[[], datetime]
FRESHNESS = "feed_is_fresh"
#: the landing assets of the live feeds
FEEDS = (ODDS_FILES, STATS_FILES, INJURY_FILES)
#: captures are hourly from ten o'clock Eastern to the last tip-off
ODDS_MAX_AGE = timedelta(minutes=80)
ODDS_EXPECTED_FROM = time(10, 20)
INJURIES_MAX_AGE = timedelta(hours=2)
#: by then last night's box scores are landed
RESULTS_EXPECTED_FROM = quality.RESULTS_DUE
#: the check that tonight's games have odds at all
TONIGHT = "tonight_has_odds"
#: the check that a table has the date, or a model the week, that it must have by now
IS_FRESH = "is_fresh"
#: the schedule makes the slate at nine
SLATE_EXPECTED_BY = time(9, 30)
#: the results are due at nine
GRADES_EXPECTED_BY = time(9, 30)
MODELS_EXPECTED_BY = time(12)


@dataclass(frozen=True)
class Tipoffs:
    """When a date's games begin that are predicted: the tip-offs that are known, and how many are to be decided."""

    day: date
    known: tuple[datetime, ...] = ()
    undecided: int = 0

    @property
    def games(self) -> int:
        """How many games there are."""
        return len(self.known) + self.undecided

    @property
    def latest(self) -> tuple[datetime, ...]:
        """The instants by which the games have begun, in order; those to be decided may be the last."""
        return (*self.known, *([latest_start(self.day)] if self.undecided else []))

    def any_to_begin(self, now: datetime) -> bool:
        """Whether a game may not have begun yet."""
        return any(t > now for t in self.latest)


def tipoffs(warehouse: Warehouse, first: date, last: date) -> dict[date, Tipoffs]:
    """The tip-offs of each date that has games that are predicted, by the stored schedule."""
    rows = warehouse.query(
        "SELECT game_date, tipoff_at FROM nba_raw.schedule "
        f"WHERE game_date BETWEEN @first AND @last AND {PLAYABLE} ORDER BY game_date, tipoff_at",
        first=first,
        last=last,
    )
    return {
        at.date(): Tipoffs(
            at.date(), tuple(t.to_pydatetime() for t in games.dropna()), undecided=int(games.isna().sum())
        )
        for at, games in rows.groupby("game_date")["tipoff_at"]
    }


@dataclass(frozen=True)
class Freshness:
    """Whether a feed spoke when it should have, in words; ``expected`` is false while it need not."""

    fresh: bool
    text: str
    newest: datetime | None = None
    expected: bool = True


def _age(newest: datetime | None, now: datetime, limit: timedelta, what: str) -> Freshness:
    if newest is None:
        return Freshness(False, f"no {what} was landed")
    age = now - newest
    minutes = int(age.total_seconds() // 60)
    text = f"the newest {what} is {minutes} minutes old; at most {int(limit.total_seconds() // 60)} are expected"
    return Freshness(age <= limit, text, newest)


def _newest(zone: LandingZone, folder: str) -> datetime | None:
    """The newest capture instant in a folder's names."""
    stamps = [Payload(name).captured_at for name in zone.names(folder)]
    return max((s for s in stamps if s), default=None)


def odds_freshness(zone: LandingZone, tonight: Tipoffs, now: datetime, rhythm: str = FULL) -> Freshness:
    """Odds of today's games are captured at least hourly from opening to the last tip-off; or as seldom as a thrifty
    rhythm does it.
    """
    day = game_date_of(now)
    limit = ODDS_MAX_AGE
    if rhythm != FULL:
        slack = ODDS_MAX_AGE - timedelta(hours=1)
        due = [d.at for d in captures_of(day, tonight.known, tonight.undecided, rhythm) if d.at <= now - slack]
        limit = max(limit, now - due[-1] + slack) if due else limit
    if not tonight.any_to_begin(now) or now.astimezone(EASTERN).time() < ODDS_EXPECTED_FROM:
        return Freshness(True, "no capture is expected now", _newest(zone, odds_api.folder(day)), expected=False)
    return _age(_newest(zone, odds_api.folder(day)), now, limit, f"capture of {day}")


def injuries_freshness(zone: LandingZone, tonight: Tipoffs, now: datetime) -> Freshness:
    """A report not older than two hours while games are still to begin."""
    day = game_date_of(now)
    if not tonight.any_to_begin(now) or now.astimezone(EASTERN).time() < ODDS_EXPECTED_FROM:
        return Freshness(True, "no report is expected now", _newest(zone, injury_report.folder(day)), expected=False)
    return _age(_newest(zone, injury_report.folder(day)), now, INJURIES_MAX_AGE, f"injury report of {day}")


def stats_freshness(zone: LandingZone, last_night: Tipoffs, now: datetime) -> Freshness:
    """Box scores of last night's tip-offs by nine in the morning, Eastern, and a schedule that was landed since.

    A schedule that did not change is not landed again, so that without games its age says nothing.
    """
    today = game_date_of(now)
    yesterday = today - timedelta(1)
    stamps = zone.landed_at(nba_stats.SCHEDULE_FOLDER)
    schedules = {Payload(n).captured_at or at for n, at in stamps.items() if n.startswith(season_of(today))}
    if not schedules:
        return Freshness(False, f"no schedule of {season_of(today)} was landed")
    if not last_night.games or now.astimezone(EASTERN).time() < RESULTS_EXPECTED_FROM:
        return Freshness(True, "no result is expected now", max(schedules), expected=False)
    if str(yesterday) not in {n[:10] for n in zone.names(nba_stats.gamelog_folder(season_of(yesterday)))}:
        return Freshness(False, f"no box scores of {yesterday} were landed, and games were played", max(schedules))
    fresh = max(schedules) > max(last_night.latest)
    text = f"box scores of {yesterday} are landed, the schedule {'too' if fresh else 'is older than its games'}"
    return Freshness(fresh, text, max(schedules))


def feeds_freshness(settings: Settings, zone: LandingZone, warehouse: Warehouse, now: datetime) -> dict[str, Freshness]:
    """Every feed's freshness, by the name of its landing asset; a feed that is off is not expected to speak."""
    today = game_date_of(now)
    yesterday = today - timedelta(1)
    starts = tipoffs(warehouse, yesterday, today)
    tonight, last_night = starts.get(today, Tipoffs(today)), starts.get(yesterday, Tipoffs(yesterday))
    off = "is off: nothing is expected of it"
    return {
        "the_odds_api": odds_freshness(zone, tonight, now, settings.live.odds_rhythm)
        if settings.live.odds_key
        else Freshness(True, f"ODDS_API_KEY is not set, the feed {off}", expected=False),
        "nba_stats": stats_freshness(zone, last_night, now)
        if settings.live.stats
        else Freshness(True, f"NBA_PROPS_STATS {off}", expected=False),
        "injury_report": injuries_freshness(zone, tonight, now)
        if settings.live.stats
        else Freshness(True, f"NBA_PROPS_STATS {off}", expected=False),
    }


@dataclass(frozen=True)
class Tonight:
    """Whether today's games have odds, in words; ``overdue`` when a tip-off is within the hour or past."""

    passed: bool
    text: str
    overdue: bool = False


def tonights_odds(settings: Settings, zone: LandingZone, warehouse: Warehouse, now: datetime) -> Tonight:
    """Odds of today's games, by what was landed: expected from 10:20 Eastern, overdue an hour before the first tip-off.

    A night is judged by the clock, because without odds there is no run whose checks could tell.
    """
    day = game_date_of(now)
    if not settings.live.odds_key and not odds_api.landed_days(zone):
        return Tonight(True, "ODDS_API_KEY is not set and no odds were ever landed: none are expected")
    early = now.astimezone(EASTERN).time() < ODDS_EXPECTED_FROM
    if day not in warehouse.partitions(SCHEDULE):
        text = f"the schedule of {day} was not taken in, so that nobody knows whether there are games"
        return Tonight(early, f"{text}: materialize nba_raw/schedule for it")
    tonight = tipoffs(warehouse, day, day).get(day)
    if tonight is None:
        return Tonight(True, f"no games on {day}")
    captures = len(zone.names(odds_api.folder(day)))
    if captures:
        return Tonight(True, f"{captures} captures of the {tonight.games} games of {day} are landed")
    if not tonight.any_to_begin(now):
        return Tonight(True, f"the games of {day} have begun without odds")
    overdue = quality.odds_are_overdue(min(tonight.latest), now)
    if early and not overdue:
        return Tonight(True, f"odds of {day} are expected from {ODDS_EXPECTED_FROM:%H:%M} Eastern on")
    first = (
        f"the first at {tonight.known[0].astimezone(EASTERN):%H:%M} Eastern"
        if tonight.known
        else "all tip-offs to be decided"
    )
    text = f"NO ODDS: {tonight.games} games on {day}, {first}, and no capture was landed"
    return Tonight(False, f"{text}: nba-props fetch odds", overdue)


@dataclass(frozen=True)
class Output:
    """A table that must have rows of a date by a time of day, Eastern: of today, or of so many dates ``back``."""

    table: Table
    by: time
    back: int = 0

    @property
    def key(self) -> dg.AssetKey:
        """The table's asset."""
        return asset_key(self.table)


#: what is expected of a day, and by when. Dagster's own freshness policies know no partitions: an old date that is
#: materialized again would make them pass
OUTPUTS = (
    Output(SLATE, SLATE_EXPECTED_BY),
    Output(BETTING_LINES, SLATE_EXPECTED_BY),
    Output(LEDGER, SLATE_EXPECTED_BY),
    Output(PREDICTION_ACCURACY, GRADES_EXPECTED_BY, back=1),
)
#: the systems that have a model for each week
TRAINED = tuple(s.system_id for s in SYSTEMS if s.trained)


def _follows_the_clock(settings: Settings, zone: LandingZone) -> bool:
    """Whether days are expected to come in here: not in an invented league, nor where no feed is on."""
    return not zone.is_simulated and bool(settings.live.odds_key or settings.live.stats)


_NO_CLOCK = Freshness(True, "no feed is on, or the league is invented: no date of today is expected", expected=False)


def output_freshness(
    settings: Settings, zone: LandingZone, warehouse: Warehouse, output: Output, now: datetime
) -> Freshness:
    """Whether a table has its date: today's where games are scheduled, last night's where rows were published."""
    if not _follows_the_clock(settings, zone):
        return _NO_CLOCK
    day = game_date_of(now) - timedelta(output.back)
    if now.astimezone(EASTERN).time() < output.by:
        return Freshness(True, f"{day} is expected by {output.by:%H:%M} Eastern", expected=False)
    if output.table is PREDICTION_ACCURACY:
        if not warehouse.row_counts(LEDGER, [day]).get(day):
            return Freshness(True, f"nothing was published on {day}, so that there is nothing to grade", expected=False)
    elif day not in warehouse.partitions(SCHEDULE):
        return Freshness(False, f"the schedule of {day} was not taken in: materialize nba_raw/schedule for it")
    elif day not in tipoffs(warehouse, day, day):
        return Freshness(True, f"no games on {day}", expected=False)
    rows = warehouse.row_counts(output.table, [day]).get(day)
    if rows:
        return Freshness(True, f"{day} has {rows} rows")
    return Freshness(False, f"{day} has {'no rows' if rows == 0 else 'not been materialized'}: nba-props run {day}")


def model_freshness(inputs: Inputs, system_id: str, now: datetime) -> Freshness:
    """Whether the running week's model was trained, or refused for a reason, by Monday noon, Eastern."""
    if not _follows_the_clock(inputs.settings, inputs.landing):
        return _NO_CLOCK
    today = game_date_of(now)
    week = week_of(today)
    if today == week and now.astimezone(EASTERN).time() < MODELS_EXPECTED_BY:
        return Freshness(True, f"the model of {week} is expected by Monday noon Eastern", expected=False)
    try:
        busy = inputs.game_days(dates_between(week, week + timedelta(6)))
    except LandingError as error:
        return Freshness(False, str(error))
    if not busy:
        return Freshness(True, f"no game is scheduled in the week of {week}", expected=False)
    if inputs.models.made_from(system_id, week) is None:
        return Freshness(False, f"the week of {week} has no model: nba-props train {today}")
    refused = inputs.models.refusal(system_id, week).get("reason")
    text = f"the model of {week} was trained" + (f" and is not in force: {refused}" if refused else "")
    return Freshness(True, text)


def build_freshness_checks() -> list[dg.AssetChecksDefinition]:
    """A check on each landing asset, one that tonight's games have odds, and one on what each day must have."""
    return [
        *(_check(spec) for spec in FEEDS),
        _tonight_check(),
        *(_output_check(output) for output in OUTPUTS),
        *(_model_check(system_id) for system_id in TRAINED),
    ]


def _result(found: Freshness) -> dg.AssetCheckResult:
    """A warning: why there is no partition (no odds, a failed run) is an alert by itself."""
    return dg.AssetCheckResult(
        passed=found.fresh,
        severity=dg.AssetCheckSeverity.WARN,
        description=found.text,
        metadata={"expected_now": found.expected},
    )


def _output_check(output: Output) -> dg.AssetChecksDefinition:
    of = "last night's" if output.back else "today's"

    @dg.asset_check(
        asset=output.key,
        name=IS_FRESH,
        description=f"It has {of} partition by {output.by:%H:%M} Eastern, whatever else was materialized since.",
    )
    def is_fresh(
        landing: dg.ResourceParam[LandingZone],
        warehouse: dg.ResourceParam[Warehouse],
        settings: dg.ResourceParam[Settings],
        clock: dg.ResourceParam[Clock],
    ) -> dg.AssetCheckResult:
        return _result(output_freshness(settings, landing, warehouse, output, clock()))

    return is_fresh


def _model_check(system_id: str) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=model_key(system_id),
        name=IS_FRESH,
        description="The running week has been trained by Monday noon Eastern, whatever else was trained since.",
    )
    def is_fresh(inputs: dg.ResourceParam[Inputs], clock: dg.ResourceParam[Clock]) -> dg.AssetCheckResult:
        return _result(model_freshness(inputs.fresh(), system_id, clock()))

    return is_fresh


def _tonight_check() -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=ODDS_FILES.key,
        name=TONIGHT,
        description="Tonight's games have odds: a warning from 10:20 Eastern on, an error from an hour before the "
        "first tip-off.",
    )
    def tonight_has_odds(
        landing: dg.ResourceParam[LandingZone],
        warehouse: dg.ResourceParam[Warehouse],
        settings: dg.ResourceParam[Settings],
        clock: dg.ResourceParam[Clock],
    ) -> dg.AssetCheckResult:
        now = clock()
        found = tonights_odds(settings, landing, warehouse, now)
        return dg.AssetCheckResult(
            passed=found.passed,
            severity=dg.AssetCheckSeverity.ERROR if found.overdue else dg.AssetCheckSeverity.WARN,
            description=found.text,
            metadata={"game_date": game_date_of(now).isoformat()},
        )

    return tonight_has_odds


def _check(spec: dg.AssetSpec) -> dg.AssetChecksDefinition:
    feed = spec.key.path[-1]

    @dg.asset_check(
        asset=spec.key, name=FRESHNESS, description=f"{feed} has spoken as lately as the hour of the day demands."
    )
    def feed_is_fresh(
        landing: dg.ResourceParam[LandingZone],
        warehouse: dg.ResourceParam[Warehouse],
        settings: dg.ResourceParam[Settings],
        clock: dg.ResourceParam[Clock],
    ) -> dg.AssetCheckResult:
        found = feeds_freshness(settings, landing, warehouse, clock())[feed]
        newest = {"newest": found.newest.isoformat()} if found.newest else {}
        return dg.AssetCheckResult(
            passed=found.fresh, severity=dg.AssetCheckSeverity.ERROR, description=found.text,
            metadata={"expected_now": found.expected, **newest},
        )  # fmt: skip

    return feed_is_fresh


def expected_dates(now: datetime, back: int = 7) -> list[date]:
    """The last dates whose outputs must be there by now."""
    today = game_date_of(now)
    return [today - timedelta(n) for n in range(back, 0, -1)]
