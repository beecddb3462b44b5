"""Output of commands: coloured text, tables that never cut a number, and the same rows as JSON or CSV."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, time
from decimal import Decimal
from itertools import count, pairwise
from types import TracebackType
from typing import TYPE_CHECKING, Any

import click

from nba_props.cli.program import typed

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console
    from rich.progress import Progress
    from rich.text import Text

#: width of output that is not a terminal
_WIDTH = 180
#: characters beside a bar's name: a short bar, the number and the time
_BAR_LEAST = 30
#: control characters
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
#: lengths to which prose is cut where there is no room, tried in order
_CUTS = (120, 100, 80, 70, 60, 50, 40, 35, 30)
#: a title that states already that there are no rows
_STATES_ZERO = re.compile(r"\b0 ")
#: columns that are never cut, since users type their values again; nor are single words, numbers and instants
_TYPED = re.compile(r"(^|_)(id|ids|name|lookup)$")
SIMULATED = "SIMULATED LEAGUE: players, teams, scores and lines are invented"
#: the option of every command that prints rows
FORMAT = click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    show_default=True,
    help="How rows are printed; with csv or json, messages go to stderr.",
)


def terminal(*, stderr: bool = False) -> Console:
    """A console of the terminal's width, or a wide one when the output is not a terminal."""
    from rich.console import Console

    # names, reasons and intervals contain brackets, so markup is off; colours carry meaning, so numbers are not
    # highlighted
    made = Console(highlight=False, markup=False, stderr=stderr)
    return made if made.is_terminal else Console(width=_WIDTH, highlight=False, markup=False, stderr=stderr)


def print_line(console: Console, *parts: str | tuple[str, str], style: str = "", indent: int = 0) -> None:
    """Print a line of text, or of styled pieces: wrapped between words in a terminal, never in a pipe.

    ``indent`` is the number of blanks before continuation lines.
    """
    from rich.text import Text

    text = Text.assemble(*parts, style=style)
    for line in text.split("\n", allow_blank=True):
        ends = _breaks(line.plain, console.width, indent) if console.is_terminal else []
        for number, part in enumerate(line.divide(ends)):
            part.rstrip()
            console.print(Text(" " * indent if number else "").append_text(part), soft_wrap=True)


def at_words(text: str, width: int) -> str:
    """A text in lines of at most ``width`` cells, wrapped between words as by ``print_line``."""
    lines = []
    for line in text.split("\n"):
        ends = [0, *_breaks(line, width, 0), len(line)]
        lines += [line[start:end].rstrip() for start, end in pairwise(ends)]
    return "\n".join(lines)


def _breaks(line: str, width: int, indent: int) -> list[int]:
    """Offsets at which lines of at most ``width`` cells begin: at words. A word too long for any line, such as a path,
    is not moved.
    """
    from rich.cells import cell_len

    found: list[int] = []
    for word in re.finditer(r"\S+", line):
        start, blanks = (found[-1], indent) if found else (0, 0)
        is_over = blanks + cell_len(line[start : word.end()]) > width
        if is_over and indent + cell_len(word[0]) <= width and line[start : word.start()].strip():
            found.append(word.start())
    return found


def progress(console: Console) -> Progress:
    """A progress bar with the step's name, its count and the elapsed time."""
    from rich import progress as rich
    from rich.table import Column as Place

    # a long name is cut; the count and the time are not
    name = rich.TextColumn("{task.description}", table_column=Place(max_width=console.width - _BAR_LEAST, no_wrap=True))
    return rich.Progress(name, rich.BarColumn(), rich.MofNCompleteColumn(), rich.TimeElapsedColumn(), console=console)


@dataclass(frozen=True)
class Column:
    """A printed column, and how it may be shortened where there is no room.

    Args:
        heading: one line, or several above each other.
        cells: one text per row.
        right: aligned to the right.
        styles: one per cell, or none.
        shorter: shorter forms of the same cells, the longest first.
        spare: columns with the highest number are left out first, those with 0 never.
    """

    heading: str
    cells: Sequence[str]
    right: bool = False
    styles: Sequence[str] = ()
    shorter: tuple[Sequence[str], ...] = ()
    spare: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "cells", tuple(map(cell, self.cells)))
        object.__setattr__(self, "shorter", tuple(tuple(map(cell, texts)) for texts in self.shorter))

    @property
    def title(self) -> str:
        """The heading in one line."""
        return " ".join(self.heading.split("\n"))

    @property
    def width(self) -> int:
        from rich.cells import cell_len

        return max(cell_len(text) for text in (*self.heading.split("\n"), *self.cells))


