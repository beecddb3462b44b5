"""A date's props as one frame, and as the data of its page: a row for each player and market, with a line or without.

Everything is read by statements whose number depends on neither players nor markets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd

from nba_props.domain.book_lines import STALE_AFTER, by_rank
from nba_props.domain.distributions.masses import as_array, is_whole, over_chance
from nba_props.domain.odds import expected_profit
from nba_props.domain.stored import span_sql
from nba_props.domain.systems import SYSTEM_TABLES
from nba_props.facts import markets
from nba_props.facts.books import name_of
from nba_props.facts.calendar import EASTERN
from nba_props.facts.keys import PROP
from nba_props.facts.vocabulary import NOT_LISTED, SIDES, Anchor, InjuryStatus
from nba_props.presentation import board, shopping
from nba_props.schemas.analytics import BETTING_LINES, CONTEXT, HISTORICAL_GAMES, PRICES, SLATE
from nba_props.schemas.distributions import DISTRIBUTIONS
from nba_props.schemas.predictions import QUARANTINED_PREDICTIONS
from nba_props.schemas.raw import SCHEDULE
from nba_props.warehouse.base import Warehouse

#: past games that a page shows
SHOWN_GAMES = 20
#: the columns of box scores that results are sums of
STATS = markets.stats()
#: why a prop without a pick has none, where nothing else is known
_NOT_PREDICTED = "not predicted: the system has no row for it"
#: why there is no line, in words
_NO_LINE = {
    "NOT_QUOTED": "no book quoted him", "NO_SPORTSBOOK": "no sportsbook quoted him",
    "ONLY_IN_PLAY": "quoted in play only", "ONLY_STALE": "only old quotes", "ONE_SIDED": "only one side has a price",
    "NO_CUTOFF": "the tip-off is not known",
}  # fmt: skip

_LINES_SQL = f"""
SELECT b.game_date, b.game_id, b.player_id, b.player_name, b.market, b.cutoff_at, b.line AS newest_line, b.sportsbook,
  b.quoted_at, b.opening_line, b.books, b.line_range, b.no_line_reason, s.team, s.opponent, g.away_team, g.home_team,
  g.tipoff_at, g.is_postponed, x.injury_status, x.injury_reported_at
FROM {span_sql(BETTING_LINES)} AS b
JOIN {span_sql(SLATE)} AS s ON s.game_date = b.game_date AND s.game_id = b.game_id AND s.player_id = b.player_id
JOIN {span_sql(SCHEDULE)} AS g ON g.game_date = b.game_date AND g.game_id = b.game_id
LEFT JOIN {span_sql(CONTEXT)} AS x
  ON x.game_date = b.game_date AND x.game_id = b.game_id AND x.player_id = b.player_id
"""
# of several reasons one is shown, the last by the alphabet: a row that was held back tells more than an abstention
_WHY_SQL = f"""
SELECT game_date, game_id, player_id, market, MAX(why) AS why FROM (
  SELECT game_date, game_id, player_id, market, CONCAT('abstained: ', abstain_reason) AS why
  FROM nba_predictions.current_predictions
  WHERE game_date BETWEEN @first AND @last AND abstain_reason IS NOT NULL
    AND system_id = {board.usual_system_sql("market")}
  UNION ALL
  SELECT game_date, game_id, player_id, market, CONCAT('quarantined: ', reason) AS why
  FROM {span_sql(QUARANTINED_PREDICTIONS)} AS q
  WHERE system_id = {board.usual_system_sql("market")}
) AS w
GROUP BY game_date, game_id, player_id, market
"""
_PAST_SQL = f"""
SELECT game_date, player_id, recency, game_id, played_on, team, opponent, is_home, minutes, {", ".join(STATS)}
FROM {span_sql(HISTORICAL_GAMES)} AS h
"""
_OFFERS_SQL = f"""
SELECT game_date, game_id, player_id, market, bookmaker, line, over_price, under_price, is_main, quoted_at, cutoff_at,
  over_probability, quote_id
