"""``nba-props``: the few commands a person types."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from nba_props.domain.calendar import days as dates_between
from nba_props.domain.calendar import game_date_of, parse_day, season_start, spans
from nba_props.schemas.base import ContractError
from nba_props.settings import BadSetting, Settings, SettingsError, load_settings
from nba_props.sources.landing import FetchError, LandingError, LandingZone
from nba_props.warehouse.base import Warehouse, WarehouseError
from nba_props.warehouse.models import CorruptModel

if TYPE_CHECKING:
    import pandas as pd
    from dagster import DagsterInstance, Definitions
    from rich.console import Console
    from rich.progress import Progress

    from nba_props.assets.inputs import Inputs
    from nba_props.automation.planning import Step
    from nba_props.automation.runner import Outcome

_INVENTED = "SIMULATED LEAGUE: players, teams, scores and lines are invented"
#: width of tables where the output is no terminal
_WIDTH = 180
_DEMO_SEED = 7
_DEMO_NIGHTS = (date(2026, 1, 9), date(2026, 1, 10))
_MOST_DIGITS = 9
#: characters that a terminal obeys
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_WHOLE = re.compile(rf"-?[0-9]{{1,{_MOST_DIGITS}}}")
#: spans up to this many dates print a board for each date, longer ones for the last
_BOARDS = 2


class DateSpan(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """``2025-11-05`` or ``2025-11-01..2025-11-15``."""

    name = "DATE[..DATE]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[date]:
        if isinstance(value, list):
            return value
        first, dots, last = str(value).partition("..")
        try:
            start, end = parse_day(first), parse_day(last if dots else first)
        except ValueError as error:
            self.fail(
                f"{value!r} is neither a date such as 2025-11-05 nor a span such as 2025-11-01..2025-11-15: {error}"
            )
        if end < start:
            self.fail(f"{value} ends before it begins")
        return dates_between(start, end)


class Day(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """``2025-11-05``."""

    name = "DATE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            return parse_day(str(value))
        except ValueError as error:
            self.fail(str(error))


class Whole(click.IntRange):
    """A whole number in ASCII digits: ``int`` takes those of every script, blanks and underscores as well."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, str) and not _WHOLE.fullmatch(value):
            self.fail(f"{value!r} is not a whole number of at most {_MOST_DIGITS} digits")
        return super().convert(value, param, ctx)


class _BadUsage(click.ClickException):
    """An environment variable is wrong, as an argument may be."""

    exit_code = click.UsageError.exit_code


@contextmanager
def _plain_errors() -> Iterator[None]:
    """What a user can mend is one sentence, not a traceback."""
    try:
        yield
    except (SettingsError, LandingError, FetchError, WarehouseError, ContractError, CorruptModel) as error:
        raise (_BadUsage if isinstance(error, BadSetting) else click.ClickException)(str(error)) from error
    except (click.ClickException, click.exceptions.Exit, click.Abort):
        raise
    except Exception as error:
        from nba_props.home import sentence

        said = sentence(error, _settings_if_any())
        if said is None:
            raise  # a mistake of ours
        raise click.ClickException(said) from error


def _settings_if_any() -> Settings | None:
    try:
        return load_settings()
    except (SettingsError, LandingError, OSError):
        return None


class _Plain(click.Group):
    """Commands whose every error that a user can mend is one sentence."""

    def invoke(self, ctx: click.Context) -> Any:
        with _plain_errors():
            return super().invoke(ctx)


@click.group(cls=_Plain)
@click.version_option(package_name="nba_props")
def main() -> None:
    """NBA player-points props: payloads to gated, published predictions."""


@dataclass
class _Session:
    """What a command that runs jobs works with."""

    console: Console
    settings: Settings
    landing: LandingZone
    warehouse: Warehouse
    definitions: Definitions
    inputs: Inputs
    #: tags of the runs
    tags: dict[str, str] = field(default_factory=dict)

    def follow(self, steps: Iterable[Step]) -> list[Outcome]:
        """Run the steps of a plan, one after the other; the first that fails is the last."""
        from nba_props.automation import runner

        with runner.open_instance(self.settings) as instance:
            return _execute(self.console, self.warehouse, self.definitions, instance, steps, tags=self.tags)

    def run(self, job: str, first: date, last: date, select: Sequence[Any] | None = None) -> list[Outcome]:
        """Run a job over a span with a progress bar, recorded in the project's instance."""
        from nba_props.automation import runner

        with runner.open_instance(self.settings) as instance:
            return _execute(
                self.console, self.warehouse, self.definitions, instance, [(job, first, last)], select, self.tags
            )


def _session(*, landed: bool = True) -> _Session:
    """The session of this environment; ``landed`` demands that payloads are there."""
    settings = load_settings()
    landing = LandingZone(settings.landing)
    if landed:
        landing.require()
    return _session_of(settings, landing)


def _session_of(settings: Settings, landing: LandingZone) -> _Session:
    from nba_props.assets.inputs import Inputs
    from nba_props.definitions import build_defs
    from nba_props.warehouse.models import ModelStore
    from nba_props.warehouse.opening import open_warehouse

    warehouse = open_warehouse(settings)
    inputs = Inputs(warehouse, landing, ModelStore(settings.models), settings)
    return _Session(_console(), settings, landing, warehouse, build_defs(settings, warehouse, landing), inputs)


def _to_read(settings: Settings | None = None) -> Warehouse:
    """The warehouse of a command that reads: no answer of a home that is not there is one."""
    from nba_props.warehouse.opening import open_warehouse

    settings = settings or load_settings()
    if settings.gcp is None and not settings.home.exists():
        raise BadSetting(f"there is no {settings.home}: is NBA_PROPS_HOME the home that you mean?")
    return open_warehouse(settings)


def _console() -> Console:
    from rich.console import Console

    # names, reasons and intervals have brackets of their own: nothing that is printed is markup
    terminal = Console(markup=False)
    return terminal if terminal.is_terminal else Console(width=_WIDTH, highlight=False, markup=False)


def _tell(console: Console, word: str, style: str, text: str) -> None:
    """Print a coloured word and what it is about."""
    from rich.text import Text

    console.print(Text.assemble((word, style), " ", text), soft_wrap=True)


def _progress(console: Console) -> Progress:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console)


_ROWS = Whole(min=0)
_ALLOW_LOSS = click.option(
    "--allow-loss", is_flag=True, help="Let a partition lose most of its delivered rows; it is refused otherwise."
)


