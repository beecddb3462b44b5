"""The daily partitions by Eastern game date, shared by every asset."""

from datetime import date

import dagster as dg

TIMEZONE = "America/New_York"


def daily_partitions(first_date: date) -> dg.DailyPartitionsDefinition:
    """Daily partitions from the first date through today in US/Eastern (``end_offset=1`` makes today one)."""
    return dg.DailyPartitionsDefinition(start_date=first_date.isoformat(), timezone=TIMEZONE, end_offset=1)


def partition_days(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> list[date]:
    """The dates a step runs for: one, or every date of a range run."""
    return [date.fromisoformat(key) for key in context.partition_keys]