def fitted(columns: Sequence[Column], width: int) -> tuple[list[Column], int]:
    """The columns that fit a width, and the blanks between two of them: 2, or 1 where that is too wide.

    Spare columns are dropped first; those of level 2 are preferred to wide gaps, those of level 1 also to whole texts.
    Then texts take their shorter forms, the widest first. Text without a shorter form is never cut, so the result may
    still be too wide.
    """
    levels = sorted({0, *(c.spare for c in columns)}, reverse=True)
    for level in levels:
        kept = [c for c in columns if c.spare <= level]
        if fits(kept, width, 2):
            return kept, 2
        if level < 2:
            kept = _shortened(kept, width, forms=1 if level else len(_CUTS) + 1)
        if (level <= 2 and fits(kept, width, 1)) or not level:
            return kept, 1
    raise AssertionError("level 0 is the last one")


def _shortened(columns: Sequence[Column], width: int, forms: int) -> list[Column]:
    """The columns with texts shortened until they fit, the widest first, by at most ``forms`` shorter forms each."""
    kept = [replace(c, shorter=c.shorter[:forms]) for c in columns]
    while not fits(kept, width, 1) and any(c.shorter for c in kept):
        at = max((n for n, c in enumerate(kept) if c.shorter), key=lambda n: kept[n].width)
        kept[at] = replace(kept[at], cells=kept[at].shorter[0], shorter=kept[at].shorter[1:])
    return kept


def fits(columns: Sequence[Column], width: int, gap: int) -> bool:
    """Whether columns fit side by side."""
    return sum(c.width + gap for c in columns) - gap <= width


def as_table(columns: Sequence[Column], gap: int) -> Text:
    """Columns side by side, each as wide as its widest cell, under their headings and a rule."""
    from rich.cells import cell_len
    from rich.text import Text

    def placed(cells: Sequence[Text]) -> Text:
        line = Text(" " * gap).join(cells)
        line.rstrip()
        return line

    def padded(column: Column, text: str, style: str) -> Text:
        blanks = " " * (column.width - cell_len(text))
        return Text.assemble(blanks, (text, style)) if column.right else Text.assemble((text, style), blanks)

    tops = [column.heading.split("\n") for column in columns]
    high = max(map(len, tops))
    tops = [[""] * (high - len(top)) + top for top in tops]
    lines = [placed([padded(c, top[n], "bold") for c, top in zip(columns, tops, strict=True)]) for n in range(high)]
    lines.append(Text("\N{BOX DRAWINGS LIGHT HORIZONTAL}" * (sum(c.width + gap for c in columns) - gap)))
    styled = [(c, c.styles or [""] * len(c.cells)) for c in columns]
    lines += [placed([padded(c, c.cells[n], s[n]) for c, s in styled]) for n in range(len(columns[0].cells))]
    return Text("\n").join(lines)


