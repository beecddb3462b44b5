"""The folder of partitioned checks can be copied whole: it needs no other code of ours, and its README is true."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from nba_props.automation.upstream import partitioned_checks

FOLDER = Path(partitioned_checks.__file__).parent
README = (FOLDER / "README.md").read_text()


def test_it_names_no_other_code_of_ours():
    assert [p.name for p in FOLDER.glob("*") if p.is_file() and "nba_props" in p.read_text(errors="replace")] == []
    files = {p.name for p in FOLDER.iterdir() if p.name != "__pycache__"}
    assert files == {"__init__.py", "README.md", "reproduction.py", "test_partitioned_checks.py"}


@pytest.mark.long
def test_a_copy_elsewhere_passes_its_tests(tmp_path):
    """Where nothing of ours can be imported."""
    copy = tmp_path / "partitioned_checks"
    shutil.copytree(FOLDER, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "nba_props.py").write_text("raise ImportError('there is no nba_props here')")
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH" and not k.startswith("PYTEST")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "partitioned_checks"],
        cwd=tmp_path, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "20 passed" in done.stdout


def test_its_example_is_a_check(monkeypatch):
    (example,) = re.findall(r"```python\n(.*?)```", README, re.S)
    monkeypatch.setitem(sys.modules, "partitioned_checks", partitioned_checks)
    names: dict[str, Any] = {}
    exec(compile(example, "README.md", "exec"), names)  # noqa: S102 the example of our own page
    assert isinstance(names["is_complete"], dg.AssetChecksDefinition)
    job = names["defs"].resolve_implicit_global_asset_job_def()
    span = {"dagster/asset_partition_range_start": "2026-01-01", "dagster/asset_partition_range_end": "2026-01-03"}
    with dg.DagsterInstance.ephemeral() as instance:
        run = job.execute_in_process(instance=instance, tags=span, raise_on_error=False)
        logs = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    found = {e.partition: e for e in (log.dagster_event.asset_check_evaluation_data for log in logs)}
    passed = {day: result.passed for day, result in found.items()}
    assert passed == {"2026-01-01": True, "2026-01-02": False, "2026-01-03": True, None: False}
    assert f'"{found[None].description}"' in README


def test_its_issue_quotes_what_the_reproduction_prints():
    script = FOLDER / "reproduction.py"
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    (quoted,) = re.findall(r"> ```text\n(.*?)> ```", README, re.S)
    assert quoted.replace("> ", "") == done.stdout
    assert f"`reproduction.py`, Dagster {partitioned_checks.TESTED_WITH}" in README
