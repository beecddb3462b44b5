"""Contracts of ``nba_analytics``: the slate, its history, its lines and its context."""

from nba_props.schemas.base import Column, Table, Type
from nba_props.schemas.raw import BOX_SCORE_STATS, GAME_DATE, GAME_ID, PLAYER_ID, PLAYER_LOOKUP, PLAYER_NAME

#: half-life, in games, of a player's exponentially weighted minutes
MINUTES_HALF_LIFE = 5

CUTOFF_AT = Column(
    "cutoff_at",
    Type.TIMESTAMP,
    "Tip-off; nothing seen at or after it is used. Null while unknown: no line can be verified then",
    nullable=True,
    source=("nba_raw.schedule.tipoff_at", "nba_raw.odds_quotes.cutoff_at"),
)

PERSON = (GAME_DATE, GAME_ID, PLAYER_ID, PLAYER_NAME, PLAYER_LOOKUP)
_SIDE = (
    Column("team_id", Type.INT64, "Player's team; null with a reason when unknown", nullable=True, ge=1),
    Column("team", Type.STRING, "Tricode of the player's team", nullable=True),
    Column("opponent_team_id", Type.INT64, "Opponent; null when the team is unknown", nullable=True, ge=1),
    Column("opponent", Type.STRING, "Tricode of the opponent", nullable=True),
    Column("is_home", Type.BOOL, "The player's team is at home; null when the team is unknown", nullable=True),
)

SLATE = Table(
    "nba_analytics",
    "slate",
    "One row per player-game: everyone on the two rosters, and everyone with a resolved quote.",
    (
        *PERSON,
        Column("season", Type.STRING, "Season such as 2025-26", source=("nba_raw.schedule.season",)),
        Column("season_type", Type.STRING, "Regular Season, Playoffs, ...", source=("nba_raw.schedule.season_type",)),
        *_SIDE,
        Column(
            "team_source", Type.STRING, "LAST_GAME, ROSTER or LAST_SEASON; null when the team is unknown", nullable=True
        ),
        Column("team_null_reason", Type.STRING, "Why the team is unknown", nullable=True),
        Column("tipoff_at", Type.TIMESTAMP, "Scheduled tip-off", nullable=True, source=("nba_raw.schedule.tipoff_at",)),
        CUTOFF_AT,
        Column(
            "is_quoted",
            Type.BOOL,
            "A book quoted the player for this game",
            source=("nba_reference.resolved_names.player_id",),
        ),
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
        Column("recency", Type.INT64, "1 is the most recent game", ge=1),
        Column(
            "played_on",
            Type.DATE,
            "Eastern date of the past game, before game_date",
            source=("nba_raw.box_scores.game_date",),
        ),
        Column("game_id", Type.STRING, "Id of the past game", source=("nba_raw.box_scores.game_id",)),
        Column("season", Type.STRING, "Season of the past game", source=("nba_raw.box_scores.season",)),
        Column("season_type", Type.STRING, "Season type of the past game", source=("nba_raw.box_scores.season_type",)),
        Column("team_id", Type.INT64, "Team he played for", ge=1, source=("nba_raw.box_scores.team_id",)),
        Column("team", Type.STRING, "Tricode of that team", source=("nba_raw.box_scores.team",)),
        Column("opponent", Type.STRING, "Tricode of that opponent", source=("nba_raw.box_scores.opponent",)),
        Column("is_home", Type.BOOL, "That team was listed at home", source=("nba_raw.box_scores.is_home",)),
        *(
            Column(c.name, c.type, c.description, c.unit, ge=c.ge, source=(f"nba_raw.box_scores.{c.name}",))
            for c in BOX_SCORE_STATS
        ),
    ),
    key=("player_id", "recency"),
)

LINE_SOURCES = ("ACTUAL_PROP", "NO_PROP_LINE")

LINE_COLUMNS = (
    Column("has_prop_line", Type.BOOL, "A sportsbook line was found before the cut-off"),
    Column("line_source", Type.STRING, "ACTUAL_PROP or NO_PROP_LINE", isin=LINE_SOURCES),
    Column("line_source_api", Type.STRING, "API the quote came from, such as ODDS_API", nullable=True),
    Column(
        "sportsbook", Type.STRING, "Book of the chosen quote", nullable=True, source=("nba_raw.odds_quotes.bookmaker",)
    ),
    Column("quote_id", Type.STRING, "The chosen quote", nullable=True, source=("nba_raw.odds_quotes.quote_id",)),
    Column("line", Type.FLOAT64, "Its line", "points", nullable=True, ge=0.5, source=("nba_raw.odds_quotes.line",)),
    Column(
        "over_price", Type.INT64, "Its American over price", nullable=True, source=("nba_raw.odds_quotes.over_price",)
    ),
    Column(
        "under_price",
        Type.INT64,
        "Its American under price",
        nullable=True,
        source=("nba_raw.odds_quotes.under_price",),
    ),
    Column(
        "line_minutes_before_game",
        Type.FLOAT64,
        "Minutes from the quote to the cut-off",
        "min",
        nullable=True,
        ge=0,
        source=("nba_raw.odds_quotes.minutes_before_game",),
    ),
)

