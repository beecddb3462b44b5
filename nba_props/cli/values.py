"""What a person types after a command, and how it is completed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Any

import click
from click.shell_completion import CompletionItem

from nba_props.clock import clock_of
from nba_props.domain.calendar import days as dates_between
from nba_props.domain.calendar import game_date_of, parse_day
from nba_props.settings import load_settings

#: words for a date, and how many days from today it is
DAY_WORDS = {"today": 0, "tonight": 0, "tomorrow": 1, "yesterday": -1}
_MOST_DIGITS = 9
_WHOLE = re.compile(rf"-?[0-9]{{1,{_MOST_DIGITS}}}")
#: up to a week before a tip-off
_MINUTES = re.compile(r"[0-9]{1,4}(,[0-9]{1,4}){0,9}")


def day_of(text: str) -> date:
    """The date of a word or of ``2025-11-05``; today is the US/Eastern date.

    Raises:
        ValueError: it is neither.
    """
    if text in DAY_WORDS:
        return game_date_of(clock_of(load_settings())()) + timedelta(DAY_WORDS[text])
    return parse_day(text)


class Day(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """``2025-11-05``, ``today``, ``tomorrow`` or ``yesterday``."""

    name = "DATE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            return day_of(str(value))
        except ValueError as error:
            self.fail(f"{error}, nor {', '.join(DAY_WORDS)}")

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return _beginning(DAY_WORDS, incomplete)


class DateSpan(Day):
    """``2025-11-05``, a word such as ``today``, or ``2025-11-01..2025-11-15``."""

    name = "DATE[..DATE]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, list):
            return value
        first, dots, last = str(value).partition("..")
        try:
            start, end = day_of(first), day_of(last if dots else first)
        except ValueError as error:
            self.fail(
                f"{value!r} is neither a date such as 2025-11-05 or today nor a span such as 2025-11-01..2025-11-15: "
                f"{error}"
            )
        if end < start:
            self.fail(f"{value} ends before it begins")
        return dates_between(start, end)


class Whole(click.IntRange):
    """A whole number in ASCII digits: ``int`` takes those of every script, blanks and underscores as well."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, str) and not _WHOLE.fullmatch(value):
            self.fail(f"{value!r} is not a whole number of at most {_MOST_DIGITS} digits")
        return super().convert(value, param, ctx)


def minutes(text: str) -> list[int]:
    """``60,30`` as numbers of minutes."""
    if not _MINUTES.fullmatch(text):
        raise click.BadParameter(f"{text!r} is no list of minutes such as 30 or 60,30", param_hint="--before")
    return [int(m) for m in text.split(",")]


class OneOf(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """One of some names that are known once they are asked for; another one is refused with the nearest."""

    def __init__(self, name: str, names: Callable[[], Iterable[str]]) -> None:
        self.name, self._names = name, names

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        names = list(self._names())
        if value in names:
            return str(value)
        self.fail(f"there is no {self.name.lower()} {value}{nearest(str(value), names)}; there are {', '.join(names)}")

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return _beginning(self._names(), incomplete)


class Written(OneOf):
    """A name that the ledger may know, whoever wrote there: the command asks it (:meth:`require`)."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return str(value)

    def require(self, value: str, written: Iterable[str]) -> None:
        """Refuse a name that is neither one of this platform nor ``written``."""
        try:
            OneOf(self.name, lambda: dict.fromkeys([*self._names(), *written])).convert(value, None, None)
        except click.BadParameter as error:
            error.param_hint = f"--{self.name.lower()}"
            raise


def nearest(value: str, names: Iterable[str]) -> str:
    """`` (did you mean …?)`` where a name is near, else nothing."""
    from difflib import get_close_matches

    known = list(names)
    near = get_close_matches(value, known, n=1) or [n for n in known if value and n.startswith(value)][:1]
    return f" (did you mean {near[0]}?)" if near else ""


def _beginning(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def _incidents() -> Iterable[str]:
    from nba_props.simulator.incidents import INCIDENTS

    return INCIDENTS


def _systems() -> Iterable[str]:
    from nba_props.schemas.predictions import SYSTEM_TABLES

    return SYSTEM_TABLES


def _assets() -> Iterable[str]:
    from nba_props.schemas import TABLES

    return sorted({t.name for t in TABLES.values()} | {t.address for t in TABLES.values()})


def _predicates() -> Iterable[str]:
    from nba_props.remediation import PREDICATES

    return PREDICATES


INCIDENT = OneOf("INCIDENT", _incidents)
SYSTEM = OneOf("SYSTEM", _systems)
WRITER = Written("SYSTEM", _systems)
ASSET = OneOf("ASSET", _assets)
PREDICATE = OneOf("PREDICATE", _predicates)
ROWS = Whole(min=0)
DRY_RUN = click.option("--dry-run", is_flag=True, help="Count the rows and change nothing.")
ALLOW_LOSS = click.option(
    "--allow-loss", is_flag=True, help="Let a partition lose most of its delivered rows; it is refused otherwise."
)
