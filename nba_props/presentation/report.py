"""The scoreboard as a page: tables and charts of a span in one self-contained HTML file."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from nba_props.domain import quality, scoring
from nba_props.domain.systems import SYSTEM_TABLES
from nba_props.facts.keys import PLAYER_DAY
from nba_props.facts.vocabulary import Tier
from nba_props.facts.words import percent, plural
from nba_props.presentation import charts as plots
from nba_props.process.revision import revision
from nba_props.schemas.base import Type
from nba_props.schemas.monitoring import MIN_DATES, SCORES
from nba_props.schemas.predictions import IMPORTED_PREFIX
from nba_props.settings import Settings
from nba_props.storage.files import open_path, replace
from nba_props.warehouse.base import Warehouse, is_simulated

if TYPE_CHECKING:
    from upath import UPath

#: the path under which ``automation/webserver.py`` serves the pages of a local folder
ADDRESS = "/reports"
#: the page that lists the others, which are named by their span
INDEX = "index.html"
_PAGE = re.compile(r"(\d{4}-\d\d-\d\d)_(\d{4}-\d\d-\d\d)\.html")
_WITHIN = "WHERE game_date BETWEEN @first AND @last"
#: columns that no score needs: a season's rows are read without them
_NOT_SCORED = "player_name, player_lookup, model_version, quote_id, run_id, created_at, cutoff_at, graded_at"
_QUALITY_SQL = f"""
SELECT game_date, MAX(games) AS games, SUM(valid_line_count) AS verified, SUM(no_prop_line_count) AS no_line,
  SUM(total_predictions) AS total
