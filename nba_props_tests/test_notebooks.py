"""Every notebook and snippet runs over a graded home, and states the market's error beside a system's."""

from __future__ import annotations

import re

import pytest

from nba_props_tests import notebooks
from nba_props_tests.cli.conftest import home, invented
from nba_props_tests.conftest import DAY
from nba_props_tests.test_docs import PAGES

__all__ = ["home", "invented"]
NOTEBOOKS = sorted(notebooks.FOLDER.glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_draws(path, invented, pictures):
    found, stored = notebooks.answers(path), notebooks.stored(path)
    assert [set(answer) for answer in found] == [set(answer) for answer in stored]
    assert sum(notebooks.PICTURE in answer for answer in found) >= 1
    # the demo's rows differ from these; what is asked of them does not
    headings = [
        answer["text/plain"].splitlines()[0].split() for answer in stored if "\n" in answer.get("text/plain", "")
    ]
    assert headings == [a["text/plain"].splitlines()[0].split() for a in found if "\n" in a.get("text/plain", "")]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_has_the_market_beside_a_system_and_says_of_what_league_it_is(path):
    texts = [answer.get("text/plain", "") for answer in notebooks.stored(path)]
    (errors,) = (text for text in texts if re.search(r"\bsystem\b.*\bline\b.*\bdifference\b", text))
    assert "nights" in errors
    assert texts[0] == "'SIMULATED'"


def test_every_snippet_of_python_in_the_docs_runs(invented):
    """Those of a page one after the other, as they are read, about the date that this league has."""
    made = {}
    for page in PAGES:
        names = {}
        for code in re.findall(r"```python\n(.*?)```", page.read_text(), re.S):
            exec(code.replace("2026-01-09", str(DAY)), names)  # noqa: S102
        made |= names
    assert len(made["errors"]) > 100
    assert made["errors"].notna().all(axis=None)
    assert len(made["counts"]) >= 8
    assert len(made["then"]) > 100, "what its newest version had of the date"


def test_there_is_a_notebook():
    assert NOTEBOOKS
