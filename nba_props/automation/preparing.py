"""Preparation: a run that a person starts in the UI first loads the earlier dates that it needs.

A command plans and then runs; the UI only runs. So the first step of such a run that reads earlier dates or a model
makes the same plan and follows it, each step as a run of its own job. Sensors and schedules plan their own runs, so
that tonight never waits for a season to load. Their runs prepare one thing only: a past date whose week was never
trained has its models trained first, on the stored data, by a run of the training job.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date

import dagster as dg
import filelock

from nba_props.assets.inputs import Inputs
from nba_props.assets.losses import ALLOW_LOSS
from nba_props.automation import planning, runner
from nba_props.automation.planning import Step
from nba_props.automation.ranges import dates_of
from nba_props.domain.models.card import week_of
from nba_props.facts.calendar import days as dates_between
from nba_props.facts.calendar import game_date_of
from nba_props.process.clock import Clock
from nba_props.process.revision import COMMAND_TAG

#: the tag of a run that loads the inputs of another run: that run's id
PREPARES_RUN_TAG = "nba_props/prepares_run"
#: tags of runs whose inputs are planned already
_PLANNED = (runner.PLANNED_TAG, COMMAND_TAG)
#: tags of runs that a sensor or a schedule started
_AUTOMATED = ("dagster/sensor_name", "dagster/schedule_name")


@contextmanager
def _alone(context: dg.AssetExecutionContext, lock: filelock.BaseFileLock) -> Iterator[None]:
    """While in here, no other run prepares; a run that has to wait for one reports it in its log and events."""
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        text = f"waits for {_at_work(context.instance)}: runs load their inputs one after the other"
        context.log.info(text)
        context.instance.report_engine_event(f"{context.run.job_name} {text}", context.run)
        lock.acquire()
        context.log.info("no longer waits")
    try:
        yield
    finally:
        lock.release()


def _at_work(instance: dg.DagsterInstance) -> str:
    """The run that is loading the inputs of another run, in words."""
    for run in instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])):
        if prepared := run.tags.get(PREPARES_RUN_TAG):
            return f"{run.job_name} of {dates_of(run)} (run {run.run_id[:8]}), which run {prepared[:8]} needs first"
    return "another run that is loading its inputs"


@dataclass
class Preparation:
    """Plans and runs what a run without a plan needs first, once for each run."""

    inputs: Inputs
    #: makes the definitions with the plan's jobs
    definitions: Callable[[], dg.Definitions]
    clock: Clock
    _prepared: set[str] = field(default_factory=set, repr=False)

    def before(self, context: dg.AssetExecutionContext, days: Sequence[date]) -> None:
        """Load what the dates of a run need, and train the models of its systems.

        Raises:
            dagster.Failure: a run of the plan failed; the message names it.
            LandingError: a season of the dates has no schedule.
        """
        span = dates_between(days[0], days[-1])
        if _has(context.run, _AUTOMATED):
            self._train_past_weeks(context, span)
            return

        def plan(made: dg.Definitions) -> Iterable[Step]:
            keys = context.run.asset_selection or planning.assets_of(made, context.run.job_name)
            return planning.needed(made, self.inputs.fresh(), span, keys)

        self._follow_once(context, plan)

    def before_training(self, context: dg.AssetExecutionContext, weeks: Sequence[date]) -> None:
        """Load what the models of some weeks learn from.

        Raises:
            dagster.Failure: a run of the plan failed; the message names it.
            LandingError: a season of the weeks has no schedule.
        """
        if not _has(context.run, _AUTOMATED):
            asked = sorted({week_of(w) for w in weeks})
            self._follow_once(context, lambda made: planning.preparation(made, self.inputs.fresh(), asked, asked))

    def _follow_once(self, context: dg.AssetExecutionContext, plan: Callable[[dg.Definitions], Iterable[Step]]) -> None:
        run = context.run
        if run.run_id in self._prepared or _has(run, _PLANNED):
            return
        self._prepared.add(run.run_id)
        self._follow(context, plan, _fail)

    def _train_past_weeks(self, context: dg.AssetExecutionContext, days: Sequence[date]) -> None:
        """Train the models that this step's systems lack for dates before the current week.

        A training that fails does not fail the step: its system abstains, and a check reports why.
        """
        systems = {key.path[-1] for key in context.selected_asset_keys}
        running = week_of(game_date_of(self.clock()))
        if steps := list(planning.never_trained(self.inputs.fresh(), days, systems, running)):
            self._follow(context, lambda _: steps, context.log.error)

    def _follow(
        self,
        context: dg.AssetExecutionContext,
        plan: Callable[[dg.Definitions], Iterable[Step]],
        on_failure: Callable[[str], None],
    ) -> None:
        """Run the steps of a plan, each as a run of its own."""
        run = context.run
        allowed = {ALLOW_LOSS: run.tags[ALLOW_LOSS]} if ALLOW_LOSS in run.tags else {}
        tags = {PREPARES_RUN_TAG: run.run_id, **allowed}
        home = self.inputs.settings.home
        home.mkdir(parents=True, exist_ok=True)
        # runs of one backfill need the same inputs: those that wait find them loaded
        with _alone(context, filelock.FileLock(home / ".preparing")):
            made = self.definitions()
            for job, first, last in plan(made):
                context.log.info(f"{job} of {first}..{last} comes first, as a run of its own")
                outcome = runner.execute(made, context.instance, job, first, last, tags=tags)
                if not outcome.success:
                    on_failure(
                        f"{job} of {first}..{last}, which {run.job_name} needs first, failed: "
                        f"{'; '.join(outcome.errors) or 'a check that blocks did not pass'} (run {outcome.run_id})"
                    )


def _fail(text: str) -> None:
    raise dg.Failure(text, allow_retries=False)


def _has(run: dg.DagsterRun, tags: Iterable[str]) -> bool:
    return any(tag in run.tags for tag in tags)
