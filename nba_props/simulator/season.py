"""A simulated season: who is fit, how long each player plays, what he scores, and what could be expected."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from nba_props.facts import markets
from nba_props.simulator import calendar, people

#: chance that a fit player misses a game unexpectedly; about 5 % of quoted players do not play
SCRATCH = 0.048
#: games of an absence after the first: the means of short and long ones, and the share of long ones
_SHORT, _LONG, _LONG_SHARE = 1.6, 18.0, 0.09
#: players with a line per game of an ordinary night
QUOTED_PER_GAME = 14
#: players with a line on the reference nights, by month and day
QUOTED_ON = {(1, 9): 162, (1, 10): 99}
#: attempts and points of one team in a game
TEAM_SHOTS, TEAM_FREE_THROWS, TEAM_POINTS = 88.0, 21.3, 120.5
#: minutes of a quoted player if he plays, as a + b x + c x² of those expected of him: some team-mate is out by then,
#: which gives most to those who play less; by regression over six seasons
_IF_HE_PLAYS = (-4.24, 1.67, -0.01447)
#: his points for the same change of minutes: the points of his team stay the same
_POINTS_IF_HE_PLAYS = 0.928
#: the shape of the gamma distribution of a player's nights: higher is more even
HEAT = 28
#: the same of each of his other counts, beside that of the night
_EVENNESS = 11
#: month, day and number of trades, each of two players of the same slot
_TRADES = ((12, 15, 2), (2, 5, 4))


@dataclass
class Season:
    """One season, as the league's feeds will publish it.

    ``games``: see ``calendar.schedule``. ``boxes``: a row per player who entered a game (``game, player``, minutes and
    counts). ``market``: a row per quoted player (``game, player``, and what
    can be expected at tip-off of each statistic that a market counts if he plays). ``injuries``: a row per known
    absence (``game, player, status``). ``membership``: ``player, team, since`` (date); the last row before
    a date is valid.
    """

    year: int
    players: pd.DataFrame
    games: pd.DataFrame
    boxes: pd.DataFrame
    market: pd.DataFrame
    injuries: pd.DataFrame
    membership: pd.DataFrame

    @property
    def name(self) -> str:
        """The season as the NBA writes it, such as 2025-26."""
        return f"{self.year}-{(self.year + 1) % 100:02d}"


def play(rng: np.random.Generator, players: pd.DataFrame, year: int) -> Season:
    """Play a season with these players; deterministic for a given generator."""
    games = calendar.schedule(rng, year)
    membership = _trade(rng, players, year)
    played = games[~games["postponed"]]
    n_players = len(players)
    team_of = players["team"].to_numpy().copy()
    moves = dict(iter(membership[membership["since"] > date(year, 10, 1)].groupby("since")))
    base = players["minutes"].to_numpy()
    form = rng.normal(0, 0.05, n_players)
    role = np.zeros(n_players)  # log of minutes over the usual, drifting as coaches change their minds
    out_for = np.zeros(n_players, dtype=int)

    lines, absences, expectations = [], [], []
    roster: dict[int, np.ndarray] = {t: np.flatnonzero(team_of == t) for t in range(30)}
    for game in played.itertuples():
        for since in [d for d in moves if d <= game.day]:
            for move in moves.pop(since).itertuples():
                team_of[move.player] = move.team
            roster = {t: np.flatnonzero(team_of == t) for t in range(30)}
        margin = abs(rng.normal(0, 12))
        overtimes = int(rng.random() < 0.048) + int(rng.random() < 0.005)
        for team in (game.home, game.away):
            squad = roster[team]
            known_out = out_for[squad] > 0
            out_for[squad] -= known_out
            scratched = ~known_out & (rng.random(len(squad)) < SCRATCH)
            longer = np.where(rng.random(len(squad)) < _LONG_SHARE, _LONG, _SHORT)
            out_for[squad[scratched]] = rng.poisson(longer)[scratched]
            usual = np.minimum(base[squad] * np.exp(role[squad]), 37.0)
            expected = _expected_minutes(usual, ~known_out)
            minutes = _play_minutes(rng, usual, ~known_out & ~scratched, margin, overtimes)
            entered = minutes >= 0
            lines.append(
                np.column_stack(
                    [np.full(entered.sum(), game.Index), squad[entered], np.full(entered.sum(), team), minutes[entered]]
                )
            )
            for player, scratch in zip(squad[known_out | scratched], scratched[known_out | scratched], strict=True):
                absences.append((game.Index, player, "Questionable" if scratch else "Out"))
            expectations.append(
                np.column_stack(
                    [
                        np.full(len(squad), game.Index),
                        squad,
                        expected,
                        form[squad],
                        ~known_out,
                        np.full(len(squad), team),
                    ]
                )
            )
            role[squad] = 0.985 * role[squad] + rng.normal(0, 0.055, len(squad))
            form[squad] = 0.97 * form[squad] + rng.normal(0, 0.02, len(squad))
    boxes = _box_scores(
        rng, players, pd.DataFrame(np.vstack(lines), columns=["game", "player", "team", "exact"]), expectations
    )
    market = _with_postponed(_market(rng, players, games, expectations), games)
    injuries = pd.DataFrame(absences, columns=["game", "player", "status"])
    return Season(year, players, games, boxes, market, injuries, membership)


def _trade(rng: np.random.Generator, players: pd.DataFrame, year: int) -> pd.DataFrame:
    """Who belongs to which team from which date: the opening rosters, and the season's trades."""
    start = pd.DataFrame({"player": np.arange(len(players)), "team": players["team"], "since": date(year, 10, 1)})
    team_of = players["team"].to_numpy().copy()
    moves = []
    for month, day, count in _TRADES:
        since = date(year if month > 9 else year + 1, month, day)
        for _ in range(count):
            slot = int(rng.integers(2, 8))
            peers = np.flatnonzero(players["slot"].to_numpy() == slot)
            one, other = rng.choice(peers, 2, replace=False)
            team_of[one], team_of[other] = team_of[other], team_of[one]
            moves += [(one, team_of[one], since), (other, team_of[other], since)]
    return pd.concat([start, pd.DataFrame(moves, columns=["player", "team", "since"])], ignore_index=True)


