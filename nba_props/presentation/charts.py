"""Charts: every chart of the project is drawn here, in one style.

Charts of pages are SVG of a phone's width, with colours that follow light and dark mode and the system's font; those in
Dagster's Markdown are PNG.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nba_props.facts.markets import short_names
from nba_props.facts.words import plural

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INK, _LINE, _ALERT, _FAINT = "#33506b", "#8a8f98", "#b3412e", "#d7dbe0"
#: each colour in light and in dark mode; black is matplotlib's default for axes and text
_SCREENS = {
    _INK: (_INK, "#8db4da"),
    _LINE: (_LINE, "#8a939e"),
    _ALERT: (_ALERT, "#ef8a72"),
    _FAINT: (_FAINT, "#3d4651"),
    "#000000": ("#4a525c", "#b4bcc6"),
}
#: inches: at a phone's width the chart's text is as large as the text around it
_WIDE = 4.3
_DECIMALS = re.compile(r"(\.\d\d)\d+")
_LETTERS = re.compile(r"font: ([0-9.]+px) [^;\"]*")


def _canvas(width: float, height: float) -> tuple[Figure, Axes]:
    figure = _figure(width, height)
    return figure, _bare(figure.subplots())


def _figure(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _bare(axes: Axes) -> Axes:
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def _png(figure: Figure) -> bytes:
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=90, metadata={"Software": None})
    return data.getvalue()


def _svg(figure: Figure) -> bytes:
    """A figure as SVG that follows light and dark mode; the same figure gives the same bytes."""
    from matplotlib import rcParams

    rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "nba_props"})
    data = io.StringIO()
    figure.savefig(data, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = data.getvalue()
    text = _LETTERS.sub(r"font: \1 system-ui, sans-serif", _DECIMALS.sub(r"\1", text[text.index("<svg") :]))
    for number, colour in enumerate(_SCREENS):
        text = text.replace(colour, f"var(--c{number})")
    light, dark = (
        ";".join(f"--c{number}:{screen[k]}" for number, screen in enumerate(_SCREENS.values())) for k in (0, 1)
    )
    style = f"svg{{{light}}}@media(prefers-color-scheme:dark){{svg{{{dark}}}}}text{{fill:var(--c{len(_SCREENS) - 1})}}"
    at = text.index(">") + 1
    return f"{text[:at]}<style>{style}</style>{text[at:]}".encode()


def data_uri(picture: bytes) -> str:
    """An image as a data URI, for HTML or Markdown."""
    kind = "svg+xml" if picture.startswith(b"<svg") else "png"
    return f"data:image/{kind};base64,{base64.b64encode(picture).decode()}"


def bars(shares: Mapping[str, float], label: str) -> bytes:
    """Horizontal bars, the largest on top."""
    top = list(shares.items())[::-1]
    figure, axes = _canvas(6, 0.28 * len(top) + 0.8)
    axes.barh([name for name, _ in top], [share for _, share in top], color=_INK)
    axes.set_xlabel(label)
    return _png(figure)


def slate(props: pd.DataFrame) -> bytes:
    """The forecast of some props beside their lines, the first on top.

    Args:
        props: ``player_name, market, leans, line, forecast, books_ev_shrunk``, a row each.
    """
    rows = props.iloc[::-1].reset_index(drop=True)
    figure, axes = _canvas(6.5, 0.34 * len(rows) + 0.8)
    line, forecast = (rows[c].astype("float64") for c in ("line", "forecast"))
    axes.hlines(rows.index, line, forecast, color=_FAINT, linewidth=3)
    axes.plot(line, rows.index, "|", color=_ALERT, markersize=12, label="line")
    axes.plot(forecast, rows.index, "o", color=_INK, label="forecast")
    short = short_names()
    axes.set_yticks(
        rows.index,
        [f"{r.player_name}  {str(r.leans).lower()} {r.line:g} {short[r.market]}  {r.books_ev_shrunk:+.1%}"
         for r in rows.itertuples()],
    )  # fmt: skip
    figure.legend(frameon=False, ncols=2, loc="outside lower right")
    return _png(figure)


def _day_axis(axes: Axes, days: pd.Index, most: int = 6) -> None:
    """Ticks on some of the days; a date locator would put hours between the days of a short span."""
    shown = pd.DatetimeIndex(days)[:: -(-len(days) // most)]
    axes.set_xticks(_place(shown), [f"{day:%b} {day.day}" for day in shown])
    first, last = _place(days)[[0, -1]]
    around = max(0.7, 2.5 - (last - first) / 2)  # a single night must not fill the axis
    axes.set_xlim(first - around, last + around)


def _place(days: pd.Index | pd.Series) -> np.ndarray:
    """Positions of days on an axis, one unit per day."""
    return np.asarray((pd.DatetimeIndex(days) - pd.Timestamp(0)) / pd.Timedelta(days=1), dtype="float64")


def _columns(axes: Axes, days: pd.Index | pd.Series, low: pd.Series, high: pd.Series, **style: Any) -> None:
    """Bars of a day's width from low to high, drawn as one path: single bars take a megabyte a season."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    place, bottom, top = _place(days), low.to_numpy("float64"), high.to_numpy("float64")
    left, right = place - 0.42, place + 0.42
    corners = np.stack([[left, bottom], [left, top], [right, top], [right, bottom], [left, bottom]])
    codes = [Path.MOVETO, *[Path.LINETO] * 3, Path.CLOSEPOLY] * len(place)
    axes.add_patch(PathPatch(Path(corners.transpose(2, 0, 1).reshape(-1, 2), codes), linewidth=0, **style))
    axes.autoscale_view()


