"""Contracts of ``nba_predictions``: the systems' forecasts, what the gate published and what it held back."""

from dataclasses import replace

from nba_props.facts.markets import ALL, MARKETS
from nba_props.facts.vocabulary import (
    SIDES,
    ChosenBy,
    Outcome,
    Recommendation,
    RemediationStep,
    VoidReason,
    either,
    words,
)
from nba_props.schemas.analytics import CUTOFF_AT, LINE_COLUMNS
from nba_props.schemas.base import Column, Table, WriteMode, count, flag, instant, real, text, whole
from nba_props.schemas.raw import GAME_DATE, GAME_ID, MARKET, PLAYER_ID, PLAYER_LOOKUP, PLAYER_NAME, STAT

_LINES = tuple(replace(c, source=(f"nba_analytics.betting_lines.{c.name}",)) for c in LINE_COLUMNS)
_CLAIM = (
    GAME_DATE,
    GAME_ID,
    PLAYER_ID,
    PLAYER_NAME,
    PLAYER_LOOKUP,
    MARKET,
    text("system_id", "Prediction system"),
    text("model_version", "Version of the system's formula or model"),
    real(
        "forecast",
        "Forecast, up to its market's ceiling; null when the system abstained",
        STAT,
        nullable=True,
        ge=0,
        le=max(m.ceiling for m in MARKETS),
        formerly="predicted_points",
    ),
    real("confidence_score", "The system's own confidence, 0-1", nullable=True, ge=0, le=1),
    real(
        "over_probability",
        "P(result above the line, given that it is not equal to it), where the system gives one",
        nullable=True,
        ge=0,
        le=1,
    ),
    text("recommendation", either(Recommendation), isin=words(Recommendation)),
    real("line_margin", "Forecast less line", STAT, nullable=True),
    text("abstain_reason", "Why the system gave no forecast", nullable=True),
    text("components", "JSON object: the terms of the forecast and the inputs it did without"),
    text("feature_hash", "Hash of the inputs the system used"),
    CUTOFF_AT,
)
_PUBLISHED = (*_CLAIM, *_LINES)


def _as_claimed(column: Column, *required: str) -> Column:
    """The column as a system may claim it: only its type is guaranteed, everything else is judged by the gate."""
    return replace(column, nullable=column.name not in ("game_date", *required), ge=None, le=None, isin=None)


SYSTEM_COLUMNS = tuple(_as_claimed(c) for c in _PUBLISHED)


def system_table(system_id: str, description: str) -> Table:
    """The table of a system: all have the same columns; the gate judges the values, so there is no key."""
    return Table("nba_predictions", system_id, description, SYSTEM_COLUMNS, key=())


