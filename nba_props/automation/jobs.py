"""The jobs of assets, each named after what a person wants to do."""

from typing import Any

import dagster as dg

from nba_props.assets.monitoring import REPORT_PAGE
from nba_props.assets.predictions import FOLLOW_TAG
from nba_props.assets.site import GROUP
from nba_props.assets.tables import asset_key
from nba_props.checks.freshness import freshness_keys
from nba_props.domain.systems import SYSTEM_TABLES
from nba_props.schemas import Table, analytics, distributions, features, minutes, monitoring, predictions, reference
from nba_props.sources import registry
from nba_props.sources.base import Intake

#: the type of ``dg.define_asset_job``'s result, which Dagster does not export
AssetJob = Any
#: schedule and box scores of past dates
HISTORY_JOB = Intake.HISTORY.value
#: box scores of earlier seasons, for identities and matchups
PAST_JOB = Intake.PAST.value
#: landed rosters of past dates
ROSTERS_JOB = Intake.ROSTERS.value
#: the lines of past dates, from which models learn
LINES_JOB = Intake.LINES.value
#: the models of a week
TRAIN_JOB = "train"
#: every asset of a date, from landed payloads to the published ledger
PREDICT_JOB = "predict"


def _tables(*tables: Table) -> dg.AssetSelection:
    """Tables without their checks: over hundreds of past dates, logging each date's evaluations costs more than the
    work itself, and ``history_complete`` judges the result.
    """
    return dg.AssetSelection.assets(*(asset_key(t) for t in tables)).without_checks()


_MODELS = dg.AssetSelection.groups("models")
_MONITORING = dg.AssetSelection.groups("monitoring")
#: what people read of a date: no slate waits for it
_PAGES = dg.AssetSelection.assets(REPORT_PAGE) | dg.AssetSelection.groups(GROUP)
#: results and grades of past dates
GRADE_JOB = Intake.GRADE.value
#: lines selected again, and everything that depends on them
RELINE_JOB = "reline"
#: new odds or injury reports of games that have not begun
FOLLOW_JOB = Intake.FOLLOW.value
#: the pages of dates, and those that gather them
SITE_JOB = "site"
#: the checks against the clock
FRESHNESS_JOB = "feeds_are_fresh"


def _keys(*tables: Table) -> tuple[dg.AssetKey, ...]:
    return tuple(asset_key(t) for t in tables)


_FROM_LINES = _keys(
    analytics.BOOK_LINES, analytics.BETTING_LINES, analytics.CONSENSUS, analytics.PRICES, analytics.CONTEXT,
    features.PLAYER_FEATURES, features.MARKET_FEATURES, minutes.MINUTES, distributions.SHAPES, distributions.DEPENDENCE,
    distributions.DISTRIBUTIONS,
    *SYSTEM_TABLES.values(), predictions.LEDGER, predictions.QUARANTINED_PREDICTIONS,
)  # fmt: skip
_GRADES = _keys(
    predictions.PREDICTION_ACCURACY, predictions.GRADE_HISTORY, predictions.CLOSING_LINE_VALUE,
    predictions.QUOTE_SCORES, predictions.EVIDENCE, distributions.DISTRIBUTION_SCORES, distributions.COMBINATION_SCORES,
    minutes.MINUTES_SCORES,
)  # fmt: skip
_FROM_PAYLOADS = _keys(
    reference.RESOLVED_NAMES, reference.UNRESOLVED_NAMES, analytics.SLATE, analytics.HISTORICAL_GAMES,
)  # fmt: skip


def _raw_tables(job: Intake) -> list[Table]:
    """The tables of payloads that a job loads, and their quarantines."""
    sources = (source for feed in registry.feeds() for source in feed.tables if job in source.intakes)
    return [table for source in sources for table in (source.table, source.quarantine)]


def build_jobs() -> list[AssetJob]:
    """Every job of assets."""
    against_the_clock = dg.AssetSelection.checks(*freshness_keys())
    return [*_intakes(), *_predictions(against_the_clock)]


def _intakes() -> list[AssetJob]:
    """The jobs that load the payloads of past dates that later dates and models need."""
    return [
        dg.define_asset_job(
            HISTORY_JOB,
            selection=_tables(*_raw_tables(Intake.HISTORY)),
            description="Schedule and box scores, for the averages and rosters of later dates.",
        ),
        dg.define_asset_job(
            PAST_JOB,
            selection=_tables(*_raw_tables(Intake.PAST)),
            description="Box scores of seasons before those that models learn from, for identities and matchups.",
        ),
        dg.define_asset_job(
            ROSTERS_JOB,
            selection=_tables(*_raw_tables(Intake.ROSTERS)),
            description="Team membership as landed before a date.",
        ),
        dg.define_asset_job(
            LINES_JOB,
            selection=_tables(
                *_raw_tables(Intake.LINES),
                reference.PLAYERS,
                reference.RESOLVED_NAMES,
                reference.UNRESOLVED_NAMES,
                analytics.SLATE,
                analytics.BOOK_LINES,
                analytics.BETTING_LINES,
                analytics.CONSENSUS,
            ),
            description="The lines of past dates, without predictions, for models to learn from.",
        ),
    ]


def _predictions(against_the_clock: dg.AssetSelection) -> list[AssetJob]:
    """The jobs of models, predictions and grades, and that of the checks against the clock, which no other job runs."""
    loaded = (asset_key(t) for t in _raw_tables(Intake.FOLLOW))
    followed = (*loaded, *_FROM_PAYLOADS, *_FROM_LINES, asset_key(monitoring.PROMOTIONS))
    graded = (*(asset_key(t) for t in _raw_tables(Intake.GRADE)), *_GRADES)
    return [
        dg.define_asset_job(
            TRAIN_JOB,
            selection=_MODELS - against_the_clock,
            description="The models of a week, from the games before it.",
        ),
        dg.define_asset_job(
            RELINE_JOB,
            selection=dg.AssetSelection.assets(*_FROM_LINES, *_GRADES) - against_the_clock | _MONITORING,
            description="Lines selected again from stored quotes; changed rows are published as new rows and graded.",
        ),
        dg.define_asset_job(
            FOLLOW_JOB,
            selection=dg.AssetSelection.assets(*followed) - against_the_clock,
            tags={FOLLOW_TAG: "true"},
            description="New odds and injury reports: games whose line moved by half a point, whose sportsbook changed "
            "or whose players were reported out or back are published again, until they begin.",
        ),
        dg.define_asset_job(
            FRESHNESS_JOB,
            selection=against_the_clock,
            description="Whether every enabled feed is as fresh as the time of day requires, tonight has odds, slate, "
            "lines and predictions, and last night has grades.",
        ),
        dg.define_asset_job(
            GRADE_JOB,
            selection=dg.AssetSelection.assets(*graded) - against_the_clock | _MONITORING,
            description="Results of past dates, the grades of their predictions, scoreboard, page and monitoring "
            "views.",
        ),
        dg.define_asset_job(
            SITE_JOB,
            selection=dg.AssetSelection.groups(GROUP),
            description="The pages of dates: slates, their players, index, record and health, from what is stored.",
        ),
        dg.define_asset_job(
            PREDICT_JOB,
            selection=dg.AssetSelection.all() - _MODELS - _PAGES - against_the_clock,
            description="Everything for the chosen dates: payloads to rows, slate, lines, context, predictions, gate. "
            "Started by hand, it first loads the history that they need, and trains their models.",
        ),
    ]
