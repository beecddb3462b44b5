"""What the ledger allows to claim, as sentences."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pandas as pd

from nba_props.domain.claims import EVIDENCE_SQL, claims
from nba_props.domain.systems import SYSTEMS
from nba_props.warehouse.base import Warehouse

#: the systems that are what the books say
_OF_MARKET = {s.system_id for s in SYSTEMS if s.is_market}


def read(warehouse: Warehouse, frozen: Mapping[str, date], last: date) -> pd.DataFrame:
    """The claims as of a date, from all of the ledger since the first formula was frozen; see ``claims.claims``."""
    first = min(frozen.values())
    evidence = warehouse.query(EVIDENCE_SQL, first=first, last=max(first, last), systems=list(frozen))
    return claims(evidence[evidence["game_date"] <= pd.Timestamp(last)], frozen, _OF_MARKET)


def unfrozen(frozen: Mapping[str, date]) -> list[str]:
    """The systems of which nothing can be claimed, because no version of them is frozen."""
    return [s.system_id for s in SYSTEMS if s.system_id not in frozen]
