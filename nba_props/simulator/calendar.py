"""A season's schedule: 82 games a team, back-to-backs, no-game days, an All-Star break and a postponed game."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import pandas as pd

from nba_props.facts.calendar import EASTERN

#: games a day by weekday, Monday first
_USUAL = (8, 6, 11, 5, 11, 9, 8)
#: the two reference nights: month and day -> the teams (by index) that do not play
REFERENCE_NIGHTS = {
    (1, 9): tuple(range(26, 30)),
    (1, 10): tuple(range(14, 26)),
}
_EVENING = ((19, 0), (19, 0), (19, 30), (19, 30), (20, 0), (20, 0), (20, 30), (21, 0), (21, 30), (22, 0), (22, 30))
_AFTERNOON = ((13, 0), (15, 30), *_EVENING)


def season_days(year: int) -> list[date]:
    """The dates on which games may be played: late October to mid April, less days off."""
    first = date(year, 10, 21)
    last = date(year + 1, 4, 12)
    thanksgiving = next(d for d in (date(year, 11, 22) + timedelta(n) for n in range(7)) if d.weekday() == 3)
    rest = {thanksgiving, date(year, 12, 24)} | {date(year + 1, 2, 13) + timedelta(n) for n in range(6)}
    return [d for d in (first + timedelta(n) for n in range((last - first).days + 1)) if d not in rest]


def pairings() -> list[tuple[int, int]]:
    """1,230 games as (home, away): two against each team of the other half, three or four within the half."""
    games = []
    for a in range(30):
        for b in range(a + 1, 30):
            if (a < 15) != (b < 15):
                games += [(a, b), (b, a)]
                continue
            gap = (b - a) % 15
            near = min(gap, 15 - gap)
            games += [(a, b), (b, a)]
            if near in (1, 2):  # of neighbours on a circle of 15, the first hosts the third game
                games.append((a, b) if gap == near else (b, a))
            else:
                games += [(a, b), (b, a)]
    return games


def schedule(rng: np.random.Generator, year: int) -> pd.DataFrame:
    """The season's games: ``day, home, away, tipoff_at, game_id, postponed``, in order of tip-off.

    Games are placed one by one on the best day for both teams. The makeup of the postponed game is a row of its own.
    """
    days = season_days(year)
    index = {d: i for i, d in enumerate(days)}
    capacity = np.array([_USUAL[d.weekday()] for d in days])
    busy = np.zeros((30, len(days) + 6), dtype=bool)  # padded by three days on each side
    placed: list[tuple[int, int, int]] = []
    left = pairings()
    rng.shuffle(left)

    for (month, day), resting in REFERENCE_NIGHTS.items():
        at = index[date(year + 1, month, day)]
        playing = [t for t in range(30) if t not in resting]
        for home, away in _matching(rng, left, playing):
            left.remove((home, away))
            placed.append((at, home, away))
            busy[[home, away], at + 3] = True
        capacity[at] = 0
    for home, away in left:
        load = busy[[home, away]]
        free = ~load[:, 3:-3].any(axis=0) & (capacity > 0)
        near = load[:, 2:-4] + load[:, 4:-2] * 1.0
        week = sum(load[:, 3 + k : len(days) + 3 + k] for k in (-3, -2, -1, 1, 2, 3))
        three = (load[:, 2:-4] & load[:, 1:-5]) | (load[:, 4:-2] & load[:, 5:-1]) | (load[:, 2:-4] & load[:, 4:-2])
        cost = (4.0 * near + 1.5 * week**1.5 + 500 * three).sum(axis=0) - 1.6 * capacity + rng.random(len(days))
        cost = np.where(free, cost, np.inf)
        at = int(np.argmin(cost))
        if not np.isfinite(cost[at]):  # the day is full: any day on which both are free
            open_days = np.flatnonzero(~load[:, 3:-3].any(axis=0))
            usual = [d for d in open_days if (days[d].month, days[d].day) not in REFERENCE_NIGHTS]
            at = int(rng.choice(usual))
        placed.append((at, home, away))
        busy[[home, away], at + 3] = True
        capacity[at] -= 1
    games = pd.DataFrame(placed, columns=["at", "home", "away"]).sort_values(["at", "home"], kind="stable")
    games["day"] = [days[i] for i in games["at"]]
    games["postponed"] = False
    games = _postpone_one(rng, games, days, busy)
    return _with_times_and_ids(games, year)


def _matching(rng: np.random.Generator, left: list[tuple[int, int]], teams: list[int]) -> list[tuple[int, int]]:
    """Games for a night on which all the given teams play, from those not yet placed."""
    hosts: dict[tuple[int, int], tuple[int, int]] = {}
    for k in rng.permutation(len(left)):
        home, away = left[k]
        hosts[min(home, away), max(home, away)] = (home, away)
    while True:  # most pairs of teams have a game left, so a few random tries are enough
        waiting = [int(t) for t in rng.permutation(teams)]
        night = []
        while waiting:
            one = waiting.pop()
            other = next((t for t in waiting if (min(one, t), max(one, t)) in hosts), None)
            if other is None:
                break
            waiting.remove(other)
            night.append(hosts[min(one, other), max(one, other)])
        else:
            return sorted(night)


def _postpone_one(rng: np.random.Generator, games: pd.DataFrame, days: list[date], busy: np.ndarray) -> pd.DataFrame:
    """One game of late January is postponed to a March day on which both teams are free."""
    late_january = games[[d.month == 1 and d.day > 20 for d in games["day"]]]
    picked = late_january.index[int(rng.integers(len(late_january)))]
    row = games.loc[picked]
    free = ~(busy[row["home"], 3:-3] | busy[row["away"], 3:-3])
    at = next(i for i, d in enumerate(days) if d.month == 3 and free[i])
    makeup = games.loc[[picked]].assign(at=at, day=[days[at]])
    games.loc[picked, "postponed"] = True
    return (
        pd.concat([games, makeup], ignore_index=True).sort_values(["at", "home"], kind="stable").reset_index(drop=True)
    )


def _with_times_and_ids(games: pd.DataFrame, year: int) -> pd.DataFrame:
    nth = games.groupby("at").cumcount()
    size = games.groupby("at")["home"].transform("size")
    tipoffs = []
    for day, k, n in zip(games["day"], nth, size, strict=True):
        slots = _AFTERNOON if day.weekday() >= 5 else _EVENING
        hour, minute = slots[min(int(k * len(slots) / max(n, 1)), len(slots) - 1)]
        tipoffs.append(datetime.combine(day, time(hour, minute), EASTERN).astimezone(UTC))
    games = games.assign(tipoff_at=tipoffs)
    games = games.sort_values(["day", "tipoff_at", "home"], kind="stable").reset_index(drop=True)
    games["game_id"] = [f"002{year % 100:02d}{n + 1:05d}" for n in range(len(games))]
    return games.drop(columns="at")