def _allowing(session: _Session, allow_loss: bool) -> _Session:
    from nba_props.assets.tables import ALLOW_LOSS

    return replace(session, tags={ALLOW_LOSS: "true"}) if allow_loss else session


@main.command()
@click.argument("span", type=DateSpan())
@_ALLOW_LOSS
@click.option("--rows", type=_ROWS, default=40, show_default=True, help="Rows of the slate board to print; 0 for all.")
def run(span: list[date], allow_loss: bool, rows: int) -> None:
    """Materialize everything that SPAN needs from landed payloads, and print the slate board."""
    with _plain_errors():
        settings = load_settings()
        landing = LandingZone(settings.landing)
        landing.require()
        _run(settings, landing, span, rows, allow_loss=allow_loss)


@main.command()
@click.argument("span", type=DateSpan())
@click.option(
    "--select", multiple=True, help="Only this system or table, and what publishes and grades it; may repeat."
)
@click.option("--force", is_flag=True, help="Materialize dates again that are complete.")
@click.option("--dry-run", is_flag=True, help="Print the plan and stop.")
@_ALLOW_LOSS
def backfill(span: list[date], select: tuple[str, ...], force: bool, dry_run: bool, allow_loss: bool) -> None:
    """Materialize SPAN in one run, as far as it is missing or older than what it is made from.

    Models of past weeks are trained on the way; nothing is fetched, so no API credit is spent.
    """
    from nba_props import board
    from nba_props.automation import planning, runner
    from nba_props.automation.jobs import PREDICT_JOB

    with _plain_errors():
        session = _allowing(_session(), allow_loss)
        _within_partitions(session.settings, span)
        keys = (
            runner.resolve(session.definitions, select)
            if select
            else planning.assets_of(session.definitions, PREDICT_JOB)
        )
        days = list(span) if force else planning.pending(session.definitions, session.inputs.fresh(), keys, span)
        if len(days) < len(span):
            days = _after_earlier_dates(session, span, days, keys, dry_run=dry_run)
        _print_plan(session, span, days, [k.to_user_string() for k in keys] if select else None)
        if dry_run:
            return
        if not days:
            session.console.print("nothing is missing or stale; --force materializes the dates again")
            _update_scores(session, span)
            return
        if not select:
            _run(
                session.settings,
                session.landing,
                dates_between(days[0], days[-1]),
                rows=0,
                boards=False,
                allow_loss=allow_loss,
            )
            return
        systems = [k.path[-1] for k in keys]
        outcomes = session.follow(planning.models(session.definitions, session.inputs, days, systems))
        if all(o.success for o in outcomes):
            outcomes += session.run(PREDICT_JOB, days[0], days[-1], keys)
        sound = _print_findings(session.console, outcomes)
        _print_table(session.console, board.gate_account(session.warehouse, days), "Gate")
        _update_scores(session, span)
        _print_undo(session, outcomes[-1], span)
    if not sound:
        sys.exit(1)


def _after_earlier_dates(
    session: _Session, span: list[date], days: list[date], keys: Sequence[Any], *, dry_run: bool
) -> list[date]:
    """The dates that are missing or stale once what was landed of earlier dates is taken in, too."""
    from nba_props.automation import planning

    steps = planning.earlier(session.definitions, session.inputs, span)
    if dry_run:
        if step := next(steps, None):
            session.console.print(
                f"earlier   landed since: {step[0]} of {_text(step[1:])} and what follows from it come first, and can "
                "make more dates stale",
                soft_wrap=True,
            )
        return days
    outcomes = session.follow(steps)
    if not _print_findings(session.console, outcomes):
        sys.exit(1)
    return planning.pending(session.definitions, session.inputs.fresh(), keys, span) if outcomes else days


def _within_partitions(settings: Settings, span: Sequence[date]) -> None:
    """Refuse dates that have no partition.

    Raises:
        SettingsError: a date is before the first partition, or after today.
    """
    from nba_props.definitions import clock_of

    if span[0] < settings.first_date:
        raise SettingsError(f"{span[0]} is before the first partition {settings.first_date} (NBA_PROPS_FIRST_DATE)")
    today = max(game_date_of(clock_of(settings)()), game_date_of(datetime.now(UTC)))
    if span[-1] > today:
        raise SettingsError(f"{span[-1]} is after today, {today} US/Eastern: it has no partition yet")


def _update_scores(session: _Session, span: Sequence[date]) -> None:
    """Bring the scoreboards of these dates and later ones of the season up to date, as far as grades came since."""
    from nba_props.assets.tables import asset_key
    from nba_props.automation import planning
    from nba_props.automation.jobs import GRADE_JOB
    from nba_props.schemas.monitoring import SCOREBOARD

    end = season_start(span[-1]) + timedelta(365)
    late = planning.late_scores(session.definitions, session.inputs.fresh(), dates_between(span[0], end))
    if late:
        session.console.print(f"scores    {len(late)} later scoreboards are brought up to date")
        outcomes = session.run(GRADE_JOB, late[0], late[-1], [asset_key(SCOREBOARD)])
        if not _print_findings(session.console, outcomes):
            sys.exit(1)


def _text(span: Sequence[date]) -> str:
    return f"{span[0]}" if span[0] == span[-1] else f"{span[0]}..{span[-1]}"


def _print_undo(session: _Session, outcome: Outcome, span: Sequence[date]) -> None:
    """Name the run, what it published, and how to take that back."""
    table = "nba_predictions.ledger"
    found = session.warehouse.query(
        f"SELECT COUNT(*) AS n FROM {table} WHERE game_date BETWEEN @first AND @last AND run_id = @run_id",
        first=span[0],
        last=span[-1],
        run_id=outcome.run_id,
    )
    rows = int(found["n"].iloc[0])
    undo = f"{rows} new rows; undo with `nba-props rollback {outcome.run_id}`" if rows else "0 new rows"
    session.console.print(f"run       {outcome.run_id}; {undo}", soft_wrap=True)


