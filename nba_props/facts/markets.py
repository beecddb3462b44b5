"""The markets: what each counts, how the feeds name it, and its bounds.

A new market is a record in ``MARKETS`` and nothing else: quotes, lines, features, models, gate, grades and scoreboard
read the records. What can't be read from a record does not depend on the market.
"""

from __future__ import annotations

from dataclasses import dataclass

#: values that broken writers are known to use in place of a line; none of them counts without its quote
SENTINELS: tuple[float, ...] = (20.0, 15.5, 10.0, 0.0)
#: the tier of all lines
ALL_TIERS = "ALL"
#: every market together
ALL = "all"


@dataclass(frozen=True, kw_only=True)
class Market:
    """A market of player props."""

    #: its name in columns, commands and settings
    key: str
    #: its name in headings, and a short one for narrow columns
    title: str
    short: str
    #: The Odds API's key of its main lines; alternate lines have the same with a suffix
    feed_key: str
    #: the columns of box scores whose sum is the result
    stats: tuple[str, ...]
    #: no forecast is above it, as none is below 0
    ceiling: int
    #: no line is above it
    most_line: float
    #: the bounds of the middle tier of lines [stat], both of them in it
    tiers: tuple[int, int]
    #: mean absolute error of a book's line [stat], on real games of 2024 and 2025: what is much in this market
    line_error: float
    #: variance of the result around a book's line, as a + b x line [stat²]: fitted on the real lines of 2024-03-02 to
    #: 05-25 and 2025-10-21 to 11-15, steals and blocks on those of 2025 alone
    spread: tuple[float, float]
    #: whether every player of a slate gets a forecast; else those whom a book quotes in it
    for_everyone: bool = False
    #: sentinels for a line that is not known (``SENTINELS``)
    placeholders: tuple[float, ...] = SENTINELS

    @property
    def feed_keys(self) -> tuple[str, str]:
        """The Odds API's keys, of main and of alternate lines."""
        return self.feed_key, f"{self.feed_key}_alternate"

    @property
    def has_even_lines(self) -> bool:
        """Whether a line stands near the median, so that players' lines differ and a side is worth about one half.

        A low count has no such line: many are 0.5, and the prices say which side is likelier.
        """
        return self.line_error >= 1.5

    @property
    def tier_names(self) -> tuple[str, str, str]:
        """The tiers of its lines, from the lowest."""
        low, high = self.tiers
        return f"UNDER_{low}", f"{low}_TO_{high}", f"OVER_{high}"

    @property
    def result_sql(self) -> str:
        """SQL for the result, from a row ``b`` of box scores."""
        return " + ".join(f"b.{stat}" for stat in self.stats)


def _record(
    key: str,
    title: str,
    short: str,
    stats: tuple[str, ...],
    *,
    ceiling: int,
    most_line: float,
    line_error: float,
    spread: tuple[float, float],
    tiers: tuple[int, int],
    for_everyone: bool = False,
) -> Market:
    """A market that The Odds API names by its key."""
    return Market(
        key=key, title=title, short=short, feed_key=f"player_{key}", stats=stats, ceiling=ceiling, most_line=most_line,
        tiers=tiers, line_error=line_error, spread=spread, for_everyone=for_everyone,
    )  # fmt: skip


