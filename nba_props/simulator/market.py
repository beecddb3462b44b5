"""What the books quote for a game in the market of points: lines, prices and spellings, capture by capture."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import numpy as np

from nba_props.facts.markets import POINTS, market
from nba_props.simulator import payloads
from nba_props.simulator.people import NICKNAMES

#: eight US books and the hold of each on a two-sided price
HOLDS = {
    "draftkings": 0.061,
    "fanduel": 0.069,
    "betmgm": 0.071,
    "williamhill_us": 0.074,
    "fanatics": 0.068,
    "betrivers": 0.072,
    "bovada": 0.068,
    "betonlineag": 0.064,
}
DFS = ("prizepicks", "underdog")
#: at even chances -119 on both sides
_DFS_HOLD = 0.0868
#: these two list several lines for a player in one market
SEVERAL_LINES = ("betrivers", "bovada")
#: these two also have an alternate market, overs only
ALTERNATES = ("draftkings", "fanduel")
#: a name that no roster has, quoted now and then
STRANGER = "Guest Entrant"
#: captures before tip-off (open, midday, last hour, last minutes) and in play, as minutes to tip-off
CAPTURES = (1290, 420, 45, 6, -35)
_QUOTED = 0.87
#: The Odds API's keys of main and of alternate lines
_MAIN, _ALTERNATE = market(POINTS).feed_keys
_DISAGREE = (0.45, 0.52, 0.03)


def american(probability: np.ndarray) -> np.ndarray:
    """Implied probabilities as American prices, rounded as books do."""
    favourite = -np.rint(100 * probability / (1 - probability))
    underdog = np.rint(100 * (1 - probability) / probability)
    return np.where(probability >= 0.5, np.minimum(favourite, -100), np.maximum(underdog, 100)).astype(int)


@cache
def spelling(name: str, book: str, number: int) -> str:
    """How a book spells a player: without accents, and with quirks of its own."""
    from anyascii import anyascii

    plain = anyascii(name)
    first, *rest = plain.split(" ")
    if book == "fanduel" and number < len(NICKNAMES):
        return f"{NICKNAMES[number]} {' '.join(rest)}"
    if book == "betrivers":  # drops every suffix
        return " ".join(w for w in plain.split(" ") if w not in ("Jr.", "II", "III"))
    if book == "bovada" and number % 61 == 7 and len(rest) == 1:
        return f"{rest[0]} {first}"
    if book == "betonlineag" and number % 29 == 11:
        return f"{first[0]}. {' '.join(rest)}"
    return plain


def median_line(expected: np.ndarray) -> np.ndarray:
    """The half-point line nearest to the median of points, which lies below their mean."""
    return np.maximum(np.floor(0.985 * expected + 0.02) + 0.5, 1.5)


def game_captures(
    rng: np.random.Generator,
    event: dict[str, Any],
    tipoff_at: datetime,
    names: Sequence[str],
    numbers: Sequence[int],
    expected: np.ndarray,
) -> list[tuple[datetime, dict[str, Any]]]:
    """The historical payload of each capture of a game, oldest first.

    Args:
        rng: the game's own generator.
        event: ``event_id, home_team, away_team``.
        tipoff_at: tip-off, aware.
        names: the quoted players' names as the league spells them.
        numbers: their numbers in the league, on which misspellings depend.
        expected: what the market expects them to score, in points.
    """
    n = len(names)
    close = median_line(expected)
    drift = rng.choice([-1.0, 0.0, 1.0], size=n, p=[0.22, 0.56, 0.22])
    paths = {
        1290: close + drift,
        420: close + drift * (rng.random(n) < 0.6),
        45: close + drift * (rng.random(n) < 0.15),
    }
    found = []
    kind = rng.choice(3, size=n, p=_DISAGREE)
    direction = rng.choice([-1.0, 1.0], size=n)
    shaded = {
        b: (rng.random(n) < 0.3) * direction * (kind > 0) + (rng.random(n) < 0.15) * direction * (kind == 2)
        for b in HOLDS
    }
    quoted = {b: rng.random(n) < _QUOTED for b in (*HOLDS, *DFS)}
    for minutes in CAPTURES:
        at = tipoff_at - timedelta(minutes=minutes)
        lines = paths.get(minutes, close)
        if minutes < 0:
            lines = np.maximum(close + np.rint(rng.normal(0, 5, n)), 1.5)
        books = {}
        for book in HOLDS:
            own = np.maximum(lines + shaded[book], 0.5)
            over = np.clip(0.5 + 0.045 * (0.985 * expected - 0.45 - own) + rng.normal(0, 0.012, n), 0.42, 0.58)
            quotes = _sportsbook_quotes(book, names, numbers, quoted[book], own, over)
            if book == "betonlineag" and event["event_id"].endswith(("0", "5")):
                quotes.append({"player": STRANGER, "line": 9.5, "over": -115, "under": -115})
            books[book] = [payloads.market(_MAIN, quotes, at - timedelta(seconds=40))]
            if book in ALTERNATES:
                rungs = [{**q, "line": q["line"] + 5, "over": 240, "under": None} for q in quotes[::2]]
                books[book].append(payloads.market(_ALTERNATE, rungs, at - timedelta(seconds=40)))
        for book in DFS:
            own = np.maximum(lines + rng.choice([-0.5, 0.0, 0.5], size=n, p=[0.08, 0.84, 0.08]), 0.5)
            quotes = quotes_of(book, names, numbers, quoted[book], own, prices(book, np.full(n, 0.5)))
            books[book] = [payloads.market(_MAIN, quotes, at - timedelta(seconds=40))]
        content = payloads.event_odds(event["event_id"], tipoff_at, event["home_team"], event["away_team"], books)
        found.append((at, payloads.historical(content, at)))
    return found


def _sportsbook_quotes(
    book: str, names: Sequence[str], numbers: Sequence[int], some: np.ndarray, lines: np.ndarray, over: np.ndarray
) -> list[dict[str, Any]]:
    """A book's quotes of some players at its lines, and at further ones for some of them if it lists several."""
    quotes = quotes_of(book, names, numbers, some, lines, prices(book, over))
    for step in (-2.0, 2.0) if book in SEVERAL_LINES else ():
        few = some & (np.arange(len(names)) % 3 == 0) & (lines + step > 0)
        further = prices(book, np.clip(over - 0.06 * step, 0.1, 0.9))
        quotes += quotes_of(book, names, numbers, few, lines + step, further)
    return quotes


def prices(book: str, over: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A book's American prices of over and under, with its hold on P(over)."""
    with_hold = 1 + HOLDS.get(book, _DFS_HOLD)
    return american(over * with_hold), american((1 - over) * with_hold)


def quotes_of(
    book: str,
    names: Sequence[str],
    numbers: Sequence[int],
    some: np.ndarray,
    lines: np.ndarray,
    priced: tuple[np.ndarray, np.ndarray],
) -> list[dict[str, Any]]:
    """A book's quotes of some players: ``player, line, over, under``."""
    line, over, under = lines.tolist(), priced[0].tolist(), priced[1].tolist()
    return [
        {"player": spelling(names[i], book, numbers[i]), "line": line[i], "over": over[i], "under": under[i]}
        for i in np.flatnonzero(some).tolist()
    ]
