"""A release in the middle of a seed: a contract has a column more, and the code is loaded again."""

from __future__ import annotations

from typing import Any

import pandas as pd

from nba_props.assets.external import WRITTEN_BY
from nba_props.catalog import TABLES
from nba_props.schemas import Table, analytics, predictions
from nba_props.schemas.base import text
from nba_props.schemas.minutes import MINUTES
from nba_props.schemas.monitoring import PROMOTIONS
from nba_props.warehouse.registry import open_warehouse
from nba_props_tests.simulation.world import World

#: the new column
NOTE = text("note_of_the_release", "What the next release will say about a row", nullable=True)
#: tables whose rule itself names every column: a release that adds one changes the rule with it
_BY_NAME = frozenset(
    t.address
    for t in (
        predictions.LEDGER, predictions.PREDICTION_ACCURACY, predictions.GRADE_HISTORY, analytics.BOOK_LINES,
        analytics.PRICES, PROMOTIONS, MINUTES,
    )
)  # fmt: skip
#: what a contract keeps of its columns once it was asked
_KEPT = ("column_names", "unique", "digested", "_empty", "pandera_schema")


def release(world: World) -> bool:
    """The next release has a nullable column more in one table, and no value for it yet; whether there was a table."""
    # a payload's rejects have the columns of their own frame
    rejects = {t.address for t in TABLES.values() if t.name.startswith("quarantined_")}
    apart = {*_BY_NAME, *rejects, *(t.address for t in WRITTEN_BY)}
    known = [t for t in TABLES.values() if t.address not in apart and NOTE not in t.columns]
    tables = [t for t in known if not world.cast or t.address in world.cast]
    if not tables:
        return False
    _widen(world, world.rng.choice(tables))
    world.platform.warehouse = open_warehouse(world.platform.settings)
    world.platform.rebuild()
    return True


def _widen(world: World, table: Table) -> None:
    """Modules name a contract in a hundred places: all have the new one when it changes in its place."""
    plain, before = table.conform, table.columns

    def conform(frame: pd.DataFrame) -> pd.DataFrame:
        return plain(frame if NOTE.name in frame.columns else frame.assign(**{NOTE.name: None}))

    _put(table, columns=(*before, NOTE), conform=conform)
    world.open.callback(_take_back, table, before)


def _put(table: Table, **changes: Any) -> None:
    for name in _KEPT:
        table.__dict__.pop(name, None)
    for name, value in changes.items():
        object.__setattr__(table, name, value)


def _take_back(table: Table, columns: tuple[Any, ...]) -> None:
    del table.__dict__["conform"]
    _put(table, columns=columns)
