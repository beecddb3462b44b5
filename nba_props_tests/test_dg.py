"""Dagster's own project tool finds, checks and runs this project, beside ``workspace.yaml``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nba_props.catalog import TABLES
from nba_props.schemas import raw
from nba_props.settings import read_settings
from nba_props.storage.landing import LandingZone
from nba_props.warehouse.registry import open_warehouse
from nba_props_tests import league
from nba_props_tests.conftest import DAY

ROOT = Path(__file__).parents[1]
pytestmark = [pytest.mark.slow, pytest.mark.long]


@pytest.fixture
def environ(tmp_path) -> dict[str, str]:
    league.land(LandingZone(str(tmp_path / "landing")))
    environment = Path(sys.executable).parents[1]
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("NBA_PROPS", "DAGSTER"))}
    return {
        **kept,
        "PATH": f"{environment / 'bin'}{os.pathsep}{kept['PATH']}",
        "VIRTUAL_ENV": str(environment),
        "NBA_PROPS_HOME": str(tmp_path / "home"),
        "NBA_PROPS_LANDING": str(tmp_path / "landing"),
        "NBA_PROPS_FIRST_DATE": str(league.FIRST),
        "DAGSTER_HOME": "",
    }


def dg(environ: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(["dg", *arguments], cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_dg_checks_lists_and_launches(environ):
    assert "All definitions loaded successfully" in dg(environ, "check", "defs")
    listed = json.loads(dg(environ, "list", "defs", "--json"))
    assert {t.replace(".", "/") for t in TABLES if not t.startswith("nba_predictions.")} <= {
        asset["asset_key"] for asset in listed["assets"]
    }
    assert "predict" in {job["name"] for job in listed["jobs"]}
    together = "key:nba_raw/schedule or key:nba_raw/quarantined_games"
    dg(environ, "launch", "--assets", together, "--partition", str(DAY))
    assert len(open_warehouse(read_settings(environ)).read(raw.SCHEDULE, [DAY])) > 0