FROM {span_sql(PRICES)} AS p WHERE is_current
"""
_SHAPES_SQL = f"""
SELECT game_date, game_id, player_id, market, anchor, lowest, masses, q10, q50, q90, no_distribution_reason
FROM {span_sql(DISTRIBUTIONS)} AS d
"""


@dataclass(frozen=True)
class Slate:
    """A date's props.

    Args:
        day: the date.
        props: a row per player and market, see :func:`props_of`.
        prices: a row per side that is worth more than its best price, see :func:`prices_of`.
        systems: the published rows behind them, one per system (``board.published``).
        past: the games of its players before it, the newest of each with ``recency`` 1.
        offers: every quote that the books offer, with P(over) by the other books.
        shapes: rows of ``nba_predictions.distributions``.
        now: when it was read.
    """

    day: date
    props: pd.DataFrame
    prices: pd.DataFrame
    systems: pd.DataFrame
    past: pd.DataFrame
    offers: pd.DataFrame
    shapes: pd.DataFrame
    now: datetime


def read(warehouse: Warehouse, day: date, now: datetime) -> Slate:
    """A date's props as of ``now``."""
    span = {"first": day, "last": day}
    lines, why, past, offers, shapes = (
        warehouse.query(sql, **span) for sql in (_LINES_SQL, _WHY_SQL, _PAST_SQL, _OFFERS_SQL, _SHAPES_SQL)
    )
    systems = board.first_of_each(board.published(warehouse, day, day))
    shapes = _unbroken(shapes)
    sides = shopping.best_sides(warehouse, day, day, markets.keys(), now, alternates=True)
    props = props_of(lines, systems, sides, why)
    return Slate(day, props, prices_of(props, sides), systems, past, offers, shapes, now)


def _unbroken(shapes: pd.DataFrame) -> pd.DataFrame:
    """Distributions with a reason in place of broken masses."""
    made = shapes["masses"].notna()
    broken = made.copy()
    broken[made] = ~is_whole(as_array(shapes[made])) if made.any() else False
    reason = shapes["no_distribution_reason"].mask(broken, "the stored masses are broken")
    return shapes.assign(masses=shapes["masses"].mask(broken), no_distribution_reason=reason)


def props_of(lines: pd.DataFrame, systems: pd.DataFrame, sides: pd.DataFrame, why: pd.DataFrame) -> pd.DataFrame:
    """A row per player and market of ``lines``, picks first, as ``board.of_rows`` orders them.

    Returns:
        The columns of ``lines`` and those of the board; ``line`` is the published one, else the newest. Of the side at
        its best price, by the other books: ``books_chance``, ``fair_price``, ``books_ev`` and ``books_ev_shrunk``
        [units], ``stake``, ``age`` [hours] and whether that quote ``is_alternate``. ``why`` is the reason of a prop
        without a forecast, in words.
    """
    picks = board.of_rows(systems)
    found = lines
    if len(picks):
        own = picks[[*PROP, *(c for c in _BOARD if c in picks)]].assign(place=range(len(picks)))
        found = lines.merge(own, on=PROP, how="left", validate="one_to_one")
    found = found.reindex(columns=[*lines.columns, *_BOARD, "place"])
    found["line"] = found["line"].fillna(found["newest_line"])
    found = found.astype({"leans": object}).merge(
        worth_of(sides).rename(columns={"side": "leans"}),
        on=[*PROP, "line", "leans"],
        how="left",
        validate="one_to_one",
    )
    # price, book and EV are of one quote: where none is offered at the line any more, it is the published one's
    offered = found["best_price"].notna()
    for column in ("price", "book"):
        found[column] = found[f"best_{column}"].where(offered, found[column])
    found["age"] = found["best_age"].where(offered, found["quote_age"])
    found["ev"] = expected_profit(found["chance"].astype("float64"), found["price"].astype("float64"))
    found = found.merge(why, on=PROP, how="left", validate="one_to_one")
    found["why"] = np.select(
        [found["line"].isna(), found["side"].notna()],
        ["no line: " + found["no_line_reason"].map(_NO_LINE).fillna("not known why"), ""],
        found["why"].map(in_words, na_action="ignore").fillna(_NOT_PREDICTED),
    )
    order = found.assign(is_none=found["line"].isna()).sort_values(
        ["is_none", "place", "player_name", "market"], kind="stable"
    )
    return order.drop(columns=["place", "is_none"]).reset_index(drop=True)


