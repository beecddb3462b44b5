"""Dates: the Eastern game date, season types, seasons, and the spans that history needs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

EASTERN = ZoneInfo("America/New_York")


@dataclass(frozen=True)
class SeasonType:
    """A type of NBA game: its name in our tables, the prefix of its game ids, its name in the feeds, whether it counts.

    Games that count are fetched, used as history and predicted; others are only in the schedule: no box score is
    requested, no quote loaded, no result expected.
    """

    name: str
    prefix: str
    #: the SeasonType parameter of leaguegamelog
    feed_name: str
    counts: bool
    #: the first season, by the year it starts in, that has games of the type
    since: int = 1946
    #: whether it follows the regular season
    is_postseason: bool = False


REGULAR_SEASON = SeasonType("Regular Season", "002", "Regular Season", counts=True)
#: every type of game, in the order of the prefixes
SEASON_TYPES = (
    SeasonType("Pre Season", "001", "Pre Season", counts=False),
    REGULAR_SEASON,
    SeasonType("All-Star", "003", "All Star", counts=False),
    SeasonType("Playoffs", "004", "Playoffs", counts=True, is_postseason=True),
    SeasonType("PlayIn", "005", "PlayIn", counts=True, since=2019, is_postseason=True),
    # the final only: every other game of the cup is one of the regular season
    SeasonType("NBA Cup", "006", "IST", counts=True, since=2023),
)
#: game types whose box scores count as history and whose games get predictions
COUNTED_SEASON_TYPES = tuple(t.name for t in SEASON_TYPES if t.counts)
POSTSEASON = tuple(t.name for t in SEASON_TYPES if t.is_postseason)

#: ``status`` of a game that is over
FINAL = 3

_BY_PREFIX = {t.prefix: t.name for t in SEASON_TYPES}

#: a player is known if he appeared in any of this many previous seasons
IDENTITY_SEASONS = 3
#: the years of every valid date and instant
YEARS = range(2000, 2101)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
#: from 16 April to 30 September no regular season is played
_SUMMER_DAYS = 168
#: words for dates, and their distance from today in days
DAY_WORDS = {"today": 0, "tonight": 0, "tomorrow": 1, "yesterday": -1}
#: days from 1 October to 15 April
_SEASON_DAYS = 197


def game_date_of(instant: datetime) -> date:
    """The Eastern date of an aware instant: 2025-11-06T01:00Z -> 2025-11-05."""
    if instant.tzinfo is None:
        raise ValueError(f"{instant} has no time zone")
    return instant.astimezone(EASTERN).date()


def parse_day(text: str) -> date:
    """A date in the form of names, settings and arguments: 2025-11-05.

    Raises:
        ValueError: the text has another form, is not a calendar date, or is outside ``YEARS``.
    """
    if not _DAY.fullmatch(text):
        raise ValueError(f"{text!r} is not a date such as 2025-11-05")
    if int(text[:4]) not in YEARS:
        raise ValueError(f"{text!r} is not in the years {YEARS.start} to {YEARS.stop - 1}")
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is not a date of the calendar: {error}") from error


def spoken_day(text: str, today: Callable[[], date]) -> date:
    """A date in the form of :func:`parse_day`, or one of ``DAY_WORDS``; ``today`` gives the US/Eastern date.

    Raises:
        ValueError: the text is neither.
    """
    return today() + timedelta(DAY_WORDS[text]) if text in DAY_WORDS else parse_day(text)


def span_of(text: str, today: Callable[[], date]) -> list[date]:
    """The dates of ``2025-11-05``, ``today`` or ``2025-11-01..2025-11-15``, in order.

    Raises:
        ValueError: the text is not a span, or ends before it begins.
    """
    first, dots, last = text.partition("..")
    try:
        start, end = spoken_day(first, today), spoken_day(last if dots else first, today)
    except ValueError as error:
        raise ValueError(
            f"{text!r} is neither a date such as 2025-11-05 or today nor a span such as 2025-11-01..2025-11-15: {error}"
        ) from error
    if end < start:
        raise ValueError(f"{text} ends before it begins")
    return days(start, end)


def is_plausible(day: date) -> bool:
    """Whether a date is in ``YEARS``."""
    return day.year in YEARS


def named_day(name: str) -> date | None:
    """The date that a file or folder is named by; None when its name is not a date."""
    try:
        return parse_day(name)
    except ValueError:
        return None


def parse_instant(text: str) -> datetime:
    """An ISO 8601 instant as aware UTC.

    Raises:
        ValueError: the text is not an instant, has no time zone, or is outside ``YEARS``.
    """
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text} has no time zone")
    if instant.year not in YEARS:
        raise ValueError(f"{text} is not in the years {YEARS.start} to {YEARS.stop - 1}")
    return instant.astimezone(UTC)


def is_undecided(instant: datetime) -> bool:
    """Whether a start is midnight Eastern, the feeds' notation for a time to be decided."""
    return instant.astimezone(EASTERN).time() == time(0)


