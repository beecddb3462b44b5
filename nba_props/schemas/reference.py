"""Contracts of ``nba_reference``: who is who, as known before the partition's date."""

from nba_props.schemas.base import Column, Table, Type
from nba_props.schemas.raw import GAME_DATE, GAME_ID, PLAYER_ID, PLAYER_LOOKUP, PLAYER_NAME

PLAYERS = Table(
    "nba_reference",
    "players",
    "Everyone who appeared in this season or the three before, up to the date, with the team he last belonged to.",
    (
        GAME_DATE,
        PLAYER_ID,
        PLAYER_NAME,
        PLAYER_LOOKUP,
        Column("team_id", Type.INT64, "Last known team", ge=1, source=("nba_raw.box_scores.team_id",)),
        Column("team", Type.STRING, "Tricode of the last known team", source=("nba_raw.box_scores.team",)),
        Column("team_source", Type.STRING, "LAST_GAME or ROSTER (a roster landed after his last game)"),
        Column(
            "last_game_date", Type.DATE, "Last appearance before the date; null for a rostered debutant", nullable=True
        ),
        Column("last_season", Type.STRING, "Season of the last appearance", nullable=True),
        Column("games", Type.INT64, "Appearances in the season of the last one, before the date", "games", ge=0),
        Column("on_roster", Type.BOOL, "Counts as a member of the team on the date (domain/slate.py)"),
    ),
    key=("player_id",),
)

RESOLVED_NAMES = Table(
    "nba_reference",
    "resolved_names",
    "Every name in a day's odds that was matched to a player, and how.",
    (
        GAME_DATE,
        GAME_ID,
        Column("source", Type.STRING, "Feed the name came from"),
        Column("source_name", Type.STRING, "Name as the feed spells it", source=("nba_raw.odds_quotes.source_name",)),
        Column("player_id", Type.INT64, "The NBA's player id", ge=1, source=("nba_reference.players.player_id",)),
        PLAYER_NAME,
        PLAYER_LOOKUP,
        Column("method", Type.STRING, "EXACT, NORMALISED, SUFFIX, REORDERED, INITIAL, ALIAS, FUZZY or LEAGUE"),
        Column("score", Type.FLOAT64, "Similarity of a fuzzy match, 0-100", nullable=True, ge=0, le=100),
        Column("quotes", Type.INT64, "Quotes that carry the name", "quotes", ge=1),
    ),
    key=("game_id", "source", "source_name"),
)

UNRESOLVED_NAMES = Table(
    "nba_reference",
    "unresolved_names",
    "Names in a day's odds that match nobody safely. Add an alias and materialize the day again.",
    (
        GAME_DATE,
        GAME_ID,
        Column("source", Type.STRING, "Feed the name came from"),
        Column("source_name", Type.STRING, "Name as the feed spells it", source=("nba_raw.odds_quotes.source_name",)),
        PLAYER_LOOKUP,
        Column("quotes", Type.INT64, "Quotes that carry the name", "quotes", ge=1),
        Column("reason", Type.STRING, "NO_CANDIDATE, AMBIGUOUS or BELOW_THRESHOLD"),
        Column("best_candidate", Type.STRING, "Closest name on the two rosters", nullable=True),
        Column("best_score", Type.FLOAT64, "Its similarity, 0-100", nullable=True, ge=0, le=100),
        Column("runner_up_score", Type.FLOAT64, "Similarity of the second closest, 0-100", nullable=True, ge=0, le=100),
    ),
    key=("game_id", "source", "source_name"),
)
