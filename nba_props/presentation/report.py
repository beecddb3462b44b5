"""The scoreboard as a page: tables and charts of a span in one self-contained HTML file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from nba_props.domain import quality, scoring
from nba_props.domain.systems import SYSTEM_TABLES
from nba_props.domain.views.ledger import market_of
from nba_props.facts import markets
from nba_props.facts.keys import PLAYER_DAY
from nba_props.facts.markets import ALL, ALL_TIERS, POINTS
from nba_props.presentation import charts as plots
from nba_props.presentation import claims, market_tables
from nba_props.presentation.pages import render, write_index
from nba_props.presentation.score_tables import (
    BETS,
    CHANCES,
    ELSEWHERE,
    ERRORS,
    SIDES,
    Score,
    by_night,
    errors_by_night,
    note,
    shown,
)
from nba_props.presentation.shopping import by_market
from nba_props.presentation.verdicts import after_the_fact, headline, in_words
from nba_props.schemas.distributions import COMBINATION_SCORES, DISTRIBUTION_SCORES
from nba_props.schemas.minutes import MINUTES_SCORES
from nba_props.schemas.monitoring import PROMOTIONS
from nba_props.schemas.predictions import CLOSING_LINE_VALUE, QUOTE_SCORES
from nba_props.settings import Settings
from nba_props.storage.files import open_path, replace
from nba_props.warehouse.base import Warehouse, is_simulated

_WITHIN = "WHERE game_date BETWEEN @first AND @last"
#: columns that no score needs: a season's rows are read without them
_NOT_SCORED = "player_name, player_lookup, model_version, quote_id, run_id, created_at, cutoff_at, graded_at"
_QUALITY_SQL = f"""
SELECT game_date, MAX(games) AS games, SUM(valid_line_count) AS verified, SUM(no_prop_line_count) AS no_line,
  SUM(total_predictions) AS total
FROM nba_monitoring.line_quality_daily {_WITHIN} AND market = @market GROUP BY game_date ORDER BY game_date
"""


def graded_rows(warehouse: Warehouse, first: date, last: date) -> pd.DataFrame:
    """Current grades on valid lines in first..last."""
    return warehouse.query(
        f"SELECT * EXCEPT ({_NOT_SCORED}) FROM nba_predictions.prediction_accuracy {_WITHIN} "
        "AND is_valid_line AND is_current "
        "ORDER BY game_date, prediction_id",  # sums of fractions depend on their order
        first=first,
        last=last,
    )


def against_market(warehouse: Warehouse, first: date, last: date) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The rows of ``quote_scores``, ``closing_line_value`` and ``distribution_scores`` in first..last, in an order of
    their own, as sums of fractions depend on it.
    """
    orders = {QUOTE_SCORES: "market, system_id", CLOSING_LINE_VALUE: "bet_id", DISTRIBUTION_SCORES: "market, anchor"}
    quotes, bets, spreads = (
        warehouse.query(f"SELECT * FROM {table.address} {_WITHIN} ORDER BY game_date, {order}", first=first, last=last)
        for table, order in orders.items()
    )
    return quotes, bets, spreads


def weights(warehouse: Warehouse, first: date, last: date) -> pd.DataFrame:
    """The newest weight of each system in shadow and market of a span, in the order of the markets."""
    rows = warehouse.query(f"SELECT * FROM {PROMOTIONS.address} {_WITHIN}", first=first, last=last)
    newest = rows.sort_values("game_date").drop_duplicates(["system_id", "market"], keep="last")
    order = {key: n for n, key in enumerate(markets.keys())}
    return newest.assign(order=newest["market"].map(order)).sort_values(
        ["system_id", "order"], kind="stable", ignore_index=True
    ).drop(columns="order")  # fmt: skip


