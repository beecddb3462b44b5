"""Importing an export of the old production table: its predictions are judged by this platform's gate.

Every row is kept as delivered (``nba_predictions.imported_predictions``). A row whose line is backed by a stored quote
is published under ``imported_<system>``, with the delivered row in ``components``; any other is held back with the
gate's reason. The creation time of a row is only a claim, so no imported row counts as published before the cut-off.
"""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import pandas as pd

from nba_props.domain import gate
from nba_props.domain.lines import LINE_PROBLEMS, LINE_SOURCE_APIS, claimed_lines_sql
from nba_props.domain.names import player_lookup
from nba_props.domain.odds import SPORTSBOOKS
from nba_props.domain.views.ledger import is_imported_sql
from nba_props.facts.calendar import is_plausible, spans
from nba_props.facts.digest import digest
from nba_props.facts.keys import PLAYER_GAME
from nba_props.facts.vocabulary import LineSource, Market, Recommendation, sql_list
from nba_props.process.errors import NbaPropsError
from nba_props.process.revision import publication
from nba_props.schemas.analytics import BETTING_LINES, SLATE
from nba_props.schemas.base import Type, WriteMode
from nba_props.schemas.predictions import (
    IMPORTED_PREDICTIONS,
    IMPORTED_PREFIX,
    LEDGER,
    PUBLICATIONS,
    QUARANTINED_PREDICTIONS,
    SYSTEM_COLUMNS,
)
from nba_props.schemas.raw import ODDS_QUOTES, SCHEDULE
from nba_props.schemas.reference import RESOLVED_NAMES
from nba_props.storage import naming
from nba_props.warehouse.base import Warehouse
from nba_props.warehouse.lake import LakeWarehouse

#: columns that an export must have
_NEEDED = ("game_date", "player_lookup", "system_id", "predicted_points", "current_points_line")
_IS_ONE = f"An export is Parquet, or CSV with commas and a first line of names, {', '.join(_NEEDED)} among them"
_PARQUET = b"PAR1"
_NAMES_SHOWN, _NAME_SHOWN = 8, 40
#: digits of a game's id
_ID_DIGITS = 10
#: a date as exports write it, optionally followed by midnight
_DATE = r"^\s*(\d{4}-\d\d-\d\d)(?:[ T]00:00(?::00(?:\.0+)?)?(?:Z| ?UTC|[+-]00:?00)?)?\s*$"
#: names of columns here by the old ones
_NAMES = {
    "current_points_line": "line", "prediction_id": "source_prediction_id", "created_at": "source_created_at",
    "model_version": "source_version", "recommendation": "source_recommendation", "game_id": "source_game_id",
}  # fmt: skip
#: keys of books by the names in the old table
_BOOKS = {
    "caesars": "williamhill_us", "williamhill": "williamhill_us", "espn_bet": "espnbet", "hard_rock": "hardrockbet",
    "hard_rock_bet": "hardrockbet", "bet_rivers": "betrivers", "pointsbet": "pointsbetus", "bet_mgm": "betmgm",
    "draft_kings": "draftkings", "fan_duel": "fanduel",
}  # fmt: skip
_TRUE, _FALSE = {"true", "t", "1", "yes"}, {"false", "f", "0", "no"}
#: dates that are judged at a time
_TOGETHER = 31
#: identifies a system's rows for one player-game
_SAME = ["system_id", *PLAYER_GAME]


class ImportRefused(NbaPropsError):
    """An export can't be read or judged; the message says why and what to do."""


