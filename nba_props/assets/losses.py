"""Refusing writes that would empty partitions of delivered data, because a payload is missing or can't be read."""

from collections.abc import Sequence
from datetime import date

import pandas as pd

from nba_props.facts.keys import GAME
from nba_props.schemas import Table
from nba_props.warehouse.base import RowsWouldBeLost, Warehouse

#: the run tag, "true", under which a partition may lose most of its rows
ALLOW_LOSS = "nba_props/allow_loss"
#: a table that guards so many rows or more keeps its last ones too; a date's few scheduled games may all be moved
_LAST_ROWS = 10
_DATES_NAMED = 3


def refuse_loss(warehouse: Warehouse, table: Table, frame: pd.DataFrame, days: Sequence[date]) -> None:
    """Refuse to write ``frame`` to the partitions of ``days`` if that would lose stored rows; see
    ``Table.guarded``.

    Raises:
        RowsWouldBeLost: a partition would lose ``table.guarded`` rows or more, and more than half of its rows; or, in
            a table that guards ``_LAST_ROWS`` or more, all of its rows, or all rows of a game.
    """
    counted = pd.to_datetime(frame["game_date"]).value_counts()
    counts = {
        day: (before, int(counted.get(pd.Timestamp(day), 0)))
        for day, before in warehouse.row_counts(table, days).items()
    }
    fewer = {d: (old, new) for d, (old, new) in counts.items() if new < old}
    if not fewer:
        return
    least = 1 if table.guarded >= _LAST_ROWS else table.guarded
    lost = [
        f"{day} would go from {old} rows to {new}"
        for day, (old, new) in fewer.items()
        if (old - new >= table.guarded and 2 * new < old) or (new == 0 and old >= least)
    ]
    if not lost and table.guarded >= _LAST_ROWS and "game_id" in table.column_names:
        lost = _games_lost(warehouse, table, frame, sorted(fewer))
    if not lost:
        return
    more = f", and {len(lost) - _DATES_NAMED} more" if len(lost) > _DATES_NAMED else ""
    raise RowsWouldBeLost(
        f"{table.address} partition {'; '.join(lost[:_DATES_NAMED])}{more}: more likely a payload is missing or can't "
        f"be read than that the rows are gone. The step wrote nothing, for none of its {len(days)} dates "
        f"({days[0]} to {days[-1]}). Put the payload back and run it again; or, if the rows are really gone, run it "
        f"again with --allow-loss (the run tag {ALLOW_LOSS}=true)"
    )


def _games_lost(warehouse: Warehouse, table: Table, frame: pd.DataFrame, days: Sequence[date]) -> list[str]:
    """A sentence for each game of some dates that has rows now and would have none."""
    stored = warehouse.query(
        f"SELECT game_date, game_id, COUNT(*) AS n FROM {table.address} "
        "WHERE game_date BETWEEN @first AND @last GROUP BY game_date, game_id ORDER BY game_date, game_id",
        first=days[0],
        last=days[-1],
    )
    asked = stored[stored["game_date"].isin(pd.to_datetime(pd.Index(days))) & (stored["n"] >= table.guarded)]
    kept = frame[GAME].drop_duplicates()
    both = asked.merge(kept.assign(game_date=pd.to_datetime(kept["game_date"])), how="left", indicator=True)
    gone = both[both["_merge"] == "left_only"]
    return [f"{r.game_date:%Y-%m-%d} would lose all {r.n} rows of game {r.game_id}" for r in gone.itertuples()]
