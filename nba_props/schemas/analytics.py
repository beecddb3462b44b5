"""Contracts of ``nba_analytics``: the slate, its history, its lines and its context."""

from typing import Any

from nba_props.facts.vocabulary import LineSource, either, words
from nba_props.schemas.base import Column, Table, count, day, flag, instant, real, text, whole
from nba_props.schemas.raw import (
    BOX_SCORE_STATS,
    GAME_DATE,
    GAME_ID,
    MARKET,
    PLAYER_ID,
    PLAYER_LOOKUP,
    PLAYER_NAME,
    STAT,
)

#: half-life, in games, of a player's exponentially weighted minutes
MINUTES_HALF_LIFE = 5

CUTOFF_AT = instant(
    "cutoff_at",
    "Tip-off, or midnight Eastern while it is to be decided; nothing captured at or after it is used. Null if unknown: "
    "no line can be verified then",
    nullable=True,
    source=("nba_raw.schedule.tipoff_at", "nba_raw.odds_quotes.cutoff_at"),
)

PERSON = (GAME_DATE, GAME_ID, PLAYER_ID, PLAYER_NAME, PLAYER_LOOKUP)
_SIDE = (
    whole("team_id", "Player's team; null with a reason when unknown", nullable=True, ge=1),
    text("team", "Tricode of the player's team", nullable=True),
    whole("opponent_team_id", "Opponent; null when the team is unknown", nullable=True, ge=1),
    text("opponent", "Tricode of the opponent", nullable=True),
    flag("is_home", "The player's team is at home; null when the team is unknown", nullable=True),
)

SLATE = Table(
    "nba_analytics",
    "slate",
    "One row per player-game: everyone on the two rosters, and everyone with a resolved quote.",
    (
        *PERSON,
        text("season", "Season such as 2025-26", source=("nba_raw.schedule.season",)),
        text("season_type", "Regular Season, Playoffs, ...", source=("nba_raw.schedule.season_type",)),
        *_SIDE,
        text("team_source", "LAST_GAME, ROSTER or LAST_SEASON; null when the team is unknown", nullable=True),
        text("team_null_reason", "Why the team is unknown", nullable=True),
        instant("tipoff_at", "Scheduled tip-off", nullable=True, source=("nba_raw.schedule.tipoff_at",)),
        CUTOFF_AT,
        flag("is_quoted", "A book quoted the player for this game", source=("nba_reference.resolved_names.player_id",)),
    ),
    key=("player_id",),
)

HISTORICAL_GAMES = Table(
    "nba_analytics",
    "historical_games",
    "For each slate player the last games he played before the date (30 within 90 days by default).",
    (
        GAME_DATE,
        PLAYER_ID,
        whole("recency", "1 is the most recent game", ge=1),
        day("played_on", "Eastern date of the past game, before game_date", source=("nba_raw.box_scores.game_date",)),
        text("game_id", "Id of the past game", source=("nba_raw.box_scores.game_id",)),
        text("season", "Season of the past game", source=("nba_raw.box_scores.season",)),
        text("season_type", "Season type of the past game", source=("nba_raw.box_scores.season_type",)),
        whole("team_id", "Team he played for", ge=1, source=("nba_raw.box_scores.team_id",)),
        text("team", "Tricode of that team", source=("nba_raw.box_scores.team",)),
        text("opponent", "Tricode of that opponent", source=("nba_raw.box_scores.opponent",)),
        flag("is_home", "That team was listed at home", source=("nba_raw.box_scores.is_home",)),
        *(
            Column(c.name, c.type, c.description, c.unit, ge=c.ge, source=(f"nba_raw.box_scores.{c.name}",))
            for c in BOX_SCORE_STATS
        ),
    ),
    key=("player_id", "recency"),
)

_QUOTE = "nba_raw.odds_quotes"
_OFFER = (
    *PERSON,
    MARKET,
    CUTOFF_AT,
    text("bookmaker", "The sportsbook, by The Odds API's key", source=(f"{_QUOTE}.bookmaker",)),
    flag("is_main", "Its main line: the most even two-sided one of its last capture that has one"),
    flag("is_current", "Of the book's last capture of the player in the market before the cut-off"),
    real("line", "The line", STAT, ge=0.5, source=(f"{_QUOTE}.line",)),
    whole("over_price", "American over price", nullable=True, source=(f"{_QUOTE}.over_price",)),
    whole("under_price", "American under price", nullable=True, source=(f"{_QUOTE}.under_price",)),
    real(
        "own_over_probability",
        "P(over) of the quote's own prices without the vig (multiplicative); null without both",
        nullable=True,
        ge=0,
        le=1,
        source=(f"{_QUOTE}.over_price", f"{_QUOTE}.under_price"),
    ),
    text("quote_id", "The quote", source=(f"{_QUOTE}.quote_id",)),
    instant("quoted_at", "When it was captured", source=(f"{_QUOTE}.snapshot_at",)),
    real(
        "minutes_before_game", "Minutes from the capture to the cut-off", "min", ge=0,
        source=(f"{_QUOTE}.minutes_before_game",),
    ),
    real(
        "age_minutes", "How long before the capture the book had updated its market; null where it does not say", "min",
        nullable=True, ge=0, source=(f"{_QUOTE}.last_update_at",),
    ),
)  # fmt: skip

