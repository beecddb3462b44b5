"""Weights are earned: what is published has the evidence, and a change is worth a look."""

from __future__ import annotations

from nba_props.domain.finding import Finding, Severity
from nba_props.domain.promotion import FEWEST_DATES, LOST
from nba_props.domain.quality.daily import Daily, Figures, known
from nba_props.facts.vocabulary import Standing

#: promoted or demoted on the Monday of the date's week
_CHANGED = "since > DATE_SUB(game_date, INTERVAL 7 DAY)"
_PUBLISHED = f"standing = '{Standing.PUBLISHED}'"
#: a weight without evidence for it: promoted on too few dates or without a gain, or kept after it was lost
_UNEARNED = f"""(
  (weight > 0 AND standing <> '{Standing.PUBLISHED}')
  OR ({_PUBLISHED} AND (dates < {FEWEST_DATES} OR evidence_from <= frozen_on OR newest_low < {LOST} OR gain IS NULL))
  OR ({_PUBLISHED} AND {_CHANGED} AND COALESCE(gain_low, 0) <= 0)
)"""


def _judge(f: Figures) -> Finding:
    text = f"{f['published']} of {f['series']} series in shadow have a weight"
    if f["unearned"]:
        return Finding(False, f"{text}; {f['unearned']} without the evidence: {f['example']}", known(f))
    if f["changed"]:
        return Finding(False, f"{text}; changed this week: {f['example']}", known(f), Severity.WARN)
    return Finding(True, text, known(f))


#: no weight is published that was not earned
EARNED = Daily(
    f"""
    SELECT game_date, COUNT(*) AS series, COUNT(CASE WHEN {_PUBLISHED} THEN 1 END) AS published,
      COUNT(CASE WHEN {_UNEARNED} THEN 1 END) AS unearned, COUNT(CASE WHEN {_CHANGED} THEN 1 END) AS changed,
      MIN(CASE WHEN {_UNEARNED} OR {_CHANGED} THEN CONCAT(system_id, ' ', market, ' ', standing) END) AS example
    FROM nba_monitoring.promotions WHERE game_date BETWEEN @first AND @last GROUP BY game_date
    """,
    _judge,
    {"series": 0, "published": 0, "unearned": 0, "changed": 0, "example": None},
)
