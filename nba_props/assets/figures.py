"""The metadata of a materialization: figures of its partition's rows, which Dagster plots by date, and a preview.

A figure that can't be computed, for want of rows or values, is left out; it is never 0 instead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from nba_props.domain import scoring
from nba_props.domain.closing import OTHER_BOOKS
from nba_props.domain.odds import expected_profit, hold
from nba_props.domain.systems import SYSTEM_TABLES
from nba_props.facts.markets import ALL, ALL_TIERS, POINTS, scales
from nba_props.facts.vocabulary import SIDES, Anchor, Basis, Outcome, Recommendation, Span, Standing
from nba_props.schemas import Table, analytics, predictions
from nba_props.schemas.base import VOLATILE

PREVIEW_ROWS = 10
_PREVIEW_COLUMNS = 12
_DIGITS = 4
#: columns that previews leave out: ids and hashes, and values that all rows of a partition share
_HASHES = {"schema_hash", "feature_hash", "quote_id", "prediction_id", "grade_id", "replaces"}
_NOT_SHOWN = VOLATILE | _HASHES | {"game_date"}
#: figures of the season so far, with the scoreboard's column of each
_SEASON = {"season_hit_rate": "hit_rate", "season_mae_minus_line": "mae_difference", "season_roi": "roi"}
#: and those of the season's market scores, with score and basis of each
_SEASON_BESIDE = {
    "season_log_loss_less_quotes": ("LOG_LOSS_LESS_OWN", Basis.QUOTE),
    "season_clv_probability": ("CLV_PROBABILITY", Basis.CLOSE),
}
Figures = Mapping[str, Any]


# -- figures ----------------------------------------------------------------------------------------------------------


def slate(rows: pd.DataFrame) -> Figures:
    """The slate's games, and how many of its players have a quote."""
    return {"games": int(rows["game_id"].nunique()), "quoted": int(rows["is_quoted"].sum())}


def lines(offers: pd.DataFrame, rows: pd.DataFrame, consensus: pd.DataFrame) -> Figures:
    """How many quotes the books offer; how many players have a line of points, from which sportsbooks and how old, and
    why the others have none; how many lines have a consensus.

    In other markets, in which only who is quoted has a row: the number of lines.
    """
    by_market = _markets("lines_by_market", rows.loc[rows["has_prop_line"].astype(bool), "market"])
    rows = rows[rows["market"].eq(POINTS)]
    lined = rows["has_prop_line"].astype(bool)
    age = rows.loc[lined, "line_minutes_before_game"].dropna().astype("float64")
    return {
        "with_line": int(lined.sum()),
        "share_with_line": _mean(lined),
        "books": int(rows.loc[lined, "sportsbook"].nunique()),
        "books_per_line": _mean(rows.loc[lined, "books"]),
        "line_minutes_before_game": _number(age.median()),
        "lines_by_book": counts(rows["sportsbook"]),
        **by_market,
        "no_line": counts(rows["no_line_reason"]),
        "offers": len(offers),
        "share_with_consensus": _mean(consensus["median"].notna()),
    }


def prices(rows: pd.DataFrame) -> Figures:
    """How many quotes have a fair price, what the books keep, at one book and at the best prices, and the sides that
    are worth more than they cost.
    """
    main = rows[rows["is_main"].astype(bool)]
    worth = rows[["over_ev", "under_ev"]].astype("float64").max(axis=1)
    return {
        "priced": int(rows["fair_line"].notna().sum()),
        "share_priced": _mean(rows["fair_line"].notna()),
        "hold": _mean(hold(main["over_price"], main["under_price"])),
        "hold_at_best_prices": _mean(hold(main["best_over_price"], main["best_under_price"])),
        "sides_worth_more_than_they_cost": int(worth.gt(0).sum()),
        "outliers": int(rows["is_outlier"].fillna(False).sum()),
        **_markets("quotes_by_market", rows["market"]),
    }


def shapes(rows: pd.DataFrame, dependence: pd.DataFrame) -> Figures:
    """How many results the shapes were fitted to, by market, the date of the last, and how many pairs of markets have a
    dependence.
    """
    results = rows.astype({"results": "int64"}).groupby("market")["results"].sum()
    return {
        "results_by_market": {str(market): int(n) for market, n in results.items()},
        "last_result": str(rows["last_result"].max().date()) if len(rows) else None,
        "pairs": len(dependence),
    }


def distributions(rows: pd.DataFrame) -> Figures:
    """How many rows have a distribution, by what places it, and why the others have none."""
    return {
        "with_distribution": int(rows["masses"].notna().sum()),
        "by_anchor": counts(rows.loc[rows["masses"].notna(), "anchor"]),
        "no_distribution": counts(rows["no_distribution_reason"]),
    }


