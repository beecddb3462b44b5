"""The partitions: daily by Eastern game date, shared by every table, and weekly for the models."""

from datetime import date, timedelta

import dagster as dg

TIMEZONE = "America/New_York"


def daily_partitions(first_date: date) -> dg.DailyPartitionsDefinition:
    """Daily partitions from the first date through today in US/Eastern (``end_offset=1`` makes today one)."""
    return dg.DailyPartitionsDefinition(start_date=first_date.isoformat(), timezone=TIMEZONE, end_offset=1)


def weekly_partitions(first_date: date) -> dg.WeeklyPartitionsDefinition:
    """Weeks from Monday to Sunday, Eastern, from that of the first date through the running one."""
    monday = first_date - timedelta(first_date.weekday())
    return dg.WeeklyPartitionsDefinition(start_date=monday.isoformat(), timezone=TIMEZONE, day_offset=1, end_offset=1)


def partition_days(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> list[date]:
    """The dates (or Mondays) a step runs for: one, or every one of a range run."""
    return [date.fromisoformat(key) for key in context.partition_keys]
