"""What each book offers on a player before the cut-off: its main line, the alternates beside it, and its opening."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from nba_props.domain.odds import engine_of, hold, implied_probability, over_probability, payout
from nba_props.facts import markets
from nba_props.facts.books import SPORTSBOOKS
from nba_props.facts.keys import GAME, PLAYER_GAME, PROP
from nba_props.schemas.analytics import BOOK_LINES

#: a quote is stale if the book last updated its market longer than this before the capture
STALE_AFTER = pd.Timedelta(hours=6)
#: a main line captured at most so many minutes before the cut-off is its book's true close
CLOSE_WITHIN = 45
#: a book's offers on a market of a player
BOOK = [*PROP, "bookmaker"]
#: the books' offers at one line of a player in a market
AT_LINE = [*PROP, "line"]
_READ = (
    "game_date", "game_id", "data_source", "source_name", "bookmaker", "market", "quote_id", "line", "over_price",
    "under_price", "snapshot_at", "last_update_at", "is_in_play",
)  # fmt: skip
#: columns of a book's first main quote, and their names as its opening
_OPENING = {
    "quote_id": "opening_quote_id", "line": "opening_line", "over_price": "opening_over_price",
    "under_price": "opening_under_price", "snapshot_at": "opening_at",
}  # fmt: skip
#: what ``judged_quotes`` reads of the quotes of @first..@last
QUOTES_SQL = f"SELECT {', '.join(_READ)} FROM nba_raw.odds_quotes WHERE game_date BETWEEN @first AND @last"


def judged_quotes(
    slate: pd.DataFrame, quotes: pd.DataFrame, resolved: pd.DataFrame, asked: Sequence[markets.Market] = markets.MARKETS
) -> pd.DataFrame:
    """The quotes of slate players in some markets, each with the conditions that it meets to be a line.

    Args:
        slate: rows of ``nba_analytics.slate``.
        quotes: rows of ``nba_raw.odds_quotes`` for the same dates (``QUOTES_SQL``).
        resolved: rows of ``nba_reference.resolved_names``.
        asked: the markets.
    """
    keys = {feed_key: m.key for m in asked for feed_key in m.feed_keys}
    known = quotes[list(_READ)].assign(market=quotes["market"].map(keys)).dropna(subset=["market"])
    people = slate[[*PLAYER_GAME, "player_name", "player_lookup", "cutoff_at"]]
    mine = known.merge(
        resolved[[*GAME, "source", "source_name", "player_id"]],
        left_on=[*GAME, "data_source", "source_name"],
        right_on=[*GAME, "source", "source_name"],
    ).merge(people.rename(columns={"cutoff_at": "slate_cutoff_at"}), on=PLAYER_GAME)
    mine["before"] = (~mine["is_in_play"].astype(bool)) & (mine["snapshot_at"] < mine["slate_cutoff_at"])
    mine["two_sided"] = mine["over_price"].notna() & mine["under_price"].notna()
    mine["allowed"] = mine["bookmaker"].isin(SPORTSBOOKS)
    mine["fresh"] = ~is_stale(mine)
    return mine


def is_stale(quotes: pd.DataFrame) -> pd.Series:
    """Whether each quote was stale when it was captured; one without the market's update time counts as fresh."""
    return quotes["snapshot_at"] - quotes["last_update_at"] > STALE_AFTER


def book_lines(judged: pd.DataFrame) -> pd.DataFrame:
    """What each sportsbook offers on each player, in the columns of ``nba_analytics.book_lines``.

    Of a book's usable quotes (before the cut-off, fresh when captured) those of its last capture of the player, and its
    last main line, should that be of an earlier capture because the book has withdrawn a side since.

    Args:
        judged: the result of ``judged_quotes``.
    """
    usable = judged[judged["before"] & judged["allowed"] & judged["fresh"]]
    mains = _main_lines(usable[usable["two_sided"]]).sort_values("snapshot_at", kind="stable")
    main = mains.drop_duplicates(BOOK, keep="last")["quote_id"]
    opening = mains.drop_duplicates(BOOK).rename(columns=_OPENING)[[*BOOK, *_OPENING.values()]]
    is_main = usable["quote_id"].isin(main)
    is_current = usable["snapshot_at"] == usable.groupby(BOOK)["snapshot_at"].transform("max")
    rows = usable.assign(is_main=is_main, is_current=is_current)[is_main | is_current]
    rows = rows.merge(opening, on=BOOK, how="left", validate="many_to_one")
    # the cut-off that counts may be earlier than the start that a capture stated
    minutes = (rows["slate_cutoff_at"] - rows["snapshot_at"]).dt.total_seconds() / 60
    age = (rows["snapshot_at"] - rows["last_update_at"]).dt.total_seconds() / 60
    return rows.assign(
        cutoff_at=rows["slate_cutoff_at"],
        quoted_at=rows["snapshot_at"],
        minutes_before_game=minutes,
        is_close=rows["is_main"] & (minutes <= CLOSE_WITHIN),
        engine=engine_of(rows["bookmaker"]),
        age_minutes=age.clip(lower=0),
        own_over_probability=over_probability(rows["over_price"], rows["under_price"]),
        hold=hold(rows["over_price"], rows["under_price"]),
    )[list(BOOK_LINES.column_names)].reset_index(drop=True)


def main_lines_over_time(judged: pd.DataFrame) -> pd.DataFrame:
    """Each book's main line at each of its captures before the cut-off, from the result of ``judged_quotes``."""
    usable = judged[judged["before"] & judged["allowed"] & judged["fresh"] & judged["two_sided"]]
    return _main_lines(usable)[[*BOOK, "snapshot_at", "line"]]


def by_rank(offers: pd.DataFrame, books: Sequence[str] = SPORTSBOOKS) -> pd.DataFrame:
    """Offers in the order of their books: the house order, or that of ``NBA_PROPS_BOOKS``."""
    rank = {book: n for n, book in enumerate(books)}
    return offers.assign(rank=offers["bookmaker"].map(rank)).sort_values("rank", kind="stable")


def best_prices(offers: pd.DataFrame, side: str, books: Sequence[str] = SPORTSBOOKS) -> pd.DataFrame:
    """``<side>_price`` and ``bookmaker`` of the best price of a side, by ``AT_LINE``; of equal prices that of the first
    book in the order.
    """
    price = f"{side}_price"
    offered = by_rank(offers[offers[price].notna()], books)
    ordered = offered.assign(cost=-payout(offered[price])).sort_values("cost", kind="stable")
    return ordered.drop_duplicates(AT_LINE).set_index(AT_LINE)[[price, "bookmaker"]]


def _main_lines(quotes: pd.DataFrame) -> pd.DataFrame:
    """Each book's most even two-sided line in each capture; the lower line wins a tie, so that reruns agree."""
    skew = (implied_probability(quotes["over_price"]) - implied_probability(quotes["under_price"])).abs().round(9)
    ordered = quotes.assign(skew=skew).sort_values(["skew", "line", "quote_id"], kind="stable")
    return ordered.drop_duplicates([*BOOK, "snapshot_at"])
