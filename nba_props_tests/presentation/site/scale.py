"""A slate of as many players as one asks for, made from a small one."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from nba_props.presentation.site.player import Players
from nba_props.presentation.site.slate import Slate

_OF_SLATE = ("props", "systems", "past", "offers", "shapes")
_OF_PLAYERS = ("games", "lines", "splits", "rows", "moves", "minutes")


def of_players(small: Slate, beside: Players, players: int) -> tuple[Slate, Players]:
    """A slate whose players are copies of those with a line of a small one, with ids and names of their own."""
    ids = sorted(small.props.loc[small.props["line"].notna(), "player_id"].unique())
    numbers = [
        (n, dict(zip(ids, range(n * len(ids), (n + 1) * len(ids)), strict=True)))
        for n in range(-(-players // len(ids)))
    ]

    def grown(frame: pd.DataFrame) -> pd.DataFrame:
        own = frame[frame["player_id"].isin(ids)]
        parts = [own.assign(player_id=own["player_id"].map(to)) for _, to in numbers]
        if "player_name" in own:
            parts = [part.assign(player_name=part["player_name"] + f" {n}") for n, part in enumerate(parts)]
        found = pd.concat(parts, ignore_index=True)
        return found[found["player_id"] < players].reset_index(drop=True)

    return (
        replace(small, **{name: grown(getattr(small, name)) for name in _OF_SLATE}),
        replace(beside, **{name: grown(getattr(beside, name)) for name in _OF_PLAYERS}),
    )
