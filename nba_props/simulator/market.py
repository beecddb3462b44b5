"""What the books quote for a game: lines, prices and spellings, market by market and capture by capture.

In every market the same happens. The market as a whole knows of each prop the truth (``truth.Truth``) but for an error
that shrinks to nothing at tip-off: a Brownian path in the time of ``_unknown``, wide where there is much news of a
player and narrow where there is little. A book believes what the market knew some minutes earlier (its lag), and errs
by itself: once for a prop (its skill), and a little in every capture. Its line is the half point nearest to the median
that it believes in; its prices are for its P(over) there, plus its hold.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from nba_props.facts import markets
from nba_props.facts.markets import POINTS, Market
from nba_props.simulator import payloads
from nba_props.simulator.people import NICKNAMES
from nba_props.simulator.truth import Truth, truth


@dataclass(frozen=True, kw_only=True)
class Book:
    """A sportsbook."""

    #: by how much its implied probabilities exceed its chances, as a share of them
    hold: float
    #: standard deviation of its own error of a prop, as a share of the market's ``line_error``
    skill: float
    #: how many minutes it is behind the market
    lag: int


#: eight US books: two are sharp, the others follow
BOOKS: Mapping[str, Book] = {
    "draftkings": Book(hold=0.061, skill=0.020, lag=5),
    "fanduel": Book(hold=0.069, skill=0.010, lag=0),
    "betmgm": Book(hold=0.071, skill=0.025, lag=10),
    "williamhill_us": Book(hold=0.074, skill=0.030, lag=20),
    "fanatics": Book(hold=0.068, skill=0.035, lag=30),
    "betrivers": Book(hold=0.072, skill=0.030, lag=20),
    "bovada": Book(hold=0.068, skill=0.045, lag=60),
    "betonlineag": Book(hold=0.064, skill=0.010, lag=0),
}
#: daily-fantasy books: the market's line or half a point beside it, at -119 on both sides
DFS: Mapping[str, Book] = dict.fromkeys(("prizepicks", "underdog"), Book(hold=0.0868, skill=0.0, lag=0))
_BESIDE = (0.08, 0.84, 0.08)
#: these two list several lines for a player in one market, so far from the main one
SEVERAL_LINES, _STEP = ("betrivers", "bovada"), 2.0
#: these two also have an alternate market, overs only, above the main line by the market's ``line_error``
ALTERNATES = ("draftkings", "fanduel")
#: a name that no roster has, quoted now and then
STRANGER = "Guest Entrant"
#: captures before tip-off (open, midday, last hour, last minutes) and in play, as minutes to tip-off
CAPTURES = (1290, 420, 45, 6, -35)
#: standard deviation of what the market doesn't know long before tip-off, and of a book's noise in a capture, as shares
#: of the market's ``line_error``; .9 and .05 in points
_UNKNOWN, _NOISE = 0.18, 0.01
#: minutes to tip-off at which half of that variance is still unknown
_HALF_KNOWN = 30
#: the shape of the gamma distribution of how much news there is of a player: lower is more uneven
_NEWS = 0.2
#: the chance that a book quotes a player
_QUOTED, _QUOTED_IN_OTHERS = 0.87, 0.8
#: markets whose lines are off by less than this on average are quoted by two books only, and by no daily-fantasy book
_THIN = 1.0
#: a player is quoted in a market from this expectation, as a share of the market's ``line_error``
_FROM = 0.95
#: no price is for a P(over) further from one half: a main line has one for this distance, and others are not quoted
_FAR = 0.4


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


def game_captures(
    seeds: Sequence[int],
    event: dict[str, Any],
    tipoff_at: datetime,
    names: Sequence[str],
    numbers: Sequence[int],
    expected: pd.DataFrame,
    asked: Collection[str] = (),
) -> list[tuple[datetime, dict[str, Any]]]:
    """The historical payload of each capture of a game, oldest first.

    Args:
        seeds: those of the game; each market has a generator of its own, so that none depends on another.
        event: ``event_id, home_team, away_team``.
        tipoff_at: tip-off, aware.
        names: the quoted players' names as the league spells them.
        numbers: their numbers in the league, on which misspellings depend.
        expected: their rows of ``Season.market``.
        asked: the markets; points are always among them.
    """
    at = [tipoff_at - timedelta(minutes=minutes) for minutes in CAPTURES]
    books: list[dict[str, list[dict[str, Any]]]] = [{b: [] for b in (*BOOKS, *DFS)} for _ in CAPTURES]
    for place, market in enumerate(markets.MARKETS):
        if market.key != POINTS and market.key not in asked:
            continue
        likely = expected[list(market.stats)].to_numpy("float64").sum(axis=1)
        rows = np.flatnonzero(likely >= _FROM * market.line_error).tolist()
        if not rows:
            continue
        rng = np.random.default_rng([*seeds, place])
        players = [(names[i], numbers[i]) for i in rows]
        quotes_of = _quotes(rng, market, players, truth(expected.iloc[rows], market))
        for (number, book, key), quotes in quotes_of.items():
            if book == "betonlineag" and market.key == POINTS and event["event_id"].endswith(("0", "5")):
                quotes.append({"player": STRANGER, "line": 9.5, "over": -115, "under": -115})
            books[number][book].append(payloads.market(key, quotes, at[number] - timedelta(seconds=40)))
    home, away = event["home_team"], event["away_team"]
    events = [payloads.event_odds(event["event_id"], tipoff_at, home, away, quoted) for quoted in books]
    return [(instant, payloads.historical(content, instant)) for instant, content in zip(at, events, strict=True)]


def beliefs(rng: np.random.Generator, market: Market, books: Sequence[Book], n: int) -> np.ndarray:
    """By how much each book's median is off the truth, in the market's unit: captures by books by ``n`` players."""
    minutes = np.array(CAPTURES)[:, None] + np.array([b.lag for b in books])
    times, seen = np.unique(minutes, return_inverse=True)
    news = np.sqrt(rng.gamma(_NEWS, 1 / _NEWS, n))
    steps = np.sqrt(np.diff(_unknown(times), prepend=0.0))[:, None] * rng.normal(size=(len(times), n))
    shared = _UNKNOWN * news * steps.cumsum(axis=0)[seen.reshape(minutes.shape)]
    # in play all see the same score, which has moved the median
    shared[np.array(CAPTURES) < 0] = rng.normal(size=n)
    own = np.array([b.skill for b in books])[:, None] * rng.normal(size=(len(books), n))
    return market.line_error * (shared + own + _NOISE * rng.normal(size=shared.shape))


def _unknown(minutes: np.ndarray) -> np.ndarray:
    """The share of the variance that is unknown at some minutes to tip-off; nothing is from then on."""
    ahead = np.maximum(minutes, 0)
    return ahead / (ahead + _HALF_KNOWN)


def _quotes(
    rng: np.random.Generator, market: Market, players: Sequence[tuple[str, int]], true: Truth
) -> dict[tuple[int, str, str], list[dict[str, Any]]]:
    """The quotes ``player, line, over, under`` of some players by capture, book and The Odds API's key."""
    alternate = market.feed_keys[1]
    found: dict[tuple[int, str, str], list[dict[str, Any]]] = {}
    for book, hold, key, offered, lines, chances in _offers(rng, market, len(players), true):
        spellings = [spelling(name, book, number) for name, number in players]
        of_capture = [found.setdefault((n, book, key), []) for n in range(len(CAPTURES))]
        there = np.nonzero(offered & (lines > 0) & (lines <= market.most_line) & (np.abs(chances - 0.5) <= _FAR))
        over = american(chances[there] * (1 + hold)).tolist()
        under = [None] * len(over) if key == alternate else american((1 - chances[there]) * (1 + hold)).tolist()
        captures, rows = (place.tolist() for place in there)
        for n, row, line, *prices in zip(captures, rows, lines[there].tolist(), over, under, strict=True):
            of_capture[n].append({"player": spellings[row], "line": line, "over": prices[0], "under": prices[1]})
    return found


