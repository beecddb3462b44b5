"""Shared by commands that run jobs: the platform of this environment, plans to execute, and their results."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import click

from nba_props.cli.printing import Output, progress
from nba_props.cli.program import program
from nba_props.deployment import clock_of, deployed, load_settings, open_to_read
from nba_props.facts.calendar import days as dates_between
from nba_props.facts.calendar import game_date_of, season_start
from nba_props.process.clock import utc_now
from nba_props.settings import Settings, SettingsError, env_file
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
    """The objects that a command works with when it runs jobs."""

    out: Output
    settings: Settings
    landing: LandingZone
    warehouse: Warehouse
    definitions: Definitions
    inputs: Inputs
    #: further tags of the runs
    tags: Mapping[str, str] = field(default_factory=dict)
    #: the user and the command that start them
    caller: Caller | None = None

    def follow(self, steps: Iterable[Step], select: Sequence[Any] | None = None) -> list[Outcome]:
        """Run the steps of a plan in order, recorded in the project's instance, with a progress bar each.

        Stops after the first failure. ``select`` restricts the jobs to some of their assets.
        """
        from nba_props.automation import runner
        from nba_props.automation.instance import open_instance

        outcomes: list[Outcome] = []
        with open_instance(self.settings) as instance, progress(self.out.console) as bars:
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
    """A session with these settings."""
    from nba_props.assets.inputs import Inputs
    from nba_props.definitions import build_defs

    deployment = deployed(settings, landing=landing)
    warehouse = deployment.warehouse
    # an empty warehouse will hold the league that is landed
    out.label(simulated=landing.is_simulated if warehouse.source() is None else is_simulated(warehouse))
    inputs = Inputs(warehouse, landing, deployment.models, settings)
    definitions = build_defs(deployment)
    return Session(out, settings, landing, warehouse, definitions, inputs, caller=_caller())


def session(out: Output, *, landed: bool = True, allow_loss: bool = False) -> Session:
    """A session of this environment; ``landed`` requires a landing zone."""
    settings = load_settings()
    landing = LandingZone(settings.landing)
    if landed:
        landing.require()
    return allowing(session_of(settings, landing, out), allow_loss)


def allowing(opened: Session, allow_loss: bool) -> Session:
    """The session; with ``allow_loss`` its runs may let a partition lose most of its rows."""
    from nba_props.assets.losses import ALLOW_LOSS

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
    """The warehouse for a command that reads; ``out`` is labelled if it holds a simulated league.

    Raises:
        BadSetting: the home does not exist.
    """
    warehouse = open_to_read(settings or load_settings())
    if out is not None:
        out.label(simulated=is_simulated(warehouse))
    return warehouse


def text_of(span: Sequence[date]) -> str:
    """A date, or the first and the last of several."""
    return f"{span[0]}" if span[0] == span[-1] else f"{span[0]}..{span[-1]}"


def here(settings: Settings) -> str:
    """The program's name, after ``NBA_PROPS_HOME=...`` where a shell needs that to reach the home of these settings."""
    typed_before = bool(os.environ.get("NBA_PROPS_HOME")) and not env_file.names("NBA_PROPS_HOME")
    elsewhere = typed_before or load_settings().home != settings.home
    return f"{shlex.quote(f'NBA_PROPS_HOME={settings.home}')} {program()}" if elsewhere else program()


def today_of(settings: Settings) -> date:
    """Today's US/Eastern date, or that of the rehearsal clock if it is later."""
    return max(game_date_of(clock_of(settings)()), game_date_of(utc_now()))


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
            f"{span[-1]} is after the simulated league's last date, {last}, and has no partition: choose one of "
            "its nights; real games need a separate home, see `nba-props start -h`"
        )
    today = today_of(settings)
    if span[-1] > today:
        raise SettingsError(
            f"{span[-1]} is after today, {today} US/Eastern, and has no partition yet: a date can be predicted "
            "from that day on"
        )


def within_reach(settings: Settings, warehouse: Warehouse, span: Sequence[date]) -> None:
    """Refuse dates that have no partition, unless the ledger has rows there, whoever wrote them.

    Raises:
        SettingsError: the span has neither partitions nor rows.
    """
    from nba_props.schemas.predictions import LEDGER

    if not set(span) & set(warehouse.dates(LEDGER)):
        within_partitions(settings, span)


def print_findings(out: Output, outcomes: Sequence[Outcome]) -> bool:
    """Print errors and failed checks; returns whether nothing of severity ERROR is among them."""
    for outcome in outcomes:
        for error in [*outcome.errors, *outcome.failures]:
            out.print_marked("failed", "red", error)
        for asset, check, severity, text in outcome.failed_checks:
            out.print_marked(severity, "red" if severity == "ERROR" else "yellow", f"{asset} {check}: {text}")
    return all(o.success for o in outcomes) and not any(
        severity == "ERROR" for o in outcomes for _, _, severity, _ in o.failed_checks
    )


def print_undo(opened: Session, outcomes: Sequence[Outcome], span: Sequence[date]) -> None:
    """Print the id of each run that published, how many rows it has there, and the command that undoes it."""
    published = opened.warehouse.query(
        "SELECT run_id, COUNT(*) AS n FROM nba_predictions.ledger "
        "WHERE game_date BETWEEN @first AND @last GROUP BY run_id",
        first=span[0],
        last=span[-1],
    )
    rows = {str(r.run_id): int(r.n) for r in published.itertuples()}
    for outcome in [o for o in outcomes if o.run_id in rows] or outcomes[-1:]:
        found = rows.get(outcome.run_id, 0)
        undo = f"{found} new rows; undo with `nba-props rollback {outcome.run_id}`" if found else "0 new rows"
        opened.out.print(f"run       {outcome.run_id}; {undo}")


def update_scores(opened: Session, span: Sequence[date]) -> None:
    """Update the scoreboards of these and later dates of the season where grades are newer."""
    from nba_props.automation import planning
    from nba_props.automation.jobs import GRADE_JOB

    end = season_start(span[-1]) + timedelta(365)
    late = planning.late_scores(opened.definitions, opened.inputs.fresh(), dates_between(span[0], end))
    if late:
        opened.out.print(f"scores    {len(late)} later scoreboards are updated")
        outcomes = opened.follow([(GRADE_JOB, late[0], late[-1])], list(planning.SCORES))
        if not print_findings(opened.out, outcomes):
            sys.exit(1)


def published(opened: Session, span: Sequence[date], otherwise: str) -> list[date]:
    """The dates of the span that are in the ledger; prints the remedy when there is none."""
    from nba_props.schemas.predictions import LEDGER

    within_partitions(opened.settings, span)
    stored = set(opened.warehouse.partitions(LEDGER))
    days = [d for d in span if d in stored]
    if not days:
        asked = text_of(span)
        opened.out.print(f"nothing is published for {asked}, so {otherwise}: `nba-props run {asked}` predicts it")
    return days
