"""The code version of an asset is that of the content of its rule: an edit of a rule changes the assets it makes."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from dataclasses import replace
from types import CodeType, FunctionType, ModuleType

import pytest

from nba_props.assets import versions
from nba_props.assets.tables import asset_key
from nba_props.definitions import build_defs
from nba_props.deployment import deployed
from nba_props.domain import lines, names, odds, prices
from nba_props.domain.systems import SYSTEMS, ensemble, formula, moving_average, zone_matchup
from nba_props.domain.views import ledger
from nba_props.presentation import pages
from nba_props.schemas import analytics, reference
from nba_props.schemas.base import real
from nba_props_tests.conftest import DAY, make_settings


@pytest.fixture
def versions_now(tmp_path, monkeypatch):
    """The versions of all assets but models, as the code is now, by the last part of their names."""

    def read() -> dict[str, str]:
        monkeypatch.setattr(versions, "_parts", {})
        graph = build_defs(deployed(make_settings(tmp_path))).resolve_asset_graph()
        keys = (k for k in graph.get_all_asset_keys() if k.path[0] != "nba_models")
        return {k.path[-1]: version for k in keys if (version := graph.get(k).code_version)}

    return read


@pytest.fixture
def changed(versions_now):
    """The assets whose version differs from what it was when the test began."""
    before = versions_now()
    assert len(before) > 50
    return lambda: {name for name, version in versions_now().items() if before[name] != version}


def edit(monkeypatch: pytest.MonkeyPatch, module: ModuleType, old: str, new: str, count: int = 1) -> None:
    """Give the functions of a module the code that its edited text has."""
    text = inspect.getsource(module)
    assert text.count(old) == count
    exchange(monkeypatch, module, text.replace(old, new))


def exchange(monkeypatch: pytest.MonkeyPatch, module: ModuleType, text: str) -> None:
    """Give the functions of a module the code that a text has."""
    new_codes = dict(_codes(compile(text, module.__file__, "exec")))
    for name, function in _functions(module):
        monkeypatch.setattr(function, "__code__", new_codes[name])


def _codes(code: CodeType):
    """The code of each function and method by its qualified name."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant.co_qualname, constant
            yield from _codes(constant)


def _functions(module: ModuleType):
    own = [v for v in vars(module).values() if getattr(v, "__module__", "") == module.__name__]
    for value in [*own, *(m for v in own if isinstance(v, type) for m in vars(v).values())]:
        function = versions._function_of(value)
        if isinstance(function, FunctionType) and function.__code__.co_filename == module.__file__:
            yield function.__qualname__, function


def test_a_formula_is_in_the_version_of_its_system_alone(changed, monkeypatch):
    edit(monkeypatch, zone_matchup, "fatigue > 70", "fatigue > 71")
    assert changed() == {"zone_matchup_v1"}, "the ensembles that read its rows are made by another rule"


def test_a_constant_of_a_formula_counts(changed, monkeypatch):
    monkeypatch.setattr(zone_matchup, "_LEAGUE_RATING", 111.0)
    assert changed() == {"zone_matchup_v1"}


def test_what_formulas_share_is_in_the_version_of_each(changed, monkeypatch):
    edit(monkeypatch, formula, "if not self.others:", "if self.others == ():")
    assert changed() == {s.system_id for s in SYSTEMS if isinstance(s, formula.Formula)}


def test_a_weight_of_an_ensemble_counts(versions_now, monkeypatch):
    before = versions_now()
    first = next(s for s in SYSTEMS if isinstance(s, ensemble.Ensemble) and s.weights)
    monkeypatch.setitem(first.__dict__, "weights", tuple(w / 2 for w in first.weights))
    now = versions_now()
    assert {name for name in now if now[name] != before[name]} == {first.system_id}


def test_what_is_beneath_a_rule_counts(changed, monkeypatch):
    edit(monkeypatch, odds, "return over / (over + under)", "return over")
    found = changed()
    assert "consensus" in found
    assert not {"slate", "schedule", "players", "box_scores", "zone_matchup_v1"} & found


def test_a_helper_of_a_rule_counts_where_it_is_used(changed, monkeypatch):
    before = names.resolve.__code__
    monkeypatch.setattr(names.resolve, "__code__", before.replace(co_consts=(*before.co_consts, "another")))
    assert changed() == {"resolved_names", "unresolved_names"}


def test_the_text_of_a_statement_counts(changed, monkeypatch):
    monkeypatch.setattr(names, "QUOTED_SQL", names.QUOTED_SQL.replace("SELECT", "SELECT DISTINCT", 1))
    assert changed() == {"resolved_names", "unresolved_names"}


