"""Whether expected outputs exist by when they are due: predictions of every game and system, box scores, odds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta

from nba_props.domain.finding import Finding, Severity
from nba_props.domain.quality.sums import Published, within
from nba_props.domain.stored import Stored
from nba_props.facts.calendar import EASTERN
from nba_props.facts.words import percent
from nba_props.schemas.raw import SCHEDULE

#: when the box scores of final games are due the next day, Eastern
RESULTS_DUE = time(9)
#: a slate without odds is an error from this long before its first tip-off until this long after it
ODDS_DUE, ODDS_LATE = timedelta(hours=1), timedelta(days=7)


def results_due(day: date) -> datetime:
    """When the box scores of a date's games are due: 9 a.m. of the next day, Eastern."""
    return datetime.combine(day + timedelta(1), RESULTS_DUE, EASTERN)


def odds_are_overdue(first_tipoff: datetime | None, now: datetime | None) -> bool:
    """Whether a slate without odds is an error: from an hour before its first tip-off until a week after it.

    Earlier they may still arrive; later they could only be bought, and a history may well lack them.
    """
    if first_tipoff is None or now is None:
        return False
    return first_tipoff - ODDS_DUE <= now <= first_tipoff + ODDS_LATE


def gradable_are_graded(p: Published, day: date) -> Finding:
    """Every final game has its box score, and no prediction on it is left pending.

    A final game without one is a warning until 9 a.m. of the next day, Eastern, and an error from then on.
    """
    games, rows = within(p.games, day, day), within(p.rows, day, day)
    if games.empty:
        return Finding(True, "nothing to grade")
    final, missing = int(games["final"].iloc[0]), int(games["final_without_box"].iloc[0])
    published, pending = int(rows["published"].sum()), int(rows["pending"].sum())
    figures = {"final_games": final, "final_without_box": missing, "published": published, "pending": pending}
    text = f"{published - pending} of {published} rows graded"
    if published:
        text += f" ({percent(1 - pending / published)})"
    late = p.now is not None and p.now >= results_due(day)
    if missing and late:
        text += f"; {missing} of {final} final games still without box score, due since {results_due(day):%H:%M %Z}"
        return Finding(False, f"{text} on {results_due(day):%Y-%m-%d}: nba-props fetch stats {day}", figures)
    text += f"; {missing} of {final} final games without box score"
    return Finding(missing == 0, text, figures, Severity.WARN if missing else Severity.ERROR)


def expected_outputs(p: Published, day: date) -> Finding:
    """A game day has predictions of every system for every game; a date without games needs none.

    A date has no games if its loaded schedule has none and no box score contradicts it.
    """
    games = within(p.games, day, day)
    strays = within(p.unscheduled, day, day)
    if p.scheduled is not None and day not in p.scheduled:
        return Finding(
            False,
            f"the schedule of {day} was never loaded, so it is unknown what to expect: materialize "
            "nba_raw/schedule for it",
        )
    scheduled = 0 if games.empty else int(games["games"].iloc[0])
    if len(strays):
        count = int(strays["games"].iloc[0])
        return Finding(
            False,
            f"{count} games have box scores and are not in the schedule of {day}, which has {scheduled}: land the "
            "season's schedule again and materialize nba_raw/schedule",
            {"games": scheduled, "unscheduled_games": count},
        )
    if not scheduled:
        return Finding(True, "no games on this date")
    predicted = int(games["predicted"].iloc[0])
    present = set(within(p.rows, day, day)["system_id"])
    absent = [s for s in p.systems if s not in present]
    figures = {
        "games": scheduled,
        "games_predicted": predicted,
        "systems": len(p.systems) - len(absent),
        "absent_systems": absent,
    }
    ok = predicted == scheduled and not absent
    text = f"{predicted} of {scheduled} games have predictions, of {figures['systems']} of {len(p.systems)} systems"
    return Finding(ok, f"{text}; absent: {', '.join(absent)}" if absent else text, figures)


def unless_unknown(stored: Stored, found: Mapping[date, Finding]) -> dict[date, Finding]:
    """Findings about each date's ``games``; one without games fails unless it is known that there are none.

    That is unknown without a stored schedule, and with box scores of games that the schedule lacks.
    """
    free = [d for d, finding in found.items() if not finding.figures.get("games")]
    if not free:
        return dict(found)
    asked = Published(stored.query, (), min(found), max(found), scheduled=stored.partitions(SCHEDULE))
    return {**found, **{d: expected_outputs(asked, d) for d in free if not asked.has_schedule(d)}}
