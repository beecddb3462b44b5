"""Numbers in words: percentages and counts."""

from __future__ import annotations


def percent(share: float, sign: str = "") -> str:
    """A share of 1: 0.548 -> ``54.8 %``; with ``+`` for a sign, ``+54.8 %``."""
    return f"{100 * share:{sign}.1f} %"


def plural(number: float, what: str) -> str:
    """A number of things: ``1 night``, ``1,200 nights``."""
    return f"{number:,.0f} {what}{'' if number == 1 else 's'}"