FROM nba_monitoring.line_quality_daily {_WITHIN} GROUP BY game_date ORDER BY game_date
"""


class Score(NamedTuple):
    """A column of a table of scores."""

    heading: str
    form: str
    #: in a narrow terminal columns with the highest number are left out first, those with 0 never
    spare: int = 0


_SYSTEM = {"system_id": Score("system", "{}")}
SCOREBOARD = {
    **_SYSTEM,
    "bets": Score("bets", "{:,.0f}"),
    "bet_dates": Score("nights", "{:,.0f}"),
    "hit_rate": Score("hit rate", "{:.1%}"),
    "break_even": Score("break-even", "{:.1%}"),
    "roi": Score("ROI", "{:+.1%}"),
    "mae_difference": Score("MAE - line", "{:+.3f}"),
    "mae": Score("MAE", "{:.3f}", 3),
    "line_mae": Score("line MAE", "{:.3f}", 3),
    "verdict": Score("verdict", "{}", 2),
}
ERRORS = {
    **_SYSTEM,
    "rows_scored": Score("n", "{:,.0f}"),
    "dates": Score("nights", "{:,.0f}"),
    "difference": Score("MAE - line", "{}"),
    "mae": Score("MAE", "{:.3f}"),
    "line_mae": Score("line MAE", "{:.3f}"),
    "last_10_mae": Score("last-10 MAE", "{:.3f}", 2),
    "bias": Score("bias", "{:+.2f}", 3),
    "rmse": Score("RMSE", "{:.2f}", 3),
    "voids": Score("void", "{:,.0f}", 4),
    "pending": Score("pending", "{:,.0f}", 4),
}
BETS = {
    **_SYSTEM,
    "bets": Score("bets", "{:,.0f}"),
    "bet_dates": Score("nights", "{:,.0f}"),
    "hits": Score("hit rate", "{}"),
    "returns": Score("ROI", "{}"),
    "break_even": Score("break-even", "{:.1%}", 2),
    "best_price_roi": Score("ROI, best price", "{:+.1%}", 3),
    "pushes": Score("push", "{:,.0f}", 4),
}
SIDES = {
    **_SYSTEM,
    "bet_dates": Score("nights", "{:,.0f}"),
    "overs": Score("overs", "{}"),
    "unders": Score("unders", "{}"),
    "over_break_even": Score("overs' break-even", "{:.1%}", 2),
    "under_break_even": Score("unders' break-even", "{:.1%}", 2),
}
CHANCES = {
    **_SYSTEM,
    "rows_with_probability": Score("n", "{:,.0f}"),
    "dates_with_probability": Score("nights", "{:,.0f}"),
    "less_quote": Score("less the quote's", "{}"),
    "log_loss": Score("log-loss", "{:.4f}"),
    "market_log_loss": Score("quote's log-loss", "{:.4f}", 2),
    "less_coin": Score("less a coin's", "{}", 3),
    "calibration_error": Score("calibration error", "{:.3f}", 4),
    "brier": Score("Brier", "{:.4f}", 5),
    "market_brier": Score("quote's Brier", "{:.4f}", 5),
    "coin_brier": Score("coin's Brier", "{:.4f}", 5),
}
#: the tables of the terminal, in order
TABLES: Mapping[str, Mapping[str, Score]] = {
    "Scoreboard": SCOREBOARD,
    "Errors beside the line's on the same rows": ERRORS,
    "Bets at the quoted prices": BETS,
    "The same bets by side": SIDES,
    "P(over), log-loss beside the de-vigged quote's": CHANCES,
}
#: scores with an interval: the dates that each is made of
_DATES = {
    "mae_difference": "dates",
    "hit_rate": "bet_dates",
    "over_hit_rate": "over_dates",
    "under_hit_rate": "under_dates",
    "roi": "bet_dates",
    "log_loss_difference": "dates_with_probability",
}


def graded_rows(warehouse: Warehouse, first: date, last: date) -> pd.DataFrame:
    """Current grades on valid lines in first..last."""
    return warehouse.query(
        f"SELECT * EXCEPT ({_NOT_SCORED}) FROM nba_predictions.prediction_accuracy {_WITHIN} "
        "AND is_valid_line AND is_current "
        "ORDER BY game_date, prediction_id",  # sums of fractions depend on their order
        first=first,
        last=last,
    )


def shown(scores: pd.DataFrame, columns: Mapping[str, Score], *, brackets: bool = True) -> pd.DataFrame:
    """Scores as text, under the headings of one of the tables; with the intervals of those that have one, or without.

    Rows without any score of P(over) are left out of the table of these.
    """
    if columns is CHANCES:
        scores = scores[scores["rows_with_probability"] > 0]
    rows = scores.to_dict("records")
    wide = scores.assign(
        bets=scores["wins"] + scores["losses"],
        difference=[_interval(r, "mae_difference", "{:+.3f}", brackets) for r in rows],
        hits=[_interval(r, "hit_rate", "{:.1%}", brackets) for r in rows],
        overs=[_side(r, "over", brackets) for r in rows],
        unders=[_side(r, "under", brackets) for r in rows],
        returns=[_interval(r, "roi", "{:+.1%}", brackets) for r in rows],
        less_quote=[_interval(r, "log_loss_difference", "{:+.4f}", brackets) for r in rows],
        less_coin=[_interval(r, "coin_log_loss_difference", "{:+.4f}", brackets) for r in rows],
        coin_brier=scoring.COIN_BRIER,
    )
    cells = [
        wide[name].map(lambda v, form=column.form: "-" if pd.isna(v) else form.format(v))
        for name, column in columns.items()
    ]
    out = pd.concat(cells, axis=1)
    out.columns = pd.Index([column.heading for column in columns.values()])
    return out


def _interval(row: dict[str, Any], name: str, form: str, brackets: bool) -> str:
    if pd.isna(row[name]):
        return "-"
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    bounds = "" if pd.isna(low) or not brackets else f" [{form.format(low)}, {form.format(high)}]"
    return form.format(row[name]) + bounds


def _side(row: dict[str, Any], side: str, brackets: bool) -> str:
    """Rate and number of one side's bets, with the number of nights where it differs from the row's."""
    if not row[f"{side}_bets"]:
        return "-"
    rate, dates = _interval(row, f"{side}_hit_rate", "{:.1%}", brackets), row[f"{side}_dates"]
    found = f"{rate} of {int(row[f'{side}_bets']):,}"
    return found if dates == row["bet_dates"] else f"{found}, {plural(dates, 'night')}"


def verdicts(scores: pd.DataFrame, suspects: Collection[str] = ()) -> list[str]:
    """Each system's verdict in a word or two: whether its bets beat break-even, or why that is not known."""
    return [_verdict(row, row["system_id"] in suspects)[0] for row in scores.to_dict("records")]


