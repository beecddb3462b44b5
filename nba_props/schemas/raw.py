"""Contracts of ``nba_raw``: external data as delivered, parsed and typed, without any judgement."""

from dataclasses import replace

from nba_props.facts import markets
from nba_props.facts.calendar import SEASON_TYPES
from nba_props.facts.vocabulary import BookKind, DataSource, InjuryStatus, either, words
from nba_props.schemas.base import Column, Table, Type, WriteMode, count, day, flag, instant, real, text, whole

GAME_DATE = day("game_date", "US/Eastern date of tip-off; the partition")
GAME_ID = text("game_id", "The NBA's 10-digit game id")
SEASON = text("season", "Season such as 2025-26")
SEASON_TYPE = text("season_type", either(t.name for t in SEASON_TYPES))
PLAYER_ID = whole("player_id", "The NBA's player id", ge=1)
PLAYER_NAME = text("player_name", "Player name as spelled by the NBA")
PLAYER_LOOKUP = text("player_lookup", "Normalized player name (domain/names.py)")
MARKET = text("market", either(markets.keys()), isin=markets.keys(), before=markets.POINTS)
#: the unit of lines, forecasts and results: what their market counts
STAT = "stat"
PAYLOAD = text("payload", "Landing-zone path of the payload the row came from")
DATA_SOURCE = text("data_source", f"Source of the payload: {either(DataSource)}")

SCHEDULE = Table(
    "nba_raw",
    "schedule",
    "Games by Eastern date, from scheduleleaguev2: who plays whom, and when tip-off is.",
    (
        GAME_DATE,
        GAME_ID,
        SEASON,
        SEASON_TYPE,
        instant("tipoff_at", "Scheduled tip-off; null while it is to be decided", nullable=True),
        whole("status", "1 scheduled, 2 in progress, 3 final", ge=1, le=3),
        flag("is_postponed", "The league marked the game as postponed"),
        whole("home_team_id", "The NBA's team id", ge=1),
        text("home_team", "Home tricode"),
        text("home_team_name", "Home city and name"),
        whole("away_team_id", "The NBA's team id", ge=1),
        text("away_team", "Away tricode"),
        text("away_team_name", "Away city and name"),
        count("home_score", "Final score; null until the game is final", "points", nullable=True),
        count("away_score", "Final score; null until the game is final", "points", nullable=True),
        flag("is_neutral", "Neither team plays in its own arena; null where the feed does not state it", nullable=True),
        text("arena", "Arena name", nullable=True),
        PAYLOAD,
        DATA_SOURCE,
    ),
    key=("game_id",),
)
#: what is known before a game: it changes neither during the game nor when it ends
SCHEDULE = replace(SCHEDULE, facets={"plan": SCHEDULE.content_but("status", "home_score", "away_score")}, guarded=3)


BOX_SCORE_STATS = (
    count("minutes", "Minutes played, rounded; 0 means a few seconds", "min"),
    count("fgm", "Field goals made", "shots"),
    count("fga", "Field goals attempted", "shots"),
    count("fg3m", "Three-pointers made", "shots"),
    count("fg3a", "Three-pointers attempted", "shots"),
    count("ftm", "Free throws made", "shots"),
    count("fta", "Free throws attempted", "shots"),
    count("oreb", "Offensive rebounds", "rebounds"),
    count("dreb", "Defensive rebounds", "rebounds"),
    count("ast", "Assists", "assists"),
    count("stl", "Steals", "steals"),
    count("blk", "Blocks", "blocks"),
    count("tov", "Turnovers", "turnovers"),
    count("pf", "Personal fouls", "fouls"),
    count("points", "Points scored", "points"),
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
        SEASON,
        SEASON_TYPE,
        whole("team_id", "The NBA's id of the player's team in this game", ge=1),
        text("team", "Tricode of the player's team"),
        text("opponent", "Tricode of the opponent"),
        flag("is_home", "The player's team is listed at home"),
        flag("won", "The player's team won", nullable=True),
        *BOX_SCORE_STATS,
        whole("plus_minus", "Score difference while on court", "points", nullable=True),
        PAYLOAD,
        DATA_SOURCE,
    ),
    key=("game_id", "player_id"),
    guarded=10,
)

