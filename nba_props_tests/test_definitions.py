"""What Dagster loads: the graph, its metadata, and what loading costs."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.partitions.context import partition_loading_context

import nba_props
from nba_props.assets import external
from nba_props.automation import planning
from nba_props.automation.jobs import FRESHNESS_JOB, build_jobs
from nba_props.catalog import TABLES, VIEWS
from nba_props.definitions import build_defs
from nba_props.deployment import deployed, load_settings
from nba_props.domain.quality import LIMITS
from nba_props.schemas.predictions import LEDGER
from nba_props.settings import SettingsError
from nba_props.warehouse.lake.views import Views
from nba_props_tests.conftest import make_settings

_V1 = ("moving_average", "similarity_balanced_v1", "zone_matchup_v1")
_ENSEMBLES = {"ensemble_v1": (*_V1, "catboost_v8"), "ensemble_v1_1": (*_V1, "catboost_v8", "xgboost_v1")}
_MODELS = ("catboost_v8", "xgboost_v1")
_SYSTEMS = (*_V1, "shrunk_rate_v1", "market_consensus_v1", "market_anchored_v1", *_MODELS, *_ENSEMBLES)
GRAPH = {
    "nba_raw/schedule": ["landing/nba_stats"],
    "nba_raw/quarantined_games": ["landing/nba_stats"],
    "nba_raw/box_scores": ["landing/nba_stats"],
    "nba_raw/quarantined_box_scores": ["landing/nba_stats"],
    "nba_raw/scoring_shares": ["landing/nba_stats"],
    "nba_raw/quarantined_scoring": ["landing/nba_stats"],
    "nba_raw/injury_reports": ["landing/injury_report"],
    "nba_raw/quarantined_injuries": ["landing/injury_report"],
    "nba_raw/rosters": ["landing/nba_stats"],
    "nba_raw/quarantined_rosters": ["landing/nba_stats"],
    "nba_raw/odds_quotes": ["landing/the_odds_api", "nba_raw/schedule"],
    "nba_raw/quarantined_quotes": ["landing/the_odds_api", "nba_raw/schedule"],
    "nba_reference/players": ["nba_raw/box_scores", "nba_raw/rosters", "nba_raw/schedule"],
    "nba_reference/resolved_names": ["nba_raw/odds_quotes", "nba_raw/schedule", "nba_reference/players"],
    "nba_reference/unresolved_names": ["nba_raw/odds_quotes", "nba_raw/schedule", "nba_reference/players"],
    "nba_analytics/slate": [
        "nba_raw/odds_quotes", "nba_raw/schedule", "nba_reference/players", "nba_reference/resolved_names",
    ],
    "nba_analytics/historical_games": ["nba_analytics/slate", "nba_raw/box_scores"],
    **{f"nba_analytics/{t}_lines": ["nba_analytics/slate", "nba_raw/odds_quotes", "nba_reference/resolved_names"]
       for t in ("book", "betting")},
    "nba_analytics/consensus": ["nba_analytics/slate", "nba_raw/odds_quotes", "nba_reference/resolved_names"],
    **{f"nba_analytics/{t}": ["nba_analytics/consensus", "nba_raw/box_scores", "nba_raw/schedule"]
       for t in ("shapes", "dependence")},
    "nba_predictions/distributions": [
        "nba_analytics/betting_lines", "nba_analytics/consensus", "nba_analytics/shapes", "nba_predictions/xgboost_v1",
    ],
    **{f"nba_predictions/{t}_scores": [
        "nba_analytics/betting_lines", "nba_analytics/dependence", "nba_predictions/distributions", "nba_predictions/prediction_accuracy",
    ] for t in ("distribution", "combination")},
    "nba_analytics/prices": ["nba_analytics/book_lines"],
    "nba_models/minutes_v1": ["nba_analytics/betting_lines", "nba_raw/box_scores", "nba_raw/schedule"],
    "nba_analytics/minutes_forecasts": [
        "nba_analytics/historical_games", "nba_analytics/player_features", "nba_analytics/upcoming_player_game_context",
        "nba_models/minutes_v1",
    ],
    "nba_predictions/minutes_scores": [
        "nba_analytics/betting_lines", "nba_analytics/minutes_forecasts", "nba_raw/box_scores", "nba_raw/schedule",
    ],
    "nba_analytics/upcoming_player_game_context": [
        "nba_analytics/betting_lines", "nba_analytics/historical_games", "nba_analytics/slate", "nba_raw/box_scores",
        "nba_raw/injury_reports", "nba_raw/schedule",
    ],
    **{f"nba_analytics/{t}_features": [
        "nba_analytics/betting_lines", "nba_analytics/historical_games", "nba_analytics/slate",
        "nba_analytics/upcoming_player_game_context", "nba_raw/box_scores", "nba_raw/scoring_shares",
    ] for t in ("player", "market")},
    **{f"nba_predictions/{s}": ["nba_analytics/betting_lines", "nba_analytics/player_features"] for s in _SYSTEMS},
    "nba_predictions/shrunk_rate_v1": [
        "nba_analytics/betting_lines", "nba_analytics/market_features", "nba_analytics/player_features",
    ],
    "nba_predictions/market_consensus_v1": [
        "nba_analytics/betting_lines", "nba_analytics/consensus", "nba_analytics/player_features",
    ],
    "nba_predictions/market_anchored_v1": [
        "nba_analytics/betting_lines", "nba_analytics/consensus", "nba_analytics/player_features", "nba_predictions/xgboost_v1",
        "nba_raw/box_scores",
    ],
    "nba_predictions/similarity_balanced_v1": [
        "nba_analytics/betting_lines", "nba_analytics/historical_games", "nba_analytics/player_features", "nba_raw/box_scores",
    ],
    **{f"nba_models/{s}": ["nba_analytics/betting_lines", "nba_raw/box_scores", "nba_raw/schedule"] for s in _MODELS},
    "nba_predictions/catboost_v8": [
        "nba_analytics/betting_lines", "nba_analytics/player_features", "nba_models/catboost_v8",
    ],
    "nba_predictions/xgboost_v1": [
        "nba_analytics/betting_lines", "nba_analytics/market_features", "nba_analytics/player_features",
        "nba_models/xgboost_v1",
    ],
    **{f"nba_predictions/{s}": sorted(["nba_analytics/betting_lines", *(f"nba_predictions/{c}" for c in of)])
       for s, of in _ENSEMBLES.items()},
    **{f"nba_predictions/{t}": sorted([
        *(f"nba_predictions/{s}" for s in _SYSTEMS), "nba_raw/odds_quotes", "nba_reference/resolved_names",
    ]) for t in ("ledger", "quarantined_predictions")},
    **{f"nba_predictions/{t}": [
        "nba_analytics/betting_lines", "nba_analytics/market_features", "nba_analytics/upcoming_player_game_context",
        "nba_predictions/ledger", "nba_raw/box_scores", "nba_raw/odds_quotes", "nba_raw/quarantined_box_scores", "nba_raw/schedule",
        "nba_reference/resolved_names",
    ] for t in ("prediction_accuracy", "grade_history")},
    **{f"nba_predictions/{t}": [
        "nba_analytics/book_lines", "nba_analytics/prices", "nba_predictions/prediction_accuracy", "nba_raw/odds_quotes",
    ] for t in ("closing_line_value", "quote_scores", "evidence")},
    **{f"nba_monitoring/{t}": [
        "nba_predictions/closing_line_value", "nba_predictions/distribution_scores", "nba_predictions/prediction_accuracy",
        "nba_predictions/quote_scores",
    ] for t in ("scoreboard", "market_scores")},
    "nba_monitoring/promotions": sorted(["nba_predictions/evidence", *(f"nba_predictions/{s}" for s in _SYSTEMS)]),
    "nba_monitoring/report_page": ["nba_monitoring/scoreboard"],
    "nba_presentation/slate_page": sorted([
        "nba_analytics/betting_lines", "nba_analytics/historical_games", "nba_analytics/minutes_forecasts",
        "nba_analytics/prices", "nba_analytics/slate", "nba_analytics/upcoming_player_game_context",
        "nba_monitoring/market_scores", "nba_monitoring/promotions", "nba_monitoring/scoreboard",
        "nba_predictions/distributions", "nba_predictions/ledger", "nba_predictions/prediction_accuracy", "nba_predictions/quarantined_predictions", "nba_raw/odds_quotes",
        "nba_raw/schedule", "nba_reference/resolved_names",
    ]),
    "nba_presentation/gathered_pages": [
        "nba_monitoring/market_scores", "nba_monitoring/scoreboard", "nba_presentation/slate_page",
    ],
}  # fmt: skip
BLOCKING = {
    "schema", "history_complete", "no_future_data", "lines_have_provenance", "no_placeholder_lines", "every_row_is_graded",
    "offers_are_quotes",
}  # fmt: skip
"""The documented ones."""


@pytest.fixture(scope="module")
def definitions(tmp_path_factory):
    return build_defs(deployed(make_settings(tmp_path_factory.mktemp("defs"))))


@pytest.fixture(scope="module")
def graph(definitions):
    return definitions.resolve_asset_graph()


def test_the_asset_graph(graph):
    found = {
        k.to_user_string(): sorted(p.to_user_string() for p in graph.get(k).parent_keys)
        for k in graph.materializable_asset_keys
    }
    assert found == GRAPH


def tables(graph):
    return {k for k in graph.materializable_asset_keys if ".".join(k.path) in TABLES}


def test_a_model_belongs_to_a_week_and_serves_the_dates_of_that_week(graph):
    for system in _MODELS:
        model, served = dg.AssetKey(["nba_models", system]), dg.AssetKey(["nba_predictions", system])
        node = graph.get(model)
        assert isinstance(node.partitions_def, dg.WeeklyPartitionsDefinition)
        assert node.partitions_def.get_first_partition_key() == "2025-10-20", "the Monday of the first date's week"
        assert node.freshness_policy is None, "it would pass for a model of any week"
        mapping = graph.get_partition_mapping(served, model)
        daily = graph.get(served).partitions_def
        found = mapping.get_upstream_mapped_partitions_result_for_partitions(
            daily.subset_with_partition_keys(["2025-11-09"]), daily, node.partitions_def
        )
        assert list(found.partitions_subset.get_partition_keys()) == ["2025-11-03"]


def test_every_asset_is_a_table_with_its_contract_on_show(graph):
    for key in tables(graph):
        node = graph.get(key)
        table = TABLES[".".join(key.path)]
        assert node.description == table.description
        assert node.group_name
        assert node.owners
        assert node.kinds
        schema = node.metadata["dagster/column_schema"]
        assert [c.name for c in schema.columns] == table.column_names
        assert isinstance(node.partitions_def, dg.DailyPartitionsDefinition)
        assert node.partitions_def.timezone == "America/New_York"
        assert node.backfill_policy == dg.BackfillPolicy.single_run()


def test_partition_mappings_are_identity(graph):
    for key in tables(graph):
        for parent in graph.get(key).parent_keys & tables(graph):
            mapping = graph.get_partition_mapping(key, parent)
            assert isinstance(mapping, dg.TimeWindowPartitionMapping)
            assert (mapping.start_offset, mapping.end_offset) == (0, 0)


def test_checks_are_partitioned_and_structure_blocks(graph):
    specs = [graph.get_check_spec(k) for k in graph.asset_check_keys]
    feeds = {s.key.asset_key.path[-1] for s in specs if s.name == "feed_is_fresh"}
    assert feeds == {"the_odds_api", "nba_stats", "injury_report"}, "a feed is as fresh as the hour, not as a date"
    dated = {s.key.asset_key.path[-1] for s in specs if s.name == "is_fresh"}
    assert dated == {"slate", "betting_lines", LEDGER.name, "prediction_accuracy", "minutes_v1", *_MODELS}
    specs = [s for s in specs if s.name not in ("feed_is_fresh", "tonight_has_odds", "is_fresh")]
    assert len(specs) == len({s.key for s in specs}) >= 28
    for spec in specs:
        assert spec.partitions_def is not None
        assert spec.description
        published = spec.asset_key == dg.AssetKey(["nba_predictions", "ledger"])
        is_second_look = spec.name == "lines_have_provenance" and published  # the line blocked, where it had to
        assert spec.blocking == (spec.name in BLOCKING and not is_second_look), spec.key
    required = {"no_placeholder_lines", "history_complete", "lines_have_provenance", "schema", "names_resolved",
                "slate_is_complete", "no_future_data"}  # fmt: skip
    assert required <= {s.name for s in specs}


def test_the_description_of_a_check_has_its_limit(graph):
    limits = {s.name: s.description for s in map(graph.get_check_spec, graph.asset_check_keys) if s.name in LIMITS}
    assert limits.keys() == LIMITS.keys()
    assert all(limits[name].endswith(f" Limit: {limit}.") for name, limit in LIMITS.items())
    assert "50-65 %" in limits["validation_win_rates"]


def test_a_slate_waits_for_no_page(definitions, graph):
    """The page is made when results come in or lines change, not while a date is predicted."""
    from nba_props.assets.monitoring import REPORT_PAGE

    makes = {j: REPORT_PAGE in definitions.resolve_job_def(j).asset_layer.executable_asset_keys
             for j in ("predict", "follow", "grade", "reline")}  # fmt: skip
    assert makes == {"predict": False, "follow": False, "grade": True, "reline": True}
    page = graph.get(REPORT_PAGE)
    assert isinstance(page.partitions_def, dg.DailyPartitionsDefinition)
    assert page.backfill_policy == dg.BackfillPolicy.single_run()
    assert page.group_name == "monitoring"
    pages = {k for k in graph.get_all_asset_keys() if graph.get(k).group_name == "presentation"}
    made = {
        j.name: set(definitions.resolve_job_def(j.name).asset_layer.executable_asset_keys) & pages for j in build_jobs()
    }
    assert {name: keys for name, keys in made.items() if keys} == {"site": pages}


def test_one_writer_per_table(graph):
    beside = {"/".join(table.path) for table in external.WRITTEN_BY}
    pages = {"nba_monitoring/report_page", "nba_presentation/slate_page", "nba_presentation/gathered_pages"}
    assert {k for k in GRAPH if not k.startswith("nba_models/")} - pages == {
        "/".join(t.path) for t in TABLES.values()
    } - beside
    for table, writer in external.WRITTEN_BY.items():
        node = graph.get(dg.AssetKey(table.path))
        assert node.is_external
        assert node.description.endswith(f"Written by {writer}.")
        assert [c.name for c in node.metadata["dagster/column_schema"].columns] == table.column_names


def behind(graph, key):
    """The tables that a view is made from, through other views too."""
    return {"/".join(k.path) for k in graph.get_non_virtual_ancestor_keys(key)}


def test_every_view_is_a_virtual_asset_with_its_lineage(graph):
    virtual = {k for k in graph.get_all_asset_keys() if graph.get(k).is_virtual}
    assert {".".join(k.path) for k in virtual} == set(VIEWS)
    for view in VIEWS.values():
        node = graph.get(external.view_key(view))
        assert node.description == view.description
        assert not node.is_materializable
        assert node.kinds == {"view"}
        assert behind(graph, node.key) == {"/".join(t.path) for t in Views(VIEWS).tables_behind(view.address)}
    assert behind(graph, dg.AssetKey(["nba_predictions", "current_predictions"])) == {"nba_predictions/ledger"}
    streak = graph.get(dg.AssetKey(["nba_monitoring", "placeholder_free_streak"]))
    assert "nba_monitoring/placeholder_alerts" in {k.to_user_string() for k in streak.parent_keys}, "by another view"


def test_no_job_makes_what_is_virtual_or_written_elsewhere(definitions, graph):
    made = {
        key for job in build_jobs() for key in definitions.resolve_job_def(job.name).asset_layer.executable_asset_keys
    }
    assert made == graph.materializable_asset_keys
    assert graph.get_all_asset_keys() - made == {
        *map(external.view_key, VIEWS.values()), *(dg.AssetKey(t.path) for t in external.WRITTEN_BY),
        *(dg.AssetKey(["landing", name]) for name in ("the_odds_api", "nba_stats", "injury_report")),
    }  # fmt: skip


def test_every_asset_has_an_owner_a_layer_a_criticality_and_a_group(graph):
    nodes = [graph.get(k) for k in graph.get_all_asset_keys()]
    assert len(nodes) > 75
    assert {tuple(n.owners) for n in nodes} == {("team:nba_props",)}
    assert {n.tags["layer"] for n in nodes} == {"raw", "analytics", "predictions", "monitoring", "presentation"}
    assert {n.tags["criticality"] for n in nodes} == {"irreplaceable", "tonight", "afterwards"}
    assert all(n.kinds and n.group_name != "default" for n in nodes)


def test_what_a_night_waits_for_is_what_its_ledger_is_made_from(graph):
    ledger = dg.AssetKey(["nba_predictions", "ledger"])
    waited_for = {k for k in graph.get_all_asset_keys() if graph.get(k).tags["criticality"] == "tonight"}
    landing = {k for k in graph.get_all_asset_keys() if k.path[0] == "landing"}
    assert waited_for == graph.get_ancestor_asset_keys(ledger) - landing
    assert {"slate", "ensemble_v1_1", "betting_lines"} <= {k.path[-1] for k in waited_for}
    assert not {"prices", "scoreboard", "slate_page"} & {k.path[-1] for k in waited_for}


def test_owners_and_tags_are_stated_once():
    """A label that a module states by itself is one that another forgets."""
    package = Path(nba_props.__file__).parent
    stating = [p.name for p in package.rglob("*.py") if re.search(r"\bowners=|\"team:", p.read_text())]
    assert stating == ["labels.py"]


def test_the_scores_that_are_updated_are_those_of_a_whole_step(definitions):
    """Dagster refuses a run over a part of a step's assets."""
    steps = [set(d.keys) for d in definitions.assets if isinstance(d, dg.AssetsDefinition)]
    updated = set(planning.SCORES)
    assert updated == set().union(*(step for step in steps if step & updated))


