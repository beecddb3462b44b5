"""Removing rows from the ledger and restoring them: selected once, archived first, safe to kill and to run again.

A batch works date by date: it selects its rows, appends those to the archive that are not in it, removes exactly the
selected rows from the ledger, and records the date as done. A row is identified by its content (``digests.row_ids``): a
foreign row may have a valid row's id, or none. The same command completes a run that was killed; neither the archive
nor a record decides what leaves the ledger. Restoring is the reverse. Every step is atomic, so that a reader sees a row
in the ledger, or in the archive, never in neither.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial

import numpy as np
import pandas as pd

from nba_props.domain import audit as rules
from nba_props.domain import digests, lines
from nba_props.domain.alike import alike
from nba_props.domain.lines import PLACEHOLDER_REASONS
from nba_props.domain.systems import SYSTEM_TABLES
from nba_props.facts.calendar import spans
from nba_props.facts.digest import digest
from nba_props.facts.keys import PLAYER_GAME
from nba_props.facts.vocabulary import RemediationStep as Step
from nba_props.facts.vocabulary import sql_list
from nba_props.process.errors import NbaPropsError
from nba_props.schemas.analytics import BETTING_LINES, SLATE
from nba_props.schemas.predictions import ARCHIVED_PREDICTIONS, LEDGER, LEDGER_AS_FOUND, REMEDIATIONS
from nba_props.schemas.raw import ODDS_QUOTES
from nba_props.schemas.reference import RESOLVED_NAMES
from nba_props.sources import odds_api
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
#: dates that are judged at a time
_TOGETHER = 31


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
        more = "".join(f" {k}={v}" for k, v in (("run_id", self.run_id), ("system_id", self.system_id)) if v)
        return f"quarantine {self.predicate}/{version} {self.first}..{self.last}{more}"


#: :attr:`Selection.action`, as archived rows have it
_ACTION = re.compile(r"quarantine (\w+)/\d+ (\S+)((?: run_id=.*?)?)((?: system_id=.*)?)")


def command_of(action: str) -> str:
    """The command that repeats the action of a batch; empty if there is none."""
    found = _ACTION.fullmatch(action)
    if not found:
        return ""
    predicate, span, *narrowed = found.groups()
    options = ((name, text.partition("=")[2]) for name, text in zip(("run", "system"), narrowed, strict=True))
    more = "".join(f" --{name} {shlex.quote(value)}" for name, value in options if value)
    return f"nba-props quarantine {predicate} {span}{more}"


@dataclass(frozen=True)
class Account:
    """What a remediation did, or would do: rows by date and system, and the command that undoes it.

    ``standing`` counts the rows of a restored batch that the ledger had already.
    """

    batch_id: str
    action: str
    rows: pd.DataFrame
    days: tuple[date, ...]
    undo: str
    standing: int = 0

    @property
    def total(self) -> int:
        return int(self.rows["rows"].sum())


def _account(batch_id: str, action: str, moved: Sequence[pd.DataFrame], undo: str | None = None) -> Account:
    rows = (
        pd.concat([m[["game_date", "system_id"]] for m in moved])
        if moved
        else pd.DataFrame(columns=["game_date", "system_id"])
    )
    counts = rows.groupby(["game_date", "system_id"], dropna=False).size().rename("rows").reset_index()
    days = tuple(sorted({d.date() for d in rows["game_date"]}))
    return Account(batch_id, action, counts, days, f"nba-props restore {batch_id}" if undo is None else undo)


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
        not_landed = odds_api.not_as_landed(zone, quotes)
    verdicts = rules.verdicts(
        rows, not_landed, is_sealed=warehouse.is_sealed(), seen=seen(first, last) if seen is not None else None
    )
    ids = _own_ids(rows)
    out = _removed(warehouse, first, last)
    returned = pd.Series(
        pd.MultiIndex.from_arrays([rows["game_date"], ids]).isin(pd.MultiIndex.from_frame(out)), index=rows.index
    )
    for day in rows.loc[returned, "game_date"].drop_duplicates():
        # altering archive or records must not remove valid rows; the audit reports the alteration
        if any(warehouse.alteration(table, day.date()) for table in (ARCHIVED_PREDICTIONS, REMEDIATIONS)):
            returned &= rows["game_date"] != day
    problem = verdicts["problem"].where(verdicts["problem"].notna() | ~returned, "RETURNED")
    return rows.assign(problem=problem, row_id=ids)


def _removed(warehouse: Warehouse, first: date, last: date) -> pd.DataFrame:
    """``game_date, archived_id`` of the rows that were removed and not restored since."""
    if not any(first <= d <= last for d in warehouse.partitions(ARCHIVED_PREDICTIONS)):
        return pd.DataFrame(columns=["game_date", "archived_id"])
    span = {"first": first, "last": last}
    rows = ARCHIVED_PREDICTIONS.conform(
        warehouse.query(
            "SELECT * FROM nba_predictions.archived_predictions WHERE game_date BETWEEN @first AND @last", **span
        )
    )
    # an altered one must not identify a valid row
    rows = _named(rows[_as_archived(rows, is_sealed=warehouse.is_sealed())])
    steps = warehouse.query(
        "SELECT game_date, batch_id, step, MAX(recorded_at) AS done_at FROM nba_predictions.remediations "
        f"WHERE game_date BETWEEN @first AND @last AND step IN ({sql_list((Step.REMOVED, Step.RESTORED))}) "
        "GROUP BY game_date, batch_id, step",
        **span,
    )
    row = ["game_date", "archived_id"]
    moved = rows[[*row, "batch_id"]].merge(steps, on=["game_date", "batch_id"])
    newest = moved.sort_values("done_at", kind="stable").drop_duplicates([*row, "step"], keep="last")
    restored = newest[newest["step"].eq(Step.RESTORED)]
    both = newest[newest["step"].eq(Step.REMOVED)].merge(restored, on=row, how="left", suffixes=("", "_back"))
    return both.loc[~(both["done_at_back"] >= both["done_at"]), row]


def _own_ids(rows: pd.DataFrame) -> pd.Series:
    """The id of each row's content (``digests.row_ids``), by its columns of the ledger."""
    ledger = LEDGER_AS_FOUND.conform(rows[LEDGER.column_names])
    return digests.row_ids(LEDGER, ledger).set_axis(rows.index)


