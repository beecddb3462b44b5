"""Contracts of ``nba_predictions``: what systems say, what the gate published and what it held back."""

from dataclasses import replace

from nba_props.schemas.analytics import CUTOFF_AT, LINE_COLUMNS
from nba_props.schemas.base import Column, Table, Type, WriteMode
from nba_props.schemas.raw import GAME_DATE, GAME_ID, PLAYER_ID, PLAYER_LOOKUP, PLAYER_NAME

#: no forecast is above it, as none is below 0
MAX_POINTS = 60
RECOMMENDATIONS = ("OVER", "UNDER", "PASS", "NO_LINE")

_LINES = tuple(replace(c, source=(f"nba_analytics.betting_lines.{c.name}",)) for c in LINE_COLUMNS)
_CLAIM = (
    GAME_DATE,
    GAME_ID,
    PLAYER_ID,
    PLAYER_NAME,
    PLAYER_LOOKUP,
    Column("system_id", Type.STRING, "Prediction system"),
    Column("model_version", Type.STRING, "Version of the system's formula or model"),
    Column(
        "predicted_points",
        Type.FLOAT64,
        "Forecast; null when the system abstained",
        "points",
        nullable=True,
        ge=0,
        le=MAX_POINTS,
    ),
    Column("confidence_score", Type.FLOAT64, "The system's own confidence, 0-1", nullable=True, ge=0, le=1),
    Column(
        "over_probability",
        Type.FLOAT64,
        "P(points above the line, given that they are not equal to it), where the system gives one",
        nullable=True,
        ge=0,
        le=1,
    ),
    Column("recommendation", Type.STRING, "OVER, UNDER, PASS or NO_LINE", isin=RECOMMENDATIONS),
    Column("line_margin", Type.FLOAT64, "Predicted points less line", "points", nullable=True),
    Column("abstain_reason", Type.STRING, "Why the system gave no forecast", nullable=True),
    Column("components", Type.STRING, "JSON object: the terms of the forecast and the inputs it went without"),
    Column("feature_hash", Type.STRING, "Hash of the inputs the system used"),
    CUTOFF_AT,
)
_PUBLISHED = (*_CLAIM, *_LINES)


def _as_claimed(column: Column) -> Column:
    """A claim may break any rule, and is judged by the gate: it promises nothing but its type."""
    return replace(column, nullable=column.name != "game_date", ge=None, le=None, isin=None)


SYSTEM_COLUMNS = tuple(_as_claimed(c) for c in _PUBLISHED)


def system_table(system_id: str, description: str) -> Table:
    """The table of a system: all have the same columns; values are the gate's to judge, so no key is promised."""
    return Table("nba_predictions", system_id, description, SYSTEM_COLUMNS, key=())


_LEDGER = (
    Column(
        "prediction_id",
        Type.STRING,
        "Hash of system, version, game, player, quote and feature hash; for an answer "
        "that comes again after another one, of the row it takes the place of, too",
    ),
    *_PUBLISHED,
    Column("run_id", Type.STRING, "Dagster run that published the row"),
    Column("created_at", Type.TIMESTAMP, "When it was published"),
    Column("is_backfill", Type.BOOL, "Published at or after the cut-off, so never a bet anyone could have placed"),
    Column(
        "row_digest",
        Type.STRING,
        "Digest of the row's other columns as they were published; null where a release before digests published it",
        nullable=True,
    ),
)

LEDGER = Table(
    "nba_predictions",
    "ledger",
    "The ledger of published predictions: rows are appended, never changed. See nba_predictions.current_predictions.",
    _LEDGER,
    key=("prediction_id",),
    write_mode=WriteMode.APPEND,
    content=("predicted_points", "confidence_score", "over_probability", "recommendation"),
    sealed_by="row_digest",
    facets={"rows": tuple(c.name for c in _LEDGER)},
    formerly="player_prop_predictions",
)


QUARANTINED_PREDICTIONS = Table(
    "nba_predictions",
    "quarantined_predictions",
    "Predictions the gate held back, as they were claimed, with the reason.",
    (
        Column("quarantine_id", Type.STRING, "Hash of the claim and the reason"),
        Column("reason", Type.STRING, "Reason code (domain/gate.py)"),
        Column("detail", Type.STRING, "The reason in words"),
        *SYSTEM_COLUMNS,
        Column("run_id", Type.STRING, "Dagster run that held the row back"),
        Column("quarantined_at", Type.TIMESTAMP, "When"),
    ),
    key=("quarantine_id",),
    write_mode=WriteMode.APPEND,
)