@dataclass(frozen=True)
class ReportData:
    """The data of a span, read once for the terminal and the page, of one market in detail.

    Args:
        market: the market whose tables are shown in full.
        graded: its ``graded_rows`` in that market.
        daily: their ``scoring.sums``; empty without any.
        scores: one row per tier and system of that market; empty without any.
        elsewhere: one row per system and other market.
        beside: ``scoring.market_scores`` of every market, and of all together.
        shopping: ``shopping.by_market`` of every market.
        weights: those of the systems in shadow, as of the newest date.
        combinations: rows of ``nba_predictions.combination_scores``.
        minutes: rows of ``nba_predictions.minutes_scores``.
        claims: what the ledger up to the span's end allows to claim.
        published: the data behind the findings.
        findings: those of ``nba-props validate``.
        suspects: systems whose figures in that market are a likely bug, and these figures.
        now: the time by which results and odds are due.
    """

    market: str

    graded: pd.DataFrame
    daily: pd.DataFrame
    scores: pd.DataFrame
    elsewhere: pd.DataFrame
    beside: pd.DataFrame
    shopping: pd.DataFrame
    weights: pd.DataFrame
    combinations: pd.DataFrame
    minutes: pd.DataFrame
    claims: pd.DataFrame
    published: quality.Published
    findings: Mapping[str, quality.Finding]
    suspects: Mapping[str, str]
    now: datetime


def read(
    warehouse: Warehouse,
    first: date,
    last: date,
    now: datetime,
    frozen: Mapping[str, date],
    graded: pd.DataFrame | None = None,
    market: str = POINTS,
) -> ReportData:
    """Read a span as of ``now``; ``graded`` are its graded rows of all markets, if already read, and ``frozen`` the
    systems that can claim something (``deployment.frozen``).
    """
    return next(iter(read_each(warehouse, first, last, now, frozen, [market], graded).values()))


def read_each(
    warehouse: Warehouse,
    first: date,
    last: date,
    now: datetime,
    frozen: Mapping[str, date],
    asked: Sequence[str],
    graded: pd.DataFrame | None = None,
) -> dict[str, ReportData]:
    """``read`` for several markets at once: what does not depend on the market is read and summed once."""
    graded = graded_rows(warehouse, first, last) if graded is None else graded
    daily = scoring.sums(graded) if len(graded) else pd.DataFrame()
    scores = scoring.scores(daily) if len(daily) else pd.DataFrame()
    published = quality.published(warehouse, tuple(SYSTEM_TABLES), first, last, now)
    findings = quality.findings(published, first, last)
    suspects = quality.suspects(published, findings, first, last) if len(scores) else {}
    common = {
        "beside": scoring.market_scores(scoring.market_sums(*against_market(warehouse, first, last))),
        "shopping": by_market(warehouse, first, last), "weights": weights(warehouse, first, last),
        "combinations": warehouse.query(
            f"SELECT * FROM {COMBINATION_SCORES.address} {_WITHIN}", first=first, last=last
        ),
        "minutes": warehouse.query(f"SELECT * FROM {MINUTES_SCORES.address} {_WITHIN}", first=first, last=last),
        "claims": claims.read(warehouse, frozen, last), "published": published, "findings": findings, "now": now,
    }  # fmt: skip
    return {market: _of_market(market, graded, daily, scores, suspects, common) for market in asked}


def _of_market(
    market: str,
    graded: pd.DataFrame,
    daily: pd.DataFrame,
    scores: pd.DataFrame,
    suspects: Mapping[str, str],
    common: Mapping[str, Any],
) -> ReportData:
    mine, others = scores, pd.DataFrame()
    if len(daily):
        mine, others = (scores[is_mine] for is_mine in (scores["market"] == market, scores["market"] != market))
        others = _in_order(others[others["tier"] == ALL_TIERS])
        daily = daily[daily.index.get_level_values("market") == market].droplevel("market")
    own = {series.removesuffix(f" {market}"): why for series, why in suspects.items() if market_of(series) == market}
    rows = graded[graded["market"] == market] if len(graded) else graded
    mine = mine.drop(columns="market", errors="ignore")
    return ReportData(market=market, graded=rows, daily=daily, scores=mine, elsewhere=others, suspects=own, **common)