def test_hourly_expectations_are_checked_by_their_own_job_alone(definitions):
    """In a backfill of old dates it would say of today that it is missing."""
    by_job = {
        job.name: {k.name for k in definitions.resolve_job_def(job.name).asset_layer.asset_graph.asset_check_keys}
        for job in build_jobs()
    }
    assert {name for name, checks in by_job.items() if "is_fresh" in checks} == {FRESHNESS_JOB}


def test_what_cannot_be_made_again_is_marked(graph):
    marked = {k.path[-1] for k in tables(graph) if graph.get(k).tags.get("criticality") == "irreplaceable"}
    assert marked == {LEDGER.name, "quarantined_predictions", "grade_history"}


def test_a_simulated_league_is_marked_by_a_tag_and_not_in_descriptions(tmp_path):
    settings = make_settings(tmp_path)
    (tmp_path / "landing").mkdir()
    (tmp_path / "landing" / "landing.json").write_text(
        '{"data_source": "SIMULATED", "first_date": "2025-10-20", "last_date": "2026-04-12"}'
    )
    graph = build_defs(deployed(settings)).resolve_asset_graph()
    for key in graph.materializable_asset_keys:
        node = graph.get(key)
        assert node.tags["data_source"] == "simulated"
        assert "SIMULATED" not in (node.description or "")
    slate = graph.get(dg.AssetKey(["nba_analytics", "slate"])).partitions_def
    model = graph.get(dg.AssetKey(["nba_models", "xgboost_v1"])).partitions_def
    with partition_loading_context(effective_dt=datetime(2027, 1, 1, tzinfo=UTC)):  # a day long after
        assert slate.get_last_partition_key() == "2026-04-13", "the UI opens on dates that have games"
        assert model.get_last_partition_key() == "2026-04-13"
    with partition_loading_context(effective_dt=datetime(2026, 1, 9, 17, tzinfo=UTC)):
        assert slate.get_last_partition_key() == "2026-01-09"


