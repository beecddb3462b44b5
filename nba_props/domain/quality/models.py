"""Whether a trained system has a model for a date, and inputs like those it was trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from nba_props.domain.finding import Finding, Severity
from nba_props.domain.models.card import Card, refusal, week_of
from nba_props.domain.models.learner import Recipe
from nba_props.domain.stored import Stored
from nba_props.facts.markets import POINTS
from nba_props.schemas.features import MARKET_FEATURES, MARKET_NAMES, PLAYER_FEATURES

#: the difference between the shares of known values in training and on a slate from which an input counts as changed
KNOWN_SHARE_DIFFERS = 0.3


def markets_by_date(stored: Stored, days: Sequence[date]) -> dict[date, set[str]]:
    """The markets that a slate has players in, by date, from the first to the last of ``days``."""
    found = stored.query(
        "SELECT game_date, market, COUNT(*) AS players FROM nba_analytics.betting_lines "
        "WHERE game_date BETWEEN @first AND @last GROUP BY game_date, market",
        first=days[0],
        last=days[-1],
    )
    return {d.date(): set(own) for d, own in found.groupby("game_date")["market"]}


def of_markets(found: Mapping[str, Finding]) -> Finding:
    """One finding about several markets: what is wrong in any of them, else that of the first."""
    first = next(iter(found.values()))
    if len(found) == 1:
        return first
    wrong = {m: finding for m, finding in found.items() if not finding.passed}
    figures = {**first.figures, "markets": len(found)}
    if not wrong:
        return Finding(True, f"{first.text}; {len(found) - 1} other markets alike", figures)
    text = "; ".join(f"{m}: {finding.text}" for m, finding in wrong.items())
    worst = Severity.WARN if all(finding.warns for finding in wrong.values()) else Severity.ERROR
    return Finding(False, text, {**figures, "markets_wrong": len(wrong)}, worst)


def model_in_force(
    trained: Recipe, card: Card | None, day: date, refused: str, made_from: Mapping[date, str]
) -> Finding:
    """Whether the newest model before a date is that of its week, trained on what is stored now, and may serve it.

    Args:
        trained: the system's recipe for a market.
        card: the model's card; None where there is none of the week or the one before.
        day: the date.
        refused: why the week's model is not in force, if it is not.
        made_from: the digest of the inputs that the model of each week would have now.
    """
    remedy = f"nba-props train {day}, or materialize nba_models/{trained.system_id} for {week_of(day)}"
    if card is None:
        if refused:
            text = f"{refused}; the week before has no model either, so the system abstains"
            return Finding(False, text, severity=Severity.WARN)
        return Finding(False, f"there is no model of its week or the one before, so the system abstains: {remedy}")
    figures = {"model": card.version, "model_age_days": (day - card.week).days, "rows": card.rows}
    if why := refusal(trained, card, day):
        return Finding(False, f"{why}; the system abstains: {remedy}", figures)
    if refused:
        text = f"not in force: {refused}; the model of {card.week} serves"
        return Finding(False, text, figures, Severity.WARN)
    if card.week < week_of(day):
        text = f"the week of {week_of(day)} has no model, the one of {card.week} serves: {remedy}"
        return Finding(False, text, figures, Severity.WARN)
    if card.made_from and card.made_from != made_from[card.week]:
        text = f"stale: its training data has changed since: {remedy}"
        return Finding(False, text, figures, Severity.WARN)
    if card.dates_without_lines:
        text = f"trained without the lines of {card.dates_without_lines} landed dates: {remedy}"
        return Finding(False, text, {**figures, "dates_without_lines": card.dates_without_lines}, Severity.WARN)
    return Finding(True, f"model of {card.week}, trained on {card.rows} rows through {card.trained_through}", figures)


def known_shares(
    stored: Stored, recipes: Sequence[Recipe], days: Sequence[date]
) -> dict[tuple[date, str], Mapping[str, Any]]:
    """By date and market, the share of the slate's usable rows (with the required inputs) in which each input is known.

    What describes the player is counted over the whole slate in every market, as models learn it from all who played:
    the players who are quoted in a market play more than others, and more is known about them.

    Args:
        stored: the tables.
        recipes: the recipes of a system; those of other markets than points have the same inputs.
        days: the dates, in order.
    """
    of_player = [n for n in recipes[0].inputs if n not in MARKET_NAMES]
    slate = _shares(stored, PLAYER_FEATURES.address, recipes[0], of_player, days)
    found: dict[tuple[date, str], Mapping[str, Any]] = {(day, POINTS): row for (day,), row in slate.items()}
    if other := next((r for r in recipes if r.market != POINTS), None):
        own = _shares(stored, MARKET_FEATURES.address, other, MARKET_NAMES, days, "market")
        found |= {(day, market): {**slate[day,], **row} for (day, market), row in own.items() if (day,) in slate}
    return found


def _shares(
    stored: Stored, table: str, recipe: Recipe, names: Sequence[str], days: Sequence[date], *by: str
) -> dict[tuple[Any, ...], dict[str, Any]]:
    """The share of a table's rows with the inputs that a recipe requires in which each of some inputs is known."""
    keys = ["game_date", *by]
    shares = ", ".join(f"AVG(CASE WHEN {n} IS NULL THEN 0.0 ELSE 1.0 END) AS {n}" for n in names)
    usable = " AND ".join(f"{n} IS NOT NULL" for n in recipe.required if n in names)
    rows = stored.query(
        f"SELECT {', '.join(keys)}, {shares} FROM {table} WHERE game_date BETWEEN @first AND @last AND {usable} "
        f"GROUP BY {', '.join(keys)}",
        first=days[0],
        last=days[-1],
    )
    rows["game_date"] = rows["game_date"].dt.date
    return {tuple(r[k] for k in keys): {n: r[n] for n in names} for r in rows.to_dict("records")}


def inputs_as_in_training(trained: Recipe, card: Card | None, now: Mapping[str, Any] | None) -> Finding:
    """Whether each input of a model is known about as often on a slate as in its training rows.

    Args:
        trained: the system's recipe for a market.
        card: the model's card; None without a model.
        now: the slate's ``known_shares``; None without a slate.
    """
    if card is None or now is None or not card.known:
        return Finding(True, "no model or no slate to compare")
    differing = {
        n: f"{n} is known for {now[n]:.0%} of the slate, for {card.known.get(n, 0):.0%} in training"
        for n in trained.inputs
        if n in card.known and abs(now[n] - card.known[n]) >= KNOWN_SHARE_DIFFERS
    }
    text = "; ".join(differing.values()) or f"all {len(trained.inputs)} inputs are known as often as in training"
    figures = {"model": card.version, "inputs_differing": len(differing)}
    return Finding(not differing, text, figures, Severity.WARN)