def beside(found: ReportData) -> list[tuple[str, pd.DataFrame, Mapping[str, Score]]]:
    """The tables against the market that have rows: title, rows and columns of each."""
    tables: list[tuple[str, pd.DataFrame, Mapping[str, Score]]] = []
    others = bool(set(found.beside["market"]) - {found.market, ALL})
    asked = [(found.market, f", {found.market}"), (ALL, ", every market")] if others else [(found.market, "")]
    for market, of in asked:
        scores = found.beside[found.beside["market"] == market]
        tables += [
            (f"P(over) on every quote of every book{of}", market_tables.quotes(scores), market_tables.QUOTES),
            (f"Bets by the close{of}", market_tables.closes(scores), market_tables.CLOSES),
        ]
    tables.append(
        (
            "Distributions around the consensus",
            market_tables.distributions(found.beside),
            market_tables.DISTRIBUTIONS,
        )
    )
    together = market_tables.combinations(found.combinations)
    tables.append(("Minutes of players who played", market_tables.minutes(found.minutes), market_tables.MINUTES))
    tables.append(
        ("Two props of one player together, in shadow: the pairs that gain most", together, market_tables.COMBINATIONS)
    )
    tables.append(("Weights of systems in shadow", found.weights, market_tables.WEIGHTS))
    tables.append(
        ("Prices: what the books keep, and what seemed worth its price", found.shopping, market_tables.SHOPPING)
    )
    return [table for table in tables if len(table[1])]


def _in_order(scores: pd.DataFrame) -> pd.DataFrame:
    """Scores by market in their usual order, then by system."""
    order = scores["market"].map({key: n for n, key in enumerate(markets.keys())})
    return scores.assign(order=order).sort_values(["order", "system_id"], kind="stable").drop(columns="order")


def page_of(warehouse: Warehouse, first: date, last: date, found: ReportData, **named: Any) -> str:
    """The page of a span as HTML.

    Args:
        warehouse: where the tables are.
        first: the span's first date.
        last: its last date.
        found: the result of ``read`` for the span.
        named: values for the names of the ``base`` template, and ``listed``, whether the index of reports lists it.
    """
    days = warehouse.query(_QUALITY_SQL, first=first, last=last, market=found.market).set_index("game_date")
    game_days = days[days["games"] > 0]
    nights = by_night(found.daily)
    tiers = (ALL_TIERS, *markets.market(found.market).tier_names)
    parts = {tier: part for tier in tiers if len(part := _of_tier(found.scores, tier))}
    return render(
        "report.html.jinja",
        first=first, last=last, now=found.now, market=markets.market(found.market), rows=len(found.graded),
        words=in_words(parts[ALL_TIERS], found.suspects) if parts else [],
        headline=headline(parts[ALL_TIERS], found.suspects) if parts else "",
        late=after_the_fact(found.graded), nights=_night_tables(nights),
        sections=[
            (tier, note(part), [_html(shown(part, columns)) for columns in (ERRORS, BETS, SIDES)],
             _html(shown(part, CHANCES)))
            for tier, part in parts.items()
        ],
        elsewhere=_html(shown(found.elsewhere, ELSEWHERE)) if len(found.elsewhere) else "", findings=found.findings,
        beside=[(title, _html(market_tables.shown(rows, columns))) for title, rows, columns in beside(found)],
        warnings={name for name, finding in found.findings.items() if finding.warns},
        pictures={name: plots.data_uri(p) for name, p in _pictures(found, nights, days, first, last).items()},
        claims=list(found.claims["sentence"]),
        simulated=is_simulated(warehouse), game_days=len(game_days),
        empty_days=int((game_days["total"] == 0).sum()), goal=quality.BRIEF_STREAK, **named,
    )  # fmt: skip


def write_report(
    warehouse: Warehouse, settings: Settings, first: date, last: date, found: ReportData, out: Path | None = None
) -> str:
    """Write the page of a span and return its path, by default ``reports/<first>_<last>.html``, with the market in it
    unless that is points.

    Args:
        warehouse: where the tables are.
        settings: those of the home; pages in its reports folder are listed in ``index.html``.
        first: the span's first date.
        last: its last date.
        found: the result of ``read`` for the span.
        out: another path for the page, which the index does not list.
    """
    text = page_of(warehouse, first, last, found, base="page.html.jinja", listed=not out)
    path = open_path(str(out)) if out else open_path(settings.reports) / f"{first}_{last}{_suffix(found.market)}.html"
    replace(path, text.encode())
    if not out:
        write_index(settings, simulated=is_simulated(warehouse))
    return str(path)


