"""The audit: whether all rows of ledger and archive are unchanged and valid. Nothing else reads old dates again.

A partition's content is identified by its fingerprint, so that an audit costs no query where nothing changed. Dates
that changed are judged completely, and new findings become alerts. The audit's memory has a folder of its own; without
it everything is judged once more, and losses since the last audit are not detected.
"""

import base64
import json
import logging
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nba_props.catalog import TABLES
from nba_props.domain import audit as rules
from nba_props.domain.audit import Rows
from nba_props.facts.calendar import parse_day, spans
from nba_props.facts.digest import digest
from nba_props.operations import selection
from nba_props.process.errors import NbaPropsError
from nba_props.schemas import Table
from nba_props.schemas.predictions import ARCHIVED_PREDICTIONS, LEDGER
from nba_props.settings import Settings
from nba_props.storage.files import open_path, replace
from nba_props.storage.landing import LandingZone
from nba_props.warehouse.base import CorruptPartition, Warehouse

if TYPE_CHECKING:
    from upath import UPath

_LOG = logging.getLogger(__name__)
#: the file with the results of all dates, and the suffix of those with the rows of a date
_JUDGED, _ROWS = "judged.json", ".rows"
#: how long the rows of an earlier audit are kept
_KEPT_SECONDS = 86_400


class UnreadableMemory(NbaPropsError):
    """A file of the audit's memory can't be read; the message names it."""


def place(settings: Settings) -> str:
    """Where the audit's memory is: under home, or in the bucket."""
    if settings.gcp is not None:
        return f"gs://{settings.gcp.bucket}/audit/{settings.gcp.deployment}"
    return str(settings.home / "audit")


class Memory:
    """The results so far: by table and date the fingerprint, the findings with their rows, and the rows' hashes.

    Hashes of other columns, or of another version of pandas, are not comparable: each kind has a folder of its own.
    """

    def __init__(self, root: str) -> None:
        columns = {t.lasting_name: [c.lasting_name for c in rules.hashed_columns(t)] for t in rules.WATCHED}
        kind = digest(json.dumps([columns, pd.__version__]), 6)
        self._folder = open_path(root) / kind
        self.judged: dict[str, dict[date, dict[str, Any]]] = self._read()

    def _read(self) -> dict[str, dict[date, dict[str, Any]]]:
        try:
            found = _judged(self._folder / _JUDGED)
        except UnreadableMemory as error:
            _LOG.warning("%s: everything is judged again", error)
            return {}
        return {t.address: found[t.lasting_name] for t in rules.WATCHED if t.lasting_name in found}

    def save(self) -> None:
        """Store the results; the rows of each date are stored already, and files without a reference are deleted."""
        text = {
            TABLES[a].lasting_name: {d.isoformat(): kept for d, kept in sorted(days.items())}
            for a, days in self.judged.items()
        }
        replace(self._folder / _JUDGED, json.dumps(text).encode())
        for address, days in self.judged.items():
            named = {_rows_name(day, kept) for day, kept in days.items()}
            folder = self._folder / TABLES[address].lasting_name
            for path in folder.iterdir() if folder.is_dir() else ():
                # another audit or a quarantine may still refer to it
                is_old = path.is_file() and time.time() - path.stat().st_mtime > _KEPT_SECONDS
                if path.name.endswith(_ROWS) and path.name not in named and is_old:
                    path.unlink(missing_ok=True)

    def of(self, table: Table) -> dict[date, dict[str, Any]]:
        """What is known of a table's dates."""
        return self.judged.setdefault(table.address, {})

    def rows(self, table: Table, day: date) -> Rows:
        """The rows that a date had at its last audit; none without one."""
        if day not in self.of(table):
            return rules.NO_ROWS
        kept = self.of(table)[day]
        path = self._folder / table.lasting_name / _rows_name(day, kept)
        try:
            if "rows" in kept and not path.exists():
                raise UnreadableMemory(f"the audit's memory {path} is missing")
            return _remembered(path)
        except UnreadableMemory as error:
            _LOG.warning("%s: losses of that date since the last audit are not detected", error)
            return rules.NO_ROWS

    def known_valid(self, first: date, last: date) -> np.ndarray:
        """The hashes of the ledger's rows of a span that were there at the last audit, and valid."""
        found = [rules.NO_ROWS.contents]
        for day, kept in self.of(LEDGER).items():
            # an earlier release stored how many rows were wrong, but not which
            if first <= day <= last and kept["findings"].keys() <= kept.get("which", {}).keys():
                which = {kind: _hashes(text) for kind, text in kept.get("which", {}).items()}
                found.append(rules.valid(self.rows(LEDGER, day), which))
        return np.concatenate(found)

    def news(self, table: Table, day: date, wrong: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The wrong rows, by kind, that were not known to be wrong."""
        known = self.of(table).get(day, {})
        found = {}
        for kind, rows in wrong.items():
            if kind in known.get("findings", {}) and kind not in known.get("which", {}):
                # stored by a release that knew only how many there were
                found[kind] = rows[known["findings"][kind] :]
            else:
                found[kind] = _without(rows, _hashes(known.get("which", {}).get(kind, "")))
        return found

    def keep(self, table: Table, day: date, fingerprint: str, wrong: Mapping[str, np.ndarray], rows: Rows) -> None:
        """Keep the rows of a date and the findings in it."""
        data = rows.to_bytes()
        kept: dict[str, Any] = {"rows": digest(data, 8)}
        # under a new name: a process killed before ``save`` leaves the earlier results and rows intact
        replace(self._folder / table.lasting_name / _rows_name(day, kept), data)
        self.of(table)[day] = kept | {
            "fingerprint": fingerprint,
            "findings": {kind: len(found) for kind, found in wrong.items()},
            # with the findings and not with the rows: they count as known only once alerts are sent and results saved
            "which": {kind: base64.b64encode(found.astype("<u8").tobytes()).decode() for kind, found in wrong.items()},
        }


def _rows_name(day: date, kept: Mapping[str, Any]) -> str:
    """The name of the file with a date's rows."""
    return f"{day.isoformat()}.{kept['rows']}{_ROWS}" if "rows" in kept else f"{day.isoformat()}{_ROWS}"


def _judged(path: "UPath | Path") -> dict[str, dict[date, dict[str, Any]]]:
    try:
        found = json.loads(path.read_text())
        judged = {t: {parse_day(d): dict(kept) for d, kept in days.items()} for t, days in found.items()}
        for kept in (k for days in judged.values() for k in days.values()):
            str(kept["fingerprint"]), dict(kept["findings"]), [_hashes(t) for t in dict(kept.get("which", {})).values()]
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError, TypeError, KeyError, RecursionError) as error:
        raise UnreadableMemory(f"the audit's memory {path} can't be read ({error})") from error
    return judged


