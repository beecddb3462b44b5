"""The simulated league looks like the NBA, says that it is simulated, and is the same league every time."""

from __future__ import annotations

import filecmp
import gzip
import json
import subprocess
import sys
from datetime import date

import numpy as np
import pandas as pd
import pytest

from nba_props.domain import odds
from nba_props.domain.book_lines import _main_lines
from nba_props.domain.names import words
from nba_props.facts import markets
from nba_props.simulator import calendar, people
from nba_props.simulator.league import SimulationError, odds_payloads, simulate
from nba_props.simulator.market import BOOKS, DFS
from nba_props.simulator.season import play
from nba_props.simulator.truth import truth
from nba_props.sources import nba_stats, odds_api
from nba_props.storage.landing import SIMULATED_MARK, LandingZone

QUANTILES = (0.05, 0.25, 0.50, 0.75, 0.95, 0.99)
#: quantiles of the real box scores of the regular seasons 2023-24 and 2024-25, then mean and standard
#: deviation; ``test_the_yardstick_is_the_real_one`` measures them again where the real payloads are present
YARDSTICK = {
    "points": (0, 4, 9, 16, 28, 37, 10.64, 8.89),
    "minutes": (3, 15, 24, 31, 38, 42, 22.53, 10.98),
    "fga": (0, 4, 7, 12, 20, 25, 8.31, 6.10),
    "fg3a": (0, 1, 3, 5, 9, 13, 3.39, 3.10),
    "fta": (0, 0, 1, 3, 8, 12, 2.03, 2.73),
    "ast": (0, 1, 2, 4, 8, 11, 2.48, 2.64),
    "tov": (0, 0, 1, 2, 4, 6, 1.23, 1.39),
    "fg3m": (0, 0, 1, 2, 4, 6, 1.23, 1.51),
    "oreb": (0, 0, 1, 2, 4, 6, 1.01, 1.37),
    "dreb": (0, 1, 2, 4, 8, 12, 3.08, 2.71),
    "rebounds": (0, 2, 3, 6, 11, 15, 4.09, 3.47),
    "stl": (0, 0, 0, 1, 3, 4, 0.73, 0.96),
    "blk": (0, 0, 0, 1, 2, 4, 0.47, 0.84),
    "points_rebounds_assists": (1, 7, 15, 25, 41, 52, 17.22, 12.44),
    # over players with at least 20 games: mean and spread of their points, mean and spread of their minutes
    "player_points_mean": (2.2, 5.0, 8.4, 13.7, 24.0, 27.6),
    "player_points_std": (2.7, 4.5, 5.6, 6.7, 8.5, 9.8),
    "player_minutes_mean": (7.5, 14.2, 21.3, 28.9, 35.0, 36.8),
    "player_minutes_std": (4.1, 5.3, 6.4, 7.9, 10.0, 11.6),
}
#: how far a simulated quantile may lie off: absolute, and as a share of the real one; means and deviations by share
TOLERANCE = dict.fromkeys(YARDSTICK, (1.0, 0.15)) | {"player_minutes_std": (1.0, 0.42), "fga": (1.2, 0.15)}


def quantile_table(boxes: pd.DataFrame) -> pd.DataFrame:
    """The rows of YARDSTICK measured on box scores with ``season, player_id`` and the counts."""
    rows = {}
    boxes = boxes.assign(rebounds=boxes["oreb"] + boxes["dreb"])
    boxes["points_rebounds_assists"] = boxes[["points", "rebounds", "ast"]].sum(axis=1)
    for name in [n for n in YARDSTICK if not n.startswith("player_")]:
        values = boxes[name].astype(float)
        rows[name] = [*values.quantile(list(QUANTILES)), values.mean(), values.std()]
    by_player = boxes.groupby(["season", "player_id"])
    often = by_player["points"].transform("size") >= 20
    grouped = boxes[often].groupby(["season", "player_id"])
    for stat in ("points", "minutes"):
        for kind in ("mean", "std"):
            rows[f"player_{stat}_{kind}"] = list(getattr(grouped[stat], kind)().astype(float).quantile(list(QUANTILES)))
    columns = [f"q{int(100 * q):02d}" for q in QUANTILES] + ["mean", "std"]
    return pd.DataFrame([[*v, *[np.nan] * (8 - len(v))] for v in rows.values()], index=list(rows), columns=columns)


