"""Responses with one market and with many, and the markets that have no line."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pandas as pd
import pytest

from nba_props.facts import markets
from nba_props.schemas.raw import SCHEDULE
from nba_props.simulator import payloads
from nba_props.sources.nba_stats.schedule import read_schedule
from nba_props.sources.odds_api import captures, folder, landed_days, read_day
from nba_props.sources.odds_api.quotes import read_quotes
from nba_props_tests import league
from nba_props_tests.conftest import DAY

GAME = next(g for g in league.games() if g.day == DAY)
ALL = markets.keys()
#: a price both sides; a line of half a point is on every market's grid
QUOTE = {"player": "A B", "line": 0.5, "over": -110, "under": -110}


def response(*quoted: dict) -> dict:
    event = payloads.event_odds(GAME.event_id, GAME.tipoff_at, GAME.home.full, GAME.away.full, {"draftkings": quoted})
    return payloads.historical(event, GAME.tipoff_at - timedelta(hours=1))


def market(key: str, quotes=(QUOTE,)) -> dict:
    return payloads.market(key, quotes, GAME.tipoff_at)


@pytest.fixture
def read(zone):
    numbers = itertools.count()

    def rows(*contents: dict) -> tuple[pd.DataFrame, list[str]]:
        for content in contents:
            zone.land(f"{folder(DAY, ALL)}/{GAME.event_id}-{next(numbers)}.json.gz", content)
        found, refused = read_day(zone, DAY)
        return pd.DataFrame(found), [r.reason for r in refused]

    return rows


def test_one_response_with_all_markets_and_one_for_each_are_the_same_quotes(zone, read):
    every = [market(key) for m in markets.MARKETS for key in m.feed_keys]
    together, refused = read(response(*every))
    assert refused == []
    assert set(together["market"].map(markets.by_feed_key())) == set(ALL)
    assert len(together) == 20
    apart, _ = read(*(response(m) for m in every))
    assert set(apart["quote_id"]) == set(together["quote_id"]), "the id does not depend on what else is in a response"


@pytest.mark.parametrize(
    ("key", "names", "reason"),
    [
        ("player_double_double", ("Yes", "No"), "YES_NO_MARKET"),
        ("player_first_basket", ("Yes",), "YES_NO_MARKET"),
        ("player_dunks", ("Over", "Under"), "UNKNOWN_MARKET"),
    ],
)
def test_a_market_without_a_line_or_a_record_is_held_back_whole_and_the_others_go_on(read, key, names, reason):
    outcomes = [{"name": n, "description": "A B", "price": 300} for n in names]
    rows, refused = read(response({"key": key, "outcomes": outcomes}, market("player_rebounds")))
    assert refused == [reason]
    assert rows["market"].tolist() == ["player_rebounds"]


def test_a_line_is_limited_by_its_own_market(read):
    too_high = {**QUOTE, "line": 41.5}
    rows, refused = read(response(market("player_rebounds", [too_high]), market("player_points", [too_high])))
    assert (rows["market"].tolist(), refused) == (["player_points"], ["BAD_POINT", "BAD_POINT"])


def test_captures_of_points_and_of_markets_are_of_one_date(zone):
    league.land(zone, asked=league.MARKETS)
    many = len(captures(zone, DAY))
    path, content = league.capture(GAME, 120)
    zone.land(path, content)
    assert len(captures(zone, DAY)) == many + 1
    assert landed_days(zone).count(DAY) == 1
    zone.land(*league.capture(GAME, 60))
    schedule = read_schedule(zone, [DAY]).frame
    quotes = read_quotes(zone, [DAY], SCHEDULE.conform(schedule)).frame
    assert quotes["quote_id"].is_unique, "what is landed in both folders counts once"