def distribution_scores(rows: pd.DataFrame, together: pd.DataFrame) -> Figures:
    """Of the distributions around the consensus: the score less that of a normal distribution at the line in each
    market, and how many results were in the middle 80 %. Of two props of a player: log-loss less that of independence.
    """
    own = rows[rows["anchor"].eq(Anchor.CONSENSUS)].set_index("market")
    less = (own["crps_with_line"] - own["line_crps"]) / own["with_line"].astype("float64")
    within = own["within_80"].sum() / own["results"].sum() if len(own) else None
    return {
        "crps_less_normal_at_the_line": {str(m): round(float(v), _DIGITS) for m, v in less.dropna().items()},
        "within_80": None if within is None else _number(within),
        "pairs_log_loss_less_independent": _number(
            (together["log_loss"].sum() - together["independent_log_loss"].sum()) / together["pairs"].sum()
        )
        if len(together)
        else None,
    }


def minutes(rows: pd.DataFrame) -> Figures:
    """How many players have a forecast of minutes, how far it is from the mean of their past ones, and its spread."""
    return {
        "forecasts": int(rows["minutes"].notna().sum()),
        "mean_distance_from_ewma": _mean((rows["minutes"] - rows["minutes_ewma"]).abs()),
        "mean_deviation": _mean(rows["deviation"]),
        "abstained": counts(rows["abstain_reason"]),
        "model_versions": sorted(set(rows["model_version"].dropna())),
    }


def minutes_scores(rows: pd.DataFrame) -> Figures:
    """The mean absolute error of the forecasts of minutes less that of the means, and how many were in their spread."""
    own = rows.set_index("players").astype({"forecasts": "float64", "within_80": "float64"})
    found: dict[str, Any] = {}
    for players, row in own.iterrows():
        name = str(players).lower()
        found[f"mae_{name}"] = _number(row["error"] / row["forecasts"])
        found[f"mae_less_ewma_{name}"] = _number((row["error"] - row["ewma_error"]) / row["forecasts"])
        found[f"within_80_{name}"] = _number(row["within_80"] / row["forecasts"])
    return found


def forecasts(rows: pd.DataFrame) -> Figures:
    """How many of a system's rows are forecasts, how many of points have a line, and what it recommends."""
    abstained = rows["abstain_reason"].notna()
    return {
        "forecasts": int(rows["forecast"].notna().sum()),
        "abstained": int(abstained.sum()),
        "share_with_line": _mean(rows.loc[rows["market"].eq(POINTS), "line"].notna()),
        "picks": int(_sided(rows).sum()),
        "recommendations": counts(rows["recommendation"]),
        **_markets("forecasts_by_market", rows.loc[rows["forecast"].notna(), "market"]),
        "model_versions": sorted(set(rows.loc[~abstained, "model_version"].dropna())),
    }


def gate(published: pd.DataFrame, held_back: pd.DataFrame) -> Figures:
    """How many rows passed the gate, how many it held back and why, and what each system's picks would be worth.

    ``claimed_ev_<system>`` is the mean profit of one unit at the quoted price, if the system's P(over) were right.
    """
    sided = _sided(published) & published["over_probability"].notna()
    picks = published[sided]
    over = picks["recommendation"].eq(Recommendation.OVER)
    chance = picks["over_probability"].astype("float64")
    price = picks["over_price"].where(over, picks["under_price"])
    return {
        "gate_passed": len(published),
        "gate_quarantined": len(held_back),
        "share_with_line": _mean(published.loc[published["market"].eq(POINTS), "line"].notna()),
        "picks": int(_sided(published).sum()),
        **_by_system("claimed_ev", expected_profit(chance.where(over, 1 - chance), price), picks),
        "reasons": counts(held_back["reason"]),
    }


def grades(settled: pd.DataFrame, changed: pd.DataFrame) -> Figures:
    """The decided bets, and for each system its hit rate and its mean absolute error less that of the line."""
    counted = settled["is_valid_line"].astype(bool) & settled["is_current"].astype(bool)
    scored = settled[counted & settled["absolute_error"].notna() & settled["line_absolute_error"].notna()]
    bets = settled[scoring.bets(settled)]
    won = bets["outcome"].eq(Outcome.WIN).astype("float64")
    more = scored["absolute_error"].astype("float64") - scored["line_absolute_error"].astype("float64")
    return {
        "bets": len(bets),
        **_by_system("hit_rate", won, bets),
        **_by_system("mae_minus_line", more, scored),
        "outcomes": counts(settled["outcome"]),
        "void_reasons": counts(settled["void_reason"]),
        "grades_new_or_changed": len(changed),
    }


