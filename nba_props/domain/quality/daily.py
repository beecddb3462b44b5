"""Rules about single dates, evaluated for any number of dates by one statement."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from nba_props.domain.finding import Finding
from nba_props.domain.stored import Stored

#: a date's figures by name
Figures = dict[str, Any]


@dataclass(frozen=True)
class Daily:
    """A rule: a statement with one row of figures per ``game_date`` of @first..@last, and the finding from a date's."""

    sql: str
    judge: Callable[[Figures], Finding]
    #: the figures of a date without a row
    empty: Mapping[str, Any]

    def findings(self, stored: Stored, days: Sequence[date], **more: Any) -> dict[date, Finding]:
        """The finding of each date; the dates are in order. ``more`` are further parameters of the statement."""
        rows = stored.query(self.sql, first=days[0], last=days[-1], **more)
        found = {r["game_date"].date(): {k: _plain(v) for k, v in r.items()} for r in rows.to_dict("records")}
        figures = {d: {**self.empty, **found.get(d, {})} for d in days}
        return {d: self.judge({k: v for k, v in own.items() if k != "game_date"}) for d, own in figures.items()}


def _plain(value: Any) -> Any:
    """A figure as plain numbers and text; an instant in ISO 8601, null as None."""
    if value is None or (not isinstance(value, list | dict) and pd.isna(value)):
        return None
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    return value.item() if hasattr(value, "item") else value


def known(figures: Mapping[str, Any]) -> Figures:
    """The figures that are not null."""
    return {k: v for k, v in figures.items() if v is not None}
