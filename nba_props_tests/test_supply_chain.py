"""What the project takes from others, and with what rights: pins, audits, and nothing that runs what it reads."""

from __future__ import annotations

import ast
import re
from datetime import date
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
MODULES = [p for room in ("nba_props", "benchmarks") for p in sorted((ROOT / room).rglob("*.py"))]
#: modules that run what a file says when they read it, and functions of others that do
RUN_WHAT_THEY_READ = {
    "pickle",
    "_pickle",
    "cPickle",
    "cloudpickle",
    "joblib",
    "dill",
    "shelve",
    "marshal",
    "jsonpickle",
    "torch",
}
READERS = {"read_pickle", "to_pickle", "unsafe_load", "full_load", "load_pickle", "eval", "exec"}


def runs_what_it_reads(source: str) -> list[str]:
    """What in a module runs the contents of a file or a text."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [a.name for a in node.names if a.name.split(".")[0] in RUN_WHAT_THEY_READ]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in RUN_WHAT_THEY_READ:
            found.append(node.module)
        elif isinstance(node, ast.Call):
            named = [n for n in (getattr(node.func, "attr", None), getattr(node.func, "id", None)) if n]
            is_method = isinstance(node.func, ast.Attribute) and node.func.attr in ("eval", "exec")
            found += [n for n in named if n in READERS and not is_method]
            found += [str(k.arg) for k in node.keywords if k.arg == "allow_pickle" and getattr(k.value, "value", 1)]
            if named[:1] in (["import_module"], ["__import__"]):
                names = [a.value for a in node.args if isinstance(a, ast.Constant)]
                found += [n for n in names if str(n).split(".")[0] in RUN_WHAT_THEY_READ]
    return found


def test_no_module_runs_what_it_reads():
    """Models are kept in their libraries' own formats, tables in Parquet, everything else in JSON."""
    assert len(MODULES) > 100
    assert {str(p): found for p in MODULES if (found := runs_what_it_reads(p.read_text()))} == {}


@pytest.mark.parametrize(
    "source",
    ["import pickle", "import joblib as j", "from cloudpickle import loads", "import torch.nn", "pd.read_pickle(p)",
     "frame.to_pickle(p)", "np.load(p, allow_pickle=True)", "yaml.unsafe_load(t)", "eval(t)", "import_module('dill')"],
)  # fmt: skip
def test_unsafe_code_is_found(source):
    assert runs_what_it_reads(source)


def test_safe_code_is_not_found():
    assert runs_what_it_reads("import json\nnp.load(p, allow_pickle=False)\nframe.eval('a + b')\njson.load(f)") == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda p: p.name)
def test_actions_are_pinned_by_commit_with_their_version(path):
    uses = re.findall(r"uses: *(\S+)(.*)", path.read_text())
    assert uses
    for action, comment in uses:
        assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", action), action
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment), f"{action}{comment}"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda p: p.name)
def test_a_workflow_has_read_permission_only(path):
    workflow = yaml.safe_load(path.read_text())
    assert workflow["permissions"] == {"contents": "read"}
    assert "pull_request_target" not in workflow[True], "that runs foreign code with our rights"
    for job in workflow["jobs"].values():
        assert "permissions" not in job
        for step in job["steps"]:
            assert "${{ github.event." not in step.get("run", ""), "a title must not be run by a shell"
            if step.get("uses", "").startswith("actions/checkout"):
                assert step["with"]["persist-credentials"] is False


def test_the_lock_is_audited_in_ci_and_never_by_make_test():
    jobs = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["jobs"]
    (command,) = [s["run"] for s in jobs["audit"]["steps"] if "run" in s]
    assert re.fullmatch(r"pipx run pip-audit==\S+ -r requirements\.lock --disable-pip --no-deps --strict", command)
    assert "pip-audit" not in (ROOT / "Makefile").read_text() + (ROOT / ".ci/run").read_text()


def test_the_lock_names_exact_versions_of_the_index():
    for line in (ROOT / "requirements.lock").read_text().splitlines():
        assert re.fullmatch(r"[a-z0-9._-]+==[\w.!+]+( ; .+)?", line), line


def test_nothing_is_locked_that_is_newer_than_a_date():
    makefile = (ROOT / "Makefile").read_text()
    (bound,) = re.findall(r"^LOCK_DATE := (.*)$", makefile, re.M)
    assert date.fromisoformat(bound)
    (resolved,) = re.findall(r"uv pip compile.*?-o requirements.lock", makefile, re.S)
    assert "--exclude-newer $(LOCK_DATE)" in resolved


def test_nothing_is_locked_for_graphics_cards():
    locked = (ROOT / "requirements.lock").read_text()
    assert not re.findall(r"^(?:nvidia|cupy|triton)\S*", locked, re.M)
    assert re.findall(r"^xgboost(?:-cpu)?==\S+(?: ; .*)?$", locked, re.M) == [
        "xgboost==3.2.0 ; sys_platform == 'darwin'",
        "xgboost-cpu==3.2.0 ; sys_platform != 'darwin'",
    ]