@dataclass(frozen=True)
class Imported:
    """What an import did, or would do.

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


def read_export(path: Path) -> pd.DataFrame:
    """The rows of an export (Parquet by its first bytes, else CSV) as text, null for what is empty.

    Raises:
        ImportRefused: the file can't be read, or lacks a column that is needed.
    """
    kind = "csv"
    try:
        if path.is_fifo():
            raise ImportRefused(f"{path} is a pipe, and an export is read twice: save it to a file first")
        data = path.read_bytes()
        kind = "parquet" if data.startswith(_PARQUET) or path.suffix == ".parquet" else kind
        frame = _read_csv(data) if kind == "csv" else pd.read_parquet(io.BytesIO(data))
    except (OSError, ValueError, UnicodeError) as error:  # also those of Arrow and pandas
        raise ImportRefused(f"{path} can't be read as {kind}: {str(error).strip().rstrip('.')}. {_IS_ONE}") from error
    missing = [name for name in _NEEDED if name not in frame]
    if missing:
        found = ", ".join(str(name)[:_NAME_SHOWN] for name in frame.columns[:_NAMES_SHOWN])
        more = f" and {len(frame.columns) - _NAMES_SHOWN} more" if len(frame.columns) > _NAMES_SHOWN else ""
        raise ImportRefused(
            f"{path} has no column {', '.join(missing)}: read as {kind}, it has {found}{more}. {_IS_ONE}"
        )
    if frame.empty:
        raise ImportRefused(f"{path} has no row")
    return frame.astype(object).where(frame.notna(), None)


def _read_csv(data: bytes) -> pd.DataFrame:
    """The rows of a CSV as text.

    Raises:
        ValueError: it is not a CSV, or its rows have more values than its first line has names.
    """
    if b"\0" in data:
        raise ValueError("it has a byte 0")
    frame = pd.read_csv(io.BytesIO(data), dtype=str, encoding="utf-8")
    if not isinstance(frame.index, pd.RangeIndex):  # pandas takes surplus values for names of rows
        raise ValueError("its rows have more values than its first line has names; is there a comma at their ends?")
    return frame


def as_imported(frame: pd.DataFrame, now: datetime) -> tuple[pd.DataFrame, dict[str, int]]:
    """Rows of ``nba_predictions.imported_predictions`` from an export, and the number of unusable rows by reason.

    Repeated rows stay repeated. A value that is not of its column's type is null; ``source_row`` has it as delivered.
    """
    text = frame.map(lambda v: None if v is None else str(v))
    given = text.map(lambda v: v if v is None or v.strip() else None)
    made = pd.DataFrame(index=frame.index)
    # an instant is not a game date: its date depends on a time zone
    made["game_date"] = pd.to_datetime(given["game_date"].str.extract(_DATE)[0], format="%Y-%m-%d", errors="coerce")
    made["source_row"] = [json.dumps(r, sort_keys=True, ensure_ascii=False) for r in text.to_dict("records")]
    made["row_id"] = [digest(r) for r in made["source_row"]]
    # an export's own column of a name that an old column gets here is something else
    renamed = given.drop(columns=[ours for old, ours in _NAMES.items() if old in given and ours in given])
    renamed = renamed.rename(columns=_NAMES)
    for column in IMPORTED_PREDICTIONS.columns:
        if column.name not in made:
            made[column.name] = _typed(renamed.get(column.name, pd.Series(None, index=frame.index)), column.type)
    made["player_lookup"] = made["player_lookup"].map(player_lookup, na_action="ignore")
    books = made["sportsbook"].astype("string").str.strip().str.lower().str.replace(r"[\s-]+", "_", regex=True)
    made["sportsbook"] = books.replace(_BOOKS).astype(object).where(books.notna(), None)
    made["source_game_id"] = _game_ids(made["source_game_id"])
    # a line that can't be read does not count as an absent one
    has_line = renamed["line"].notna() & ~renamed["line"].astype("string").str.lower().eq("nan").fillna(False)
    is_unread = has_line & made["line"].isna() & made["line_source"].eq(LineSource.NO_PROP_LINE)
    made["line_source"] = made["line_source"].mask(is_unread, None)
    made["imported_at"] = pd.Timestamp(now)
    dated = made["game_date"].notna() & made["game_date"].map(lambda d: pd.notna(d) and is_plausible(d.date()))
    named = made["system_id"].map(naming.is_id) & made["player_lookup"].notna()
    unread = {
        "no usable game date": int((~dated).sum()),
        "no usable system name, or no player": int((dated & ~named).sum()),
    }
    kept = made[dated & named]
    return kept[IMPORTED_PREDICTIONS.column_names].reset_index(drop=True), {k: v for k, v in unread.items() if v}


def _game_ids(values: pd.Series) -> pd.Series:
    """Ids of games in comparable form: numbers as ten digits, whatever they lost on the way (``22500586``,
    ``22500586.0``), others as delivered.
    """
    ids = values.astype("string").str.strip().str.upper()
    digits = ids.str.extract(r"^(\d{1,10})(?:\.0*)?$")[0].str.zfill(_ID_DIGITS)
    return digits.fillna(ids).astype(object).where(ids.notna(), None)


def _typed(values: pd.Series, kind: Type) -> pd.Series:
    """Texts as values of a type, null for any other."""
    values = values.astype("string")
    if kind is Type.FLOAT64:
        return pd.to_numeric(values, errors="coerce").astype("float64")
    if kind is Type.BOOL:
        word = values.str.strip().str.lower()
        return word.map(lambda w: True if w in _TRUE else False if w in _FALSE else None).astype("boolean")
    if kind is Type.TIMESTAMP:
        return pd.to_datetime(values.str.replace(" UTC", "Z"), format="ISO8601", errors="coerce", utc=True)
    return values.astype(object).where(values.notna(), None)


_CLAIM_COLUMNS = """
  l.game_date, s.game_id, s.player_id, s.player_name, l.player_lookup,
  CONCAT('{prefix}', l.system_id) AS system_id, COALESCE(l.source_version, 'none') AS model_version, l.predicted_points,
  CASE WHEN l.confidence_score > 1 THEN l.confidence_score / 100 ELSE l.confidence_score END AS confidence_score,
  CAST(NULL AS FLOAT64) AS over_probability, CAST(NULL AS STRING) AS abstain_reason, l.source_row AS components,
  l.row_id AS feature_hash, s.cutoff_at, l.source_created_at