def _as_archived(rows: pd.DataFrame, *, is_sealed: bool) -> pd.Series:
    """Whether each stored row of the archive has the id of its content and is as it was archived."""
    own = _own_ids(rows)
    # batches of an earlier release identify their rows by prediction_id alone
    named = rows["archived_id"].isna() | rows["archived_id"].str.split("#").str[0].eq(own.str.split("#").str[0])
    stated = rows["archive_digest"]
    unstated = stated.isna() & (not is_sealed)
    return named & (unstated | stated.eq(digests.row_digests(ARCHIVED_PREDICTIONS, rows)))


def selected(
    warehouse: Warehouse, selection: Selection, zone: LandingZone | None = None, seen: Seen | None = None
) -> pd.DataFrame:
    """The ledger rows of a selection, as :func:`judged`."""
    matches = PREDICATES[selection.predicate][1]
    within = [d for d in warehouse.dates(LEDGER) if selection.first <= d <= selection.last]
    found = []
    for first, last in spans(within, longest=_TOGETHER) or [(selection.first, selection.first)]:
        rows = judged(warehouse, first, last, zone, seen)
        asked = matches(rows, selection)
        for column, only in (("system_id", selection.system_id), ("run_id", selection.run_id)):
            asked &= rows[column].eq(only) if only else True
        found.append(rows[asked])
    return pd.concat([f for f in found if len(f)] or found[:1], ignore_index=True)


