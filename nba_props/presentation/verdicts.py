"""Scores in words: the verdict on each system, and a sentence on all of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

import pandas as pd

from nba_props.domain import scoring
from nba_props.facts.words import percent, plural
from nba_props.schemas.monitoring import MIN_DATES
from nba_props.schemas.predictions import IMPORTED_PREFIX


def verdicts(scores: pd.DataFrame, suspects: Collection[str] = ()) -> list[str]:
    """Each system's verdict in a word or two: whether its bets beat break-even, or why that is not known."""
    return [_verdict(row, row["system_id"] in suspects)[0] for row in scores.to_dict("records")]


def headline(scores: pd.DataFrame, suspects: Collection[str] = ()) -> str:
    """A sentence on all systems: how many differ from break-even by more than chance, or that nights are too few.

    Args:
        scores: one row per system.
        suspects: systems whose figures are a likely bug.
    """
    bets = scores[scores["wins"] + scores["losses"] > 0]
    if bets.empty:
        return "No bet is decided on these nights."
    wrong = bets["system_id"].isin(suspects)
    imported = bets["system_id"].str.startswith(IMPORTED_PREFIX) & ~wrong
    found = _judged(bets[~wrong & ~imported])
    if wrong.any():
        found.append(f"{plural(wrong.sum(), 'system')} too good or too bad to be true: a likely bug, not a result.")
    if imported.any():
        found.append(
            f"Not judged: {plural(imported.sum(), 'imported system')}: only the export states when a row was written."
        )
    return " ".join(found)


def _judged(bets: pd.DataFrame) -> list[str]:
    """How many of these systems differ from break-even, in a sentence; empty without any system."""
    judged = bets[bets["roi_low"].notna()]
    if bets.empty:
        return []
    if judged.empty:
        nights = plural(bets["bet_dates"].max(), "night")
        return [f"{nights}: too few to tell skill from luck, {MIN_DATES} are needed."]
    better, worse = int((judged["roi_low"] > 0).sum()), int((judged["roi_high"] < 0).sum())
    return [
        f"Of {plural(len(judged), 'system')} with bets on {MIN_DATES} nights or more, {better} did better than "
        f"break-even by more than chance, {worse} worse, and {len(judged) - better - worse} "
        "were indistinguishable from it."
    ]


def in_words(scores: pd.DataFrame, suspects: Mapping[str, str] = MappingProxyType({})) -> list[str]:
    """A sentence or two for each system: its hit rate, break-even, verdict and MAE.

    Nothing is claimed that the intervals do not support; a system without a decided bet or scored forecast has none.

    Args:
        scores: one row per system.
        suspects: what is too good or too bad to be true, by system (``quality.suspects``).
    """
    return [
        " ".join(filter(None, (_bets_in_words(row, suspects.get(row["system_id"], "")), _errors_in_words(row))))
        for row in scores.to_dict("records")
        if row["wins"] + row["losses"] or row["rows_scored"]
    ]


def _bets_in_words(row: dict[str, Any], suspect: str) -> str:
    bets = int(row["wins"] + row["losses"])
    if not bets:
        found = f"{row['system_id']} has no decided bet"
        return f"{found}: a likely bug until proven otherwise ({suspect})." if suspect else f"{found}."
    won = f"{row['system_id']} won {percent(row['hit_rate'])} of {plural(bets, 'bet')}"
    won = f"{won} on {plural(row['bet_dates'], 'night')}, break-even {percent(row['break_even'])}"
    return f"{won}: {_verdict(row, suspect)[1]}."


def _verdict(row: dict[str, Any], suspect: Any) -> tuple[str, str]:
    """The verdict on a system's bets, in a word or two and as a clause."""
    low, high = row["roi_low"], row["roi_high"]
    if suspect:
        return "likely a bug", f"a likely bug until proven otherwise ({suspect})"
    if not row["wins"] + row["losses"]:
        return "no bet", "no bet is decided"
    if row["system_id"].startswith(IMPORTED_PREFIX):
        return "imported", "no verdict, since what was imported may have been written after the game"
    if pd.isna(low):
        verb = "is" if row["bet_dates"] == 1 else "are"
        return "too few nights", f"{plural(row['bet_dates'], 'night')} {verb} too few to judge"
    if low > 0:
        short, verdict = "better", "better than break-even by more than chance"
    elif high < 0:
        short, verdict = "worse", "worse than break-even by more than chance"
    else:
        short, verdict = "inconclusive", "indistinguishable from break-even on these nights"
    return short, f"return {percent(row['roi'], '+')} a bet [{percent(low, '+')}, {percent(high, '+')}], {verdict}"


def _errors_in_words(row: dict[str, Any]) -> str:
    if not row["rows_scored"]:
        return ""
    found = f"MAE {row['mae']:.3f}, the line's {row['line_mae']:.3f} on the same {plural(row['rows_scored'], 'row')}"
    low, high = row["mae_difference_low"], row["mae_difference_high"]
    if pd.isna(low):
        return f"{found}."
    side = "further off than the line" if low > 0 else "closer than the line" if high < 0 else "no clear difference"
    return f"{found}: {row['mae_difference']:+.3f} [{low:+.3f}, {high:+.3f}], {side}."


def after_the_fact(graded: pd.DataFrame) -> str:
    """A sentence with the number of bets that could not have been placed; empty when there are none.

    Args:
        graded: a span's ``graded_rows``.
    """
    bets = graded[scoring.bets(graded)] if len(graded) else graded
    late = int(bets["is_backfill"].fillna(True).astype(bool).sum()) if len(bets) else 0
    if not late:
        return ""
    return (
        f"{late:,} of {len(bets):,} bets were published after tip-off (backfill), when they could no longer be placed: "
        "their results are hypothetical."
    )
