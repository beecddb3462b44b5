"""What the ledger allows to claim, as sentences."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pandas as pd

from nba_props.domain.claims import claims, of_running_versions
from nba_props.domain.systems import MARKETS_OWN, SYSTEMS, VERSIONS
from nba_props.schemas.predictions import EVIDENCE
from nba_props.warehouse.base import Warehouse

_EVIDENCE_SQL = (
    f"SELECT * FROM {EVIDENCE.address} WHERE game_date BETWEEN @first AND @last "
    "ORDER BY game_date, market, system_id, model_version"
)


def read(warehouse: Warehouse, frozen: Mapping[str, date], last: date) -> pd.DataFrame:
    """The claims as of a date, from all of the ledger since the first formula was frozen; see ``claims.claims``."""
    evidence = warehouse.query(_EVIDENCE_SQL, first=min(frozen.values()), last=last)
    return claims(of_running_versions(evidence, VERSIONS), {k: v for k, v in frozen.items() if k not in MARKETS_OWN})


def unfrozen(frozen: Mapping[str, date]) -> list[str]:
    """The systems of which nothing can be claimed, because no version of them is frozen."""
    return [s.system_id for s in SYSTEMS if s.system_id not in {*frozen, *MARKETS_OWN}]