def _expected_minutes(base: np.ndarray, available: np.ndarray) -> np.ndarray:
    """Expected minutes: the time of unavailable players goes to the others, most to those next in the rotation."""
    weight = np.where(available, base, 0.0)
    order = np.argsort(-weight, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    promoted = people.SLOT_MINUTES[np.minimum(rank, 17)]
    blended = np.where(available, 0.68 * base + 0.32 * promoted, 0.0)
    blended = np.where(rank < 13, blended, 0.0)
    return np.minimum(blended * 240 / max(blended.sum(), 1.0), 39.0)


def _play_minutes(
    rng: np.random.Generator, base: np.ndarray, fit: np.ndarray, margin: float, overtimes: int
) -> np.ndarray:
    """Minutes played, -1 for players who do not enter: a rotation of 8 to 12, more once the game is decided."""
    minutes = _expected_minutes(base, fit)
    rotation = int(rng.choice([8, 9, 10, 11, 12], p=[0.09, 0.32, 0.34, 0.18, 0.07]))
    garbage = int(rng.integers(1, 6)) if margin > 13 else 0
    order = np.argsort(-np.where(fit, minutes, -1.0) + rng.normal(0, 1.2, len(base)), kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    enters = fit & (rank < rotation + garbage)
    noise = rng.normal(0, np.where(rank < rotation, 4.9, 2.0), len(base))
    shift = -0.16 * max(margin - 12, 0) * (rank < 6) + 0.20 * max(margin - 12, 0) * ((rank >= 6) & (rank < rotation))
    played = np.where(enters, np.maximum(minutes + noise + shift, 0.4), 0.0)
    played = np.where(enters & (rank >= rotation), np.clip(rng.exponential(3.2, len(base)), 0.1, 11), played)
    total = 240 + 25 * overtimes
    ceiling = rng.normal(38.5, 2.6, len(base)) + 5 * overtimes
    for _ in range(3):
        played = np.minimum(played * total / played.sum(), ceiling)
    return np.where(enters, played, -1.0)


def _box_scores(
    rng: np.random.Generator, players: pd.DataFrame, lines: pd.DataFrame, expectations: list[np.ndarray]
) -> pd.DataFrame:
    """Counts for every player who entered a game, from his rates, his form and chance."""
    form = pd.DataFrame(np.vstack(expectations)[:, [0, 1, 3]], columns=["game", "player", "form"])
    rows = lines.merge(form, on=["game", "player"]).astype({"game": int, "player": int, "team": int})
    p = players.iloc[rows["player"].to_numpy()].reset_index(drop=True)
    exact = rows["exact"].to_numpy()
    n = len(rows)
    heat = np.exp(rows["form"].to_numpy()) * rng.gamma(HEAT, 1 / HEAT, n)
    side = [rows["game"], rows["team"]]
    # team-mates share the shots of their team
    shots = _share(rng, exact * p["fga"] * heat, side, TEAM_SHOTS, 0.045)
    fga = np.maximum(np.rint(shots + np.sqrt(0.55 * shots) * rng.normal(0, 1, n)), 0).astype(int)
    fg3a = rng.binomial(fga, p["three_share"])
    touch = rng.normal(0, 0.03, n)  # a good or bad shooting night
    fg3m = rng.binomial(fg3a, np.clip(p["fg3"] + touch, 0.05, 0.9))
    fg2m = rng.binomial(fga - fg3a, np.clip(p["fg2"] + touch, 0.1, 0.95))
    trips = rng.poisson(
        _share(rng, exact * p["fta"] * heat * rng.gamma(6, 1 / 6, n), side, TEAM_FREE_THROWS, 0.2) / 1.92
    )
    fta = 2 * trips - rng.binomial(trips, 0.08)
    ftm = rng.binomial(fta, p["ft"])
    out = pd.DataFrame(
        {
            "game": rows["game"], "player": rows["player"], "team": rows["team"], "minutes": np.rint(exact).astype(int),
            "fgm": fg2m + fg3m, "fga": fga, "fg3m": fg3m, "fg3a": fg3a, "ftm": ftm, "fta": fta,
        }
    )  # fmt: skip
    for name in ("oreb", "dreb", "ast", "stl", "blk", "tov", "pf"):
        # who has a good night has it in everything, a little
        out[name] = rng.poisson(exact * p[name] * heat * rng.gamma(_EVENNESS, 1 / _EVENNESS, n))
    out["pf"] = out["pf"].clip(upper=6)
    out["points"] = 2 * fg2m + 3 * fg3m + ftm
    return _break_ties(out)


def _share(
    rng: np.random.Generator, wanted: pd.Series, side: list[pd.Series], total: float, spread: float
) -> np.ndarray:
    """Wanted attempts scaled so that each side of a game takes about ``total``, more in longer games."""
    wanted = pd.Series(wanted.to_numpy())
    keys = pd.MultiIndex.from_arrays([s.to_numpy() for s in side])
    sums = wanted.groupby(keys).transform("sum")
    luck = pd.Series(np.exp(rng.normal(0, spread, len(wanted)))).groupby(keys).transform("first")
    return (wanted / sums * total * luck).to_numpy()


def _break_ties(boxes: pd.DataFrame) -> pd.DataFrame:
    """No game ends level: one more free throw goes in for the first team."""
    score = boxes.groupby(["game", "team"])["points"].sum().unstack()
    level = score.max(axis=1, skipna=True).eq(score.min(axis=1, skipna=True))
    decider = boxes[boxes["game"].isin(level[level].index)].drop_duplicates("game").index
    for column in ("points", "ftm", "fta"):
        boxes.loc[decider, column] += 1
    return boxes


def _with_postponed(market: pd.DataFrame, games: pd.DataFrame) -> pd.DataFrame:
    """A game that will be postponed is quoted like its makeup."""
    called_off = games[games["postponed"]]
    makeup = called_off.reset_index().merge(
        games[~games["postponed"]].reset_index(), on=["home", "away"], suffixes=("", "_later")
    )
    makeup = makeup[makeup["day_later"] > makeup["day"]].drop_duplicates("index", keep="last")
    copies = market.merge(makeup[["index", "index_later"]], left_on="game", right_on="index_later")
    copies = copies.assign(game=copies["index"])[market.columns]
    return pd.concat([market, copies], ignore_index=True)


def points_per_minute(players: pd.DataFrame) -> np.ndarray:
    """Points a player can be expected to score in a minute."""
    p = players
    per_shot = p["three_share"] * 3 * p["fg3"] + (1 - p["three_share"]) * 2 * p["fg2"]
    return (p["fga"] * per_shot + p["fta"] * 0.96 * p["ft"]).to_numpy()


def _market(
    rng: np.random.Generator, players: pd.DataFrame, games: pd.DataFrame, expectations: list[np.ndarray]
) -> pd.DataFrame:
    """The quoted players, those with the most expected points of all not known to be out, and what each can be expected
    to have if he plays.
    """
    frame = pd.DataFrame(np.vstack(expectations), columns=["game", "player", "minutes", "form", "available", "team"])
    frame = frame.astype({"game": int, "player": int})
    rate = points_per_minute(players)[frame["player"]]
    # what is known of form: .52 is what makes E[form | seen] = seen, so that it is neither too bold nor too timid
    seen = frame["form"] * 0.52 + rng.normal(0, 0.041, len(frame))
    frame["seen"] = np.exp(seen)
    frame["expected"] = frame["minutes"] * rate * frame["seen"]
    # a team's expected points add up to the usual total, however many of its scorers are out
    frame["expected"] *= TEAM_POINTS / frame.groupby(["game", "team"])["expected"].transform("sum")
    frame = frame[frame["available"].astype(bool) & (frame["minutes"] > 8)]
    frame["day"] = games["day"].reindex(frame["game"]).to_numpy()
    size = frame.groupby("day")["game"].transform("nunique") * QUOTED_PER_GAME
    for (month, day), count in QUOTED_ON.items():
        size = size.mask([d.month == month and d.day == day for d in frame["day"]], count)
    # the players with the highest expectations of the day
    rank = frame.groupby("day")["expected"].rank(method="first", ascending=False)
    quoted = frame[rank <= size].reset_index(drop=True)
    likely = np.polynomial.Polynomial(_IF_HE_PLAYS)(quoted["minutes"])
    quoted["expected"] *= _POINTS_IF_HE_PLAYS * likely / quoted["minutes"]
    quoted["minutes"] = likely
    return quoted[["game", "player"]].assign(**{s: _expected(quoted, players, s) for s in markets.stats()})


def _expected(quoted: pd.DataFrame, players: pd.DataFrame, stat: str) -> np.ndarray:
    """What a player can be expected to have, by minutes and form, of points besides by who else is there to score."""
    p = players.iloc[quoted["player"].to_numpy()]
    if stat == "points":
        return quoted["expected"].to_numpy()
    if stat == "fg3m":
        threes = (p["fga"] * p["three_share"] * p["fg3"]).to_numpy()
        return quoted["expected"].to_numpy() * threes / points_per_minute(players)[quoted["player"]]
    return (quoted["minutes"] * quoted["seen"] * p[stat].to_numpy()).to_numpy("float64")
