"""The pages of a date's players: each market's games, line movement, distribution and odds, and the published rows.

What all pages need is read and summed once, by statements and groups over all players; a page then picks its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pandas as pd

from nba_props.domain import book_lines
from nba_props.domain.lines import claimed_lines_sql
from nba_props.domain.results import counted
from nba_props.domain.stored import span_sql
from nba_props.facts import markets
from nba_props.facts.books import name_of
from nba_props.facts.calendar import EASTERN
from nba_props.facts.vocabulary import Anchor, Recommendation
from nba_props.facts.words import plural
from nba_props.presentation import board
from nba_props.presentation.site import svg
from nba_props.presentation.site.slate import SHOWN_GAMES, Slate, over_by_distribution, records, starts, status_words
from nba_props.schemas.analytics import BETTING_LINES, SLATE
from nba_props.schemas.minutes import MINUTES
from nba_props.schemas.predictions import LEDGER, PREDICTION_ACCURACY
from nba_props.schemas.raw import ODDS_QUOTES
from nba_props.schemas.reference import RESOLVED_NAMES
from nba_props.warehouse.base import Warehouse

#: how far back the lines of past games are looked for
LOOK_BACK = timedelta(120)
_OF = ["player_id", "market"]
_UNANCHORED = "our forecast, as too few books make a consensus: it tells nothing about a bet"

_ROWS_SQL = f"""
SELECT j.player_id, j.market, j.system_id, j.model_version, j.forecast, j.over_probability, j.confidence_score,
  j.recommendation, j.abstain_reason, j.line, j.over_price, j.under_price, j.sportsbook, j.quote_id, j.prediction_id,
  j.created_at, j.is_backfill, j.line_problem, q.snapshot_at AS quoted_at, a.outcome,
  k.prediction_id IS NOT NULL AS is_current
FROM ({claimed_lines_sql(span_sql(LEDGER))}) AS j
LEFT JOIN {span_sql(ODDS_QUOTES)} AS q ON q.game_date = j.game_date AND q.quote_id = j.quote_id
LEFT JOIN {span_sql(PREDICTION_ACCURACY)} AS a
  ON a.game_date = j.game_date AND a.prediction_id = j.prediction_id AND a.system_id = j.system_id
LEFT JOIN (
  SELECT game_date, prediction_id, system_id FROM nba_predictions.current_predictions
  WHERE game_date BETWEEN @first AND @last
) AS k ON k.game_date = j.game_date AND k.prediction_id = j.prediction_id AND k.system_id = j.system_id
ORDER BY j.player_id, j.market, j.system_id, j.created_at
"""
_PEOPLE_SQL = f"SELECT * FROM {span_sql(SLATE)} AS s"
_NAMES_SQL = f"SELECT game_date, game_id, source, source_name, player_id FROM {span_sql(RESOLVED_NAMES)} AS r"
_PAST_LINES_SQL = f"""
SELECT b.game_id, b.player_id, b.market, b.line, a.outcome, a.recommendation
FROM {span_sql(BETTING_LINES)} AS b
JOIN (SELECT DISTINCT player_id FROM {SLATE.address} WHERE game_date = @day) AS s ON s.player_id = b.player_id
LEFT JOIN (
  SELECT game_date, game_id, player_id, market, outcome, recommendation FROM {span_sql(PREDICTION_ACCURACY)} AS p
  WHERE is_current AND is_valid_line
    AND system_id = {board.usual_system_sql("market")}
) AS a ON a.game_date = b.game_date AND a.game_id = b.game_id AND a.player_id = b.player_id AND a.market = b.market
WHERE b.line IS NOT NULL
"""
_MINUTES_SQL = f"SELECT player_id, minutes, low, high FROM {span_sql(MINUTES)} AS m WHERE minutes IS NOT NULL"


@dataclass(frozen=True)
class Players:
    """What the pages of a date's players show, by player or by player and market.

    Args:
        games: past games, newest first, with the result of each market.
        lines: the lines of these games and the outcome of our pick, by game, player and market.
        splits: means of past results by split.
        rows: every published row of the date, those on invalid lines with the problem.
        moves: the median main line of the books at each capture.
        minutes: forecasts of minutes.
    """

    games: pd.DataFrame
    lines: pd.DataFrame
    splits: pd.DataFrame
    rows: pd.DataFrame
    moves: pd.DataFrame
    minutes: pd.DataFrame


def read(warehouse: Warehouse, slate: Slate) -> Players:
    """What the players' pages of a slate show beside the slate itself."""
    span = {"first": slate.day, "last": slate.day}
    rows, minutes, people, names, quotes = (
        warehouse.query(sql, **span)
        for sql in (_ROWS_SQL, _MINUTES_SQL, _PEOPLE_SQL, _NAMES_SQL, book_lines.QUOTES_SQL)
    )
    judged = book_lines.judged_quotes(people, quotes, names)
    lines = warehouse.query(_PAST_LINES_SQL, first=slate.day - LOOK_BACK, last=slate.day - timedelta(1), day=slate.day)
    games = results_of(slate.past)
    tonight = slate.props.drop_duplicates("player_id").set_index("player_id")["opponent"]
    return Players(games, lines, splits(games, tonight), rows, moves(book_lines.main_lines_over_time(judged)), minutes)