_MARKET_COLUMNS = (
    Column("consensus_line", Type.FLOAT64, "Median of the sportsbooks' main lines", "points", nullable=True),
    Column("books", Type.INT64, "Sportsbooks with a main line", "books", ge=0),
    Column("line_range", Type.FLOAT64, "Highest less lowest main line", "points", nullable=True, ge=0),
    Column("opening_line", Type.FLOAT64, "First main line of the chosen book", "points", nullable=True),
    Column("opening_at", Type.TIMESTAMP, "When the opening line was seen", nullable=True),
    Column("line_movement", Type.FLOAT64, "Line less opening line", "points", nullable=True),
    Column("best_over_price", Type.INT64, "Best American over price at the chosen line", nullable=True),
    Column("best_over_book", Type.STRING, "Sportsbook that offers it", nullable=True),
    Column("best_under_price", Type.INT64, "Best American under price at the chosen line", nullable=True),
    Column("best_under_book", Type.STRING, "Sportsbook that offers it", nullable=True),
)

BETTING_LINES = Table(
    "nba_analytics",
    "betting_lines",
    "One row per slate player: the line chosen for predictions with its provenance, or NO_PROP_LINE with a reason.",
    (
        *PERSON,
        CUTOFF_AT,
        *LINE_COLUMNS,
        Column(
            "quoted_at",
            Type.TIMESTAMP,
            "When the chosen quote was seen",
            nullable=True,
            source=("nba_raw.odds_quotes.snapshot_at",),
        ),
        *_MARKET_COLUMNS,
        Column(
            "no_line_reason",
            Type.STRING,
            "Why there is no line: NOT_QUOTED, NO_SPORTSBOOK, ONLY_IN_PLAY, ONLY_STALE, ONE_SIDED or NO_CUTOFF",
            nullable=True,
        ),
    ),
    key=("player_id",),
)


def _null(name: str, kind: Type, description: str, unit: str | None = None, source: tuple[str, ...] = ()) -> Column:
    return Column(name, kind, description, unit, nullable=True, source=source)


