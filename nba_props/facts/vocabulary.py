"""The words of closed sets that several modules compare: in columns, in statements and in code.

A word that only one module uses stays in it. Tables hold plain strings: ``words`` gives them for a contract, ``.value``
for a frame, and a member in an f-string is its word.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum, auto
from typing import Any


class _Words(StrEnum):
    """A vocabulary whose words are the names of its members (``auto()``)."""

    @staticmethod
    def _generate_next_value_(name: str, start: int, count: int, last_values: list[Any]) -> str:
        return name


class Recommendation(_Words):
    """What a system would bet: a side, or none; NO_LINE without a line to bet on."""

    OVER = auto()
    UNDER = auto()
    PASS = auto()
    NO_LINE = auto()


#: the recommendations that are bets
SIDES = (Recommendation.OVER, Recommendation.UNDER)


class Outcome(_Words):
    """The grade of a prediction (``domain/grading.py`` has the order in which they are decided)."""

    WIN = auto()
    LOSS = auto()
    PUSH = auto()
    VOID = auto()
    NO_BET = auto()
    PENDING = auto()


#: the outcomes of bets that were decided
DECIDED = (Outcome.WIN, Outcome.LOSS)


class VoidReason(_Words):
    """Why a prediction is void."""

    DID_NOT_PLAY = auto()
    PLAYED_ELSEWHERE = auto()
    POSTPONED = auto()
    GAME_MOVED = auto()


class LineSource(_Words):
    """Where the line of a row comes from: a sportsbook's quote, or there is none."""

    ACTUAL_PROP = auto()
    NO_PROP_LINE = auto()


class BookKind(_Words):
    """What kind of book quotes a line."""

    SPORTSBOOK = auto()
    DFS = auto()
    UNKNOWN = auto()


class DataSource(_Words):
    """The source of a payload, as rows name it."""

    NBA_STATS = auto()
    THE_ODDS_API = auto()
    INJURY_REPORT = auto()
    SIMULATED = auto()


class League(_Words):
    """Which league a landing zone or a warehouse holds; never both."""

    REAL = auto()
    SIMULATED = auto()


class InjuryStatus(_Words):
    """A player's status in the official injury report, and the words for what can't be read."""

    OUT = auto()
    DOUBTFUL = auto()
    QUESTIONABLE = auto()
    PROBABLE = auto()
    AVAILABLE = auto()
    #: the player is listed, and his status can't be read
    STATUS_UNREADABLE = auto()
    #: rows of a team instead of a player: it has not submitted its list, or a name in it can't be read. The status of
    #: listed players is known, that of the team's others is not
    NOT_SUBMITTED = auto()
    NAME_UNREADABLE = auto()


#: the statuses that a report states
STATED_STATUSES = tuple(InjuryStatus)[:5]
#: the statuses of players who are not expected to play, and get no forecast
ABSENT = (InjuryStatus.OUT, InjuryStatus.DOUBTFUL)
#: the statuses of rows that are a team's
TEAM_UNKNOWN = (InjuryStatus.NOT_SUBMITTED, InjuryStatus.NAME_UNREADABLE)
#: for a player who is not in his game's report
NOT_LISTED = "NOT_LISTED"
#: why a system gives no forecast of a player who is reported absent
REPORTED_ABSENT = "REPORTED_ABSENT"


class NullReason(_Words):
    """Why a column of the context or a feature is null."""

    NO_GAME_IN_LOOK_BACK = auto()
    NO_GAME_THIS_SEASON = auto()
    NO_TEAM_GAME_IN_LOOK_BACK = auto()
    FEWER_THAN_2_GAMES = auto()
    FEWER_THAN_5_GAMES = auto()
    FEWER_THAN_5_TEAM_GAMES = auto()
    FEWER_THAN_5_GAMES_WITH_SHOT_ZONES = auto()
    NO_ATTEMPTS = auto()
    NO_INJURY_REPORT = auto()
    NO_LINE = auto()
    NEVER_MET = auto()
    NOT_YET_PLAYED_FOR_THE_TEAM = auto()
    TEAM_UNKNOWN = auto()
    QUOTED_FOR_A_GAME_OF_OTHER_TEAMS = auto()
    NO_SHOT_ZONE_FEED = auto()
    NO_USAGE_PROJECTION_FEED = auto()


class Span(_Words):
    """The dates that a row of the scoreboard covers, up to and including its own."""

    SEASON = auto()
    LAST_30_DAYS = auto()
    LAST_7_DAYS = auto()


class ChosenBy(_Words):
    """Whose lines had a part in choosing a bet: they can't judge it."""

    #: the line of its own book only
    OWN_BOOK = auto()
    #: one half of the odds engines
    HALF_A = auto()
    HALF_B = auto()
    #: every book
    ALL_BOOKS = auto()


class Basis(_Words):
    """What a score against the market is measured by."""

    #: each quote of each book, once the result is known
    QUOTE = auto()
    #: true closes: lines captured at most 45 minutes before the cut-off
    CLOSE = auto()
    #: older last lines, never pooled with true closes
    LAST_LINE = auto()
    #: results
    RESULT = auto()


class Anchor(_Words):
    """What a distribution of results is placed by."""

    #: the consensus of the books
    CONSENSUS = auto()
    #: a system's own forecast, which knows no quote: no P(over) of a bet comes from it
    UNANCHORED = auto()


class Standing(_Words):
    """Whether the forecasts of a system under judgement are shown."""

    #: recorded and scored, with a weight of 0
    SHADOW = auto()
    PUBLISHED = auto()


class StreakVerdict(_Words):
    """What a game day means for the streak of days without a placeholder."""

    CLEAN = auto()
    PLACEHOLDER = auto()
    NO_EVIDENCE = auto()


class RemediationStep(_Words):
    """The steps of a remediation."""

    REMOVED = auto()
    RESTORED = auto()
    DONE = auto()


def words(of: Iterable[StrEnum]) -> tuple[str, ...]:
    """The words of a vocabulary, or of some of its members, as plain strings."""
    return tuple(word.value for word in of)


def sql_list(of: Iterable[str]) -> str:
    """Words as the inside of an SQL list: ``'OVER', 'UNDER'``."""
    return ", ".join(f"'{word}'" for word in of)


def either(of: Iterable[str]) -> str:
    """Words as prose: ``OVER, UNDER or PASS``."""
    *first, last = of
    return f"{', '.join(first)} or {last}" if first else last
