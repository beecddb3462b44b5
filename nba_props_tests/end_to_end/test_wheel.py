"""A built wheel in an environment of its own, used from an empty folder as its user would."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nba_props import __version__

ROOT = Path(__file__).parents[2]
UV = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
#: what a wheel is built from
SOURCES = (
    "nba_props",
    "docs",
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "setup.cfg",
    "pyproject.toml",
)
#: exports, and a reader of each form
ANALYST = """
import json, sys
import deltalake, nba_props as nba, pandas as pd
lake = nba.open()
rows = lake.read("current_predictions", "2026-01-09", market="points")
delta = deltalake.DeltaTable("export_delta/nba_predictions/ledger")
print(json.dumps({
    "version": nba.__version__, "rows": len(rows), "ledger": len(lake.read("ledger")),
    "folder": len(pd.read_parquet("export/nba_predictions/ledger")),
    "delta": delta.to_pyarrow_dataset().count_rows(), "commits": delta.version() + 1,
}))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """The folder of the programs of an environment with nothing but the wheel and what it needs."""
    if UV is None:
        pytest.fail("uv is missing: pip install uv")
    folder = tmp_path_factory.mktemp("wheel")
    for name in SOURCES:
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, folder / name)
    for step in (
        ["build", "-q", "--wheel", "-o", "dist", "."],
        ["venv", "-q", "--python", sys.executable, "environment"],
    ):
        subprocess.run([UV, *step], cwd=folder, check=True)
    (wheel,) = (folder / "dist").glob("*.whl")
    assert wheel.name == f"nba_props-{__version__}-py3-none-any.whl"
    install = ["pip", "install", "-q", "--python", "environment", "-c", str(ROOT / "requirements.lock")]
    subprocess.run([UV, *install, f"nba_props[delta] @ {wheel.as_uri()}"], cwd=folder, check=True)
    return folder / "environment" / "bin"


@pytest.fixture(scope="module")
def empty(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("empty")


@pytest.fixture(scope="module")
def typed(installed, empty):
    """Runs a program of the environment in the empty folder: its output, with its ``errors`` too where they are asked
    for; a command that ``fails`` has to.
    """
    ours = ("NBA_PROPS", "DAGSTER", "ODDS_API", "PYTHON", "VIRTUAL_ENV")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    environ["PATH"] = f"{installed}{os.pathsep}{environ['PATH']}"

    def run(*command: str, fails: bool = False, errors: bool = False, **more: str) -> str:
        done = subprocess.run(
            [str(installed / command[0]), *command[1:]],
            cwd=empty, env=environ | more, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (done.returncode != 0) is fails, done.stdout + done.stderr
        return done.stdout + done.stderr if fails or errors else done.stdout

    return run


@pytest.mark.long
@pytest.mark.slow
class TestAWheel:
    def test_has_nothing_for_graphics_cards(self, installed):
        packages = {p.name for p in installed.parent.glob("lib/python*/site-packages/*")}
        assert "xgboost" in packages
        assert not [name for name in packages if name.startswith("nvidia")] or sys.platform == "darwin"

    def test_runs_the_demo_and_shows_its_board(self, typed):
        assert "SIMULATED LEAGUE" in typed("nba-props", "demo")
        assert "Slate of 2026-01-09: 162 players with a line, 76 picks" in typed("nba-props", "board", "2026-01-09")

    def test_loads_the_definitions_of_dev(self, typed):
        validated = typed(
            "python", "-m", "dagster", "definitions", "validate", "-m", "nba_props.definitions", errors=True
        )
        assert "All code locations passed validation" in validated

    def test_names_a_page_by_the_place_where_it_is_installed(self, typed):
        refused = typed("nba-props", "board", fails=True, NBA_PROPS_PROFILE="gcp")
        page = Path(refused.strip().rpartition("see ")[2])
        assert page.name == "production.md"
        assert page.read_text().startswith("# ")

    def test_says_how_to_get_what_is_not_installed(self, typed):
        google = {"PROFILE": "gcp", "GCP_PROJECT": "p", "GCP_LOCATION": "US", "BUCKET": "b"}
        refused = typed("nba-props", "board", fails=True, **{f"NBA_PROPS_{n}": v for n, v in google.items()})
        assert "pip install 'nba_props[gcp]' brings them" in refused
        assert "Traceback" not in refused

    def test_is_read_and_exported_from_python(self, typed):
        for form in ("folder", "delta", "delta"):
            typed("nba-props", "export", "2026-01-09..2026-01-10", "--to", form)
        found = json.loads(typed("python", "-c", ANALYST))
        assert found["version"] == __version__
        assert found["ledger"] == found["folder"] == found["delta"] > found["rows"] > 1000
        assert found["commits"] == 2
