"""Names: one normalizer, and the resolution of a book's spelling to a player.

A name is matched with the two rosters of its game first, by ever weaker rules; then with the whole league, but only if
the exact or normalized name is one person's. What can't be matched safely stays unresolved, with the closest candidate.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

import pandas as pd

from nba_props.facts.calendar import season_year
from nba_props.facts.keys import GAME, PLAYER_GAME

SUFFIXES = ("jr", "sr", "ii", "iii", "iv", "v")

#: nicknames and other spellings that no rule derives: the name in a feed -> the name in NBA box scores
ALIASES = {
    "Alex Sarr": "Alexandre Sarr",
    "Alfred Joel Horford Reynoso": "Al Horford",
    "Cam Johnson": "Cameron Johnson",
    "Cam Thomas": "Cameron Thomas",
    "Carlton Carrington": "Bub Carrington",
    "Christian James McCollum": "CJ McCollum",
    "Edrice Femi Adebayo": "Bam Adebayo",
    "Herb Jones": "Herbert Jones",
    "Joshua Giddey": "Josh Giddey",
    "Kenyon Martin Jr.": "KJ Martin",
    "Moe Wagner": "Moritz Wagner",
    "Mohamed Bamba": "Mo Bamba",
    "Nah'Shon Hyland": "Bones Hyland",
    "Nicolas Claxton": "Nic Claxton",
    "Obadiah Toppin": "Obi Toppin",
    "Ogugua Anunoby": "OG Anunoby",
    "Ron Holland": "Ronald Holland II",
    "Vincent Williams Jr.": "Vince Williams Jr.",
}

FUZZY_MIN_SCORE = 88.0
FUZZY_MIN_MARGIN = 5.0


@lru_cache(maxsize=65536)
def player_lookup(name: str) -> str:
    """The normalized name: ASCII, lower case, letters and digits only, suffix kept ("Luka Dončić" -> lukadoncic).

    "Last, First" is put in order first; a comma before a suffix ("Trent, Jr., Gary") does not separate a first name.
    """
    from anyascii import anyascii

    last, *rest = (part.strip() for part in name.split(","))
    suffixes = [p for p in rest if p.lower().rstrip(".") in SUFFIXES]
    firsts = [p for p in rest if p.lower().rstrip(".") not in SUFFIXES]
    text = anyascii(" ".join([*firsts, last, *suffixes])).lower()
    text = re.sub(r"\bjunior\b", "jr", text)
    return re.sub(r"[^a-z0-9]", "", text)


@lru_cache(maxsize=65536)
def words(name: str) -> tuple[str, ...]:
    """The normalized words of a name without a trailing suffix: "Jaren Jackson Jr." -> (jaren, jackson)."""
    from anyascii import anyascii

    parts = [re.sub(r"[^a-z0-9]", "", p) for p in re.split(r"[\s,\-]+", anyascii(name).lower())]
    parts = [p for p in parts if p]
    while len(parts) > 1 and parts[-1] in SUFFIXES:
        parts = parts[:-1]
    return tuple(parts)


def without_suffix(name: str) -> str:
    """Normalized name less its suffix: "Vincent Williams Jr" -> vincentwilliams."""
    return "".join(words(name))


def _reordered(name: str) -> str:
    return " ".join(sorted(words(name)))


def _initial(name: str) -> str:
    """First initial and the rest: "K. Caldwell-Pope" and "Kentavious Caldwell-Pope" -> k|caldwellpope."""
    first, *rest = words(name) or ("",)
    return f"{first[:1]}|{''.join(rest)}"


@lru_cache(maxsize=8)
def _alias_groups(extra: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """Each alias's lookup to one representative of its group, so that aliases work in both directions."""
    groups: dict[str, str] = {}
    for alias, name in [*ALIASES.items(), *extra]:
        a, n = without_suffix(alias), without_suffix(name)
        root = groups.get(n) or groups.get(a) or n
        for key in (a, n):
            groups[key] = root
    return groups


#: the names in quotes of @first..@last, each with the count of its quotes
QUOTED_SQL = """
SELECT game_date, game_id, data_source AS source, source_name, COUNT(*) AS quotes
FROM nba_raw.odds_quotes WHERE game_date BETWEEN @first AND @last
GROUP BY game_date, game_id, data_source, source_name
ORDER BY game_date, game_id, source, source_name
"""
#: the rules in order of trust; each maps a name to a key that must be unique among the two rosters
_RULES = (
    ("EXACT", lambda name: name),
    ("NORMALISED", player_lookup),
    ("SUFFIX", without_suffix),
    ("REORDERED", _reordered),
    ("INITIAL", _initial),
)
_NAMES = [*GAME, "source", "source_name", "quotes"]
_NO_CANDIDATE = {"best_candidate": None, "best_score": float("nan"), "runner_up_score": float("nan")}
Rule = Callable[[str], str | None]