@main.command()
@click.argument("span", type=DateSpan())
@_ALLOW_LOSS
def train(span: list[date], allow_loss: bool) -> None:
    """Train the models of the weeks of SPAN again, from every landed box score and line that they learn from.

    What is landed and not in the warehouse yet is taken in first. For the running week, after an upgrade of a library,
    or after a change of the features.
    """
    from nba_props.automation import planning
    from nba_props.automation.jobs import TRAIN_JOB
    from nba_props.domain.systems import SYSTEMS
    from nba_props.domain.systems.trained import week_of

    with _plain_errors():
        session = _allowing(_session(), allow_loss)
        _within_partitions(session.settings, span)
        first, last = week_of(span[0]), week_of(span[-1])
        weeks = [d for d in dates_between(first, last) if d == week_of(d)]
        before = planning.preparation(session.definitions, session.inputs, weeks, weeks)
        sound = _print_findings(session.console, session.follow(chain(before, [(TRAIN_JOB, first, last)])))
        store = session.inputs.models
        for system in [s.system_id for s in SYSTEMS if s.trained]:
            for week in weeks:
                if refused := store.refusal(system, week).get("reason"):
                    _tell(session.console, "not in force", "yellow", f"{system} of {week}: {refused}")
            for week in [w for w in store.weeks(system) if first <= w <= last]:
                card = store.card(system, week)
                mae, last_10 = card.metrics["holdout_mae"], card.metrics["holdout_last_10_mae"]
                session.console.print(
                    f"{card.version}: {card.rows} rows through {card.trained_through}, MAE {mae:.3f} on the newest "
                    f"{card.metrics['holdout_rows']:.0f} (last-10 average {last_10:.3f})",
                    soft_wrap=True,
                )
    if not sound:
        sys.exit(1)


def _print_plan(session: _Session, span: list[date], days: list[date], assets: list[str] | None) -> None:
    """What a backfill is about to do: dates, games, assets, rows to expect, credits."""
    from nba_props.domain.slate import playable
    from nba_props.schemas.analytics import SLATE
    from nba_props.sources import nba_stats

    console = session.console
    schedule = nba_stats.read_schedule(session.landing, span).frame
    games = playable(schedule)["game_date"].dt.date.value_counts().to_dict()
    # counted without opening a row: what can't be read any more is what is to be made again
    players = [n for n in session.warehouse.row_counts(SLATE, span).values() if n]
    busy = [d for d in days if games.get(d)]
    per_date = sum(players) / len(players) if players else None
    console.print(
        f"plan      {span[0]}..{span[-1]}: {len(days)} of {len(span)} dates are missing or stale", soft_wrap=True
    )
    console.print(f"games     {sum(games.get(d, 0) for d in busy)} on {len(busy)} of these dates")
    console.print(f"assets    {', '.join(assets) if assets else 'all'}", soft_wrap=True)
    expected = (
        f"about {per_date * len(busy):,.0f} players, each with a row of every system" if per_date else "unknown yet"
    )
    console.print(f"rows      {expected if busy else 'none'}")
    console.print("credits   0: landed payloads only")


def _remediate(job: str, config: dict[str, Any], dry_run: bool) -> None:
    """Run a remediation job, print its account, and grade the dates it touched again."""
    from nba_props.automation import runner
    from nba_props.automation.jobs import GRADE_JOB

    with _plain_errors():
        session = _session(landed=False)
        console = session.console
        with runner.open_instance(session.settings) as instance:
            account = runner.remediate(session.definitions, instance, job, {**config, "dry_run": dry_run})
        title = f"{'Would move' if dry_run else 'Moved'} {account.total} rows"
        _print_table(console, account.rows.astype(str), title)
        console.print(f"batch     {account.batch_id}: {account.action}", soft_wrap=True)
        touched = [] if dry_run else spans(account.days)
        outcomes = [o for first, last in touched for o in session.run(GRADE_JOB, first, last)]
    if account.total and not dry_run and job != "restore":
        console.print(f"undo      nba-props restore {account.batch_id}")
    _print_findings(console, outcomes)
    if not all(o.success for o in outcomes):
        sys.exit(1)


def _named(name: str, latest: Callable[[Warehouse], str]) -> str:
    """The id that a user means: what he typed, or the newest for ``last``."""
    with _plain_errors():
        return latest(_to_read()) if name == "last" else name


_DRY_RUN = click.option("--dry-run", is_flag=True, help="Count the rows and change nothing.")


@main.command()
@click.argument("predicate")
@click.argument("span", type=DateSpan())
@click.option("--run", "run_id", default="", help="Only rows of this run.")
@click.option("--system", "system_id", default="", help="Only rows of this system.")
@_DRY_RUN
def quarantine(predicate: str, span: list[date], run_id: str, system_id: str, dry_run: bool) -> None:
    """Move published rows of SPAN that match PREDICATE to the archive.

    PREDICATE is placeholder, no_source, not_its_quote, in_play, invalid_line, run (with --run) or system
    (with --system).
    """
    for name, given in (("run", run_id), ("system", system_id)):
        if predicate == name and not given:
            raise click.UsageError(f"the predicate {name} needs --{name}")
    config = {
        "predicate": predicate, "first": str(span[0]), "last": str(span[-1]), "run_id": run_id, "system_id": system_id,
    }  # fmt: skip
    _remediate("quarantine", config, dry_run)


@main.command()
@click.argument("batch_id")
@_DRY_RUN
def restore(batch_id: str, dry_run: bool) -> None:
    """Put the archived rows of BATCH_ID back, those that are not in the ledger again; `last` is the newest batch."""
    from nba_props import remediation

    _remediate("restore", {"batch_id": _named(batch_id, remediation.latest_batch)}, dry_run)


@main.command()
@click.argument("run_id")
@_DRY_RUN
def rollback(run_id: str, dry_run: bool) -> None:
    """Move what RUN_ID published to the archive; the rows before it are current again. `last` is the newest run."""
    from nba_props import remediation

    _remediate("rollback", {"run_id": _named(run_id, remediation.latest_run)}, dry_run)


@main.command()
def batches() -> None:
    """List the batches of the archive: what was taken out, when, and whether it is back."""
    from nba_props import remediation

    with _plain_errors():
        frame = remediation.batches(_to_read())
    _print_table(_console(), frame, f"{len(frame)} batches")


@main.group()
def fetch() -> None:
    """Land live payloads: odds, stats, injuries. What was landed before is never changed."""


def _feeds() -> tuple[Console, Settings, LandingZone, Any]:
    from nba_props.definitions import utc_now
    from nba_props.sources.feeds import Feeds

    settings = load_settings()
    zone = LandingZone(settings.landing)
    if zone.exists() and zone.is_simulated:
        raise SettingsError(
            f"the landing zone {zone.root} holds a simulated league: set NBA_PROPS_HOME or NBA_PROPS_LANDING"
        )
    Path(settings.landing).mkdir(parents=True, exist_ok=True) if "://" not in settings.landing else None
    return _console(), settings, zone, Feeds(settings.live, zone, utc_now)


def _told(console: Console, done: Any) -> None:
    credits = f", {done.credits} credits" + (f", {done.remaining} left" if done.remaining is not None else "")
    console.print(f"landed    {len(done.landed)} payloads, {done.present} were there already{credits}", soft_wrap=True)
    for failure in done.failures:
        _tell(console, "failed   ", "red", failure)
    if done.failures:
        sys.exit(1)