def nights(rows: pd.DataFrame) -> tuple[bytes, bytes]:
    """Units won so far, and bets won and lost, night by night: a small chart for each system, all with the same axes.

    Args:
        rows: ``system_id, game_date, wins, losses, total`` (units so far), in order of dates.
    """
    return _small(rows, rows["total"], _units), _small(rows, rows["wins"] + rows["losses"], _bets)


def errors(rows: pd.DataFrame, unit: str) -> bytes:
    """MAE less the line's so far, night by night: a small chart for each system, all with the same axes.

    Args:
        rows: ``system_id, game_date, difference``, in order of dates.
        unit: what the market counts.
    """
    return _small(rows, rows["difference"], _differences, label=unit)


def _small(
    rows: pd.DataFrame, most: pd.Series, draw: Callable[[Axes, pd.DataFrame, str], None], label: str = ""
) -> bytes:
    """A small chart for each system, all with the same axes, which reach to 0 and to the largest value."""
    systems = list(dict.fromkeys(rows["system_id"]))
    days = pd.DatetimeIndex(sorted(rows["game_date"].unique()))
    figure = _figure(_WIDE, 1.05 * -(-len(systems) // 2) + 0.3)
    grid = figure.subplots(-(-len(systems) // 2), 2, sharex=True, sharey=True, squeeze=False)
    _day_axis(grid[0, 0], days, most=3)
    low, high = min(most.min(), 0), max(most.max(), 0)
    room = 0.08 * (high - low) + (0.5 if high - low > 1 else 0.01)
    grid[0, 0].set_ylim(low - (room if low < 0 else 0), high + room)
    for axes in grid.flat[len(systems) :]:
        axes.set_visible(False)
    for system, axes in zip(systems, grid.flat, strict=False):
        _bare(axes).tick_params(labelsize=8, labelbottom=axes in grid.flat[max(len(systems) - 2, 0) :])
        draw(axes, rows[rows["system_id"] == system], system)
    if label:
        figure.supylabel(label, fontsize=8.5)
    return _svg(figure)


def _units(axes: Axes, own: pd.DataFrame, system: str) -> None:
    axes.axhline(0, color=_ALERT, linewidth=0.8)
    size = 4 if len(own) < 15 else 0
    axes.plot(_place(own["game_date"]), own["total"], color=_INK, linewidth=1.4, marker="o", markersize=size)
    axes.set_title(f"{system}  {own['total'].iloc[-1]:+,.1f}", fontsize=8.5, loc="left")


def _differences(axes: Axes, own: pd.DataFrame, system: str) -> None:
    axes.axhline(0, color=_ALERT, linewidth=0.8)
    size = 4 if len(own) < 15 else 0
    axes.plot(_place(own["game_date"]), own["difference"], color=_INK, linewidth=1.4, marker="o", markersize=size)
    axes.set_title(f"{system}  {own['difference'].iloc[-1]:+.3f}", fontsize=8.5, loc="left")


def _bets(axes: Axes, own: pd.DataFrame, system: str) -> None:
    _columns(axes, own["game_date"], 0 * own["wins"], own["wins"], color=_INK)
    _columns(axes, own["game_date"], own["wins"], own["wins"] + own["losses"], color=_FAINT)
    axes.set_title(f"{system}  {own['wins'].sum():,.0f}-{own['losses'].sum():,.0f}", fontsize=8.5, loc="left")


def mae_differences(scores: pd.DataFrame, unit: str) -> bytes:
    """Each system's MAE less the line's on the same rows, with its 95 % interval where it has one."""
    rows = scores.dropna(subset=["mae_difference"]).sort_values("mae_difference", ascending=False)
    rows = rows.assign(place=range(len(rows)))
    figure, axes = _canvas(_WIDE, 0.42 * len(rows) + 0.9)
    axes.plot(rows["mae_difference"], rows["place"], "o", color=_INK)
    known = rows.dropna(subset=["mae_difference_low"])
    if len(known):
        axes.hlines(known["place"], known["mae_difference_low"], known["mae_difference_high"], color=_INK)
    axes.axvline(0, color=_ALERT, linewidth=1)
    axes.set_yticks(
        rows["place"],
        [f"{r.system_id}\nn {r.rows_scored:,.0f}, {plural(r.dates, 'night')}" for r in rows.itertuples()],
        fontsize=8.5,
    )
    bars = "bars: 95 % intervals" if len(known) else "too few nights for intervals"
    axes.set_xlabel(f"{unit}; right of red: worse than the line\n({bars})", fontsize=9)
    return _svg(figure)


def reliability(tables: Mapping[str, pd.DataFrame]) -> bytes:
    """Over rate against P(over) in tenths of 0-1, for each system that has one and for the market.

    The area of a dot is its share of rows; bars are 95 % intervals, where there are enough nights.
    """
    figure, axes = _canvas(_WIDE, 3.6 + 0.2 * len(tables))
    axes.plot([0, 1], [0, 1], color=_FAINT, linewidth=1)
    for (name, t), colour in zip(tables.items(), _colours(len(tables)), strict=True):
        label = f"{name}  n {t['rows'].sum():,.0f}"
        axes.plot(t["chance"], t["rate"], linewidth=1, color=colour)
        axes.scatter(t["chance"], t["rate"], s=4 + 150 * t["rows"] / t["rows"].sum(), color=colour, label=label)
        known = t.dropna(subset=["low"])
        if len(known):
            axes.vlines(known["chance"], known["low"], known["high"], color=colour, linewidth=1)
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="P(over), in tenths", ylabel="over rate")
    figure.legend(frameon=False, loc="outside lower left")
    return _svg(figure)


def line_quality(days: pd.DataFrame) -> bytes:
    """Current predictions per game day by kind of line; the columns of ``days`` are the kinds."""
    figure, axes = _canvas(_WIDE, 2.6)
    below = pd.Series(0.0, index=days.index)
    colours = {"verified quote": _INK, "no line": _FAINT, "placeholder or unverified": _ALERT}
    for kind, colour in colours.items():
        _columns(axes, days.index, below, below + days[kind], color=colour, label=kind)
        below = below + days[kind]
    axes.set_ylabel("predictions")
    axes.set_ylim(bottom=0)
    figure.legend(frameon=False, ncols=3, loc="outside upper left", fontsize=8, columnspacing=1, handlelength=1)
    _day_axis(axes, days.index)
    return _svg(figure)


def streak(days: pd.Series, goal: int) -> bytes:
    """Consecutive placeholder-free game days as of each game day, and the goal."""
    figure, axes = _canvas(_WIDE, 2.2)
    axes.step(_place(days.index), days, where="post", color=_INK, marker="o", markersize=3)
    axes.axhline(goal, color=_LINE, linewidth=1, linestyle="--")
    axes.set_ylabel("game days")
    axes.set_ylim(bottom=0)
    _day_axis(axes, days.index)
    return _svg(figure)


def _colours(n: int) -> list[Any]:
    from matplotlib import colormaps

    return [colormaps["tab10"](i % 10) for i in range(n)]