def against_the_market(bets: pd.DataFrame, quotes: pd.DataFrame, evidence: pd.DataFrame) -> Figures:
    """How many bets have a line after them and how many of those are true closes, what they gained by it, and the
    consensus on the date's quotes less the quotes themselves; how many quotes count for promotions and claims.
    """
    by_close = bets[bets["is_close"].fillna(False).astype(bool)]
    books = quotes[quotes["system_id"].eq(OTHER_BOOKS)]
    scored = int(books["quotes"].sum())
    less = (books["log_loss"] - books["own_log_loss"]).astype("float64").sum()
    return {
        "bets_with_a_later_line": int(bets["close_quote_id"].notna().sum()),
        "bets_with_a_true_close": len(by_close),
        **_by_system("clv_probability", by_close["clv_probability"].astype("float64"), by_close),
        "quotes_scored": scored,
        "quotes_that_count": int(evidence.loc[evidence["market"].eq(ALL), "quotes"].sum()),
        "consensus_log_loss_less_quotes": round(float(less) / scored, 6) if scored else None,
    }


def scoreboard(rows: pd.DataFrame, beside: pd.DataFrame) -> Figures:
    """Each system's season so far; on every quote the log-loss of P(over) less that of the quotes."""
    season = rows[rows["span"].eq(Span.SEASON) & rows["tier"].eq(ALL_TIERS)] if len(rows) else rows
    found: dict[str, Any] = {}
    for figure, column in _SEASON.items() if len(season) else ():
        found |= _by_system(figure, season[column].astype("float64"), season)
    market = beside[beside["span"].eq(Span.SEASON)] if len(beside) else beside
    for figure, (score, basis) in _SEASON_BESIDE.items() if len(market) else ():
        own = market[market["score"].eq(score) & market["basis"].eq(basis)]
        found |= _by_system(figure, own["value"].astype("float64"), own)
    return found


def promotions(rows: pd.DataFrame) -> Figures:
    """The weight of each system in shadow, by market, and how many dates count for it."""
    weights: dict[str, dict[str, float]] = {}
    for row in rows.itertuples():
        weights.setdefault(str(row.system_id), {})[str(row.market)] = round(float(row.weight), _DIGITS)
    return {
        **{f"weight_{system}": found for system, found in weights.items()},
        "dates_that_count": int(rows["dates"].max()) if len(rows) else None,
        "published": int(rows["standing"].eq(Standing.PUBLISHED).sum()),
    }


def _by_system(figure: str, values: pd.Series, rows: pd.DataFrame) -> Figures:
    """The mean of each system that has one: in points as ``<figure>_<system>``, which Dagster plots over the dates; in
    other markets as one figure.
    """
    elsewhere = rows["market"].ne(POINTS) & rows["market"].notna()
    means = values[~elsewhere].groupby(rows["system_id"]).mean().dropna().round(_DIGITS)
    found: dict[str, Any] = {f"{figure}_{system}": float(mean) for system, mean in means.items()}
    others = values[elsewhere].groupby([rows["market"], rows["system_id"]]).mean().dropna().round(_DIGITS)
    by_market: dict[str, dict[str, float]] = {}
    for (market, system), mean in others.items():
        by_market.setdefault(str(market), {})[str(system)] = float(mean)
    return {**found, **({f"{figure}_by_market": by_market} if by_market else {})}


def _markets(figure: str, market: pd.Series) -> Figures:
    """The number of rows in each market, where there is another than points."""
    return {figure: counts(market)} if set(market) - {POINTS} else {}


def _sided(rows: pd.DataFrame) -> pd.Series:
    return rows["recommendation"].isin(SIDES)


def counts(values: pd.Series) -> dict[str, int]:
    """The number of rows with each value."""
    return {str(k): int(v) for k, v in values.value_counts().items()}


def _mean(values: pd.Series) -> float | None:
    return _number(values.astype("float64").mean())


def _number(value: float) -> float | None:
    return None if pd.isna(value) else round(float(value), _DIGITS)


# -- previews ---------------------------------------------------------------------------------------------------------


def preview(table: Table, rows: pd.DataFrame, games: Mapping[str, str] | None = None) -> pd.DataFrame:
    """At most ten rows of a partition: the largest edges or highest lines where its table has any, else the first.

    Args:
        table: the partition's table.
        rows: the partition's rows.
        games: ``BOS @ LAL`` by ``game_id``, where they are known.
    """
    choose = _CHOSEN.get(table.address)
    if choose is None:
        return _first(table, rows)
    chosen = choose(rows.assign(game=rows["game_id"].map(games or {})))
    return chosen if games else chosen.drop(columns="game")