ODDS_QUOTES = Table(
    "nba_raw",
    "odds_quotes",
    "Every quote of a player by every book and capture, both sides in one row, of every market; in-play ones are kept "
    "and marked.",
    (
        GAME_DATE,
        text("quote_id", "Hash of event, book, market, player, line, prices and snapshot instant"),
        GAME_ID,
        text("event_id", "The Odds API's event id"),
        text("bookmaker", "The Odds API's book key, such as draftkings"),
        text("book_kind", f"{either(BookKind)} (facts/books.py)"),
        text("market", "The Odds API's key of the market, such as player_points (facts/markets.py)"),
        text("source_name", "Player name as spelled by the book"),
        PLAYER_LOOKUP,
        real("line", "Its line", STAT, ge=0.5),
        whole("over_price", "American price of the over; null when only the under is quoted", nullable=True),
        whole("under_price", "American price of the under; null when only the over is quoted", nullable=True),
        instant("snapshot_at", "When the quote was captured"),
        instant("last_update_at", "When the book last changed the market", nullable=True),
        instant("commence_at", "Start of the event in the odds feed"),
        instant(
            "cutoff_at",
            "Tip-off: the earlier of schedule and odds feed",
            source=("nba_raw.schedule.tipoff_at", "nba_raw.odds_quotes.commence_at"),
        ),
        real("minutes_before_game", "Minutes from snapshot to cut-off; negative is in-play", "min"),
        flag("is_in_play", "Captured at or after the cut-off: never chosen as a line"),
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
    "Where a player's points in a game came from, by landed boxscorescoringv3 payloads; no row without one.",
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
        whole("team_id", "The NBA's team id", ge=1),
        text("team", "Tricode"),
        instant("captured_at", "When the payload was captured"),
        PAYLOAD,
        DATA_SOURCE,
    ),
    key=("player_id", "captured_at"),
    guarded=10,
)


INJURY_REPORTS = Table(
    "nba_raw",
    "injury_reports",
    "Players listed in the landed official injury reports, once for each report, and teams whose list is not known; a "
    "report counts from its stated time on.",
    (
        GAME_DATE,
        instant("report_at", "The time stated in the report"),
        text("away_team", "Tricode of the visitors"),
        text("home_team", "Tricode of the hosts"),
        text("team_name", "The player's team as spelled in the report"),
        text("source_name", "The player as spelled in the report: Last, First"),
        PLAYER_NAME,
        PLAYER_LOOKUP,
        text(
            "status",
            "Stated status; OUT and DOUBTFUL players get no forecast. STATUS_UNREADABLE: unknown; NOT_SUBMITTED and "
            "NAME_UNREADABLE: a team whose other players' status is unknown",
            isin=words(InjuryStatus),
        ),
        text("reason", "Stated reason", nullable=True),
        PAYLOAD,
        DATA_SOURCE,
    ),
    key=("report_at", "team_name", "player_lookup"),
    guarded=10,
)


def quarantine(name: str, of: str) -> Table:
    """The contract of what could not become rows of a table."""
    return Table(
        "nba_raw",
        name,
        f"Payloads and rows that could not be parsed as {of}, with the reason; nothing delivered is dropped.",
        (
            GAME_DATE,
            text("quarantine_id", "Hash of payload, position and reason"),
            PAYLOAD,
            text("position", "Where in the payload: a row number or a path", nullable=True),
            text("reason", "Reason code"),
            text("detail", "The reason in words, with the value that caused it"),
            text("raw", "The offending piece of the payload as JSON", nullable=True),
        ),
        key=("quarantine_id",),
        write_mode=WriteMode.REPLACE,
    )


QUARANTINED_GAMES = quarantine("quarantined_games", "schedule rows")
QUARANTINED_BOX_SCORES = quarantine("quarantined_box_scores", "box scores")
QUARANTINED_QUOTES = quarantine("quarantined_quotes", "odds quotes")
QUARANTINED_SCORING = quarantine("quarantined_scoring", "scoring shares")
QUARANTINED_INJURIES = quarantine("quarantined_injuries", "injury reports")
QUARANTINED_ROSTERS = quarantine("quarantined_rosters", "roster rows")
