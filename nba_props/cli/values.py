"""Types of the commands' arguments: parsing, refusal and shell completion."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from nba_props.deployment import clock_of, load_settings
from nba_props.facts import markets
from nba_props.facts.calendar import DAY_WORDS, game_date_of, parse_instant, span_of, spoken_day
from nba_props.facts.markets import ALL
from nba_props.facts.words import nearest
from nba_props.presentation import board
from nba_props.process.errors import NbaPropsError
from nba_props.settings.variables import parse_markets

if TYPE_CHECKING:
    from nba_props.warehouse.base import Warehouse

#: the explanation of dates in help
DATES = (
    f"DATE is 2026-01-09, {', '.join(list(DAY_WORDS)[:-1])} or {list(DAY_WORDS)[-1]} (US/Eastern); SPAN is a DATE or "
    "2026-01-01..2026-01-09."
)
#: newest dates of the ledger whose runs are offered for completion
_DATES_OF_RUNS = 14
_MOST_DIGITS = 9
_WHOLE = re.compile(rf"-?[0-9]{{1,{_MOST_DIGITS}}}")


def is_address(path: Path) -> bool:
    """Whether a path was typed as an address (``gs://...``), which as a folder would be named like its scheme."""
    return ":/" in str(path)


def today() -> date:
    """Today's US/Eastern date, by the clock of the settings."""
    return game_date_of(clock_of(load_settings())())


def day_of(text: str) -> date:
    """The date of a word or of ``2025-11-05``.

    Raises:
        ValueError: the text is neither.
    """
    return spoken_day(text, today)


def new_file(path: Path, option: str) -> Path:
    """A file that is to be written, in a folder that exists: a typing error makes none.

    Raises:
        BadParameter: the folder does not exist.
    """
    if not path.parent.is_dir():
        raise click.BadParameter(f"there is no folder {path.parent}", param_hint=option)
    return path


class Day(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """``2025-11-05`` or one of ``DAY_WORDS``."""

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


class Instant(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """``2026-01-09T17:00Z``; any ISO 8601 instant with a time zone."""

    name = "INSTANT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            return parse_instant(str(value))
        except ValueError as error:
            self.fail(f"{value!r} is not an instant such as 2026-01-09T17:00Z: {error}")


class DateSpan(Day):
    """``2025-11-05``, a word such as ``today``, or ``2025-11-01..2025-11-15``."""

    name = "DATE[..DATE]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, list):
            return value
        try:
            return span_of(str(value), today)
        except ValueError as error:
            self.fail(str(error))


class Whole(click.IntRange):
    """A whole number in ASCII digits; ``int`` also accepts those of other scripts, blanks and underscores."""

    name = "N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, str) and not _WHOLE.fullmatch(value):
            self.fail(f"{value!r} is not a whole number of at most {_MOST_DIGITS} digits")
        return super().convert(value, param, ctx)


class OneOf(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """One of several names, which are looked up on use; any other is refused with the nearest.

    ``listed`` is the command that lists the names, where there are too many for a sentence.
    """

    def __init__(self, name: str, names: Callable[[], Iterable[str]], listed: str = "") -> None:
        self.name, self._names, self._listed = name, names, listed

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        names = list(self._names())
        if value in names:
            return str(value)
        others = f"`{self._listed}` lists them" if self._listed else f"there are {', '.join(names)}"
        self.fail(f"there is no {self.name.lower()} {value}{nearest(str(value), names)}; {others}")

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return _beginning(self._names(), incomplete)


class Markets(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """Markets with commas between, or ``all``, as in NBA_PROPS_MARKETS."""

    name = "MARKETS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        try:
            return parse_markets(value)
        except ValueError as error:
            self.fail(f"MARKETS{error}", param, ctx)


class MarketName(OneOf):
    """A market by its key or its short name."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return super().convert(markets.key_of(str(value)), param, ctx)


class Own(OneOf):
    """A system of this platform; imported records have no board, and the error names where they are."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from nba_props.schemas.predictions import IMPORTED_PREFIX

        if str(value).startswith(IMPORTED_PREFIX):
            self.fail(
                f"{value} is an imported record: `nba-props report` scores it, and its rows are in "
                "nba_predictions.current_predictions"
            )
        return super().convert(value, param, ctx)


class Stored(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """A text that the command validates itself, with completions from the warehouse: values and their help."""

    def __init__(self, name: str, found: Callable[[Warehouse, str], Iterable[tuple[str, str]]]) -> None:
        self.name, self._found = name, found

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from nba_props.warehouse.registry import open_warehouse

        try:
            settings = load_settings()
            if settings.gcp is None and not settings.lake.exists():
                return []
            return [CompletionItem(v, help=text) for v, text in self._found(open_warehouse(settings), incomplete)]
        except NbaPropsError:  # a home that can't be read has nothing to complete; the command reports why
            return []


class Written(OneOf):
    """A name that the ledger may have, whoever wrote it; the command checks it with :meth:`require`."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return str(value)

    def require(self, value: str, written: Iterable[str]) -> None:
        """Refuse a name that is neither one of this platform nor ``written``."""
        try:
            OneOf(self.name, lambda: dict.fromkeys([*self._names(), *written])).convert(value, None, None)
        except click.BadParameter as error:
            error.param_hint = f"--{self.name.lower()}"
            raise


def _beginning(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def _incidents() -> Iterable[str]:
    from nba_props.simulator.incidents import INCIDENTS

    return INCIDENTS


def _systems() -> Iterable[str]:
    from nba_props.domain.systems import SYSTEM_TABLES

    return SYSTEM_TABLES


def _assets() -> Iterable[str]:
    from nba_props.catalog import TABLES

    return sorted({t.name for t in TABLES.values()} | {t.address for t in TABLES.values()})


def _predicates() -> Iterable[str]:
    from nba_props.operations.selection import PREDICATES

    return PREDICATES


def _words_of_names(warehouse: Warehouse, beginning: str) -> Iterator[tuple[str, str]]:
    """The words of players' names that begin so: a shell would cut a whole name at its blank."""
    from nba_props.presentation.players import people

    names: dict[str, list[str]] = {}
    for name in people(warehouse, beginning)["player_name"]:
        for word in str(name).split():
            if word.casefold().startswith(beginning.casefold()):
                names.setdefault(word, []).append(str(name))
    yield from ((word, ", ".join(of)) for word, of in sorted(names.items()))


def _runs(warehouse: Warehouse, beginning: str) -> Iterator[tuple[str, str]]:
    """The runs that published the newest dates, and the word for the last of them."""
    from nba_props.schemas.predictions import LEDGER

    days = warehouse.partitions(LEDGER)[-_DATES_OF_RUNS:]
    if not days:
        return
    found = warehouse.query(
        "SELECT run_id, MIN(game_date) AS first_date, MAX(game_date) AS last_date, COUNT(*) AS n, "
        "MAX(created_at) AS newest FROM nba_predictions.ledger WHERE game_date BETWEEN @first AND @last "
        "GROUP BY run_id ORDER BY newest DESC, run_id",
        first=days[0],
        last=days[-1],
    )
    runs = [(r.run_id, f"{r.n} rows of {r.first_date:%Y-%m-%d}..{r.last_date:%Y-%m-%d}") for r in found.itertuples()]
    yield from ((v, text) for v, text in [("last", "the newest"), *runs] if v.startswith(beginning))


def _batches(warehouse: Warehouse, beginning: str) -> Iterator[tuple[str, str]]:
    from nba_props.operations.ledger import batches

    found = [(b.batch_id, f"{b.archived} rows: {b.action}") for b in batches(warehouse).iloc[::-1].itertuples()]
    yield from ((v, text) for v, text in [("last", "the newest"), *found] if v.startswith(beginning))


INCIDENT = OneOf("INCIDENT", _incidents, "nba-props incidents")
SYSTEM = Own("SYSTEM", _systems)
WRITER = Written("SYSTEM", _systems)
ASSET = OneOf("ASSET", _assets, 'nba-props sql "show tables"')
PREDICATE = OneOf("PREDICATE", _predicates)
PLAYER = Stored("NAME", _words_of_names)
RUN_ID = Stored("RUN_ID", _runs)
BATCH_ID = Stored("BATCH_ID", _batches)
ROWS = Whole(min=0)
SYSTEM_SHOWN = click.option(
    "--system",
    type=SYSTEM,
    help=f"System whose picks and forecasts are shown.  [default: {board.SYSTEM}; {board.ELSEWHERE} in markets other "
    "than points]",
)
MARKET, MARKETS = MarketName("MARKET", markets.keys), Markets()
MARKET_SHOWN = click.option(
    "--market", type=MARKET, default=markets.POINTS, show_default=True, help="Market that is shown."
)
MARKETS_SHOWN = click.option(
    "--market",
    type=MarketName("MARKET", lambda: (*markets.keys(), ALL)),
    default=markets.POINTS,
    show_default=True,
    help=f"Market that is shown, or {ALL}.",
)
DRY_RUN = click.option("--dry-run", is_flag=True, help="Count the rows and change nothing.")
ALLOW_LOSS = click.option(
    "--allow-loss",
    is_flag=True,
    help="Allow a partition to lose most of its delivered rows, which is refused otherwise.",
)