""".replace("{prefix}", IMPORTED_PREFIX)
_ROWS = "(SELECT * FROM nba_predictions.imported_predictions WHERE game_date BETWEEN @first AND @last)"
#: a name that two players of a slate share matches neither
_SLATE = """(
  SELECT game_date, player_lookup, MIN(game_id) AS game_id, MIN(player_id) AS player_id,
    MIN(player_name) AS player_name, MIN(cutoff_at) AS cutoff_at, MIN(team) AS team, MIN(opponent) AS opponent
  FROM nba_analytics.slate WHERE game_date BETWEEN @first AND @last
  GROUP BY game_date, player_lookup HAVING COUNT(*) = 1
)"""
#: a row with a game id matches the slate's player only if the game is his: by the NBA's id, or by date and one of the
#: teams (the old system's ids, ``20251110_ALB_BRI``, whose team codes may differ)
_OF_ITS_GAME = """{slate}.game_date = {row}.game_date AND {slate}.player_lookup = {row}.player_lookup AND (
    {slate}.game_id = COALESCE({row}.source_game_id, {slate}.game_id)
    OR STARTS_WITH({row}.source_game_id, FORMAT_DATE('%Y%m%d_', {slate}.game_date)) AND (
      STRPOS({row}.source_game_id, COALESCE({slate}.team, '_')) > 0
      OR STRPOS({row}.source_game_id, COALESCE({slate}.opponent, '_')) > 0
    )
  )"""
_BOOK_ORDER = " ".join(f"WHEN '{book}' THEN {n}" for n, book in enumerate(SPORTSBOOKS))
_APIS = " ".join(f"WHEN '{source}' THEN '{api}'" for source, api in LINE_SOURCE_APIS.items())
#: each row with the last quote before the cut-off that has its line, from its book where one is given
_AS_CLAIMED_SQL = f"""
SELECT {_CLAIM_COLUMNS}, l.source_recommendation AS recommendation, l.has_prop_line,
  CASE l.line_source WHEN 'ODDS_API' THEN '{LineSource.ACTUAL_PROP}' ELSE l.line_source END AS line_source,
  CASE WHEN q.quote_id IS NULL THEN l.line_source_api ELSE q.api END AS line_source_api,
  COALESCE(l.sportsbook, q.bookmaker) AS sportsbook, q.quote_id, l.line, q.over_price, q.under_price,
  q.minutes_before_game AS line_minutes_before_game, l.predicted_points - l.line AS line_margin