def note(scores: pd.DataFrame) -> str:
    """A note on the brackets beside the scores, or on why there are none."""
    dates = pd.concat([scores.loc[scores[name].notna(), own] for name, own in _DATES.items()])
    few = dates[dates < MIN_DATES]
    brackets = ["In brackets: 95 % intervals, from the sums of each night."] * (len(few) < len(dates))
    if few.empty:
        return "".join(brackets)
    fewer = " and fewer" if few.min() < few.max() else ""
    few_text = f"{plural(few.max(), 'night')}{fewer}: too few for an interval ({MIN_DATES} are needed)."
    return " ".join([*brackets, few_text])


def headline(scores: pd.DataFrame, suspects: Collection[str] = ()) -> str:
    """A sentence on all systems: how many differ from break-even by more than chance, or that nights are too few.

    Args:
        scores: one row per system.
        suspects: systems whose figures are a likely bug.
    """
    bets = scores[scores["wins"] + scores["losses"] > 0]
    if bets.empty:
        return "No bet is decided on these nights."
    wrong = bets["system_id"].isin(suspects)
    bug = (
        f" {plural(wrong.sum(), 'system')} too good or too bad to be true: a likely bug, not a result."
        if wrong.any()
        else ""
    )
    imported = bets["system_id"].str.startswith(IMPORTED_PREFIX) & ~wrong
    if imported.any():
        bug += (
            f" Not judged: {plural(imported.sum(), 'imported system')}: only the export states when a row was written."
        )
    own = bets[~wrong & ~imported]
    judged = own[own["roi_low"].notna()]
    if judged.empty:
        if own.empty:
            return bug.strip()
        nights = plural(own["bet_dates"].max(), "night")
        return f"{nights}: too few to tell skill from luck, {MIN_DATES} are needed.{bug}"
    better, worse = int((judged["roi_low"] > 0).sum()), int((judged["roi_high"] < 0).sum())
    return (
        f"Of {plural(len(judged), 'system')} with bets on {MIN_DATES} nights or more, {better} did better than "
        f"break-even by more than chance, {worse} worse, and {len(judged) - better - worse} "
        f"were indistinguishable from it.{bug}"
    )


def in_words(scores: pd.DataFrame, suspects: Mapping[str, str] = MappingProxyType({})) -> list[str]:
    """A sentence or two for each system: its hit rate, break-even, verdict and MAE.

    Nothing is claimed that the intervals do not support; a system without a decided bet or scored forecast has none.

    Args:
        scores: one row per system.
        suspects: what is too good or too bad to be true, by system (``quality.suspects``).
    """
    return [
        " ".join(filter(None, (_bets_in_words(row, suspects.get(row["system_id"], "")), _errors_in_words(row))))
        for row in scores.to_dict("records")
        if row["wins"] + row["losses"] or row["rows_scored"]
    ]


def _bets_in_words(row: dict[str, Any], suspect: str) -> str:
    bets = int(row["wins"] + row["losses"])
    if not bets:
        found = f"{row['system_id']} has no decided bet"
        return f"{found}: a likely bug until proven otherwise ({suspect})." if suspect else f"{found}."
    won = f"{row['system_id']} won {percent(row['hit_rate'])} of {plural(bets, 'bet')}"
    won = f"{won} on {plural(row['bet_dates'], 'night')}, break-even {percent(row['break_even'])}"
    return f"{won}: {_verdict(row, suspect)[1]}."


def _verdict(row: dict[str, Any], suspect: Any) -> tuple[str, str]:
    """The verdict on a system's bets, in a word or two and as a clause."""
    low, high = row["roi_low"], row["roi_high"]
    if suspect:
        return "likely a bug", f"a likely bug until proven otherwise ({suspect})"
    if not row["wins"] + row["losses"]:
        return "no bet", "no bet is decided"
    if row["system_id"].startswith(IMPORTED_PREFIX):
        return "imported", "no verdict, since what was imported may have been written after the game"
    if pd.isna(low):
        verb = "is" if row["bet_dates"] == 1 else "are"
        return "too few nights", f"{plural(row['bet_dates'], 'night')} {verb} too few to judge"
    if low > 0:
        short, verdict = "better", "better than break-even by more than chance"
    elif high < 0:
        short, verdict = "worse", "worse than break-even by more than chance"
    else:
        short, verdict = "inconclusive", "indistinguishable from break-even on these nights"
    return short, f"return {percent(row['roi'], '+')} a bet [{percent(low, '+')}, {percent(high, '+')}], {verdict}"