def results_of(past: pd.DataFrame) -> pd.DataFrame:
    """Past games, newest first, with a column for the result in each market."""
    results = dict(zip(markets.keys(), counted(past).T.astype(int), strict=True))
    return past.assign(**results).sort_values(["player_id", "recency"], ignore_index=True)


def splits(games: pd.DataFrame, tonight: pd.Series) -> pd.DataFrame:
    """``player_id, split, games, minutes`` and the mean result of each market, for every player and split with a game.

    Args:
        games: the result of ``results_of``.
        tonight: each player's opponent.
    """
    rest = games.groupby("player_id")["played_on"].diff(-1).dt.days
    opponent = games["player_id"].map(tonight)
    wanted = {
        "all": pd.Series(data=True, index=games.index),
        "last 10": games["recency"] <= 10,
        "at home": games["is_home"].astype(bool),
        "away": ~games["is_home"].astype(bool),
        "back-to-back": rest.eq(1),
        "rested": rest.gt(1),
        "against tonight's opponent": games["opponent"].eq(opponent),
    }
    columns = ["minutes", *markets.keys()]
    parts = []
    for name, mask in wanted.items():
        groups = games[mask].groupby("player_id")
        parts.append(groups[columns].mean().assign(split=name, games=groups.size()).reset_index())
    return pd.concat(parts, ignore_index=True)


def moves(lines: pd.DataFrame) -> pd.DataFrame:
    """``player_id, market, at, line``: the median of the books' main lines after each capture, in order.

    A book that is not in a capture keeps its last line, as in ``nba_analytics.book_lines``.
    """
    wide = lines.pivot(index=[*_OF, "snapshot_at"], columns="bookmaker", values="line").sort_index()
    kept = wide.groupby(level=_OF).ffill() if len(wide) else wide
    return kept.median(axis=1).rename("line").rename_axis([*_OF, "at"]).reset_index()