HEAVY = (
    "xgboost",
    "catboost",
    "matplotlib",
    "scipy",
    "scoringrules",
    "jinja2.sandbox",
    "pandera",
    "duckdb",
    "google",
    "sqlglot",
    "pyarrow.parquet",
    "rapidfuzz",
    "requests",
    "dagster_gcp",
)


def test_loading_is_cheap():
    """Heavy libraries are imported where they are used; definitions cost less CPU than Dagster and pandas alone."""
    code = (
        "import time, sys, dagster, pandas; theirs = time.process_time(); "
        "from nba_props.definitions import build_defs; from nba_props.deployment import deployed, load_settings; "
        "build_defs(deployed(load_settings())).resolve_asset_graph(); "
        f"print((time.process_time() - theirs) / theirs, [m for m in {HEAVY!r} if m in sys.modules])"
    )
    for _ in range(3):  # the least of three, on a machine that does other things as well
        output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        ratio, loaded = output.split(maxsplit=1)
        assert loaded.strip() == "[]"
        if float(ratio) < 1.0:
            return
    pytest.fail(f"the definitions cost {ratio} of what Dagster and pandas do")


def test_the_definitions_validate():
    import os

    done = subprocess.run(
        [sys.executable, "-m", "dagster", "definitions", "validate", "-m", "nba_props.definitions"],
        capture_output=True, text=True, env={**os.environ, "DAGSTER_HOME": ""}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "All code locations passed validation" in done.stderr + done.stdout


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NBA_PROPS_PROFILE", "production"),
        ("NBA_PROPS_FIRST_DATE", "yesterday"),
        ("NBA_PROPS_LOOK_BACK_DAYS", "-1"),
        ("NBA_PROPS_MAX_GAMES", "0"),
        ("NBA_PROPS_MIN_MINUTES", "0"),
    ],
)
def test_an_invalid_setting_is_refused_by_name(name, value):
    with pytest.raises(SettingsError, match=f"{name} is '{value}'"):
        load_settings({name: value})


def test_the_import_contracts_cover_every_module():
    """import-linter knows packages alone, and no import by a name that is put together."""
    package = Path(nba_props.__file__).parent
    modules = list(package.rglob("*.py"))
    assert {m.parent for m in modules} == {m.parent for m in package.rglob("__init__.py")}
    assert [m.name for m in modules if 'import_module("nba_props' in m.read_text()] == []