def test_a_view_counts_for_itself_and_for_what_reads_it(changed, monkeypatch):
    own = ledger.CURRENT_PREDICTIONS
    edited = replace(own, sql=own.sql.replace("current_rank = 1", "current_rank = 2"))
    monkeypatch.setitem(versions.VIEWS, own.address, edited)
    found = changed()
    assert {"ledger", "quarantined_predictions"} <= found, "the gate compares with it"
    assert not {"slate", "prices", "scoreboard", "box_scores", "zone_matchup_v1"} & found


@pytest.mark.parametrize("column", [{"nullable": True}, {"ge": -7.0}, {"le": 7.0}])
def test_a_column_of_a_contract_counts_for_its_table_alone(changed, monkeypatch, column):
    more = replace(real("kelly", "A share of the bankroll"), **column)
    monkeypatch.setattr(analytics, "PRICES", replace(analytics.PRICES, columns=(*analytics.PRICES.columns, more)))
    assert changed() == {"prices"}


def test_a_template_counts_for_the_pages_made_from_it(changed, monkeypatch):
    plain = pages.templates.__wrapped__
    monkeypatch.setattr("nba_props.assets.site.templates", lambda *folders: plain(*folders) + "edited")
    assert changed() == {"slate_page", "gathered_pages"}
    assert len({plain(), plain("site")}) == 2


def test_the_words_of_a_contract_do_not_count(changed, monkeypatch):
    columns = tuple(replace(c, description="Another word") for c in analytics.PRICES.columns)
    monkeypatch.setattr(analytics, "PRICES", replace(analytics.PRICES, columns=columns, description="Another"))
    assert changed() == set()


@pytest.mark.parametrize("module", [lines, odds, names, prices, zone_matchup, moving_average, ensemble, formula])
def test_comments_docstrings_and_layout_do_not_count(changed, monkeypatch, module):
    text = inspect.getsource(module)
    edited = re.sub(r'^( +"""|""")(?=\S)', r"\1Edited. ", text, flags=re.M)
    edited = re.sub(r"^( +)(return .*[\w)])$", r"\1# a remark\n\n\1\2  # and one", edited, flags=re.M)
    assert edited.count("Edited. ") > 1
    assert edited.count("# a remark")
    exchange(monkeypatch, module, "# a comment\n\n" + edited)
    assert changed() == set()


def test_names_of_local_variables_do_not_count(changed, monkeypatch):
    edit(monkeypatch, zone_matchup, "leak", "allowed", count=2)
    assert changed() == set()


CODE = """
from nba_props.definitions import defs
graph = defs().resolve_asset_graph()
print(*sorted(f"{k.path[-1]}={graph.get(k).code_version}" for k in graph.materializable_asset_keys))
"""


@pytest.mark.long
def test_every_process_has_the_same_versions(tmp_path):
    """Whatever the order of its sets, and wherever its objects are."""
    found = set()
    for seed in ("1", "2"):
        env = {**os.environ, "PYTHONHASHSEED": seed, "NBA_PROPS_HOME": str(tmp_path)}
        done = subprocess.run([sys.executable, "-c", CODE], env=env, capture_output=True, text=True, check=True)
        found.add(done.stdout)
    assert len(found) == 1
    assert found.pop().count("=") > 50


def test_no_content_names_a_place_in_memory(versions_now, monkeypatch):
    texts = []
    plain = versions.content
    monkeypatch.setattr(versions, "content", lambda *a: texts.append(plain(*a)) or texts[-1])
    versions_now()
    assert len(texts) > 50
    assert [t for t in texts if re.search(r"\bat 0x[0-9a-f]+", t)] == []


def test_the_ui_shows_the_rows_of_an_older_rule_as_stale_and_no_others(slated, monkeypatch):
    from dagster._core.definitions.data_version import CachingStaleStatusResolver
    from dagster._core.loader import LoadingContextForTest

    made = [*map(asset_key, (reference.RESOLVED_NAMES, reference.UNRESOLVED_NAMES, analytics.PRICES))]
    assert slated.run("predict", DAY, select=made).success

    def stale() -> dict[str, list[str]]:
        monkeypatch.setattr(versions, "_parts", {})
        slated.rebuild()
        graph = slated.definitions.resolve_asset_graph()
        resolver = CachingStaleStatusResolver(slated.instance, graph, LoadingContextForTest(slated.instance))
        return {k.path[-1]: [c.reason for c in resolver.get_stale_causes(k, str(DAY))] for k in made}

    exchange(monkeypatch, names, "# a comment\n\n" + inspect.getsource(names))
    assert stale() == {"resolved_names": [], "unresolved_names": [], "prices": []}
    monkeypatch.setattr(names, "QUOTED_SQL", names.QUOTED_SQL.replace("SELECT", "SELECT DISTINCT", 1))
    reason = ["has a new code version"]
    assert stale() == {"resolved_names": reason, "unresolved_names": reason, "prices": []}