#: up to a week before a tip-off
_MINUTES = re.compile(r"[0-9]{1,4}(,[0-9]{1,4}){0,9}")


def _minutes(text: str) -> list[int]:
    if not _MINUTES.fullmatch(text):
        raise click.BadParameter(f"{text!r} is no list of minutes such as 30 or 60,30", param_hint="--before")
    return [int(m) for m in text.split(",")]


@fetch.command("odds")
@click.argument("span", type=DateSpan(), required=False)
@click.option("--before", default="30", show_default=True, help="Past dates: minutes before tip-off, comma-separated.")
@click.option("--dry-run", is_flag=True, help="Print the plan and what it costs, and stop.")
def fetch_odds(span: list[date] | None, before: str, dry_run: bool) -> None:
    """Capture today's odds, or buy those of a past SPAN from the archive.

    The plan and its cost come first. A snapshot that is landed is not bought again; spending stops at the reserve.
    """
    from nba_props.definitions import utc_now
    from nba_props.domain.slate import playable
    from nba_props.sources import capture, nba_stats

    with _plain_errors():
        console, settings, zone, feeds = _feeds()
        today = game_date_of(utc_now())
        days = span or [today]
        past = [d for d in days if d < today]
        minutes = _minutes(before)
        schedule = nba_stats.read_schedule(zone, days).frame
        games = playable(schedule)
        count = int(games["game_date"].dt.date.isin(past).sum())
        price = capture.price_of_history(len(past), count, len(minutes), settings.live.odds_regions)
        live = len(games) - count
        console.print(
            f"plan      {len(past)} past dates, {count} games, {len(minutes)} snapshots each: at most {price:,} credits"
            f"; {live} games of today or later: at most {live} credits",
            soft_wrap=True,
        )
        console.print(f"reserve   {settings.live.odds_reserve} credits are never spent (NBA_PROPS_ODDS_RESERVE)")
        if dry_run:
            return
        done = feeds.odds_history(past, minutes) if past else capture.Fetched()
        for day in [d for d in days if d >= today]:
            done.add(feeds.odds(day))
    _told(console, done)


@fetch.command("stats")
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
    with _plain_errors():
        console, _, _, feeds = _feeds()
        done = feeds.stats(span, shot_zones=shot_zones)
    _told(console, done)


@fetch.command("injuries")
def fetch_injuries() -> None:
    """Land the newest official injury report."""
    with _plain_errors():
        console, _, _, feeds = _feeds()
        done = feeds.injuries()
    _told(console, done)


@main.command()
@click.option("--offline", is_flag=True, help="Ask no feed.")
@click.option(
    "--repair", "mend", is_flag=True, help="Move files of the home aside that can't be read, and make them anew."
)
def doctor(offline: bool, mend: bool) -> None:
    """What is configured, reachable, whole and fresh, and what to do otherwise; exit status 1 when something is bad.

    Files that are named like nothing of ours are a warning. --repair deletes nothing: what can't be read is kept beside
    its place under a dated name. Stop `dev` before it.
    """
    from nba_props.definitions import utc_now
    from nba_props.doctor import examine
    from nba_props.home import flaws, repair
    from nba_props.warehouse.opening import open_warehouse

    console = _console()
    with _plain_errors():
        settings = load_settings()
        zone, warehouse = LandingZone(settings.landing), open_warehouse(settings)
        if mend:
            for done in repair(flaws(settings, warehouse), utc_now()):
                _tell(console, "repaired", "green", done)
        findings = examine(settings, zone, warehouse, utc_now, ask=not offline)
    styles = {"ok": "green", "off": "yellow", "bad": "red"}
    for finding in findings:
        advice = f" -> {finding.advice}" if finding.advice else ""
        _tell(console, f"{finding.state:<3}", styles[finding.state], f"{finding.what}: {finding.text}{advice}")
    if any(f.state == "bad" for f in findings):
        sys.exit(1)


@main.command()
@click.argument("span", type=DateSpan(), required=False)
@click.option("--quarantine", "aside", is_flag=True, help="Move damaged files out of their tables.")
@click.option("--seal", is_flag=True, help="Vouch for the ledger as it is: give rows without a digest one.")
def scrub(span: list[date] | None, aside: bool, seal: bool) -> None:
    """Read every partition (of SPAN) and name those that are damaged or altered; exit status 1 when there are any.

    Files that are named like nothing of ours are named as well; nothing reads them, and they change no status.

    With --quarantine damaged files are kept under _set_aside in the lake (on BigQuery they count as never written), and
    `backfill` makes the dates again. A ledger that can be read stays where it is: `quarantine invalid_line` takes the
    wrong rows out, or a backup takes its place. --seal is for rows of a release before digests, and for a partition
    that was put back by hand.
    """
    from nba_props.doctor import strays
    from nba_props.schemas import TABLES, WriteMode

    console = _console()
    with _plain_errors():
        settings = load_settings()
        warehouse = _to_read(settings)
        if seal:
            _seal(console, warehouse, span)
        for path, why in strays(settings, LandingZone(settings.landing), warehouse):
            _tell(console, "stray    ", "yellow", f"{path} {why}: nothing reads it")
        damaged = warehouse.damaged(set(span) if span else None)
        stored = any(warehouse.partitions(t) for t in TABLES.values())
        if stored and not warehouse.is_sealed():
            unsealed = _unsealed(warehouse, span)
            of_before = f"{len(unsealed)} dates of the ledger, {unsealed[0]}..{unsealed[-1]}, were" if unsealed else ""
            console.print(
                f"          {of_before or 'rows of the ledger may have been'} published by a release before digests: "
                "when nothing is damaged or altered, `nba-props scrub --seal` vouches for all that is there, and a row "
                "without a digest is none of ours from then on",
                soft_wrap=True,
            )
        for damage in damaged:
            _tell(console, "altered  " if damage.is_readable else "damaged  ", "red", damage.reason)
            is_ledger = damage.table.write_mode is WriteMode.APPEND
            if is_ledger and damage.is_readable:
                console.print(
                    f"          nba-props quarantine invalid_line {damage.partition} --dry-run shows rows that are "
                    "wrong; missing rows are in a backup (docs/runbooks/damage.md); when all is right as it is, "
                    f"nba-props scrub {damage.partition} --seal vouches for it",
                    soft_wrap=True,
                )
                continue
            if aside:
                console.print(f"set aside {warehouse.set_aside(damage, datetime.now(UTC))}", soft_wrap=True)
            if is_ledger:
                console.print(
                    f"          {damage.table.address} only grows: what the date held before can't be made again, "
                    "put its backup in its place",
                    soft_wrap=True,
                )
    if not damaged:
        console.print("every partition is as it was written" if stored else f"{warehouse.place} holds nothing yet")
        return
    days = sorted({d.partition for d in damaged if d.table.write_mode is not WriteMode.APPEND})
    if aside and days:
        console.print(f"mend      nba-props backfill {days[0]}..{days[-1]}")
    if not aside or len(days) < len({d.partition for d in damaged}):
        sys.exit(1)


