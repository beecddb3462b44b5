"""Contracts of ``nba_raw``: what the outside world delivered, parsed and typed, nothing decided."""

from dataclasses import replace

from nba_props.schemas.base import Column, Table, Type, WriteMode

GAME_DATE = Column("game_date", Type.DATE, "US/Eastern date of tip-off; the partition")
GAME_ID = Column("game_id", Type.STRING, "The NBA's 10-digit game id")
PLAYER_ID = Column("player_id", Type.INT64, "The NBA's player id", ge=1)
PLAYER_NAME = Column("player_name", Type.STRING, "Player name as the NBA spells it")
PLAYER_LOOKUP = Column("player_lookup", Type.STRING, "Normalised player name (domain/names.py)")
PAYLOAD = Column("payload", Type.STRING, "Landing-zone path of the payload the row came from")
DATA_SOURCE = Column("data_source", Type.STRING, "Who delivered the payload: NBA_STATS, THE_ODDS_API or SIMULATED")

SCHEDULE = Table(
    "nba_raw",
    "schedule",
    "Games by Eastern date, from scheduleleaguev2: who plays whom, and when tip-off is.",
    (
        GAME_DATE,
        GAME_ID,
        Column("season", Type.STRING, "Season such as 2025-26"),
        Column("season_type", Type.STRING, "Pre Season, Regular Season, All-Star, Playoffs, PlayIn or NBA Cup"),
        Column("tipoff_at", Type.TIMESTAMP, "Scheduled tip-off; null while it is to be decided", nullable=True),
        Column("status", Type.INT64, "1 scheduled, 2 in progress, 3 final", ge=1, le=3),
        Column("is_postponed", Type.BOOL, "The league marked the game as postponed"),
        Column("home_team_id", Type.INT64, "The NBA's team id", ge=1),
        Column("home_team", Type.STRING, "Home tricode"),
        Column("home_team_name", Type.STRING, "Home city and name"),
        Column("away_team_id", Type.INT64, "The NBA's team id", ge=1),
        Column("away_team", Type.STRING, "Away tricode"),
        Column("away_team_name", Type.STRING, "Away city and name"),
        Column("home_score", Type.INT64, "Final score; null until the game is final", "points", nullable=True, ge=0),
        Column("away_score", Type.INT64, "Final score; null until the game is final", "points", nullable=True, ge=0),
        Column(
            "is_neutral",
            Type.BOOL,
            "Neither team plays in its own arena; null where the feed does not say",
            nullable=True,
        ),
        Column("arena", Type.STRING, "Arena name", nullable=True),
        PAYLOAD,
        DATA_SOURCE,
    ),
    key=("game_id",),
)
#: what is known before a game: it changes neither while the game goes on nor when it ends
SCHEDULE = replace(SCHEDULE, facets={"plan": SCHEDULE.content_but("status", "home_score", "away_score")}, guarded=3)


def _count(name: str, description: str, unit: str, source: tuple[str, ...] = ()) -> Column:
    return Column(name, Type.INT64, description, unit, ge=0, source=source)


BOX_SCORE_STATS = (
    _count("minutes", "Minutes played, rounded to whole ones; 0 means some seconds", "min"),
    _count("fgm", "Field goals made", "shots"),
    _count("fga", "Field goals attempted", "shots"),
    _count("fg3m", "Three-pointers made", "shots"),
    _count("fg3a", "Three-pointers attempted", "shots"),
    _count("ftm", "Free throws made", "shots"),
    _count("fta", "Free throws attempted", "shots"),
    _count("oreb", "Offensive rebounds", "rebounds"),
    _count("dreb", "Defensive rebounds", "rebounds"),
    _count("ast", "Assists", "assists"),
    _count("stl", "Steals", "steals"),
    _count("blk", "Blocks", "blocks"),
    _count("tov", "Turnovers", "turnovers"),
    _count("pf", "Personal fouls", "fouls"),
    _count("points", "Points scored", "points"),
)