def games(rows: pd.DataFrame) -> dict[str, str]:
    """``BOS @ LAL`` by ``game_id``, from a schedule or from a slate."""
    if "home_team" in rows:
        names = rows["away_team"] + " @ " + rows["home_team"]
    else:
        rows = rows.dropna(subset=["team", "opponent", "is_home"])
        home = rows["team"].where(rows["is_home"].astype(bool), rows["opponent"])
        away = rows["opponent"].where(rows["is_home"].astype(bool), rows["team"])
        names = away + " @ " + home
    return dict(zip(rows["game_id"], names, strict=True))


def _first(table: Table, rows: pd.DataFrame) -> pd.DataFrame:
    if key := [c for c in table.key if c in rows]:  # a query returns its rows in any order
        rows = rows.sort_values(key, kind="stable")
    shown = [c for c in rows.columns if c not in _NOT_SHOWN and not c.endswith("_digest")]
    return rows[shown].iloc[:PREVIEW_ROWS, :_PREVIEW_COLUMNS]


def _largest(rows: pd.DataFrame, margin: pd.Series) -> pd.DataFrame:
    """The rows with the largest margins on either side, by the error of their market's lines; equal ones by name and
    system.
    """
    unit = rows["market"].map(scales())
    ordered = rows.assign(size=margin.astype("float64").abs() / unit, edge=margin.astype("float64"))
    ordered = ordered.sort_values(["size", "player_name", "system_id"], ascending=[False, True, True], kind="stable")
    return ordered.head(PREVIEW_ROWS)


def _edges(rows: pd.DataFrame) -> pd.DataFrame:
    """The ten largest edges: player, game, system, forecast, line, side, edge, price@book."""
    sided = rows[_sided(rows)]
    top = _largest(sided, sided["line_margin"])
    return pd.DataFrame(
        {
            **{c: top[c] for c in ("player_name", "game", *_market_of(rows), "system_id")},
            "forecast": top["forecast"].astype("float64").round(1),
            "line": top["line"],
            "side": top["recommendation"],
            "edge": top["edge"].round(1),
            "price@book": _prices(top),
        }
    ).rename(columns=_HEADINGS)


def _prices(rows: pd.DataFrame) -> pd.Series:
    price = rows["over_price"].where(rows["recommendation"].eq(Recommendation.OVER), rows["under_price"])
    american = price.map("{:+.0f}".format, na_action="ignore").fillna("?").astype(str)
    return american + "@" + rows["sportsbook"].fillna("?").astype(str)


def _graded(rows: pd.DataFrame) -> pd.DataFrame:
    """The ten decided bets with the largest edges, and their results."""
    bets = rows[scoring.bets(rows)]
    top = _largest(bets, bets["line_margin"])
    columns = ["player_name", "game", *_market_of(rows), "system_id", "forecast", "line", "recommendation", "result"]
    rounded = {c: top[c].astype("float64").round(digits) for c, digits in (("forecast", 1), ("profit", 2))}
    return top.assign(**rounded)[[*columns, "outcome", "profit"]].rename(columns=_HEADINGS)


def _lined(rows: pd.DataFrame) -> pd.DataFrame:
    """The ten highest lines, with the best price of each side."""
    top = rows[rows["has_prop_line"].astype(bool)].sort_values(
        ["line", "player_name"], ascending=[False, True], kind="stable"
    )
    columns = [
        "player_name",
        "game",
        *_market_of(rows),
        "line",
        "consensus_line",
        "sportsbook",
        "over_price",
        "under_price",
        "books",
    ]
    return top.head(PREVIEW_ROWS)[[*columns, "line_movement"]].rename(columns=_HEADINGS)


def _market_of(rows: pd.DataFrame) -> list[str]:
    """The column of the market, where rows are of several."""
    return ["market"] if len(set(rows["market"])) > 1 else []


_HEADINGS = {
    "player_name": "player", "system_id": "system", "recommendation": "side", "sportsbook": "book",
    "consensus_line": "consensus", "over_price": "over", "under_price": "under",
}  # fmt: skip
_CHOSEN: Mapping[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    predictions.LEDGER.address: _edges,
    **{t.address: _edges for t in SYSTEM_TABLES.values()},
    predictions.PREDICTION_ACCURACY.address: _graded,
    analytics.BETTING_LINES.address: _lined,
}
