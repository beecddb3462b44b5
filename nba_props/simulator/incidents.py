"""Every incident the platform must survive, switched on by name over a simulated landing zone.

Each damages the payloads of one night the way the outside world did or may do. What the platform makes of it is shown
by ``nba_props_tests/simulator/test_incidents.py`` and by ``nba-props demo --incident NAME``.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pandas as pd
from upath import UPath

from nba_props.domain.names import player_lookup
from nba_props.facts.calendar import game_date_of, parse_instant, season_of
from nba_props.schemas import TABLES
from nba_props.simulator import payloads
from nba_props.sources import nba_stats, odds_api
from nba_props.storage.landing import LandingZone, Payload, capture_suffix
from nba_props.warehouse.partitioned import PartitionedWarehouse

NIGHT = date(2026, 1, 9)
#: a date of the All-Star break
FREE_DAY = date(2026, 2, 14)
#: the Sunday on which clocks go back
CLOCK_CHANGE = date(2025, 11, 2)


@dataclass(frozen=True)
class Incident:
    """A named incident: ``damage`` changes a landing zone, ``afterwards`` a warehouse; each says what it did."""

    description: str
    damage: Callable[[LandingZone], str] | None = None
    #: the date to predict to see it
    day: date = NIGHT
    #: what happens once the date is published; the date is then run again
    afterwards: Callable[[PartitionedWarehouse], str] | None = None


def apply(name: str, zone: LandingZone) -> str:
    """Damage a zone; returns what was done, or that nothing was to do before the date is published.

    Raises:
        KeyError: no incident has this name.
    """
    damage = INCIDENTS[name].damage
    return damage(zone) if damage else "the payloads stay as they are"


# -- tools ------------------------------------------------------------------------------------------------------------


def _rewrite(zone: LandingZone, payload: Payload, content: Any, path: str | None = None) -> None:
    """Replace a landed payload: only a simulator, which plays the outside world, may do this."""
    _remove(zone, payload)
    zone.land(path or payload.path, content)


def _remove(zone: LandingZone, payload: Payload) -> None:
    (UPath(zone.root) / payload.path).unlink()


def _captures(zone: LandingZone, day: date) -> Iterator[tuple[Payload, dict[str, Any]]]:
    for payload in zone.list(odds_api.folder(day)):
        yield payload, zone.load(payload)


def _edit_outcomes(zone: LandingZone, day: date, change: Callable[[str, dict[str, Any]], None]) -> int:
    """Apply a change to every outcome of a date's captures; returns how many outcomes there are."""
    count = 0
    for payload, content in _captures(zone, day):
        for book in content["data"]["bookmakers"]:
            for market in book["markets"]:
                for outcome in market["outcomes"]:
                    change(book["key"], outcome)
                    count += 1
        _rewrite(zone, payload, content)
    return count


def _game_log(zone: LandingZone, day: date) -> tuple[Payload, dict[str, Any]]:
    folder = nba_stats.gamelog_folder(season_of(day))
    payload = next(p for p in zone.list(folder) if p.subject.startswith(day.isoformat()))
    return payload, zone.load(payload)


def _edit_schedule(zone: LandingZone, day: date, change: Callable[[dict[str, Any]], None]) -> None:
    """Land a newer capture of the season's schedule with every game changed as told."""
    payload = next(p for p in zone.list(nba_stats.SCHEDULE_FOLDER) if p.subject == season_of(day))
    content = copy.deepcopy(zone.load(payload))
    games = [g for d in content["leagueSchedule"]["gameDates"] for g in d["games"]]
    for game in games:
        change(game)
    at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    path = f"{nba_stats.SCHEDULE_FOLDER}/{season_of(day)}{capture_suffix(at)}.json.gz"
    payloads.land(zone, path, payloads.schedule(season_of(day), games))


def _games_of(zone: LandingZone, day: date) -> list[dict[str, Any]]:
    payload = next(p for p in zone.list(nba_stats.SCHEDULE_FOLDER) if p.subject == season_of(day))
    groups = zone.load(payload)["leagueSchedule"]["gameDates"]
    return [g for d in groups for g in d["games"] if game_date_of(parse_instant(g["gameDateTimeUTC"])) == day]


