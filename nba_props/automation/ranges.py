"""Runs over a range of dates: the tags by which Dagster knows them, and the dates of a run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import dagster as dg

#: Dagster's tags of a run over a range of partitions
RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
#: Dagster's tag of a run of one partition
_PARTITION = "dagster/partition"


def range_tags(first: date, last: date) -> dict[str, str]:
    """The tags of a run over a range; empty for a run of one date, which has a partition key instead."""
    return {} if first == last else {RANGE_START: first.isoformat(), RANGE_END: last.isoformat()}


def partition_key(first: date, last: date) -> str | None:
    """The partition key of a run of one date; None for a run over a range."""
    return first.isoformat() if first == last else None


def dates_of(run: dg.DagsterRun) -> str:
    """The date or span of a run; empty without partitions."""
    return dates_in(run.tags, run.tags.get(_PARTITION))


def dates_in(tags: Mapping[str, str], day: str | None) -> str:
    """The date or span of a request, from its partition or its tags."""
    return day or (f"{tags[RANGE_START]}..{tags[RANGE_END]}" if RANGE_START in tags else "")