_H = "nba_analytics.historical_games"
_B = "nba_raw.box_scores"
CONTEXT_FEATURES = (
    Column("history_games", Type.INT64, "Past games found in the look-back", "games", ge=0, source=(f"{_H}.recency",)),
    _null("history_through", Type.DATE, "Most recent of them", source=(f"{_H}.played_on",)),
    _null(
        "days_rest", Type.INT64, "Days since his last game; 1 means he played yesterday", "days", (f"{_H}.played_on",)
    ),
    _null("back_to_back", Type.BOOL, "He played yesterday", source=(f"{_H}.played_on",)),
    Column(
        "games_in_last_7_days",
        Type.INT64,
        "Appearances in the 7 days before the date",
        "games",
        ge=0,
        source=(f"{_H}.played_on",),
    ),
    Column(
        "games_in_last_14_days",
        Type.INT64,
        "Appearances in the 14 days before",
        "games",
        ge=0,
        source=(f"{_H}.played_on",),
    ),
    Column(
        "minutes_in_last_7_days", Type.INT64, "Minutes in the 7 days before", "min", ge=0, source=(f"{_H}.minutes",)
    ),
    Column(
        "minutes_in_last_14_days", Type.INT64, "Minutes in the 14 days before", "min", ge=0, source=(f"{_H}.minutes",)
    ),
    Column(
        "back_to_backs_last_14_days",
        Type.INT64,
        "Pairs of games on consecutive days in the 14 days before",
        "pairs",
        ge=0,
        source=(f"{_H}.played_on",),
    ),
    _null(
        "points_avg_last_5",
        Type.FLOAT64,
        "Mean of the last 5 games, fewer when fewer were played",
        "points",
        (f"{_H}.points",),
    ),
    _null("points_avg_last_10", Type.FLOAT64, "Mean of the last 10 games", "points", (f"{_H}.points",)),
    _null("points_avg_season", Type.FLOAT64, "Mean of the season's games before the date", "points", (f"{_B}.points",)),
    _null(
        "points_std_last_10",
        Type.FLOAT64,
        "Sample standard deviation of the last 10 games",
        "points",
        (f"{_H}.points",),
    ),
    Column(
        "games_last_5", Type.INT64, "Games behind the last-5 average", "games", ge=0, le=5, source=(f"{_H}.recency",)
    ),
    Column(
        "games_last_10", Type.INT64, "Games behind the last-10 average", "games", ge=0, le=10, source=(f"{_H}.recency",)
    ),
    Column("games_season", Type.INT64, "Games behind the season average", "games", ge=0, source=(f"{_B}.game_id",)),
    _null("minutes_avg_last_5", Type.FLOAT64, "Mean minutes of the last 5 games", "min", (f"{_H}.minutes",)),
    _null("minutes_avg_last_10", Type.FLOAT64, "Mean minutes of the last 10 games", "min", (f"{_H}.minutes",)),
    _null(
        "projected_minutes",
        Type.FLOAT64,
        "Minutes he is expected to play: mean of those in the look-back's games he played, a game's weight halving "
        f"every {MINUTES_HALF_LIFE} games back",
        "min",
        (f"{_H}.minutes",),
    ),
    _null("minutes_avg_season", Type.FLOAT64, "Mean minutes of the season's games", "min", (f"{_B}.minutes",)),
    _null(
        "team_pace_last_10",
        Type.FLOAT64,
        "Possessions per 48 minutes of the team's last 10 games",
        "poss/48",
        (f"{_B}.fga",),
    ),
    _null(
        "team_off_rating_last_10",
        Type.FLOAT64,
        "Points per 100 possessions, team's last 10 games",
        "pts/100",
        (f"{_B}.points",),
    ),
    _null(
        "opponent_pace_last_10",
        Type.FLOAT64,
        "Possessions per 48 minutes of the opponent's last 10 games",
        "poss/48",
        (f"{_B}.fga",),
    ),
    _null(
        "opponent_def_rating_last_15",
        Type.FLOAT64,
        "Points allowed per 100 possessions, opponent's last 15 games",
        "pts/100",
        (f"{_B}.points",),
    ),
    _null(
        "fatigue_score",
        Type.FLOAT64,
        "Freshness 0-100, 100 is fresh; without the age term, as no feed gives ages",
        "0-100",
        (f"{_H}.played_on", f"{_H}.minutes"),
    ),
    _null(
        "pace_score", Type.FLOAT64, "Half the opponent's pace less the team's, within -3..3", "-3..3", (f"{_B}.fga",)
    ),
    _null(
        "teammates_reported_absent",
        Type.INT64,
        "Others of his team whom the newest report before the cut-off calls OUT or DOUBTFUL",
        "players",
        ("nba_raw.injury_reports.status",),
    ),
    _null("shot_zone_mismatch_score", Type.FLOAT64, "Null: no landed feed gives shot zones", "-10..10"),
    _null("usage_spike_score", Type.FLOAT64, "Null: no landed feed projects usage", "-3..3"),
)

CONTEXT = Table(
    "nba_analytics",
    "upcoming_player_game_context",
    "One row per slate player: what was known about him, his team and his opponent before the cut-off.",
    (
        *PERSON,
        Column("season", Type.STRING, "Season such as 2025-26", source=("nba_analytics.slate.season",)),
        Column(
            "season_type", Type.STRING, "Regular Season, Playoffs, ...", source=("nba_analytics.slate.season_type",)
        ),
        *_SIDE,
        CUTOFF_AT,
        _null(
            "injury_status",
            Type.STRING,
            "The newest report's word on him, or NOT_LISTED; null when no report names his game before the cut-off",
            source=("nba_raw.injury_reports.status",),
        ),
        _null(
            "injury_reported_at",
            Type.TIMESTAMP,
            "The instant of that report",
            source=("nba_raw.injury_reports.report_at",),
        ),
        *CONTEXT_FEATURES,
        Column(
            "has_prop_line",
            Type.BOOL,
            "A line is known before the cut-off",
            source=("nba_analytics.betting_lines.has_prop_line",),
        ),
        _null("line", Type.FLOAT64, "The chosen line", "points", ("nba_analytics.betting_lines.line",)),
        _null(
            "consensus_line",
            Type.FLOAT64,
            "Median main line",
            "points",
            ("nba_analytics.betting_lines.consensus_line",),
        ),
        _null(
            "opening_line",
            Type.FLOAT64,
            "Opening line of the chosen book",
            "points",
            ("nba_analytics.betting_lines.opening_line",),
        ),
        Column("null_reasons", Type.STRING, "JSON object: each null value and why it is null"),
    ),
    key=("player_id",),
)