def _remembered(path: "UPath | Path") -> Rows:
    try:
        return Rows.from_bytes(path.read_bytes())
    except FileNotFoundError:
        return rules.NO_ROWS
    except (OSError, ValueError) as error:
        raise UnreadableMemory(f"the audit's memory {path} can't be read ({error})") from error


def unreadable_files(folder: Path) -> dict[Path, str]:
    """The files of an audit's memory that can't be read, and why."""
    found: dict[Path, str] = {}
    for path in sorted(folder.rglob("*")):
        try:
            if path.name == _JUDGED:
                _judged(path)
            elif path.suffix == _ROWS:
                _remembered(path)
        except UnreadableMemory as error:
            found[path] = str(error)
    return found


def _hashes(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), dtype="<u8")


def _without(rows: np.ndarray, known: np.ndarray) -> np.ndarray:
    """The rows that are not among the known ones; of equal rows, as many as there are more than known."""
    place = pd.Series(rows).groupby(rows).cumcount().to_numpy()
    times = pd.Series(known).value_counts().reindex(rows, fill_value=0).to_numpy()
    return rows[place >= times]


@dataclass(frozen=True)
class Found:
    """Wrong rows of one date and kind, how many of them are new, and a short id of the new ones."""

    table: str
    day: date
    kind: str
    rows: int
    new: int
    mark: str


@dataclass
class Audit:
    """The result of one audit."""

    dates: int = 0
    judged: list[str] = field(default_factory=list)
    rows: int = 0
    found: list[Found] = field(default_factory=list)