BOOK_LINES = Table(
    "nba_analytics",
    "book_lines",
    "One row per quote that a sportsbook offers on a slate player before the cut-off: its main line, and the "
    "alternates of its last capture.",
    (
        *_OFFER,
        text("engine", "The odds engine, one for books that share their lines"),
        real("hold", "Share of all stakes that the book keeps; null without both prices", nullable=True),
        text("data_source", "The API of the quote", source=(f"{_QUOTE}.data_source",)),
        flag(
            "is_close",
            "Its true close: its main line, captured at most 45 minutes before the cut-off",
            nullable=True,
            source=(f"{_QUOTE}.minutes_before_game",),
        ),
        real("opening_line", "The book's first main line", STAT, nullable=True, source=(f"{_QUOTE}.line",)),
        whole("opening_over_price", "Its American over price", nullable=True, source=(f"{_QUOTE}.over_price",)),
        whole("opening_under_price", "Its American under price", nullable=True, source=(f"{_QUOTE}.under_price",)),
        text("opening_quote_id", "Its quote", nullable=True, source=(f"{_QUOTE}.quote_id",)),
        instant("opening_at", "When it was captured", nullable=True, source=(f"{_QUOTE}.snapshot_at",)),
    ),
    key=("quote_id",),
)

_P = "nba_analytics.book_lines"

CONSENSUS = Table(
    "nba_analytics",
    "consensus",
    "One row per player and market on whom a sportsbook has a main line: the median that the lines and prices of all "
    "books imply together.",
    (
        *PERSON,
        MARKET,
        CUTOFF_AT,
        real(
            "median",
            "The median result; below 0 for the longest prices; null with a reason",
            STAT,
            nullable=True,
            source=(f"{_P}.line", f"{_P}.own_over_probability"),
        ),
        count("engines", "Odds engines behind it, one for books that share their lines", "engines"),
        text("no_consensus_reason", "Why there is none: TOO_FEW_BOOKS", nullable=True),
    ),
    key=("market", "player_id"),
)


def _of_each_side(name: str, description: str, **more: Any) -> tuple[Column, Column]:
    """A column for the over and one for the under; ``{0}`` in the description is the side."""
    return tuple(  # type: ignore[return-value]
        real(name.format(side), description.format(side), nullable=True, **more) for side in ("over", "under")
    )


PRICES = Table(
    "nba_analytics",
    "prices",
    "One row per quote of book_lines: what its two sides are worth by the consensus of the other books, and the best "
    "price of each side.",
    (
        *_OFFER,
        count("engines", "Other odds engines with a main line, those behind this row's prices", "engines"),
        real(
            "fair_line", "The median that the other engines' lines and prices imply; below 0 for the longest prices",
            STAT, nullable=True,
            source=(f"{_P}.line", f"{_P}.own_over_probability"),
        ),
        real(
            "over_probability", "P(result above the line, given that it is not equal to it) by the other engines",
            nullable=True, ge=0, le=1, source=(f"{_P}.line", f"{_P}.own_over_probability"),
        ),
        *_of_each_side("fair_{0}_price", "American price of the {0} at that probability, without a vig"),
        *_of_each_side(
            "{0}_ev", "Expected profit of a unit on the {0} at the quote's price, by that probability", unit="units"
        ),
        *_of_each_side(
            "{0}_ev_shrunk", "The same by a probability that keeps part of the distance from the quote's own",
            unit="units",
        ),
        *_of_each_side(
            "{0}_stake", "Stake on the {0} as a share of the bankroll: a quarter of Kelly's by the shrunk probability, "
            "at most 0.01", ge=0,
        ),
        whole("best_over_price", "Best American over price at this line", nullable=True),
        text("best_over_book", "Sportsbook that offers it", nullable=True),
        whole("best_under_price", "Best American under price at this line", nullable=True),
        text("best_under_book", "Sportsbook that offers it", nullable=True),
        real("line_low", "Lowest main line of the books", STAT, nullable=True),
        real("line_high", "Highest", STAT, nullable=True),
        flag("is_outlier", "The quote's own probability is more than 0.02 from that of the others", nullable=True),
        text("no_price_reason", "Why there is no fair price: TOO_FEW_BOOKS", nullable=True),
    ),
    key=("quote_id",),
)  # fmt: skip

