"""Scores against the market as tables of text, for the terminal and the page."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from nba_props.domain.closing import HALF_BETS, OPENING_BETS, OTHER_BOOKS
from nba_props.domain.scoring import mean_intervals
from nba_props.domain.scoring.market import DISTRIBUTION_SERIES
from nba_props.domain.systems import SYSTEM_TABLES
from nba_props.facts.markets import ALL, MARKETS, short_names
from nba_props.facts.vocabulary import Anchor, Basis
from nba_props.presentation.score_tables import Score, with_interval

_SYSTEM = {"system_id": Score("system", "{}")}
_N = {"rows": Score("n", "{:,.0f}"), "dates": Score("nights", "{:,.0f}")}
#: on every quote of every book at the line of P(over)
QUOTES = {
    **_SYSTEM,
    **_N,
    "LOG_LOSS_LESS_OWN": Score("log-loss less the quotes'", "{:+.5f}"),
    "LOG_LOSS_LESS_CONSENSUS": Score("less the other books'", "{:+.5f}"),
    "BRIER_LESS_OWN": Score("Brier less the quotes'", "{:+.5f}", 3),
    "BRIER_LESS_CONSENSUS": Score("Brier less the other books'", "{:+.5f}", 3),
}
#: bets by what judges them
CLOSES = {
    **_SYSTEM,
    "judged_by": Score("judged by", "{}"),
    **_N,
    "CLV_POINTS": Score("line moved", "{:+.2f}", 2),
    "CLV_PROBABILITY": Score("P gained", "{:+.1%}"),
    "CLV_EV": Score("EV", "{:+.1%}"),
    "CLV_PROMISED": Score("promised", "{:+.1%}", 3),
    "CLV_RETURN": Score("returned", "{:+.1%}", 3),
    "needed": Score("bets for 1 %", "{:,.0f}", 1),
}
#: by market
DISTRIBUTIONS = {
    "market": Score("market", "{}"),
    **_N,
    "CRPS_LESS_LINE": Score("CRPS less a normal's at the line", "{:+.4f}"),
    "WITHIN_80": Score("in the middle 80 %", "{:.1%}"),
    "LOG_LOSS_LESS_OWN": Score("log-loss of P(over) at the line less the quote's", "{:+.5f}", 1),
}
COMBINATIONS = {
    "market": Score("market", "{}"),
    "other_market": Score("and", "{}"),
    **_N,
    "less": Score("log-loss less independence", "{:+.4f}"),
    "both_less": Score("of both over", "{:+.4f}", 1),
}
MINUTES = {
    "players": Score("players", "{}"),
    **_N,
    "mae": Score("MAE", "{:.3f}"),
    "ewma_mae": Score("mean's MAE", "{:.3f}"),
    "less": Score("less", "{:+.3f}"),
    "within_80": Score("in the middle 80 %", "{:.1%}", 1),
}
WEIGHTS = {
    **_SYSTEM,
    "market": Score("market", "{}"),
    "weight": Score("weight", "{:.3f}"),
    "candidate_weight": Score("would be", "{:.3f}"),
    "dates": Score("nights", "{:,.0f}"),
    "quotes": Score("quotes", "{:,.0f}", 2),
    "gain": Score("gain", "{:+.5f}", 1),
    "newest_gain": Score("newest 60", "{:+.5f}", 3),
    "reason": Score("why", "{}", 6),
}
SHOPPING = {
    "market": Score("market", "{}"),
    "hold": Score("hold", "{:.1%}"),
    "best_hold": Score("at best prices", "{:.1%}"),
    "ev_bets": Score("EV > 0", "{:,.0f}"),
    "ev_nights": Score("nights", "{:,.0f}", 1),
    "ev_promised": Score("promised", "{:+.1%}"),
    "ev_returned": Score("returned", "{:+.1%}"),
    "middle_bets": Score("middles", "{:,.0f}", 2),
    "middle_promised": Score("hit", "{:.1%}", 2),
    "middle_returned": Score("middles' return", "{:+.1%}", 2),
    "arbitrage_bets": Score("arbitrages", "{:,.0f}", 3),
    "arbitrage_returned": Score("arbitrages' return", "{:+.1%}", 3),
}
_JUDGES = {
    ("", Basis.CLOSE): "own book, close",
    ("", Basis.LAST_LINE): "own book, last line",
    ("OTHERS_", Basis.CLOSE): "others, close",
    ("OTHERS_", Basis.LAST_LINE): "others, last line",
    # with a later line or without
    ("", Basis.RESULT): "results, all bets",
}
_OF_ALL_BETS = {"PROMISED": "CLV_PROMISED", "RETURN": "CLV_RETURN"}
_SHORT = {**short_names(), ALL: ALL}
#: pairs of markets that are listed
_MOST_PAIRS = 12
_ORDER = {name: n for n, name in enumerate([*SYSTEM_TABLES, OTHER_BOOKS, OPENING_BETS, HALF_BETS])}


def quotes(scores: pd.DataFrame) -> pd.DataFrame:
    """A row per system with its scores on quotes, in the names of ``QUOTES``, from ``market_scores`` of a market."""
    found = _wide(scores[scores["basis"] == Basis.QUOTE])
    return _in_order(found.rename(columns={"LOG_LOSS_LESS_OWN_rows": "rows", "LOG_LOSS_LESS_OWN_dates": "dates"}))


def closes(scores: pd.DataFrame) -> pd.DataFrame:
    """A row per system and judge with the closing value of its bets, in the names of ``CLOSES``."""
    parts = []
    for (prefix, basis), judge in _JUDGES.items():
        mine = scores["score"].str.startswith((f"{prefix}CLV_", *_OF_ALL_BETS))
        own = scores[(scores["basis"] == basis) & mine]
        own = own.assign(score=own["score"].str.removeprefix("OTHERS_").replace(_OF_ALL_BETS))
        found = _wide(own)
        if len(found):
            of = "CLV_EV" if "CLV_EV" in found else "CLV_RETURN"
            names = {f"{of}_{name}": name for name in ("rows", "dates", "needed")}
            parts.append(found.rename(columns=names).assign(judged_by=judge))
    return _in_order(pd.concat(parts, ignore_index=True)) if parts else pd.DataFrame()


def distributions(scores: pd.DataFrame) -> pd.DataFrame:
    """A row per market with the scores of the distributions around the consensus, in the names of ``DISTRIBUTIONS``,
    from ``market_scores`` of every market.
    """
    own = scores[scores["system_id"] == DISTRIBUTION_SERIES[Anchor.CONSENSUS]]
    found = _wide(own, "market")
    order = [m.key for m in MARKETS if m.key in set(own["market"])]
    found = found.rename(columns={"WITHIN_80_rows": "rows", "WITHIN_80_dates": "dates"})
    return found.set_index("market").loc[order].reset_index() if len(found) else found


def minutes(scores: pd.DataFrame) -> pd.DataFrame:
    """The errors of the forecasts of minutes beside those of the mean, in the names of ``MINUTES``, from rows of
    ``nba_predictions.minutes_scores``.
    """
    if scores.empty:
        return pd.DataFrame()
    daily = scores.set_index(["players", "game_date"]).astype("float64")
    found = mean_intervals(daily["error"] - daily["ewma_error"], daily["forecasts"])
    sums = daily.groupby(level="players").sum()
    out = found.rename(columns={"value": "less", "low": "less_low", "high": "less_high"}).assign(
        mae=sums["error"] / sums["forecasts"], ewma_mae=sums["ewma_error"] / sums["forecasts"],
        within_80=sums["within_80"] / sums["forecasts"],
    )  # fmt: skip
    return out.reset_index()


def combinations(scores: pd.DataFrame) -> pd.DataFrame:
    """The pairs of markets that gain most by their dependence, in the names of ``COMBINATIONS``, from rows of
    ``nba_predictions.combination_scores``.
    """
    if scores.empty:
        return pd.DataFrame()
    keys = ["market", "other_market"]
    daily = scores.set_index([*keys, "game_date"])
    parts = {
        "less": daily["log_loss"] - daily["independent_log_loss"],
        "both_less": daily["both_log_loss"] - daily["independent_both_log_loss"],
    }
    found = {name: mean_intervals(total, daily["pairs"]) for name, total in parts.items()}
    out = found["less"][["rows", "dates"]].copy()
    for name, interval in found.items():
        out[[name, f"{name}_low", f"{name}_high"]] = interval[["value", "low", "high"]]
    return out.sort_values("less").head(_MOST_PAIRS).reset_index()


def _in_order(rows: pd.DataFrame) -> pd.DataFrame:
    if rows.empty:
        return rows
    return rows.sort_values("system_id", key=lambda names: names.map(_ORDER), kind="stable", ignore_index=True)


def _wide(scores: pd.DataFrame, by: str = "system_id") -> pd.DataFrame:
    """Scores in columns: ``<score>``, ``<score>_low``, ``_high``, ``_rows``, ``_dates`` and ``_needed``."""
    parts = [
        scores.pivot(index=by, columns="score", values=value).add_suffix("" if value == "value" else f"_{value}")
        for value in ("value", "low", "high", "rows", "dates", "needed")
    ]
    return pd.concat(parts, axis=1).reset_index().rename_axis(columns=None)


def shown(rows: pd.DataFrame, columns: Mapping[str, Score], *, brackets: bool = True) -> pd.DataFrame:
    """Rows as text under the headings of one of the tables, with the 95 % intervals of what has one; without columns
    that have no value.
    """
    if rows.empty:
        return pd.DataFrame()
    records = rows.to_dict("records")
    out = {}
    for name, column in columns.items():
        values = [
            with_interval(r, name, column.form, brackets) if f"{name}_low" in r else _plain(r.get(name), column.form)
            for r in records
        ]
        if name in ("market", "other_market") and not brackets:
            values = [_SHORT[v] for v in values]
        if set(values) != {"-"}:
            out[column.heading] = values
    return pd.DataFrame(out)


def _plain(value: object, form: str) -> str:
    return "-" if pd.isna(value) else form.format(value)