def audit(warehouse: Warehouse, memory: Memory, zone: LandingZone | None = None) -> Audit:
    """Judge the dates whose fingerprint changed since the last audit; the others cost no query.

    ``memory`` has the result afterwards and is not saved yet. With a ``zone`` quotes are compared with payloads.
    """
    result = Audit()
    for table in rules.WATCHED:
        # taken before the rows are read: what is written in between is judged the next time
        prints = warehouse.fingerprints(table)
        known = memory.of(table)
        changed = {d for d, mark in prints.items() if known.get(d, {}).get("fingerprint") != mark}
        changed |= {d for d, kept in known.items() if d not in prints and kept["fingerprint"]}
        result.dates += len(prints)
        result.judged += [f"{table.address} {day}" for day in sorted(changed)]
        for days in _readable(warehouse, table, memory, zone, changed, result):
            for day, (now, missing, wrong) in days.items():
                result.rows += len(now.keys)
                news = memory.news(table, day, wrong)
                # lost rows stay in the memory: still missing the next time, and recognized when they are back
                memory.keep(table, day, prints.get(day, ""), wrong, rules.together(now, missing))
                result.found += [
                    Found(table.address, day, kind, len(rows), len(news[kind]), _mark(news[kind]))
                    for kind, rows in wrong.items()
                ]
    return result


_Dates = dict[date, tuple[Rows, Rows, dict[str, np.ndarray]]]


def _readable(
    warehouse: Warehouse,
    table: Table,
    memory: Memory,
    zone: LandingZone | None,
    changed: Collection[date],
    result: Audit,
) -> Iterator[_Dates]:
    """The results of :func:`_gone` for the changed dates, span by span; an unreadable date affects no other."""

    def look(first: date, last: date) -> _Dates:
        if table.address == LEDGER.address:
            frame = selection.judged(warehouse, first, last, zone, memory.known_valid)
        else:
            frame = warehouse.query(rules.ROWS_SQL[table.address], first=first, last=last)
        pieces = {d.date(): rows for d, rows in frame.groupby("game_date")}
        return _gone(warehouse, table, memory, pieces, frame, [d for d in sorted(changed) if first <= d <= last])

    for first, last in spans(changed, longest=selection.JUDGED_TOGETHER):
        try:
            yield look(first, last)
            continue
        except CorruptPartition:
            pass  # reading each date by itself shows which one it is
        for day in [d for d in sorted(changed) if first <= d <= last]:
            try:
                yield look(day, day)
            except CorruptPartition as error:
                _LOG.error("%s", error)
                # not kept: it is read again the next time
                mark = digest(str(day), 4)
                result.found.append(Found(table.address, day, "UNREADABLE", 1, 1, mark))


def _gone(
    warehouse: Warehouse,
    table: Table,
    memory: Memory,
    pieces: dict[date, pd.DataFrame],
    frame: pd.DataFrame,
    days: Sequence[date],
) -> _Dates:
    """By date: the rows that are there, those that are lost, and by kind the hashes of wrong ones; the archive is read
    when rows are gone.
    """
    is_ledger = table.address == LEDGER.address
    now = {d: rules.hashed(table, pieces.get(d, frame.iloc[:0])) for d in days}
    before = {d: memory.rows(table, d) for d in days}
    left = [d for d in days if rules.losses(before[d], now[d], rules.NO_ROWS)[1]]
    archived: dict[date, Rows] = {}
    if left and is_ledger:
        sql = rules.ROWS_SQL[ARCHIVED_PREDICTIONS.address]
        copies = warehouse.query(sql, first=left[0], last=left[-1])
        archived = {d.date(): rules.hashed(table, rows) for d, rows in copies.groupby("game_date")}
    found = {}
    for day in days:
        missing, lost = rules.losses(before[day], now[day], archived.get(day, rules.NO_ROWS))
        wrong: dict[str, np.ndarray] = {}
        if is_ledger and day in pieces:
            reasons = pieces[day]["problem"]
            wrong = {kind: now[day].contents[reasons.eq(kind).to_numpy()] for kind in rules.counted(reasons)}
        if not wrong and not lost and warehouse.alteration(table, day):
            wrong["PARTITION_ALTERED"] = np.bitwise_xor.reduce(now[day].contents, keepdims=True)
        found[day] = (now[day], missing, {**wrong, **lost})
    return found


def _mark(rows: np.ndarray) -> str:
    """A short id of some rows, whatever their order."""
    return digest(np.sort(rows).tobytes(), 4)


def known_faults(memory: Memory) -> pd.DataFrame:
    """All wrong rows as of the last audit, by table, date and kind."""
    rows = [
        (table, day, kind, count, rules.KINDS[kind])
        for table, days in memory.judged.items()
        for day, kept in sorted(days.items())
        for kind, count in kept["findings"].items()
    ]
    return pd.DataFrame(rows, columns=["table", "game_date", "kind", "rows", "meaning"])
