"""The NBA's teams: the codes that each id has had."""

from __future__ import annotations

import pandas as pd

#: every code of a team since 2000, the present one first
CODES: dict[int, tuple[str, ...]] = {
    1610612737: ("ATL",), 1610612738: ("BOS",), 1610612739: ("CLE",), 1610612740: ("NOP", "NOH", "NOK"),
    1610612741: ("CHI",), 1610612742: ("DAL",), 1610612743: ("DEN",), 1610612744: ("GSW",), 1610612745: ("HOU",),
    1610612746: ("LAC",), 1610612747: ("LAL",), 1610612748: ("MIA",), 1610612749: ("MIL",), 1610612750: ("MIN",),
    1610612751: ("BKN", "NJN"), 1610612752: ("NYK",), 1610612753: ("ORL",), 1610612754: ("IND",), 1610612755: ("PHI",),
    1610612756: ("PHX",), 1610612757: ("POR",), 1610612758: ("SAC",), 1610612759: ("SAS",), 1610612760: ("OKC", "SEA"),
    1610612761: ("TOR",), 1610612762: ("UTA",), 1610612763: ("MEM", "VAN"), 1610612764: ("WAS",), 1610612765: ("DET",),
    1610612766: ("CHA", "CHH"),
}  # fmt: skip
#: most games on a date: each team plays at most once
MOST_GAMES = len(CODES) // 2
_PAIRS = {f"{team_id} {code}" for team_id, codes in CODES.items() for code in codes}
_IDS = frozenset(CODES)
#: every code
NBA = frozenset(code for codes in CODES.values() for code in codes)


def is_team(team_id: int | None, code: str | None) -> bool:
    """Whether an id and a code can be one team's: both are the same NBA team's, or neither is one's.

    Neither is one's for preseason opponents from other leagues, All-Star teams, and teams of a simulated league.
    """
    if team_id in _IDS or code in NBA:
        return f"{team_id} {code}" in _PAIRS
    return code is not None and code.isascii() and code.isalnum() and code.isupper() and 2 <= len(code) <= 5


def are_opponents(code: str, other: str) -> bool:
    """Whether two codes can meet in a game that counts: both are NBA teams', or neither is."""
    return code != other and (code in NBA) == (other in NBA)


def are_teams(team_ids: pd.Series, codes: pd.Series) -> pd.Series:
    """``is_team`` of whole columns; ids are whole numbers or null."""
    pairs = team_ids.astype("Int64").astype(str) + " " + codes.astype(object).fillna("").astype(str)
    known = {pair: _is_pair(pair) for pair in pairs.unique()}
    return pairs.map(known).astype(bool)


def _is_pair(pair: str) -> bool:
    team_id, _, code = pair.partition(" ")
    return is_team(int(team_id) if team_id.isdigit() else None, code)