def worth_of(sides: pd.DataFrame) -> pd.DataFrame:
    """Each side of each line at its best price, as slates name its columns; see ``shopping.best_sides``."""
    names = {
        "price": "best_price", "book": "best_book", "chance": "books_chance", "ev": "books_ev",
        "ev_shrunk": "books_ev_shrunk", "quote_age": "best_age",
    }  # fmt: skip
    found = sides.rename(columns=names).assign(is_alternate=~sides["is_main"].astype("boolean"))
    return found[[*PROP, "line", "side", *names.values(), "fair_price", "stake", "is_alternate"]]


def prices_of(props: pd.DataFrame, sides: pd.DataFrame) -> pd.DataFrame:
    """The sides of main lines that are worth more than their best price by the other books, in the columns of props.

    A side is a pick where it is that of the props' pick at the same line; else ``why`` names the pick, or that there is
    none.
    """
    is_main = sides["line_is_main"].astype(bool) & (sides["ev"] > 0)
    worth = worth_of(sides[is_main]).rename(columns={"side": "leans"})
    about = props.drop(columns=[c for c in worth if c in props and c not in PROP])
    own = props[[*PROP, "line", "leans"]].rename(columns={"line": "own_line", "leans": "own_side"})
    found = worth.merge(about, on=PROP, validate="many_to_one").merge(own, on=PROP, validate="many_to_one")
    is_own = found["line"].eq(found["own_line"]) & found["leans"].eq(found["own_side"])
    picked = found["side"].isin(SIDES)
    of_pick = {c: found[c].where(is_own) for c in ("side", "chance", "market_chance", "agree", "outcome", "profit")}
    elsewhere = "our pick: " + found["side"].astype("string").str.lower() + " " + found["own_line"].map("{:g}".format)
    why = np.select([is_own & picked, picked], ["", elsewhere], "no pick")
    found = found.assign(**of_pick, price=found["best_price"], book=found["best_book"], age=found["best_age"], why=why)
    order = ["books_ev_shrunk", "player_name", "line"]
    return found.sort_values(order, ascending=[False, True, True], kind="stable", ignore_index=True)


_BOARD = (
    "line", "forecast", "side", "edge", "leans", "price", "book", "chance", "chance_by", "market_chance", "ev",
    "quote_age", "agree", "forecasts", "result", "outcome", "profit",
)  # fmt: skip


