"""What a run in this process says of its end."""

from __future__ import annotations

import dagster as dg
import pytest

from nba_props.automation.runner import execute


def _named(said: str) -> None:
    try:
        raise TypeError("text expected")
    except TypeError as error:
        raise ValueError(said) from error


@pytest.mark.parametrize(
    ("said", "printed"),
    [
        ("payload 7: arenaName is NaN", "ValueError: payload 7: arenaName is NaN (TypeError: text expected)"),
        ("payload 7: text expected", "ValueError: payload 7: text expected"),
    ],
)
def test_a_failed_step_says_what_it_knew_and_not_only_what_it_came_of(said, printed):
    @dg.asset(partitions_def=dg.DailyPartitionsDefinition("2025-11-01"))
    def table() -> None:
        _named(said)

    day = dg.DailyPartitionsDefinition("2025-11-01").start.date()
    definitions = dg.Definitions([table], jobs=[dg.define_asset_job("make", [table])])
    with dg.DagsterInstance.ephemeral() as instance:
        outcome = execute(definitions, instance, "make", day, day)
    assert not outcome.success
    assert outcome.errors == [f"table: {printed}"]
