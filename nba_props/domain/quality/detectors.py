"""Detectors of figures that are too good or too even to be true: rates, lines, sides, errors and probabilities."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

from nba_props.domain.finding import Finding, Severity
from nba_props.domain.quality.alarms import limit, off_by, spread
from nba_props.domain.quality.sums import WINDOW, WINDOW_DATES, Published, by_system, summed, within
from nba_props.domain.scoring import log_loss_differences
from nba_props.domain.views.ledger import market_of
from nba_props.facts.calendar import season_start
from nba_props.facts.markets import POINTS, market, scales
from nba_props.facts.vocabulary import SIDES
from nba_props.facts.words import percent, percents, plural
from nba_props.schemas.monitoring import MIN_DATES

#: fewest decided bets or lines that a rate is judged on
ENOUGH = 100
WIN_RATE = (0.40, 0.65)
SHARE_UNDER = (0.42, 0.58)
#: the true share of one side in a fair market: books shade their lines and prices
FAIR = (0.45, 0.55)
MAX_ONE_SIDED = 0.85
#: fewest players with a line from whom different lines are expected
FEW_LINES = 5
#: beyond these, a system is assumed to use data from the future
TOO_GOOD_ROWS, TOO_GOOD_HIT_RATE, TOO_GOOD_MAE = 1000, 0.58, 0.25


def win_rates_plausible(p: Published, day: date) -> Finding:
    """No system wins far too often or far too seldom on one side, whatever its lines are (30 days).

    Fails outside ``WIN_RATE`` on ``ENOUGH`` bets or more, and further from ``FAIR`` than by chance in one of twenty
    clean seasons. In other markets than points both are around what the quotes give the side, not around one half.
    """
    bets = within(p.decided, day - WINDOW, day).groupby(["system_id", "recommendation"]).sum(numeric_only=True)
    figures: dict[str, Any] = {}
    wrong: list[tuple[str, str]] = []
    for (system, side), row in bets[bets["decided"] >= ENOUGH].iterrows():
        wins, decided = float(row["wins"]), float(row["decided"])
        shown = f"{percent(wins / decided)} of {decided:.0f} on {plural(row['dates'], 'date')}"
        figures[f"{system} {side}"] = shown
        more = 0.0 if market_of(str(system)) == POINTS else float(row["quoted_wins"]) / decided - 0.5
        outside = not WIN_RATE[0] <= wins / decided - more <= WIN_RATE[1]
        fair = [min(max(bound + more, 0.01), 0.99) for bound in FAIR]
        if outside and off_by(wins, decided, float(row["squared"]), *fair) > limit(p.series):
            by_quotes = f", {percent(0.5 + more)} by the quotes" if more else ""
            wrong.append((str(system), f"{side} {shown}{by_quotes}"))
    if wrong:
        text = "; ".join(f"{system} {shown}" for system, shown in wrong)
        text = f"win rates outside {percents(*WIN_RATE)}: {text}: suspect the lines or a leak"
        return Finding(False, text, figures, suspects=by_system(wrong))
    counted = f"{len(figures)} of {len(bets)} sides have {ENOUGH} decided bets or more in {WINDOW_DATES} days"
    text = f"{counted} (a system's overs and unders are counted apart)"
    none = f"none shown to be outside {percents(*WIN_RATE)}"
    return Finding(True, f"{text}, {none}" if figures else f"{text}: too few to judge", figures)


def share_under_plausible(p: Published, day: date) -> Finding:
    """About half of the players end under their current line of points (30 days, each player once a date).

    A market sets its lines so that half end under them; invented lines, such as one value for all players, do not. The
    lines are those of the current rows, valid or not: a line that moved, or was published again, is one result, and
    superseded ones are left to ``no_placeholders``. In other markets prices, not lines, show which side is likelier.
    Fails outside ``SHARE_UNDER`` of ``ENOUGH`` players or more, and further from ``FAIR`` than by chance in one of
    twenty clean seasons.
    """
    lines = within(p.lines[p.lines["system_id"] == ""], day - WINDOW, day)
    nightly = (lines["unders"] + lines["overs"]).astype("float64")
    unders, decided = float(lines["unders"].sum()), float(nightly.sum())
    if decided < ENOUGH:
        return Finding(True, f"{decided:.0f} players with a result, too few to judge", {"players": int(decided)})
    share = unders / decided
    off = off_by(unders, decided, float((nightly**2).sum()), *FAIR)
    ok = SHARE_UNDER[0] <= share <= SHARE_UNDER[1] or off <= limit(p.series)
    dates = int((nightly > 0).sum())
    text = f"{percent(share)} of {decided:.0f} players on {plural(dates, 'date')} end under their line"
    return Finding(
        ok,
        text if ok else f"{text}: a market's lines would be nearer to half",
        {"share_under": share, "players": int(decided), "dates": dates},
    )


def lines_vary(p: Published, day: date) -> Finding:
    """The lines of a day are not all equal, neither of all systems nor of one, in markets in which lines differ."""
    today = within(p.lines, day, day)
    if today.empty:
        return Finding(True, "no lines")
    whole = today[today["system_id"] == ""]
    players, distinct = int(whole["players"].sum()), int(whole["distinct_lines"].sum())
    even = today[(today["players"] >= FEW_LINES) & (today["distinct_lines"] == 1)]
    names = ", ".join(sorted(str(s) for s in even["system_id"] if s)) or "all systems"
    text = f"{distinct} different lines of {players} players"
    return Finding(
        even.empty,
        text if even.empty else f"{text}; one line for all: {names}",
        {"players": players, "distinct_lines": distinct},
    )


def sides_not_skewed(p: Published, day: date) -> Finding:
    """No system has nearly all picks on one side (30 days).

    Over ``MAX_ONE_SIDED`` of ``ENOUGH`` picks or more: a warning, since a formula may prefer a side. Eight systems with
    up to 65 % on one side get one by chance in fewer than one of a hundred seasons. Markets whose lines do not stand
    near the median are left out: there one side is likelier.
    """
    rows = within(p.current, day - WINDOW, day)
    rows = rows[rows["system_id"].map(lambda s: market(market_of(str(s))).has_even_lines).astype("bool")]
    picks = rows[rows["recommendation"].isin(SIDES)]
    counts = picks.pivot_table(
        index="system_id", columns="recommendation", values="published", aggfunc="sum", fill_value=0
    )
    total, most = counts.sum(axis=1), counts.max(axis=1)
    dates = picks[picks["published"] > 0].groupby("system_id")["game_date"].nunique()
    judged = counts[total >= ENOUGH]
    share = (most / total).reindex(judged.index)
    skewed = [
        f"{s} {percent(v)} {judged.loc[s].idxmax()} of {int(total[s])} on {plural(dates[s], 'date')}"
        for s, v in share.items()
        if v > MAX_ONE_SIDED
    ]
    figures = {str(s): round(float(v), 4) for s, v in share.items()}
    if skewed:
        return Finding(False, f"one-sided: {'; '.join(skewed)}", figures, Severity.WARN)
    counted = f"{len(figures)} of {len(counts)} systems have {ENOUGH} picks or more in {WINDOW_DATES} days"
    text = f"{counted} (overs and unders together)"
    text = f"{text}, none over {percents(MAX_ONE_SIDED)} on one side" if figures else f"{text}: too few to judge"
    return Finding(True, text, figures, Severity.WARN)


def not_too_good(p: Published, day: date) -> Finding:
    """No system is so much better than the market that it must have seen the future (season to date, valid lines)."""
    sums = summed(p.on_valid_lines, season_start(day), day)
    figures: dict[str, Any] = {}
    for system, row in sums[sums["rows_with_error"] > 0].iterrows():
        n = row["rows_with_error"]
        errors = f"MAE {row['error'] / n:.3f}, line {row['line_error'] / n:.3f}"
        figures[str(system)] = f"{errors}, n {n:.0f} on {plural(row['dates_with_error'], 'date')}"
    if wrong := too_good(p, season_start(day), day):
        text = "; ".join(f"{system} {shown}" for system, shown in wrong.items())
        return Finding(False, f"{text}: a leak of the future until proven otherwise", figures, suspects=wrong)
    enough = int((sums[["decided", "rows_with_error"]].max(axis=1) >= TOO_GOOD_ROWS).sum()) if len(sums) else 0
    text = f"{enough} of {len(sums)} systems have {TOO_GOOD_ROWS:,} bets or forecasts on verified lines this season"
    return Finding(True, f"{text}, none implausibly good" if enough else f"{text}: too few to judge", figures)


def too_good(p: Published, first: date, last: date) -> dict[str, str]:
    """Systems that are too good in first..last on valid lines not to use data from the future, and their figures.

    On ``TOO_GOOD_ROWS`` or more: over ``TOO_GOOD_HIT_RATE`` of the bets won, and more than by chance in one of twenty
    seasons if the quotes' probabilities are right; or an error over ``TOO_GOOD_MAE`` points below the line's (in other
    markets by the error of their lines, and only where lines stand near the median), and further than by chance for a
    forecast as good as the line. The distance of forecast and line bounds how far a row's two errors can differ.
    """
    most = limit(p.series)
    wrong: list[tuple[str, str]] = []
    for system, row in summed(p.on_valid_lines, first, last).iterrows():
        decided, n = row["decided"], row["rows_with_error"]
        lucky = decided >= TOO_GOOD_ROWS and row["wins"] / decided > TOO_GOOD_HIT_RATE
        # books move prices before lines: the better side of a line is known from its prices
        quoted = row["quoted_wins"] / decided if decided else 0.5
        if lucky and off_by(row["wins"], decided, row["squared"], quoted, quoted) > most:
            won = f"wins {percent(row['wins'] / decided)} of {decided:.0f} on {plural(row['dates'], 'date')}"
            wrong.append((str(system), f"{won}, {percent(quoted)} by the quotes"))
        gain = row["line_error"] - row["error"]
        chance = math.sqrt(row["disagreement"] * spread(n, row["rows_squared"])) if n else 0.0
        of = market(market_of(str(system)))
        much = TOO_GOOD_MAE * scales()[of.key]
        if of.has_even_lines and n >= TOO_GOOD_ROWS and gain / n > much and gain > most * chance:
            dates = plural(row["dates_with_error"], "date")
            wrong.append((str(system), f"beats the line by {gain / n:.2f} on {n:.0f} rows of {dates}"))
    return by_system(wrong)


def chances_as_good_as_quotes(p: Published, day: date) -> Finding:
    """No system's P(over) is significantly worse than the quotes' (log-loss, season to date).

    Significantly means by a 95 % interval, from ``MIN_DATES`` on. It warns and never fails: run on every date of a
    season, it is wrong about a system exactly as good as the quotes in about one season of six.
    """
    if p.is_free(day, day):
        return Finding(True, "no games on this date")
    season = within(p.chances, season_start(day), day).set_index(["system_id", "game_date"]).astype("float64")
    season = season[season["chances"] > 0]
    figures: dict[str, Any] = {}
    worse = []
    for system, row in log_loss_differences(season).iterrows() if len(season) else ():
        if row["dates"] < MIN_DATES:
            rows = f"{row['rows']:.0f} rows of {plural(row['dates'], 'date')}"
            figures[str(system)] = f"{row['value']:+.4f} on {rows}, too few for an interval"
            continue
        bounds = f"[{row['low']:+.4f}, {row['high']:+.4f}]"
        shown = f"{row['value']:+.4f} {bounds} on {row['rows']:.0f} rows of {plural(row['dates'], 'date')}"
        figures[str(system)] = shown
        if row["low"] > 0:
            worse.append(f"{system} {shown}")
    if worse:
        text = f"P(over) has a worse log-loss than the quotes' own: {'; '.join(worse)}: believe the quotes"
        return Finding(False, text, figures, Severity.WARN)
    if not figures:
        return Finding(True, "no P(over) is graded beside a quote's", figures)
    return Finding(True, f"{len(figures)} systems' P(over) are not shown to be worse than the quotes' own", figures)
