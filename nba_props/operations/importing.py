"""Importing an export of the old production table: this platform's gate judges its predictions.

Every row is kept as delivered (``nba_predictions.imported_predictions``). A row whose line is backed by a stored quote
is published under ``imported_<system>``, with the delivered row in ``components``; any other is held back with the
gate's reason. The creation time of a row is only a claim, so no imported row counts as published before the cut-off.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import pandas as pd

from nba_props.domain import gate
from nba_props.domain.imported import AS_CLAIMED_SQL, RELINED_SQL
from nba_props.domain.lines import LINE_PROBLEMS, claimed_lines_sql
from nba_props.domain.views.ledger import is_imported_sql
from nba_props.facts.calendar import spans
from nba_props.operations.exports import ImportRefused, as_imported
from nba_props.operations.selection import JUDGED_TOGETHER
from nba_props.process.revision import publication
from nba_props.schemas.analytics import BETTING_LINES, SLATE
from nba_props.schemas.base import WriteMode
from nba_props.schemas.predictions import (
    IMPORTED_PREDICTIONS,
    LEDGER,
    PUBLICATIONS,
    QUARANTINED_PREDICTIONS,
    SYSTEM_COLUMNS,
)
from nba_props.schemas.raw import ODDS_QUOTES, SCHEDULE
from nba_props.schemas.reference import RESOLVED_NAMES
from nba_props.warehouse.base import Warehouse
from nba_props.warehouse.lake import LakeWarehouse

#: identifies a system's rows for one player-game
_SAME = ["game_date", "system_id", "game_id", "player_id"]
_COLUMNS = ", ".join([*(c.name for c in SYSTEM_COLUMNS), "source_created_at"])
#: the tables that an export is judged by
_READ = (SCHEDULE, ODDS_QUOTES, RESOLVED_NAMES, SLATE, BETTING_LINES, IMPORTED_PREDICTIONS, LEDGER)
_PUBLISHED, _RELINED = "published", "published with the real line"
_NOT_BEGUN = "left out: its game has not begun"


@dataclass(frozen=True)
class Imported:
    """The result of an import, or of its dry run.

    Attributes:
        rows: each row of the export once, by ``system_id`` and ``outcome``: published, or held back with the reason.
        days: the dates on which something was published.
        unread: rows of the export without a date or a system, by reason; they are only in the file.
        repeated: rows that are exact copies of another row of the export.
        new: by date the rows that this import published and quarantined; those of an earlier one are not counted.
        undo: the command that undoes it; empty if nothing was published.
    """

    rows: pd.DataFrame
    days: tuple[date, ...]
    unread: dict[str, int]
    repeated: int
    new: Mapping[date, tuple[int, int]]
    undo: str

    @property
    def total(self) -> int:
        return int(self.rows["rows"].sum()) if len(self.rows) else 0


def require_judgeable(warehouse: Warehouse, exports: Sequence[pd.DataFrame], now: datetime) -> None:
    """Raise :class:`ImportRefused` when dates of the exports have no slate here, or no row is usable."""
    rows = pd.concat([as_imported(frame, now)[0] for frame in exports], ignore_index=True)
    if rows.empty:
        raise ImportRefused("no row of the export has a game_date such as 2025-11-19, a system and a player")
    _require_slates(warehouse, _dates(rows))


def bring_in(
    warehouse: Warehouse,
    exports: Sequence[pd.DataFrame],
    run_id: str,
    now: datetime,
    *,
    real_lines: bool = False,
    dry_run: bool = False,
    job_name: str = "import_legacy",
    command: str | None = None,
) -> Imported:
    """Store, judge and publish the rows of some exports; running it twice changes nothing.

    A date's rows are judged together with the published rows of earlier files. Of several valid rows for one
    player-game one counts: the last that claims to be from before the cut-off, else the newest. Rows of games that
    have not begun are left out: only this platform's own clock proves what was published before a cut-off.

    Args:
        warehouse: has the tables, with slate and quotes of the dates.
        exports: rows of the old table, a frame for each file (``exports.read_export``).
        run_id: the run that imports.
        now: the time of the import.
        real_lines: give forecasts whose own line is not valid the line that this platform chose, if any, and the
            resulting side.
        dry_run: work on a temporary copy of the tables that rows are judged by, and keep nothing.
        job_name: the job of the run.
        command: the command typed in a terminal, if any.

    Raises:
        ImportRefused: dates of the exports have no slate here.
    """
    frames, unread = zip(*(as_imported(frame, now) for frame in exports), strict=True)
    read = pd.concat(frames, ignore_index=True)
    rows = read.drop_duplicates("row_id")
    days = _dates(rows)
    _require_slates(warehouse, days)
    with _copy(warehouse, days) if dry_run else nullcontext(warehouse) as target:
        outcomes: list[pd.DataFrame] = []
        new: dict[date, tuple[int, int]] = {}
        for first, last in spans(days, longest=JUDGED_TOGETHER):
            asked = [d for d in days if first <= d <= last]
            mine = rows[rows["game_date"].between(pd.Timestamp(first), pd.Timestamp(last))]
            # stored first: what is judged is what is stored
            target.append(IMPORTED_PREDICTIONS, mine, asked)
            good, bad, results = _judged(target, first, last, set(mine["row_id"]), real_lines=real_lines, now=now)
            outcomes.append(results[results["feature_hash"].isin(mine["row_id"])])
            good, bad = (f[f["feature_hash"].isin(mine["row_id"])] for f in (good, bad))
            publications = publication(good["game_date"], run_id, job_name, command, now)
            new |= _publish(target, good, bad, publications, asked, run_id, now)
    found = pd.concat(outcomes) if outcomes else pd.DataFrame(columns=["game_date", "system_id", "outcome"])
    counted = found.groupby(["system_id", "outcome"]).size().rename("rows").reset_index()
    published = found[found["outcome"].isin([_PUBLISHED, _RELINED])]
    why = {k: sum(u.get(k, 0) for u in unread) for u in unread for k in u}
    undo = f"nba-props rollback {run_id}" if any(rows for rows, _ in new.values()) else ""
    return Imported(counted, tuple(_dates(published)), why, len(read) - len(rows), new, undo)


@contextmanager
def _copy(warehouse: Warehouse, days: Sequence[date]) -> Iterator[Warehouse]:
    """A temporary lake with the tables that rows of some dates are judged by."""
    with tempfile.TemporaryDirectory() as folder:
        lake = LakeWarehouse(Path(folder))
        for table in _READ:
            there = set(warehouse.partitions(table))
            known = [d for d in days if d in there]
            frame = warehouse.read(table, known) if known else table.empty()
            (lake.append if table.write_mode is WriteMode.APPEND else lake.write)(table, frame, known)
        yield lake


def _require_slates(warehouse: Warehouse, days: Sequence[date]) -> None:
    known = set(warehouse.partitions(SLATE)) & set(warehouse.partitions(BETTING_LINES))
    if missing := [d for d in days if d not in known]:
        span = f"{missing[0]}..{missing[-1]}" if len(missing) > 1 else f"{missing[0]}"
        raise ImportRefused(
            f"{len(missing)} of {len(days)} dates of the export have no slate and no quotes here yet to judge it by: "
            f"run `nba-props backfill {span}` first"
        )


def _judged(
    warehouse: Warehouse, first: date, last: date, mine: set[str], *, real_lines: bool, now: datetime
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The rows to publish, the rows to hold back, and the ``outcome`` of each by ``feature_hash``.

    Judged are a span's rows that are imported now (``mine``), and those published earlier. Rows of earlier files that
    were removed from the ledger do not compete with them.
    """
    rivals = mine | _published_rows(warehouse, first, last)
    claims = _claims(warehouse, AS_CLAIMED_SQL, first, last, rivals)
    begun = claims["cutoff_at"].isna() | (claims["cutoff_at"] <= pd.Timestamp(now))
    good, bad = _split(claims[begun])
    early = claims[~begun].assign(outcome=_NOT_BEGUN)
    relined = good.iloc[:0]
    if real_lines:
        # forecasts whose only fault is the line; a player-game with a valid line keeps it
        lineless = set(bad.loc[bad["reason"].isin(LINE_PROBLEMS), "feature_hash"])
        again = _claims(warehouse, RELINED_SQL, first, last, rivals)
        relined, _ = _split(again[again["feature_hash"].isin(lineless) & ~_pairs(again).isin(_pairs(good))])
    is_relined = bad["feature_hash"].isin(relined["feature_hash"])
    parts = [
        good.assign(outcome=_PUBLISHED),
        relined.assign(outcome=_RELINED),
        bad[~is_relined].assign(outcome="held back: " + bad.loc[~is_relined, "reason"].astype(str)),
        early,
    ]
    columns = ["feature_hash", "game_date", "system_id", "outcome"]
    results = pd.concat([f[columns] for f in parts if len(f)] or [early[columns]], ignore_index=True)
    return pd.concat([f for f in (good, relined) if len(f)] or [good], ignore_index=True), bad, results


