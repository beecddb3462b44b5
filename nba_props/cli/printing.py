"""How a command prints: words in colour, tables without a cut number, and the same rows as JSON or CSV."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

import click

from nba_props.cli.program import typed

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console
    from rich.progress import Progress
    from rich.table import Table

#: width of tables where the output is no terminal
_WIDTH = 180
#: characters that a terminal obeys
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
#: where there is no room texts are cut to so many characters, one step after the other; numbers and ids never
_CUTS = (120, 100, 80, 70, 60, 50, 40, 35, 30, 25, 20, 16, 12)
SIMULATED = "SIMULATED LEAGUE: players, teams, scores and lines are invented"
#: the option of every command that prints rows
FORMAT = click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    show_default=True,
    help="How rows are printed; with csv or json, words go to stderr.",
)


def terminal(*, stderr: bool = False) -> Console:
    """The terminal, or a wide page where the output is none."""
    from rich.console import Console

    # names, reasons and intervals have brackets of their own: nothing that is printed is markup
    made = Console(markup=False, stderr=stderr)
    return made if made.is_terminal else Console(width=_WIDTH, highlight=False, markup=False, stderr=stderr)


def tell(console: Console, word: str, style: str, text: str) -> None:
    """Print a coloured word and what it is about."""
    from rich.text import Text

    console.print(Text.assemble((word, style), " ", text), soft_wrap=True)


def progress(console: Console) -> Progress:
    """A bar with the name of what is done, how much of it, and the time so far."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console)


@dataclass(frozen=True)
class Column:
    """A column as it is printed, and what may happen to it where there is no room.

    Args:
        heading: its lines, if there are several, stand above each other.
        cells: texts, one for each row.
        right: aligned to the right.
        styles: a style for each cell, or none.
        shorter: shorter forms of the same cells, the longest first.
        spare: columns with the highest number are left out first; those with 0 never are.
    """

    heading: str
    cells: Sequence[str]
    right: bool = False
    styles: Sequence[str] = ()
    shorter: tuple[Sequence[str], ...] = ()
    spare: int = 0

    @property
    def width(self) -> int:
        from rich.cells import cell_len

        return max(cell_len(text) for text in (*self.heading.split("\n"), *self.cells))


def fitted(columns: Sequence[Column], width: int) -> tuple[list[Column], int]:
    """The columns as they fit a width, and the blanks between two of them: 2, or 1 where that is too much.

    First the spare columns go, then texts take their shorter forms, the widest first. Nothing is cut that has no
    shorter form, so the result may still be too wide.
    """
    levels = sorted({c.spare for c in columns}, reverse=True)
    # the last of the spare ones is worth more than wide gaps
    steps = [(2, level) for level in levels if level] + [(1, level) for level in levels if level < 2]
    kept, gap = list(columns), 2
    for gap, level in steps or [(1, 0)]:
        kept = [c for c in columns if c.spare <= level]
        if fits(kept, width, gap):
            return kept, gap
    kept = [c for c in columns if not c.spare]
    while not fits(kept, width, gap) and any(c.shorter for c in kept):
        at = max((n for n, c in enumerate(kept) if c.shorter), key=lambda n: kept[n].width)
        kept[at] = replace(kept[at], cells=kept[at].shorter[0], shorter=kept[at].shorter[1:])
    return kept, gap


def fits(columns: Sequence[Column], width: int, gap: int) -> bool:
    """Whether columns have room beside each other."""
    return sum(c.width + gap for c in columns) - gap <= width