#: what ``prediction_id`` is the hash of, in this order: a version of a system, a player in a game, and the quote and
#: the inputs that the forecast was made from
LEDGER_KEY = ("system_id", "model_version", "game_id", "player_id", "quote_id", "feature_hash")
_LEDGER = (
    text(
        "prediction_id",
        f"Hash of {', '.join(LEDGER_KEY)}, and of the market unless it is points; for a forecast that returns after a "
        "different one, also of the row that it replaces",
    ),
    *_PUBLISHED,
    text("run_id", "Dagster run that published the row"),
    instant("created_at", "When it was published"),
    flag("is_backfill", "Published at or after the cut-off, so not a bet that could have been placed"),
    text(
        "row_digest",
        "Digest of the row's other columns as they were published; null for rows from a release before digests",
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
    content=("forecast", "confidence_score", "over_probability", "recommendation"),
    sealed_by="row_digest",
    facets={"rows": tuple(c.name for c in _LEDGER)},
    formerly="player_prop_predictions",
)


QUARANTINED_PREDICTIONS = Table(
    "nba_predictions",
    "quarantined_predictions",
    "Predictions the gate held back, as they were claimed, with the reason.",
    (
        text("quarantine_id", "Hash of the claim and the reason"),
        text("reason", "Reason code (domain/gate.py)"),
        text("detail", "The reason in words"),
        *SYSTEM_COLUMNS,
        text("run_id", "Dagster run that held the row back"),
        instant("quarantined_at", "When"),
    ),
    key=("quarantine_id",),
    write_mode=WriteMode.APPEND,
)


#: prefix of the ids of imported systems
IMPORTED_PREFIX = "imported_"

IMPORTED_PREDICTIONS = Table(
    "nba_predictions",
    "imported_predictions",
    "Rows of another system's export as delivered; the gate publishes or quarantines what they claim.",
    (
        GAME_DATE,
        text("row_id", "Hash of the delivered row"),
        text("system_id", "The system's id in the export"),
        PLAYER_LOOKUP,
        real("predicted_points", "Forecast as claimed", "points", nullable=True),
        real("confidence_score", "Confidence as claimed, 0-1 or 0-100", nullable=True),
        text("source_recommendation", "Recommendation as claimed", nullable=True),
        real("line", "Line as claimed (current_points_line)", "points", nullable=True),
        flag("has_prop_line", "As claimed", nullable=True),
        text("line_source", "As claimed", nullable=True),
        text("line_source_api", "As claimed", nullable=True),
        text("sportsbook", "Book as claimed, by The Odds API's key where it is known", nullable=True),
        text("source_version", "Model version as claimed", nullable=True),
        text("source_prediction_id", "Id in the export", nullable=True),
        instant("source_created_at", "When the row was written, as claimed", nullable=True),
        text("source_game_id", "Game as claimed: ten digits for a number, else as it was delivered", nullable=True),
        text("source_row", "The delivered row as a JSON object of texts"),
        instant("imported_at", "When it was imported"),
    ),
    key=("row_id",),
    write_mode=WriteMode.APPEND,
)

PUBLICATIONS = Table(
    "nba_predictions",
    "publications",
    "The code revision and the command of each run that published rows of a date: apart from the ledger, so that an "
    "earlier release can read what a later one published.",
    (
        GAME_DATE,
        text("run_id", "Dagster run that published the rows"),
        text("revision", "Revision of the code (nba_props/process/revision.py)"),
        text("job_name", "Job of the run"),
        text("command", "Command typed in a terminal; null for other runs", nullable=True),
        instant("recorded_at", "When"),
    ),
    key=("run_id",),
    write_mode=WriteMode.APPEND,
)


#: the ledger as it may be found, with rows of any writer and any fault
LEDGER_AS_FOUND = replace(LEDGER, columns=tuple(_as_claimed(c) for c in _LEDGER), key=())

_ARCHIVE = (
    *(_as_claimed(c) for c in _LEDGER),
    text("batch_id", "The remediation that removed the row"),
    text("deletion_reason", "Predicate and arguments that selected it"),
    text("line_problem", "What was wrong with the row (domain/audit.py), if anything", nullable=True),
    instant("deleted_at", "When"),
    text(
        "archived_id",
        "Digest of the row as it was in the ledger, and its number among equal ones; null in old batches",
        nullable=True,
    ),
    text("archive_digest", "Digest of the archived row's other columns", nullable=True),
)

ARCHIVED_PREDICTIONS = Table(
    "nba_predictions",
    "archived_predictions",
    "Rows removed from the ledger, unchanged, with batch, reason and time: nothing is deleted without a copy.",
    _ARCHIVE,
    key=("batch_id", "archived_id"),
    write_mode=WriteMode.APPEND,
    sealed_by="archive_digest",
    facets={"rows": tuple(c.name for c in _ARCHIVE)},
)

REMEDIATIONS = Table(
    "nba_predictions",
    "remediations",
    "The steps of each remediation: one row per batch, date and step, and a DONE row once all dates are done.",
    (
        GAME_DATE,
        text("batch_id", "The remediation"),
        text("step", either(RemediationStep), isin=words(RemediationStep)),
        text("action", "Predicate and arguments"),
        count("row_count", "Rows moved on the date by the step", "rows"),
        instant("recorded_at", "When"),
    ),
    # a batch can be restored more than once, and removed again in between
    key=("batch_id", "step", "recorded_at"),
    write_mode=WriteMode.APPEND,
)


GRADE_COLUMNS = (
    text("outcome", either(Outcome), isin=words(Outcome)),
    text("void_reason", "Why a row is void", nullable=True, isin=words(VoidReason)),
    count(
        "result", "What the market counts; null while pending or void", STAT, nullable=True, formerly="actual_points"
    ),
    count("minutes_played", "Minutes played", "min", nullable=True),
    flag("prediction_correct", "The side won; null without a decided bet", nullable=True),
)
#: columns of the ledger that are not repeated beside the grades
NOT_GRADED = ("components", "abstain_reason", "feature_hash", "line_source_api", "row_digest")
_LEDGER_PART = tuple(_as_claimed(c, "prediction_id") for c in _LEDGER if c.name not in NOT_GRADED)

PREDICTION_ACCURACY = Table(
    "nba_predictions",
    "prediction_accuracy",
    "The grade of every published prediction, valid or not: its outcome, errors and profit. Regrading replaces a date; "
    "grade_history has the earlier grades.",
    (
        *_LEDGER_PART,
        flag("is_current", "The current row of its system, player and game"),
        text("line_problem", "Why the line is not valid (domain/lines.py), if it is not", nullable=True),
        flag("is_valid_line", "The line is backed by a verified sportsbook quote, and the row is as it was published"),
        *GRADE_COLUMNS,
        real("absolute_error", "Distance of forecast and result", STAT, nullable=True),
        real("signed_error", "Forecast less result: positive is too high", STAT, nullable=True),
        real("line_absolute_error", "Distance of line and result", STAT, nullable=True),
        real("last_10_absolute_error", "Distance of the last-10 average and result", STAT, nullable=True),
        real("predicted_margin", "Forecast less line", STAT, nullable=True),
        real("actual_margin", "Result less line", STAT, nullable=True),
        flag("within_3", "The forecast missed by at most 3", nullable=True, formerly="within_3_points"),
        flag("within_5", "The forecast missed by at most 5", nullable=True, formerly="within_5_points"),
        whole("confidence_decile", "1-10: floor(10 x confidence) + 1", nullable=True, ge=1, le=10),
        real(
            "profit",
            "Profit of one unit staked on the side at the quoted price; 0 for push and void",
            "units",
            nullable=True,
        ),
        real("best_profit", "The same at the best price offered for the line", "units", nullable=True),
        real("market_over_probability", "De-vigged P(over) of the quote", nullable=True, ge=0, le=1),
        instant("graded_at", "When"),
    ),
    key=("prediction_id",),
)

GRADE_HISTORY = Table(
    "nba_predictions",
    "grade_history",
    "Every grade a prediction ever had: a row is added when a grade first appears or changes.",
    (
        GAME_DATE,
        text("grade_id", "Hash of the prediction, this grade and the grade before it"),
        text("prediction_id", "The graded prediction"),
        *GRADE_COLUMNS,
        text("replaces", "grade_id of the grade before; null for the first", nullable=True),
        instant("graded_at", "When"),
    ),
    key=("grade_id",),
    write_mode=WriteMode.APPEND,
)

_PROFIT = "Expected profit of a unit at the bet's price by"
_NO_VIG = "P(the side wins) at the bet's line, without the vig, by"
CLOSING_LINE_VALUE = Table(
    "nba_predictions",
    "closing_line_value",
    "One row per bet, and what the last lines before the cut-off say of it: the picks of each system as they were "
    "first shown, if that was before the cut-off, and the opening bets, which the other odds engines find worth their "
    "price at the first capture: those of all engines, and those of each half of them, which the other half judges. No "
    "book judges a bet that it had a part in choosing.",
    (
        GAME_DATE,
        GAME_ID,
        PLAYER_ID,
        MARKET,
        text("bet_id", "Hash of the prop, the system, the side and who chose it"),
        text("system_id", "The system, opening_bets or opening_bets_of_halves"),
        text("prediction_id", "The published row; null for opening bets", nullable=True),
        text("chosen_by", "Whose lines had a part in choosing it", isin=words(ChosenBy)),
        text("side", either(SIDES), isin=words(SIDES)),
        text("bookmaker", "The book of the bet"),
        real("line", "Its line", STAT, ge=0.5),
        whole("price", "Its American price of the side"),
        text("quote_id", "Its quote"),
        instant("placed_at", "When the row was published, or the opening captured"),
        real("minutes_before_game", "From then to the cut-off", "min"),
        real("chance", "P(the side wins) by whoever chose it, where there is one", nullable=True, ge=0, le=1),
        real("ev", "Expected profit of a unit by that", "units", nullable=True),
        real("own_probability", "P(the side wins) by the bet's own quote, without the vig", ge=0, le=1),
        text("close_quote_id", "The last main line of the same book that was captured after the bet", nullable=True),
        real("close_line", "Its line", STAT, nullable=True),
        real("close_minutes", "Minutes from its capture to the cut-off", "min", nullable=True),
        flag("is_close", "It is a true close: captured at most 45 minutes before the cut-off", nullable=True),
        real("clv_points", "How far the line moved to the bet's advantage", STAT, nullable=True),
        real("clv_probability", f"{_NO_VIG} the same book's last line, less own_probability", nullable=True),
        real(
            "clv_ev",
            f"{_PROFIT} the same book's last line",
            "units",
            nullable=True,
        ),
        count("judges", "Odds engines that judge it beside its own book", "engines"),
        flag("judges_are_close", "They judge by true closes", nullable=True),
        real("others_clv_probability", f"{_NO_VIG} their last lines, less own_probability", nullable=True),
        real("others_clv_ev", f"{_PROFIT} their last lines", "units", nullable=True),
        text("no_close_reason", "Why its own book has no later line: NOT_QUOTED_LATER", nullable=True),
        count("result", "What the market counted; null while pending or void", STAT, nullable=True),
        real("profit", "Profit of a unit at the bet's price; null without a result", "units", nullable=True),
    ),
    key=("bet_id",),
)

QUOTE_SCORES = Table(
    "nba_predictions",
    "quote_scores",
    "Per market and system: the losses of P(over) summed over every main quote of every book at the line that it was "
    "given for, beside those of the quote itself without the vig and of the consensus of the other books. The "
    "consensus has rows of its own, other_books, over the quotes at every line.",
    (
        GAME_DATE,
        MARKET,
        text("system_id", "The system, or other_books"),
        count("quotes", "Quotes whose result is known and differs from their line", "quotes"),
        *(
            real(f"{whose}{loss}", f"Sum of the {name} of {of}", unit, nullable=True)
            for loss, name, unit in (("log_loss", "log-loss", "nats"), ("brier", "Brier scores", None))
            for whose, of in (("", "P(over)"), ("own_", "the quotes themselves"), ("others_", "the other books"))
        ),
    ),
    key=("market", "system_id"),
)


EVIDENCE = Table(
    "nba_predictions",
    "evidence",
    "What promotions and claims are made from: sums over every quote of every book at whose line a system had "
    "published P(over) before the cut-off, beside that of market_consensus_v1 and the quote's own; without backfills.",
    (
        GAME_DATE,
        text("market", f"The market, or {ALL}"),
        text("system_id", "Prediction system"),
        text("model_version", "Version of its formula or model"),
        count("games", "Games with such a quote", "games"),
        count("quotes", "Such quotes", "quotes"),
        real("log_loss", "Sum of the log-loss of the system's P(over)", "nats"),
        real("consensus_log_loss", "Of that of market_consensus_v1, on the same quotes", "nats"),
        real("own_log_loss", "Of the quotes' own, without the vig", "nats"),
    ),
    key=("market", "system_id", "model_version"),
)
