"""Rules that many tables share: the contract, the quarantine, no data from the future, lines with provenance."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pandas as pd

from nba_props.checks.partitioned import Rule, Scope
from nba_props.domain.finding import Finding, Severity
from nba_props.domain.quality import rows
from nba_props.domain.quality.daily import Daily
from nba_props.schemas import Table


def daily(name: str, table: Table, description: str, question: Daily, *, blocking: bool = False) -> Rule:
    """A rule from a question about each date."""

    def evaluate(scope: Scope, days: Sequence[date]) -> dict[date, Finding]:
        return question.findings(scope.warehouse, days)

    return Rule(name, table, description, evaluate, blocking)


def schema_rule(table: Table) -> Rule:
    """The stored rows meet the table's contract: types, nulls, bounds, allowed values, unique keys."""

    def evaluate(scope: Scope, days: Sequence[date]) -> dict[date, Finding]:
        frame = scope.warehouse.read(table, days)
        violations, sizes = table.violations(frame), frame.groupby("game_date").size()
        of_all_dates, of_date = violations["index"].isna(), violations["index"].map(frame["game_date"])
        found = {}
        for day in days:
            mine = violations[of_all_dates | of_date.eq(pd.Timestamp(day))]
            figures = {"rows": int(sizes.get(pd.Timestamp(day), 0)), "breaches": len(mine)}
            text = f"{figures['rows']} rows, {figures['breaches']} breaches"
            if len(mine):
                worst = mine.iloc[0]
                text += f": {worst['column']} {worst['check']} for {worst['failure_case']!r}"
            found[day] = Finding(mine.empty, text, figures)
        return found

    return Rule(
        "schema",
        table,
        f"Types, nulls, bounds and allowed values of {table.address}; unique: {', '.join(table.unique) or 'nothing'}.",
        evaluate,
        blocking=True,
    )


def nothing_quarantined(table: Table) -> Rule:
    """No row or payload was held back; if any was, the finding counts them by reason."""
    sql = f"""
    SELECT game_date, reason, COUNT(*) AS held_back, MIN(detail) AS example
    FROM {table.address} WHERE game_date BETWEEN @first AND @last
    GROUP BY game_date, reason
    """

    def evaluate(scope: Scope, days: Sequence[date]) -> dict[date, Finding]:
        reasons = scope.warehouse.query(sql, first=days[0], last=days[-1])
        found = {}
        for day in days:
            mine = reasons[reasons["game_date"] == pd.Timestamp(day)]
            total = int(mine["held_back"].sum())
            figures = {"held_back": total, **{str(r.reason): int(r.held_back) for r in mine.itertuples()}}
            text = "; ".join(f"{r.reason} {int(r.held_back)} ({r.example})" for r in mine.itertuples())
            found[day] = Finding(total == 0, text or "nothing held back", figures, Severity.WARN)
        return found

    return Rule("nothing_quarantined", table, f"Nothing delivered had to be held back in {table.address}.", evaluate)


def no_future_data(table: Table, breach: str, description: str) -> Rule:
    """No row depends on data from its cut-off or later; ``breach`` is an SQL condition that such a row meets."""
    return daily("no_future_data", table, description, rows.none_from_the_future(table, breach), blocking=True)


def lines_have_provenance(table: Table, *, blocking: bool) -> Rule:
    """Every line of the table is valid: a stored quote verifies it, or the row states that it has none."""
    description = "Every line equals a stored quote of an allowed sportsbook, seen before the cut-off."
    return daily("lines_have_provenance", table, description, rows.provenance(table), blocking=blocking)
