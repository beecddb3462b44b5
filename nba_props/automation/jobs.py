"""Jobs, by what a person asks for."""

import dagster as dg

from nba_props.assets.models import model_key
from nba_props.assets.monitoring import REPORT_PAGE
from nba_props.assets.predictions import FOLLOW_TAG
from nba_props.assets.raw import ODDS_FILES
from nba_props.assets.tables import asset_key
from nba_props.checks.freshness import FEEDS, FRESHNESS, IS_FRESH, OUTPUTS, TONIGHT
from nba_props.domain.systems import RECIPES, SYSTEM_TABLES
from nba_props.schemas import Table, analytics, features, predictions, raw, reference

#: schedule and box scores of past dates
HISTORY_JOB = "ingest_history"
#: box scores of seasons that only say who is who, and how he did against whom
PAST_JOB = "ingest_past_seasons"
#: landed rosters of past dates
ROSTERS_JOB = "ingest_rosters"
#: the lines of past dates, which models learn from
LINES_JOB = "ingest_lines"
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
_FRESHNESS = dg.AssetSelection.checks(
    *(dg.AssetCheckKey(feed.key, FRESHNESS) for feed in FEEDS),
    dg.AssetCheckKey(ODDS_FILES.key, TONIGHT),
    *(dg.AssetCheckKey(output.key, IS_FRESH) for output in OUTPUTS),
    *(dg.AssetCheckKey(model_key(system_id), IS_FRESH) for system_id in RECIPES),
)
#: what became of the predictions of past dates
GRADE_JOB = "grade"
#: lines chosen anew, and everything that follows from them
RELINE_JOB = "reline"
#: new odds or injury reports of games that have not begun
FOLLOW_JOB = "follow"
#: has every feed spoken lately
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
        raw.ODDS_QUOTES,
        raw.QUARANTINED_QUOTES,
        raw.INJURY_REPORTS,
        raw.QUARANTINED_INJURIES,
        reference.RESOLVED_NAMES,
        reference.UNRESOLVED_NAMES,
        analytics.SLATE,
        analytics.HISTORICAL_GAMES,
    )
)

JOBS = (
    dg.define_asset_job(
        HISTORY_JOB,
        selection=_tables(
            raw.SCHEDULE,
            raw.QUARANTINED_GAMES,
            raw.BOX_SCORES,
            raw.QUARANTINED_BOX_SCORES,
            raw.SCORING_SHARES,
            raw.QUARANTINED_SCORING,
            raw.INJURY_REPORTS,
            raw.QUARANTINED_INJURIES,
        ),
        description="Schedule and box scores: what the averages and rosters of later dates need.",
    ),
    dg.define_asset_job(
        PAST_JOB,
        selection=_tables(
            raw.BOX_SCORES,
            raw.QUARANTINED_BOX_SCORES,
            raw.SCORING_SHARES,
            raw.QUARANTINED_SCORING,
        ),
        description="Box scores of seasons before those that models learn from: who is who, and matchups.",
    ),
    dg.define_asset_job(
        ROSTERS_JOB,
        selection=_tables(raw.ROSTERS, raw.QUARANTINED_ROSTERS),
        description="Team membership as landed before a date.",
    ),
    dg.define_asset_job(
        LINES_JOB,
        selection=_tables(
            raw.ODDS_QUOTES,
            raw.QUARANTINED_QUOTES,
            reference.PLAYERS,
            reference.RESOLVED_NAMES,
            reference.UNRESOLVED_NAMES,
            analytics.SLATE,
            analytics.BETTING_LINES,
        ),
        description="The lines of past dates, without predictions: what models learn from.",
    ),
    dg.define_asset_job(
        TRAIN_JOB,
        selection=_MODELS - _FRESHNESS,
        description="The models of a week, from the games before it.",
    ),
    dg.define_asset_job(
        RELINE_JOB,
        selection=dg.AssetSelection.assets(*_FROM_LINES, *_GRADES) - _FRESHNESS | _MONITORING,
        description="Lines chosen anew from stored quotes; what changes is published as new rows and graded.",
    ),
    dg.define_asset_job(
        FOLLOW_JOB,
        selection=dg.AssetSelection.assets(*_FROM_PAYLOADS, *_FROM_LINES) - _FRESHNESS,
        tags={FOLLOW_TAG: "true"},
        description="New odds and injury reports: games whose line moved by half a point, whose book changed or whose "
        "players went out or came back are published anew, until they begin.",
    ),
    dg.define_asset_job(
        FRESHNESS_JOB,
        selection=_FRESHNESS,
        description="Whether every feed that is on has spoken as lately as the hour demands, tonight has odds, slate, "
        "lines and predictions, and last night its grades.",
    ),
    dg.define_asset_job(
        GRADE_JOB,
        selection=dg.AssetSelection.assets(
            *(asset_key(t) for t in (raw.SCHEDULE, raw.QUARANTINED_GAMES, raw.BOX_SCORES, raw.QUARANTINED_BOX_SCORES)),
            *(asset_key(t) for t in (raw.SCORING_SHARES, raw.QUARANTINED_SCORING)),
            *_GRADES,
        )
        - _FRESHNESS
        | _MONITORING,
        description="Results of past dates, the grades of their predictions, scoreboard, page and monitoring views.",
    ),
    dg.define_asset_job(
        PREDICT_JOB,
        selection=dg.AssetSelection.all() - _MODELS - _FRESHNESS - dg.AssetSelection.assets(REPORT_PAGE),
        description="Everything for the chosen dates: payloads to rows, slate, lines, context, predictions, gate. "
        "Started by hand, it takes in the history that they need first, and trains their models.",
    ),
)