def season_year(day: date) -> int:
    """The year the season of a date starts in; the boundary is 1 October."""
    return day.year if day.month >= 10 else day.year - 1


def season_of(day: date) -> str:
    """The season of a date: 2025-11-05 -> 2025-26."""
    year = season_year(day)
    return f"{year}-{(year + 1) % 100:02d}"


def season_start(day: date) -> date:
    """1 October of the date's season: nothing of the season is played before."""
    return date(season_year(day), 10, 1)


def season_type_of(game_id: str) -> str:
    """Season type by the game id's prefix; raises KeyError for a prefix the NBA does not use."""
    return _BY_PREFIX[game_id[:3]]


def days(first: date, last: date) -> list[date]:
    """Every date from first to last, both included."""
    return [first + timedelta(n) for n in range((last - first).days + 1)]


def weeks(days: Sequence[date]) -> list[Sequence[date]]:
    """The dates, seven at a time: quotes are read so, as those of a season fill the memory."""
    return [days[start : start + 7] for start in range(0, len(days), 7)]


def spans(days: Iterable[date], bridge: int = 7, longest: int | None = None) -> list[tuple[date, date]]:
    """Dates as few spans, each as (first, last), of at most ``longest`` dates.

    Gaps of up to ``bridge`` dates are bridged: a run or a query costs more than an empty date.
    """
    found: list[tuple[date, date]] = []
    for day in sorted(days):
        if (
            found
            and (day - found[-1][1]).days <= bridge + 1
            and (longest is None or (day - found[-1][0]).days < longest)
        ):
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found


def look_back_start(day: date, look_back_days: int) -> date:
    """First date that the look-back of ``day`` reaches.

    Until 15 April a look-back does not count the summer, 16 April to 30 September, so that on opening night it reaches
    as many days into the last regular season as it later does into the current one; the playoffs in between are
    included. For dates from 16 April to 30 September every day counts. At most one summer is left out.
    """
    crosses = season_year(day) != season_year(day - timedelta(min(look_back_days, _SEASON_DAYS)))
    return day - timedelta(look_back_days + (_SUMMER_DAYS if crosses else 0))


def history_start(day: date, look_back_days: int) -> date:
    """First date whose games the features of ``day`` may use: its season's start, or its look-back's if earlier."""
    return min(season_start(day), look_back_start(day, look_back_days))


def look_back_start_sql(day: str, look_back_days: int) -> str:
    """``look_back_start`` of an SQL date."""
    near = min(look_back_days, _SEASON_DAYS)
    before = f"DATE_SUB({day}, INTERVAL {near} DAY)"
    return f"""CASE
      WHEN {_season_year_sql(day)} <> {_season_year_sql(before)}
      THEN CAST(DATE_SUB({day}, INTERVAL {look_back_days + _SUMMER_DAYS} DAY) AS DATE)
      ELSE CAST(DATE_SUB({day}, INTERVAL {look_back_days} DAY) AS DATE) END"""


def span_look_back_start_sql(look_back_days: int, more_days: int = 0) -> str:
    """First date that the look-back of any date of @first..@last reaches, less ``more_days``."""
    own = look_back_start_sql("@first", look_back_days)
    october = f"DATE({_season_year_sql('@first')} + 1, 10, 1)"
    start = f"""CASE
      WHEN {_season_year_sql("@first")} <> {_season_year_sql("@last")}
      THEN LEAST({own}, CAST(DATE_SUB({october}, INTERVAL {look_back_days + _SUMMER_DAYS} DAY) AS DATE))
      ELSE {own} END"""
    return f"CAST(DATE_SUB({start}, INTERVAL {more_days} DAY) AS DATE)" if more_days else start


def _season_year_sql(day: str) -> str:
    """``season_year`` of an SQL date: nine months back, a season is a calendar year."""
    return f"EXTRACT(YEAR FROM DATE_SUB({day}, INTERVAL 9 MONTH))"


def last_season_start(day: date) -> date:
    """First date of the season before that of ``day``."""
    return date(season_year(day) - 1, 10, 1)


def identity_start(day: date) -> date:
    """First date whose box scores identify players on ``day``: the start of the third season before."""
    return date(season_year(day) - IDENTITY_SEASONS, 10, 1)
