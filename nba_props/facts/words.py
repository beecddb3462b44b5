"""Numbers and names in sentences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches


def percent(share: float, sign: str = "") -> str:
    """A share of 1: 0.548 -> ``54.8 %``; with ``+`` for a sign, ``+54.8 %``."""
    return f"{100 * share:{sign}.1f} %"


def percents(*shares: float) -> str:
    """One limit, or a lower and an upper one, as percentages: 0.85 -> ``85 %``; 0.4, 0.65 -> ``40-65 %``."""
    return f"{'-'.join(f'{100 * share:g}' for share in shares)} %"


def listed(names: Sequence[str]) -> str:
    """Names in a sentence: ``a``, ``a and b``, ``a, b and c``."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def plural(number: float, what: str) -> str:
    """A number of things: ``1 night``, ``1,200 nights``."""
    return f"{number:,.0f} {what}{'' if number == 1 else 's'}"


def nearest(value: str, names: Iterable[str]) -> str:
    """`` (did you mean …?)`` where a name is similar, else empty."""
    known = list(names)
    near = get_close_matches(value, known, n=1) or [n for n in known if value and n.startswith(value)][:1]
    return f" (did you mean {near[0]}?)" if near else ""
