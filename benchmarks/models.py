"""``python -m benchmarks.models [HOME]``: features of five seasons, all systems on one slate, a season walked forward.

Reads real payloads; ingests five seasons first unless HOME (as NBA_PROPS_HOME) holds them already.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import numpy as np

from benchmarks.__main__ import timed
from benchmarks.data import LANDING
from nba_props.assets.inputs import Inputs
from nba_props.assets.predictions import read_inputs
from nba_props.assets.training import train_weeks, training_frame
from nba_props.automation.runner import execute
from nba_props.definitions import build_defs
from nba_props.deployment import deployed
from nba_props.domain import features, history
from nba_props.domain.models.card import Model, week_of
from nba_props.domain.models.frame import Rows
from nba_props.domain.systems import RECIPES, SYSTEM_TABLES, SYSTEMS, System
from nba_props.facts.markets import POINTS, keys
from nba_props.schemas import analytics, raw
from nba_props.schemas.features import PLAYER_FEATURES
from nba_props.settings import Settings
from nba_props.storage.landing import LandingZone
from nba_props.storage.models import ModelStore
from nba_props.warehouse.lake import LakeWarehouse

FIRST, LAST = date(2021, 10, 19), date(2026, 1, 26)
SEASON = (date(2025, 10, 21), LAST)
NIGHT = date(2026, 1, 9)
NOW = datetime(2026, 11, 23, tzinfo=UTC)


def done(as_expected: bool) -> None:
    """Refuse to report a measurement of something else."""
    if not as_expected:
        raise RuntimeError("the benchmark did not do what it measures")


def five_seasons_of_features(warehouse: LakeWarehouse, settings: Settings) -> None:
    """The training frame of everything, and its form features against a loop over players of the same formulas."""
    made: list[Rows] = []
    seconds = timed(lambda: made.append(training_frame(warehouse, settings, FIRST, LAST)))
    rows = len(made[0].players)
    print(f"features of {rows} player-games: {seconds:.1f} s, {1e6 * seconds / rows:.0f} us each")

    span = {"first": date(2025, 12, 1), "last": date(2025, 12, 31)}
    reach = settings.look_back_days, settings.max_games
    past = warehouse.query(history.historical_games_sql(*reach, history.PLAYED), **span)
    league = warehouse.query(history.league_form_sql(settings.look_back_days, history.PLAYED), **span)
    rate = league.set_index("game_date")["points_per_minute"]
    together = timed(lambda: features.form(past, rate), 3)
    each = [g for _, g in past.groupby(["game_date", "player_id"])]
    sample = [each[i] for i in np.random.default_rng(1).choice(len(each), 300, replace=False)]
    apart = timed(lambda: [features.form(g, rate) for g in sample]) * len(each) / len(sample)
    print(f"form features of {len(each)} player-games: at once {together:.2f} s, player by player {apart:.1f} s "
          f"(from 300 of them), ratio {apart / together:.0f}")  # fmt: skip


def all_systems_on_one_slate(warehouse: LakeWarehouse, settings: Settings, store: ModelStore) -> None:
    """Every system's rows for 2026-01-09, inputs read from the lake, models trained already."""
    own: dict[str, float] = {}
    players = len(warehouse.read(PLAYER_FEATURES, [NIGHT]))

    def one(system: System) -> None:
        lines = warehouse.read(analytics.BETTING_LINES, [NIGHT])
        inputs = read_inputs(system, [NIGHT], lines, warehouse, settings, store)
        done(all(isinstance(model, Model) for models in inputs.models.values() for model in models.values()))
        done(len(system.rows(inputs)) == players)

    for system in SYSTEMS:
        own[system.system_id] = timed(lambda system=system: one(system), 3)
    print(f"all {len(SYSTEMS)} systems on a slate of {players}: {sum(own.values()):.2f} s "
          f"({', '.join(f'{k} {v:.2f}' for k, v in own.items())})")  # fmt: skip


def a_season_walked_forward(warehouse: LakeWarehouse, settings: Settings) -> None:
    """Both models retrained for every week of a season to date."""
    weeks = sorted({week_of(SEASON[0] + timedelta(n)) for n in range((SEASON[1] - SEASON[0]).days + 1)})
    with tempfile.TemporaryDirectory() as folder:
        inputs = Inputs(warehouse, LandingZone(settings.landing), ModelStore(folder), settings)
        for name, recipe in RECIPES.items():
            if recipe.market != POINTS:
                continue
            seconds = timed(lambda r=recipe: train_weeks(r, weeks, inputs.fresh(), NOW))
            rows = inputs.models.card(name, weeks[-1]).rows
            print(f"{name}: {len(weeks)} weeks in {seconds:.1f} s, the last of {rows} rows")


def every_market_of_a_week(warehouse: LakeWarehouse, settings: Settings) -> None:
    """The models of one week in every market, with their features."""
    asked = replace(settings, live=replace(settings.live, markets=keys()))
    with tempfile.TemporaryDirectory() as folder:
        inputs = Inputs(warehouse, LandingZone(settings.landing), ModelStore(folder), asked)
        seconds = timed(lambda: [train_weeks(r, [week_of(NIGHT)], inputs, NOW) for r in RECIPES.values()])
        print(f"{len(RECIPES)} models of a week, the week before included: {seconds:.1f} s")


def main(home: Path) -> None:
    settings = Settings("local", home, str(LANDING), first_date=FIRST)
    warehouse = LakeWarehouse(settings.lake)
    definitions = build_defs(deployed(settings, warehouse, LandingZone(settings.landing), clock=lambda: NOW))
    with dg.DagsterInstance.ephemeral() as instance:
        if FIRST not in warehouse.partitions(raw.BOX_SCORES):
            done(execute(definitions, instance, "ingest_history", FIRST, LAST).success)
        if NIGHT not in warehouse.partitions(SYSTEM_TABLES["ensemble_v1_1"]):
            done(execute(definitions, instance, "predict", NIGHT, NIGHT).success)
    five_seasons_of_features(warehouse, settings)
    all_systems_on_one_slate(warehouse, settings, ModelStore(settings.models))
    every_market_of_a_week(warehouse, settings)
    a_season_walked_forward(warehouse, settings)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(Path(temporary))