def quarantine(
    warehouse: Warehouse,
    selection: Selection,
    now: datetime,
    *,
    zone: LandingZone | None = None,
    seen: Seen | None = None,
    dry_run: bool = False,
) -> Account:
    """Move the selected rows to the archive, each identified by its content: another row may have its id.

    Raises:
        RemediationError: rows archived and rows removed do not add up.
    """
    batch_id = _open_batch(warehouse, selection.action)
    waiting = selected(warehouse, selection, zone, seen)
    if dry_run:
        return _account(batch_id, selection.action, [waiting])
    waiting = waiting.drop(columns="line_problem").rename(columns={"problem": "line_problem", "row_id": "archived_id"})
    archived = _archived(warehouse, batch_id, (selection.first, selection.last))
    done = _recorded(warehouse, batch_id, Step.REMOVED)
    moved = []
    for day in sorted({d.date() for d in [*waiting["game_date"], *archived["game_date"]]}):
        rows, kept = (f[f["game_date"] == pd.Timestamp(day)] for f in (waiting, archived))
        if len(rows):
            kept = _archive(warehouse, batch_id, selection, rows, kept, now)
            warehouse.remove(LEDGER, list(rows["archived_id"]), day)
        left = digests.row_ids(LEDGER, _ledger(warehouse, [day])).isin(rows["archived_id"])
        if left.any():
            raise RemediationError(f"{int(left.sum())} of {len(rows)} archived rows of {day} are still in the ledger")
        if len(rows) or day not in done:
            _record(warehouse, batch_id, Step.REMOVED, selection.action, day, len(kept), now)
        moved.append(kept)
    account = _account(batch_id, selection.action, [m for m in moved if len(m)])
    if account.days:
        _record(warehouse, batch_id, Step.DONE, selection.action, account.days[-1], account.total, now)
    return account


def _archive(
    warehouse: Warehouse,
    batch_id: str,
    selection: Selection,
    rows: pd.DataFrame,
    kept: pd.DataFrame,
    now: datetime,
) -> pd.DataFrame:
    """Append a date's selected rows to the archive, unless they are ``kept`` there; returns all of the batch's.

    Raises:
        RemediationError: not all of them are there afterwards, unchanged.
    """
    day = rows["game_date"].iloc[0].date()
    fresh = rows[~rows["archived_id"].isin(kept["archived_id"])]
    if len(fresh):
        marks = {"batch_id": batch_id, "deletion_reason": selection.action, "deleted_at": pd.Timestamp(now)}
        warehouse.append(ARCHIVED_PREDICTIONS, fresh.assign(**marks), [day])
        kept = _archived(warehouse, batch_id, (day, day))
    missing = int((~rows["archived_id"].isin(kept["archived_id"])).sum())
    if missing:
        raise RemediationError(
            f"{missing} of {len(rows)} rows of {day} are not in nba_predictions.archived_predictions unchanged: "
            "nothing was removed"
        )
    return kept


def rollback(warehouse: Warehouse, run_id: str, now: datetime, *, dry_run: bool = False) -> Account:
    """Move the rows that a run published to the archive; earlier rows become current again."""
    require_run(warehouse, run_id)
    days = warehouse.dates(LEDGER)
    account = quarantine(warehouse, Selection("run", days[0], days[-1], run_id=run_id), now, dry_run=dry_run)
    if not account.total:
        raise _no_row_of(run_id)
    return account


def restore(warehouse: Warehouse, batch_id: str, now: datetime, *, dry_run: bool = False) -> Account:
    """Put a batch's archived rows back into the ledger, unless it has them already.

    The archive keeps its copy. Running it twice changes nothing.
    """
    rows = _to_restore(warehouse, batch_id)
    if rows.empty:
        raise RemediationError(f"there is no batch {batch_id} in nba_predictions.archived_predictions")
    days = sorted({d.date() for d in rows["game_date"]})
    missing = _missing(rows, _ledger(warehouse, days))
    action = f"restore {batch_id}"
    if not dry_run:
        for day in days:
            mine = missing[missing["game_date"] == pd.Timestamp(day)]
            # recorded first: a run that is killed in between still has its rows to put back, and the same count
            _record(warehouse, batch_id, Step.RESTORED, action, day, len(mine), now)
            if len(mine):
                warehouse.put_back(LEDGER_AS_FOUND, day, partial(_to_put_back, mine))
    undo = command_of(str(rows["deletion_reason"].iloc[0]))
    account = _account(batch_id, action, [missing] if len(missing) else [], undo)
    return replace(account, standing=len(rows) - len(missing))