def _errors_in_words(row: dict[str, Any]) -> str:
    if not row["rows_scored"]:
        return ""
    found = f"MAE {row['mae']:.3f}, the line's {row['line_mae']:.3f} on the same {plural(row['rows_scored'], 'row')}"
    low, high = row["mae_difference_low"], row["mae_difference_high"]
    if pd.isna(low):
        return f"{found}."
    side = "further off than the line" if low > 0 else "closer than the line" if high < 0 else "no clear difference"
    return f"{found}: {row['mae_difference']:+.3f} [{low:+.3f}, {high:+.3f}], {side}."


def by_night(daily: pd.DataFrame) -> pd.DataFrame:
    """The results of each system's bets, night by night.

    Args:
        daily: a span's ``scoring.sums``.

    Returns:
        One row per system and night with decided bets: ``system_id, game_date, wins, losses, units`` (won less lost at
        the quoted prices, one unit a bet) and ``total`` (units so far), in order of systems and dates.
    """
    if daily.empty:
        return pd.DataFrame()
    own = daily.xs(Tier.ALL, level="tier").sort_index().reset_index()
    own = own[own["decided"] > 0].rename(columns={"win": "wins", "loss": "losses", "profit": "units"})
    own = own[["system_id", "game_date", "wins", "losses", "units"]]
    return own.assign(total=own.groupby("system_id")["units"].cumsum()).reset_index(drop=True)


def after_the_fact(graded: pd.DataFrame) -> str:
    """A sentence with the number of bets that could not have been placed; empty when there are none.

    Args:
        graded: a span's ``graded_rows``.
    """
    bets = graded[scoring.bets(graded)] if len(graded) else graded
    late = int(bets["is_backfill"].fillna(True).astype(bool).sum()) if len(bets) else 0
    if not late:
        return ""
    return (
        f"{late:,} of {len(bets):,} bets were published after tip-off (backfill): what they would have done, not bets "
        "that anyone could have placed."
    )


@dataclass(frozen=True)
class Span:
    """The data of a span, read once for the terminal and the page.

    Args:
        graded: its ``graded_rows``.
        daily: their ``scoring.sums``; empty without any.
        scores: one row per tier and system; empty without any.
        published: the data behind the findings.
        findings: those of ``nba-props validate``.
        suspects: systems whose figures are a likely bug, and these figures.
        now: the time by which results and odds are due.
    """

    graded: pd.DataFrame
    daily: pd.DataFrame
    scores: pd.DataFrame
    published: quality.Published
    findings: Mapping[str, quality.Finding]
    suspects: Mapping[str, str]
    now: datetime


def read(
    warehouse: Warehouse, first: date, last: date, now: datetime | None = None, graded: pd.DataFrame | None = None
) -> Span:
    """Read a span; ``graded`` are its graded rows, if already read, and ``now`` is by default the clock's time."""
    now = now or datetime.now(UTC)
    graded = graded_rows(warehouse, first, last) if graded is None else graded
    daily = scoring.sums(graded) if len(graded) else pd.DataFrame()
    scores = scoring.scores(daily) if len(daily) else pd.DataFrame()
    published = quality.published(warehouse, tuple(SYSTEM_TABLES), first, last, now)
    findings = quality.findings(published, first, last)
    suspects = quality.suspects(published, findings, first, last) if len(scores) else {}
    return Span(graded, daily, scores, published, findings, suspects, now)


def typed(scores: pd.DataFrame) -> pd.DataFrame:
    """Scores with whole numbers where the scoreboard's contract has them."""
    whole = [c.name for c in SCORES if c.type is Type.INT64 and c.name in scores]
    return scores.astype(dict.fromkeys(whole, "Int64"))


