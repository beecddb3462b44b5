"""Small charts of a player's page as inline SVG, which takes its colours from the page's style sheet."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from nba_props.facts.vocabulary import Recommendation

#: of every chart, in its own units
WIDE, HIGH = 380, 130
_LEFT, _RIGHT, _BOTTOM, _TOP = 26, 8, 18, 8


def bars(results: Sequence[float], labels: Sequence[str], line: float, side: str | None, what: str) -> str:
    """Past results, oldest first, beside a line: a bar in colour where the side, if there is one, would have won."""
    values = np.asarray(results, dtype="float64")
    most = max(float(values.max(initial=0)), line * 1.15, 1.0)
    step = (WIDE - _LEFT - _RIGHT) / max(len(values), 1)
    wins: dict[str | None, np.ndarray] = {Recommendation.OVER: values > line, Recommendation.UNDER: values < line}
    won = wins.get(side, np.zeros(len(values), bool))
    parts = [_grid(0, most), *_columns(values, won, step, 1.0, most)]
    parts.append(_rule(line, 0, most))
    parts += _ends([labels[0], labels[-1]] if len(labels) > 1 else list(labels))
    return _svg(parts, what)


def masses(first: int, mass: Sequence[float], line: float, what: str) -> str:
    """The probability of each result, those over the line in another colour."""
    values = np.asarray(mass, dtype="float64")
    reached = values.cumsum()
    start, end = int((reached >= 0.002).argmax()), int((reached >= 0.998 * reached[-1]).argmax())
    shown, low = values[start : end + 1], first + start
    most = float(shown.max())
    step = (WIDE - _LEFT - _RIGHT) / len(shown)
    is_over = low + np.arange(len(shown)) > line
    parts = [_grid(0, most, "{:.0%}", 100), *_columns(shown, is_over, step, 0.5, most)]
    parts += _ends([str(low), str(low + len(shown) - 1)])
    return _svg(parts, what)


def steps(at: Sequence[float], values: Sequence[float], ends: Sequence[str], what: str) -> str:
    """A value over time, held until the next one; ``at`` are two or more, in order, in any unit."""
    x, y = np.asarray(at, dtype="float64"), np.asarray(values, dtype="float64")
    low, high = float(y.min()) - 0.5, float(y.max()) + 0.5
    span = max(float(np.ptp(x)), 1e-9)
    place = _LEFT + (x - x[0]) / span * (WIDE - _LEFT - _RIGHT)
    points = [f"{place[0]:.1f},{_y(y[0], low, high):.1f}"]
    for n in range(1, len(x)):
        points += [f"{place[n]:.1f},{_y(y[k], low, high):.1f}" for k in (n - 1, n)]
    return _svg([_grid(low, high), f'<polyline class="path" points="{" ".join(points)}"/>', *_ends(ends)], what)


def _columns(values: np.ndarray, marked: np.ndarray, step: float, gap: float, most: float) -> list[str]:
    """Bars as two paths, of those in colour and of the others: a third of the text of single bars."""
    base, wide = _y(0, 0, most), max(step - 2 * gap, 0.8)
    x = _LEFT + np.arange(len(values)) * step + gap
    # a bar of nothing can be seen
    y = np.minimum([_y(v, 0, most) for v in values], base - 0.6)
    bars = [f"M{a:.1f} {base:.1f}V{b:.1f}h{wide:.1f}V{base:.1f}z" for a, b in zip(x, y, strict=True)]
    each = (("win", marked), ("lose", ~marked))
    return [
        f'<path class="{k}" d="{"".join(b for b, m in zip(bars, of, strict=True) if m)}"/>'
        for k, of in each
        if of.any()
    ]


def _y(value: float, low: float, high: float) -> float:
    return HIGH - _BOTTOM - (value - low) / (high - low) * (HIGH - _BOTTOM - _TOP)


def _grid(low: float, high: float, form: str = "{:g}", finer: float = 1) -> str:
    """Two or three lines at round values, with the value beside each."""
    step = next((s for s in (1, 2, 5, 10, 20, 50, 100) if (high - low) * finer / s <= 4), 1000) / finer
    found = np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step
    return "".join(
        _rule(v, low, high, "grid")
        + f'<text x="{_LEFT - 4}" y="{_y(v, low, high) + 4:.1f}" text-anchor="end">{form.format(v)}</text>'
        for v in found.round(6)
    )


def _rule(value: float, low: float, high: float, kind: str = "line") -> str:
    y = f"{_y(value, low, high):.1f}"
    return f'<line class="{kind}" x1="{_LEFT}" x2="{WIDE - _RIGHT}" y1="{y}" y2="{y}"/>'


def _ends(labels: Sequence[str]) -> list[str]:
    anchors = zip(labels, ((_LEFT, "start"), (WIDE - _RIGHT, "end")), strict=False)
    return [f'<text x="{x}" y="{HIGH - 4}" text-anchor="{side}">{escape(text)}</text>' for text, (x, side) in anchors]


def _svg(parts: Sequence[str], what: str) -> str:
    return f'<svg role="img" aria-label="{escape(what)}" viewBox="0 0 {WIDE} {HIGH}">{"".join(parts)}</svg>'