class Output:
    """The output of a command: messages and tables, or only its rows as JSON or CSV with messages on stderr.

    Several tables become one JSON object keyed by name, or CSVs separated by blank lines. ``called`` is the program's
    name in printed commands, where it differs from what was typed.
    """

    def __init__(self, form: str = "table") -> None:
        self.form, self.called = form, ""
        self.console = terminal(stderr=form != "table")
        self._tables: dict[str, pd.DataFrame] = {}
        self._is_labelled = False
        self._has_shown = False

    def __enter__(self) -> Output:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None or issubclass(kind, SystemExit):
            self._deliver()

    def label(self, *, simulated: bool) -> None:
        """Print once, before anything else, that the league is simulated, if it is."""
        if simulated and not self._is_labelled:
            self.print(SIMULATED, style="bold")
            self._is_labelled = True

    def print(self, text: str, style: str = "") -> None:
        """Print a line of text, with commands as they can be typed here."""
        print_line(self.console, typed(text, self.called), style=style)

    def print_marked(self, word: str, style: str, text: str) -> None:
        """Print a coloured word, followed by text."""
        print_line(self.console, (word, style), " ", typed(text, self.called), indent=len(word) + 1)

    def rows(
        self, frame: pd.DataFrame, title: str, name: str = "rows", columns: Sequence[Column] | None = None
    ) -> None:
        """Print a table, or keep it for the end when the format is JSON or CSV.

        Args:
            frame: the rows, as JSON and CSV have them.
            title: the line above the table.
            name: the key of the table where there are several.
            columns: the columns of the table; None derives them from the frame.
        """
        if self.form != "table":
            self._tables[name] = frame
        elif frame.empty:
            self.print(title if _STATES_ZERO.search(title) else f"{title}: no rows")
        else:
            self._show(list(columns or _columns(frame)), title)

    def _show(self, columns: list[Column], title: str) -> None:
        if self._has_shown:
            self.console.print()
        self._has_shown = True
        print_line(self.console, title, style="bold")
        if not self.console.is_terminal:  # a file or a pipe gets every column, and one line of headings
            self.console.print(as_table([replace(c, heading=c.title) for c in columns], 2), soft_wrap=True)
            return
        kept, gap = fitted(columns, self.console.width)
        if fits(kept, self.console.width, gap):
            self.console.print(as_table(kept, gap), soft_wrap=True)
        else:
            self._show_records(columns)

    def _show_records(self, columns: Sequence[Column]) -> None:
        """Print row by row, one value per line: for rows wider than the terminal."""
        wide = max(len(c.title) for c in columns)
        for n in range(len(columns[0].cells)):
            print_line(self.console, f"- row {n + 1} -", style="dim")
            for column in columns:
                print_line(self.console, (f"{column.title:<{wide}}  ", "dim"), column.cells[n], indent=wide + 2)

    def _deliver(self) -> None:
        if self.form == "csv":
            click.echo("\n".join(map(as_csv, self._tables.values())), nl=False)
        if self.form == "json":
            tables = {name: records(frame) for name, frame in self._tables.items()}
            shown = next(iter(tables.values()), []) if len(tables) < 2 else tables
            click.echo(json.dumps(shown, default=str, ensure_ascii=False, indent=1))


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as JSON objects: dates and instants in ISO 8601, arrays as lists, null for missing values.

    The second of two columns with the same name is called ``name_1``, as in DuckDB, since keys are unique.
    """
    return [dict(zip(_names(frame), row, strict=True)) for row in _plain_rows(frame)]


def as_csv(frame: pd.DataFrame) -> str:
    """Rows as CSV: the values of ``records``, empty for null, and JSON for arrays and objects."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_names(frame))
    for row in _plain_rows(frame):
        writer.writerow(
            json.dumps(v, default=str, ensure_ascii=False) if isinstance(v, list | dict | bool) else v for v in row
        )
    return text.getvalue()


def cell(value: Any) -> str:
    """A value as text without control characters; empty for null."""
    return "" if _is_null(value) else _CONTROL.sub("\N{REPLACEMENT CHARACTER}", str(value))


def _is_null(value: Any) -> bool:
    import pandas as pd

    return value is None or bool(pd.api.types.is_scalar(value) and pd.isna(value))


def _is_date(values: pd.Series) -> bool:
    """Whether instants are dates: without a time zone, and all at midnight."""
    if values.dtype.kind != "M" or values.dt.tz is not None:
        return False
    known = values.dropna()
    return bool((known == known.dt.normalize()).all())


def _names(frame: pd.DataFrame) -> list[str]:
    """The columns' names, made unique."""
    found: dict[str, None] = {}
    for name in map(str, frame.columns):
        numbered = (f"{name}_{n}" for n in count(1))
        found[name if name not in found else next(n for n in numbered if n not in found)] = None
    return list(found)


def _plain_rows(frame: pd.DataFrame) -> Iterator[tuple[Any, ...]]:
    columns = (frame.iloc[:, n] for n in range(len(frame.columns)))
    return zip(*([_plain(v) for v in (c.dt.date if _is_date(c) else c)] for c in columns), strict=True)


def _plain(value: Any) -> Any:
    """A value as a JSON type."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if _is_null(value):
        return None
    if isinstance(value, Decimal):
        value = int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, float) and math.isinf(value):
        return str(value)  # JSON has no infinity
    return value.isoformat() if isinstance(value, date | time) else value


def _columns(frame: pd.DataFrame) -> list[Column]:
    """A frame's columns as text: dates without a time, instants to the minute (UTC), empty for null."""
    made = []
    for place, name in enumerate(frame.columns):  # two columns may have the same name
        values = frame.iloc[:, place]
        kind = values.dtype.kind
        if kind == "M":
            values = values.dt.strftime("%Y-%m-%d" if _is_date(values) else "%Y-%m-%d %H:%M")
        cells = [cell(v) for v in values]
        may_be_cut = kind not in "iufbM" and not _TYPED.search(str(name))
        made.append(Column(str(name), cells, right=kind in "iuf", shorter=_cuts(cells) if may_be_cut else ()))
    return made


def _cuts(cells: Sequence[str]) -> tuple[Sequence[str], ...]:
    """Shorter forms of prose; a single word, such as an id or an address, is never cut."""
    longest = max((len(c) for c in cells if " " in c), default=0)
    return tuple(
        [c if len(c) <= n or " " not in c else f"{c[: n - 1]}\N{HORIZONTAL ELLIPSIS}" for c in cells]
        for n in _CUTS
        if n < longest
    )
