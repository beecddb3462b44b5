"""The code version of an asset is of what computes it."""

from __future__ import annotations

import pytest

from nba_props.assets import versions
from nba_props.assets.versions import code_version
from nba_props.domain import lines, odds, slate


def by_lines(rows):
    return lines.betting_lines(rows, rows, rows)


def by_slate(rows):
    return slate.slate(rows, rows, rows, rows)


@pytest.fixture
def edited(monkeypatch):
    """Edits a module, and forgets what was read of it."""

    def edit(module) -> None:
        source = versions._source
        monkeypatch.setattr(
            versions, "_source", lambda name: source(name) + ("# edited" if name == module.__name__ else "")
        )

    return edit


def test_it_stays_while_nothing_changes():
    assert code_version(by_lines) == code_version(by_lines)
    assert code_version(by_lines) != code_version(by_slate)


def test_it_changes_with_the_modules_that_the_function_uses_and_with_theirs(edited):
    mine, others = code_version(by_lines), code_version(by_slate)
    edited(lines)
    assert code_version(by_lines) != mine
    assert code_version(by_slate) == others, "no other asset is touched"


def test_it_changes_with_what_is_beneath_them(edited):
    before = code_version(by_lines)
    edited(odds)
    assert code_version(by_lines) != before


def test_it_changes_with_the_contract():
    assert code_version(by_lines, [("line", "FLOAT64")]) != code_version(by_lines, [("line", "INT64")])