def write_report(
    warehouse: Warehouse,
    settings: Settings,
    first: date,
    last: date,
    out: Path | None = None,
    found: Span | None = None,
    now: datetime | None = None,
) -> str:
    """Write the page of a span and return its path, by default ``reports/<first>_<last>.html``.

    Pages in that folder are listed in its ``index.html``.

    ``found`` is the result of ``read``, if the span was read already; ``now`` is the time by which results and odds are
    due, by default the clock's.
    """
    found = found or read(warehouse, first, last, now)
    graded, daily, scores, findings = found.graded, found.daily, found.scores, found.findings
    days = warehouse.query(_QUALITY_SQL, first=first, last=last).set_index("game_date")
    streaks = found.published.streaks.sort_values("game_date").set_index("game_date")["streak"]
    streaks = streaks[(streaks.index >= first) & (streaks.index <= last)]  # findings read from further back
    game_days = days[days["games"] > 0]
    kinds = pd.DataFrame(
        {
            "verified quote": days["verified"].astype(float),
            "no line": days["no_line"].astype(float),
            "placeholder or unverified": (days["total"] - days["verified"] - days["no_line"]).astype(float),
        }
    )
    nights = by_night(daily)
    pictures: dict[str, bytes] = {}
    if len(nights):
        pictures["units"], pictures["bets"] = plots.nights(nights)
    parts = {
        tier: part for tier in (t.value for t in Tier) if len(scores) and len(part := scores[scores["tier"] == tier])
    }
    words, summary = [], ""
    if len(scores):
        pictures["differences"] = plots.mae_differences(parts[Tier.ALL])
        chances = reliability_tables(graded)
        if chances:
            pictures["reliability"] = plots.reliability(chances)
        words, summary = in_words(parts[Tier.ALL], found.suspects), headline(parts[Tier.ALL], found.suspects)
    if len(kinds):
        pictures["quality"] = plots.line_quality(kinds)
    if len(streaks):
        pictures["streak"] = plots.streak(streaks.astype(float), quality.BRIEF_STREAK)
    text = _page(
        "report.html.jinja",
        first=first, last=last, now=found.now, rows=len(graded), words=words, headline=summary,
        late=after_the_fact(graded), listed=not out,
        nights=_night_tables(nights),
        sections=[
            (tier, note(part), [_html(shown(part, columns)) for columns in (ERRORS, BETS, SIDES)],
             _html(shown(part, CHANCES)))
            for tier, part in parts.items()
        ],
        findings=findings, warnings={name for name, finding in findings.items() if finding.warns},
        pictures={name: plots.data_uri(picture) for name, picture in pictures.items()},
        simulated=is_simulated(warehouse), game_days=len(game_days),
        empty_days=int((game_days["total"] == 0).sum()), goal=quality.BRIEF_STREAK,
    )  # fmt: skip
    path = open_path(str(out)) if out else open_path(settings.reports) / f"{first}_{last}.html"
    replace(path, text.encode())
    if not out:
        _write_index(settings, simulated=is_simulated(warehouse))
    return str(path)


def _page(template: str, **named: Any) -> str:
    from jinja2 import Environment, PackageLoader, select_autoescape

    made = Environment(
        loader=PackageLoader("nba_props", "presentation"), autoescape=select_autoescape(default=True), trim_blocks=True
    )
    return made.get_template(template).render(revision=revision(), **named)


def address(settings: Settings, path: str) -> str | None:
    """The path of a page on the UI's host; None for a page that is not in the local reports folder."""
    page = open_path(path)
    return f"{ADDRESS}/{page.name}" if settings.gcp is None and str(page.parent) == settings.reports else None


def pages(folder: UPath) -> list[tuple[str, str, str]]:
    """The pages of a folder: last and first date and name, the newest dates first."""
    found = [match for path in folder.iterdir() if (match := _PAGE.fullmatch(path.name))]
    return sorted(((m[2], m[1], m[0]) for m in found), reverse=True)


def _write_index(settings: Settings, *, simulated: bool) -> None:
    """Write ``reports/index.html``, which lists the pages; repeats it when another writer added a page meanwhile."""
    folder = open_path(settings.reports)
    listed: list[tuple[str, str, str]] | None = None
    while (found := pages(folder)) != listed:
        replace(folder / INDEX, _page("reports.html.jinja", pages=found, simulated=simulated).encode())
        listed = found


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
