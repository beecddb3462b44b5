"""Payloads with their structure mutated: no reader raises, no row is unbelievable, and none is lost in silence.

A feed's mutations are read together, as payloads of one date, so that thousands cost what one payload of many rows does.
"""

from __future__ import annotations

import gc
import gzip
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from nba_props.domain.quotes import match_games
from nba_props.facts.calendar import YEARS, days
from nba_props.facts.teams import are_opponents, are_teams
from nba_props.schemas import Table, raw
from nba_props.schemas.base import Type
from nba_props.simulator import payloads
from nba_props.sources import nba_stats, odds_api, pdf_words
from nba_props.sources.injury_report.parse import read_reports
from nba_props.sources.nba_stats.rosters import read_rosters
from nba_props.sources.nba_stats.schedule import parse_schedule
from nba_props.sources.nba_stats.scoring_shares import read_scoring
from nba_props.sources.rejects import Parsed, Reject, quarantine_frame
from nba_props.storage import fields
from nba_props.storage.landing import LandingZone, Payload, PayloadError, capture_suffix
from nba_props_tests import league
from nba_props_tests.conftest import DAY
from nba_props_tests.sources.mutations import mutated, places

GAME = next(g for g in league.games() if g.day == DAY)
NOON = datetime(2025, 11, 10, 17, tzinfo=UTC)

# -- feeds ------------------------------------------------------------------------------------------------------------


class Held(LandingZone):
    """A zone that holds payloads in memory, so that thousands cost no files."""

    def __init__(self, landed: dict[str, bytes]) -> None:
        super().__init__("memory://fuzz")
        self.landed = landed
        self.manifest = {}

    def list(self, folder: str):
        mine = [Payload(p) for p in self.landed if p.rsplit("/", 1)[0] == folder]
        return sorted(mine, key=lambda p: p.order)

    def load_bytes(self, payload: Payload) -> bytes:
        return self.landed[payload.path]

    def ahead(self, payloads):
        yield from payloads


@dataclass(frozen=True)
class Feed:
    """A feed's table, its n-th payload with ids of its own, how payloads are read, and how many rows each has."""

    table: Table
    payload: Callable[[int], tuple[str, Any]]
    read: Callable[[LandingZone], Parsed]
    rows: int = 4


def at(n: int) -> datetime:
    return NOON + timedelta(seconds=n)


def odds(n: int, archive: bool) -> tuple[str, Any]:
    people = [league.player(t, s)[1] for t in (GAME.home, GAME.away) for s in range(2)]
    quotes = [{"player": p, "line": 9.5 + i, "over": -110, "under": -112 + i * 230} for i, p in enumerate(people)]
    books = {b: [payloads.market("player_points", quotes, NOON)] for b in ("draftkings", "fanduel")}
    event = payloads.event_odds(f"{n:032x}", GAME.tipoff_at, GAME.home.full, GAME.away.full, books)
    path = f"{odds_api.folder(DAY)}/{n:032x}{capture_suffix(at(n))}.json.gz"
    return path, payloads.historical(event, at(n)) if archive else event


SCHEDULE = parse_schedule(
    league.schedule([g for g in league.games() if g.day == DAY], DAY), Payload(f"x/{league.SEASON}.json")
)[0]
SCHEDULED = pd.DataFrame(SCHEDULE).assign(game_date=pd.Timestamp(DAY))


def read_odds(zone: LandingZone) -> Parsed:
    rows, rejects = odds_api.read_day(zone, DAY)
    if not rows:
        return Parsed(raw.ODDS_QUOTES.empty(), rejects)
    parsed = pd.DataFrame(rows).assign(game_date=pd.Timestamp(DAY))
    for column in ("snapshot_at", "last_update_at", "commence_at"):
        parsed[column] = pd.to_datetime(parsed[column], utc=True)
    matched, unknown = match_games(parsed, SCHEDULED)
    strange = [
        Reject(r.payload, None, "GAME_NOT_IN_SCHEDULE", f"{r.payload}: no such game") for r in unknown.itertuples()
    ]
    return Parsed.of(raw.ODDS_QUOTES, matched, [*rejects, *strange])