def _missing(rows: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """The archived rows that the ledger has neither unchanged nor, if they are valid, published again."""
    again = rows["line_problem"].isna() & _is_republished(rows, known)
    return rows[~again & ~rows["archived_id"].isin(digests.row_ids(LEDGER, known))]


def _to_put_back(archived: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """The rows to add to the ledger's of a date so that it has the archived ones again."""
    rows = _missing(archived, known)
    ledger = LEDGER_AS_FOUND.conform(rows[LEDGER.column_names]).set_axis(rows.index)
    valid = rows["line_problem"].isna()
    if not valid.any():
        return ledger
    # valid rows from before digests get one
    sealed = digests.completed(LEDGER, ledger)["row_digest"]
    return ledger.assign(row_digest=sealed.where(valid, ledger["row_digest"]))


def _is_republished(rows: pd.DataFrame, known: pd.DataFrame) -> pd.Series:
    """Whether the ledger has a valid row with the id and the content of each row."""
    content = list(LEDGER.content)
    valid = known[known["row_digest"].eq(digests.row_digests(LEDGER, known))]
    key = ["game_date", "prediction_id"]
    now = valid[[*key, *content]].drop_duplicates(key)
    both = rows[[*key, *content]].merge(now, on=key, how="left", suffixes=("", "_now"), indicator=True)
    return (both["_merge"].eq("both") & alike(both, content, "_now")).set_axis(rows.index)


def _ledger(warehouse: Warehouse, days: Sequence[date]) -> pd.DataFrame:
    """Every row that the ledger has on some dates."""
    known = [d for d in warehouse.partitions(LEDGER) if d in set(days)]
    return warehouse.read(LEDGER, known)


_SAME_CONTENT = " AND ".join(f"(n.{c} = a.{c} OR (n.{c} IS NULL AND a.{c} IS NULL))" for c in LEDGER.content)


def batches(warehouse: Warehouse) -> pd.DataFrame:
    """Every batch with its action, dates, archived rows, how many of them are in the ledger again, unchanged or
    published again, and whether it was completed.
    """
    return warehouse.query(
        f"""
        SELECT a.batch_id, MIN(a.deletion_reason) AS action, MIN(a.game_date) AS first_date,
          MAX(a.game_date) AS last_date,
          COUNT(*) AS archived, COUNT(COALESCE(p.prediction_id, n.prediction_id)) AS in_the_ledger,
          MAX(a.deleted_at) AS deleted_at, COUNT(r.batch_id) > 0 AS is_complete
        FROM nba_predictions.archived_predictions AS a
        LEFT JOIN (
          SELECT DISTINCT game_date, prediction_id, row_digest FROM nba_predictions.ledger
        ) AS p
          ON p.game_date = a.game_date AND p.prediction_id = a.prediction_id
            AND COALESCE(p.row_digest, '') = COALESCE(a.row_digest, '')
        LEFT JOIN (
          SELECT DISTINCT game_date, prediction_id, {", ".join(LEDGER.content)} FROM nba_predictions.ledger
        ) AS n
          ON a.line_problem IS NULL AND n.game_date = a.game_date AND n.prediction_id = a.prediction_id
            AND {_SAME_CONTENT}
        LEFT JOIN (SELECT DISTINCT batch_id FROM nba_predictions.remediations WHERE step = '{Step.DONE}') AS r
          ON r.batch_id = a.batch_id
        GROUP BY a.batch_id
        ORDER BY deleted_at, batch_id
        """
    )


def lines_to_change(warehouse: Warehouse, days: Sequence[date]) -> pd.DataFrame:
    """The rows that re-selecting the lines of some dates would publish, by date and system."""
    present = set(warehouse.partitions(BETTING_LINES))
    known = [d for d in days if d in present]
    chosen = lines.betting_lines(*(warehouse.read(t, known) for t in (SLATE, ODDS_QUOTES, RESOLVED_NAMES)))
    current = warehouse.query(
        "SELECT game_date, game_id, player_id, system_id, quote_id AS published "
        "FROM nba_predictions.current_predictions WHERE game_date BETWEEN @first AND @last",
        first=days[0],
        last=days[-1],
    )
    both = current.merge(chosen[[*PLAYER_GAME, "quote_id"]], how="left")
    moved = both[both["quote_id"].fillna("") != both["published"].fillna("")]
    return moved.groupby(["game_date", "system_id"]).size().rename("rows").reset_index()


def own_dates(warehouse: Warehouse) -> list[date]:
    """The dates of the ledger with a partition of one of our systems: not those with imported rows alone."""
    own = {d for table in SYSTEM_TABLES.values() for d in warehouse.partitions(table)}
    return [d for d in warehouse.partitions(LEDGER) if d in own]


def writers(warehouse: Warehouse, first: date, last: date) -> list[str]:
    """The systems that have rows in the ledger, ours or not."""
    rows = warehouse.query(
        f"SELECT DISTINCT system_id FROM {LEDGER.address} WHERE game_date BETWEEN @first AND @last",
        first=first,
        last=last,
    )
    return sorted(rows["system_id"].dropna())


def latest_batch(warehouse: Warehouse) -> str:
    """The newest batch of the archive.

    Raises:
        RemediationError: there is none.
    """
    found = batches(warehouse)
    if found.empty:
        raise RemediationError("the archive is empty")
    return str(found["batch_id"].iloc[-1])


def latest_run(warehouse: Warehouse) -> str:
    """The run that published last.

    Raises:
        RemediationError: nothing is published.
    """
    found = warehouse.query("SELECT run_id FROM nba_predictions.ledger ORDER BY created_at DESC, run_id LIMIT 1")
    if found.empty:
        raise RemediationError("nothing is published")
    return str(found["run_id"].iloc[0])


def require_batch(warehouse: Warehouse, batch_id: str) -> None:
    """Raise :class:`RemediationError` when nothing was ever archived under an id."""
    if batch_id not in set(batches(warehouse)["batch_id"]):
        raise RemediationError(f"there is no batch {batch_id} in nba_predictions.archived_predictions")


def require_run(warehouse: Warehouse, run_id: str) -> None:
    """Raise :class:`RemediationError` when a run has no row in the ledger, and none in the archive."""
    days = warehouse.dates(LEDGER)
    if not days:
        raise RemediationError("nothing is published")
    for table in (LEDGER, ARCHIVED_PREDICTIONS):
        found = warehouse.query(
            f"SELECT COUNT(*) AS n FROM {table.address} WHERE game_date BETWEEN @first AND @last AND run_id = @run_id",
            first=days[0],
            last=days[-1],
            run_id=run_id,
        )
        if found["n"].iloc[0]:
            return
    raise _no_row_of(run_id)


def _no_row_of(run_id: str) -> RemediationError:
    return RemediationError(f"run {run_id} has no row in the ledger: see {LEDGER.address}.run_id")


def history(warehouse: Warehouse, player: str, day: date) -> pd.DataFrame:
    """Every prediction ever published for a player-game, archived ones included, oldest first.

    Args:
        warehouse: where the ledger is.
        player: name, normalised name or id.
        day: the game date.
    """
    columns = (
        "game_date, player_id, player_name, player_lookup, system_id, model_version, predicted_points, recommendation, "
        "line, sportsbook, quote_id, run_id, created_at, prediction_id"
    )
    return warehouse.query(
        f"""
        SELECT h.player_name, h.system_id, h.model_version, h.predicted_points, h.recommendation, h.line, h.sportsbook,
          h.quote_id, h.created_at, h.run_id,
          CASE WHEN h.batch_id IS NOT NULL THEN CONCAT('archived ', h.batch_id)
            WHEN c.prediction_id IS NOT NULL THEN 'current' ELSE 'superseded' END AS standing,
          a.outcome, a.actual_points
        FROM (
          SELECT {columns}, CAST(NULL AS STRING) AS batch_id
          FROM nba_predictions.ledger WHERE game_date = @day
          UNION ALL
          SELECT {columns}, batch_id FROM nba_predictions.archived_predictions
          WHERE game_date = @day AND prediction_id NOT IN (
            SELECT prediction_id FROM nba_predictions.ledger WHERE game_date = @day
          )
        ) AS h
        LEFT JOIN (SELECT prediction_id FROM nba_predictions.current_predictions WHERE game_date = @day) AS c
          ON c.prediction_id = h.prediction_id
        LEFT JOIN (SELECT * FROM nba_predictions.prediction_accuracy WHERE game_date = @day) AS a
          ON a.prediction_id = h.prediction_id
        WHERE LOWER(h.player_name) = LOWER(@player) OR h.player_lookup = @player
          OR CAST(h.player_id AS STRING) = @player
        ORDER BY h.system_id, h.created_at, h.prediction_id
        """,
        day=day,
        player=player,
    )


def _open_batch(warehouse: Warehouse, action: str) -> str:
    """The id of an action's unfinished batch: the same until the batch is done, then the next."""
    done = warehouse.query(
        "SELECT COUNT(DISTINCT batch_id) AS n FROM nba_predictions.remediations "
        f"WHERE step = '{Step.DONE}' AND action = @action",
        action=action,
    )
    return digest(f"{action} #{int(done['n'].iloc[0])}", 6)


def _archived(warehouse: Warehouse, batch_id: str, span: tuple[date, date]) -> pd.DataFrame:
    """The rows of a batch on some dates that are as they were archived."""
    rows = _stored(warehouse, batch_id, span)
    return _named(rows[_as_archived(rows, is_sealed=warehouse.is_sealed())])


def _stored(warehouse: Warehouse, batch_id: str, span: tuple[date, date] | None = None) -> pd.DataFrame:
    within = "AND game_date BETWEEN @first AND @last" if span else ""
    return ARCHIVED_PREDICTIONS.conform(
        warehouse.query(
            f"SELECT * FROM nba_predictions.archived_predictions WHERE batch_id = @batch_id {within}",
            batch_id=batch_id,
            **({"first": span[0], "last": span[1]} if span else {}),
        )
    )


def _named(rows: pd.DataFrame) -> pd.DataFrame:
    """Archived rows with their ``archived_id``, which those of an earlier release lack: its ids counted as unique."""
    own = _own_ids(rows)
    return rows.assign(archived_id=rows["archived_id"].where(rows["archived_id"].notna(), own))


def _to_restore(warehouse: Warehouse, batch_id: str) -> pd.DataFrame:
    """All rows of a batch.

    Raises:
        RemediationError: a row is not as it was archived, and must not enter the ledger.
    """
    stored = _stored(warehouse, batch_id)
    rows, wrong = _named(stored), ~_as_archived(stored, is_sealed=warehouse.is_sealed())
    wrong |= rows.duplicated(["game_date", "archived_id"], keep=False)
    if wrong.any():
        raise RemediationError(
            f"{int(wrong.sum())} of {len(rows)} rows of batch {batch_id} in nba_predictions.archived_predictions are "
            "not as they were archived: put a backup of these partitions in their place (docs/runbooks/damage.md)"
        )
    return rows


def _recorded(warehouse: Warehouse, batch_id: str, step: Step) -> set[date]:
    rows = warehouse.query(
        "SELECT game_date FROM nba_predictions.remediations WHERE batch_id = @batch_id AND step = @step",
        batch_id=batch_id,
        step=step.value,
    )
    return {d.date() for d in rows["game_date"]}


def _record(warehouse: Warehouse, batch_id: str, step: Step, action: str, day: date, rows: int, now: datetime) -> None:
    record = {
        "game_date": pd.Timestamp(day), "batch_id": batch_id, "step": step.value, "action": action, "row_count": rows,
        "recorded_at": pd.Timestamp(now),
    }  # fmt: skip
    warehouse.append(REMEDIATIONS, pd.DataFrame([record]), [day])