#: what the id of a system begins with whose predictions were imported
IMPORTED_PREFIX = "imported_"

IMPORTED_PREDICTIONS = Table(
    "nba_predictions",
    "imported_predictions",
    "Rows of another system's export as they were delivered; the gate publishes or quarantines what they claim.",
    (
        GAME_DATE,
        Column("row_id", Type.STRING, "Hash of the delivered row"),
        Column("system_id", Type.STRING, "The system as the export names it"),
        PLAYER_LOOKUP,
        Column("predicted_points", Type.FLOAT64, "Forecast as claimed", "points", nullable=True),
        Column("confidence_score", Type.FLOAT64, "Confidence as claimed, 0-1 or 0-100", nullable=True),
        Column("source_recommendation", Type.STRING, "Recommendation as claimed", nullable=True),
        Column("line", Type.FLOAT64, "Line as claimed (current_points_line)", "points", nullable=True),
        Column("has_prop_line", Type.BOOL, "As claimed", nullable=True),
        Column("line_source", Type.STRING, "As claimed", nullable=True),
        Column("line_source_api", Type.STRING, "As claimed", nullable=True),
        Column("sportsbook", Type.STRING, "Book as claimed, by The Odds API's key where it is known", nullable=True),
        Column("source_version", Type.STRING, "Model version as claimed", nullable=True),
        Column("source_prediction_id", Type.STRING, "Id in the export", nullable=True),
        Column("source_created_at", Type.TIMESTAMP, "When the row was written, as it claims", nullable=True),
        Column(
            "source_game_id",
            Type.STRING,
            "Game as claimed: ten digits for a number, else as it was delivered",
            nullable=True,
        ),
        Column("source_row", Type.STRING, "The delivered row as a JSON object of texts"),
        Column("imported_at", Type.TIMESTAMP, "When it was imported"),
    ),
    key=("row_id",),
    write_mode=WriteMode.APPEND,
)

PUBLICATIONS = Table(
    "nba_predictions",
    "publications",
    "Which code and which command each run published a date's rows with: apart from the ledger, so that the release "
    "before can read what a later one has published.",
    (
        GAME_DATE,
        Column("run_id", Type.STRING, "Dagster run that published the rows"),
        Column("revision", Type.STRING, "Revision of the code (nba_props/process/revision.py)"),
        Column("job_name", Type.STRING, "Job of the run"),
        Column("command", Type.STRING, "What was typed in a terminal; null for other runs", nullable=True),
        Column("recorded_at", Type.TIMESTAMP, "When"),
    ),
    key=("run_id",),
    write_mode=WriteMode.APPEND,
)


#: the ledger as any row may stand in it, whoever wrote it and whatever is wrong with it
LEDGER_AS_FOUND = replace(LEDGER, columns=tuple(_as_claimed(c) for c in _LEDGER), key=())

_ARCHIVE = (
    *(_as_claimed(c) for c in _LEDGER),
    Column("batch_id", Type.STRING, "The remediation that took the row out"),
    Column("deletion_reason", Type.STRING, "Predicate and arguments that selected it"),
    Column("line_problem", Type.STRING, "What was wrong with the row (domain/audit.py), if anything", nullable=True),
    Column("deleted_at", Type.TIMESTAMP, "When"),
    Column(
        "archived_id",
        Type.STRING,
        "Digest of the row as it stood in the ledger, and its number among equal ones; null in old batches",
        nullable=True,
    ),
    Column("archive_digest", Type.STRING, "Digest of the archived row's other columns", nullable=True),
)

ARCHIVED_PREDICTIONS = Table(
    "nba_predictions",
    "archived_predictions",
    "Rows taken out of the ledger, as they were, with batch, reason and instant: nothing is deleted without a copy.",
    _ARCHIVE,
    key=("batch_id", "archived_id"),
    write_mode=WriteMode.APPEND,
    sealed_by="archive_digest",
    facets={"rows": tuple(c.name for c in _ARCHIVE)},
)

