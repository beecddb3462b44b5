"""Which rows of the ledger a remediation is about: named predicates over every row with its problem."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from nba_props.domain import audit as rules
from nba_props.domain.lines import PLACEHOLDER_REASONS
from nba_props.facts.calendar import spans
from nba_props.operations.archive import own_ids, removed
from nba_props.process.errors import NbaPropsError
from nba_props.schemas.predictions import ARCHIVED_PREDICTIONS, LEDGER, REMEDIATIONS
from nba_props.sources import registry
from nba_props.storage.landing import LandingZone
from nba_props.warehouse.base import Warehouse

_NOT_ITS_QUOTE = (
    "NO_QUOTE", "NOT_LANDED", "LINE_MISMATCH", "PRICE_MISMATCH", "BOOK_MISMATCH", "QUOTE_OF_ANOTHER",
)  # fmt: skip
#: predicates over judged ledger rows: version, function and meaning; a changed meaning is a new version
PREDICATES: Mapping[str, tuple[int, Callable[[pd.DataFrame, Selection], pd.Series], str]] = {
    "placeholder": (1, lambda rows, _: rows["problem"].isin(PLACEHOLDER_REASONS), "a placeholder line"),
    "no_source": (1, lambda rows, _: rows["problem"].isin(["NO_SOURCE", "UNKNOWN_SOURCE"]), "a line without a source"),
    "not_its_quote": (2, lambda rows, _: rows["problem"].isin(_NOT_ITS_QUOTE), "a line that is not its quote's"),
    "in_play": (1, lambda rows, _: rows["problem"].eq("IN_PLAY_QUOTE"), "a quote taken at or after the cut-off"),
    "invalid_line": (
        3,
        lambda rows, _: rows["problem"].notna(),
        "any row that is not valid: its line, quote, cut-off, forecast, id or digest; or that returned without restore",
    ),
    "run": (1, lambda rows, asked: rows["run_id"].eq(asked.run_id), "rows that a run published"),
    "system": (1, lambda rows, asked: rows["system_id"].eq(asked.system_id), "rows of a system"),
}
#: gives the hashes (``domain/audit.py``) of a span's rows that an audit has found valid
Seen = Callable[[date, date], np.ndarray]
#: the most dates that one query judges
JUDGED_TOGETHER = 31


class RemediationError(NbaPropsError):
    """A remediation is not possible as requested, or its counts of rows do not add up."""


@dataclass(frozen=True)
class Selection:
    """A selection of rows: a predicate, its dates and its arguments."""

    predicate: str
    first: date
    last: date
    run_id: str = ""
    system_id: str = ""

    def __post_init__(self) -> None:
        if self.predicate not in PREDICATES:
            raise RemediationError(f"there is no predicate {self.predicate!r}; there are {', '.join(PREDICATES)}")
        for name in ("run", "system"):
            if self.predicate == name and not getattr(self, f"{name}_id"):
                raise RemediationError(f"the predicate {name} needs {name}_id")

    @property
    def action(self) -> str:
        """The selection in one line, as every archived row has it."""
        version = PREDICATES[self.predicate][0]
        narrowed = (("run_id", self.run_id), ("system_id", self.system_id))
        more = "".join(f" {name}={shlex.quote(value)}" for name, value in narrowed if value)
        return f"quarantine {self.predicate}/{version} {self.first}..{self.last}{more}"


#: :attr:`Selection.action`, as archived rows have it; rows of earlier releases have ids without quotes around blanks
_ACTION = re.compile(r"quarantine (\w+)/\d+ (\S+)(.*)", re.S)
_NARROWED = re.compile(r"((?: run_id=.*?)?)((?: system_id=.*)?)", re.S)
_OPTIONS = {"run_id": "run", "system_id": "system"}


def command_of(action: str) -> str:
    """The command that repeats the action of a batch; empty if there is none."""
    found = _ACTION.fullmatch(action)
    if not found:
        return ""
    predicate, span, more = found.groups()
    narrowed = _narrowed(more)
    if narrowed is None:
        return ""
    options = (f" --{_OPTIONS[name]} {shlex.quote(value)}" for name, value in narrowed.items() if value)
    return f"nba-props quarantine {predicate} {span}{''.join(options)}"


def _narrowed(text: str) -> dict[str, str] | None:
    """The run and the system of an action; None if it has something else."""
    try:
        found = dict(word.split("=", 1) for word in shlex.split(text))
    except ValueError:
        found = {"": ""}
    if found.keys() <= _OPTIONS.keys():
        return found
    old = _NARROWED.fullmatch(text)
    return {name: part.partition("=")[2] for name, part in zip(_OPTIONS, old.groups(), strict=True)} if old else None


def judged(
    warehouse: Warehouse, first: date, last: date, zone: LandingZone | None = None, seen: Seen | None = None
) -> pd.DataFrame:
    """Every row of the ledger in a span, whoever wrote it, with its ``problem`` (``domain/audit.py``) and ``row_id``.

    Args:
        warehouse: where the ledger is.
        first: the first date.
        last: the last date.
        zone: where the payloads of the quotes are; None trusts the stored quotes.
        seen: gives the hashes of the rows of a span that an audit has found valid.
    """
    span = {"first": first, "last": last}
    rows = warehouse.query(rules.ROWS_SQL[LEDGER.address], **span)
    not_landed: set[str] = set()
    if zone is not None and len(rows):
        quotes = warehouse.query(rules.NAMED_QUOTES_SQL, **span)
        not_landed = registry.not_as_landed(zone, quotes)
    verdicts = rules.verdicts(
        rows, not_landed, is_sealed=warehouse.is_sealed(), seen=seen(first, last) if seen is not None else None
    )
    ids = own_ids(rows)
    out = removed(warehouse, first, last)
    returned = pd.Series(
        pd.MultiIndex.from_arrays([rows["game_date"], ids]).isin(pd.MultiIndex.from_frame(out)), index=rows.index
    )
    for day in rows.loc[returned, "game_date"].drop_duplicates():
        # altering archive or records must not remove valid rows; the audit reports the alteration
        if any(warehouse.alteration(table, day.date()) for table in (ARCHIVED_PREDICTIONS, REMEDIATIONS)):
            returned &= rows["game_date"] != day
    problem = verdicts["problem"].where(verdicts["problem"].notna() | ~returned, "RETURNED")
    return rows.assign(problem=problem, row_id=ids)


def selected(
    warehouse: Warehouse, selection: Selection, zone: LandingZone | None = None, seen: Seen | None = None
) -> pd.DataFrame:
    """The ledger rows of a selection, as :func:`judged`."""
    matches = PREDICATES[selection.predicate][1]
    within = [d for d in warehouse.dates(LEDGER) if selection.first <= d <= selection.last]
    found = []
    for first, last in spans(within, longest=JUDGED_TOGETHER) or [(selection.first, selection.first)]:
        rows = judged(warehouse, first, last, zone, seen)
        asked = matches(rows, selection)
        for column, only in (("system_id", selection.system_id), ("run_id", selection.run_id)):
            asked &= rows[column].eq(only) if only else True
        found.append(rows[asked])
    return pd.concat([f for f in found if len(f)] or found[:1], ignore_index=True)
