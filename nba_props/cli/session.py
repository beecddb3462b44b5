"""What commands that run jobs share: the platform of this environment, plans to follow, and what came of them."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from nba_props.cli.printing import Output, progress
from nba_props.cli.program import program
from nba_props.deployment import clock_of, load_settings
from nba_props.facts.calendar import days as dates_between
from nba_props.facts.calendar import game_date_of, season_start
from nba_props.settings import BadSetting, Settings, SettingsError, env_file
from nba_props.storage.landing import LandingZone
from nba_props.warehouse.base import Warehouse, is_simulated

if TYPE_CHECKING:
    from dagster import Definitions

    from nba_props.assets.inputs import Inputs
    from nba_props.automation.location import Caller
    from nba_props.automation.planning import Step
    from nba_props.automation.runner import Outcome


@dataclass
class Session:
    """What a command that runs jobs works with."""

    out: Output
    settings: Settings
    landing: LandingZone
    warehouse: Warehouse
    definitions: Definitions
    inputs: Inputs
    #: further tags of the runs
    tags: Mapping[str, str] = field(default_factory=dict)
    #: who asks for them, and by which command
    caller: Caller | None = None

    def follow(self, steps: Iterable[Step], select: Sequence[Any] | None = None) -> list[Outcome]:
        """Run the steps of a plan in order, recorded in the project's instance, with a progress bar each.

        The first that fails is the last. ``select`` narrows the jobs to some of their assets.
        """
        from nba_props.automation import runner

        outcomes: list[Outcome] = []
        with runner.open_instance(self.settings) as instance, progress(self.out.console) as bars:
            for job, first, last in steps:
                label = f"{job} {text_of([first, last])}"
                bar = bars.add_task(label, total=None)

                def show(step: str, done: int, total: int, bar: Any = bar, label: str = label) -> None:
                    bars.update(bar, completed=done, total=total, description=f"{label}  {step}", refresh=True)

                outcome = runner.execute(
                    self.definitions,
                    instance,
                    job,
                    first,
                    last,
                    show,
                    select,
                    self.warehouse,
                    self.tags,
                    self.caller,
                )
                bars.update(bar, description=label)
                outcomes.append(outcome)
                if not outcome.success:
                    break
        return outcomes


def session_of(settings: Settings, landing: LandingZone, out: Output) -> Session:
    """The session of some settings."""
    from nba_props.assets.inputs import Inputs
    from nba_props.definitions import build_defs
    from nba_props.storage.models import ModelStore
    from nba_props.warehouse.opening import open_warehouse

    warehouse = open_warehouse(settings)
    # an empty one becomes what is landed
    out.label(simulated=landing.is_simulated if warehouse.source() is None else is_simulated(warehouse))
    inputs = Inputs(warehouse, landing, ModelStore(settings.models), settings)
    definitions = build_defs(settings, warehouse, landing)
    return Session(out, settings, landing, warehouse, definitions, inputs, caller=_caller())


def session(out: Output, *, landed: bool = True, allow_loss: bool = False) -> Session:
    """The session of this environment; ``landed`` demands that payloads are there."""
    settings = load_settings()
    landing = LandingZone(settings.landing)
    if landed:
        landing.require()
    return allowing(session_of(settings, landing, out), allow_loss)


def allowing(opened: Session, allow_loss: bool) -> Session:
    """The session whose runs may let a partition lose most of its rows, where that is asked for."""
    from nba_props.assets.tables import ALLOW_LOSS

    return replace(opened, tags={**opened.tags, ALLOW_LOSS: "true"}) if allow_loss else opened


def _caller() -> Caller | None:
    """Who started this command, and for which dates."""
    from nba_props.automation.location import Caller

    context = click.get_current_context(silent=True)
    if context is None:
        return None
    span = context.params.get("span")
    return Caller.of(str(context.info_name), text_of(span) if span else "")


def to_read(settings: Settings | None = None, out: Output | None = None) -> Warehouse:
    """The warehouse of a command that reads: no answer of a home that is not there is one.

    What is printed to ``out`` is labelled where the warehouse holds an invented league.
    """
    from nba_props.warehouse.opening import open_warehouse

    settings = settings or load_settings()
    if settings.gcp is None and not settings.home.exists():
        asked = "is NBA_PROPS_HOME the home that you mean? Otherwise " if os.environ.get("NBA_PROPS_HOME") else ""
        raise BadSetting(
            f"there is no {settings.home}: {asked}`nba-props start` makes a home for the real league, `nba-props demo` "
            "one for a simulated league"
        )
    warehouse = open_warehouse(settings)
    if out is not None:
        out.label(simulated=is_simulated(warehouse))
    return warehouse


def text_of(span: Sequence[date]) -> str:
    """A date, or the first and the last of several."""
    return f"{span[0]}" if span[0] == span[-1] else f"{span[0]}..{span[-1]}"


def here(settings: Settings) -> str:
    """The program with what a shell must set before it to mean the home of some settings: nothing in the usual one."""
    typed_before = bool(os.environ.get("NBA_PROPS_HOME")) and not env_file.names("NBA_PROPS_HOME")
    elsewhere = typed_before or load_settings().home != settings.home
    return f"{shlex.quote(f'NBA_PROPS_HOME={settings.home}')} {program()}" if elsewhere else program()


def today_of(settings: Settings) -> date:
    """The US/Eastern date, or in a rehearsal that of its clock where it is later."""
    return max(game_date_of(clock_of(settings)()), game_date_of(datetime.now(UTC)))


def within_partitions(settings: Settings, span: Sequence[date]) -> None:
    """Refuse dates that have no partition.

    Raises:
        SettingsError: a date is before the first partition, or after today.
    """
    if span[0] < settings.first_date:
        raise SettingsError(f"{span[0]} is before the first partition {settings.first_date} (NBA_PROPS_FIRST_DATE)")
    last = LandingZone(settings.landing).last_date
    if last is not None and span[-1] > last + timedelta(1):
        raise SettingsError(
            f"{span[-1]} is after the simulated league's last date, {last}, and has no partition: name one of its "
            "nights; real games need a home of their own, and `nba-props start` says how"
        )
    today = today_of(settings)
    if span[-1] > today:
        raise SettingsError(
            f"{span[-1]} is after today, {today} US/Eastern, and has no partition yet: a date is predicted from its "
            "own day on"
        )


def within_reach(settings: Settings, warehouse: Warehouse, span: Sequence[date]) -> None:
    """Refuse dates that have no partition, unless the ledger has rows there all the same, whoever wrote them.

    Raises:
        SettingsError: nothing of the span can be there.
    """
    from nba_props.schemas.predictions import LEDGER

    if not set(span) & set(warehouse.dates(LEDGER)):
        within_partitions(settings, span)


def say_findings(out: Output, outcomes: Sequence[Outcome]) -> bool:
    """Say what failed and which checks did not pass; whether nothing of severity ERROR is among it."""
    for outcome in outcomes:
        for error in [*outcome.errors, *outcome.failures]:
            out.tell("failed", "red", error)
        for asset, check, severity, text in outcome.failed_checks:
            out.tell(severity, "red" if severity == "ERROR" else "yellow", f"{asset} {check}: {text}")
    return all(o.success for o in outcomes) and not any(
        severity == "ERROR" for o in outcomes for _, _, severity, _ in o.failed_checks
    )


def say_undo(opened: Session, outcome: Outcome, span: Sequence[date]) -> None:
    """Name the run, what it published, and how to take that back."""
    found = opened.warehouse.query(
        "SELECT COUNT(*) AS n FROM nba_predictions.ledger "
        "WHERE game_date BETWEEN @first AND @last AND run_id = @run_id",
        first=span[0],
        last=span[-1],
        run_id=outcome.run_id,
    )
    rows = int(found["n"].iloc[0])
    undo = f"{rows} new rows; undo with `nba-props rollback {outcome.run_id}`" if rows else "0 new rows"
    opened.out.say(f"run       {outcome.run_id}; {undo}")


def update_scores(opened: Session, span: Sequence[date]) -> None:
    """Bring the scoreboards of these dates and later ones of the season up to date, as far as grades came since."""
    from nba_props.assets.tables import asset_key
    from nba_props.automation import planning
    from nba_props.automation.jobs import GRADE_JOB
    from nba_props.schemas.monitoring import SCOREBOARD

    end = season_start(span[-1]) + timedelta(365)
    late = planning.late_scores(opened.definitions, opened.inputs.fresh(), dates_between(span[0], end))
    if late:
        opened.out.say(f"scores    {len(late)} later scoreboards are brought up to date")
        outcomes = opened.follow([(GRADE_JOB, late[0], late[-1])], [asset_key(SCOREBOARD)])
        if not say_findings(opened.out, outcomes):
            sys.exit(1)


def published(opened: Session, span: Sequence[date], otherwise: str) -> list[date]:
    """The dates of the span that are in the ledger; says what follows when there is none."""
    from nba_props.schemas.predictions import LEDGER

    within_partitions(opened.settings, span)
    stored = set(opened.warehouse.partitions(LEDGER))
    days = [d for d in span if d in stored]
    if not days:
        asked = text_of(span)
        opened.out.say(f"nothing of {asked} was published, so {otherwise}: `nba-props run {asked}` predicts it")
    return days
