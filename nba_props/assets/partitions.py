"""The partitions: daily by Eastern game date, shared by every table, and weekly for the models."""

from datetime import date, timedelta

import dagster as dg

from nba_props.facts.calendar import EASTERN

TIMEZONE = EASTERN.key


def daily_partitions(first_date: date, last_date: date | None = None) -> dg.DailyPartitionsDefinition:
    """Daily partitions from the first date through today in US/Eastern (``end_offset=1`` adds today).

    ``last_date`` is the last game date of a simulated league: its partitions end a day later, so that the UI opens on
    dates with rows.
    """
    end = (last_date + timedelta(2)).isoformat() if last_date else None
    return dg.DailyPartitionsDefinition(
        start_date=first_date.isoformat(), end_date=end, timezone=TIMEZONE, end_offset=1
    )


def weekly_partitions(first_date: date, last_date: date | None = None) -> dg.WeeklyPartitionsDefinition:
    """Weekly partitions from Monday to Sunday, Eastern, named by the Monday.

    They begin with the week of the first date and end with the current one, or that of the day after ``last_date``.
    """
    monday = first_date - timedelta(first_date.weekday())
    last = last_date + timedelta(1) if last_date else None
    end = (last - timedelta(last.weekday()) + timedelta(7)).isoformat() if last else None
    return dg.WeeklyPartitionsDefinition(
        start_date=monday.isoformat(), end_date=end, timezone=TIMEZONE, day_offset=1, end_offset=1
    )


def partition_days(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> list[date]:
    """The dates (or Mondays) that a step runs for: one, or all of a range run."""
    return [date.fromisoformat(key) for key in context.partition_keys]