@main.command()
@click.argument("target", type=click.Path(path_type=Path))
def backup(target: Path) -> None:
    """Copy lake, models and payloads of the home to the new folder TARGET, at any time, beside whatever runs.

    The copy is a home again: set NBA_PROPS_HOME to it, or copy a partition's folder back.
    """
    from nba_props.backup import backup as copy

    if "://" in str(target) or ":/" in str(target):
        raise click.UsageError("TARGET is a folder of this machine: copy it to a bucket from there")
    with _plain_errors():
        made = copy(load_settings(), target)
    console = _console()
    for text in made.lost:
        _tell(console, "not copied", "red", text)
    console.print(
        f"backup    {target}: {made.partitions} partitions, {made.files} files, {made.size / 1e6:.1f} MB",
        soft_wrap=True,
    )
    if made.lost:
        sys.exit(1)


def _unsealed(warehouse: Warehouse, span: list[date] | None) -> list[date]:
    """The dates of the ledger (of SPAN) on which no row has a digest."""
    from nba_props.schemas.predictions import LEDGER

    days = [d for d in warehouse.dates(LEDGER) if span is None or d in span]
    if not days:
        return []
    try:
        rows = warehouse.query(
            f"SELECT game_date, COUNT(row_digest) AS sealed FROM {LEDGER.address} "
            "WHERE game_date BETWEEN @first AND @last GROUP BY game_date",
            first=days[0],
            last=days[-1],
        )
    except WarehouseError:
        return []  # what is damaged is named by itself
    return sorted({d.date() for d in rows.loc[rows["sealed"] == 0, "game_date"]} & set(days))


def _seal(console: Console, warehouse: Warehouse, span: list[date] | None) -> None:
    """Vouch for what only grows (of SPAN) as it is."""
    from nba_props.schemas import TABLES, WriteMode

    for table in (t for t in TABLES.values() if t.write_mode is WriteMode.APPEND):
        days = [d for d in warehouse.dates(table) if span is None or d in span]
        for altered in filter(None, (warehouse.alteration(table, d) for d in days)):
            _tell(console, "altered  ", "yellow", f"{altered}: vouched for from here on")
        rows = sum(warehouse.seal(table, d) for d in days)
        console.print(f"sealed    {table.address}: {len(days)} dates, {rows} rows had no digest", soft_wrap=True)
    if span is None:
        warehouse.mark_sealed()


@main.command()
@click.option(
    "--older-than",
    "days",
    type=Whole(15, 3650),
    default=30,
    show_default=True,
    metavar="DAYS",
    help="Runs that ended so long ago; sensors look back 14 days.",
)
@click.option(
    "--set-aside", "aside", is_flag=True, help="And files that `scrub` and `doctor` set aside so long ago: for good."
)
@click.option("--dry-run", is_flag=True, help="Say what would go and delete nothing.")
def prune(days: int, aside: bool, dry_run: bool) -> None:
    """Delete the records and logs of old runs, and what killed processes left behind; no row and no model goes.

    What the UI knows of each partition, its newest materialization and the newest result of each check, stays.
    """
    from nba_props.automation import pruning
    from nba_props.definitions import utc_now

    console = _console()
    with _plain_errors():
        settings = load_settings()
        account = pruning.prune(settings, utc_now(), timedelta(days), set_aside=aside, dry_run=dry_run)
    _print_table(console, account.table(), f"{'Would delete' if dry_run else 'Deleted'}, older than {days} days")
    for text in account.notes:
        console.print(text, soft_wrap=True)


@main.command()
@click.argument("span", type=DateSpan())
@_DRY_RUN
def reline(span: list[date], dry_run: bool) -> None:
    """Choose the lines of SPAN anew from stored quotes; what changes is published as new rows and graded."""
    from nba_props import remediation
    from nba_props.automation.jobs import RELINE_JOB

    with _plain_errors():
        session = _session()
        if not _published(session, span, "there is no line to choose anew"):
            return
        if dry_run:
            changed = remediation.lines_to_change(session.warehouse, span)
            _print_table(session.console, changed, f"{int(changed['rows'].sum())} rows would be published anew")
            return
        outcomes = session.run(RELINE_JOB, span[0], span[-1])
        sound = _print_findings(session.console, outcomes)
        fresh = session.warehouse.query(
            "SELECT game_date, system_id, COUNT(*) AS new_rows FROM nba_predictions.ledger "
            "WHERE run_id = @run_id AND game_date BETWEEN @first AND @last GROUP BY game_date, system_id "
            "ORDER BY game_date, system_id",
            run_id=outcomes[-1].run_id,
            first=span[0],
            last=span[-1],
        )
    _print_table(session.console, fresh, f"{int(fresh['new_rows'].sum())} rows published anew")
    _print_undo(session, outcomes[-1], span)
    if not sound:
        sys.exit(1)


@main.command()
@click.argument("player")
@click.argument("day", type=Day())
def history(player: str, day: date) -> None:
    """Every prediction ever published for PLAYER (name or id) on DAY: line, quote, run, current or not, grade."""
    from nba_props import remediation

    with _plain_errors():
        frame = remediation.history(_to_read(), player, day)
    if frame.empty:
        raise click.ClickException(f"nothing was ever published for {player} on {day}")
    shown = frame.drop(columns="player_name").assign(
        predicted_points=frame["predicted_points"].map("{:.1f}".format, na_action="ignore"),
        created_at=frame["created_at"].dt.strftime("%Y-%m-%d %H:%M"),
        quote_id=frame["quote_id"].str[:8],
        run_id=frame["run_id"].str[:8],
    )
    shown = shown.rename(columns={"predicted_points": "points", "recommendation": "side", "actual_points": "scored"})
    _print_table(_console(), shown, f"{frame['player_name'].iloc[0]}, {day}")