@pytest.fixture(scope="module")
def season():
    return play(np.random.default_rng([7, 2025]), people.players(np.random.default_rng([7, 0])), 2025)


def test_box_scores_are_spread_like_real_ones(season):
    boxes = season.boxes.assign(season=season.name, player_id=season.boxes["player"])
    table = quantile_table(boxes)
    print(table.round(1).to_string())  # noqa: T201
    for name, real in YARDSTICK.items():
        absolute, share = TOLERANCE[name]
        for label, expected, got in zip(table.columns, real, table.loc[name], strict=False):
            within = share * expected if label in ("mean", "std") else max(absolute, share * expected)
            assert abs(got - expected) <= within, f"{name} {label}: {got:.2f}, real {expected}"


@pytest.mark.real
@pytest.mark.long
def test_the_yardstick_is_the_real_one(real_data):
    zone = LandingZone(str(real_data / "landing"))
    days = list(nba_stats.landed_box_score_days(zone, date(2023, 10, 1), date(2025, 7, 1)))
    boxes = nba_stats.read_box_scores(zone, days).frame
    table = quantile_table(boxes[boxes["season_type"] == "Regular Season"])
    for name, stated in YARDSTICK.items():
        assert np.allclose(table.loc[name].dropna().to_numpy(), stated, atol=0.06), name


@pytest.fixture(scope="module")
def overs(season):
    """Whether the result is over the line, for a third of the quoted players by market; null where unquoted."""
    quoted = season.market.merge(season.boxes, on=["game", "player"], suffixes=("", "_result")).iloc[::3]
    found = {}
    for market in markets.MARKETS:
        result = quoted[[f"{s}_result" for s in market.stats]].sum(axis=1).to_numpy()
        line = truth(quoted, market).even_lines()
        mean = quoted[list(market.stats)].sum(axis=1)
        found[market.key] = np.where(mean >= 0.95 * market.line_error, result > line, np.nan)
    return pd.DataFrame(found)


#: correlations of going over in two markets, on real player-games of both spans
@pytest.mark.parametrize(
    ("one", "other", "real"),
    [
        ("points", "threes", 0.47),
        ("points", "rebounds", 0.15),
        ("points", "assists", 0.12),
        ("points", "points_rebounds_assists", 0.71),
    ],
)
def test_markets_depend_on_each_other_as_real_ones_do(overs, one, other, real):
    assert overs[[one, other]].corr().iloc[0, 1] == pytest.approx(real, abs=0.06)


def test_half_of_the_lines_of_every_market_are_gone_over(overs):
    """Its lines are neither high nor low; a low count can't be nearer to even."""
    for market in markets.MARKETS:
        low, high = (0.46, 0.54) if market.has_even_lines else (0.45, 0.56)
        assert low < overs[market.key].mean() < high, market.key


@pytest.fixture(scope="module")
def every_market(season):
    """The quotes of every market in the last capture before the tip-offs of some days."""
    rows = []
    for day in [date(2026, 1, d) for d in range(5, 10)]:
        games = season.games[season.games["day"] == day]
        for path, content in odds_payloads(season, games, 7, markets.keys()):
            assert f"/player_markets/{day}/" in path
            at, event = pd.Timestamp(content["timestamp"]), content["data"]
            for book in event["bookmakers"]:
                rows += [
                    {"event": event["id"], "at": at, "in_play": at >= pd.Timestamp(event["commence_time"]),
                     "book": book["key"], "key": market["key"], **outcome}
                    for market in book["markets"] for outcome in market["outcomes"]
                ]  # fmt: skip
    frame = pd.DataFrame(rows)
    frame["market"] = frame["key"].map(markets.by_feed_key())
    frame = frame[~frame["in_play"] & ~frame["book"].isin(list(DFS))]
    return frame[frame["at"] == frame.groupby("event")["at"].transform("max")]


