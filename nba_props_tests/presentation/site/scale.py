"""A slate of as many players as one asks for, made from a small one."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from nba_props.presentation.site.slate import Slate

_FRAMES = ("props", "systems", "past", "offers", "shapes")


def of_players(small: Slate, players: int) -> Slate:
    """A slate whose players are copies of those of a small one, with ids and names of their own."""
    ids = sorted(small.props.loc[small.props["line"].notna(), "player_id"].unique())
    copies = [
        dict(zip(ids, range(n * 10_000, n * 10_000 + len(ids)), strict=True)) for n in range(-(-players // len(ids)))
    ]
    kept = {old: {new for m in copies for o, new in m.items() if o == old} for old in ids}
    assert kept

    def grown(frame: pd.DataFrame) -> pd.DataFrame:
        parts = []
        for n, numbers in enumerate(copies):
            own = frame[frame["player_id"].isin(ids)]
            part = own.assign(player_id=own["player_id"].map(numbers))
            if "player_name" in part:
                part = part.assign(player_name=part["player_name"] + f" {n}")
            parts.append(part)
        found = pd.concat(parts, ignore_index=True)
        some = set(list(dict.fromkeys(found["player_id"]))[:players]) if len(found) else set()
        return found[found["player_id"].isin(some)]

    wanted = set(grown(small.props)["player_id"])
    frames = {name: grown(getattr(small, name)) for name in _FRAMES}
    return replace(small, **{name: f[f["player_id"].isin(wanted)] for name, f in frames.items()})