def data(slate: Slate, props: pd.DataFrame, what: str = "props") -> dict[str, Any]:
    """What a page of a slate shows of some props, in lists that name each player, game, market, system and book once.

    ``rows`` have the values of ``fields``, in which those are numbers in their lists. A market is ``[key, title, short
    name, its stats]``, a game ``[away, home, start]``, a player ``[id, name, team, status]``, a system's row as
    ``_by_system`` has it.
    """
    people = props.drop_duplicates("player_id").reset_index(drop=True)
    games = props.drop_duplicates("game_id").sort_values(["tipoff_at", "game_id"]).reset_index(drop=True)
    asked = [m for m in markets.MARKETS if m.key in set(props["market"])]
    systems = [s for s in SYSTEM_TABLES if s in set(slate.systems["system_id"])] if len(slate.systems) else []
    books = sorted({*props["book"].dropna(), *props["sportsbook"].dropna(), *slate.offers["bookmaker"]})
    place = {name: {key: n for n, key in enumerate(keys)} for name, keys in (
        ("player", people["player_id"]), ("game", games["game_id"]), ("market", [m.key for m in asked]),
        ("system", systems), ("book", books),
    )}  # fmt: skip
    columns = {
        "player": props["player_id"].map(place["player"]),
        "game": props["game_id"].map(place["game"]),
        "market": props["market"].map(place["market"]),
        "line": props["line"],
        "side": props["leans"].map({side: n for n, side in enumerate(SIDES)}),
        "pick": props["side"].isin(SIDES).astype(int),
        "price": props["price"],
        "book": props["book"].map(place["book"]),
        "forecast": _rounded(props["forecast"], 1),
        "chance": _rounded(props["chance"], 5),
        "by": props["chance_by"].map(place["system"]),
        "market_chance": _rounded(props["market_chance"], 5),
        "fair": _rounded(props["fair_price"], 0),
        "alternate": props["is_alternate"].fillna(False).astype(int),
        "books_chance": _rounded(props["books_chance"], 5),
        "books_ev": _rounded(props["books_ev"], 4),
        "kept_ev": _rounded(props["books_ev_shrunk"], 4),
        "stake": _rounded(props["stake"], 4),
        "opening": props["opening_line"],
        "newest": props["newest_line"],
        "books": props["books"],
        "range": props["line_range"],
        "agree": props["agree"],
        "of": props["forecasts"],
        "age": _rounded(props["age"], 1),
        "result": props["result"],
        "outcome": props["outcome"],
        "why": props["why"],
        "systems": _by_system(slate.systems, props, place["system"]),
    }
    return {
        "what": what,
        "stale_hours": STALE_AFTER / pd.Timedelta(hours=1),
        "shown_games": SHOWN_GAMES,
        "fields": list(columns),
        "rows": rows_of(columns.values()),
        "markets": [[m.key, m.title, m.short, [STATS.index(s) for s in m.stats]] for m in asked],
        "games": rows_of((games["away_team"], games["home_team"], starts(games))),
        "players": rows_of(
            (people["player_id"], people["player_name"], people["team"], people["injury_status"].map(status_words))
        ),
        "systems": systems,
        "books": [[key, name_of(key)] for key in books],
        "past": _past(slate.past, people["player_id"]),
    }


def odds(slate: Slate, market: str) -> dict[int, list[list[Any]]]:
    """Every book's quotes of a market by player, what a page loads when it is asked for: ``[book, line, over, under, is
    main, age [hours], P(over) by the other books, P(over) by our distribution]``.
    """
    # of equal prices the first book of the house order is named, as elsewhere
    own = by_rank(slate.offers[slate.offers["market"] == market]).sort_values(
        ["player_id", "is_main", "rank", "line"], ascending=[True, False, True, True], kind="stable"
    )
    age = (own["cutoff_at"].clip(upper=pd.Timestamp(slate.now)) - own["quoted_at"]) / pd.Timedelta(hours=1)
    ours = over_by_distribution(own, slate.shapes)
    quotes = rows_of(
        (own["bookmaker"].map(name_of), own["line"], own["over_price"], own["under_price"],
         own["is_main"].astype(int), _rounded(age, 1), _rounded(own["over_probability"], 5), _rounded(ours, 5))
    )  # fmt: skip
    return _grouped(own["player_id"], quotes)