_REB = ("oreb", "dreb")
#: in the order of tables and pages; the first is the market of the brief (docs/legacy-systems.md#the-brief)
MARKETS: tuple[Market, ...] = (
    # lines of points reach 42.5, and only once, in 1962, has a player scored more than 84
    _record("points", "Points", "PTS", ("points",), ceiling=60, most_line=84.5, line_error=5.1, spread=(10.5, 2.25),
            tiers=(10, 20), for_everyone=True),
    _record("rebounds", "Rebounds", "REB", _REB, ceiling=30, most_line=40.5, line_error=2.1, spread=(0.45, 1.25),
            tiers=(5, 8)),
    _record("assists", "Assists", "AST", ("ast",), ceiling=25, most_line=30.5, line_error=1.7, spread=(0.8, 1.05),
            tiers=(3, 6)),
    _record("threes", "Three-pointers made", "3PM", ("fg3m",), ceiling=15, most_line=20.5, line_error=1.15,
            spread=(0.8, 0.85), tiers=(2, 3)),
    _record("steals", "Steals", "STL", ("stl",), ceiling=10, most_line=12.5, line_error=0.8, spread=(0.9, 0.35),
            tiers=(1, 2)),
    _record("blocks", "Blocks", "BLK", ("blk",), ceiling=10, most_line=12.5, line_error=0.8, spread=(0.1, 1.1),
            tiers=(1, 2)),
    _record("points_rebounds_assists", "Points, rebounds and assists", "PRA", ("points", *_REB, "ast"), ceiling=90,
            most_line=120.5, line_error=6.5, spread=(23.75, 1.85), tiers=(18, 30)),
    _record("points_rebounds", "Points and rebounds", "PR", ("points", *_REB), ceiling=75, most_line=100.5,
            line_error=6.0, spread=(18.4, 2.0), tiers=(15, 25)),
    _record("points_assists", "Points and assists", "PA", ("points", "ast"), ceiling=75, most_line=100.5,
            line_error=5.7, spread=(15.5, 1.9), tiers=(14, 25)),
    _record("rebounds_assists", "Rebounds and assists", "RA", (*_REB, "ast"), ceiling=45, most_line=60.5,
            line_error=3.0, spread=(1.5, 1.3), tiers=(7, 12)),
)  # fmt: skip
#: the market of the brief, and of rows from releases that had no other
POINTS = "points"


def keys() -> tuple[str, ...]:
    """The key of every market."""
    return tuple(m.key for m in MARKETS)


def market(key: str) -> Market:
    """The market with a key.

    Raises:
        KeyError: there is none.
    """
    return {m.key: m for m in MARKETS}[key]


def key_of(name: str) -> str:
    """The key of the market with a short name, in any case: ``pra``; any other name as it is."""
    return next((m.key for m in MARKETS if m.short == name.upper()), name)


def by_feed_key() -> dict[str, str]:
    """The key of the market that each of The Odds API's keys belongs to."""
    return {feed_key: m.key for m in MARKETS for feed_key in m.feed_keys}


def scales() -> dict[str, float]:
    """What a point is worth in each market: its lines' error as a multiple of that of points."""
    unit = market(POINTS).line_error
    return {m.key: m.line_error / unit for m in MARKETS}


def spreads() -> dict[str, tuple[float, float]]:
    """The spread of each market's results around their lines."""
    return {m.key: m.spread for m in MARKETS}


def short_names() -> dict[str, str]:
    """The short name of each market, such as PTS."""
    return {m.key: m.short for m in MARKETS}


def quoted_market_sql(column: str) -> str:
    """SQL for the market of a quote, by The Odds API's key in ``column``; null for another key."""
    whens = " ".join(f"WHEN '{feed_key}' THEN '{key}'" for feed_key, key in by_feed_key().items())
    return f"CASE {column} {whens} END"


def result_of_sql(market: str, box_score: str) -> str:
    """SQL for the result in the market that a column names, from a row of box scores."""
    whens = " ".join(f"WHEN '{m.key}' THEN {m.result_sql.replace('b.', f'{box_score}.')}" for m in MARKETS)
    return f"CASE {market} {whens} END"


def stats() -> tuple[str, ...]:
    """The columns of box scores that a market counts, each once."""
    return tuple(dict.fromkeys(stat for m in MARKETS for stat in m.stats))


def tier_names() -> tuple[str, ...]:
    """The names of all tiers, the tier of all lines first."""
    return tuple(dict.fromkeys([ALL_TIERS, *(name for m in MARKETS for name in m.tier_names)]))
