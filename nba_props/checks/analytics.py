"""Rules on ``nba_analytics``: slate, history, lines, context and features."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from nba_props.checks.common import daily, lines_have_provenance, no_future_data, schema_rule
from nba_props.checks.partitioned import Rule, Scope
from nba_props.domain.book_lines import CLOSE_WITHIN
from nba_props.domain.finding import Finding
from nba_props.domain.quality import inputs, rows
from nba_props.domain.quality.closes import CLOSES, closes_captured
from nba_props.domain.quality.outputs import unless_unknown
from nba_props.domain.systems import System
from nba_props.facts.rhythm import RHYTHMS
from nba_props.schemas import analytics
from nba_props.schemas.features import MARKET_FEATURES, PLAYER_FEATURES


def _history_complete(scope: Scope, days: Sequence[date]) -> dict[date, Finding]:
    settings = scope.settings
    return inputs.history_complete(scope.warehouse, days, settings.look_back_days, settings.first_date)


HISTORY_COMPLETE = Rule(
    "history_complete",
    analytics.HISTORICAL_GAMES,
    "No date of the season so far is missing, and no stored game of the look-back lacks its box scores.",
    _history_complete,
    blocking=True,
)


def _slate_is_complete(scope: Scope, days: Sequence[date]) -> dict[date, Finding]:
    return unless_unknown(scope.warehouse, inputs.SLATE.findings(scope.warehouse, days))


SLATE_IS_COMPLETE = Rule(
    "slate_is_complete",
    analytics.CONTEXT,
    f"Every scheduled game is in the context with at least {inputs.MIN_PLAYERS_PER_TEAM} players of each team.",
    _slate_is_complete,
)


def _closes_captured(scope: Scope, days: Sequence[date]) -> dict[date, Finding]:
    live = scope.settings.live
    # quotes from the archive are as near to the tip-off as they were bought
    within = min(RHYTHMS[live.odds_rhythm].before) if live.odds_key else CLOSE_WITHIN
    planned = [m for m, _ in CLOSES if m >= within]
    return closes_captured(scope.warehouse, days, scope.now, planned)


CLOSES_CAPTURED = Rule(
    "closes_captured",
    analytics.BOOK_LINES,
    "Of the props whose game has begun, "
    + ", ".join(f"{share:.0%} have a quote from at most {minutes} minutes before" for minutes, share in CLOSES)
    + "; the shortest only if live captures are planned for it.",
    _closes_captured,
)
_TABLES = (
    analytics.SLATE,
    analytics.HISTORICAL_GAMES,
    analytics.BOOK_LINES,
    analytics.BETTING_LINES,
    analytics.PRICES,
    analytics.CONTEXT,
    PLAYER_FEATURES,
    MARKET_FEATURES,
)


def rules(systems: Sequence[System]) -> list[Rule]:
    """The rules; those on features name the systems that use a feature."""
    return [
        *(schema_rule(t) for t in _TABLES),
        HISTORY_COMPLETE,
        no_future_data(
            analytics.HISTORICAL_GAMES, "played_on >= game_date", "Every game of a history was played before the date."
        ),
        daily(
            "offers_are_quotes",
            analytics.BOOK_LINES,
            "Every offer equals a stored quote of its player, seen before the cut-off.",
            rows.OFFERS,
            blocking=True,
        ),
        daily(
            "offers_are_priced",
            analytics.PRICES,
            "Every offer has a fair price by at least three other engines, or the reason why it has none.",
            rows.PRICES,
        ),
        CLOSES_CAPTURED,
        lines_have_provenance(analytics.BETTING_LINES, blocking=True),
        no_future_data(
            analytics.BETTING_LINES,
            "has_prop_line AND (quoted_at >= cutoff_at OR opening_at >= cutoff_at OR cutoff_at IS NULL)",
            "Every line was seen before the cut-off.",
        ),
        SLATE_IS_COMPLETE,
        no_future_data(
            analytics.CONTEXT,
            "history_through >= game_date OR injury_reported_at >= cutoff_at",
            "No average includes a game on or after the date, and no status is of a report from the cut-off or later.",
        ),
        daily(
            "reported_absent_known",
            analytics.CONTEXT,
            f"At least {1 - inputs.ABSENT_OFF_SLATE_SHARE:.0%} of players reported out or doubtful are on the slate.",
            inputs.REPORTED_ABSENT,
        ),
        daily(
            "inputs_are_known",
            PLAYER_FEATURES,
            "No input of a system whose feed delivered is unknown for all players with at least "
            f"{inputs.SETTLED_GAMES} games this season.",
            inputs.inputs_known(systems),
        ),
        Rule(
            "inputs_are_known",
            MARKET_FEATURES,
            "No feature of a market is unknown for all of its quoted players who have played this season.",
            lambda scope, days: inputs.market_inputs_known(scope.warehouse, days),
        ),
    ]