def log(n: int) -> tuple[str, Any]:
    rows = [r for r in league.log_rows(replace(GAME, game_id=f"00225{n + 1:05d}")) if r["PLAYER_ID"] % 100 < 2]
    content = payloads.game_log(league.SEASON, "Regular Season", DAY, rows)
    return f"{nba_stats.gamelog_folder(league.SEASON)}/{DAY}-fuzz-{n:05d}.json.gz", content


def schedule(n: int) -> tuple[str, Any]:
    games = [replace(GAME, game_id=f"00225{n * 2 + k + 1:05d}") for k in range(2)]
    return f"{nba_stats.SCHEDULE_FOLDER}/{league.SEASON}{capture_suffix(at(n))}.json.gz", league.schedule(
        games, league.FIRST
    )


def read_schedules(zone: LandingZone) -> Parsed:
    """Every payload as ``read_schedule`` reads the newest one."""
    rows, rejects = [], []
    for payload in zone.list(nba_stats.SCHEDULE_FOLDER):
        try:
            games, refused = parse_schedule(zone.load(payload), payload)
        except PayloadError as error:
            rejects.append(Reject(payload.path, None, error.reason, error.detail))
            continue
        rows += games
        rejects += refused
    return Parsed.of(raw.SCHEDULE, pd.DataFrame(rows).assign(data_source="NBA_STATS"), rejects)


def roster(n: int) -> tuple[str, Any]:
    people = [
        {"player_id": league.player(t, s)[0], "player_name": league.player(t, s)[1], "team_id": t.team_id, "team": t.code}
        for t in league.TEAMS[:2] for s in range(2)
    ]  # fmt: skip
    path = f"{nba_stats.roster_folder(league.SEASON)}/{DAY}{capture_suffix(at(n))}.json.gz"
    return path, payloads.rosters(league.SEASON, people)


def shares(n: int) -> tuple[str, Any]:
    game = replace(GAME, game_id=f"00225{n + 1:05d}")
    content = league.scoring(game)
    for side in ("homeTeam", "awayTeam"):
        del content["boxScoreScoring"][side]["players"][2:]
    return league.scoring_path(game), content


RECORDS = [
    {"date": "11/10/2025", "matchup": "ALB@BRI", "team": team, "player": f"Archer{'ab'[i]}, Ada", "status": status,
     "reason": "Rest"}
    for team in ("Alba Herons", "Brink Otters") for i, status in enumerate(("Out", "Questionable"))
]  # fmt: skip


def injuries(n: int) -> tuple[str, Any]:
    content = {"metadata": {"report_at": payloads.instant(at(n))}, "records": RECORDS}
    return f"injury_report/{DAY}/report{capture_suffix(at(n))}.json.gz", content


COLUMNS = ("Game Date", "Game Time", "Matchup", "Team", "Player Name", "Current Status", "Reason")
WORDS = [
    [{"text": text, "x0": 20.0 + 100 * x, "top": top} for top, texts in enumerate(page) for x, text in enumerate(texts) if text]
    for page in (
        [["Injury Report: {}"], COLUMNS, ["11/10/2025", "07:00", "ALB@BRI", "Alba Herons", "Archer, Ada", "Out", "Rest"],
         ["", "", "", "", "Cole, Ben", "Questionable", "Left Foot"]],
        [COLUMNS, ["", "", "", "Brink Otters", "Frost, Finn", "Doubtful", "Rest"],
         ["", "", "", "", "Irons, Ivo", "Available", ""]],
    )
]  # fmt: skip
for _page in WORDS:
    for _word in _page:
        _word["top"] *= 20.0


def pdf(n: int) -> tuple[str, Any]:
    when = f"{datetime(2025, 11, 9) + timedelta(minutes=n):%m/%d/%y %I:%M %p}"  # noqa: DTZ001 - as it is printed
    return f"injury_report/{DAY}/report-{n:05d}.pdf", json.loads(json.dumps(WORDS).replace("{}", when))


