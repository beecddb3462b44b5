"""Numbers in Prometheus' text format, read back by a parser of its grammar."""

from __future__ import annotations

import math
import re

import pytest

from nba_props.presentation.exposition import Gauge, exposition

_VALUE = r'"((?:[^"\\\n]|\\\\|\\"|\\n)*)"'
_SAMPLE = re.compile(
    rf"([a-zA-Z_:][\w:]*)(?:\{{((?:[a-zA-Z_]\w*={_VALUE},?)*)\}})? (NaN|[+-]Inf|-?\d[\d.e+-]*)", re.ASCII
)


_PLAIN = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}


def parsed(text: str) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """The samples of each metric; every line must be of the grammar, every metric described before its samples."""
    assert text == "" or text.endswith("\n")
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    described: list[str] = []
    for line in text.splitlines():
        if line.startswith("# HELP "):
            described.append(line.split(" ")[2])
        elif line.startswith("# TYPE "):
            assert line == f"# TYPE {described[-1]} gauge"
            found[described[-1]] = {}
        else:
            match = _SAMPLE.fullmatch(line)
            assert match, line
            name, labels, _, value = match.groups()
            assert name == described[-1], "the samples of a metric are together"
            pairs = re.findall(rf"(\w+)={_VALUE}", labels or "")
            key = tuple((n, re.sub(r'\\[\\n"]', lambda m: _PLAIN[m[0]], v)) for n, v in pairs)
            assert key not in found[name], "twice"
            found[name][key] = float(value)
    assert len(described) == len(set(described))
    return found


def gauge(name: str = "a_metric", help: str = "What it is.", **values: float) -> Gauge:
    made = Gauge(name, help)
    for label, value in values.items():
        made.put(value, of=label)
    return made


def test_what_is_written_is_read_back():
    text = exposition([gauge(one=1, half=0.5, large=1796058469.216348, none=-3), gauge("other", zero=0)])
    assert parsed(text) == {
        "a_metric": {
            (("of", "one"),): 1,
            (("of", "half"),): 0.5,
            (("of", "large"),): 1796058469.216348,
            (("of", "none"),): -3,
        },
        "other": {(("of", "zero"),): 0},
    }
    assert text.startswith("# HELP a_metric What it is.\n# TYPE a_metric gauge\n")


@pytest.mark.parametrize(
    "value", ['a "quoted" word', "a\\path", "two\nlines", "\\n", 'all\\"\n', "Jokić", "{a=1} 2", ""]
)
def test_a_label_may_be_any_text(value):
    made = Gauge("a_metric", "Help with a \\ and\ntwo lines.")
    made.put(1, of=value)
    text = exposition([made])
    assert parsed(text) == {"a_metric": {(("of", value),): 1}}
    assert text.count("\n") == 3


def test_a_number_that_is_not_finite_has_its_name():
    made = gauge(up=math.inf, down=-math.inf, not_known=math.nan)
    assert [line.split()[-1] for line in exposition([made]).splitlines()[2:]] == ["-Inf", "NaN", "+Inf"]


def test_what_is_not_known_is_left_out():
    made = gauge()
    made.put(None, of="nothing")
    assert exposition([made]) == ""


@pytest.mark.parametrize("name", ["a-metric", "1st", "", "ä"])
def test_a_name_that_no_scraper_reads_is_refused(name):
    with pytest.raises(ValueError, match="can't name a metric"):
        exposition([gauge(name, one=1)])
    made = Gauge("a_metric", "Help.")
    made.put(1, **{name: "x"})
    with pytest.raises(ValueError, match="can't name a label"):
        exposition([made])


def test_two_metrics_of_one_name_are_refused():
    with pytest.raises(ValueError, match="names another one"):
        exposition([gauge(one=1), gauge(two=2)])
