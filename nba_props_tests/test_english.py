"""The code, the tests and the docs use the plain words of the field: some phrases must not come back."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: packages and modules whose docstrings, comments, strings and names are held to it
ROOMS = (
    "__init__.py", "__main__.py", "assets", "automation", "catalog.py", "checks", "cli", "data", "definitions.py",
    "deployment.py", "domain", "facts", "operations", "presentation", "process", "schemas", "settings", "simulator",
    "sources", "storage", "warehouse",
)  # fmt: skip
#: the folders of tests, and the modules beside them
TESTS = ROOT / "nba_props_tests"
ROOMS_OF_TESTS = (TESTS, *sorted(p.parent for p in TESTS.glob("*/__init__.py")))
#: strings that are stored, and so can't change
STORED = frozenset({"taken in:"})
#: docs, templates of pages, deployments and benchmarks, whose whole text is held to it
PAGES = (
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "Makefile", "Dockerfile")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "nba_props").rglob("*.md")),
    *sorted((ROOT / "docs").rglob("*.ipynb")),
    *sorted((ROOT / "nba_props" / "presentation").glob("*.jinja")),
    *sorted(p for p in (ROOT / "deploy").iterdir() if p.is_file()),
    *sorted((ROOT / "benchmarks").glob("*.py")),
)
#: by what to write instead
BANNED = {
    "again": r"\banew\b",
    "fix, repair": r"\bmend(s|ed|ing)?\b",
    "emptied": r"\bhollow\b",
    "foreign, unknown": r"\bstrangers?\b",
    "accept": r"\bvouch(es|ed|ing)?\b",
    "then": r"\bwhereupon\b",
    "sent, reported, logged, printed; by default": r"\btold\b",
    "completed, disappeared": r"\bwent\b",
    "valid, ok": r"\bsound\b",
    "load": r"\b(tak(e|es|en|ing)|took) in\b",
    "is not, are not": r"(?<!there )\b(is|are) ((?-i:none)\b|no (?!longer\b|more\b|less\b|better\b)[a-z])",
    "has a forecast, answers; has, shows": (
        r"\b(feed|table|row|ledger|report|payload|schedule|site|system|quote|column)s? "
        r"(speaks?|spoke|spoken|says?|said|tells?|knows?|hears?)\b"
    ),
}
_BANNED = {instead: re.compile(pattern, re.IGNORECASE) for instead, pattern in BANNED.items()}


def found_in(text: str) -> list[str]:
    """The banned phrases of a text, with their surroundings and what to write instead."""
    text = " ".join(text.split())
    hits = ((instead, match) for instead, pattern in _BANNED.items() for match in pattern.finditer(text))
    return [f"{text[max(m.start() - 30, 0) : m.end() + 30]!r}: write {instead}" for instead, m in hits]


def prose_of(source: str) -> Iterator[tuple[int, str]]:
    """Comments, string constants and names of functions and classes of a module, with their lines.

    F-strings are read piece by piece, and names as a sentence: with spaces for underscores.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.lineno, words_of(node.name)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value not in STORED:
            yield node.lineno, node.value
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def words_of(name: str) -> str:
    """The name of a function, class or module as a sentence."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).replace("_", " ")


def modules(room: str) -> list[Path]:
    place = ROOT / "nba_props" / room
    return [place] if place.suffix else sorted(place.rglob("*.py"))


def modules_of_tests(room: Path) -> list[Path]:
    """All of them but this one, which has the phrases as samples."""
    return sorted(p for p in (room.glob("*.py") if room == TESTS else room.rglob("*.py")) if p != Path(__file__))


def phrases_of(path: Path) -> list[str]:
    """The banned phrases of a module with their places."""
    texts = [(1, words_of(path.stem)), *prose_of(path.read_text())]
    return [f"{path.relative_to(ROOT)}:{line} {phrase}" for line, text in texts for phrase in found_in(text)]


@pytest.mark.parametrize("room", ROOMS)
def test_no_banned_phrase_is_in_a_room(room):
    paths = modules(room)
    assert paths
    found = [phrase for path in paths for phrase in phrases_of(path)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("room", ROOMS_OF_TESTS, ids=lambda room: room.name)
def test_no_banned_phrase_is_in_the_tests(room):
    paths = modules_of_tests(room)
    assert paths
    found = [phrase for path in paths for phrase in phrases_of(path)]
    assert not found, "\n".join(found)


def test_every_module_is_in_a_room():
    own = {path for room in ROOMS for path in modules(room)}
    assert set((ROOT / "nba_props").rglob("*.py")) == own
    tests = {path for room in ROOMS_OF_TESTS for path in modules_of_tests(room)}
    assert set(TESTS.rglob("*.py")) - tests == {Path(__file__)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_banned_phrase_is_in_the_docs(page):
    assert not found_in(page.read_text())


@pytest.mark.parametrize(
    ("source", "phrases"),
    [
        ('"""Made anew."""', 1),
        ("x = 1  # what a user can mend", 1),
        ('print(f"{1} is none that {2} was told")', 2),
        ('"""A name\n    is none of ours."""', 1),
        ('"""The feed\n    says so."""', 1),
        ('"""There is none, and there is no other; it is no longer sent."""', 0),
        ("def test_a_record_that_is_none_is_mended(): ...", 2),
        ("class WhatIsMended: ...", 1),
        ("async def _told(): ...", 1),
        ('"""A value is None."""', 0),
        ("mend = sound = 1", 0),
    ],
)
def test_phrases_are_found_in_prose_and_not_in_code(source, phrases):
    assert sum(len(found_in(text)) for _, text in prose_of(source)) == phrases
