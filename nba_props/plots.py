"""Pictures as PNG bytes: every chart of the project is drawn here, in one style."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INK, _LINE, _ALERT, _FAINT = "#33506b", "#8a8f98", "#b3412e", "#d7dbe0"


def _canvas(width: float, height: float) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _png(figure: Figure) -> bytes:
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=90, metadata={"Software": None})
    return data.getvalue()


def data_uri(png: bytes) -> str:
    """A picture as text that can stand in HTML or Markdown."""
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def bars(shares: Mapping[str, float], label: str) -> bytes:
    """Horizontal bars, the largest on top."""
    top = list(shares.items())[::-1]
    figure, axes = _canvas(6, 0.28 * len(top) + 0.8)
    axes.barh([name for name, _ in top], [share for _, share in top], color=_INK)
    axes.set_xlabel(label)
    return _png(figure)


def _day_ticks(axes: Axes, days: pd.Index, most: int = 12) -> None:
    """Ticks on some of the days themselves: a locator of dates puts hours between the days of a short span."""
    shown = pd.DatetimeIndex(days)[:: -(-len(days) // most)]
    axes.set_xticks(shown, [f"{day:%Y-%m-%d}" for day in shown], rotation=30, ha="right")


def mae_differences(scores: pd.DataFrame) -> bytes:
    """Each system's MAE less the line's on the same rows, with its 95 % interval where it has one."""
    rows = scores.dropna(subset=["mae_difference"]).sort_values("mae_difference", ascending=False)
    rows = rows.assign(place=range(len(rows)))
    figure, axes = _canvas(7, 0.42 * len(rows) + 1.2)
    axes.plot(rows["mae_difference"], rows["place"], "o", color=_INK)
    known = rows.dropna(subset=["mae_difference_low"])
    if len(known):
        axes.hlines(known["place"], known["mae_difference_low"], known["mae_difference_high"], color=_INK)
    axes.axvline(0, color=_ALERT, linewidth=1)
    axes.set_yticks(
        rows["place"], [f"{r.system_id}  n {r.rows_scored:,.0f}, {r.dates:,.0f} nights" for r in rows.itertuples()]
    )
    bars = "bars are 95 % intervals" if len(known) else "too few nights for intervals"
    axes.set_xlabel(f"points; right of the red line is worse than the line\n({bars})")
    return _png(figure)


def reliability(tables: Mapping[str, pd.DataFrame]) -> bytes:
    """Over rate against P(over) in tenths of 0-1, for each system that gives one, and the market's.

    The area of a dot says how many rows it has; bars are 95 % intervals, where there are nights enough.
    """
    figure, axes = _canvas(5.5, 5)
    axes.plot([0, 1], [0, 1], color=_FAINT, linewidth=1)
    for (name, t), colour in zip(tables.items(), _colours(len(tables)), strict=True):
        label = f"{name}  n {t['rows'].sum():,.0f}"
        axes.plot(t["chance"], t["rate"], linewidth=1, color=colour)
        axes.scatter(t["chance"], t["rate"], s=4 + 150 * t["rows"] / t["rows"].sum(), color=colour, label=label)
        known = t.dropna(subset=["low"])
        if len(known):
            axes.vlines(known["chance"], known["low"], known["high"], color=colour, linewidth=1)
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="P(over), in tenths", ylabel="over rate")
    axes.legend(frameon=False)
    return _png(figure)


def line_quality(days: pd.DataFrame) -> bytes:
    """Current predictions per game day by what stands behind their line; columns are the kinds."""
    figure, axes = _canvas(9, 3.2)
    below = pd.Series(0.0, index=days.index)
    colours = {"verified quote": _INK, "no line": _FAINT, "placeholder or unverified": _ALERT}
    for kind, colour in colours.items():
        axes.bar(days.index, days[kind], bottom=below, color=colour, label=kind, width=0.9)
        below = below + days[kind]
    axes.set_ylabel("predictions")
    axes.legend(frameon=False, ncols=3, loc="upper left", bbox_to_anchor=(0, 1.18))
    _day_ticks(axes, days.index)
    return _png(figure)


def streak(days: pd.Series, goal: int) -> bytes:
    """Consecutive placeholder-free game days as of each game day, and the goal."""
    figure, axes = _canvas(9, 2.6)
    axes.step(days.index, days, where="post", color=_INK, marker="o", markersize=3)
    axes.axhline(goal, color=_LINE, linewidth=1, linestyle="--")
    axes.set_ylabel("game days")
    axes.set_ylim(bottom=0)
    _day_ticks(axes, days.index)
    return _png(figure)


def _colours(n: int) -> list[Any]:
    from matplotlib import colormaps

    return [colormaps["tab10"](i % 10) for i in range(n)]
