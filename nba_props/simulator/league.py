"""Simulated seasons written into a landing zone, in the shapes and places of the real feeds."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nba_props.facts.calendar import EASTERN, REGULAR_SEASON
from nba_props.facts.markets import POINTS
from nba_props.facts.vocabulary import DataSource
from nba_props.process.errors import NbaPropsError
from nba_props.simulator import market, payloads, people
from nba_props.simulator.season import Season, play
from nba_props.sources import injury_report, nba_stats, odds_api
from nba_props.storage.landing import ALIASES_FILE, MANIFEST, MARKED, LandingZone, capture_suffix

#: the year in which the last simulated season starts, which has the two reference nights
REFERENCE_YEAR = 2025
Progress = Callable[[str, int, int], None]


class SimulationError(NbaPropsError):
    """The target folder has other content than the requested simulation."""


def simulate(
    out: Path,
    seasons: int = 1,
    seed: int = 7,
    progress: Progress | None = None,
    odds_days: Sequence[date] | None = None,
    asked: Sequence[str] = (POINTS,),
    asked_from: date | None = None,
) -> dict[str, Any]:
    """Write ``seasons`` seasons, the last of them 2025-26, into the folder ``out``; returns the zone's manifest.

    The same arguments give the same bytes. Seasons are made one by one, so memory does not grow with their number. The
    folder appears when it is complete; an existing one is left unchanged.

    Args:
        out: the landing zone's folder.
        seasons: how many seasons.
        seed: the league's seed.
        progress: called after each written day with season, days done and days in all.
        odds_days: write odds for these dates only; all dates by default.
        asked: the markets that the books quote; points are always among them.
        asked_from: before this date they quote points only.

    Raises:
        SimulationError: the folder exists and is not a simulation with these arguments.
    """
    years = [REFERENCE_YEAR - seasons + 1 + n for n in range(seasons)]
    manifest = {
        "data_source": DataSource.SIMULATED.value,
        "note": "An invented league: no player, team, score or line in it is real.",
        "seed": seed,
        "seasons": [f"{y}-{(y + 1) % 100:02d}" for y in years],
        "first_date": f"{years[0]}-10-20",
        "odds_days": [d.isoformat() for d in odds_days] if odds_days is not None else "all",
        "markets": list(asked),
        "markets_from": asked_from.isoformat() if asked_from else None,
    }
    if out.exists() and any(out.iterdir()):
        found = json.loads((out / MANIFEST).read_text()) if (out / MANIFEST).exists() else None
        # leagues of releases that had no other market do not name it
        if found is None or {k: found.get(k, [POINTS] if k == "markets" else None) for k in manifest} != manifest:
            raise SimulationError(f"{out} has other content already: choose another folder, or remove it")
        return dict(found)
    building = out.with_name(f"{out.name}.building")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    players = people.players(np.random.default_rng([seed, 0]))
    _write_aliases(building, players)
    for year in years:
        season = play(np.random.default_rng([seed, year]), players, year)
        _write_season(building, season, seed, progress, lambda day: _quoted_on(day, odds_days, asked, asked_from))
    manifest |= {"last_date": f"{season.games['day'].max()}", MARKED: True}
    (building / MANIFEST).write_text(json.dumps(manifest, indent=1))
    if out.exists():
        out.rmdir()
    building.rename(out)
    return manifest


def _write_aliases(out: Path, players: pd.DataFrame) -> None:
    with (out / ALIASES_FILE).open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(["alias", "player_name"])
        for number in range(len(people.NICKNAMES)):
            name = players["player_name"][number]
            writer.writerow([market.spelling(name, "fanduel", number), name])


def _quoted_on(
    day: date, odds_days: Sequence[date] | None, asked: Sequence[str], asked_from: date | None
) -> Sequence[str]:
    """The markets with odds on a date."""
    if odds_days is not None and day not in odds_days:
        return ()
    return asked if asked_from is None or day >= asked_from else (POINTS,)


def _write_season(
    out: Path,
    season: Season,
    seed: int,
    progress: Progress | None,
    asked_on: Callable[[date], Sequence[str]],
) -> None:
    zone = LandingZone(str(out))
    payloads.land(zone, f"{nba_stats.SCHEDULE_FOLDER}/{season.name}.json.gz", schedule_payload(season))
    opening = datetime.combine(date(season.year, 10, 20), time(12), EASTERN).astimezone(UTC)
    payloads.land(
        zone,
        f"{nba_stats.roster_folder(season.name)}/{season.year}-10-20{capture_suffix(opening)}.json.gz",
        payloads.rosters(season.name, _roster_rows(season)),
    )
    days = season.games.groupby("day")
    # in this process: a forked one deadlocks on its parent's threads, a spawned one outlives a stop
    for done, (day, today) in enumerate(days, start=1):
        _write_day(zone, season, day, today, seed, asked_on(day))
        if progress:
            progress(season.name, done, len(days))


def _write_day(
    zone: LandingZone, season: Season, day: date, today: pd.DataFrame, seed: int, asked: Sequence[str]
) -> None:
    """Write a day's payloads, with odds in some markets or without."""
    played = today[~today["postponed"]]
    boxes = season.boxes[season.boxes["game"].isin(played.index)]
    if len(boxes):
        payloads.land(
            zone,
            f"{nba_stats.gamelog_folder(season.name)}/{day}-regular-season.json.gz",
            payloads.game_log(season.name, REGULAR_SEASON.feed_name, day, game_log_rows(season.players, played, boxes)),
        )
    for path, content in scoring_payloads(season, day, played, boxes, seed):
        payloads.land(zone, path, content)
    payloads.land(zone, *injury_payload(season, day, played))
    if asked:
        for path, content in odds_payloads(season, today, seed, asked):
            payloads.land(zone, path, content)


