"""Jobs, by what a person asks for."""

from typing import Any

import dagster as dg

from nba_props.assets.monitoring import REPORT_PAGE
from nba_props.assets.predictions import FOLLOW_TAG
from nba_props.assets.tables import asset_key
from nba_props.checks.freshness import freshness_keys
from nba_props.domain.systems import SYSTEM_TABLES
from nba_props.schemas import Table, analytics, features, predictions, reference
from nba_props.sources import registry
from nba_props.sources.base import Intake

#: what ``dg.define_asset_job`` gives, a class that Dagster does not export
AssetJob = Any
#: schedule and box scores of past dates
HISTORY_JOB = Intake.HISTORY.value
#: box scores of seasons that only say who is who, and how he did against whom
PAST_JOB = Intake.PAST.value
#: landed rosters of past dates
ROSTERS_JOB = Intake.ROSTERS.value
#: the lines of past dates, which models learn from
LINES_JOB = Intake.LINES.value
#: the models of a week
TRAIN_JOB = "train"
#: every asset of a date, from landed payloads to the published ledger
PREDICT_JOB = "predict"


def _tables(*tables: Table) -> dg.AssetSelection:
    """Tables without their checks: over hundreds of past dates the log of each date's evaluations costs more than the
    work itself, and ``history_complete`` judges the result.
    """
    return dg.AssetSelection.assets(*(asset_key(t) for t in tables)).without_checks()


_MODELS = dg.AssetSelection.groups("models")
_MONITORING = dg.AssetSelection.groups("monitoring")
#: what became of the predictions of past dates
GRADE_JOB = Intake.GRADE.value
#: lines chosen again, and everything that follows from them
RELINE_JOB = "reline"
#: new odds or injury reports of games that have not begun
FOLLOW_JOB = Intake.FOLLOW.value
#: whether what must be there by now is
FRESHNESS_JOB = "feeds_are_fresh"

_FROM_LINES = (
    *(asset_key(t) for t in (analytics.BETTING_LINES, analytics.CONTEXT, features.PLAYER_FEATURES)),
    *(asset_key(t) for t in SYSTEM_TABLES.values()),
    *(asset_key(t) for t in (predictions.LEDGER, predictions.QUARANTINED_PREDICTIONS)),
)
_GRADES = tuple(asset_key(t) for t in (predictions.PREDICTION_ACCURACY, predictions.GRADE_HISTORY))
_FROM_PAYLOADS = tuple(
    asset_key(t)
    for t in (
        reference.RESOLVED_NAMES,
        reference.UNRESOLVED_NAMES,
        analytics.SLATE,
        analytics.HISTORICAL_GAMES,
    )
)


def _taken_in(job: Intake) -> list[Table]:
    """The tables of payloads that a job makes, and their quarantines."""
    sources = (source for feed in registry.feeds() for source in feed.tables if job in source.intakes)
    return [table for source in sources for table in (source.table, source.quarantine)]


def build_jobs() -> list[AssetJob]:
    """Every job of assets."""
    of_the_hour = dg.AssetSelection.checks(*freshness_keys())
    return [*_intakes(), *_predictions(of_the_hour)]


def _intakes() -> list[AssetJob]:
    """Payloads of past dates as rows, as far as later dates and models need them."""
    return [
        dg.define_asset_job(
            HISTORY_JOB,
            selection=_tables(*_taken_in(Intake.HISTORY)),
            description="Schedule and box scores: what the averages and rosters of later dates need.",
        ),
        dg.define_asset_job(
            PAST_JOB,
            selection=_tables(*_taken_in(Intake.PAST)),
            description="Box scores of seasons before those that models learn from: who is who, and matchups.",
        ),
        dg.define_asset_job(
            ROSTERS_JOB,
            selection=_tables(*_taken_in(Intake.ROSTERS)),
            description="Team membership as landed before a date.",
        ),
        dg.define_asset_job(
            LINES_JOB,
            selection=_tables(
                *_taken_in(Intake.LINES),
                reference.PLAYERS,
                reference.RESOLVED_NAMES,
                reference.UNRESOLVED_NAMES,
                analytics.SLATE,
                analytics.BETTING_LINES,
            ),
            description="The lines of past dates, without predictions: what models learn from.",
        ),
    ]


def _predictions(of_the_hour: dg.AssetSelection) -> list[AssetJob]:
    """Models, predictions, grades; and the checks of the hour, which belong to no date and to no other job."""
    followed = (*(asset_key(t) for t in _taken_in(Intake.FOLLOW)), *_FROM_PAYLOADS, *_FROM_LINES)
    graded = (*(asset_key(t) for t in _taken_in(Intake.GRADE)), *_GRADES)
    return [
        dg.define_asset_job(
            TRAIN_JOB,
            selection=_MODELS - of_the_hour,
            description="The models of a week, from the games before it.",
        ),
        dg.define_asset_job(
            RELINE_JOB,
            selection=dg.AssetSelection.assets(*_FROM_LINES, *_GRADES) - of_the_hour | _MONITORING,
            description="Lines chosen again from stored quotes; what changes is published as new rows and graded.",
        ),
        dg.define_asset_job(
            FOLLOW_JOB,
            selection=dg.AssetSelection.assets(*followed) - of_the_hour,
            tags={FOLLOW_TAG: "true"},
            description="New odds and injury reports: games whose line moved by half a point, whose book changed or "
            "whose players were reported out or back are published again, until they begin.",
        ),
        dg.define_asset_job(
            FRESHNESS_JOB,
            selection=of_the_hour,
            description="Whether the payloads of every feed that is on are as new as the time of day requires, tonight "
            "has odds, slate, lines and predictions, and last night its grades.",
        ),
        dg.define_asset_job(
            GRADE_JOB,
            selection=dg.AssetSelection.assets(*graded) - of_the_hour | _MONITORING,
            description="Results of past dates, the grades of their predictions, scoreboard, page and monitoring "
            "views.",
        ),
        dg.define_asset_job(
            PREDICT_JOB,
            selection=dg.AssetSelection.all() - _MODELS - of_the_hour - dg.AssetSelection.assets(REPORT_PAGE),
            description="Everything for the chosen dates: payloads to rows, slate, lines, context, predictions, gate. "
            "Started by hand, it takes in the history that they need first, and trains their models.",
        ),
    ]