def _suffix(market: str) -> str:
    return "" if market == POINTS else f"_{market}"


def _of_tier(scores: pd.DataFrame, tier: str) -> pd.DataFrame:
    return scores[scores["tier"] == tier] if len(scores) else scores


def _pictures(found: ReportData, nights: pd.DataFrame, days: pd.DataFrame, first: date, last: date) -> dict[str, bytes]:
    """The charts of a page by name; a chart without data is left out.

    Args:
        found: the span's data.
        nights: its ``by_night``.
        days: the number of predictions per date by kind of line, as ``_QUALITY_SQL`` gives it.
        first: the span's first date.
        last: its last date.
    """
    made: dict[str, bytes] = {}
    if len(nights):
        made["units"], made["bets"] = plots.nights(nights)
    if len(errors := errors_by_night(found.daily)):
        made["errors"] = plots.errors(errors, markets.market(found.market).title.lower())
    if len(found.scores):
        unit = markets.market(found.market).title.lower()
        made["differences"] = plots.mae_differences(_of_tier(found.scores, ALL_TIERS), unit)
        if chances := reliability_tables(found.graded):
            made["reliability"] = plots.reliability(chances)
    if len(days):
        verified, without = days["verified"], days["no_line"]
        kinds = {
            "verified quote": verified,
            "no line": without,
            "placeholder or unverified": days["total"] - verified - without,
        }
        made["quality"] = plots.line_quality(pd.DataFrame(kinds).astype(float))
    streaks = found.published.streaks.sort_values("game_date").set_index("game_date")["streak"]
    streaks = streaks[(streaks.index >= first) & (streaks.index <= last)]  # findings read from further back
    if len(streaks):
        made["streak"] = plots.streak(streaks.astype(float), quality.BRIEF_STREAK)
    return made


def _night_tables(nights: pd.DataFrame) -> list[tuple[str, str, str]]:
    """For each system: its id, the result of its bets in words, and a table of its nights as HTML, newest first."""
    found = []
    for system, own in nights.groupby("system_id", sort=False) if len(nights) else ():
        sums = f"{own['total'].iloc[-1]:+,.1f} units, {own['wins'].sum():,.0f}-{own['losses'].sum():,.0f}"
        newest = own.iloc[::-1]
        bets = newest["wins"] + newest["losses"]
        table = pd.DataFrame(
            {
                "night": newest["game_date"].dt.strftime("%Y-%m-%d"),
                "bets": bets.map("{:,.0f}".format),
                "won": newest["wins"].map("{:,.0f}".format),
                "rate": (newest["wins"] / bets).map("{:.1%}".format),
                "units": newest["units"].map("{:+,.1f}".format),
                "in all": newest["total"].map("{:+,.1f}".format),
            }
        )
        found.append((str(system), sums, _html(table)))
    return found


def reliability_tables(graded: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Reliability of each system's P(over), and of the quotes' on all rows that have one; empty without a system's."""
    decided = graded[graded["actual_margin"].notna() & graded["actual_margin"].ne(0)]
    own = decided[decided["over_probability"].notna()].assign(chance=lambda f: f["over_probability"])
    quoted = decided[decided["market_over_probability"].notna()].drop_duplicates(PLAYER_DAY)
    quoted = quoted.assign(chance=quoted["market_over_probability"], system_id="de-vigged quote")
    if own.empty:
        return {}
    rows = pd.concat([own, quoted]).assign(over=lambda f: f["actual_margin"].gt(0))
    found = scoring.reliability(rows[["system_id", "game_date", "chance", "over"]])
    return {str(system): table for system, table in found.groupby(level="system_id", sort=False)}


def _html(table: pd.DataFrame) -> str:
    return "" if table.empty else table.to_html(index=False, border=0, escape=True)
