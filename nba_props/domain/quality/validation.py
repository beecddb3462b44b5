"""The final validation of a span: placeholders, lines, win rates and systems (docs/legacy-systems.md#the-brief)."""

from __future__ import annotations

from datetime import date
from typing import Any

from nba_props.domain.finding import Finding, Severity
from nba_props.domain.quality.alarms import limit, off_by
from nba_props.domain.quality.sums import Published, summed, within
from nba_props.domain.scoring import rate_intervals
from nba_props.domain.views.ledger import market_of
from nba_props.facts.markets import POINTS
from nba_props.facts.words import percent, percents, plural
from nba_props.schemas.monitoring import MIN_DATES

#: the brief's success criteria (docs/legacy-systems.md#the-brief)
BRIEF_WIN_RATE = (0.50, 0.65)


def no_placeholders(p: Published, first: date, last: date) -> Finding:
    """Not one published row carries a placeholder line."""
    rows = within(p.rows, first, last)
    found, inspected = int(rows["placeholders"].sum()), int(rows["published"].sum())
    figures = {"placeholders": found, "rows_inspected": inspected}
    if not inspected:
        free = p.is_free(first, last)
        text = "no games" if free else "no row was published, so nothing was inspected"
        return Finding(free, text, figures)
    text = f"{found} placeholders in {inspected} published rows"
    streaks = within(p.streaks, first, last)
    archived = int(streaks["placeholders"].sum()) - int(rows["placeholders"].sum())
    return Finding(found == 0, f"{text}{set_aside(int(streaks['held_back'].sum()), archived)}", figures)


def set_aside(in_quarantine: int, archived: int) -> str:
    """The numbers of placeholders in quarantine and archive, in brackets; empty if there are none."""
    counts = {"in quarantine": in_quarantine, "archived": archived}
    shown = ", ".join(f"{count} {where}" for where, count in counts.items() if count > 0)
    return f" ({shown}, where no user sees them)" if shown else ""


def lines_are_real(p: Published, first: date, last: date) -> Finding:
    """Every line claimed is a sportsbook's verified quote."""
    rows = within(p.rows, first, last)
    claims, verified = int(rows["claims"].sum()), int(rows["verified"].sum())
    figures = {"claims": claims, "verified": verified}
    if not claims:
        return Finding(False, "no row claims a line", figures, Severity.WARN, nothing=True)
    dates = rows.loc[rows["claims"] > 0, "game_date"].nunique()
    text = f"{percent(verified / claims)} of {claims} lines on {plural(dates, 'date')} verified"
    if verified < claims:
        text += f": {claims - verified} are not their quote's (`nba-props quarantine invalid_line` lists them)"
    return Finding(verified == claims, text, figures)


def win_rates_in_range(p: Published, first: date, last: date) -> Finding:
    """No system's win rate on valid lines of points is significantly outside the brief's.

    The brief's is ``BRIEF_WIN_RATE`` (docs/legacy-systems.md#the-brief). Significantly means further than by chance in
    one of twenty seasons; the text has the 95 % interval.
    """
    daily = within(p.on_valid_lines, first, last)
    daily = daily[daily["system_id"].map(market_of).eq(POINTS)]
    sums = summed(daily, first, last)
    by_date = daily.set_index(["system_id", "game_date"])
    rates = rate_intervals(by_date["wins"], by_date["decided"])
    figures: dict[str, Any] = {}
    wrong, high = [], {}
    for system, row in sums[sums["decided"] > 0].iterrows():
        decided, found = row["decided"], rates.loc[system]
        bounds = (
            f"{percent(found['low'])}, {percent(found['high'])}"
            if found["dates"] >= MIN_DATES
            else "too few dates for an interval"
        )
        shown = f"{percent(found['value'])} [{bounds}] of {decided:.0f} on {plural(found['dates'], 'date')}"
        figures[str(system)] = shown
        if off_by(row["wins"], decided, row["squared"], *BRIEF_WIN_RATE) > limit(p.series):
            wrong.append(f"{system} {shown}")
            if found["value"] > BRIEF_WIN_RATE[1]:
                high[str(system)] = f"wins {shown}"
    if not figures:
        return Finding(False, "no bet on a valid line is decided", figures, Severity.WARN, nothing=True)
    text = "; ".join(f"{k} {v}" for k, v in figures.items())
    text = f"outside {percents(*BRIEF_WIN_RATE)}: {'; '.join(wrong)}" if wrong else text
    return Finding(not wrong, text, figures, suspects=high)


def all_systems_present(p: Published, first: date, last: date) -> Finding:
    """Every system has published on every game day since the season's first one with predictions."""
    rows = within(p.rows, first, last)
    scheduled = set(within(p.games, first, last)["game_date"])
    figures: dict[str, Any] = {"game_days": len(scheduled), "systems": len(p.systems)}
    if rows.empty:
        free = p.is_free(first, last)
        text = "no games" if free else f"nothing was published; {len(scheduled)} game days are known"
        return Finding(free, text, figures)
    # imported rows are another system's record
    own = p.rows.loc[p.rows["system_id"].isin(p.systems), "game_date"]
    begun = min(own) if len(own) else first
    game_days = {d for d in scheduled if d >= begun}
    have = {s: set(rows.loc[rows["system_id"] == s, "game_date"]) for s in p.systems}
    gaps = {s: sorted(game_days - have[s]) for s in p.systems if game_days - have[s]}
    figures = {**figures, "game_days": len(game_days), "gaps": {s: len(g) for s, g in gaps.items()}}
    if gaps:
        shown = "; ".join(f"{s} lacks {len(g)}, the first {g[0]}" for s, g in gaps.items())
        return Finding(False, f"of {len(game_days)} game days {shown}", figures)
    text = f"all {len(p.systems)} systems on all {len(game_days)} game days"
    if before := len(scheduled) - len(game_days):
        text += f"; nothing was published on {before} game days before {begun}, the season's first"
    return Finding(True, text, figures)