def team_name(team: int) -> str:
    """City and nickname."""
    return f"{people.TEAMS[team][0]} {people.TEAMS[team][1]}"


def team_id(team: int) -> int:
    """The team's id in the feeds."""
    return 1_690_000_001 + team


def event_id(game_id: str) -> str:
    """The odds feed's id of a game's event."""
    return f"{int(game_id):032x}"


def schedule_payload(season: Season) -> dict[str, Any]:
    """scheduleleaguev2 of the season once it is over."""
    scores = season.boxes.groupby(["game", "team"])["points"].sum()
    entries = []
    for g in season.games.itertuples():
        final = not g.postponed
        home, away = (
            payloads.schedule_team(team_id(t), *people.TEAMS[t], int(scores[g.Index, t]) if final else None)
            for t in (g.home, g.away)
        )
        arena = f"{people.TEAMS[g.home][0]} Hall"
        entries.append(
            payloads.schedule_game(
                g.game_id,
                g.day,
                g.tipoff_at.to_pydatetime(),
                home,
                away,
                final=final,
                postponed=g.postponed,
                arena=arena,
            )
        )
    return payloads.schedule(season.name, entries)


def _roster_rows(season: Season) -> list[dict[str, Any]]:
    opening = season.membership.drop_duplicates("player")
    names = season.players["player_name"]
    return [
        {
            "player_id": int(season.players["player_id"][m.player]),
            "player_name": names[m.player],
            "team_id": team_id(m.team),
            "team": people.TEAMS[m.team][2],
        }
        for m in opening.itertuples()
    ]


def game_log_rows(players: pd.DataFrame, games: pd.DataFrame, boxes: pd.DataFrame) -> list[dict[str, Any]]:
    """leaguegamelog rows of some games, in the league's columns."""
    rows = boxes.merge(games[["game_id", "day", "home", "away"]], left_on="game", right_index=True)
    team = rows["team"].to_numpy()
    at_home = (rows["home"] == team).to_numpy()
    other = np.where(at_home, rows["away"], rows["home"])
    codes = np.array([t[2] for t in people.TEAMS])
    total = rows.groupby(["game", "team"])["points"].transform("sum")
    won = total == total.groupby(rows["game"]).transform("max")
    year = int(rows["day"].iloc[0].year) - (rows["day"].iloc[0].month < 7)
    p = players.iloc[rows["player"].to_numpy()]
    fga, fg3a, fta = rows["fga"], rows["fg3a"], rows["fta"]
    frame = pd.DataFrame(
        {
            "SEASON_ID": f"2{year}",
            "PLAYER_ID": p["player_id"].to_numpy(),
            "PLAYER_NAME": p["player_name"].to_numpy(),
            "TEAM_ID": [team_id(t) for t in team],
            "TEAM_ABBREVIATION": codes[team],
            "TEAM_NAME": [team_name(t) for t in team],
            "GAME_ID": rows["game_id"].to_numpy(),
            "GAME_DATE": [d.isoformat() for d in rows["day"]],
            "MATCHUP": [
                f"{codes[t]} {'vs.' if h else '@'} {codes[o]}" for t, h, o in zip(team, at_home, other, strict=True)
            ],
            "WL": np.where(won, "W", "L"),
            "MIN": rows["minutes"].to_numpy(),
            "FGM": rows["fgm"].to_numpy(),
            "FGA": fga.to_numpy(),
            "FG_PCT": (rows["fgm"] / fga.where(fga > 0)).round(3).to_numpy(),
            "FG3M": rows["fg3m"].to_numpy(),
            "FG3A": fg3a.to_numpy(),
            "FG3_PCT": (rows["fg3m"] / fg3a.where(fg3a > 0)).round(3).to_numpy(),
            "FTM": rows["ftm"].to_numpy(),
            "FTA": fta.to_numpy(),
            "FT_PCT": (rows["ftm"] / fta.where(fta > 0)).round(3).to_numpy(),
            "OREB": rows["oreb"].to_numpy(),
            "DREB": rows["dreb"].to_numpy(),
            "REB": (rows["oreb"] + rows["dreb"]).to_numpy(),
            "AST": rows["ast"].to_numpy(),
            "STL": rows["stl"].to_numpy(),
            "BLK": rows["blk"].to_numpy(),
            "TOV": rows["tov"].to_numpy(),
            "PF": rows["pf"].to_numpy(),
            "PTS": rows["points"].to_numpy(),
            "PLUS_MINUS": 0,
            "VIDEO_AVAILABLE": 1,
        }
    )
    return frame.astype(object).where(frame.notna(), None).to_dict("records")