REMEDIATION_STEPS = ("REMOVED", "RESTORED", "DONE")
REMEDIATIONS = Table(
    "nba_predictions",
    "remediations",
    "What each remediation has done: one row per batch, date and step, and a DONE row when all dates are through.",
    (
        GAME_DATE,
        Column("batch_id", Type.STRING, "The remediation"),
        Column("step", Type.STRING, "REMOVED, RESTORED or DONE", isin=REMEDIATION_STEPS),
        Column("action", Type.STRING, "Predicate and arguments"),
        Column("row_count", Type.INT64, "Rows moved on the date by the step", "rows", ge=0),
        Column("recorded_at", Type.TIMESTAMP, "When"),
    ),
    # a batch can be restored more than once, and taken out again in between
    key=("batch_id", "step", "recorded_at"),
    write_mode=WriteMode.APPEND,
)


OUTCOMES = ("WIN", "LOSS", "PUSH", "VOID", "NO_BET", "PENDING")
VOID_REASONS = ("DID_NOT_PLAY", "PLAYED_ELSEWHERE", "POSTPONED", "GAME_MOVED")


def _real(name: str, description: str, unit: str = "points") -> Column:
    return Column(name, Type.FLOAT64, description, unit, nullable=True)


def _maybe(name: str, description: str) -> Column:
    return Column(name, Type.BOOL, description, nullable=True)


_GRADE = (
    Column("outcome", Type.STRING, "WIN, LOSS, PUSH, VOID, NO_BET or PENDING", isin=OUTCOMES),
    Column("void_reason", Type.STRING, "Why a row is void", nullable=True, isin=VOID_REASONS),
    Column("actual_points", Type.INT64, "Points scored; null while pending or void", "points", nullable=True, ge=0),
    Column("minutes_played", Type.INT64, "Minutes played", "min", nullable=True, ge=0),
    _maybe("prediction_correct", "The side won; null without a decided bet"),
)
_LEDGER_PART = tuple(
    replace(c, nullable=c.name not in ("prediction_id", "game_date"), ge=None, le=None, isin=None)
    for c in _LEDGER
    if c.name not in ("components", "abstain_reason", "feature_hash", "line_source_api", "row_digest")
)

PREDICTION_ACCURACY = Table(
    "nba_predictions",
    "prediction_accuracy",
    "The grade of every published prediction, valid or not: what came of it, its errors and its profit. Grading again "
    "replaces a date; see grade_history for what a grade was before.",
    (
        *_LEDGER_PART,
        Column("is_current", Type.BOOL, "The current row of its system, player and game"),
        Column("line_problem", Type.STRING, "Why the line is not valid (domain/lines.py), if it is not", nullable=True),
        Column("is_valid_line", Type.BOOL, "A verified sportsbook quote stands behind the line"),
        *_GRADE,
        _real("absolute_error", "Distance of forecast and points"),
        _real("signed_error", "Forecast less points: positive is too high"),
        _real("line_absolute_error", "Distance of line and points"),
        _real("last_10_absolute_error", "Distance of the last-10 average and points"),
        _real("predicted_margin", "Forecast less line"),
        _real("actual_margin", "Points less line"),
        _maybe("within_3_points", "The forecast missed by at most 3"),
        _maybe("within_5_points", "The forecast missed by at most 5"),
        Column("confidence_decile", Type.INT64, "1-10: floor(10 x confidence) + 1", nullable=True, ge=1, le=10),
        _real("profit", "Profit of one unit staked on the side at the quoted price; 0 for push and void", "units"),
        _real("best_profit", "The same at the best price offered for the line", "units"),
        Column("market_over_probability", Type.FLOAT64, "De-vigged P(over) of the quote", nullable=True, ge=0, le=1),
        Column("graded_at", Type.TIMESTAMP, "When"),
    ),
    key=("prediction_id",),
)  # fmt: skip

GRADE_HISTORY = Table(
    "nba_predictions",
    "grade_history",
    "Every grade a prediction ever had: a row is added when a grade first appears or changes.",
    (
        GAME_DATE,
        Column("grade_id", Type.STRING, "Hash of the prediction, this grade and the grade before it"),
        Column("prediction_id", Type.STRING, "The graded prediction"),
        *_GRADE,
        Column("replaces", Type.STRING, "grade_id of the grade before; null for the first", nullable=True),
        Column("graded_at", Type.TIMESTAMP, "When"),
    ),
    key=("grade_id",),
    write_mode=WriteMode.APPEND,
)