def over_by_distribution(offers: pd.DataFrame, shapes: pd.DataFrame) -> pd.Series:
    """P(over) at the line of each offer by our distribution around the consensus; null without one."""
    anchored = shapes[shapes["anchor"].eq(Anchor.CONSENSUS) & shapes["masses"].notna()]
    keys = pd.MultiIndex.from_frame(anchored[["player_id", "market"]])
    at = keys.get_indexer(pd.MultiIndex.from_frame(offers[["player_id", "market"]]))
    has = at >= 0
    chance = np.full(len(offers), np.nan)
    if has.any():
        chance[has] = over_chance(as_array(anchored)[at[has]], offers["line"].to_numpy("float64")[has])
    return pd.Series(chance, index=offers.index)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as dictionaries, None where a value is missing."""
    return frame.astype(object).where(frame.notna(), None).to_dict("records")


def rows_of(columns: Iterable[Any]) -> list[list[Any]]:
    """Rows of JSON values from columns, null where a value is missing; whole numbers without a decimal point."""
    return [list(row) for row in zip(*(_values(c) for c in columns), strict=True)]


def _values(column: Any) -> list[Any]:
    values = pd.Series(column)
    if pd.api.types.is_numeric_dtype(values):
        numbers = values.astype("float64").to_numpy()
        known = ~np.isnan(numbers)
        whole = known & (np.where(known, numbers, 0) % 1 == 0)
        out = numbers.astype(object)
        out[whole] = numbers[whole].astype(int)
        out[~known] = None
        return list(out)
    return list(values.astype(object).where(values.notna(), None))


def _rounded(values: pd.Series, digits: int) -> pd.Series:
    return values.astype("float64").round(digits)


def _grouped(keys: pd.Series, rows: list[list[Any]]) -> dict[int, list[list[Any]]]:
    """Rows by key, in their order; the keys are in order, too."""
    names, starts = np.unique(keys.to_numpy(), return_index=True)
    ends = [*starts[1:], len(rows)][: len(starts)]
    return {int(n): rows[a:b] for n, a, b in zip(names, starts, ends, strict=True)}


def _by_system(systems: pd.DataFrame, props: pd.DataFrame, place: Mapping[str, int]) -> pd.Series:
    """For each prop a list of ``[system, forecast, P(over), side, line]`` of its published rows."""
    if systems.empty:
        return pd.Series([[]] * len(props), index=props.index, dtype=object)
    asked = pd.MultiIndex.from_frame(props[PROP])
    keys = asked.unique()
    known = systems[systems["system_id"].isin(place)]
    of = keys.get_indexer(pd.MultiIndex.from_frame(known[PROP]))
    order = known.assign(of=of, place=known["system_id"].map(place)).sort_values(["of", "place"])
    order = order[order["of"] >= 0]
    rows = rows_of(
        (order["place"], _rounded(order["forecast"], 1), _rounded(order["over_probability"], 5),
         order["recommendation"].map({side: n for n, side in enumerate(SIDES)}), order["line"])
    )  # fmt: skip
    found = _grouped(order["of"], rows)
    return pd.Series([found.get(n, []) for n in keys.get_indexer(asked)], index=props.index, dtype=object)


def _past(past: pd.DataFrame, players: pd.Series) -> list[list[list[Any]]]:
    """For each player the newest games, oldest first, and in each the stats that results are sums of."""
    shown = past[past["recency"] <= SHOWN_GAMES].sort_values(["player_id", "recency"], ascending=[True, False])
    found = _grouped(shown["player_id"], rows_of(shown[stat] for stat in STATS))
    return [found.get(int(p), []) for p in players]


def starts(rows: pd.DataFrame) -> pd.Series:
    """Tip-offs as US/Eastern times of day, or that the game is postponed."""
    local = pd.to_datetime(rows["tipoff_at"], utc=True).dt.tz_convert(EASTERN)
    postponed = rows["is_postponed"].astype("boolean").fillna(False).astype(bool)
    return local.dt.strftime("%H:%M ET").fillna("tip-off open").mask(postponed, "postponed")


def in_words(reason: str) -> str:
    """A reason code as it is read: ``abstained: MISSING_INPUT: line`` -> ``abstained: missing input: line``."""
    return reason.replace("_", " ").lower()


def status_words(status: str | None) -> str:
    """An injury status for a page; empty for a player who is not listed."""
    return "" if status is None or pd.isna(status) or status in (NOT_LISTED, InjuryStatus.AVAILABLE) else status.title()