def _event_of(zone: LandingZone, day: date, game: dict[str, Any]) -> list[tuple[Payload, dict[str, Any]]]:
    home = f"{game['homeTeam']['teamCity']} {game['homeTeam']['teamName']}"
    return [(p, c) for p, c in _captures(zone, day) if c["data"]["home_team"] == home]


def _most_quoted(zone: LandingZone, day: date) -> str:
    """The name with the highest line before tip-off on a date."""
    best = ("", 0.0)
    for _, content in _captures(zone, day):
        if content["timestamp"] >= content["data"]["commence_time"]:
            continue
        for book in content["data"]["bookmakers"]:
            for outcome in book["markets"][0]["outcomes"] if book["key"] == "draftkings" else ():
                if outcome["point"] > best[1]:
                    best = (outcome["description"], outcome["point"])
    return best[0]


# -- the incidents ----------------------------------------------------------------------------------------------------


def _missing(field: str) -> Callable[[LandingZone], str]:
    def damage(zone: LandingZone) -> str:
        seen = {"n": 0, "cut": 0}

        def change(book: str, outcome: dict[str, Any]) -> None:
            seen["n"] += 1
            if book == "draftkings" and seen["n"] % 3 == 0:
                del outcome[field]
                seen["cut"] += 1

        _edit_outcomes(zone, NIGHT, change)
        return f"{seen['cut']} outcomes of draftkings lost their {field}"

    return damage


def _in_play_latest(zone: LandingZone) -> str:
    removed = 0
    first_game = _games_of(zone, NIGHT)[0]
    only_live = {p.path for p, _ in _event_of(zone, NIGHT, first_game)}
    for payload, content in list(_captures(zone, NIGHT)):
        before = parse_instant(content["data"]["commence_time"]) - parse_instant(content["timestamp"])
        in_play = before <= timedelta(0)
        if not in_play and (before < timedelta(hours=2) or payload.path in only_live):
            _remove(zone, payload)
            removed += 1
    return f"{removed} captures before tip-off are gone; one game has in-play captures only"


def _frozen_book(zone: LandingZone) -> str:
    openings: dict[str, dict[str, Any]] = {}
    for payload, content in _captures(zone, NIGHT):
        books = content["data"]["bookmakers"]
        mine = next(b for b in books if b["key"] == "draftkings")
        frozen = openings.setdefault(content["data"]["id"], mine)
        books[books.index(mine)] = frozen
        _rewrite(zone, payload, content)
    return "draftkings repeats its opening quotes of the day before in every later capture"


def _duplicate_captures(zone: LandingZone) -> str:
    landed = zone.list(odds_api.folder(NIGHT))
    for n, payload in enumerate(landed):
        zone.land(f"{odds_api.folder(NIGHT)}/again-{n}-{payload.stem}.json.gz", zone.load(payload))
    return f"{len(landed)} captures were delivered twice"


def _out_of_order_captures(zone: LandingZone) -> str:
    landed = list(_captures(zone, NIGHT))
    for n, (payload, content) in enumerate(landed):
        _rewrite(zone, payload, content, f"{odds_api.folder(NIGHT)}/{len(landed) - n:04d}-late-delivery.json.gz")
    return f"{len(landed)} captures carry names in reverse order and no instant"