def scoring_payloads(
    season: Season, day: date, games: pd.DataFrame, boxes: pd.DataFrame, seed: int
) -> Iterator[tuple[str, dict[str, Any]]]:
    """boxscorescoringv3 of a day's games: players with fewer threes make more of their twos in the paint."""
    twos = (boxes["fgm"] - boxes["fg3m"]).to_numpy()
    shooter = season.players["three_share"].to_numpy()[boxes["player"].to_numpy()]
    paint = np.random.default_rng([seed, day.toordinal()]).binomial(twos, np.clip(0.95 - 0.6 * shooter, 0.35, 0.9))
    rows = pd.DataFrame(
        {
            "game": boxes["game"], "team": boxes["team"], "minutes": boxes["minutes"], "points": boxes["points"],
            "player_id": season.players["player_id"].to_numpy()[boxes["player"].to_numpy()], "paint": 2 * paint,
            "mid_range": 2 * (twos - paint), "three": 3 * boxes["fg3m"], "free_throw": boxes["ftm"],
        }
    )  # fmt: skip
    sides: dict[tuple[int, int], list[dict[str, Any]]] = {}
    for row in rows.to_dict("records"):
        sides.setdefault((row["game"], row["team"]), []).append(row)
    for game in games.itertuples():
        home, away = ((team_id(t), sides[game.Index, t]) for t in (game.home, game.away))
        path = f"{nba_stats.scoring_folder(season.name)}/{day}-{game.game_id}.json.gz"
        yield path, payloads.scoring(game.game_id, home, away)


def injury_payload(season: Season, day: date, games: pd.DataFrame) -> tuple[str, dict[str, Any]]:
    """The injury report of the afternoon before a day's games, with names as "Last, First"."""
    at = datetime.combine(day, time(13, 30), EASTERN).astimezone(UTC)
    team_of = (
        season.membership[season.membership["since"] <= day].drop_duplicates("player", keep="last").set_index("player")
    )
    records = []
    for i in season.injuries[season.injuries["game"].isin(games.index)].itertuples():
        game = games.loc[i.game]
        first, *rest = season.players["player_name"][i.player].split(" ")
        records.append(
            {
                "date": f"{day:%m/%d/%Y}",
                "gametime": f"{game['tipoff_at'].astimezone(EASTERN):%H:%M} (ET)",
                "matchup": f"{people.TEAMS[game['away']][2]}@{people.TEAMS[game['home']][2]}",
                "team": team_name(int(team_of["team"][i.player])),
                "player": f"{' '.join(rest)}, {first}",
                "status": i.status,
                "reason": "Injury/Illness",
            }
        )
    path = f"{injury_report.folder(day)}/report{capture_suffix(at)}.json.gz"
    return path, {"metadata": {"report_at": payloads.instant(at)}, "records": records}


def odds_payloads(
    season: Season, games: pd.DataFrame, seed: int, asked: Sequence[str] = (POINTS,)
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every capture of some markets of a day's games, as paths and contents; a postponed game has its opening capture
    only.
    """
    names = season.players["player_name"]
    for game in games.itertuples():
        event = {
            "event_id": event_id(game.game_id),
            "home_team": team_name(game.home),
            "away_team": team_name(game.away),
        }
        quoted = season.market[season.market["game"] == game.Index]
        numbers = quoted["player"].tolist()
        captures = market.game_captures(
            [seed, int(game.game_id)],
            event,
            game.tipoff_at.to_pydatetime(),
            [names[i] for i in numbers],
            numbers,
            quoted,
            asked,
        )
        for at, content in captures[:1] if game.postponed else captures:
            yield f"{odds_api.folder(game.day, asked)}/{event['event_id']}{capture_suffix(at)}.json.gz", content
