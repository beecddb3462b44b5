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


def mae_differences(scores: pd.DataFrame) -> bytes:
    """Each system's MAE less the line's on the same rows, with its 95 % interval."""
    rows = scores.dropna(subset=["mae_difference"]).sort_values("mae_difference", ascending=False)
    figure, axes = _canvas(7, 0.42 * len(rows) + 1.2)
    at = range(len(rows))
    middle = rows["mae_difference"]
    reach = [middle - rows["mae_difference_low"], rows["mae_difference_high"] - middle]
    axes.errorbar(middle, at, xerr=[r.fillna(0).clip(lower=0) for r in reach], fmt="o", color=_INK, capsize=3)
    axes.axvline(0, color=_ALERT, linewidth=1)
    axes.set_yticks(list(at), [f"{r.system_id}  n {r.rows_scored:,.0f}" for r in rows.itertuples()])
    axes.set_xlabel("points; right of the red line is worse than the line")
    return _png(figure)


def reliability(tables: Mapping[str, pd.DataFrame]) -> bytes:
    """Over rate against P(over) in groups of equal size, for each system that gives one, and the market's."""
    figure, axes = _canvas(5.5, 5)
    axes.plot([0, 1], [0, 1], color=_FAINT, linewidth=1)
    for (name, t), colour in zip(tables.items(), _colours(len(tables)), strict=True):
        reach = [(t["rate"] - t["low"]).clip(lower=0), (t["high"] - t["rate"]).clip(lower=0)]
        axes.errorbar(t["chance"], t["rate"], yerr=reach, fmt="o-", markersize=4, linewidth=1, label=name, color=colour)
    axes.set(xlim=(0.2, 0.8), ylim=(0.2, 0.8), xlabel="P(over)", ylabel="over rate, 95 % interval")
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
    figure.autofmt_xdate(rotation=30)
    return _png(figure)


def streak(days: pd.Series, goal: int) -> bytes:
    """Consecutive placeholder-free game days as of each game day, and the goal."""
    figure, axes = _canvas(9, 2.6)
    axes.step(days.index, days, where="post", color=_INK)
    axes.axhline(goal, color=_LINE, linewidth=1, linestyle="--")
    axes.set_ylabel("game days")
    axes.set_ylim(bottom=0)
    figure.autofmt_xdate(rotation=30)
    return _png(figure)


def _colours(n: int) -> list[Any]:
    from matplotlib import colormaps

    return [colormaps["tab10"](i % 10) for i in range(n)]