def _published_rows(warehouse: Warehouse, first: date, last: date) -> set[str]:
    """The ids of the imported rows that the ledger has."""
    found = warehouse.query(
        f"SELECT feature_hash FROM {LEDGER.address} AS p "
        f"WHERE p.game_date BETWEEN @first AND @last AND {is_imported_sql('p')}",
        first=first,
        last=last,
    )
    return set(found["feature_hash"])


def _claims(warehouse: Warehouse, claims: str, first: date, last: date, row_ids: set[str]) -> pd.DataFrame:
    """The claims of some rows with their ``line_problem``, in order of precedence: the first valid one counts."""
    rows = warehouse.query(claimed_lines_sql(f"(SELECT {_COLUMNS} FROM ({claims}) AS c)"), first=first, last=last)
    rows = rows[rows["feature_hash"].isin(row_ids)]
    before = (rows["source_created_at"] < rows["cutoff_at"]).fillna(False)
    order = ["before", "source_created_at", "feature_hash"]
    return rows.assign(before=before).sort_values(
        order, ascending=[False, False, True], na_position="last", kind="stable"
    )


def _split(claims: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The claims to publish and those to hold back, as the gate splits them; of several valid ones the first counts."""
    judged = claims.drop(columns=["source_created_at", "before"])
    apart = judged.assign(system_id=judged["system_id"] + " " + judged["feature_hash"])
    is_valid = gate.prediction_problem(apart).isna()
    replaced = is_valid & judged[is_valid].duplicated(_SAME).reindex(judged.index, fill_value=False)
    good, _ = gate.split(judged[is_valid & ~replaced])
    _, bad = gate.split(judged[~is_valid])
    older = gate.held_back(
        judged.loc[replaced].drop(columns="line_problem"),
        pd.Series("DUPLICATE", index=judged.index[replaced], dtype=object),
    )
    return good, pd.concat([f for f in (bad, older) if len(f)] or [bad], ignore_index=True)


def _pairs(frame: pd.DataFrame) -> pd.MultiIndex:
    return pd.MultiIndex.from_frame(frame[_SAME])


def _publish(
    warehouse: Warehouse,
    good: pd.DataFrame,
    bad: pd.DataFrame,
    publications: pd.DataFrame,
    days: Sequence[date],
    run_id: str,
    now: datetime,
) -> dict[date, tuple[int, int]]:
    """Store held-back rows, then the publications, then the ledger, so that a killed import can be repeated and every
    published row has its publication.

    Returns:
        The numbers of rows newly published and newly held back, for each date with any.
    """
    stamp = pd.Timestamp(now)
    held_back = warehouse.append(QUARANTINED_PREDICTIONS, bad.assign(run_id=run_id, quarantined_at=stamp), _dates(bad))
    known = warehouse.query(
        f"SELECT prediction_id FROM {LEDGER.address} WHERE game_date BETWEEN @first AND @last",
        first=days[0],
        last=days[-1],
    )
    fresh = good[~good["prediction_id"].isin(known["prediction_id"])]
    signed = publications[publications["game_date"].isin(fresh["game_date"])]
    warehouse.append(PUBLICATIONS, signed, _dates(signed))
    # no partition for a date without published rows: it would look published
    rows = fresh.assign(run_id=run_id, created_at=stamp, is_backfill=True)
    published = warehouse.append(LEDGER, rows, _dates(rows))
    new = {d: tuple(a.get(d, (0, 0))[0] for a in (published, held_back)) for d in days}
    return {d: (rows, others) for d, (rows, others) in new.items() if rows or others}


def _dates(rows: pd.DataFrame) -> list[date]:
    return sorted({d.date() for d in rows["game_date"]})