@main.command()
@click.argument("span", type=DateSpan())
def validate(span: list[date]) -> None:
    """The final validation of SPAN and the detectors as of its end; exit status 1 when one fails.

    It reads the ledger as it stands now, graded or not; of one date it says what the date's checks say.
    """
    from nba_props.definitions import utc_now
    from nba_props.domain import quality
    from nba_props.schemas.predictions import SYSTEM_TABLES

    console = _console()
    with _plain_errors():
        warehouse = _to_read()
        published = quality.published(warehouse, tuple(SYSTEM_TABLES), span[0], span[-1], utc_now())
        findings = quality.findings(published, span[0], span[-1])
    for name, finding in findings.items():
        bad = ("warns ", "yellow") if quality.warns(name, finding) else ("fails ", "red")
        mark = ("passes", "green") if finding.passed else bad
        _tell(console, *mark, f"{name.removeprefix('validation_')}: {finding.text}")
    passed = sum(finding.passed for finding in findings.values())
    console.print(f"{passed} of {len(findings)} pass for {span[0]}..{span[-1]}")
    if any(not finding.passed and not quality.warns(name, finding) for name, finding in findings.items()):
        sys.exit(1)


@main.command()
@click.argument("span", type=DateSpan())
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Where to write the page.  [default: home/reports/]"
)
def report(span: list[date], out: Path | None) -> None:
    """The scoreboard of SPAN: tables here, and a page with pictures as one HTML file."""
    from nba_props import report as page
    from nba_props.definitions import utc_now

    console = _console()
    with _plain_errors():
        settings = load_settings()
        warehouse = _to_read(settings)
        if page.is_simulated(warehouse):
            console.print(_INVENTED, style="bold")
        graded = page.graded_rows(warehouse, span[0], span[-1])
        shown, note = page.tables(warehouse, span[0], span[-1], graded)
        for title, table in shown.items():
            _print_table(console, table, f"{title}, {span[0]}..{span[-1]}")
        for text in filter(None, (note, page.after_the_fact(graded))):
            console.print(text, soft_wrap=True)
        if not shown:
            console.print(f"nothing on a verified line is graded in {span[0]}..{span[-1]}: `nba-props grade` does that")
        path = page.write_report(warehouse, settings, span[0], span[-1], out, graded, utc_now())
    console.print(f"page      {path}", soft_wrap=True)


@main.command()
@click.argument("span", type=DateSpan())
@_ALLOW_LOSS
def grade(span: list[date], allow_loss: bool) -> None:
    """Take in the results of SPAN and grade its predictions; a corrected box score changes the grade."""
    from nba_props.automation.jobs import GRADE_JOB

    with _plain_errors():
        session = _allowing(_session(), allow_loss)
        days = _published(session, span, "there is nothing to grade")
        if not days:
            return
        steps = [(GRADE_JOB, first, last) for first, last in spans(days, bridge=0)]
        sound = _print_findings(session.console, session.follow(steps))
        _update_scores(session, span)
        counts = session.warehouse.query(
            "SELECT outcome, COUNT(*) AS predictions FROM nba_predictions.prediction_accuracy "
            "WHERE game_date BETWEEN @first AND @last AND is_current GROUP BY outcome ORDER BY outcome",
            first=span[0],
            last=span[-1],
        )
    _print_table(session.console, counts, f"Grades of the current predictions, {span[0]}..{span[-1]}")
    session.console.print(f"next      nba-props report {span[0]}..{span[-1]}")
    if not sound:
        sys.exit(1)


def _published(session: _Session, span: Sequence[date], otherwise: str) -> list[date]:
    """The dates of the span that are in the ledger; says what follows when there is none."""
    from nba_props.schemas.predictions import LEDGER

    published = set(session.warehouse.partitions(LEDGER))
    days = [d for d in span if d in published]
    if not days:
        session.console.print(
            f"nothing of {_text(span)} was published, so {otherwise}: `nba-props backfill {_text(span)}` predicts it",
            soft_wrap=True,
        )
    return days


def _print_findings(console: Console, outcomes: list[Outcome]) -> bool:
    """Print what failed and which checks did not pass; whether nothing of severity ERROR is among it."""
    for outcome in outcomes:
        for error in [*outcome.errors, *outcome.failures]:
            _tell(console, "failed", "red", error)
        for asset, check, severity, text in outcome.failed_checks:
            _tell(console, severity, "red" if severity == "ERROR" else "yellow", f"{asset} {check}: {text}")
    return all(o.success for o in outcomes) and not any(
        severity == "ERROR" for o in outcomes for _, _, severity, _ in o.failed_checks
    )


def _run(
    settings: Settings,
    landing: LandingZone,
    span: list[date],
    rows: int,
    *,
    keep: bool = False,
    leave: bool = True,
    boards: bool = True,
    allow_loss: bool = False,
) -> bool:
    """Run what the span needs and print what came of it.

    Args:
        settings: where things are.
        landing: the payloads.
        span: the dates, in order.
        rows: rows of each board; 0 for all.
        keep: only print when every date is published already.
        boards: print the slate boards.
        allow_loss: a partition may lose most of its delivered rows.
        leave: exit with status 1 when a run, a system or a check of severity ERROR fails.

    Returns:
        Whether every run succeeded.
    """
    from nba_props import board
    from nba_props.assets.raw import origin
    from nba_props.automation import planning
    from nba_props.home import dagster_home
    from nba_props.schemas.predictions import LEDGER

    session = _allowing(_session_of(settings, landing), allow_loss)
    console, warehouse = session.console, session.warehouse
    _within_partitions(settings, span)
    if landing.is_simulated:
        console.print(_INVENTED, style="bold")
    held = origin(landing)
    if warehouse.source() not in (None, held):
        warehouse.claim(held)  # says what is in it, and what to set
    if not session.inputs.game_days(span):
        sound = _take_in_days_off(session, span)
        if leave and not sound:
            sys.exit(1)
        return sound
    started = time.monotonic()
    outcomes: list[Outcome] = []
    if keep and set(span) <= set(warehouse.partitions(LEDGER)):
        console.print("these dates are published already; --force materializes them again")
    else:
        outcomes = session.follow(planning.plan(session.definitions, session.inputs, span))
    seconds = time.monotonic() - started
    sound = _print_findings(console, outcomes)
    succeeded = all(o.success for o in outcomes)
    if succeeded:
        _update_scores(session, span)
        if boards:
            _print_boards(console, warehouse, span, rows, simulated=landing.is_simulated)
        _print_table(console, board.gate_account(warehouse, span), "Gate")
    if outcomes:
        passed, failed = sum(o.passed_checks for o in outcomes), sum(len(o.failed_checks) for o in outcomes)
        console.print(f"{len(outcomes)} runs in {seconds:.1f} s; {passed} checks passed, {failed} did not")
        console.print(f"run       {outcomes[-1].run_id}")
    console.print(f"warehouse {warehouse.place}", soft_wrap=True)
    if warehouse.catalog:
        console.print(f"catalog   {warehouse.catalog}", soft_wrap=True)
    console.print(f"instance  {dagster_home(settings)}", soft_wrap=True)
    if sound:
        console.print("next      make dev")
        console.print(f"          nba-props run {span[-1] + timedelta(1)}")
        console.print('          nba-props sql "select * from nba_predictions.current_predictions limit 5"')
    if leave and not sound:
        sys.exit(1)
    return succeeded


