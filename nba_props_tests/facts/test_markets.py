"""The records of markets: complete, distinct, and of statistics that box scores have."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nba_props.facts import markets
from nba_props.schemas.raw import BOX_SCORE_STATS


def test_there_are_ten_and_points_come_first():
    assert markets.keys() == (
        "points", "rebounds", "assists", "threes", "steals", "blocks", "points_rebounds_assists", "points_rebounds",
        "points_assists", "rebounds_assists",
    )  # fmt: skip
    assert markets.MARKETS[0].key == markets.POINTS
    assert [m.key for m in markets.MARKETS if m.for_everyone] == ["points"]


def test_names_and_keys_are_of_one_market_each():
    for of in ("key", "title", "short", "feed_key", "stats"):
        found = [getattr(m, of) for m in markets.MARKETS]
        assert len(set(found)) == len(found), of
    feed_keys = [key for m in markets.MARKETS for key in m.feed_keys]
    assert len(set(feed_keys)) == len(feed_keys) == len(markets.by_feed_key())


@pytest.mark.parametrize("market", markets.MARKETS, ids=markets.keys())
def test_a_record_holds_together(market):
    assert set(market.stats) <= {c.name for c in BOX_SCORE_STATS}
    assert market.ceiling < market.most_line
    assert market.most_line % 1 == 0.5
    assert 0 < market.tiers[0] < market.tiers[1] < market.ceiling
    assert market.line_error < market.tiers[1]
    parts = [m for m in markets.MARKETS if len(m.key.split("_")) == 1 and m.key in market.key.split("_")]
    assert sorted(market.stats) == sorted(s for m in parts for s in m.stats), "a sum counts what its parts count"


def test_points_are_the_unit_and_their_tiers_keep_their_names():
    assert markets.scales()["points"] == 1
    assert markets.scales()["rebounds"] == pytest.approx(2.1 / 5.1)
    assert markets.market("points").tier_names == ("UNDER_10", "10_TO_20", "OVER_20")
    with pytest.raises(KeyError, match="dunks"):
        markets.market("dunks")


def test_a_short_name_is_a_name():
    assert [markets.key_of(m.short) for m in markets.MARKETS] == list(markets.keys())
    assert markets.key_of("pra") == "points_rebounds_assists"
    assert markets.key_of("pts.") == "pts."


def test_docs_list_the_markets():
    rows = re.findall(
        r"^\| `(\w+)` \| `(\w+)` \| .* \|$", (Path(__file__).parents[2] / "docs" / "concepts.md").read_text(), re.M
    )
    assert rows == [(m.key, m.short) for m in markets.MARKETS]