class AsWords:
    """Stands where the process is that reads a PDF: the payload is the words."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def __call__(self, content: bytes) -> pdf_words.Words:
        try:
            return [[_as_word(word) for word in page] for page in json.loads(content)]
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise pdf_words.UnreadablePdf(str(error)) from error


def _as_word(word: Any) -> dict[str, Any]:
    """A word as the reader of PDFs gives it: text and two numbers."""
    numbers = {k: word[k] if isinstance(word[k], float) else 0.0 for k in ("x0", "top")}
    return {"text": str(word["text"]), **numbers}


def read_injuries(zone: LandingZone) -> Parsed:
    return read_reports(zone, days(DAY - timedelta(2), DAY + timedelta(3)))


FEEDS = {
    "odds, live": Feed(raw.ODDS_QUOTES, lambda n: odds(n, False), read_odds, 8),
    "odds, archive": Feed(raw.ODDS_QUOTES, lambda n: odds(n, True), read_odds, 8),
    "game log": Feed(raw.BOX_SCORES, log, lambda z: nba_stats.read_box_scores(z, [DAY])),
    "schedule": Feed(raw.SCHEDULE, schedule, read_schedules, 2),
    "roster": Feed(raw.ROSTERS, roster, lambda z: read_rosters(z, [DAY])),
    "shares": Feed(raw.SCORING_SHARES, shares, lambda z: read_scoring(z, [DAY])),
    "injuries": Feed(raw.INJURY_REPORTS, injuries, read_injuries),
    "injuries, PDF": Feed(raw.INJURY_REPORTS, pdf, read_injuries),
}


# -- what holds -------------------------------------------------------------------------------------------------------


def unbelievable(table: Table, rows: pd.DataFrame) -> list[str]:
    """What no row of a table may hold, whatever was delivered."""
    found = [] if replace(table, key=()).violations(rows).empty else ["contract"]
    if rows.duplicated(table.unique).any():
        found.append("key")
    for column in table.columns:
        values = rows[column.name].dropna()
        if column.type is Type.STRING and column.name != "payload":
            if fields._CONTROL.search("".join(values.unique())) or values.str.len().max() > fields.LONGEST_TEXT:
                found.append(column.name)
        elif column.type in (Type.DATE, Type.TIMESTAMP):
            found += [] if values.dt.year.isin(YEARS).all() else [column.name]
        elif column.name.endswith("_id") and values.max() > fields.MOST_ID:
            found.append(column.name)
    n = rows
    if table is raw.ODDS_QUOTES:
        prices = pd.concat([n["over_price"], n["under_price"]]).dropna().abs()
        fine = n["line"].between(0.5, 84.5) & (n["line"] * 2 % 1 == 0)
        fine &= (n["commence_at"] - n["snapshot_at"]).between(pd.Timedelta(-1, "D"), pd.Timedelta(60, "D"))
        found += [] if fine.all() and prices.between(100, 100_000).all() else ["line or price"]
    if table is raw.BOX_SCORES:
        fine = 2 * n["fgm"] + n["fg3m"] + n["ftm"] == n["points"]
        for less, more in (("fgm", "fga"), ("fg3m", "fg3a"), ("ftm", "fta"), ("fg3m", "fgm"), ("minutes", "most")):
            fine &= n[less] <= n.assign(most=80)[more]
        fine &= are_teams(n["team_id"], n["team"]) & (n["team"] != n["opponent"])
        found += [] if fine.all() else ["shots or teams"]
    if table is raw.SCHEDULE:
        fine = are_teams(n["home_team_id"], n["home_team"]) & are_teams(n["away_team_id"], n["away_team"])
        fine &= n["home_team_id"] != n["away_team_id"]
        found += [] if fine.all() else ["teams"]
    if table is raw.ROSTERS and not are_teams(n["team_id"], n["team"]).all():
        found.append("teams")
    if table is raw.INJURY_REPORTS and not all(map(are_opponents, n["away_team"], n["home_team"])):
        found.append("teams")
    return found


def fuzz(name: str, seed: int, count: int) -> None:
    """Read so many mutations of a feed together, and assert all that holds of them."""
    feed = FEEDS[name]
    rng = random.Random(f"{name} {seed}")  # noqa: S311 - no secret
    packed = not name.endswith("PDF")
    mutations = {}
    for n in range(count):
        path, content = feed.payload(n)
        where = [p for p in places(content) if packed or len(p) == 3]  # of a PDF the words
        mutations[path] = mutated(json.dumps(content).encode(), where, rng, packed)
    data = json.dumps(feed.payload(0)[1]).encode()
    clean = feed.read(Held({feed.payload(0)[0]: gzip.compress(data) if packed else data}))
    assert (len(clean.frame), clean.rejects) == (feed.rows, [])
    parsed = feed.read(Held({path: m.data for path, m in mutations.items()}))

    assert unbelievable(feed.table, parsed.frame) == []
    assert set(parsed.frame["payload"]) <= set(mutations)
    assert all(r.payload in mutations and r.payload in r.detail and r.reason for r in parsed.rejects)
    quarantined = quarantine_frame(raw.QUARANTINED_GAMES, parsed.rejects, DAY)
    assert replace(raw.QUARANTINED_GAMES, key=()).violations(quarantined).empty

    # no row is lost and no value unknown without a word in the quarantine, unless that is what was delivered
    rejected = {r.payload for r in parsed.rejects}
    silent = [p for p, m in mutations.items() if p not in rejected and not m.is_silent]
    rows = parsed.frame.groupby("payload").size().reindex(silent, fill_value=0)
    assert rows[rows < feed.rows].empty, [(p, mutations[p].done) for p in rows[rows < feed.rows].index[:5]]
    as_many = parsed.frame[parsed.frame["payload"].isin(rows[rows == feed.rows].index)]
    unknown = as_many.drop(columns="payload").isna().groupby(as_many["payload"]).sum()
    for column, known in clean.frame.isna().sum().items():
        # words of a PDF that stand elsewhere belong to another reason
        if column != "payload" and (name, column) != ("injuries, PDF", "reason"):
            gone = unknown[unknown[column] > known]
            assert gone.empty, (column, [mutations[p].done for p in gone.index[:5]])
    assert len(rejected) > 0.3 * count
    assert silent
    assert len(parsed.frame) > 0.2 * count * feed.rows, "some mutations harm little, or the test reads nothing"


@pytest.fixture(autouse=True)
def words_as_payloads(monkeypatch):
    monkeypatch.setattr(pdf_words, "Reader", AsWords)


@pytest.fixture(autouse=True)
def without_collections_in_deep_payloads():
    """What earlier tests left would be finalized at the limit of recursion, which pytest takes for errors of this one."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("feed", FEEDS)
