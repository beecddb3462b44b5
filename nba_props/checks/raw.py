"""Rules on ``nba_raw``: the feeds' deliveries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from nba_props.checks.common import daily, nothing_quarantined, schema_rule
from nba_props.checks.partitioned import Rule, Scope
from nba_props.domain.book_lines import STALE_AFTER
from nba_props.domain.finding import Finding
from nba_props.domain.quality import deliveries
from nba_props.domain.quality.outputs import unless_unknown
from nba_props.schemas import raw
from nba_props.sources import registry

BOX_SCORES_MATCH_SCHEDULE = daily(
    "box_scores_match_schedule",
    raw.BOX_SCORES,
    "Every final game that counts has box scores, every box score its game, and points add up to the score.",
    deliveries.BOX_SCORES,
)


def _games_have_quotes(scope: Scope, days: Sequence[date]) -> dict[date, Finding]:
    found = deliveries.games_with_quotes(scope.now, scope.settings.markets).findings(scope.warehouse, days)
    return unless_unknown(scope.warehouse, found)


GAMES_HAVE_QUOTES = Rule(
    "games_have_quotes",
    raw.ODDS_QUOTES,
    "Every game of the date has quotes of points by a sportsbook from before the cut-off, and each other market that "
    "is asked for has a quote. A slate without any of points is an error from an hour before its first tip-off.",
    _games_have_quotes,
)
BOOKS_ARE_FRESH = Rule(
    "books_are_fresh",
    raw.ODDS_QUOTES,
    f"No quote was older than {STALE_AFTER.total_seconds() / 3600:.0f} hours by its own market's clock when captured.",
    lambda scope, days: deliveries.stale_books(scope.warehouse, days),
)


def rules() -> list[Rule]:
    """The rules on every feed's tables and quarantines, and those on single tables."""
    sources = [source for feed in registry.feeds() for source in feed.tables]
    return [
        *(schema_rule(source.table) for source in sources),
        *(nothing_quarantined(source.quarantine) for source in sources),
        BOX_SCORES_MATCH_SCHEDULE,
        GAMES_HAVE_QUOTES,
        BOOKS_ARE_FRESH,
    ]
