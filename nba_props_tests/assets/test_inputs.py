"""What the digests of a partition's inputs see: everything that its rows are made from."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from nba_props.assets import inputs as input_module
from nba_props.assets.inputs import Inputs, landing_key
from nba_props.automation.planning import stale
from nba_props.domain.models.card import week_of
from nba_props.domain.systems import RECIPES, TRAINED
from nba_props.facts.books import SPORTSBOOKS, in_order
from nba_props.schemas import analytics, raw
from nba_props.schemas.features import PLAYER_FEATURES
from nba_props.sources import injury_report, registry
from nba_props.sources.injury_report.parse import read_reports
from nba_props.storage.landing import LandingZone
from nba_props.storage.models import ModelStore
from nba_props.warehouse.base import PartitionState
from nba_props.warehouse.lake import LakeWarehouse
from nba_props_tests.conftest import DAY, make_settings


@pytest.fixture
def inputs(lake: LakeWarehouse, zone: LandingZone, tmp_path) -> Inputs:
    settings = make_settings(tmp_path)
    return Inputs(lake, zone, ModelStore(settings.models), settings)


def named(day) -> dict:
    record = {"date": f"{day:%m/%d/%Y}", "matchup": "ALB@BRI", "team": "Brink Otters", "player": "Archer, Ada",
              "status": "Out", "reason": ""}  # fmt: skip
    return {"records": [record]}


@pytest.mark.parametrize("days", [[DAY], [DAY - timedelta(5), DAY]], ids=["a date", "a span"])
def test_a_report_of_the_evening_before_is_an_input_of_the_date_that_it_names(inputs, zone, days):
    def digest() -> str:
        return inputs.digests(raw.INJURY_REPORTS, [landing_key(registry.INJURY_REPORT)], days)[DAY]

    seen = [digest()]
    for n, folder in enumerate((DAY - timedelta(2), DAY - timedelta(1), DAY, DAY + timedelta(1))):
        before = len(read_reports(zone, [DAY]).frame)
        at = f"{folder:%Y%m%d}T2{n}0000Z"
        zone.land(f"{injury_report.folder(folder)}/report-{at}.json", named(DAY))
        changed = len(read_reports(zone, [DAY]).frame) != before
        assert changed == (folder in (DAY - timedelta(1), DAY))
        assert (digest() != seen[-1]) == changed
        seen.append(digest())
    one = inputs.digests(raw.INJURY_REPORTS, [landing_key(registry.INJURY_REPORT)], [DAY])
    assert one[DAY] == seen[-1], "a date has one digest, asked for alone or with others"


def test_predicting_a_date_without_quotes_makes_no_model_stale(inputs):
    """A model was trained again for each date without odds that was run before its week."""
    week, quoted, unquoted = week_of(DAY), week_of(DAY) - timedelta(3), week_of(DAY) - timedelta(5)
    some, none = PartitionState(5, {"": "x"}, ""), PartitionState(0, {"": "0"}, "")

    def learned(*lined) -> str:
        quotes = {raw.ODDS_QUOTES.address: {quoted: some, unquoted: none}}
        return inputs.knowing({**quotes, analytics.BETTING_LINES.address: dict.fromkeys(lined, some)}).learned(week)

    assert learned() == learned(unquoted)
    assert learned(quoted) == learned(quoted, unquoted) != learned()


def test_another_definition_of_the_features_makes_stored_ones_stale(inputs, monkeypatch):
    tables = (PLAYER_FEATURES, analytics.CONTEXT)
    before = [inputs.digests(t, [], [DAY]) for t in tables]
    assert before == [inputs.digests(t, [], [DAY]) for t in tables]
    monkeypatch.setattr(input_module, "SCHEMA_HASH", "another")
    after = [inputs.digests(t, [], [DAY]) for t in tables]
    assert [a == b for a, b in zip(before, after, strict=True)] == [False, True]


def test_another_order_of_books_makes_lines_and_prices_stale_and_the_books_offers_not(inputs):
    tables = (analytics.BOOK_LINES, analytics.BETTING_LINES, analytics.PRICES)

    def digests(*named: str) -> list[str]:
        ordered = replace(inputs, settings=replace(inputs.settings, books=in_order(named)))
        return [ordered.digests(table, [], [DAY])[DAY] for table in tables]

    usual = [inputs.digests(table, [], [DAY])[DAY] for table in tables]
    assert digests() == digests("draftkings") == digests(*SPORTSBOOKS) == usual, "the same order in other words"
    other = digests("fanduel")
    assert [a == b for a, b in zip(usual, other, strict=True)] == [True, False, False]
    assert digests("fanduel") == digests("fanduel", "draftkings") == other
    assert digests("fanduel", "betmgm")[1:] != other[1:]


def test_the_lines_of_a_home_are_those_of_its_order_of_books(lined):
    """Stored lines are stale under another order, and only then."""
    keys = lined.of("ingest_lines")

    def lacking(*named: str) -> list[str]:
        other = replace(lined, settings=replace(lined.settings, books=in_order(named)))
        return stale(other.definitions, other.inputs, keys, [DAY]).get(DAY, [])

    assert lacking() == lacking("draftkings") == []
    assert lacking("fanduel") == [analytics.BETTING_LINES.address]


@pytest.mark.parametrize("system_id", list(TRAINED))
def test_a_change_of_training_makes_models_of_that_system_alone_stale(inputs, monkeypatch, system_id):
    changed = {}

    def digests() -> dict[str, str]:
        return {s: inputs.trained_from(changed.get(s, RECIPES[s]), week_of(DAY)) for s in TRAINED}

    before = digests()
    learner = type(RECIPES[system_id].learner)
    monkeypatch.setattr(learner, "parameters", {**learner.parameters, "seed": 7})
    assert {s for s, d in digests().items() if d != before[s]} == {system_id}
    monkeypatch.undo()
    assert digests() == before
    changed[system_id] = replace(RECIPES[system_id], inputs=RECIPES[system_id].inputs[1:])
    assert {s for s, d in digests().items() if d != before[s]} == {system_id}