#: bounds of the share of players about whose line the books disagree; in real spans it differs by a factor of two
DISAGREE = {
    "rebounds": (0.15, 0.6), "assists": (0.13, 0.5), "threes": (0.06, 0.4), "steals": (0.01, 0.3),
    "blocks": (0.01, 0.3), "points_rebounds_assists": (0.4, 0.9), "points_rebounds": (0.35, 0.9),
    "points_assists": (0.35, 0.9), "rebounds_assists": (0.15, 0.7),
}  # fmt: skip


#: with the hold of real books on a two-sided price
@pytest.mark.parametrize("market", [m for m in markets.MARKETS if m.key != "points"], ids=lambda m: m.key)
def test_books_quote_every_market_as_real_ones_do(every_market, market):
    own = every_market[every_market["key"] == market.feed_key]
    assert (own["point"] % 1 == 0.5).all(), "half points"
    assert own["point"].between(0.5, market.most_line).all()
    by_quote = own.pivot_table(index=["event", "book", "description", "point"], columns="name", values="price")
    hold = odds.implied_probability(by_quote["Over"]) + odds.implied_probability(by_quote["Under"]) - 1
    assert 0.06 < hold.median() < 0.08
    lines = own[own["name"] == "Over"].groupby(["event", "description"])["point"].agg(["nunique", "size"])
    several = lines[lines["size"] >= 2]
    assert len(several) > 50
    low, high = DISAGREE[market.key]
    assert low < (several["nunique"] > 1).mean() < high
    assert own["book"].nunique() == (2 if market.line_error < 1 else len(BOOKS))
    alternate = every_market[every_market["key"] == market.feed_keys[1]]
    assert set(alternate["name"]) <= {"Over"}


def test_a_season_has_the_shape_of_a_season(season):
    games = season.games[~season.games["postponed"]]
    assert len(games) == 1230
    assert season.games["postponed"].sum() == 1
    teams = pd.concat([games["home"], games["away"]])
    assert (teams.value_counts() == 82).all()
    assert (games["home"].value_counts() == 41).all()
    slots = pd.concat(
        [
            games[["day", "home"]].set_axis(["day", "team"], axis=1),
            games[["day", "away"]].set_axis(["day", "team"], axis=1),
        ]
    )
    assert not slots.duplicated().any(), "no player plays twice a day"
    gaps = slots.sort_values(["team", "day"]).groupby("team")["day"].diff().map(lambda d: getattr(d, "days", None))
    assert 8 <= (gaps == 1).sum() / 30 <= 16, "back-to-backs"
    assert gaps.max() >= 7, "the All-Star break"
    assert date(2025, 11, 27) not in set(games["day"])
    assert date(2025, 12, 24) not in set(games["day"])
    assert len(season.membership) > len(season.players), "players are traded"
    assert (games["day"] == date(2026, 1, 9)).sum() == 13
    assert (games["day"] == date(2026, 1, 10)).sum() == 9
    first, last = min(games["day"]), max(games["day"])
    assert (first.month, last.month) == (10, 4)


@pytest.mark.parametrize("seed", range(4))
def test_any_seed_gives_a_whole_season(seed):
    games = calendar.schedule(np.random.default_rng(seed), 2023)
    played = games[~games["postponed"]]
    assert len(played) == 1230
    assert (pd.concat([played["home"], played["away"]]).value_counts() == 82).all()
    assert games["game_id"].is_unique