def as_table(columns: Sequence[Column], title: str, gap: int) -> Table:
    """Columns beside each other, each as wide as its widest cell."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    made = Table(
        title=Text(title, style="bold"),
        title_justify="left",
        box=SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, gap - 1, 0, 0),  # the box has a blank between two columns
    )
    for column in columns:
        justify: Literal["right", "left"] = "right" if column.right else "left"
        made.add_column(column.heading, justify=justify, no_wrap=True, min_width=column.width)
    for n in range(len(columns[0].cells)):
        made.add_row(*(Text(c.cells[n], style=c.styles[n] if c.styles else "") for c in columns))
    return made


class Output:
    """What a command prints: words and tables, or its rows alone as JSON or CSV while its words go to stderr.

    Several tables are one JSON object by their names, or one CSV after the other with a blank line between.
    """

    def __init__(self, form: str = "table") -> None:
        self.form = form
        self.console = terminal(stderr=form != "table")
        self._tables: dict[str, pd.DataFrame] = {}

    def __enter__(self) -> Output:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None or issubclass(kind, SystemExit):
            self._deliver()

    def say(self, text: str, style: str | None = None) -> None:
        """Print a line of words, however long, with commands as they can be typed here."""
        self.console.print(typed(text), soft_wrap=True, style=style)

    def tell(self, word: str, style: str, text: str) -> None:
        """Print a coloured word and what it is about."""
        tell(self.console, word, style, typed(text))

    def rows(
        self, frame: pd.DataFrame, title: str, name: str = "rows", columns: Sequence[Column] | None = None
    ) -> None:
        """Print a table, or keep it for the end where rows are asked for as JSON or CSV.

        Args:
            frame: the rows as they are given to a machine.
            title: what a person reads above them.
            name: what the table is called where there are several.
            columns: how a person reads them, where that is not the frame itself.
        """
        if self.form != "table":
            self._tables[name] = frame
        elif frame.empty and not columns:
            self.say(f"{title}: no rows")
        else:
            self._show(list(columns or _columns(frame)), title)

    def _show(self, columns: list[Column], title: str) -> None:
        kept, gap = fitted(columns, self.console.width)
        if fits(kept, self.console.width, gap):
            self.console.print(as_table(kept, title, gap))
        elif not self.console.is_terminal:  # a file or a pipe has room
            wide = sum(c.width + gap for c in kept)
            self.console.print(as_table(kept, title, gap), width=wide, soft_wrap=True)
        else:
            self._show_records(columns, title)

    def _show_records(self, columns: Sequence[Column], title: str) -> None:
        """Row by row, a line for each value: what is wider than the terminal."""
        from rich.text import Text

        wide = max(len(c.heading) for c in columns)
        self.console.print(Text(title, style="bold"))
        for n in range(len(columns[0].cells)):
            self.console.print(Text(f"- row {n + 1} -", style="dim"))
            for column in columns:
                self.say_parts((f"{column.heading:<{wide}}  ", "dim"), column.cells[n])

    def say_parts(self, *parts: str | tuple[str, str]) -> None:
        """Print a line of pieces, each with its own style or none."""
        from rich.text import Text

        self.console.print(Text.assemble(*parts), soft_wrap=True)

    def _deliver(self) -> None:
        if self.form == "csv":
            click.echo("\n".join(frame.to_csv(index=False) for frame in self._tables.values()), nl=False)
        if self.form == "json":
            tables = {name: records(frame) for name, frame in self._tables.items()}
            shown = next(iter(tables.values()), []) if len(tables) < 2 else tables
            click.echo(json.dumps(shown, default=str, ensure_ascii=False, indent=1))


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as JSON has them: instants in ISO 8601, arrays as lists, null for what is missing."""
    columns = [[_plain(v) for v in frame.iloc[:, n]] for n in range(len(frame.columns))]
    return [dict(zip(map(str, frame.columns), row, strict=True)) for row in zip(*columns, strict=True)]


def cell(value: Any) -> str:
    """A value as text that moves no cursor; nothing for null."""
    import pandas as pd

    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return ""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", str(value))


def _plain(value: Any) -> Any:
    import pandas as pd

    if hasattr(value, "tolist"):
        value = value.tolist()
    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return None
    return value.isoformat() if hasattr(value, "isoformat") else value


def _columns(frame: pd.DataFrame) -> list[Column]:
    """A frame's columns as text: dates without a clock, instants to the minute (UTC), nothing for null."""
    made = []
    for place, name in enumerate(frame.columns):  # two columns may have one name
        values = frame.iloc[:, place]
        kind = values.dtype.kind
        if kind == "M":
            is_date = values.dt.tz is None and (values.dropna() == values.dropna().dt.normalize()).all()
            values = values.dt.strftime("%Y-%m-%d" if is_date else "%Y-%m-%d %H:%M")
        cells = [cell(v) for v in values]
        # an id that is cut short can't be typed
        may_be_cut = kind not in "ifbM" and not str(name).endswith("_id")
        made.append(Column(str(name), cells, right=kind in "if", shorter=_cuts(cells) if may_be_cut else ()))
    return made


def _cuts(cells: Sequence[str]) -> tuple[Sequence[str], ...]:
    longest = max(map(len, cells), default=0)
    lengths = [after for before, after in pairwise((longest, *_CUTS)) if after < longest]
    return tuple([c if len(c) <= n else f"{c[: n - 1]}\N{HORIZONTAL ELLIPSIS}" for c in cells] for n in lengths)