LINE_COLUMNS = (
    flag("has_prop_line", "A sportsbook line was found before the cut-off"),
    text("line_source", either(LineSource), isin=words(LineSource)),
    text("line_source_api", "API the quote came from, such as ODDS_API", nullable=True),
    text("sportsbook", "Book of the chosen quote", nullable=True, source=("nba_raw.odds_quotes.bookmaker",)),
    text("quote_id", "The chosen quote", nullable=True, source=("nba_raw.odds_quotes.quote_id",)),
    real("line", "Its line", STAT, nullable=True, ge=0.5, source=("nba_raw.odds_quotes.line",)),
    whole("over_price", "Its American over price", nullable=True, source=("nba_raw.odds_quotes.over_price",)),
    whole("under_price", "Its American under price", nullable=True, source=("nba_raw.odds_quotes.under_price",)),
    real(
        "line_minutes_before_game",
        "Minutes from the quote to the cut-off",
        "min",
        nullable=True,
        ge=0,
        source=("nba_raw.odds_quotes.minutes_before_game",),
    ),
)

_MARKET_COLUMNS = (
    real("consensus_line", "Median of the sportsbooks' main lines", STAT, nullable=True),
    count("books", "Sportsbooks with a main line", "books"),
    real("line_range", "Highest less lowest main line", STAT, nullable=True, ge=0),
    real("opening_line", "First main line of the chosen book", STAT, nullable=True),
    instant("opening_at", "When the opening line was captured", nullable=True),
    real("line_movement", "Line less opening line", STAT, nullable=True),
    whole("best_over_price", "Best American over price at the chosen line", nullable=True),
    text("best_over_book", "Sportsbook that offers it", nullable=True),
    whole("best_under_price", "Best American under price at the chosen line", nullable=True),
    text("best_under_book", "Sportsbook that offers it", nullable=True),
)

BETTING_LINES = Table(
    "nba_analytics",
    "betting_lines",
    "One row per slate player and market: the line chosen for predictions with its provenance, or NO_PROP_LINE with a "
    "reason. In markets other than points, players whom a book quotes in them.",
    (
        *PERSON,
        MARKET,
        CUTOFF_AT,
        *LINE_COLUMNS,
        instant(
            "quoted_at",
            "When the quote was captured",
            nullable=True,
            source=("nba_raw.odds_quotes.snapshot_at",),
        ),
        *_MARKET_COLUMNS,
        text(
            "no_line_reason",
            "Why there is no line: NOT_QUOTED, NO_SPORTSBOOK, ONLY_IN_PLAY, ONLY_STALE, ONE_SIDED or NO_CUTOFF",
            nullable=True,
        ),
    ),
    key=("market", "player_id"),
)