def _truncated_json(zone: LandingZone) -> str:
    victims = zone.list(odds_api.folder(NIGHT))[::9]
    for payload in victims:
        place = UPath(zone.root) / payload.path
        data = place.read_bytes()
        place.unlink()
        place.write_bytes(data[: len(data) // 2])
    return f"{len(victims)} captures end in the middle"


def _empty_rowset(zone: LandingZone) -> str:
    payload, content = _game_log(zone, NIGHT - timedelta(1))
    content["resultSets"][0]["rowSet"] = []
    _rewrite(zone, payload, content)
    return f"the game log of {NIGHT - timedelta(1)} has no rows"


def _event_id_changes(zone: LandingZone) -> str:
    changed = 0
    for payload, content in list(_captures(zone, NIGHT)):
        before = parse_instant(content["data"]["commence_time"]) - parse_instant(content["timestamp"])
        if before < timedelta(hours=2):
            content["data"]["id"] = "f" * 8 + content["data"]["id"][8:]
            _rewrite(zone, payload, content, payload.path.replace("/0", "/f", 1))
            changed += 1
    return f"the last {changed} captures call their events by new ids"


def _game_moved(zone: LandingZone) -> str:
    game = _games_of(zone, NIGHT)[0]
    later = parse_instant(game["gameDateTimeUTC"]) + timedelta(days=45)

    def change(entry: dict[str, Any]) -> None:
        if entry["gameId"] == game["gameId"]:
            entry["gameDateTimeUTC"] = payloads.instant(later)
            entry["gameDateEst"] = f"{game_date_of(later)}T00:00:00Z"

    _edit_schedule(zone, NIGHT, change)
    payload, log = _game_log(zone, NIGHT)
    result = log["resultSets"][0]
    result["rowSet"] = [r for r in result["rowSet"] if game["gameId"] not in r]  # nobody played it that night
    _rewrite(zone, payload, log)
    return f"game {game['gameId']} moved to {game_date_of(later)}; its odds of the old date stay landed"


def _past_midnight(zone: LandingZone) -> str:
    """One game of the night tips off five minutes after midnight, so it belongs to the next date."""
    next_day = NIGHT + timedelta(1)
    busy = {t for g in _games_of(zone, next_day) for t in (g["homeTeam"]["teamId"], g["awayTeam"]["teamId"])}
    game = next(g for g in _games_of(zone, NIGHT) if not busy & {g["homeTeam"]["teamId"], g["awayTeam"]["teamId"]})
    tipoff = datetime(next_day.year, next_day.month, next_day.day, 5, 5, tzinfo=UTC)  # 00:05 Eastern

    def change(entry: dict[str, Any]) -> None:
        if entry["gameId"] == game["gameId"]:
            entry["gameDateTimeUTC"] = payloads.instant(tipoff)

    _edit_schedule(zone, NIGHT, change)
    for payload, content in _event_of(zone, NIGHT, game):
        content["data"]["commence_time"] = payloads.instant(tipoff)
        _rewrite(zone, payload, content, payload.path.replace(NIGHT.isoformat(), next_day.isoformat(), 1))
    return f"game {game['gameId']} of the evening of {NIGHT} tips off at 00:05 Eastern on {next_day}"


def _clock_change(zone: LandingZone) -> str:
    """A game in the hour that happens twice when clocks go back, in its second pass."""
    game = _games_of(zone, CLOCK_CHANGE)[0]
    tipoff = datetime(2025, 11, 2, 6, 30, tzinfo=UTC)  # 01:30 Eastern standard time; 05:30 UTC is 01:30 too

    def change(entry: dict[str, Any]) -> None:
        if entry["gameId"] == game["gameId"]:
            entry["gameDateTimeUTC"] = payloads.instant(tipoff)

    _edit_schedule(zone, CLOCK_CHANGE, change)
    for n, (payload, content) in enumerate(_event_of(zone, CLOCK_CHANGE, game)):
        content["data"]["commence_time"] = payloads.instant(tipoff)
        content["timestamp"] = payloads.instant(tipoff - timedelta(minutes=90 - 30 * n))
        _rewrite(zone, payload, content)
    return f"game {game['gameId']} tips off at 01:30 Eastern after the clocks went back"


def _traded_today(zone: LandingZone) -> str:
    name = _most_quoted(zone, NIGHT)
    moved: list[dict[str, Any]] = []
    target = None
    for payload, content in list(_captures(zone, NIGHT)):
        home = content["data"]["home_team"]
        here = any(
            o["description"] == name for b in content["data"]["bookmakers"] for m in b["markets"] for o in m["outcomes"]
        )
        if not here and target is None:
            target = home
        for book in content["data"]["bookmakers"]:
            for market in book["markets"]:
                if here:
                    moved += [o for o in market["outcomes"] if o["description"] == name]
                    market["outcomes"] = [o for o in market["outcomes"] if o["description"] != name]
                elif home == target and market["key"] == "player_points":
                    market["outcomes"] += [
                        {"name": side, "description": name, "price": -112, "point": 21.5} for side in ("Over", "Under")
                    ]
        _rewrite(zone, payload, content)
    return f"{name} is quoted for the game at {target}, of two teams he never played for"


def _same_name(zone: LandingZone) -> str:
    game = _games_of(zone, NIGHT)[0]
    home, away = game["homeTeam"]["teamId"], game["awayTeam"]["teamId"]
    books = _event_of(zone, NIGHT, game)[0][1]["data"]["bookmakers"]
    quoted = {player_lookup(o["description"]) for b in books for m in b["markets"] for o in m["outcomes"]}
    _, log = _game_log(zone, NIGHT)
    at = {h: i for i, h in enumerate(log["resultSets"][0]["headers"])}
    rows = log["resultSets"][0]["rowSet"]
    known = [r for r in rows if r[at["TEAM_ID"]] == home and player_lookup(r[at["PLAYER_NAME"]]) in quoted]
    other = next(r for r in rows if r[at["TEAM_ID"]] == away and player_lookup(r[at["PLAYER_NAME"]]) not in quoted)
    name, twin = known[0][at["PLAYER_NAME"]], other[at["PLAYER_ID"]]
    for payload in zone.list(nba_stats.gamelog_folder(season_of(NIGHT))):
        content = zone.load(payload)
        for row in content["resultSets"][0]["rowSet"]:
            if row[at["PLAYER_ID"]] == twin:
                row[at["PLAYER_NAME"]] = name
        _rewrite(zone, payload, content)
    return f"players of both teams of game {game['gameId']} are called {name}"


def _suffix_dropped(zone: LandingZone) -> str:
    suffixes = {"Jr.", "II", "III"}
    touched = set()

    def change(_: str, outcome: dict[str, Any]) -> None:
        words = outcome["description"].split(" ")
        if words[-1] in suffixes:
            touched.add(outcome["description"])
            outcome["description"] = " ".join(words[:-1])

    _edit_outcomes(zone, NIGHT, change)
    return f"every book drops the suffix of {', '.join(sorted(touched))}"


def _book_renames_player(zone: LandingZone) -> str:
    name = _most_quoted(zone, NIGHT)

    def change(book: str, outcome: dict[str, Any]) -> None:
        if book == "draftkings" and outcome["description"] == name:
            outcome["description"] = "The Lighthouse"

    _edit_outcomes(zone, NIGHT, change)
    return f"draftkings calls {name} The Lighthouse"


def _corrected_box_scores(zone: LandingZone) -> str:
    day = NIGHT - timedelta(1)
    payload, content = _game_log(zone, day)
    result = content["resultSets"][0]
    at = {h: i for i, h in enumerate(result["headers"])}
    row = max(result["rowSet"], key=lambda r: r[at["PTS"]])
    row[at["PTS"]] -= 2
    row[at["FGM"]] -= 1
    at_noon = datetime(NIGHT.year, NIGHT.month, NIGHT.day, 17, tzinfo=UTC)
    zone.land(f"{payload.path.split('.json')[0]}{capture_suffix(at_noon)}.json.gz", content)
    return f"two points of {row[at['PLAYER_NAME']]} on {day} were taken back the next day"


def _odds_without_games(zone: LandingZone) -> str:
    landed = list(_captures(zone, NIGHT))[:5]
    shift = FREE_DAY - NIGHT
    for payload, content in landed:
        for field in ("commence_time",):
            content["data"][field] = payloads.instant(parse_instant(content["data"][field]) + shift)
        content["timestamp"] = payloads.instant(parse_instant(content["timestamp"]) + shift)
        zone.land(payload.path.replace(NIGHT.isoformat(), FREE_DAY.isoformat(), 1), content)
    return f"{len(landed)} captures of games on {FREE_DAY}, on which nobody plays"


def _games_without_odds(zone: LandingZone) -> str:
    landed = zone.list(odds_api.folder(NIGHT))
    for payload in landed:
        _remove(zone, payload)
    return f"no capture of {NIGHT} was landed ({len(landed)} removed)"


def second_writer(
    warehouse: PartitionedWarehouse, days: Sequence[date], rows: int | None = None, system_id: str = "moving_average"
) -> int:
    """A second writer puts 20.0 without a source beside the ledger's rows, past the gate, as the legacy backfill did.

    ``rows`` are written evenly over the dates, by as many reruns as that takes; None is one run, a row for each
    prediction of the system.

    Returns:
        The number of rows written.
    """
    table = TABLES["nba_predictions.ledger"]
    busy = [d for d in days if (warehouse.read(table, [d])["system_id"] == system_id).any()]
    count = 0
    for n, day in enumerate(busy):
        known = warehouse.read(table, [day])
        mine = known[known["system_id"] == system_id]
        wanted = len(mine) if rows is None else (rows - count) // (len(busy) - n)
        reruns = pd.Series(range(wanted)) // len(mine)
        fake = mine.iloc[[i % len(mine) for i in range(wanted)]].assign(
            line=20.0, line_source=None, line_source_api=None, sportsbook=None, quote_id=None, has_prop_line=False,
            recommendation="UNDER", run_id=[f"player_prop_predictions_backfill_{r}" for r in reruns],
        )  # fmt: skip
        fake["created_at"] += pd.to_timedelta(reruns.to_numpy() + 1, unit="s")
        keys = zip(fake["player_id"], reruns, range(wanted), strict=True)
        fake["prediction_id"] = [f"{day}-{p}-{system_id}-{r}-{i}" for p, r, i in keys]
        warehouse.write_unchecked(table, pd.concat([known, fake], ignore_index=True), day)
        count += len(fake)
    return count


INCIDENTS: dict[str, Incident] = {
    "second_writer": Incident(
        "a second writer puts 20.0 without a source beside the published rows",
        afterwards=lambda lake: f"{second_writer(lake, [NIGHT])} rows of 20.0 were written past the gate",
    ),
    "missing_point": Incident("outcomes of one book come without their line", _missing("point")),
    "missing_price": Incident("outcomes of one book come without their price", _missing("price")),
    "in_play_latest": Incident("the latest captures are all in play", _in_play_latest),
    "frozen_book": Incident("a book repeats yesterday's quotes in every capture", _frozen_book),
    "duplicate_captures": Incident("every capture is delivered twice", _duplicate_captures),
    "out_of_order_captures": Incident("captures arrive in the wrong order", _out_of_order_captures),
    "truncated_json": Incident("files end in the middle", _truncated_json),
    "empty_rowset": Incident("yesterday's game log has no rows, with status 200", _empty_rowset),
    "event_id_changes": Incident("the odds feed gives its events new ids during the day", _event_id_changes),
    "game_moved": Incident("a game moves to another day after it was quoted", _game_moved),
    "past_midnight": Incident("a game tips off after midnight Eastern", _past_midnight),
    "clock_change": Incident("a game is played in the hour that clocks repeat", _clock_change, CLOCK_CHANGE),
    "traded_today": Incident("a player is quoted for a team he never played for", _traded_today),
    "same_name": Incident("two players in one game have one name", _same_name),
    "suffix_dropped": Incident("every book drops Jr., II and III", _suffix_dropped),
    "book_renames_player": Incident("one book calls a star by a name nobody knows", _book_renames_player),
    "corrected_box_scores": Incident("yesterday's points are corrected today", _corrected_box_scores),
    "odds_without_games": Incident("odds arrive for a day without games", _odds_without_games, FREE_DAY),
    "games_without_odds": Incident("a game day has no odds at all", _games_without_odds),
}
