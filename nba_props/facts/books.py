"""Sportsbooks by The Odds API's key, what kind of book a key is, and the order in which a line is chosen."""

from __future__ import annotations

from collections.abc import Sequence

from nba_props.facts.vocabulary import BookKind

#: US sportsbooks in the order in which a line is chosen unless a setting names another (the house order)
SPORTSBOOKS = (
    "draftkings",
    "fanduel",
    "betmgm",
    "williamhill_us",  # Caesars
    "fanatics",
    "betrivers",
    "espnbet",
    "hardrockbet",
    "bovada",
    "betonlineag",
    "pointsbetus",
    "unibet_us",
    "mybookieag",
    "betus",
    "lowvig",
    "ballybet",
    "betparx",
    "superbook",
    "wynnbet",
)
#: keys of sportsbooks by other names that they have, in the old table and elsewhere
OTHER_NAMES = {
    "caesars": "williamhill_us", "williamhill": "williamhill_us", "espn_bet": "espnbet", "hard_rock": "hardrockbet",
    "hard_rock_bet": "hardrockbet", "bet_rivers": "betrivers", "pointsbet": "pointsbetus", "bet_mgm": "betmgm",
    "draft_kings": "draftkings", "fan_duel": "fanduel",
}  # fmt: skip
#: the odds engine of sportsbooks that share one: their lines are one opinion
ENGINES = {
    **dict.fromkeys(("betrivers", "unibet_us", "ballybet", "betparx"), "kambi"),
    **dict.fromkeys(("betonlineag", "lowvig"), "betonline"),
}
#: engines whose lines follow another's: in 2024 both differed from the other books alike (correlations of .77 and .80
#: on real quotes; no pair did in 2025). Each is an opinion in the consensus, and neither judges what the other chose
FOLLOWS = {"bovada": "draftkings", "mybookieag": "betonline"}
#: daily-fantasy books: their quotes are stored and never chosen as a line, since their prices are multipliers
DFS_BOOKS = ("prizepicks", "underdog", "betr_us_dfs", "pick6")

BOOK_KINDS = {**dict.fromkeys(SPORTSBOOKS, BookKind.SPORTSBOOK), **dict.fromkeys(DFS_BOOKS, BookKind.DFS)}

#: the name of each sportsbook, and a short one for narrow columns
NAMES = {
    "draftkings": ("DraftKings", "DK"), "fanduel": ("FanDuel", "FD"), "betmgm": ("BetMGM", "MGM"),
    "williamhill_us": ("Caesars", "CZR"), "fanatics": ("Fanatics", "FAN"), "betrivers": ("BetRivers", "BR"),
    "espnbet": ("ESPN BET", "ESPN"), "hardrockbet": ("Hard Rock Bet", "HR"), "bovada": ("Bovada", "BOV"),
    "betonlineag": ("BetOnline", "BOL"), "pointsbetus": ("PointsBet", "PB"), "unibet_us": ("Unibet", "UNI"),
    "mybookieag": ("MyBookie", "MYB"), "betus": ("BetUS", "BUS"), "lowvig": ("LowVig", "LV"),
    "ballybet": ("Bally Bet", "BALY"), "betparx": ("betPARX", "PARX"), "superbook": ("SuperBook", "SB"),
    "wynnbet": ("WynnBET", "WYNN"),
}  # fmt: skip


def name_of(bookmaker: str) -> str:
    """A book's name for people; its key where we know none."""
    return NAMES.get(bookmaker, (bookmaker, ""))[0]


def short_name(bookmaker: str | None) -> str:
    """A book's name for narrow columns; empty without a book."""
    return NAMES.get(bookmaker, ("", bookmaker))[1] if isinstance(bookmaker, str) else ""


def book_kind(bookmaker: str) -> str:
    """SPORTSBOOK, DFS, or UNKNOWN for a key in neither list; quotes of an unknown book are stored and never chosen."""
    return BOOK_KINDS.get(bookmaker, BookKind.UNKNOWN).value


def in_order(first: Sequence[str]) -> tuple[str, ...]:
    """Every sportsbook: some of them first, the others after them in the house order."""
    return (*first, *(book for book in SPORTSBOOKS if book not in first))
