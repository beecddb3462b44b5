"""Whether a published row counts: a system in shadow has no weight."""

from __future__ import annotations

from nba_props.domain.systems import SYSTEMS
from nba_props.facts.vocabulary import Standing, sql_list

#: the systems that are in shadow without a setting
BY_THEMSELVES = [s.system_id for s in SYSTEMS if s.shadow]


def has_weight_sql(row: str, promotion: str) -> str:
    """SQL for whether a row of the ledger counts, by its row of ``nba_monitoring.promotions``, left-joined.

    Without one a system counts, unless it is in shadow by itself.
    """
    return f"""(
  COALESCE({promotion}.standing, CASE WHEN {row}.system_id IN ({sql_list(BY_THEMSELVES)}) THEN '{Standing.SHADOW}'
    ELSE '{Standing.PUBLISHED}' END) = '{Standing.PUBLISHED}'
)"""