def pages(slate: Slate, players: Players) -> Iterator[tuple[int, dict[str, Any]]]:
    """For each player with a line the values of his page's template."""
    props = slate.props[slate.props["line"].notna()]
    order = {key: n for n, key in enumerate(markets.keys())}
    props = props.assign(
        place=props["market"].map(order), tipoff=starts(props),
        reported=_instants(props["injury_reported_at"]), injury=props["injury_status"].map(status_words),
        at=props["book"].map(name_of, na_action="ignore"),
    ).sort_values(["player_id", "place"])  # fmt: skip
    offers = slate.offers.sort_values(["is_main", "line", "bookmaker"], ascending=[False, True, True])
    offers = offers.assign(
        ours=over_by_distribution(offers, slate.shapes),
        book=offers["bookmaker"].map(name_of),
        quoted=_instants(offers["quoted_at"]),
        ident=offers["quote_id"].str[:12],
    )
    rows = players.rows.assign(
        published=_instants(players.rows["created_at"]), quoted=_instants(players.rows["quoted_at"]),
        book=players.rows["sportsbook"].map(name_of, na_action="ignore"), ident=players.rows["prediction_id"].str[:12],
        quote=players.rows["quote_id"].str[:12],
    )  # fmt: skip
    moved = players.moves.sort_values([*_OF, "at"])
    moved = moved.assign(text=_instants(moved["at"]), minute=moved["at"].astype("int64") / 6e10)
    games = players.games[players.games["recency"] <= SHOWN_GAMES]
    games = games.assign(
        date=games["played_on"].dt.strftime("%Y-%m-%d"), label=games["played_on"].dt.strftime("%b %-d")
    )
    by_prop = {
        "offers": grouped(offers, _OF), "rows": grouped(rows, _OF), "moves": grouped(moved, _OF),
        "shapes": grouped(slate.shapes, _OF),
    }  # fmt: skip
    by_player = {
        "games": grouped(games, ["player_id"]), "splits": grouped(players.splits, ["player_id"]),
        "minutes": grouped(players.minutes, ["player_id"]),
    }  # fmt: skip
    lines = {(r["game_id"], r["player_id"], r["market"]): r for r in records(players.lines)}
    for (player,), own in grouped(props, ["player_id"]).items():
        mine = {name: found.get((player,), []) for name, found in by_player.items()}
        asked = [markets.market(prop["market"]) for prop in own]
        log = [
            {**g, "results": [(m, g[m.key], lines.get((g["game_id"], player, m.key), {})) for m in asked]}
            for g in mine["games"]
        ]
        shown = []
        for market, prop in zip(asked, own, strict=True):
            its = {name: found.get((player, market.key), []) for name, found in by_prop.items()}
            shown.append(_market(market, prop, mine["games"], its))
        yield player, {
            "player": own[0], "minutes": next(iter(mine["minutes"]), None), "log": log, "shown": shown,
            "splits": [{**row, "means": [row[m.key] for m in asked]} for row in mine["splits"]],
        }  # fmt: skip


def grouped(frame: pd.DataFrame, keys: list[str]) -> dict[tuple[Any, ...], list[dict[str, Any]]]:
    """The rows of each key, in their order: one pass over all rows, whatever the number of keys."""
    found: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in records(frame):
        found.setdefault(tuple(row[key] for key in keys), []).append(row)
    return found


def _market(
    market: markets.Market,
    prop: Mapping[str, Any],
    games: list[dict[str, Any]],
    own: Mapping[str, list[dict[str, Any]]],
) -> dict[str, Any]:
    """What a player's page shows of one market."""
    side, line = prop["leans"], prop["line"]
    results = [game[market.key] for game in reversed(games)]
    figures = []
    if results:
        said = f"The last {plural(len(results), 'game')} at tonight's line of {line:g}"
        if side is not None:
            won = sum(r < line if side == Recommendation.UNDER else r > line for r in results)
            said += f": {side.lower()} in {won} of {len(results)}"
        labels = [game["label"] for game in reversed(games)]
        figures.append((said, svg.bars(results, labels, line, side, said)))
    for shape in own["shapes"]:
        if shape["masses"] is None:
            continue
        whose = "the books' consensus" if shape["anchor"] == Anchor.CONSENSUS else _UNANCHORED
        said = (
            f"Probability of each result around {whose}: median {shape['q50']}, 10th and 90th percentile "
            f"{shape['q10']} and {shape['q90']}"
        )
        figures.append((said, svg.masses(int(shape["lowest"]), json.loads(shape["masses"]), line, said)))
    if path := own["moves"]:
        first, last = path[0]["line"], path[-1]["line"]
        said = f"Median main line of all books: from {first:g} to {last:g} in {len(path)} captures"
        ends = [path[0]["text"].removesuffix(" ET"), path[-1]["text"]]
        if len(path) > 1:
            figures.append((said, svg.steps([p["minute"] for p in path], [p["line"] for p in path], ends, said)))
    why = next((s["no_distribution_reason"] for s in own["shapes"] if s["masses"] is None), None)
    return {
        "market": market, "prop": prop, "figures": figures, "offers": own["offers"], "rows": own["rows"],
        "no_distribution": why, "has_ladder": any(o["ours"] is not None for o in own["offers"]),
    }  # fmt: skip


def _instants(at: pd.Series) -> pd.Series:
    """Instants as US/Eastern text, missing where they are."""
    return pd.to_datetime(at, utc=True).dt.tz_convert(EASTERN).dt.strftime("%Y-%m-%d %H:%M ET")
