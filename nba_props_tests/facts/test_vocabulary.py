"""Words of closed sets have one home, and reach tables as plain strings."""

from __future__ import annotations

import ast
import re
from enum import StrEnum
from pathlib import Path

import nba_props
from nba_props.catalog import TABLES
from nba_props.facts import vocabulary
from nba_props.facts.vocabulary import Recommendation, Span, either, sql_list, words

VOCABULARIES = [v for v in vars(vocabulary).values() if isinstance(v, type) and issubclass(v, StrEnum) and len(v)]
#: words that also mean something else
AMBIGUOUS = {"SIMULATED", "UNKNOWN"}


def words_in(source: str, of: set[str]) -> list[tuple[int, str]]:
    """The words written out in a module's strings, alone or quoted in a statement, with their lines."""
    texts = [(n.lineno, n.value) for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Constant)]
    return [
        (line, word)
        for line, text in texts
        if isinstance(text, str)
        for word in {text, *re.findall(r"'(\w+)'", text)} & of
    ]


def test_a_word_is_written_out_in_its_vocabulary_only():
    known = {word for v in VOCABULARIES for word in words(v)} - AMBIGUOUS
    root = Path(nba_props.__file__).parent
    found = [
        f"{path.relative_to(root)}:{line} {word}"
        for path in sorted(root.rglob("*.py"))
        if path != Path(vocabulary.__file__)
        for line, word in words_in(path.read_text(), known)
    ]
    assert not found, "\n".join(found)
    assert sorted(words_in("x = f\"a IN ('WIN', '{y}')\"\nz = 'LOSS'", known)) == [(1, "WIN"), (2, "LOSS")]


def test_contracts_allow_plain_strings():
    allowed = [word for table in TABLES.values() for column in table.columns for word in column.isin or ()]
    assert {"OVER", "WIN", "10_TO_20", "ACTUAL_PROP"} <= set(allowed)
    assert {type(word) for word in allowed} == {str}


def test_words_as_a_list_as_sql_and_as_prose():
    assert words(Span) == ("SEASON", "LAST_30_DAYS", "LAST_7_DAYS")
    assert sql_list(Recommendation) == "'OVER', 'UNDER', 'PASS', 'NO_LINE'"
    assert (either(["A"]), either(["A", "B"]), either(iter("ABC"))) == ("A", "A or B", "A, B or C")
    assert f"{Recommendation.OVER}" == "OVER"
