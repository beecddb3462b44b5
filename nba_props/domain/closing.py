"""Closing line value: what the last lines before the cut-off say of a bet that was made earlier.

A bet is judged by the last line of its own book, and by those of other books, their consensus. A book that had a part
in choosing a bet never judges it: it would find the bet good because it was chosen so. So the bets of one half of the
odds engines are judged by the other half, and those of a system that is not known to read its own book alone by none.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from nba_props.domain import consensus
from nba_props.domain.book_lines import CLOSE_WITHIN
from nba_props.domain.odds import engine_of, expected_profit, over_probability, settled
from nba_props.domain.stored import span_sql
from nba_props.facts.books import FOLLOWS
from nba_props.facts.digest import digest
from nba_props.facts.keys import PROP
from nba_props.facts.vocabulary import SIDES, ChosenBy, Recommendation, sql_list
from nba_props.schemas.analytics import BOOK_LINES
from nba_props.schemas.predictions import CLOSING_LINE_VALUE, PREDICTION_ACCURACY
from nba_props.schemas.raw import ODDS_QUOTES

#: fewest engines of a half beside the bet's own, and of the half that judges
LEAST_OF_HALF = 2
#: the names of opening bets beside those of systems: of those that all engines chose, and that halves of them did
OPENING_BETS, HALF_BETS = "opening_bets", "opening_bets_of_halves"
#: the consensus of the books other than a quote's own, where it stands beside systems
OTHER_BOOKS = "other_books"
#: the names that stand beside those of systems
NO_SYSTEMS = (OPENING_BETS, HALF_BETS, OTHER_BOOKS)
#: no book has a line on the player that was captured after the bet
NOT_QUOTED_LATER = "NOT_QUOTED_LATER"
_COLUMNS = CLOSING_LINE_VALUE.column_names
_CLOSE = [*PROP, "bookmaker", "engine", "line", "own_over_probability", "quoted_at", "quote_id", "cutoff_at"]
_BET = (
    *PROP, "system_id", "chosen_by", "side", "bookmaker", "engine", "line", "price", "own_probability", "chance", "ev",
    "quote_id", "placed_at", "minutes_before_game",
)  # fmt: skip
_OFFERED = [*_CLOSE, "is_main", *(c for c in BOOK_LINES.column_names if c.startswith("opening_"))]
#: what bets are made and judged from: the main rows of ``book_lines``
OFFERS_SQL = (
    f"SELECT {', '.join(_OFFERED)} FROM nba_analytics.book_lines WHERE game_date BETWEEN @first AND @last AND is_main"
)
#: the condition for graded rows of ``a`` that count here: valid in every respect, of a writer with a name of its own
VALID_SQL = (
    "a.is_valid_line AND a.line_problem IS NULL AND a.system_id IS NOT NULL "
    f"AND a.system_id NOT IN ({sql_list(NO_SYSTEMS)})"
)
#: the published rows with a side that were shown before the cut-off, each with the instant of its quote
SHOWN_SQL = f"""
SELECT a.game_date, a.game_id, a.player_id, a.market, a.system_id, a.prediction_id, a.line, a.over_price, a.under_price,
  a.sportsbook, a.quote_id, a.recommendation, a.over_probability, a.market_over_probability, a.created_at, a.cutoff_at,
  q.snapshot_at AS quoted_at