FROM {_ROWS} AS l
LEFT JOIN {_SLATE} AS s ON {_OF_ITS_GAME.format(row="l", slate="s")}
LEFT JOIN (
  SELECT m.row_id, q.*, CASE q.data_source {_APIS} END AS api,
    ROW_NUMBER() OVER (
      PARTITION BY m.row_id ORDER BY CASE q.bookmaker {_BOOK_ORDER} ELSE 99 END, q.snapshot_at DESC, q.quote_id
    ) AS place
  FROM {_ROWS} AS m
  JOIN {_SLATE} AS t ON {_OF_ITS_GAME.format(row="m", slate="t")}
  JOIN nba_reference.resolved_names AS r
    ON r.game_date = t.game_date AND r.game_id = t.game_id AND r.player_id = t.player_id
  JOIN nba_raw.odds_quotes AS q
    ON q.game_date = r.game_date AND q.game_id = r.game_id AND q.source_name = r.source_name
      AND q.data_source = r.source AND q.line = m.line
  WHERE r.game_date BETWEEN @first AND @last AND q.game_date BETWEEN @first AND @last
    AND q.market IN ({sql_list(Market)}) AND q.over_price IS NOT NULL AND q.under_price IS NOT NULL
    AND q.snapshot_at < t.cutoff_at AND NOT q.is_in_play AND m.line_source IN ('{LineSource.ACTUAL_PROP}', 'ODDS_API')
    AND COALESCE(m.sportsbook, q.bookmaker) = q.bookmaker
    AND q.bookmaker IN ({sql_list(SPORTSBOOKS)})
) AS q ON q.row_id = l.row_id AND q.place = 1
"""
#: each row's forecast against the line that this platform chose, with the resulting side
_RELINED_SQL = f"""
SELECT {_CLAIM_COLUMNS},
  CASE WHEN l.predicted_points > b.line THEN '{Recommendation.OVER}'
    WHEN l.predicted_points < b.line THEN '{Recommendation.UNDER}' ELSE '{Recommendation.PASS}' END AS recommendation,
  b.has_prop_line, b.line_source, b.line_source_api, b.sportsbook, b.quote_id, b.line, b.over_price, b.under_price,
  b.line_minutes_before_game, l.predicted_points - b.line AS line_margin
FROM {_ROWS} AS l
JOIN {_SLATE} AS s ON {_OF_ITS_GAME.format(row="l", slate="s")}
JOIN nba_analytics.betting_lines AS b
  ON b.game_date = s.game_date AND b.game_id = s.game_id AND b.player_id = s.player_id
WHERE b.game_date BETWEEN @first AND @last AND b.line_source = '{LineSource.ACTUAL_PROP}'
"""
_COLUMNS = ", ".join([*(c.name for c in SYSTEM_COLUMNS), "source_created_at"])
#: the tables that an export is judged by
_READ = (SCHEDULE, ODDS_QUOTES, RESOLVED_NAMES, SLATE, BETTING_LINES, IMPORTED_PREDICTIONS, LEDGER)
_PUBLISHED, _RELINED = "published", "published with the real line"
_NOT_BEGUN = "left out: its game has not begun"


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
    """Keep, judge and publish the rows of some exports; running it twice changes nothing.

    A date's rows are judged together with the published rows of earlier files. Of several valid rows for one
    player-game one counts: the last that claims to be written before the cut-off, else the newest. Rows of games that
    have not begun are left out: only this platform's own clock proves what was published before a cut-off.

    Args:
        warehouse: where the tables are; slate and quotes of the dates have to be there.
        exports: rows of the old table (:func:`read_export`).
        run_id: the run that does it.
        now: the time.
        real_lines: give forecasts whose own line is not valid the line that this platform chose, if any, and the
            resulting side.
        dry_run: do all of it on a temporary copy of the tables that rows are judged by, and keep nothing.
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
        for first, last in spans(days, longest=_TOGETHER):
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
    """A temporary lake with the tables that some dates are judged by."""
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
    """The rows to publish, the rows to hold back, and ``outcome`` by ``feature_hash``: of a span's rows that are
    imported now, ``mine``, and of those published earlier.

    Rows of earlier files that were removed from the ledger do not compete with these.
    """
    rivals = mine | _published_rows(warehouse, first, last)
    claims = _claims(warehouse, _AS_CLAIMED_SQL, first, last, rivals)
    begun = claims["cutoff_at"].isna() | (claims["cutoff_at"] <= pd.Timestamp(now))
    good, bad = _split(claims[begun])
    early = claims[~begun].assign(outcome=_NOT_BEGUN)
    relined = good.iloc[:0]
    if real_lines:
        # forecasts whose only fault is the line; a player-game with a valid line keeps it
        lineless = set(bad.loc[bad["reason"].isin(LINE_PROBLEMS), "feature_hash"])
        again = _claims(warehouse, _RELINED_SQL, first, last, rivals)
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
    """The claims of some rows with their ``line_problem``, in order of precedence."""
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
    """Store held-back rows, then the publications, then the ledger: so a killed import can be repeated, and every
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
    new = {d: tuple(a.by_day.get(d, (0, 0))[0] for a in (published, held_back)) for d in days}
    return {d: (rows, others) for d, (rows, others) in new.items() if rows or others}


def _dates(rows: pd.DataFrame) -> list[date]:
    return sorted({d.date() for d in rows["game_date"]})