def _offers(
    rng: np.random.Generator, market: Market, n: int, true: Truth
) -> Iterator[tuple[str, float, str, np.ndarray, np.ndarray, np.ndarray]]:
    """Book, its hold, The Odds API's key, and who is offered which line with what P(over): captures by players."""
    main, alternate = market.feed_keys
    books = dict(list(BOOKS.items())[:2]) if market.line_error < _THIN else {**BOOKS, **DFS}
    shifts = beliefs(rng, market, list(books.values()), n)
    for (book, record), shift in zip(books.items(), shifts.swapaxes(0, 1), strict=True):
        some = np.tile(rng.random(n) < (_QUOTED if market.key == POINTS else _QUOTED_IN_OTHERS), (len(CAPTURES), 1))
        lines = true.even_lines(shift)
        if book in DFS:
            beside = rng.choice([-0.5, 0.0, 0.5], size=lines.shape, p=_BESIDE)
            yield book, record.hold, main, some, np.maximum(lines + beside, 0.5), np.full(lines.shape, 0.5)
            continue
        yield book, record.hold, main, some, lines, np.clip(true.over_chance(lines, shift), 0.5 - _FAR, 0.5 + _FAR)
        if book in SEVERAL_LINES:
            few = some & (np.arange(n) % 3 == 0)
            for further in (lines - _STEP, lines + _STEP):
                yield book, record.hold, main, few, further, true.over_chance(further, shift)
        if book in ALTERNATES:
            every_second = some & (some.cumsum(axis=1) % 2 == 1)
            further = lines + max(1.0, np.rint(market.line_error))
            yield book, record.hold, alternate, every_second, further, true.over_chance(further, shift)