FROM {span_sql(PREDICTION_ACCURACY)} AS a
JOIN {span_sql(ODDS_QUOTES)} AS q ON q.game_date = a.game_date AND q.quote_id = a.quote_id
WHERE {VALID_SQL} AND NOT a.is_backfill AND a.recommendation IN ({sql_list(SIDES)})
"""


def halves(offers: pd.DataFrame) -> pd.DataFrame:
    """``PROP, engine, half``: the engines with a main line on each prop in two halves, those that follow another in the
    same as it: every second of the others by name. Which half is A alternates by player.
    """
    main = offers[offers["is_main"].astype(bool)]
    engines = main[[*PROP, "engine"]].drop_duplicates()
    engines["leader"] = _leader(engines["engine"])
    leaders = engines[[*PROP, "leader"]].drop_duplicates().sort_values([*PROP, "leader"], kind="stable")
    odd = (leaders.groupby(PROP).cumcount() + leaders["player_id"]) % 2
    leaders["half"] = np.where(odd == 0, ChosenBy.HALF_A.value, ChosenBy.HALF_B.value)
    return engines.merge(leaders, on=[*PROP, "leader"], validate="many_to_one")[[*PROP, "engine", "half"]]


def _leader(engine: pd.Series) -> pd.Series:
    """The engine that an engine follows, itself unless it follows another."""
    return engine.replace(FOLLOWS)


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

    Only lines captured after the bet count. Others judge by true closes if enough of them have one, else by older last
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
    last = offers.loc[offers["is_main"].astype(bool), _CLOSE]
    pairs = numbered.merge(
        last.merge(halves(offers), on=[*PROP, "engine"], how="left"), on=PROP, suffixes=("", "_last")
    )
    pairs = pairs[pairs["quoted_at"] > pairs["placed_at"]].copy()
    pairs["close_minutes"] = (pairs["cutoff_at"] - pairs["quoted_at"]).dt.total_seconds() / 60
    pairs["is_close"] = pairs["close_minutes"] <= CLOSE_WITHIN
    pairs["median"] = consensus.implied_median(pairs["line_last"], pairs["own_over_probability"], pairs["market"])
    own = pairs[pairs["bookmaker_last"] == pairs["bookmaker"]].set_index("bet").reindex(numbered["bet"])
    moved = own["line_last"] - own["line"]
    by_own = _value(numbered.set_index("bet"), own["median"])
    by_others = _by_others(numbered, pairs)
    out = pd.DataFrame(
        {
            "close_quote_id": own["quote_id"],
            "close_line": own["line_last"],
            "close_minutes": own["close_minutes"],
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
        (_leader(pairs["engine_last"]) != _leader(pairs["engine"]))
        & pairs["median"].notna()
        & chosen_by.ne(ChosenBy.ALL_BOOKS)
        & (chosen_by.eq(ChosenBy.OWN_BOOK) | pairs["half"].ne(chosen_by))
    ]
    by_number = bets.set_index("bet")
    least = by_number["chosen_by"].eq(ChosenBy.OWN_BOOK).map({True: consensus.MIN_ENGINES, False: LEAST_OF_HALF})

    def by_engines(some: pd.DataFrame) -> pd.DataFrame:
        engines = some.groupby(["bet", "engine_last"])["median"].mean().groupby(level="bet")
        # a book and one that follows it are one opinion
        opinions = some.assign(leader=_leader(some["engine_last"])).groupby("bet")["leader"].nunique()
        found = engines.agg(["mean", "size"]).reindex(by_number.index)
        return found[opinions.reindex(by_number.index) >= least]

    closes, older = (by_engines(judges[judges["is_close"] == kind]) for kind in (True, False))
    found = closes.combine_first(older).reindex(by_number.index)
    is_close = pd.Series(found.index.isin(closes.index), found.index, dtype="boolean").where(found["mean"].notna())
    return _value(by_number, found["mean"]).assign(engines=found["size"].fillna(0), is_close=is_close)


def _value(bets: pd.DataFrame, median: pd.Series) -> pd.DataFrame:
    """What each bet is worth if the median is right: its gain in ``probability`` and its ``ev``."""
    over = pd.Series(consensus.over_chance(median, bets["line"], bets["market"]), index=bets.index)
    chance = over.where(bets["side"].eq(Recommendation.OVER), 1 - over)
    return pd.DataFrame({"probability": chance - bets["own_probability"], "ev": expected_profit(chance, bets["price"])})


def published_bets(shown: pd.DataFrame, independent: Collection[str]) -> pd.DataFrame:
    """The picks of systems as they were first shown: for each system and prop the first row with a side, as a bet at
    its quote and at the instant of its publication.

    Args:
        shown: the result of ``SHOWN_SQL``.
        independent: the systems that are known to read no book but that of the bet.

    Returns:
        As ``opening_bets``, with ``prediction_id``.
    """
    ordered = shown.sort_values(["created_at", "prediction_id"], kind="stable")
    first = ordered.drop_duplicates([*PROP, "system_id"]).reset_index(drop=True)
    side, book = first["recommendation"], first["sportsbook"]
    is_over = side.eq(Recommendation.OVER)
    own, chance = first["market_over_probability"], first["over_probability"].astype("float64")
    price = first["over_price"].where(is_over, first["under_price"])
    chance = chance.where(is_over, 1 - chance)
    # no quote is later than itself, whatever the clocks of capture and publication say
    placed = first["created_at"].where(first["created_at"] >= first["quoted_at"], first["quoted_at"])
    alone = first["system_id"].isin(independent)
    return first[[*PROP, "system_id", "prediction_id", "line", "quote_id"]].assign(
        chosen_by=alone.map({True: ChosenBy.OWN_BOOK.value, False: ChosenBy.ALL_BOOKS.value}),
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


def bets(
    shown: pd.DataFrame, results: pd.DataFrame, offers: pd.DataFrame, independent: Collection[str]
) -> pd.DataFrame:
    """The published picks and the opening bets of some dates with their closing value and their result, in the columns
    of ``nba_predictions.closing_line_value``.

    Args:
        shown: the result of ``SHOWN_SQL``.
        results: ``PROP, result`` (``results_sql``).
        offers: the result of ``OFFERS_SQL``.
        independent: the systems that are known to read no book but that of the bet.
    """
    made = [published_bets(shown, independent), opening_bets(offers).assign(prediction_id=None)]
    both = pd.concat([m for m in made if len(m)] or made[:1], ignore_index=True)
    both = both.merge(results, on=PROP, how="left", validate="many_to_one")
    profit = settled(both["side"], both["line"], both["price"], both["result"])
    named = [*PROP, "system_id", "side", "chosen_by"]
    bet_id = [digest("|".join(map(str, k))) for k in both[named].itertuples(index=False)]
    return both.join(closing_value(both, offers)).assign(bet_id=bet_id, profit=profit)[list(_COLUMNS)]