_H = "nba_analytics.historical_games"
_B = "nba_raw.box_scores"
CONTEXT_FEATURES = (
    count("history_games", "Past games found in the look-back", "games", source=(f"{_H}.recency",)),
    day("history_through", "Most recent of them", nullable=True, source=(f"{_H}.played_on",)),
    whole(
        "days_rest",
        "Days since his last game; 1 means he played yesterday",
        "days",
        nullable=True,
        source=(f"{_H}.played_on",),
    ),
    flag("back_to_back", "He played yesterday", nullable=True, source=(f"{_H}.played_on",)),
    count("games_in_last_7_days", "Appearances in the 7 days before the date", "games", source=(f"{_H}.played_on",)),
    count("games_in_last_14_days", "Appearances in the 14 days before", "games", source=(f"{_H}.played_on",)),
    count("minutes_in_last_7_days", "Minutes in the 7 days before", "min", source=(f"{_H}.minutes",)),
    count("minutes_in_last_14_days", "Minutes in the 14 days before", "min", source=(f"{_H}.minutes",)),
    count(
        "back_to_backs_last_14_days",
        "Pairs of games on consecutive days in the 14 days before",
        "pairs",
        source=(f"{_H}.played_on",),
    ),
    real(
        "points_avg_last_5",
        "Mean of the last 5 games, fewer when fewer were played",
        "points",
        nullable=True,
        source=(f"{_H}.points",),
    ),
    real("points_avg_last_10", "Mean of the last 10 games", "points", nullable=True, source=(f"{_H}.points",)),
    real(
        "points_avg_season",
        "Mean of the season's games before the date",
        "points",
        nullable=True,
        source=(f"{_B}.points",),
    ),
    real(
        "points_std_last_10",
        "Sample standard deviation of the last 10 games",
        "points",
        nullable=True,
        source=(f"{_H}.points",),
    ),
    count("games_last_5", "Games behind the last-5 average", "games", le=5, source=(f"{_H}.recency",)),
    count("games_last_10", "Games behind the last-10 average", "games", le=10, source=(f"{_H}.recency",)),
    count("games_season", "Games behind the season average", "games", source=(f"{_B}.game_id",)),
    real("minutes_avg_last_5", "Mean minutes of the last 5 games", "min", nullable=True, source=(f"{_H}.minutes",)),
    real("minutes_avg_last_10", "Mean minutes of the last 10 games", "min", nullable=True, source=(f"{_H}.minutes",)),
    real(
        "projected_minutes",
        "Minutes he is expected to play: mean over his games in the look-back, with weights that halve every "
        f"{MINUTES_HALF_LIFE} games back",
        "min",
        nullable=True,
        source=(f"{_H}.minutes",),
    ),
    real("minutes_avg_season", "Mean minutes of the season's games", "min", nullable=True, source=(f"{_B}.minutes",)),
    real(
        "team_pace_last_10",
        "Possessions per 48 minutes of the team's last 10 games",
        "poss/48",
        nullable=True,
        source=(f"{_B}.fga",),
    ),
    real(
        "team_off_rating_last_10",
        "Points per 100 possessions, team's last 10 games",
        "pts/100",
        nullable=True,
        source=(f"{_B}.points",),
    ),
    real(
        "opponent_pace_last_10",
        "Possessions per 48 minutes of the opponent's last 10 games",
        "poss/48",
        nullable=True,
        source=(f"{_B}.fga",),
    ),
    real(
        "opponent_def_rating_last_15",
        "Points allowed per 100 possessions, opponent's last 15 games",
        "pts/100",
        nullable=True,
        source=(f"{_B}.points",),
    ),
    real(
        "fatigue_score",
        "Freshness 0-100, 100 is fresh; without the age term, as no feed gives ages",
        "0-100",
        nullable=True,
        source=(f"{_H}.played_on", f"{_H}.minutes"),
    ),
    real(
        "pace_score",
        "Half the opponent's pace less the team's, within -3..3",
        "-3..3",
        nullable=True,
        source=(f"{_B}.fga",),
    ),
    whole(
        "teammates_reported_absent",
        "Team-mates who are OUT or DOUBTFUL in the newest report before the cut-off",
        "players",
        nullable=True,
        source=("nba_raw.injury_reports.status",),
    ),
    real("shot_zone_mismatch_score", "Null: no feed has opponents' defence by shot zone", "-10..10", nullable=True),
    real("usage_spike_score", "Null: no landed feed projects usage", "-3..3", nullable=True),
)

CONTEXT = Table(
    "nba_analytics",
    "upcoming_player_game_context",
    "One row per slate player: what was known about him, his team and his opponent before the cut-off.",
    (
        *PERSON,
        text("season", "Season such as 2025-26", source=("nba_analytics.slate.season",)),
        text("season_type", "Regular Season, Playoffs, ...", source=("nba_analytics.slate.season_type",)),
        *_SIDE,
        CUTOFF_AT,
        text(
            "injury_status",
            "Status in the newest report, or NOT_LISTED; null when no report lists his game before the cut-off",
            nullable=True,
            source=("nba_raw.injury_reports.status",),
        ),
        instant(
            "injury_reported_at",
            "Time of that report",
            nullable=True,
            source=("nba_raw.injury_reports.report_at",),
        ),
        *CONTEXT_FEATURES,
        flag(
            "has_prop_line", "A line is known before the cut-off", source=("nba_analytics.betting_lines.has_prop_line",)
        ),
        real("line", "The chosen line", "points", nullable=True, source=("nba_analytics.betting_lines.line",)),
        real(
            "consensus_line",
            "Median main line",
            "points",
            nullable=True,
            source=("nba_analytics.betting_lines.consensus_line",),
        ),
        real(
            "opening_line",
            "Opening line of the chosen book",
            "points",
            nullable=True,
            source=("nba_analytics.betting_lines.opening_line",),
        ),
        text("null_reasons", "JSON object: each null value and why it is null"),
    ),
    key=("player_id",),
)