def test_names_are_invented_and_as_hard_as_real_ones():
    players = people.players(np.random.default_rng([7, 0]))
    assert players["player_name"].is_unique
    assert len(players) == 526
    assert players["player_name"].str.contains(r"Jr\.|III|II").sum() > 10
    assert players["player_name"].map(lambda n: not n.isascii()).sum() > 30
    assert min(len(words(n)) for n in players["player_name"]) >= 2


LANDED = [date(2025, 12, 1), date(2025, 12, 2), *(date(2026, 1, d) for d in range(5, 15))]


@pytest.fixture(scope="module")
def landed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sim") / "landing"
    simulate(folder, odds_days=LANDED)
    zone = LandingZone(str(folder))
    quotes = []
    for day in LANDED:
        rows, rejects = odds_api.read_day(zone, day)
        assert rejects == []
        quotes += rows
    boxes = nba_stats.read_box_scores(zone, LANDED).frame
    return zone, pd.DataFrame(quotes), boxes


@pytest.mark.long
def test_the_market_resembles_the_real_one(landed):
    """Line MAE about 5, over rate 48-50 %, vig 6-8 %, disagreement on half the players, 5 % who do not play."""
    _, quotes, boxes = landed
    quotes = quotes[quotes["snapshot_at"] < quotes["commence_at"]].assign(
        player_id=quotes["player_lookup"], game_id=quotes["event_id"]
    )
    books = quotes[(quotes["book_kind"] == "SPORTSBOOK") & quotes["over_price"].notna() & quotes["under_price"].notna()]
    books = books[books["snapshot_at"] == books.groupby("event_id")["snapshot_at"].transform("max")]
    main = _main_lines(books)
    line = main.groupby(["event_id", "player_lookup"])["line"].agg(["median", "min", "max", "size"])
    several = line[line["size"] >= 4]
    spread = several["max"] - several["min"]
    assert 0.45 < (spread > 0).mean() < 0.65
    assert 0.45 < spread.mean() < 0.75
    vig = sum(odds.implied_probability(main[side]) for side in ("over_price", "under_price")) - 1
    assert 0.06 < vig.median() < 0.08
    assert ((main["over_price"].abs() >= 100) & (main["under_price"].abs() >= 100)).all()
    assert (main["line"] % 1 == 0.5).all()

    points = boxes.set_index("player_lookup")[["game_id", "points"]]
    points = points.assign(event_id=[f"{int(g):032x}" for g in points["game_id"]]).reset_index()
    line.index = line.index.set_names(["event_id", "player_lookup"])
    both = several[["median"]].reset_index().merge(points, on=["event_id", "player_lookup"], how="left")
    assert 0.03 < both["points"].isna().mean() < 0.12, "unplayed, or spelled so that no rule of one line matches"
    played = both.dropna()
    error = (played["median"] - played["points"].astype(float)).abs().mean()
    over = (played["points"] > played["median"]).mean()
    assert 4.6 < error < 5.5, error
    assert 0.46 < over < 0.53, over


@pytest.mark.long
def test_dfs_books_quote_whole_numbers_and_genuine_twenties(landed):
    _, quotes, _ = landed
    dfs = quotes[quotes["book_kind"] == "DFS"]
    assert 0.10 < (dfs["line"] % 1 == 0).mean() < 0.25
    assert (dfs["line"] == 20.0).sum() > 5
    assert (quotes["market"] == "player_points_alternate").any()
    assert (quotes["snapshot_at"] >= quotes["commence_at"]).any()


@pytest.mark.long
def test_every_row_is_marked_as_simulated(landed):
    zone, quotes, boxes = landed
    assert zone.is_simulated
    assert set(quotes["data_source"]) == set(boxes["data_source"]) == {"SIMULATED"}
    assert "invented" in zone.manifest["note"]


