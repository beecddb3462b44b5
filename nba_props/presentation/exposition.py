"""Numbers in Prometheus' text format (version 0.0.4), the one that every scraper and textfile collector reads."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

#: the content type of an answer in this format
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*")


@dataclass
class Gauge:
    """A metric that may rise and fall: its name, what it means with its unit, and a value for each set of labels."""

    name: str
    help: str
    values: dict[tuple[tuple[str, str], ...], float] = field(default_factory=dict)

    def put(self, value: float | None, **labels: str) -> None:
        """Set the value for some labels; None, for a number that is not known, leaves it out."""
        if value is not None:
            self.values[tuple(sorted(labels.items()))] = float(value)


def exposition(gauges: Iterable[Gauge]) -> str:
    """The gauges that have a value as text.

    Raises:
        ValueError: a metric or a label has a name that the format does not allow, or two metrics have the same.
    """
    seen: set[str] = set()
    lines: list[str] = []
    for gauge in gauges:
        if not _METRIC.fullmatch(gauge.name) or gauge.name in seen:
            raise ValueError(f"{gauge.name!r} can't name a metric, or names another one")
        seen.add(gauge.name)
        if gauge.values:
            lines += [f"# HELP {gauge.name} {_escaped(gauge.help)}", f"# TYPE {gauge.name} gauge", *_samples(gauge)]
    return "".join(f"{line}\n" for line in lines)


def _samples(gauge: Gauge) -> Iterator[str]:
    for labels, value in sorted(gauge.values.items()):
        if wrong := [name for name, _ in labels if not _LABEL.fullmatch(name)]:
            raise ValueError(f"{wrong[0]!r} can't name a label")
        yield f"{gauge.name}{_braced(dict(labels))} {_number(value)}"


def _braced(labels: Mapping[str, str]) -> str:
    inner = ",".join(f'{name}="{_escaped(value, quoted=True)}"' for name, value in labels.items())
    return f"{{{inner}}}" if inner else ""


def _escaped(text: str, *, quoted: bool = False) -> str:
    text = text.replace("\\", "\\\\").replace("\n", "\\n")
    return text.replace('"', '\\"') if quoted else text


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) else repr(value)
