"""The page of how Dagster is used: one screen, whose links lead to files and whose selections select."""

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
SELECTIONS = re.findall(r"^\| `(.+?)` \| (.+?) \| (\d+) \|$", AFTER, re.M)


@pytest.fixture(scope="module")
def graph(tmp_path_factory):
    return build_defs(deployed(make_settings(tmp_path_factory.mktemp("page")))).resolve_asset_graph()


def test_the_screen_is_one_screen_and_each_of_its_rows_leads_to_files():
    assert len(SCREEN.splitlines()) <= 40
    rows = re.findall(r"^\| \*\*(.+?)\*\* \|(.*)\|$", SCREEN, re.M)
    assert len(rows) >= 18
    for name, row in rows:
        links = re.findall(r"\]\(\.\./([^)]+)\)", row)
        assert links, name
        assert all((PAGE.parents[1] / link).is_file() for link in links), name


@pytest.mark.parametrize(("selection", "what", "count"), SELECTIONS)
def test_a_selection_selects_what_the_page_says(graph, selection, what, count):
    found = dg.AssetSelection.from_string(selection, include_sources=True).resolve(graph)
    assert len(found) == int(count) > 0, sorted(k.to_user_string() for k in found)
    assert what


def test_there_is_a_selection_for_each_tag_that_is_worth_one():
    assert len(SELECTIONS) >= 10
    assert {"criticality", "layer", "kind"} <= set(re.findall(r"\w+", " ".join(s for s, *_ in SELECTIONS)))
