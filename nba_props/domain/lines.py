"""Betting lines: which quote is a player's line, and what makes a line valid.

``line_problem_sql`` is the only definition of a valid line. It is an SQL expression, so that the gate, the checks,
grading and every monitoring view evaluate the same text in either warehouse.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date

import numpy as np
import pandas as pd

from nba_props.domain.book_lines import QUOTES_SQL, best_prices, book_lines, by_rank, judged_quotes
from nba_props.facts import markets
from nba_props.facts.books import SPORTSBOOKS
from nba_props.facts.calendar import weeks
from nba_props.facts.keys import PLAYER_GAME, PROP
from nba_props.facts.vocabulary import DataSource, LineSource, sql_list
from nba_props.schemas.analytics import BETTING_LINES, BOOK_LINES

#: the published name of the API that a quote comes from, by its data source
LINE_SOURCE_APIS: Mapping[str, str] = {DataSource.THE_ODDS_API: "ODDS_API", DataSource.SIMULATED: "SIMULATED"}

_OFF_GRID_SQL = "p.line <= 0 OR p.line * 2 <> FLOOR(p.line * 2)"


def is_off_grid(line: float) -> bool:
    """Whether a number is not a positive multiple of a half point, and so no line: ``_OFF_GRID_SQL`` in Python."""
    return line <= 0 or line * 2 % 1 != 0


def _placeholder_sql() -> str:
    """SQL for whether the line of ``p`` is a sentinel of its market; a row without a market may be of any."""
    sentinels: dict[tuple[float, ...], list[str]] = {}
    for market in markets.MARKETS:
        sentinels.setdefault(market.placeholders, []).append(market.key)
    usual, *others = sentinels
    apart = [
        f"WHEN p.market IN ({sql_list(sentinels[values])}) THEN p.line IN ({_numbers(values)})" for values in others
    ]
    found = f"p.line IN ({_numbers(usual)})"
    return f"CASE {' '.join(apart)} ELSE {found} END" if apart else found


def _numbers(values: tuple[float, ...]) -> str:
    return ", ".join(map(repr, values))


def line_problem_sql() -> str:
    """A GoogleSQL expression: null for a valid line, else the reason code.

    ``p`` is the row that claims a line, ``q`` the row of ``nba_raw.odds_quotes`` with the claimed ``quote_id``, ``r``
    the row of ``nba_reference.resolved_names`` that identifies the quoted player, and ``g`` the latest start that
    schedule or odds feed ever had for the game (all left-joined).
    """
    placeholder = _placeholder_sql()
    unverified = "q.quote_id IS NULL"
    late_cutoff = "p.cutoff_at > g.latest_start_at"
    return f"""
    CASE
      WHEN p.line_source IS NULL AND {placeholder} THEN 'PLACEHOLDER_LINE'
      WHEN p.line_source IS NULL THEN 'NO_SOURCE'
      WHEN p.line_source = '{LineSource.NO_PROP_LINE}' THEN
        CASE
          WHEN {placeholder} THEN 'PLACEHOLDER_LINE'
          WHEN p.line IS NOT NULL OR p.quote_id IS NOT NULL OR COALESCE(p.has_prop_line, TRUE)
            OR p.sportsbook IS NOT NULL OR p.over_price IS NOT NULL OR p.under_price IS NOT NULL
            THEN 'CONTRADICTORY_LINE'
          WHEN {late_cutoff} THEN 'CUTOFF_MISMATCH'
          ELSE NULL
        END
      WHEN p.line_source <> '{LineSource.ACTUAL_PROP}' AND {placeholder} THEN 'PLACEHOLDER_LINE'
      WHEN p.line_source <> '{LineSource.ACTUAL_PROP}' THEN 'UNKNOWN_SOURCE'
      WHEN p.line IS NULL THEN 'MISSING_LINE'
      WHEN {unverified} AND {placeholder} THEN 'PLACEHOLDER_LINE'
      WHEN {unverified} THEN 'NO_QUOTE'
      WHEN NOT COALESCE(p.has_prop_line, FALSE) THEN 'CONTRADICTORY_LINE'
      WHEN p.sportsbook IS NULL OR p.sportsbook <> q.bookmaker THEN 'BOOK_MISMATCH'
      WHEN q.bookmaker NOT IN ({sql_list(SPORTSBOOKS)}) THEN 'BOOK_NOT_ALLOWED'
      WHEN r.player_id IS NULL OR r.player_id <> p.player_id OR q.game_id <> p.game_id
        OR COALESCE({markets.quoted_market_sql("q.market")} <> p.market, TRUE) THEN 'QUOTE_OF_ANOTHER'
      WHEN p.line <> q.line AND {placeholder} THEN 'PLACEHOLDER_LINE'
      WHEN p.line <> q.line THEN 'LINE_MISMATCH'
      WHEN p.over_price IS NULL OR p.under_price IS NULL OR q.over_price IS NULL OR q.under_price IS NULL
        OR p.over_price <> q.over_price OR p.under_price <> q.under_price THEN 'PRICE_MISMATCH'
      WHEN p.cutoff_at IS NULL THEN 'NO_CUTOFF'
      WHEN {late_cutoff} THEN 'CUTOFF_MISMATCH'
      WHEN q.snapshot_at >= p.cutoff_at OR q.is_in_play THEN 'IN_PLAY_QUOTE'
      WHEN {_OFF_GRID_SQL} THEN 'OFF_GRID_LINE'
      ELSE NULL
    END"""


#: every reason code of ``line_problem_sql`` in words
LINE_PROBLEMS = {
    "PLACEHOLDER_LINE": "a known placeholder value without the quote of a sportsbook behind it",
    "NO_SOURCE": "the line has no source",
    "UNKNOWN_SOURCE": "the line's source is neither ACTUAL_PROP nor NO_PROP_LINE",
    "MISSING_LINE": "the row claims a line and has none",
    "NO_QUOTE": "no quote with this id exists",
    "CONTRADICTORY_LINE": "has_prop_line and the line's own columns disagree",
    "BOOK_MISMATCH": "the book is not the quote's",
    "BOOK_NOT_ALLOWED": "the book is not an allowed sportsbook",
    "QUOTE_OF_ANOTHER": "the quote is for another player, game or market",
    "CUTOFF_MISMATCH": "the row's cut-off is later than any start that schedule or feed ever had for the game",
    "LINE_MISMATCH": "the line differs from its quote",
    "PRICE_MISMATCH": "a price differs from its quote, or is missing",
    "NO_CUTOFF": "the cut-off is unknown, so the quote cannot be shown to precede it",
    "IN_PLAY_QUOTE": "the quote was seen at or after the cut-off",
    "OFF_GRID_LINE": "the line is not a positive multiple of a half point",
}


#: the reasons that make a line a placeholder, and not merely wrong
PLACEHOLDER_REASONS = ("PLACEHOLDER_LINE", "NO_SOURCE", "UNKNOWN_SOURCE")
PLACEHOLDER_REASONS_SQL = sql_list(PLACEHOLDER_REASONS)


def claimed_lines_sql(claims: str, *, bounded: bool = True) -> str:
    """SQL that selects every row of ``claims`` (alias p) with its ``line_problem``; it neither drops nor repeats rows.

    The parameters ``@first`` and ``@last`` are the dates of the claims; in a view, which has no parameters, it is not
    ``bounded``.
    """
    within = "AND {0}.game_date BETWEEN @first AND @last" if bounded else ""
    return f"""
    SELECT p.*, {line_problem_sql()} AS line_problem
    FROM {claims} AS p
    LEFT JOIN nba_raw.odds_quotes AS q
      ON q.game_date = p.game_date AND q.quote_id = p.quote_id {within.format("q")}
    LEFT JOIN nba_reference.resolved_names AS r
      ON r.game_date = q.game_date AND r.game_id = q.game_id AND r.source_name = q.source_name
        AND r.source = q.data_source {within.format("r")}
    LEFT JOIN (
      SELECT game_date, game_id, MAX(start_at) AS latest_start_at
      FROM (
        SELECT s.game_date, s.game_id, s.tipoff_at AS start_at FROM nba_raw.schedule AS s
        WHERE s.tipoff_at IS NOT NULL {within.format("s")}
        UNION ALL
        SELECT o.game_date, o.game_id, o.commence_at FROM nba_raw.odds_quotes AS o
        WHERE o.commence_at IS NOT NULL {within.format("o")}
      ) AS starts
      GROUP BY game_date, game_id
    ) AS g ON g.game_date = p.game_date AND g.game_id = p.game_id
    """


#: the markets that have lines on each date of @first..@last
MARKETS_SQL = (
    "SELECT DISTINCT game_date, market FROM nba_analytics.betting_lines WHERE game_date BETWEEN @first AND @last"
)


def of_markets(rows: pd.DataFrame, asked: Collection[str], stored: pd.DataFrame) -> pd.DataFrame:
    """The lines in some markets, and on each date also in those that it has already (``MARKETS_SQL``)."""
    there = pd.MultiIndex.from_frame(rows[["game_date", "market"]])
    kept = there.isin(pd.MultiIndex.from_frame(stored[["game_date", "market"]]))
    return rows[rows["market"].isin(asked) | kept].reset_index(drop=True)


def read_lines(
    query: Callable[..., pd.DataFrame],
    slate: pd.DataFrame,
    resolved: pd.DataFrame,
    days: Sequence[date],
    asked: Collection[str],
    books: Sequence[str] = SPORTSBOOKS,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """``book_lines`` and ``betting_lines`` of some dates, whose quotes are read with ``query`` a week at a time; a line
    is that of the first of the ``books``.
    """
    chosen_markets = [m for m in markets.MARKETS if m.key in asked]
    offered, chosen = [BOOK_LINES.empty()], [BETTING_LINES.empty()]
    for week in weeks(days):
        people, names = (f[f["game_date"].between(*map(pd.Timestamp, (week[0], week[-1])))] for f in (slate, resolved))
        judged = judged_quotes(people, query(QUOTES_SQL, first=week[0], last=week[-1]), names, chosen_markets)
        offered.append(book_lines(judged))
        chosen.append(chosen_lines(people, judged, offered[-1], chosen_markets, books))
    return _together(offered), _together(chosen)


def _together(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat([f for f in frames if len(f)] or frames[:1], ignore_index=True)


def betting_lines(
    slate: pd.DataFrame,
    quotes: pd.DataFrame,
    resolved: pd.DataFrame,
    asked: Collection[str] | None = None,
    books: Sequence[str] = SPORTSBOOKS,
) -> pd.DataFrame:
    """The line of each slate player in each market, and its provenance.

    In a market that is not for everyone (``facts/markets.py``), players have a row if a book quotes them in it.

    Args:
        slate: rows of ``nba_analytics.slate``.
        quotes: rows of ``nba_raw.odds_quotes`` for the same dates (``QUOTES_SQL``).
        resolved: rows of ``nba_reference.resolved_names``.
        asked: the markets; all by default.
        books: every sportsbook, in the order in which a line is chosen.

    Returns:
        One row per slate row and market, in the columns of ``nba_analytics.betting_lines``.
    """
    chosen_markets = [m for m in markets.MARKETS if asked is None or m.key in asked]
    judged = judged_quotes(slate, quotes, resolved, chosen_markets)
    return chosen_lines(slate, judged, book_lines(judged), chosen_markets, books)


def chosen_lines(
    slate: pd.DataFrame,
    judged: pd.DataFrame,
    offers: pd.DataFrame,
    asked: Sequence[markets.Market],
    books: Sequence[str] = SPORTSBOOKS,
) -> pd.DataFrame:
    """``betting_lines`` from what the books offer: the main line of the first book in the order that has one.

    Args:
        slate: rows of ``nba_analytics.slate``.
        judged: the quotes of ``judged_quotes``, for why a player has no line.
        offers: rows of ``nba_analytics.book_lines`` for the same dates.
        asked: the markets.
        books: every sportsbook, in the order in which a line is chosen.
    """
    rows = _asked(slate, judged, asked)
    main = offers[offers["is_main"].astype(bool)]
    chosen = by_rank(main, books).drop_duplicates(PROP).set_index(PROP)
    grouped = main.groupby(PROP)["line"]
    market = pd.DataFrame(
        {
            "consensus_line": grouped.median(),
            "books": grouped.size(),
            "line_range": grouped.max() - grouped.min(),
        }
    )
    key = pd.MultiIndex.from_frame(rows[PROP])
    out = rows.set_index(PROP, drop=False).rename_axis([None] * len(PROP))
    picked = chosen.reindex(key)
    has_line = picked["quote_id"].notna().to_numpy()
    out["has_prop_line"] = has_line
    out["line_source"] = np.where(has_line, LineSource.ACTUAL_PROP.value, LineSource.NO_PROP_LINE.value)
    out["line_source_api"] = picked["data_source"].map(LINE_SOURCE_APIS).to_numpy()
    for column, source in (
        ("sportsbook", "bookmaker"),
        ("quote_id", "quote_id"),
        ("line", "line"),
        ("over_price", "over_price"),
        ("under_price", "under_price"),
        ("line_minutes_before_game", "minutes_before_game"),
        ("quoted_at", "quoted_at"),
        ("opening_line", "opening_line"),
        ("opening_at", "opening_at"),
    ):
        out[column] = picked[source].array
    for column in market:
        out[column] = market[column].reindex(key).array
    out["books"] = out["books"].fillna(0)
    out["line_movement"] = out["line"] - out["opening_line"]
    # the chosen quote itself too, in case its book has withdrawn a side since
    current = offers[offers["is_current"].astype(bool) | offers["quote_id"].isin(picked["quote_id"])]
    at_line = pd.MultiIndex.from_frame(rows[PROP].assign(line=picked["line"].array))
    for side in ("over", "under"):
        best = best_prices(current, side, books).reindex(at_line)
        out[f"best_{side}_price"] = best[f"{side}_price"].array
        out[f"best_{side}_book"] = best["bookmaker"].array
    out["no_line_reason"] = _no_line_reason(judged, out, key)
    return out.reset_index(drop=True)


def _asked(slate: pd.DataFrame, mine: pd.DataFrame, asked: Sequence[markets.Market]) -> pd.DataFrame:
    """The slate's rows for each market: everyone in a market for everyone, else those whom a book quotes in it."""
    people = slate[[*PLAYER_GAME, "player_name", "player_lookup", "cutoff_at"]]
    everyone = pd.DataFrame({"market": [m.key for m in asked if m.for_everyone]})
    quoted = mine.loc[~mine["market"].isin(everyone["market"]), PROP].drop_duplicates()
    return pd.concat([people.merge(everyone, how="cross"), people.merge(quoted, on=PLAYER_GAME)], ignore_index=True)


def _no_line_reason(mine: pd.DataFrame, out: pd.DataFrame, key: pd.MultiIndex) -> np.ndarray:
    """Why a player has no line: the first condition that none of his quotes meets, along with those before it."""
    reached = [key.isin(pd.MultiIndex.from_frame(mine[PROP]))]
    for condition in ("allowed", "before", "fresh"):
        mine = mine[mine[condition]]
        reached.append(key.isin(pd.MultiIndex.from_frame(mine[PROP])))
    reason = np.select(
        [
            out["has_prop_line"].to_numpy(dtype=bool),
            out["cutoff_at"].isna().to_numpy(),
            *(~there for there in reached),
        ],
        ["", "NO_CUTOFF", "NOT_QUOTED", "NO_SPORTSBOOK", "ONLY_IN_PLAY", "ONLY_STALE"],
        default="ONE_SIDED",
    ).astype(object)
    reason[reason == ""] = None
    return reason