def _take_in_days_off(session: _Session, span: list[date]) -> bool:
    """Take in what is landed of dates without games, so that a day off can be told from a date nobody took in.

    Returns:
        Whether all went well, and nothing that is stored contradicts that nobody plays.
    """
    from nba_props.automation.jobs import HISTORY_JOB, LINES_JOB
    from nba_props.domain import quality
    from nba_props.schemas.raw import SCHEDULE
    from nba_props.sources import odds_api

    console, warehouse = session.console, session.warehouse
    console.print(f"no game is scheduled on {_text(span)}: nothing to predict, and no model to train")
    outcomes = session.run(HISTORY_JOB, span[0], span[-1])
    if set(span) & set(odds_api.landed_days(session.landing)):
        outcomes += session.run(LINES_JOB, span[0], span[-1])
        console.print("odds were landed for it all the same: see nba_raw.quarantined_quotes")
    sound = _print_findings(console, outcomes)
    known = frozenset(warehouse.partitions(SCHEDULE))
    stored = quality.Published(warehouse.query, (), span[0], span[-1], scheduled=known)
    for day in (d for d in span if d in known and not stored.has_schedule(d)):
        finding = quality.expected_outputs(stored, day)
        _tell(console, "ERROR", "red", f"{SCHEDULE.address} {finding.text}")
        sound = False
    return sound


def _execute(
    console: Console,
    warehouse: Warehouse,
    definitions: Definitions,
    instance: DagsterInstance,
    planned: Iterable[Step],
    select: Sequence[Any] | None = None,
    tags: Mapping[str, str] | None = None,
) -> list[Outcome]:
    """Run the planned jobs in order with a progress bar each; the first that fails is the last."""
    from nba_props.automation import runner

    outcomes: list[Outcome] = []
    with _progress(console) as progress:
        for job, first, last in planned:
            label = f"{job} {first}" if first == last else f"{job} {first}..{last}"
            task = progress.add_task(label, total=None)

            def show(step: str, done: int, total: int, task: Any = task, label: str = label) -> None:
                progress.update(task, completed=done, total=total, description=f"{label}  {step}")

            outcome = runner.execute(definitions, instance, job, first, last, show, select, warehouse, tags)
            progress.update(task, description=label)
            outcomes.append(outcome)
            if not outcome.success:
                break
    return outcomes


def _print_boards(console: Console, warehouse: Warehouse, span: list[date], rows: int, *, simulated: bool) -> None:
    from nba_props import board

    for day in span if len(span) <= _BOARDS else span[-1:]:
        table = board.slate_board(warehouse, day)
        shown = table if rows == 0 else table.head(rows)
        title = f"{'Simulated slate' if simulated else 'Slate'} of {day}: {len(table)} players with a line"
        _print_table(console, shown, title if len(shown) == len(table) else f"{title}, the first {len(shown)}")


def _cell(value: Any) -> str:
    """A value as text that moves no cursor; nothing for null."""
    import pandas as pd

    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return ""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", str(value))


def _plain(value: Any) -> Any:
    """A value as JSON has it: instants in ISO 8601, arrays as lists, null for what is missing."""
    import pandas as pd

    if hasattr(value, "tolist"):
        value = value.tolist()
    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return None
    return value.isoformat() if hasattr(value, "isoformat") else value


def _print_table(console: Console, frame: pd.DataFrame, title: str) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    if frame.empty:
        console.print(f"{title}: no rows")
        return
    cells = []
    for place, column in enumerate(frame.columns):  # two columns may have one name
        values = frame.iloc[:, place]
        kind = values.dtype.kind
        if kind == "M":
            whole = (values.dropna() == values.dropna().dt.normalize()).all()
            values = values.dt.strftime("%Y-%m-%d" if whole else "%Y-%m-%d %H:%M")
        cells.append([_cell(v) for v in values])
        # an id that is cut short can't be typed
        least = max(map(len, cells[-1])) if str(column).endswith("_id") else None
        justify: Literal["right", "left"] = "right" if kind in "if" else "left"
        table.add_column(str(column), justify=justify, no_wrap=True, min_width=least)
    for row in zip(*cells, strict=True):
        table.add_row(*row)
    console.print(table)


@main.command()
@click.option("--rows", type=_ROWS, default=20, show_default=True, help="Rows of each slate board to print; 0 for all.")
@click.option("--incident", help="Play one incident in a league of its own (see `nba-props incidents`).")
@click.option("--force", is_flag=True, help="Materialize the nights again though they are there.")
def demo(rows: int, incident: str | None, force: bool) -> None:
    """Predict two nights of a simulated league, or the newest landed odds where NBA_PROPS_LANDING is set."""
    with _plain_errors():
        settings = load_settings()
        if settings.profile != "local":
            raise SettingsError("the demo plays in an invented league on this machine: unset NBA_PROPS_PROFILE")
        if incident:
            _play_incident(settings, incident, rows)
        elif os.environ.get("NBA_PROPS_LANDING"):
            _run_newest(settings, rows)
        else:
            _invent(settings.landing)
            settings = load_settings()  # the new zone says from when on there is data
            _run(settings, LandingZone(settings.landing), list(_DEMO_NIGHTS), rows, keep=not force)


def _invent(landing: str, incidents: Sequence[str] = (), odds_days: Sequence[date] = ()) -> None:
    """The demo's league, unless a simulated one is there.

    It has odds from three weeks before the nights on, and of ``odds_days``: more to learn from would make a first look
    a long one.
    """
    if not LandingZone(landing).is_simulated:
        first = _DEMO_NIGHTS[0]
        lately = dates_between(first - timedelta(21), season_start(first) + timedelta(300))
        _simulate(Path(landing), 1, _DEMO_SEED, incidents, [*lately, *odds_days])