BOX_SCORES = Table(
    "nba_raw",
    "box_scores",
    "One row per player who entered a game, from leaguegamelog. A player who did not play has no row.",
    (
        GAME_DATE,
        GAME_ID,
        PLAYER_ID,
        PLAYER_NAME,
        PLAYER_LOOKUP,
        Column("season", Type.STRING, "Season such as 2025-26"),
        Column("season_type", Type.STRING, "Pre Season, Regular Season, All-Star, Playoffs, PlayIn or NBA Cup"),
        Column("team_id", Type.INT64, "The NBA's id of the player's team in this game", ge=1),
        Column("team", Type.STRING, "Tricode of the player's team"),
        Column("opponent", Type.STRING, "Tricode of the opponent"),
        Column("is_home", Type.BOOL, "The player's team is listed at home"),
        Column("won", Type.BOOL, "The player's team won", nullable=True),
        *BOX_SCORE_STATS,
        Column("plus_minus", Type.INT64, "Score difference while on court", "points", nullable=True),
        PAYLOAD,
        DATA_SOURCE,
    ),
    key=("game_id", "player_id"),
    guarded=10,
)

ODDS_QUOTES = Table(
    "nba_raw",
    "odds_quotes",
    "Every player-points quote of every book and capture, both sides in one row; in-play ones are kept and marked.",
    (
        GAME_DATE,
        Column("quote_id", Type.STRING, "Hash of event, book, market, player, line, prices and snapshot instant"),
        GAME_ID,
        Column("event_id", Type.STRING, "The Odds API's event id"),
        Column("bookmaker", Type.STRING, "The Odds API's book key, such as draftkings"),
        Column("book_kind", Type.STRING, "SPORTSBOOK, DFS or UNKNOWN (domain/odds.py)"),
        Column("market", Type.STRING, "player_points or player_points_alternate"),
        Column("source_name", Type.STRING, "Player name as the book spells it"),
        PLAYER_LOOKUP,
        Column("line", Type.FLOAT64, "Points line", "points", ge=0.5),
        Column(
            "over_price", Type.INT64, "American price of the over; null when only the under is quoted", nullable=True
        ),
        Column(
            "under_price", Type.INT64, "American price of the under; null when only the over is quoted", nullable=True
        ),
        Column("snapshot_at", Type.TIMESTAMP, "When the quote was seen"),
        Column("last_update_at", Type.TIMESTAMP, "When the book last changed the market", nullable=True),
        Column("commence_at", Type.TIMESTAMP, "Start of the event as the odds feed gives it"),
        Column(
            "cutoff_at",
            Type.TIMESTAMP,
            "Tip-off: the earlier of schedule and odds feed",
            source=("nba_raw.schedule.tipoff_at", "nba_raw.odds_quotes.commence_at"),
        ),
        Column("minutes_before_game", Type.FLOAT64, "Minutes from snapshot to cut-off; negative is in-play", "min"),
        Column("is_in_play", Type.BOOL, "Seen at or after the cut-off: never chosen as a line"),
        PAYLOAD,
        DATA_SOURCE,
    ),
    key=("quote_id",),
    guarded=10,
)


def _share(name: str, description: str) -> Column:
    return Column(name, Type.FLOAT64, description, "0-1", nullable=True, ge=0, le=1)


SCORING_SHARES = Table(
    "nba_raw",
    "scoring_shares",
    "Where a player's points of a game came from, by landed boxscorescoringv3 payloads; no row without one.",
    (
        GAME_DATE,
        GAME_ID,
        PLAYER_ID,
        _share("points_paint", "Share of his points in the paint"),
        _share("points_mid_range", "Share of his points from mid-range"),
        _share("points_three", "Share of his points from three-pointers"),
        _share("points_free_throw", "Share of his points from free throws"),
        PAYLOAD,
        DATA_SOURCE,
    ),
    key=("game_id", "player_id"),
    guarded=10,
)

