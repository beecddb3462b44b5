"""The page of how Dagster is used: a table of choices, whose files exist, and selections that select."""

from __future__ import annotations

import re
from pathlib import Path

import dagster as dg
import pytest

from nba_props.definitions import build_defs
from nba_props.deployment import deployed
from nba_props_tests.conftest import make_settings

PAGE = Path(__file__).parents[1] / "docs" / "dagster.md"
TEXT = PAGE.read_text()
SCREEN, AFTER = TEXT.split("\n## Selections\n")
SELECTIONS = re.findall(r"^\| `(.+?)` \| (.+?) \| (\d+) \| (\d+) \|$", AFTER, re.M)


@pytest.fixture(scope="module")
def graph(tmp_path_factory):
    return build_defs(deployed(make_settings(tmp_path_factory.mktemp("page")))).resolve_asset_graph()


def test_the_table_fits_a_screen_and_each_of_its_rows_names_files():
    assert len(SCREEN.splitlines()) <= 40
    rows = re.findall(r"^\| \*\*(.+?)\*\* \|(.*)\|$", SCREEN, re.M)
    assert len(rows) >= 18
    for name, row in rows:
        files = re.findall(r"`([^`]+)`", row.rpartition("|")[2])
        assert files, name
        assert all((PAGE.parents[1] / file).is_file() for file in files), name


@pytest.mark.parametrize(("selection", "what", "count", "made"), SELECTIONS)
def test_a_selection_selects_what_the_page_says(graph, selection, what, count, made):
    found = dg.AssetSelection.from_string(selection, include_sources=True).resolve(graph)
    assert len(found) == int(count) > 0, sorted(k.to_user_string() for k in found)
    assert len(dg.AssetSelection.from_string(selection).resolve(graph)) == int(made)
    assert what


def test_there_is_a_selection_for_each_tag_that_is_worth_one():
    assert len(SELECTIONS) >= 10
    assert {"criticality", "layer", "kind"} <= set(re.findall(r"\w+", " ".join(s for s, *_ in SELECTIONS)))