def _run_newest(settings: Settings, rows: int) -> None:
    from nba_props.sources import odds_api

    landing = LandingZone(settings.landing)
    landing.require()
    landed = odds_api.landed_days(landing)
    if not landed:
        raise LandingError(f"{settings.landing} has no odds: name a date with `nba-props run DATE`")
    _run(settings, landing, [landed[-1]], rows)


def _play_incident(settings: Settings, name: str, rows: int) -> None:
    from nba_props.simulator.incidents import INCIDENTS
    from nba_props.warehouse.opening import open_warehouse

    if name not in INCIDENTS:
        raise click.ClickException(f"there is no incident {name}; there are {', '.join(INCIDENTS)}")
    home = settings.home / "incidents" / name
    os.environ["DAGSTER_HOME"] = str(home / "dagster")
    own = load_settings({"NBA_PROPS_HOME": str(home)})
    _invent(own.landing, (name,), [INCIDENTS[name].day])
    own = load_settings({"NBA_PROPS_HOME": str(home)})
    landing, incident = LandingZone(own.landing), INCIDENTS[name]
    succeeded = _run(own, landing, [incident.day], rows, leave=False)
    if incident.afterwards:
        click.echo(f"incident {name}: {incident.afterwards(open_warehouse(own))}; the date is run again")
        succeeded = _run(own, landing, [incident.day], rows, leave=False)
    click.echo(f"{name}: {incident.description}; the run {'went through' if succeeded else 'was stopped by a check'}")


@main.command()
def incidents() -> None:
    """List the incidents that `simulate` and `demo` can play."""
    from nba_props.simulator.incidents import INCIDENTS

    width = max(map(len, INCIDENTS))
    for name, incident in INCIDENTS.items():
        click.echo(f"{name:<{width}}  {incident.description}")


@main.command()
@click.option(
    "--seasons",
    type=Whole(1, 50),
    default=1,
    show_default=True,
    help="Seasons to simulate; the last is 2025-26.",
)
@click.option(
    "--seed", type=Whole(min=0), default=_DEMO_SEED, show_default=True, help="The same seed gives the same league."
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the new landing zone.")
@click.option("--incident", "names", multiple=True, help="Damage the payloads (see `nba-props incidents`); may repeat.")
def simulate(seasons: int, seed: int, out: Path, names: tuple[str, ...]) -> None:
    """Write an invented league's payloads, in the shapes of the real APIs, for load tests and incidents."""
    with _plain_errors():
        _simulate(out, seasons, seed, names)


def _simulate(
    out: Path, seasons: int, seed: int, names: Sequence[str], odds_days: Sequence[date] | None = None
) -> None:
    from nba_props.simulator.incidents import INCIDENTS, apply
    from nba_props.simulator.league import SimulationError
    from nba_props.simulator.league import simulate as write

    unknown = [n for n in names if n not in INCIDENTS]
    if unknown:
        raise click.ClickException(f"there is no incident {', '.join(unknown)}; there are {', '.join(INCIDENTS)}")
    console = _console()
    fresh = not out.exists()
    with _progress(console) as progress:
        tasks: dict[str, Any] = {}

        def show(season: str, done: int, total: int) -> None:
            if season not in tasks:
                tasks[season] = progress.add_task(f"simulate {season}", total=total)
            progress.update(tasks[season], completed=done)

        try:
            manifest = write(out, seasons, seed, show, odds_days)
        except SimulationError as error:
            raise click.ClickException(str(error)) from error
    for name in names if fresh else ():
        console.print(f"incident {name}: {apply(name, LandingZone(str(out)))}", soft_wrap=True)
    if fresh:
        season_names = ", ".join(manifest["seasons"])
        console.print(f"simulated league of {season_names} (seed {manifest['seed']}) in {out}", soft_wrap=True)


@main.command()
@click.argument("query")
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True)
def sql(query: str, form: str) -> None:
    """Run one read-only QUERY (DuckDB's SQL, or GoogleSQL on BigQuery); tables are named dataset.table."""
    with _plain_errors():
        frame = _to_read().read_only(query)
    if form == "csv":
        click.echo(frame.to_csv(index=False), nl=False)
    elif form == "json":
        columns = [[_plain(v) for v in frame.iloc[:, n]] for n in range(len(frame.columns))]
        records = [dict(zip(map(str, frame.columns), row, strict=True)) for row in zip(*columns, strict=True)]
        click.echo(json.dumps(records, default=str, ensure_ascii=False, indent=1))
    else:
        _print_table(_console(), frame, f"{len(frame)} rows")


def _require_free(host: str, port: int) -> None:
    """Raise :class:`SettingsError` when somebody listens at an address already, or nobody can."""
    import socket

    try:
        with socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET):
            return
    except OSError as error:
        raise SettingsError(
            f"{host}:{port} can't be listened on ({error.strerror or error}): name another --port"
        ) from None


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; the UI has no login.")
@click.option("--port", type=Whole(1, 65535), default=3000, show_default=True, help="Port of the Dagster UI.")
def dev(host: str, port: int) -> None:
    """Dagster's UI and daemon on this project's instance, until Ctrl-C.

    The UI answers the browser's own pages and no request of another site; NBA_PROPS_UI_HOSTS names hosts, besides this
    machine's own names, by which it may be asked.
    """
    from nba_props.automation.runner import open_instance
    from nba_props.automation.webserver import HOSTS, hosts_of

    with _plain_errors():
        settings = load_settings()
        open_instance(settings).dispose()
        if set("[*") & set(os.environ["DAGSTER_HOME"]):
            raise SettingsError(
                f"DAGSTER_HOME is {os.environ['DAGSTER_HOME']}: Dagster's servers find no settings under a path with "
                "[ or *; set another one"
            )
        _require_free(host, port)
    location = ["-m", "nba_props.definitions"]
    scripts = Path(sys.executable).parent
    commands = [
        [sys.executable, "-m", "nba_props.automation.webserver", "-h", host, "-p", str(port), *location],
        [str(scripts / "dagster-daemon"), "run", *location],
    ]
    click.echo(f"Dagster UI on http://{host}:{port} (instance {os.environ['DAGSTER_HOME']}); Ctrl-C stops it")
    environment = {**os.environ, HOSTS: ",".join({*hosts_of(), host})}
    processes = [
        subprocess.Popen(command, env=environment)  # noqa: S603
        for command in commands
    ]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    ended = 0
    try:
        while all(p.poll() is None for p in processes):
            time.sleep(0.5)
        ended = 1  # one of them by itself, and it said why
    except KeyboardInterrupt:
        click.echo("stopping")
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()
    sys.exit(ended)
