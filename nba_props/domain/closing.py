"""Closing line value: what the last lines before the cut-off say of a bet that was made earlier.

A bet is judged by the last line of its own book, and by those of other books, their consensus. A book that had a part
in choosing a bet never judges it: it would find the bet good because it was chosen so. So the bets of one half of the
odds engines are judged by the other half, and those of systems that read every book by none.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from nba_props.domain import consensus
from nba_props.domain.odds import engine_of, expected_profit, over_probability, settled
from nba_props.facts.digest import digest
from nba_props.facts.keys import PROP
from nba_props.facts.vocabulary import SIDES, ChosenBy, Recommendation
from nba_props.schemas.analytics import BOOK_LINES
from nba_props.schemas.predictions import CLOSING_LINE_VALUE

#: fewest engines of a half beside the bet's own, and of the half that judges
LEAST_OF_HALF = 2
#: no book has a line on the player that was captured after the bet
NOT_QUOTED_LATER = "NOT_QUOTED_LATER"
_COLUMNS = CLOSING_LINE_VALUE.column_names
_CLOSE = [*PROP, "bookmaker", "engine", "line", "own_over_probability", "quoted_at", "quote_id", "is_close"]
#: the names of the opening bets beside those of systems: of those that all engines chose, and that halves of them did
OPENING_BETS, HALF_BETS = "opening_bets", "opening_bets_of_halves"
_BET = (
    *PROP, "system_id", "chosen_by", "side", "bookmaker", "engine", "line", "price", "own_probability", "chance", "ev",
    "quote_id", "placed_at", "minutes_before_game",
)  # fmt: skip
#: the columns of ``book_lines`` that bets are made and judged from
OFFERS_SQL = f"""
SELECT {
    ", ".join(
        dict.fromkeys(
            [
                *_CLOSE,
                "cutoff_at",
                "minutes_before_game",
                "is_main",
                *(c for c in BOOK_LINES.column_names if c.startswith("opening_")),
            ]
        )
    )
}
FROM nba_analytics.book_lines WHERE game_date BETWEEN @first AND @last AND is_main
"""


def halves(offers: pd.DataFrame) -> pd.DataFrame:
    """``PROP, engine, half``: the engines of each prop in two halves, every second one by name; which of them is A
    alternates by player, so that no engine is always in the same.
    """
    engines = offers[[*PROP, "engine"]].drop_duplicates().sort_values([*PROP, "engine"], kind="stable")
    odd = (engines.groupby(PROP).cumcount() + engines["player_id"]) % 2
    return engines.assign(half=np.where(odd == 0, ChosenBy.HALF_A.value, ChosenBy.HALF_B.value))


def opening_bets(offers: pd.DataFrame) -> pd.DataFrame:
    """The bets that the books find worth their price at the opening, which is the first capture of a prop.

    The side with the highest EV above 0 by the other engines is bet, at its book's own line and price: one bet at most
    for each prop by all engines, and one for each half by the engines of that half.

    Args:
        offers: rows of ``nba_analytics.book_lines``, or of ``OFFERS_SQL``.

    Returns:
        One row per bet: ``PROP, system_id, chosen_by, side, bookmaker, engine, line, price, own_probability`` (of the
        side, by its own quote), ``chance`` (of the side, by those who chose it), ``ev``, ``quote_id, placed_at,
        minutes_before_game``.
    """
    main = offers[offers["is_main"].astype(bool)]
    main = main[main["opening_at"].eq(main.groupby(PROP)["opening_at"].transform("min"))]
    opened = main[[*PROP, "bookmaker", "engine", "cutoff_at", "is_main"]].assign(
        line=main["opening_line"],
        over_price=main["opening_over_price"],
        under_price=main["opening_under_price"],
        own_over_probability=over_probability(main["opening_over_price"], main["opening_under_price"]),
        quote_id=main["opening_quote_id"],
        placed_at=main["opening_at"],
        minutes_before_game=(main["cutoff_at"] - main["opening_at"]).dt.total_seconds() / 60,
    )
    half = opened[[*PROP, "engine"]].merge(halves(offers), how="left", validate="many_to_one")["half"].to_numpy()
    return pd.concat(
        [
            _worth(opened.assign(chosen_by=ChosenBy.ALL_BOOKS.value), consensus.MIN_ENGINES, OPENING_BETS),
            _worth(opened.assign(chosen_by=half), LEAST_OF_HALF, HALF_BETS),
        ],
        ignore_index=True,
    )


def _worth(opened: pd.DataFrame, least: int, system_id: str) -> pd.DataFrame:
    """The bet of each prop and ``chosen_by`` with the highest EV above 0 by at least so many other engines."""
    by = [*PROP, "chosen_by"]
    found = consensus.of_others(opened, by, least)
    rows = opened.merge(found, on=[*by, "engine"], validate="many_to_one").dropna(subset=["median"])
    over = pd.Series(consensus.over_chance(rows["median"], rows["line"], rows["market"]), index=rows.index)
    sides = [
        rows.assign(
            side=side.value,
            price=rows[f"{side.lower()}_price"],
            own_probability=_of_side(rows["own_over_probability"], side),
            chance=_of_side(over, side),
        )
        for side in SIDES
    ]
    both = pd.concat(sides, ignore_index=True)
    both = both.assign(ev=expected_profit(both["chance"], both["price"]), system_id=system_id)
    # rounded, so that the last digit of a sum decides nothing
    worth = both.assign(rank=-both["ev"].round(9)).sort_values([*by, "rank", "bookmaker"], kind="stable")
    worth = worth[worth["rank"] < 0]
    return worth.drop_duplicates(by)[list(_BET)]


def _of_side(over: pd.Series, side: str) -> pd.Series:
    return over if side == Recommendation.OVER else 1 - over


def closing_value(bets: pd.DataFrame, offers: pd.DataFrame) -> pd.DataFrame:
    """What the last lines say of each bet, by its own book and by others.

    Only lines captured after the bet count. Others judge by true closes if enough of them have one, else by all last
    lines, which is labelled.

    Args:
        bets: ``PROP, chosen_by, side, bookmaker, engine, line, price, own_probability, placed_at``, with an index of
            their own.
        offers: rows of ``nba_analytics.book_lines``, or of ``OFFERS_SQL``.

    Returns:
        For each bet, on its index: ``close_quote_id, close_line, close_minutes, is_close`` of its own book; by it
        ``clv_points`` (how far the line moved to the bet's advantage), ``clv_probability`` (P(the side wins) at the
        bet's line, without the vig, then less that by the bet's own quote) and ``clv_ev`` (expected profit of a unit at
        the bet's price). By other books ``judges`` (engines), ``judges_are_close``, ``others_clv_probability`` and
        ``others_clv_ev``; null for fewer than three engines, of a half than two. ``no_close_reason``.
    """
    numbered = bets[[*PROP, "chosen_by", "side", "bookmaker", "engine", "line", "price", "own_probability"]].assign(
        placed_at=bets["placed_at"], bet=np.arange(len(bets))
    )
    last = offers.loc[offers["is_main"].astype(bool), [*_CLOSE, "minutes_before_game"]]
    pairs = numbered.merge(
        last.merge(halves(offers), on=[*PROP, "engine"], how="left"), on=PROP, suffixes=("", "_last")
    )
    pairs = pairs[pairs["quoted_at"] > pairs["placed_at"]].copy()
    pairs["is_close"] = pairs["is_close"].fillna(False).astype(bool)
    pairs["median"] = consensus.implied_median(pairs["line_last"], pairs["own_over_probability"], pairs["market"])
    own = pairs[pairs["bookmaker_last"] == pairs["bookmaker"]].set_index("bet").reindex(numbered["bet"])
    moved = own["line_last"] - own["line"]
    by_own = _value(numbered.set_index("bet"), own["median"])
    by_others = _by_others(numbered, pairs)
    out = pd.DataFrame(
        {
            "close_quote_id": own["quote_id"],
            "close_line": own["line_last"],
            "close_minutes": own["minutes_before_game"],
            "is_close": own["is_close"].astype("boolean"),
            "clv_points": moved.where(own["side"].eq(Recommendation.OVER), -moved),
            "clv_probability": by_own["probability"],
            "clv_ev": by_own["ev"],
            "judges": by_others["engines"].astype(int),
            "judges_are_close": by_others["is_close"],
            "others_clv_probability": by_others["probability"],
            "others_clv_ev": by_others["ev"],
            "no_close_reason": own["quote_id"].isna().map({True: NOT_QUOTED_LATER, False: None}),
        }
    )
    return out.set_axis(bets.index)


def _by_others(bets: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """``engines, is_close, probability, ev`` of each bet by the engines that had no part in choosing it."""
    chosen_by = pairs["chosen_by"]
    judges = pairs[
        (pairs["engine_last"] != pairs["engine"])
        & chosen_by.ne(ChosenBy.ALL_BOOKS)
        & (chosen_by.eq(ChosenBy.OWN_BOOK) | pairs["half"].ne(chosen_by))
    ]
    by_number = bets.set_index("bet")
    least = by_number["chosen_by"].eq(ChosenBy.OWN_BOOK).map({True: consensus.MIN_ENGINES, False: LEAST_OF_HALF})

    def by_engines(some: pd.DataFrame) -> pd.DataFrame:
        engines = some.groupby(["bet", "engine_last"])["median"].mean().groupby(level="bet")
        found = engines.agg(["mean", "size"]).reindex(by_number.index)
        return found[found["size"] >= least]

    closes, all_lines = by_engines(judges[judges["is_close"]]), by_engines(judges)
    found = closes.combine_first(all_lines).reindex(by_number.index)
    is_close = pd.Series(found.index.isin(closes.index), found.index, dtype="boolean").where(found["mean"].notna())
    return _value(by_number, found["mean"]).assign(engines=found["size"].fillna(0), is_close=is_close)


def _value(bets: pd.DataFrame, median: pd.Series) -> pd.DataFrame:
    """What each bet is worth if the median is right: its gain in ``probability`` and its ``ev``."""
    over = pd.Series(consensus.over_chance(median, bets["line"], bets["market"]), index=bets.index)
    chance = over.where(bets["side"].eq(Recommendation.OVER), 1 - over)
    return pd.DataFrame({"probability": chance - bets["own_probability"], "ev": expected_profit(chance, bets["price"])})


def published_bets(graded: pd.DataFrame, read_books: Collection[str]) -> pd.DataFrame:
    """The picks of systems as they were first shown: for each system and prop the first valid row with a side that was
    published before the cut-off, as a bet at its quote and at that instant.

    Args:
        graded: rows of ``nba_predictions.prediction_accuracy``.
        read_books: the systems that read what every book says.

    Returns:
        As ``opening_bets``, with ``system_id`` and ``prediction_id``.
    """
    shown = graded[
        graded["recommendation"].isin(SIDES) & graded["is_valid_line"].astype(bool)
        & ~graded["is_backfill"].fillna(True).astype(bool)
    ].sort_values(["created_at", "prediction_id"], kind="stable")  # fmt: skip
    first = shown.drop_duplicates([*PROP, "system_id"]).reset_index(drop=True)
    side, book = first["recommendation"], first["sportsbook"]
    is_over = side.eq(Recommendation.OVER)
    own, chance = first["market_over_probability"], first["over_probability"].astype("float64")
    price = first["over_price"].where(is_over, first["under_price"])
    chance = chance.where(is_over, 1 - chance)
    # no quote is later than itself, whatever the clocks of capture and publication say
    minutes = pd.to_timedelta(first["line_minutes_before_game"].astype("float64"), unit="min")
    quoted = (first["cutoff_at"] - minutes).dt.ceil("s")
    placed = first["created_at"].where(first["created_at"] >= quoted, quoted)
    everyone = first["system_id"].isin(read_books)
    return first[[*PROP, "system_id", "prediction_id", "line", "quote_id"]].assign(
        chosen_by=everyone.map({True: ChosenBy.ALL_BOOKS.value, False: ChosenBy.OWN_BOOK.value}),
        side=side,
        bookmaker=book,
        engine=engine_of(book),
        price=price,
        own_probability=own.where(is_over, 1 - own),
        chance=chance,
        ev=expected_profit(chance, price),
        placed_at=placed,
        minutes_before_game=(first["cutoff_at"] - placed).dt.total_seconds() / 60,
    )


def bets(graded: pd.DataFrame, offers: pd.DataFrame, read_books: Collection[str]) -> pd.DataFrame:
    """The published picks and the opening bets of some dates with their closing value and their result, in the columns
    of ``nba_predictions.closing_line_value``.

    Args:
        graded: rows of ``nba_predictions.prediction_accuracy``.
        offers: the result of ``OFFERS_SQL``.
        read_books: the systems that read what every book says.
    """
    made = [published_bets(graded, read_books), opening_bets(offers).assign(prediction_id=None)]
    both = pd.concat([m for m in made if len(m)] or made[:1], ignore_index=True)
    known = graded[[*PROP, "result"]].dropna(subset=["result"]).drop_duplicates(PROP)
    both = both.merge(known, on=PROP, how="left", validate="many_to_one")
    profit = settled(both["side"], both["line"], both["price"], both["result"])
    names = [*PROP, "system_id", "side"]
    bet_id = [digest("|".join(map(str, k))) for k in both[[*names, "chosen_by"]].itertuples(index=False)]
    return both.join(closing_value(both, offers)).assign(bet_id=bet_id, profit=profit)[list(_COLUMNS)]
