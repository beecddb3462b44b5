"""What a slate's pages say in sentences: what is on them, what it won, and what such bets returned before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pandas as pd

from nba_props.domain.closing import OPENING_BETS
from nba_props.domain.odds import settled
from nba_props.domain.stored import span_sql
from nba_props.facts import markets
from nba_props.facts.calendar import season_start
from nba_props.facts.markets import ALL_TIERS, POINTS
from nba_props.facts.vocabulary import Outcome, Span
from nba_props.facts.words import percent, plural
from nba_props.presentation import board, shopping
from nba_props.presentation.site.slate import Slate
from nba_props.schemas.monitoring import MARKET_SCORES, SCOREBOARD
from nba_props.schemas.predictions import PREDICTION_ACCURACY
from nba_props.schemas.raw import SCHEDULE
from nba_props.warehouse.base import Warehouse


def of_slate(found: Slate) -> list[str]:
    """What is on a slate, what its picks won, and what a reader has to know of its quotes, in sentences."""
    props, said = found.props, [headline(counts_of(found.props))]
    for system, own in props[board.is_pick(props)].groupby(props["market"].map(board.usual_system)):
        of = POINTS if system == board.SYSTEM else "other markets"
        said.append(f"{system} in {of}, {board.record(own) or plural(len(own), 'pick')}.")
    old = shopping.old_prices(props[props["line"].notna()].assign(quote_age=props["age"]))
    status = (
        "" if props["injury_status"].notna().any() else "No injury report of this date is known, so no status is shown."
    )
    return [*said, *filter(None, (old, status))]


def of_prices(found: Slate) -> list[str]:
    """What the sides worth more than their price are, and what they won, in sentences."""
    prices = found.prices
    won = settled(prices["leans"], prices["line"], prices["price"], prices["result"])
    rows = prices.assign(ev=prices["books_ev"], ev_shrunk=prices["books_ev_shrunk"], profit=won)
    said = [
        f"{plural(len(rows), 'side')} of main lines whose best price is worth more than the stake by the other books, "
        f"on {plural(rows['player_id'].nunique(), 'player')}: whether or not a system picks them."
    ]
    kept = shopping.record(rows) if len(rows) and rows["profit"].notna().any() else None
    earlier = "On real lines of 2024 and 2025 sides with EV above 0 earned nothing."
    old = shopping.old_prices(rows.assign(quote_age=rows["age"]))
    return [*said, *([f"{kept}."] if kept else []), earlier, *([old] if old else [])]


def headline(counts: Mapping[str, int]) -> str:
    """What is on a slate, in a sentence."""
    return (
        f"{plural(counts['props'], 'prop')} with a line on {plural(counts['players'], 'player')} in "
        f"{plural(counts['games'], 'game')} and {plural(counts['markets'], 'market')}."
    )


def counts_of(props: pd.DataFrame) -> dict[str, int]:
    """How many props with a line, games, players, markets and picks are on a slate."""
    lined = props[props["line"].notna()]
    found = {
        name: int(lined[c].nunique())
        for name, c in (("games", "game_id"), ("players", "player_id"), ("markets", "market"))
    }
    return {"props": len(lined), **found, "picks": int(board.is_pick(lined).sum())}


#: how many of the decided bets in points of @first..@last nobody could have placed
_LATE_SQL = f"""
SELECT COUNT(CASE WHEN COALESCE(is_backfill, TRUE) THEN 1 END) AS late
FROM {span_sql(PREDICTION_ACCURACY)} AS a
WHERE is_current AND is_valid_line AND market = '{POINTS}' AND system_id = '{board.SYSTEM}'
  AND outcome IN ('{Outcome.WIN}', '{Outcome.LOSS}')
"""


def record(warehouse: Warehouse, day: date) -> list[str]:
    """What the season's bets before a date have returned, in sentences, for the page that shows tonight's."""
    first, last = season_start(day), day - timedelta(1)
    mine = f"tier = '{ALL_TIERS}' AND market = '{POINTS}' AND system_id = '{board.SYSTEM}'"
    opening = f"market = '{markets.ALL}' AND system_id = '{OPENING_BETS}' AND score IN ('PROMISED', 'RETURN')"
    scores, beside = (
        warehouse.query(
            f"SELECT * FROM {span_sql(table)} AS s WHERE span = '{Span.SEASON}' AND {which}", first=first, last=last
        )
        for table, which in ((SCOREBOARD, mine), (MARKET_SCORES, opening))
    )  # fmt: skip
    found = []
    for row in scores.sort_values("game_date").tail(1).to_dict("records"):
        bets, through = row["wins"] + row["losses"], row["game_date"].date()
        if bets:
            late = int(warehouse.query(_LATE_SQL, first=first, last=through)["late"].iloc[0])
            which = "all of them" if late >= bets else f"{late:,} of them"
            found.append(
                f"{board.SYSTEM} in points this season, through {through}: {percent(row['hit_rate'])} of "
                f"{plural(bets, 'bet')} won, break-even {percent(row['break_even'])}; return {_bounded(row, 'roi')} on "
                f"{plural(row['bet_dates'], 'night')}"
                + (f"; {which} published after tip-off (backfill), so hypothetical." if late else ".")
            )
    newest = beside[beside["game_date"] == beside["game_date"].max()].set_index("score") if len(beside) else beside
    if {"PROMISED", "RETURN"} <= set(newest.index):
        row = newest.loc["RETURN"].to_dict()
        row |= {"roi": row["value"], "roi_low": row["low"], "roi_high": row["high"]}
        found.append(
            f"{plural(row['rows'], 'side')} that the other books found worth the price at the opening promised "
            f"{percent(newest.loc['PROMISED', 'value'], '+')} a unit and returned {_bounded(row, 'roi')}, in every "
            f"market this season, through {row['game_date'].date()}."
        )
    return found or ["Nothing of this season is graded before this date: no record to show yet."]


def _bounded(row: Mapping[str, Any], name: str) -> str:
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    interval = "too few nights for an interval" if pd.isna(low) else f"{percent(low, '+')} to {percent(high, '+')}"
    return f"{percent(row[name], '+')} ({interval})"


def why_empty(warehouse: Warehouse, day: date, props: pd.DataFrame) -> str:
    """Why no prop of a date has a line."""
    if len(props):
        return f"{plural(props['player_id'].nunique(), 'player')} on the slate, and no book has a line on any of them."
    games = warehouse.query(f"SELECT COUNT(*) AS n FROM {span_sql(SCHEDULE)} AS s", first=day, last=day)["n"].iloc[0]
    return "No games on this date." if not games else f"{plural(games, 'game')}, and nothing is predicted yet."


def long_day(day: date) -> str:
    """A date in words."""
    return f"{day:%A} {day.day} {day:%B} {day.year}"