@pytest.mark.long
def test_a_killed_simulation_leaves_no_zone_and_the_next_one_is_whole(landed, tmp_path, monkeypatch):
    """The same seed gives the same bytes, and another seed does not."""
    from nba_props.simulator import league

    first, others, plain = landed[0]._path, [], league._write_day

    def killed(zone, season, day, *given, **options):
        plain(zone, season, day, *given, **options)
        log = f"nba_stats/leaguegamelog/{season.name}/{day}-regular-season.json.gz"
        others.append((zone._path / log).read_bytes() != (first / log).read_bytes())
        if len(others) == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(league, "_write_day", killed)
        with pytest.raises(KeyboardInterrupt):
            simulate(tmp_path / "b", seed=3, odds_days=LANDED)
    assert others == [True] * 3
    assert not (tmp_path / "b").exists()
    simulate(tmp_path / "b", odds_days=LANDED)
    files = sorted(p.relative_to(first) for p in first.rglob("*") if p.is_file())
    assert len(files) > 300
    same, different, missing = filecmp.cmpfiles(first, tmp_path / "b", [str(f) for f in files], shallow=False)
    assert (len(same), different, missing) == (len(files), [], [])


@pytest.mark.long
def test_a_zone_that_is_there_stays_as_it_is(landed, tmp_path):
    zone = landed[0]._path
    victim = zone / "nba_stats/scheduleleaguev2/2025-26.json.gz"
    before = victim.stat().st_ino, victim.stat().st_mtime_ns
    simulate(zone, odds_days=LANDED)
    assert (victim.stat().st_ino, victim.stat().st_mtime_ns) == before
    with pytest.raises(SimulationError, match="choose another folder"):
        simulate(zone, seed=8, odds_days=LANDED)
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "mine.txt").write_text("keep me")
    with pytest.raises(SimulationError):
        simulate(tmp_path / "x", odds_days=LANDED)
    assert (tmp_path / "x" / "mine.txt").exists()


#: a process of its own, since a process remembers its peak
PEAK = """
import resource, sys
from pathlib import Path
from nba_props.simulator.league import simulate
simulate(Path(sys.argv[1]), seasons=int(sys.argv[2]), odds_days=[])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
@pytest.mark.long
def test_memory_does_not_grow_with_the_number_of_seasons(tmp_path):
    one, three = (  # kilobytes
        int(subprocess.check_output([sys.executable, "-c", PEAK, str(tmp_path / str(n)), str(n)])) for n in (1, 3)
    )
    assert three < 1.15 * one


@pytest.mark.long
def test_payloads_have_the_keys_of_the_real_ones(landed, real_data):
    """Field by field: what a parser reads from a real payload it finds in a simulated one, and nothing else."""

    def shape(value, depth=0):
        if isinstance(value, dict):
            return {k: shape(v, depth + 1) for k, v in value.items() if k not in ("gameSubtype",)}
        if isinstance(value, list):
            return [shape(value[0], depth + 1)] if value and not isinstance(value[0], str | int | float) else "list"
        return "value"

    zone, _, _ = landed
    pairs = [
        ("the_odds_api/player_points/2025-11-05", "the_odds_api/player_points/2026-01-09"),
        ("nba_stats/leaguegamelog/2025-26", "nba_stats/leaguegamelog/2025-26"),
        ("nba_stats/scheduleleaguev2", "nba_stats/scheduleleaguev2"),
    ]
    for real_folder, simulated_folder in pairs:
        real_file = sorted((real_data / "landing" / real_folder).iterdir())[-1]
        real = json.loads(gzip.decompress(real_file.read_bytes()))
        simulated = zone.load(zone.list(simulated_folder)[0])
        assert simulated.pop(SIMULATED_MARK) is True, "the one field more"
        if "resultSets" in real:
            assert real["resultSets"][0]["headers"] == simulated["resultSets"][0]["headers"]
            assert len(real["resultSets"][0]["rowSet"][0]) == len(simulated["resultSets"][0]["rowSet"][0])
            real["resultSets"][0].pop("rowSet"), simulated["resultSets"][0].pop("rowSet")
        assert shape(simulated) == shape(real), real_folder
