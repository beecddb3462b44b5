"""Another prediction system is one module and its name in a list: everything else is derived from it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import nba_props
from nba_props.domain.models.card import week_of
from nba_props_tests.conftest import DAY

pytestmark = pytest.mark.slow

MODULE = '''
"""``toy_v1``: the mean of the last ten games, over where it is a point above the line."""

from dataclasses import dataclass

import pandas as pd

from nba_props.domain.systems.base import Needs, System, SystemInputs, side_of
from nba_props.domain.systems.rows import predict
from nba_props.schemas.features import PLAYER_FEATURES


@dataclass(frozen=True, kw_only=True)
class Toy(System):
    """A kind of its own."""

    def needs(self) -> Needs:
        return Needs(required=("points_avg_last_10",), tables=(PLAYER_FEATURES,))

    def rows(self, inputs: SystemInputs) -> pd.DataFrame:
        return predict(self, self.forecast, inputs.features, inputs.lines)

    def forecast(self, features: pd.DataFrame, past: pd.DataFrame | None) -> pd.DataFrame:
        points = features["points_avg_last_10"].clip(0, 60)
        bets = points - features["line"] > 1
        return pd.DataFrame(
            {"forecast": points, "confidence_score": 0.5, "side": side_of(points, features["line"], bets)}
        )


SYSTEM = Toy(system_id="toy_v1", description="The mean of the last ten games.", model_version="1")
'''

STORY = """
import json, shutil, sys
from pathlib import Path
import dagster as dg
from nba_props.automation import planning
from nba_props.catalog import TABLES
from nba_props.domain.systems import SYSTEM_TABLES
from nba_props_tests import conftest
from nba_props_tests.conftest import DAY

conftest.few_trees()  # as the stored models were trained
with dg.DagsterInstance.ephemeral() as instance:
    platform = conftest.open_platform(Path(sys.argv[1]), instance)
    found = {"steps": list(platform.missing(DAY))}
    platform.materialize(DAY, DAY, platform.publication(["toy_v1"], slate=False))
    table, graph = SYSTEM_TABLES["toy_v1"], platform.definitions.resolve_asset_graph()
    key = dg.AssetKey(table.path)
    found["known"] = TABLES[table.address] is table
    found["parents"] = sorted(k.to_user_string() for k in graph.get(key).parent_keys)
    found["gate_waits"] = key in graph.get(dg.AssetKey(["nba_predictions", "ledger"])).parent_keys
    found["checks"] = sorted(k.name for k in graph.asset_check_keys if k.asset_key == key)
    found["published"] = platform.query(
        "SELECT COUNT(*) AS players, COUNT(forecast) AS forecasts, COUNT(DISTINCT model_version) AS versions, "
        "COUNT(CASE WHEN recommendation = 'OVER' AND line_margin <= 1 THEN 1 END) AS wrong "
        "FROM nba_predictions.current_predictions WHERE system_id = 'toy_v1'"
    ).iloc[0].astype(int).to_dict()
    found["days_of_its_own"] = int(platform.query(
        "SELECT COUNT(*) AS n FROM nba_monitoring.line_quality_daily WHERE system_id = 'toy_v1' AND game_date = @day",
        day=DAY,
    )["n"].iloc[0])
    shutil.rmtree(platform.settings.models)
    for name in ("toy_v1", "catboost_v8"):
        needed = planning.needed(platform.definitions, platform.inputs, [DAY], [dg.AssetKey(SYSTEM_TABLES[name].path)])
        found[name] = [(job, str(first), str(last)) for job, first, last in needed]
print("FOUND " + json.dumps(found, default=str))
"""


def with_the_toy(folder: Path) -> Path:
    """A copy of the package that has one system more."""
    package = shutil.copytree(Path(nba_props.__file__).parent, folder / "nba_props")
    (package / "domain" / "systems" / "toy.py").write_text(MODULE)
    registry = package / "domain" / "systems" / "__init__.py"
    text = registry.read_text()
    listed = text.replace("    zone_matchup,\n)", "    toy,\n    zone_matchup,\n)").replace(
        "    zone_matchup.SYSTEM,\n", "    zone_matchup.SYSTEM,\n    toy.SYSTEM,\n"
    )
    assert listed.count("toy") == 2, "its import and its place in the list"
    registry.write_text(listed)
    return folder


def test_a_module_and_its_name_bring_a_system_to_the_ledger(rung, tmp_path):
    """Its table, asset, checks and rows follow, and nothing is trained for it or because of it."""
    shutil.copytree(rung("slated"), tmp_path / "platform")
    paths = [str(with_the_toy(tmp_path)), str(Path(__file__).parents[2])]
    done = subprocess.run(
        [sys.executable, "-c", STORY, str(tmp_path / "platform")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    (line,) = [text for text in done.stdout.splitlines() if text.startswith("FOUND ")]
    found = json.loads(line.removeprefix("FOUND "))
    assert found == {
        "steps": [],
        "known": True,
        "parents": ["nba_analytics/betting_lines", "nba_analytics/player_features"],
        "gate_waits": True,
        "checks": ["covers_slate", "schema"],
        "published": {"players": 36, "forecasts": 36, "versions": 1, "wrong": 0},
        "days_of_its_own": 1,
        "toy_v1": [],
        "catboost_v8": [["train", str(week_of(DAY)), str(week_of(DAY))]],
    }
