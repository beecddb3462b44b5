"""Invented teams and players; no name is a real player's or team's."""

from __future__ import annotations

import numpy as np
import pandas as pd

#: city, nickname, tricode; the first fifteen play in the east
TEAMS = (
    ("Alderport", "Herons", "ALD"), ("Brinewick", "Otters", "BRW"), ("Caskwater", "Lynxes", "CSK"),
    ("Dunmoor", "Rooks", "DNM"), ("Eastfell", "Comets", "EFL"), ("Fernhaven", "Stags", "FRN"),
    ("Glasmere", "Pilots", "GLM"), ("Harrowgate", "Foxes", "HRG"), ("Ironbridge", "Smiths", "IRB"),
    ("Juniper Bay", "Gulls", "JUN"), ("Kelsworth", "Rams", "KLW"), ("Larkspur", "Bees", "LRK"),
    ("Marrowdale", "Badgers", "MRD"), ("Northwell", "Lanterns", "NWL"), ("Oakhollow", "Owls", "OKH"),
    ("Pinecrest", "Wolves", "PCR"), ("Quarry Hill", "Mules", "QRY"), ("Ravenholm", "Ravens", "RVH"),
    ("Saltmarsh", "Cranes", "SLT"), ("Thornbury", "Hedgehogs", "THB"), ("Umberfield", "Ploughs", "UMB"),
    ("Valewood", "Harriers", "VLW"), ("Westering", "Sails", "WST"), ("Yarrow", "Yaks", "YRW"),
    ("Zephyr Point", "Kites", "ZPH"), ("Amberline", "Sparks", "AMB"), ("Bluestone", "Bison", "BLU"),
    ("Copperfield", "Cobras", "CPF"), ("Driftwood", "Divers", "DRF"), ("Emberly", "Flames", "EMB"),
)  # fmt: skip
#: players of each team: sixteen teams have 18, the others 17, as the sizes of the two reference nights require
ROSTER_SIZES = tuple(18 if i < 12 or i >= 26 else 17 for i in range(30))

_FIRST = (
    "Abel", "Bastien", "Caspian", "Dario", "Edvin", "Florian", "Gideon", "Hakan", "Ignacio", "Joram", "Kasper",
    "Leopold", "Matteo", "Nils", "Orfeo", "Pascal", "Quillan", "Rune", "Silvan", "Tadeo", "Ulrik", "Vasco", "Wendell",
    "Xander", "Yannick", "Zoltan", "Étienne", "Søren", "Iñaki", "Jürgen",
)  # fmt: skip
_LAST = (
    "Ashgrove", "Brackenridge", "Calloway", "Drummond", "Ellsworth", "Fairbairn", "Greywater", "Hollister", "Inverness",
    "Jessamy", "Kirkbride", "Lockhart", "Merriweather", "Netherby", "Ormsby", "Pemberley", "Quennell", "Rathbone",
    "Silverthorne", "Tredwell", "Underhill", "Vandermeer", "Wetherall", "Yardley", "Zeller", "Kovačević", "Núñez",
    "Þorsson", "d'Aubigny", "Saint-Clair",
)  # fmt: skip
_SUFFIX_EVERY = 23
#: nicknames in some feeds that no rule resolves; landed as aliases with the league
NICKNAMES = ("Ace", "Duke", "Sparky", "Turbo")


def names(rng: np.random.Generator, count: int) -> list[str]:
    """Distinct full names; every 23rd has a suffix. A few players of a roster share family name and initial."""
    pairs = [(f, last) for f in _FIRST for last in _LAST]
    picked = rng.permutation(len(pairs))[:count]
    suffixes = ("Jr.", "II", "III")
    full = []
    for n, k in enumerate(picked):
        first, last = pairs[k]
        full.append(f"{first} {last}" + (f" {suffixes[n % 3]}" if n % _SUFFIX_EVERY == 5 else ""))
    return full


#: minutes per game of the roster's slots in a full team, before availability and noise
SLOT_MINUTES = np.array(
    [34.5, 33.0, 31.5, 29.5, 27.0, 23.5, 20.5, 18.0, 15.0, 12.0, 9.0, 7.0, 6.0, 5.0, 5.0, 4.5, 4.0, 4.0]
)


def players(rng: np.random.Generator) -> pd.DataFrame:
    """The league's players: team, slot on the roster, and the rates that make their box scores.

    Columns: ``player_id, player_name, team (index), slot, minutes`` and per-minute rates ``fga, fta, oreb, dreb, ast,
    stl, blk, tov, pf``, ``three_share`` (of attempts), ``fg2, fg3, ft`` (percentages, 0-1).
    """
    team = np.repeat(np.arange(30), ROSTER_SIZES)
    slot = np.concatenate([np.arange(n) for n in ROSTER_SIZES])
    n = len(team)
    quality = np.clip(rng.normal(0, 1, n), -2, 2)
    star = np.exp(-slot / 2.2)  # the first slots take the shots
    big = rng.random(n) < 0.35
    return pd.DataFrame(
        {
            "player_id": 9_000_001 + np.arange(n),
            "player_name": names(rng, n),
            "team": team,
            "slot": slot,
            "minutes": np.clip(SLOT_MINUTES[slot] + rng.normal(0, 1.8, n), 2.5, 37),
            "fga": (0.29 + 0.215 * star) * np.exp(0.14 * quality),
            "fta": (0.058 + 0.10 * star) * np.exp(0.30 * rng.normal(0, 1, n)),
            "three_share": np.clip(np.where(big, 0.24, 0.50) + rng.normal(0, 0.11, n), 0, 0.8),
            "fg2": np.clip(np.where(big, 0.585, 0.515) + rng.normal(0, 0.03, n), 0.42, 0.70),
            "fg3": np.clip(0.362 + rng.normal(0, 0.025, n), 0.27, 0.44),
            "ft": np.clip(0.785 + rng.normal(0, 0.07, n), 0.5, 0.95),
            "oreb": np.where(big, 0.066, 0.026) * np.exp(0.3 * rng.normal(0, 1, n)),
            "dreb": np.where(big, 0.16, 0.103) * np.exp(0.25 * rng.normal(0, 1, n)),
            "ast": np.where(big, 0.065, 0.110) * np.exp(0.45 * rng.normal(0, 1, n)),
            "stl": 0.033 * np.exp(0.3 * rng.normal(0, 1, n)),
            "blk": np.where(big, 0.037, 0.013) * np.exp(0.4 * rng.normal(0, 1, n)),
            "tov": (0.042 + 0.035 * star) * np.exp(0.25 * rng.normal(0, 1, n)),
            "pf": 0.082 * np.exp(0.25 * rng.normal(0, 1, n)),
        }
    )  # fmt: skip
