"""Whether the last quotes of a date's props are close enough to the tip-off to be its closes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from nba_props.domain.book_lines import CLOSE_WITHIN
from nba_props.domain.finding import Finding, Severity
from nba_props.domain.games import playable_sql
from nba_props.domain.quality.daily import Daily, Figures
from nba_props.domain.stored import Stored

#: minutes before the cut-off, and the least share of a date's props with a main line captured within them
CLOSES = ((CLOSE_WITHIN, 0.95), (10, 0.80))


def _within(minutes: int) -> str:
    return f"within_{minutes}_minutes"


_COUNTS = ", ".join(f"COUNT(CASE WHEN p.newest <= {m} THEN 1 END) AS {_within(m)}" for m, _ in CLOSES)
_SQL = f"""
SELECT p.game_date, COUNT(*) AS props, {_COUNTS}
FROM (
  SELECT game_date, game_id, player_id, market, MIN(minutes_before_game) AS newest, MAX(cutoff_at) AS cutoff_at
  FROM nba_analytics.book_lines WHERE game_date BETWEEN @first AND @last AND is_main
  GROUP BY game_date, game_id, player_id, market
) AS p
JOIN nba_raw.schedule AS s ON s.game_date = p.game_date AND s.game_id = p.game_id AND {playable_sql("s")}
  AND s.game_date BETWEEN @first AND @last
WHERE p.cutoff_at <= @now
GROUP BY p.game_date
"""


def closes_captured(
    stored: Stored, days: Sequence[date], now: datetime | None, planned: Sequence[int]
) -> dict[date, Finding]:
    """Whether enough props of each date whose games have begun have a quote from shortly before.

    Args:
        stored: the tables.
        days: the dates, in order.
        now: games that begin later are not judged.
        planned: which of the minutes in ``CLOSES`` the captures are planned for; the others are only counted.
    """

    def judge(f: Figures) -> Finding:
        if not f["props"]:
            return Finding(True, "no game with a line has begun", nothing=True)
        shares = {m: f[_within(m)] / f["props"] for m, _ in CLOSES}
        short = [(m, least) for m, least in CLOSES if m in planned and shares[m] < least]
        text = f"{f['props']} props, the newest quote " + ", ".join(
            f"within {m} minutes of tip-off of {share:.1%}" for m, share in shares.items()
        )
        if short:
            text += ": fewer than " + ", ".join(f"{least:.0%} within {m}" for m, least in short)
            text += "; CLV by these lines is labelled LAST_LINE"
        figures = {"props": f["props"], **{_within(m): round(share, 4) for m, share in shares.items()}}
        return Finding(not short, text, figures, Severity.WARN)

    daily = Daily(_SQL, judge, {"props": 0, **{_within(m): 0 for m, _ in CLOSES}})
    return daily.findings(stored, days, now=now)
