"""Contracts of ``nba_reference``: player identities, as known before the partition's date."""

from nba_props.schemas.base import Table, count, day, flag, real, text, whole
from nba_props.schemas.raw import GAME_DATE, GAME_ID, PLAYER_ID, PLAYER_LOOKUP, PLAYER_NAME

PLAYERS = Table(
    "nba_reference",
    "players",
    "Every player who appeared in this season or the three before, up to the date, with his last known team.",
    (
        GAME_DATE,
        PLAYER_ID,
        PLAYER_NAME,
        PLAYER_LOOKUP,
        whole("team_id", "Last known team", ge=1, source=("nba_raw.box_scores.team_id",)),
        text("team", "Tricode of the last known team", source=("nba_raw.box_scores.team",)),
        text("team_source", "LAST_GAME or ROSTER (a roster landed after his last game)"),
        day("last_game_date", "Last appearance before the date; null for a rostered debutant", nullable=True),
        text("last_season", "Season of the last appearance", nullable=True),
        count("games", "Appearances in the season of the last one, before the date", "games"),
        flag("on_roster", "Counts as a member of the team on the date (domain/slate.py)"),
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
        text("source", "Feed with the name"),
        text("source_name", "Name as spelled in the feed", source=("nba_raw.odds_quotes.source_name",)),
        whole("player_id", "The NBA's player id", ge=1, source=("nba_reference.players.player_id",)),
        PLAYER_NAME,
        PLAYER_LOOKUP,
        text("method", "EXACT, NORMALISED, SUFFIX, REORDERED, INITIAL, ALIAS, FUZZY or LEAGUE"),
        real("score", "Similarity of a fuzzy match, 0-100", nullable=True, ge=0, le=100),
        whole("quotes", "Quotes with the name", "quotes", ge=1),
    ),
    key=("game_id", "source", "source_name"),
)

UNRESOLVED_NAMES = Table(
    "nba_reference",
    "unresolved_names",
    "Names in a day's odds that match no player safely. Add an alias and materialize the day again.",
    (
        GAME_DATE,
        GAME_ID,
        text("source", "Feed with the name"),
        text("source_name", "Name as spelled in the feed", source=("nba_raw.odds_quotes.source_name",)),
        PLAYER_LOOKUP,
        whole("quotes", "Quotes with the name", "quotes", ge=1),
        text("reason", "NO_CANDIDATE, AMBIGUOUS or BELOW_THRESHOLD"),
        text("best_candidate", "Closest name on the two rosters", nullable=True),
        real("best_score", "Its similarity, 0-100", nullable=True, ge=0, le=100),
        real("runner_up_score", "Similarity of the second closest, 0-100", nullable=True, ge=0, le=100),
    ),
    key=("game_id", "source", "source_name"),
)