def test_two_thousand_mutations_of_a_feed_raise_nothing_and_none_is_loaded_wrong_or_dropped_silently(feed):
    fuzz(feed, 0, 2000)


def test_a_zone_full_of_broken_payloads_beside_good_ones_has_all_rows_of_the_good(zone, tmp_path):
    """Real files, every feed: thirty mutated payloads beside one that is whole."""
    clean = LandingZone(str(tmp_path / "clean"))
    clean._path.mkdir()
    for place in (clean, zone):
        league.land(place)
        place.land(*roster(0))
        place.land(*injuries(0))
    rng = random.Random(5)  # noqa: S311 - no secret
    for number, (name, feed) in enumerate(FEEDS.items(), start=1):
        if name == "schedule":  # of which the newest alone is read: one that can't be is not in the way
            zone.land_bytes(feed.payload(1)[0], gzip.compress(b'{"leagueSchedule": []}'))
            continue
        for n in range(100 * number, 100 * number + 30):
            path, content = feed.payload(n)
            packed = not path.endswith(".pdf")
            data = mutated(json.dumps(content).encode(), list(places(content)), rng, packed).data
            zone.land_bytes(path, data)
    good, all_of_it = read_all(clean), read_all(zone)
    for name, whole in good.items():
        assert len(whole.frame)
        assert len(all_of_it[name].rejects) > len(whole.rejects) == 0, name
        mine = all_of_it[name].frame
        mine = mine[mine["payload"].isin(whole.frame["payload"])].reset_index(drop=True)
        pd.testing.assert_frame_equal(mine, whole.frame.reset_index(drop=True))


def read_all(zone: LandingZone) -> dict[str, Parsed]:
    return {
        "odds": read_odds(zone),
        "schedule": nba_stats.read_schedule(zone, [DAY]),
        **{name: FEEDS[name].read(zone) for name in ("game log", "roster", "shares", "injuries")},
    }


@pytest.mark.long
@pytest.mark.parametrize("part", range(5))
@pytest.mark.parametrize("feed", FEEDS)
def test_a_hundred_thousand_mutations_of_a_feed(feed, part):
    for seed in range(10):
        fuzz(feed, 1 + part * 10 + seed, 2000)