ROSTERS = Table(
    "nba_raw",
    "rosters",
    "Team membership as delivered by landed commonallplayers payloads, under the Eastern date of capture.",
    (
        GAME_DATE,
        PLAYER_ID,
        PLAYER_NAME,
        PLAYER_LOOKUP,
        Column("team_id", Type.INT64, "The NBA's team id", ge=1),
        Column("team", Type.STRING, "Tricode"),
        Column("captured_at", Type.TIMESTAMP, "When the payload was captured"),
        PAYLOAD,
        DATA_SOURCE,
    ),
    key=("player_id", "captured_at"),
    guarded=10,
)


#: what the official report says of a player
INJURY_STATUSES = ("OUT", "DOUBTFUL", "QUESTIONABLE", "PROBABLE", "AVAILABLE")
#: a player is named and his status can't be read: his standing is unknown
STATUS_UNREADABLE = "STATUS_UNREADABLE"
#: rows that stand for a team and not for a player: it has not submitted, or a name of it can't be read. Whom they name
#: none the less is known; of everybody else of the team nothing is
NOT_SUBMITTED, NAME_UNREADABLE = "NOT_SUBMITTED", "NAME_UNREADABLE"
TEAM_UNKNOWN = (NOT_SUBMITTED, NAME_UNREADABLE)

INJURY_REPORTS = Table(
    "nba_raw",
    "injury_reports",
    "Players named in the landed official injury reports, once for each report, and teams whose list is not known; a "
    "report counts from its instant on.",
    (
        GAME_DATE,
        Column("report_at", Type.TIMESTAMP, "The instant that the report states"),
        Column("away_team", Type.STRING, "Tricode of the visitors"),
        Column("home_team", Type.STRING, "Tricode of the hosts"),
        Column("team_name", Type.STRING, "The player's team as the report spells it"),
        Column("source_name", Type.STRING, "The player as the report spells him: Last, First"),
        PLAYER_NAME,
        PLAYER_LOOKUP,
        Column(
            "status",
            Type.STRING,
            "Stated status; OUT and DOUBTFUL are not predicted. STATUS_UNREADABLE: nobody knows it; NOT_SUBMITTED and "
            "NAME_UNREADABLE: a team of whose other players nothing is known",
            isin=(*INJURY_STATUSES, STATUS_UNREADABLE, *TEAM_UNKNOWN),
        ),
        Column("reason", Type.STRING, "Stated reason", nullable=True),
        PAYLOAD,
        DATA_SOURCE,
    ),
    key=("report_at", "team_name", "player_lookup"),
    guarded=10,
)


def _quarantine(name: str, of: str) -> Table:
    return Table(
        "nba_raw",
        name,
        f"Payloads and rows that could not become {of}, with the reason; nothing delivered is dropped.",
        (
            GAME_DATE,
            Column("quarantine_id", Type.STRING, "Hash of payload, position and reason"),
            PAYLOAD,
            Column("position", Type.STRING, "Where in the payload: a row number or a path", nullable=True),
            Column("reason", Type.STRING, "Reason code"),
            Column("detail", Type.STRING, "The reason in words, with the value that caused it"),
            Column("raw", Type.STRING, "The offending piece of the payload as JSON", nullable=True),
        ),
        key=("quarantine_id",),
        write_mode=WriteMode.REPLACE,
    )


QUARANTINED_GAMES = _quarantine("quarantined_games", "schedule rows")
QUARANTINED_BOX_SCORES = _quarantine("quarantined_box_scores", "box scores")
QUARANTINED_QUOTES = _quarantine("quarantined_quotes", "odds quotes")
QUARANTINED_SCORING = _quarantine("quarantined_scoring", "scoring shares")
QUARANTINED_INJURIES = _quarantine("quarantined_injuries", "injury reports")
QUARANTINED_ROSTERS = _quarantine("quarantined_rosters", "roster rows")