def resolve(
    names: pd.DataFrame,
    candidates: pd.DataFrame,
    players: pd.DataFrame,
    aliases: tuple[tuple[str, str], ...] = (),
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Match names to players.

    Args:
        names: one row per ``game_date, game_id, source, source_name`` with the count of ``quotes``.
        candidates: ``game_date, game_id, player_id, player_name``: the two rosters of each game.
        players: rows of ``nba_reference.players``: everyone known before the date. A player who last appeared more than
            a season ago is found by his exact name only: a debutant may have the same name but for the suffix.
        aliases: further ``(name in a feed, name of the player)`` pairs.

    Returns:
        The resolved and the unresolved names, in the columns of their tables; together as many rows as ``names``.
    """
    todo = names[_NAMES].reset_index(drop=True).rename_axis("row").reset_index()
    groups = _alias_groups(aliases)

    def alias_key(name: str) -> str | None:
        return groups.get(without_suffix(name))

    recent = players[is_recent(players)]
    steps: list[tuple[str, pd.DataFrame, Rule]] = [
        *((method, candidates, rule) for method, rule in _RULES),
        ("ALIAS", candidates, alias_key),
        ("LEAGUE", recent, player_lookup),
        ("LEAGUE", recent, without_suffix),
        ("LEAGUE", recent, alias_key),
        ("LEAGUE", players, player_lookup),
    ]
    found = [_no_matches()]
    ambiguous: set[int] = set()
    for method, people, rule in steps:
        asked = todo[[_is_abbreviated(n) for n in todo["source_name"]]] if method == "INITIAL" else todo
        if asked.empty:
            continue
        matches, clashes = _match(asked, people, rule)
        ambiguous |= clashes
        found.append(matches.assign(method=method, score=float("nan")))
        todo = todo[~todo["row"].isin(matches["row"])]

    clashed = todo["row"].isin(ambiguous)
    fuzzy, rest = _fuzzy(todo[~clashed], candidates)
    found.append(fuzzy)
    unresolved = _stack([todo[clashed].assign(reason="AMBIGUOUS", **_NO_CANDIDATE), rest])
    resolved = _stack(found)
    resolved["player_lookup"] = [player_lookup(n) for n in resolved["player_name"]]
    unresolved["player_lookup"] = [player_lookup(n) for n in unresolved["source_name"]]
    return (
        resolved[[*_NAMES, "player_id", "player_name", "player_lookup", "method", "score"]],
        unresolved[[*_NAMES, "player_lookup", "reason", *_NO_CANDIDATE]],
    )


def is_recent(players: pd.DataFrame) -> pd.Series:
    """Whether each player appeared in the season of the date or the one before, or is on a landed roster."""
    last = players["last_season"].astype("string").str.slice(0, 4).astype("Int64")
    this = players["game_date"].map({d: season_year(d.date()) for d in players["game_date"].unique()}).astype("Int64")
    return ((last >= this - 1).fillna(False) | players["on_roster"]).astype(bool)


def _stack(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """The frames concatenated, without the empty ones, which would change dtypes."""
    return pd.concat([f for f in frames if len(f)] or frames[:1], ignore_index=True)


def _is_abbreviated(name: str) -> bool:
    return len((words(name) or ("",))[0]) == 1


def _no_matches() -> pd.DataFrame:
    columns = ["row", *_NAMES, "player_id", "player_name", "method", "score"]
    return pd.DataFrame({c: pd.Series(dtype="object") for c in columns})


def _map(rule: Rule, names: pd.Series) -> pd.Series:
    return pd.Series([rule(n) for n in names], index=names.index, dtype=object)


def _match(names: pd.DataFrame, people: pd.DataFrame, rule: Rule) -> tuple[pd.DataFrame, set[int]]:
    """Names whose key belongs to exactly one person in scope, and the rows whose key belongs to several."""
    scope = [c for c in GAME if c in people.columns]
    left = names.assign(key=_map(rule, names["source_name"]))
    right = people[[*scope, "player_id", "player_name"]].assign(key=_map(rule, people["player_name"]))
    right = right[right["key"].notna()].drop_duplicates([*scope, "player_id", "key"])
    joined = left[left["key"].notna()].merge(right, on=[*scope, "key"])
    several = joined["row"].duplicated(keep=False)
    return joined[~several].drop(columns="key"), set(joined.loc[several, "row"])


def _fuzzy(names: pd.DataFrame, candidates: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The closest name on the two rosters, accepted only above a threshold and clearly ahead of the second."""
    from rapidfuzz import fuzz

    if names.empty:
        return _no_matches(), names.assign(reason=None, **_NO_CANDIDATE)
    people = candidates[[*PLAYER_GAME, "player_name"]]
    pairs = names.merge(people, on=GAME, how="left")
    pairs["score"] = [
        fuzz.token_sort_ratio(" ".join(words(a)), " ".join(words(b))) if isinstance(b, str) else float("nan")
        for a, b in zip(pairs["source_name"], pairs["player_name"], strict=True)
    ]
    pairs = pairs.sort_values(["row", "score"], ascending=[True, False], kind="stable")
    best = pairs.drop_duplicates("row").set_index("row")
    runner_up = pairs[pairs["row"].duplicated()].drop_duplicates("row").set_index("row")["score"]
    best["runner_up_score"] = runner_up.reindex(best.index)
    sure = (best["score"] >= FUZZY_MIN_SCORE) & (best["score"] - best["runner_up_score"].fillna(0) >= FUZZY_MIN_MARGIN)
    best = best.reset_index()
    sure = sure.to_numpy()
    taken = best[sure].assign(method="FUZZY").drop(columns="runner_up_score")
    rest = best[~sure].rename(columns={"player_name": "best_candidate", "score": "best_score"})
    rest["best_candidate"] = rest["best_candidate"].astype(object).where(rest["best_candidate"].notna(), None)
    known = rest["best_score"] >= FUZZY_MIN_SCORE / 2
    rest["reason"] = known.map({True: "BELOW_THRESHOLD", False: "NO_CANDIDATE"})
    return taken, rest


def team_key(name: str) -> str:
    """A team's normalized name; "Los Angeles Clippers" in the odds feed are the NBA's "LA Clippers"."""
    key = player_lookup(name)
    return {"losangelesclippers": "laclippers"}.get(key, key)
